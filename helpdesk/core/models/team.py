"""Teams of agents; a ticket belongs to one."""

from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, UtcDateTime

if TYPE_CHECKING:
    from helpdesk.core.models.user import User

COLORS = ("blue", "violet", "green", "orange", "amber", "grey")


class Team(Base):
    __tablename__ = "team"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanText, unique=True)
    color: Mapped[str] = mapped_column(String(10), default="blue")
    active: Mapped[bool] = mapped_column(default=True)
    # Its tickets are seen by members, supervisors and administrators only.
    private: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    members: Mapped[list["User"]] = relationship(secondary="team_member", order_by="User.name", back_populates="teams")


class TeamMember(Base):
    __tablename__ = "team_member"

    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
