"""The five fields of a crontab: which days they mean, and which times of a day."""

import re
from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_PART = re.compile(r"(\*|(?P<first>\w+)(-(?P<last>\w+))?)(/(?P<step>[0-9]+))?")
_LEAP_YEAR = 2024


@dataclass(frozen=True)
class Crontab:
    """What the fields say. ``times`` are in order; weekdays count from Monday, 0, as Python's do."""

    times: Sequence[time]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    # Both the day of the month and the weekday are given: one of them is enough, as in every cron.
    either: bool

    def is_on(self, day: date) -> bool:
        """Whether it comes on that day."""
        if day.month not in self.months:
            return False
        of_month, of_week = day.day in self.days, day.weekday() in self.weekdays
        return of_month or of_week if self.either else of_month and of_week


def parse(text: str) -> Crontab:
    """Read the five fields: minute, hour, day of the month, month, weekday.

    Each is ``*``, a number, a range (``1-5``), a list (``1,15``), or one of these with a step (``*/10``); months and
    weekdays may be names (``jan``, ``mon``), and Sunday is 0 or 7. Raises ValueError with the rest of a sentence that
    begins with what the crontab belongs to.
    """
    fields = text.lower().split()
    if len(fields) != 5:
        raise ValueError("takes crontab as five fields (minute, hour, day, month, weekday), such as “0 3 * * mon”.")
    minutes, hours = _numbers(fields[0], 0, 59), _numbers(fields[1], 0, 23)
    days, months = _numbers(fields[2], 1, 31), _numbers(fields[3], 1, 12, _MONTHS)
    weekdays = _numbers(fields[4], 0, 7, _WEEKDAYS)
    found = Crontab(
        times=[time(hour, minute) for hour in sorted(hours) for minute in sorted(minutes)],
        days=days,
        months=months,
        # Cron's week begins with Sunday, Python's with Monday.
        weekdays=frozenset((number - 1) % 7 for number in weekdays),
        either=not fields[2].startswith("*") and not fields[4].startswith("*"),
    )
    if not found.either and min(days) > max(monthrange(_LEAP_YEAR, month)[1] for month in months):
        raise ValueError(f"has the crontab “{text}”, which names a day that never comes.")
    return found


def _numbers(field: str, least: int, most: int, names: Sequence[str] = ()) -> frozenset[int]:
    return frozenset(number for part in field.split(",") for number in _part(part, least, most, names))


def _part(part: str, least: int, most: int, names: Sequence[str]) -> range:
    match = _PART.fullmatch(part)
    if match is None:
        raise ValueError(f"has “{part}” in its crontab, which is no number, range or step.")
    if match["first"] is None:
        first, last = least, most
    else:
        first = _number(match["first"], least, names)
        last = _number(match["last"], least, names) if match["last"] else first
    step = int(match["step"] or 1)
    if not least <= first <= last <= most or step < 1:
        raise ValueError(f"has “{part}” in its crontab; there it takes {least} to {most}, the smaller first.")
    if match["step"] and first == last:
        raise ValueError(f"has “{part}” in its crontab; a step goes with * or a range.")
    return range(first, last + 1, step)


def _number(word: str, least: int, names: Sequence[str]) -> int:
    if word in names:
        return names.index(word) + least
    # Digits of other scripts are none here, and nothing is so long.
    return int(word) if re.fullmatch(r"[0-9]{1,4}", word) else -1
