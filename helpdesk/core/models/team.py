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
HAND, ROUND_ROBIN, LEAST_BUSY = "hand", "round_robin", "least_busy"
# Who takes a new ticket: nobody by itself, whoever waited longest, whoever has the fewest unsolved tickets.
ASSIGNMENTS = (HAND, ROUND_ROBIN, LEAST_BUSY)


class Team(Base):
    __tablename__ = "team"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanText, unique=True)
    color: Mapped[str] = mapped_column(String(10), default="blue")
    active: Mapped[bool] = mapped_column(default=True)
    # Its tickets are seen by members, supervisors and administrators only.
    private: Mapped[bool] = mapped_column(default=False)
    # None: the hours that are the desk's default.
    business_hours_id: Mapped[int | None] = mapped_column(
        ForeignKey("business_hours.id", ondelete="SET NULL"), index=True
    )
    # One of ASSIGNMENTS.
    assignment: Mapped[str] = mapped_column(String(12), default=HAND)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=now)

    members: Mapped[list["User"]] = relationship(secondary="team_member", order_by="User.name", back_populates="teams")


class TeamMember(Base):
    __tablename__ = "team_member"

    team_id: Mapped[int] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), primary_key=True, index=True)
    # When the team last gave the person a ticket by itself: in turn, the one that waited longest is next.
    given_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
