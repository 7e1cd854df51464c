"""Two records of one person made one, with the way back: what was moved, row by row."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import Json, UtcDateTime
from helpdesk.core.models.user import User


class PersonMerge(Base):
    """One person's record that went into another's. The row of ``merged`` stays and points to where it went."""

    __tablename__ = "person_merge"

    id: Mapped[int] = mapped_column(primary_key=True)
    survivor_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    merged_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)
    merged_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)
    undone_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # What the survivor's values were and became, by column, and what is to be said of it in numbers.
    data: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    survivor: Mapped[User] = relationship(foreign_keys=[survivor_id])
    merged: Mapped[User] = relationship(foreign_keys=[merged_id])
    actor: Mapped[User | None] = relationship(foreign_keys=[actor_id])


class PersonMergeRow(Base):
    """One row that a merge moved from the one person to the other."""

    __tablename__ = "person_merge_row"

    merge_id: Mapped[int] = mapped_column(ForeignKey("person_merge.id", ondelete="CASCADE"), primary_key=True)
    # The column that names the person, such as "ticket.requester_id".
    place: Mapped[str] = mapped_column(String(100), primary_key=True)
    row_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # Of followers: since when they read.
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
