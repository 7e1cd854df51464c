"""Raw items as they came in, kept before anything is done with them."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime

RECEIVED, DONE, IGNORED, QUARANTINED, DISCARDED = "received", "done", "ignored", "quarantined", "discarded"
STATES = (RECEIVED, DONE, IGNORED, QUARANTINED, DISCARDED)


class Intake(Base):
    __tablename__ = "intake"
    __table_args__ = (
        UniqueConstraint("channel", "transport_id"),
        Index("ix_intake_state", "state", "id"),
        # The same message that came by another way; only what was taken in has a fingerprint.
        UniqueConstraint("channel", "fingerprint"),
        Index("ix_intake_channel_sha256", "channel", "sha256"),
        Index("ix_intake_account", "account", "id"),
        # How much somebody sent lately.
        Index("ix_intake_sender_received_at", "sender", "received_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    channel: Mapped[str] = mapped_column(String(40))
    # Where the transport keeps it, e.g. "mailbox:uidvalidity:uid"; for a pipe the hash of the bytes.
    transport_id: Mapped[str] = mapped_column(String(255))
    # Which of the channel's accounts took it in (for mail one of our addresses); "": it does not say.
    account: Mapped[str] = mapped_column(String(255), default="")
    sha256: Mapped[str] = mapped_column(String(64))
    fingerprint: Mapped[str | None] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(12), default=RECEIVED)
    # "ticket", "message", "ignored", "quarantined", and why.
    outcome: Mapped[str | None] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(CleanText, default="")
    machine: Mapped[bool] = mapped_column(default=False)
    # Whether its sender is who it says: True proved, False disproved, None: nobody can tell.
    verified: Mapped[bool | None] = mapped_column()
    sender: Mapped[str] = mapped_column(CleanText, default="")
    subject: Mapped[str] = mapped_column(CleanText, default="")
    attempts: Mapped[int] = mapped_column(default=0)
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("ticket.id", ondelete="SET NULL"), index=True)
    received_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
