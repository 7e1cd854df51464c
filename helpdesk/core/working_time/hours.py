"""Opening times: when N working minutes are over, and how many lie between two moments. Pure calculation."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from helpdesk.core.working_time.holidays import public_days, working_weekends

# So far ahead is looked for an opening.
LOOK_AHEAD = timedelta(days=5 * 366)
DAY = 24 * 60
_ONE = timedelta(days=1)

# Begin and end in minutes since the day's midnight by the clock on the wall; an end past 1440 is the next day's.
Span = tuple[int, int]


class NoHours(Exception):
    """These hours do not open often enough: the moment asked for does not come within five years."""


@dataclass(frozen=True)
class Day:
    """A day that differs from its weekday: its spans (none: closed) and what it is called."""

    spans: tuple[Span, ...]
    name: str = ""


@dataclass(frozen=True)
class Hours:
    """Opening times in one zone: a week, the public holidays of a place, and days that differ from both.

    A span belongs to the day on which it begins, also the part after midnight. A time that the clock skips (summer time
    begins) is the moment of the jump, one that it shows twice is the first of both; between two moments real minutes
    are counted. Moments that go in must know their zone; those that come out are UTC.
    """

    zone: str
    # Monday first.
    week: tuple[tuple[Span, ...], ...]
    special: Mapping[date, Day] = field(default_factory=dict)
    country: str = ""
    subdivision: str = ""
    id: int | None = None
    name: str = ""

    def spans_on(self, day: date) -> tuple[Span, ...]:
        """The opening times that begin on a day: its own, none on a public holiday, or those of the weekday."""
        if (differing := self.special.get(day)) is not None:
            return differing.spans
        usual = self.week[day.weekday()]
        if not self.country:
            return usual
        if day in public_days(self.country, self.subdivision, day.year):
            return ()
        if not usual and day in working_weekends(self.country, self.subdivision, day.year):
            # Worked in for a day off, so like a working day.
            return next((spans for spans in self.week if spans), ())
        return usual

    def openings(self, start: datetime, days: timedelta = LOOK_AHEAD) -> Iterator[tuple[datetime, datetime]]:
        """When it is open from ``start`` on, as (begin, end) in UTC, in order and without overlap.

        Ends with the last day that begins within ``days``.
        """
        zone, reached = ZoneInfo(self.zone), start.astimezone(UTC)
        try:
            first, last = start.astimezone(zone).date() - _ONE, (start + days).astimezone(zone).date()
        except OverflowError:
            return
        for number in range((last - first).days + 1):
            day = first + number * _ONE
            for begin, end in self.spans_on(day):
                opens = max(moment_of(day, begin, zone), reached)
                closes = moment_of(day, end, zone)
                if opens < closes:
                    yield opens, closes
                    reached = closes

    def add_minutes(self, start: datetime, minutes: int) -> datetime:
        """The moment (UTC) at which ``minutes`` working minutes after ``start`` are over; for 0 ``start`` itself.

        What ends exactly with the opening times ends then, not at the next opening. Raises ValueError for a negative
        number, and :class:`NoHours` when the moment does not come within five years.
        """
        if minutes < 0:
            raise ValueError("minutes must not be negative")
        if minutes == 0:
            return start.astimezone(UTC)
        if timedelta(minutes=minutes) > LOOK_AHEAD:
            raise NoHours
        left = timedelta(minutes=minutes)
        for opens, closes in self.openings(start):
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        raise NoHours

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """How many whole working minutes lie between two moments; 0 when ``end`` does not come after ``start``."""
        if end <= start:
            return 0
        total, last = timedelta(), end.astimezone(UTC)
        for opens, closes in self.openings(start, end - start + _ONE):
            if opens >= last:
                break
            total += min(closes, last) - opens
        return total // timedelta(minutes=1)

    def is_open(self, at: datetime) -> bool:
        """Whether it is open at a moment; at the end of a span no longer."""
        opens, _closes = next(self.openings(at, _ONE), (None, None))
        return opens is not None and opens == at

    def next_open(self, at: datetime) -> datetime:
        """The moment itself when it is open then, otherwise the next opening. Raises :class:`NoHours`."""
        for opens, _closes in self.openings(at):
            return opens
        raise NoHours


def round_the_clock(zone: str) -> Hours:
    """Hours that never close."""
    return Hours(zone, ((((0, DAY),)),) * 7)


@lru_cache(maxsize=4096)
def moment_of(day: date, minutes: int, zone: ZoneInfo) -> datetime:
    """The first moment (UTC) at which the clock of ``zone`` shows that time of the day, or has jumped past it."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    early = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if early.astimezone(zone).replace(tzinfo=None) == wall:
        return early
    # In a gap: the jump lies between the readings by the offsets after and before it.
    low, high = wall.replace(tzinfo=zone, fold=1).astimezone(UTC), early
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=(high - low) // timedelta(seconds=2))
        if middle.astimezone(zone).replace(tzinfo=None) >= wall:
            high = middle
        else:
            low = middle
    return high
