"""One act on many tickets, kept so that it can be undone."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime
from helpdesk.core.models.user import User


class BulkAct(Base):
    """Actions that somebody took on many tickets at once."""

    __tablename__ = "bulk_act"

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    # Actions as core/actions.py reads them.
    actions: Mapped[list[Any]] = mapped_column(Json, default=list)
    # "running", "done", "undoing", "undone", "failed".
    state: Mapped[str] = mapped_column(String(10), default="running")
    total: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now, index=True)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    actor: Mapped[User] = relationship()


class BulkItem(Base):
    """What an act did to one ticket, and how the ticket was before."""

    __tablename__ = "bulk_item"

    act_id: Mapped[int] = mapped_column(ForeignKey("bulk_act.id", ondelete="CASCADE"), primary_key=True)
    # No foreign key: a ticket that is gone keeps its row, so that the sums stay right.
    ticket_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False, index=True)
    # "waiting", "done", "skipped", "undone".
    state: Mapped[str] = mapped_column(String(10), default="waiting")
    # Why it was skipped, or why it could not be undone: a sentence in the actor's language.
    reason: Mapped[str] = mapped_column(CleanText, default="")
    before: Mapped[dict[str, Any] | None] = mapped_column(Json)
    # The ticket's version when the act had changed it: somebody who changed it later is not undone.
    version: Mapped[int | None] = mapped_column()
