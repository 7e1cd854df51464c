"""A week of calls as a calendar shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from helpdesk.api import User, db
from helpdesk_callbacks import words
from helpdesk_callbacks.listing import ALL, Wanted, criteria, visible_calls
from helpdesk_callbacks.models import CANCELLED, Call
from helpdesk_callbacks.zones import day_begins

# More do not fit on a page; the days say how many there are.
MOST, IN_A_CELL = 2_000, 4
# Hours that are shown even where nobody is called.
_FROM, _UNTIL = 8, 18


@dataclass(frozen=True)
class Entry:
    """A call in the calendar: as much of it as is shown there."""

    id: int
    # By the clock of the reader, and as a machine reads it.
    clock: str
    starts: str
    state: str
    problem: str
    person: str


@dataclass
class Hour:
    """What begins within an hour of a day: the first entries, and how many more there are."""

    number: int
    entries: list[Entry] = field(default_factory=list)
    more: int = 0


@dataclass
class Day:
    """A day of the calendar; ``hours`` are those with calls in them."""

    date: date
    hours: dict[int, Hour] = field(default_factory=dict)
    count: int = 0


@dataclass(frozen=True)
class Week:
    """Seven days from a Monday, and the hours that are shown. ``cut``: there were more calls than fit."""

    days: Sequence[Day]
    first_hour: int
    last_hour: int
    cut: bool

    @property
    def hours(self) -> range:
        """The hours, one line each."""
        return range(self.first_hour, self.last_hour + 1)

    @property
    def count(self) -> int:
        """How many calls there are."""
        return sum(day.count for day in self.days)


def monday(day: date) -> date:
    """The Monday of the week that a day is in."""
    return day - timedelta(days=day.weekday())


def week(user: User, day: date, zone: str, who: str = ALL, agent: int | None = None, team: int | None = None) -> Week:
    """The week that ``day`` is in, in the clock of ``zone``. One query, over the range of that week."""
    first, place = monday(day), ZoneInfo(zone)
    wanted = Wanted(who=who, show="week", agent=agent, team=team)
    query = (
        visible_calls(user)
        .where(
            Call.starts_at >= day_begins(first, place),
            Call.starts_at < day_begins(first + timedelta(days=7), place),
            Call.state != CANCELLED,
            *criteria(user, wanted, zone),
        )
        .join(User, User.id == Call.person_id)
        .with_only_columns(
            Call.id,
            Call.starts_at,
            Call.state,
            Call.problem,
            User.name,
            User.email,
        )
        .order_by(Call.starts_at, Call.id)
        .limit(MOST + 1)
    )
    rows = db.session.execute(query).all()
    return _arranged(rows[:MOST], first, place, cut=len(rows) > MOST)


def _arranged(rows: Sequence[Any], first: date, zone: ZoneInfo, *, cut: bool) -> Week:
    days = [Day(first + timedelta(days=number)) for number in range(7)]
    earliest, latest = _FROM, _UNTIL - 1
    for row in rows:
        local = row.starts_at.astimezone(zone)
        day = days[(local.date() - first).days]
        day.count += 1
        earliest, latest = min(earliest, local.hour), max(latest, local.hour)
        hour = day.hours.setdefault(local.hour, Hour(local.hour))
        if len(hour.entries) >= IN_A_CELL:
            hour.more += 1
            continue
        clock, starts = words.clock_of(local.hour, local.minute), local.isoformat()
        hour.entries.append(Entry(row.id, clock, starts, row.state, row.problem, row.name or row.email or ""))
    return Week(days, earliest, latest, cut)
