"""When a team works and who is there: business hours, days that differ, shifts, absences."""

import datetime
from typing import Any

from sqlalchemy import Date, ForeignKey, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from helpdesk.core.clock import now
from helpdesk.core.extensions import Base
from helpdesk.core.models.columns import CleanText, Json, UtcDateTime
from helpdesk.core.models.team import Team
from helpdesk.core.models.user import User

# Why somebody is away.
KINDS = ("holiday", "sick", "training", "other")


class BusinessHours(Base):
    """A named week of opening times in one zone, with the public holidays of one place. Teams point at one."""

    __tablename__ = "business_hours"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanText, unique=True)
    # IANA name; "": the desk's.
    time_zone: Mapped[str] = mapped_column(String(64), default="")
    # {"0": [["09:00", "12:30"], ["13:30", "17:00"]], ...}, Monday is 0; an end not after its begin is the next day's.
    week: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    # Codes of the library `holidays`; "": no public holidays.
    country: Mapped[str] = mapped_column(String(8), default="")
    subdivision: Mapped[str] = mapped_column(String(16), default="")
    # Used by teams that name none; one row has it.
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, default=now)


class SpecialDay(Base):
    """A day that differs: closed, or open (a working weekend, a public holiday on which the shop works)."""

    __tablename__ = "special_day"
    __table_args__ = (UniqueConstraint("business_hours_id", "day", name="uq_special_day_business_hours_id_day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    business_hours_id: Mapped[int] = mapped_column(ForeignKey("business_hours.id", ondelete="CASCADE"))
    day: Mapped[datetime.date] = mapped_column(Date)
    name: Mapped[str] = mapped_column(CleanText, default="")
    # Like one day of BusinessHours.week; empty: closed.
    times: Mapped[list[Any]] = mapped_column(Json, default=list)


class Shift(Base):
    """When somebody works: every week on a weekday, or once."""

    __tablename__ = "shift"
    __table_args__ = (Index("ix_shift_user_id_first_day", "user_id", "first_day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    # For one team only; None: for all of the person's.
    team_id: Mapped[int | None] = mapped_column(ForeignKey("team.id", ondelete="CASCADE"), index=True)
    # Monday is 0; None: on ``first_day`` alone.
    weekday: Mapped[int | None] = mapped_column(SmallInteger)
    # "09:00"; an end not after its begin is the next day's. In the zone of the
    # hours of ``team``, or of the usual ones.
    begins: Mapped[str] = mapped_column(String(5))
    ends: Mapped[str] = mapped_column(String(5))
    first_day: Mapped[datetime.date] = mapped_column(Date)
    last_day: Mapped[datetime.date | None] = mapped_column(Date)

    user: Mapped[User] = relationship()
    team: Mapped[Team | None] = relationship()


class Absence(Base):
    """When somebody is away."""

    __tablename__ = "absence"
    __table_args__ = (Index("ix_absence_user_id_ends_at", "user_id", "ends_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    begins_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime)
    ends_at: Mapped[datetime.datetime] = mapped_column(UtcDateTime, index=True)
    # One of KINDS.
    kind: Mapped[str] = mapped_column(String(12), default="holiday")
    note: Mapped[str] = mapped_column(CleanText, default="")
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"), index=True)

    user: Mapped[User] = relationship(foreign_keys=[user_id])
