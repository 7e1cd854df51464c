"""What people say on a ticket: public messages and internal notes."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime
from helpdesk.core.models.ticket import Ticket
from helpdesk.core.models.user import User

if TYPE_CHECKING:
    from helpdesk.core.models.attachment import Attachment
    from helpdesk.core.models.delivery import Delivery

PUBLIC, INTERNAL = "public", "internal"


class Message(Base):
    __tablename__ = "message"
    __table_args__ = (Index("ix_message_ticket_created", "ticket_id", "created_at", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    visibility: Mapped[str] = mapped_column(String(10), default=PUBLIC)
    channel: Mapped[str] = mapped_column(String(40), default="web")
    # What the person wrote, as text (searched, quoted, sent as the plain part) and as cleaned HTML ("" = text only).
    text: Mapped[str] = mapped_column(CleanText, default="")
    html: Mapped[str] = mapped_column(CleanText, default="")
    # What was quoted below it, folded on the page.
    quoted: Mapped[str] = mapped_column(CleanText, default="")
    # Whether the sender's address was proved (signed reply address, signed link, sign-in).
    verified: Mapped[bool] = mapped_column(default=True)
    # The identity that the message travelled under when it came in (RFC 5322 Message-ID, without the angle brackets).
    external_id: Mapped[str | None] = mapped_column(CleanText, index=True)
    intake_id: Mapped[int | None] = mapped_column(ForeignKey("intake.id", ondelete="SET NULL"), index=True)
    # How long a call was that the message tells of, in seconds.
    call_seconds: Mapped[int | None] = mapped_column()
    # The merge that brought it to this ticket.
    merge_id: Mapped[int | None] = mapped_column(ForeignKey("ticket_merge.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    ticket: Mapped[Ticket] = relationship()
    author: Mapped[User | None] = relationship()
    attachments: Mapped[list["Attachment"]] = relationship(order_by="Attachment.id", back_populates="message")
    deliveries: Mapped[list["Delivery"]] = relationship(order_by="Delivery.id", back_populates="message")

    @property
    def is_note(self) -> bool:
        return self.visibility == INTERNAL
