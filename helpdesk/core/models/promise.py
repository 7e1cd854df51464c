"""What customers were promised: an answer by some moment."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime
from helpdesk.core.models.ticket import Ticket
from helpdesk.core.models.user import User

KEPT, BROKEN, WITHDRAWN = "kept", "broken", "withdrawn"


class Promise(Base):
    """One promise; a ticket has at most one whose ``outcome`` is open."""

    __tablename__ = "promise"
    __table_args__ = (
        Index("ix_promise_ticket_id_id", "ticket_id", "id"),
        Index("ix_promise_outcome_due_at", "outcome", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id", ondelete="CASCADE"))
    # Who keeps it: who made it, until it is handed over.
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    words: Mapped[str] = mapped_column(CleanText, default="")
    made_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    # None while it is open. A broken one may still be answered: ``settled_at`` says when.
    outcome: Mapped[str | None] = mapped_column(String(10))
    settled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    owner: Mapped[User | None] = relationship()
    ticket: Mapped[Ticket] = relationship()
