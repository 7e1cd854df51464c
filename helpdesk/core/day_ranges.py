"""Days as people name them ("today", "30d", "2026-11-01..2026-11-07"), and the moments at which they begin and end."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpdesk.core.clock import now

# As far back as "30d" goes.
MOST_DAYS = 3660
_BACK = re.compile(r"([1-9][0-9]{0,3})d")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ONE = timedelta(days=1)


class InvalidRange(ValueError):
    """No days are meant by this text."""


@dataclass(frozen=True)
class DayRange:
    """From one day to another, both included; None: without an end on that side."""

    first: date | None
    last: date | None

    def __str__(self) -> str:
        return f"{self.first or ''}..{self.last or ''}"

    def moments(self, zone: str) -> tuple[datetime | None, datetime | None]:
        """The moment (UTC) at which the first day begins in ``zone``, and the one at which the last is over."""
        begin = _midnight(self.first, zone) if self.first is not None else None
        if self.last is None or self.last == date.max:
            return begin, None
        return begin, _midnight(self.last + _ONE, zone)


def today_in(zone: str) -> date:
    """The day that it is in a time zone."""
    return now().astimezone(ZoneInfo(zone)).date()


def parse(text: str, today: date) -> DayRange:
    """The days that ``text`` names, seen from ``today``: a word of :data:`WORDS`, "30d" (the last 30 days, today among
    them), "2026-11-01", or two days with ".." between, of which one may be missing.

    Raises :class:`InvalidRange` for anything else, and when the first day comes after the last.
    """
    if (word := WORDS.get(text)) is not None:
        return word(today)
    if back := _BACK.fullmatch(text):
        days = int(back[1])
        if days > MOST_DAYS:
            raise InvalidRange(text)
        return DayRange(today - (days - 1) * _ONE, today)
    first, dots, last = text.partition("..")
    if not dots:
        return DayRange(_day(text), _day(text))
    found = DayRange(_day(first) if first else None, _day(last) if last else None)
    if found.first is found.last is None:
        raise InvalidRange(text)
    if found.first is not None and found.last is not None and found.first > found.last:
        raise InvalidRange(text)
    return found


def _week(today: date) -> DayRange:
    monday = today - today.weekday() * _ONE
    return DayRange(monday, monday + 6 * _ONE)


def _month(today: date) -> DayRange:
    first = today.replace(day=1)
    return DayRange(first, (first + 31 * _ONE).replace(day=1) - _ONE)


def _last_week(today: date) -> DayRange:
    return _week(today - 7 * _ONE)


def _last_month(today: date) -> DayRange:
    return _month(today.replace(day=1) - _ONE)


# What is counted from today. Weeks begin on Mondays (ISO 8601).
WORDS: Mapping[str, Callable[[date], DayRange]] = {
    "today": lambda today: DayRange(today, today),
    "yesterday": lambda today: DayRange(today - _ONE, today - _ONE),
    "tomorrow": lambda today: DayRange(today + _ONE, today + _ONE),
    "week": _week,
    "last_week": _last_week,
    "month": _month,
    "last_month": _last_month,
}


def _day(text: str) -> date:
    try:
        found = date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        found = None
    # Years that no desk has seen are mistyped, and the ends of the calendar have no midnight everywhere.
    if found is None or not 1970 <= found.year <= 9000:
        raise InvalidRange(text)
    return found


def _midnight(day: date, zone: str) -> datetime:
    # Where the clock skips midnight the day begins with the first moment that there is: ``fold=0`` reads the missing
    # hour by the offset before, which is that moment.
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
