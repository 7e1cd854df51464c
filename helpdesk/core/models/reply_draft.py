"""What agents are writing: kept as they type, shared with whoever opens the ticket, and held for a moment when sent."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime
from helpdesk.core.models.user import User

_IS_SENT = text("send_at IS NOT NULL")


class ReplyDraft(Base):
    """One person's reply or note on one ticket, not written to the conversation yet."""

    __tablename__ = "reply_draft"
    __table_args__ = (
        Index("ix_reply_draft_ticket_id_user_id", "ticket_id", "user_id", "visibility"),
        Index("ix_reply_draft_send_at", "send_at", sqlite_where=_IS_SENT, postgresql_where=_IS_SENT),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    visibility: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(CleanText, default="")
    html: Mapped[str] = mapped_column(CleanText, default="")
    # Files that lie in core/files.py already: name, type, size, sha256.
    files: Mapped[list[Any]] = mapped_column(Json, default=list)
    # What else the composer says: the status to set, promise, call ...
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    # The ticket's version that its writer has seen.
    version: Mapped[int | None] = mapped_column()
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # Sent, and held until then so that it can be taken back; None: still being written.
    send_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Why it could not be sent, for its writer; the text is still here.
    problem: Mapped[str] = mapped_column(CleanText, default="")

    user: Mapped[User] = relationship()
