"""The hours of each team as they are kept; read again when somebody has changed them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Integer, Select, cast, null, select, union_all

from helpdesk.core import generation, i18n
from helpdesk.core.extensions import db
from helpdesk.core.models import BusinessHours, SpecialDay, Team
from helpdesk.core.working_time import week
from helpdesk.core.working_time.hours import Day, Hours, round_the_clock


@dataclass(frozen=True)
class _All:
    hours: Mapping[int, Hours]
    default: int | None
    of_team: Mapping[int, int]


def hours_of(team_id: int | None) -> Hours:
    """The hours of a team: its own, otherwise the desk's usual ones (also for no team); round the clock in the desk's
    zone where the desk has none. Kept until they change: mostly without a query, at most two seconds old.
    """
    known = _known()
    number = known.of_team.get(team_id, known.default) if team_id is not None else known.default
    found = known.hours.get(number) if number is not None else None
    return found or round_the_clock(i18n.default_zone())


def all_hours() -> Mapping[int, Hours]:
    """All hours that the desk has, by their ids."""
    return _known().hours


def working_minutes_after(team_id: int | None, start: datetime, minutes: int) -> datetime:
    """When ``minutes`` working minutes of a team (None: of the desk) after ``start`` are over, in UTC.

    ``start`` must know its zone. Raises ValueError for a negative number and :class:`NoHours` when that moment does not
    come within five years.
    """
    return hours_of(team_id).add_minutes(start, minutes)


def _known() -> _All:
    return generation.cached("working_time", _load)


def _load() -> _All:
    """Hours, their special days and the teams that keep them: one query, since the first page after a change waits."""
    rows: dict[int, BusinessHours] = {}
    special: dict[int, dict[date, Day]] = {}
    of_team: dict[int, int] = {}
    for row, team, day, name, times in db.session.execute(_everything()):
        rows[row.id] = row
        if team is not None:
            of_team[team] = row.id
        if day is not None:
            special.setdefault(row.id, {})[day] = Day(week.read(times), name)
    return _All(
        {row.id: _hours(row, special.get(row.id, {})) for row in rows.values()},
        next((row.id for row in rows.values() if row.is_default), None),
        of_team,
    )


def _everything() -> Select[Any]:
    days = select(
        SpecialDay.business_hours_id.label("hours_id"),
        cast(null(), Integer).label("team_id"),
        SpecialDay.day.label("day"),
        SpecialDay.name.label("name"),
        SpecialDay.times.label("times"),
    )
    teams = select(Team.business_hours_id, Team.id, null(), null(), null()).where(Team.business_hours_id.is_not(None))
    both = union_all(days, teams).subquery()
    return (
        select(BusinessHours, both.c.team_id, both.c.day, both.c.name, both.c.times)
        .outerjoin(both, both.c.hours_id == BusinessHours.id)
        .order_by(BusinessHours.name)
    )


def _hours(row: BusinessHours, special: Mapping[date, Day]) -> Hours:
    return Hours(
        zone=row.time_zone if row.time_zone and i18n.is_zone(row.time_zone) else i18n.default_zone(),
        week=tuple(week.read(row.week.get(str(day))) for day in range(7)),
        special=special,
        country=row.country,
        subdivision=row.subdivision,
        id=row.id,
        name=row.name,
    )
