"""Outgoing copies of messages, one for each recipient."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime
from helpdesk.core.models.message import Message
from helpdesk.core.models.ticket import Ticket
from helpdesk.core.models.user import User

WAITING, SENT, FAILED, BOUNCED, CANCELLED = "waiting", "sent", "failed", "bounced", "cancelled"
STATES = (WAITING, SENT, FAILED, BOUNCED, CANCELLED)
# Nobody is about to send these; a person may have them sent again.
AT_REST = (FAILED, BOUNCED, CANCELLED)


class Delivery(Base):
    __tablename__ = "delivery"
    __table_args__ = (
        Index("ix_delivery_state", "state", "id"),
        # How many went out lately on a channel.
        Index("ix_delivery_channel_sent_at", "channel", "sent_at"),
        # What an address was sent lately.
        Index("ix_delivery_address_created_at", "address", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    # What is sent: "reply" (the message), "notice" (a received notice), "invitation", "reset" ...
    kind: Mapped[str] = mapped_column(String(20), default="reply")
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"), index=True)
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    # The address on the channel, and the identity under which it travels, fixed when the row is written
    # (for mail the Message-ID without angle brackets): a repeat after a kill carries the same.
    address: Mapped[str] = mapped_column(CleanText)
    identity: Mapped[str] = mapped_column(String(255), unique=True)
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(12), default=WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(CleanText, default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # The job that is to send it; any other that names it sends nothing. None: the first that comes.
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id", ondelete="SET NULL"), index=True)
    # When it is tried again, for people to see; the job knows it too.
    next_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    ticket: Mapped[Ticket | None] = relationship()
    message: Mapped[Message | None] = relationship(back_populates="deliveries")
    user: Mapped[User | None] = relationship()
