"""Saved filters over the tickets."""

from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json

MINE, TEAM, EVERYBODY = "mine", "team", "everybody"
SHARING = (MINE, TEAM, EVERYBODY)


class View(Base):
    __tablename__ = "view"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanText)
    shared_with: Mapped[str] = mapped_column(String(10), default=MINE)
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    # Allow-listed keys only (core/views.py): category, status, team, assignee, tag, priority, requester, text.
    filters: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    sort: Mapped[str] = mapped_column(String(40), default="-updated")
    # The list's columns by name; empty: those that everybody has.
    columns: Mapped[list[str]] = mapped_column(Json, default=list)
    position: Mapped[int] = mapped_column(default=0)
