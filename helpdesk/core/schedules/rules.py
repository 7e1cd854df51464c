"""When a rule is due: moments in UTC of times that are local."""

from bisect import bisect_right
from calendar import monthrange
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any
from zoneinfo import ZoneInfo

from helpdesk.plugins import crontab
from helpdesk.plugins.contributions import Schedule as Contributed

_DAY = timedelta(days=1)
_read_crontab = lru_cache(maxsize=256)(crontab.parse)


def rule_of(found: Contributed) -> dict[str, Any]:
    """The rule as it is kept."""
    if found.every is not None:
        return {"every": int(found.every.total_seconds())}
    if found.crontab:
        return {"crontab": " ".join(found.crontab.split())}
    if found.month_days:
        return {"daily_at": found.daily_at, "month_days": sorted(set(found.month_days))}
    return {"daily_at": found.daily_at, "weekdays": sorted(set(found.weekdays))}


def next_due(rule: Mapping[str, Any], zone: str, after: datetime, last: datetime | None = None) -> datetime:
    """The first moment after ``after`` that the rule asks for, in UTC.

    ``every`` counts on from ``last`` (none: from ``after``), in both directions. A local time that a change of the
    clocks leaves out becomes the first moment that there is; one that comes twice counts the first time.
    """
    if rule.get("every"):
        step = timedelta(seconds=rule["every"])
        start = last or after
        return start + step * ((after - start) // step + 1)
    is_on, times = _calendar(rule)
    place = ZoneInfo(zone)
    # From the day before: what is left out at its end comes after midnight.
    day = after.astimezone(place).date() - _DAY
    while True:
        moment = _first_after(after, day, times, place) if is_on(day) and not _is_missing(day, place) else None
        if moment is not None:
            return moment
        day += _DAY


def last_due(rule: Mapping[str, Any], zone: str, until: datetime, first: datetime) -> datetime:
    """The last moment up to ``until`` that the rule asks for; ``first`` is one of them."""
    if rule.get("every"):
        step = timedelta(seconds=rule["every"])
        return first + step * ((until - first) // step)
    is_on, times = _calendar(rule)
    place = ZoneInfo(zone)
    day, begin = until.astimezone(place).date() + _DAY, first.astimezone(place).date() - _DAY
    while day >= begin:
        moment = _last_until(until, day, times, place) if is_on(day) and not _is_missing(day, place) else None
        if moment is not None:
            return max(moment, first)
        day -= _DAY
    return first


def all_due(rule: Mapping[str, Any], zone: str, until: datetime, first: datetime, most: int) -> list[datetime]:
    """The moments from ``first`` up to ``until``, the oldest first, ``most`` of them."""
    return list(islice(takewhile(lambda moment: moment <= until, _from(rule, zone, first)), most))


def _from(rule: Mapping[str, Any], zone: str, first: datetime) -> Iterator[datetime]:
    moment = first
    while True:
        yield moment
        moment = next_due(rule, zone, moment, moment)


def _calendar(rule: Mapping[str, Any]) -> tuple[Callable[[date], bool], Sequence[time]]:
    """Which days a rule means, and the local times of such a day, in order."""
    if rule.get("crontab"):
        fields = _read_crontab(rule["crontab"])
        return fields.is_on, fields.times
    at = [time.fromisoformat(rule["daily_at"])]
    if rule.get("month_days"):
        wanted = frozenset(rule["month_days"])
        return lambda day: _is_day_of_month(day, wanted), at
    weekdays = frozenset(rule.get("weekdays") or range(7))
    return lambda day: day.weekday() in weekdays, at


def _is_day_of_month(day: date, wanted: frozenset[int]) -> bool:
    return day.day in wanted or (-1 in wanted and day.day == monthrange(day.year, day.month)[1])


def _first_after(after: datetime, day: date, times: Sequence[time], zone: ZoneInfo) -> datetime | None:
    # The later the local time, the later the moment, whatever the clocks do.
    place = bisect_right(times, after, key=lambda at: _moment(day, at, zone))
    return _moment(day, times[place], zone) if place < len(times) else None


def _last_until(until: datetime, day: date, times: Sequence[time], zone: ZoneInfo) -> datetime | None:
    place = bisect_right(times, until, key=lambda at: _moment(day, at, zone))
    return _moment(day, times[place - 1], zone) if place else None


def _is_missing(day: date, zone: ZoneInfo) -> bool:
    """Whether the whole day is left out: the zone crossed the date line."""
    return datetime.combine(day, time(12), zone).astimezone(UTC).astimezone(zone).date() != day


def _moment(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The moment of a local time in UTC, or the first that there is when the clocks leave it out."""
    moment = datetime.combine(day, at, zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == datetime.combine(day, at):
        return moment
    before = datetime.combine(day, at.replace(fold=1), zone).astimezone(UTC)
    return _jump_between(before, moment, zone)


def _jump_between(before: datetime, beyond: datetime, zone: ZoneInfo) -> datetime:
    """The moment at which the clocks are put forward, between two that have different offsets."""
    offset = before.astimezone(zone).utcoffset()
    while beyond - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(beyond - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            beyond = middle
    return beyond
