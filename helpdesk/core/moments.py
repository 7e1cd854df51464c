"""Moments as people choose and type them: "3h", "tomorrow 9:00", "2026-11-27 17:00", "next working day".

Words are understood in English and in the reader's language; times are those of the reader's zone.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from babel import Locale
from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.core.catalogs import code
from helpdesk.core.clock import now
from helpdesk.core.working_time import Hours, NoHours

# What a day without a time means: a ticket comes back in the morning, and is due before the evening.
MORNING, EVENING = time(9), time(17)
_FURTHEST = timedelta(days=5 * 366)
_UNITS = {
    "m": ("m", "min", "mins", "minute", "minutes", "分钟", "分"),
    "h": ("h", "hour", "hours", "小时", "个小时"),
    "d": ("d", "day", "days", "天"),
    "w": ("w", "week", "weeks", "周", "个星期", "星期"),
}
_UNIT = {word: unit for unit, words in _UNITS.items() for word in words}
_STEPS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_ENGLISH_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOCK = re.compile(r"(?:at\s+)?(\d{1,2})(?:[:.点](\d{2})?)?\s*(am|pm)?")
_LONGEST = 60


class NotAMoment(ValueError):
    """What was typed names no moment, or one that has passed; the text is a sentence."""


@dataclass(frozen=True)
class Choice:
    """A moment to choose: what the form sends, what it is called, and when it is."""

    key: str
    label: str
    moment: datetime


def parse(text: str, *, zone: str, hours: Hours | None = None, day_at: time = MORNING) -> datetime:
    """The moment (UTC) that a text means in ``zone``; ``day_at`` is meant where a day comes without a time.

    ``hours`` say what a working day is (None: Monday to Friday). Raises :class:`NotAMoment` with a sentence for what
    cannot be read, has passed or is more than five years away.
    """
    words = " ".join(text.replace("\u3000", " ").split()).casefold()
    at = now()
    moment = _read(words, at, ZoneInfo(zone), hours, day_at) if 0 < len(words) <= _LONGEST else None
    if moment is None:
        raise NotAMoment(
            _("“%(text)s” is no moment. Write 3h, tomorrow 9:00 or 2026-11-27 17:00.", text=text.strip()[:_LONGEST])
        )
    if moment <= at:
        raise NotAMoment(_("This moment has passed. Choose one that is still to come."))
    if moment > at + _FURTHEST:
        raise NotAMoment(_("This is more than five years away. Look at the year once more."))
    return moment.astimezone(UTC)


def offered(keys: Iterable[str], *, zone: str, hours: Hours | None = None, day_at: time = MORNING) -> list[Choice]:
    """The choices of a menu that are still to come, each moment once, the nearest first."""
    found: dict[datetime, Choice] = {}
    for key in keys:
        try:
            moment = parse(key, zone=zone, hours=hours, day_at=day_at)
        except NotAMoment:
            continue
        found.setdefault(moment, Choice(key, _label(key), moment))
    return [found[moment] for moment in sorted(found)]


def _label(key: str) -> str:
    fixed = {
        "today": _("Today, before the evening"),
        "tomorrow": _("Tomorrow"),
        "workday": _("Next working day"),
        "week": _("Next Monday"),
    }
    if key in fixed:
        return fixed[key]
    number, unit = int(key[:-1]), key[-1]
    if unit == "h":
        return ngettext("In %(num)s hour", "In %(num)s hours", number)
    if unit == "d":
        return ngettext("In %(num)s day", "In %(num)s days", number)
    return ngettext("In %(num)s week", "In %(num)s weeks", number)


# ---- reading

_Reader = Callable[[str, datetime, ZoneInfo, Hours | None, time], datetime | None]


def _read(words: str, at: datetime, zone: ZoneInfo, hours: Hours | None, day_at: time) -> datetime | None:
    readers: Sequence[_Reader] = (_written_out, _distance, _day_and_time)
    try:
        return next((found for read in readers if (found := read(words, at, zone, hours, day_at)) is not None), None)
    except OverflowError:
        return None


def _written_out(words: str, at: datetime, zone: ZoneInfo, hours: Hours | None, day_at: time) -> datetime | None:
    """A date with or without a time, as forms send it (HTML, "local date and time") and programs do (RFC 3339)."""
    if not re.match(r"\d{4}-\d{2}-\d{2}", words):
        return None
    try:
        if len(words) == 10:
            return _local(date.fromisoformat(words), day_at, zone)
        moment = datetime.fromisoformat(words.upper())
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else _local(moment.date(), moment.time(), zone)


def _distance(words: str, at: datetime, zone: ZoneInfo, hours: Hours | None, day_at: time) -> datetime | None:
    match = re.fullmatch(r"(?:in\s+)?(\d{1,5})\s*([^\W\d]+?)后?", words)
    unit = _UNIT.get(match[2]) if match else None
    if match is None or unit is None:
        return None
    step = int(match[1]) * _STEPS[unit]
    if unit in "mh":
        return at + step
    # The same time of day by the clock on the wall, whatever summer time does meanwhile.
    local = at.astimezone(zone)
    return _local((local + step).date(), local.time(), zone)


def _day_and_time(words: str, at: datetime, zone: ZoneInfo, hours: Hours | None, day_at: time) -> datetime | None:
    today = at.astimezone(zone).date()
    days = _day_words(today, at, zone, hours)
    for word in sorted(days, key=len, reverse=True):
        if words.startswith(word):
            clock = _clock(words[len(word) :].strip(" ,，"), day_at)
            day = days[word]()
            if clock is None or day is None:
                continue
            if word in _TODAY and clock == MORNING:
                clock = EVENING
            return _local(day, clock, zone)
    clock = _clock(words, None)
    if clock is None or not re.search(r"[:.点]|am|pm", words):
        return None
    moment = _local(today, clock, zone)
    return moment if moment > at else _local(today + timedelta(days=1), clock, zone)


_TODAY = frozenset({"today", "今天"})


def _day_words(today: date, at: datetime, zone: ZoneInfo, hours: Hours | None) -> dict[str, Callable[[], date | None]]:
    found: dict[str, Callable[[], date | None]] = {}
    local = _day_names(code())
    for number, name in enumerate(_ENGLISH_DAYS):
        # Today's own name means that of next week.
        ahead = (number - today.weekday() - 1) % 7 + 1
        for word in (name, name[:3], *local[number]):
            found[word] = lambda ahead=ahead: today + timedelta(days=ahead)  # type: ignore[misc]
    nearest: dict[str, Callable[[], date | None]] = {
        "today": lambda: today,
        "今天": lambda: today,
        "tomorrow": lambda: today + timedelta(days=1),
        "明天": lambda: today + timedelta(days=1),
        "后天": lambda: today + timedelta(days=2),
        "week": lambda: today + timedelta(days=7 - today.weekday()),
        "next week": lambda: today + timedelta(days=7 - today.weekday()),
        "下周": lambda: today + timedelta(days=7 - today.weekday()),
        "workday": lambda: _working_day(today, zone, hours),
        "next working day": lambda: _working_day(today, zone, hours),
        "下个工作日": lambda: _working_day(today, zone, hours),
    }
    return found | nearest | {_("tomorrow").casefold(): nearest["tomorrow"], _("today").casefold(): nearest["today"]}


@cache
def _day_names(code: str) -> list[list[str]]:
    days = Locale.parse(code).days["format"]
    names = [[days[width][number] for width in ("wide", "abbreviated")] for number in range(7)]
    return [[name.casefold().rstrip(".") for name in both] for both in names]


def _working_day(today: date, zone: ZoneInfo, hours: Hours | None) -> date | None:
    """The next day on which the desk opens."""
    if hours is None:
        return next(day for ahead in range(1, 8) if (day := today + timedelta(days=ahead)).weekday() < 5)
    try:
        opens = hours.next_open(_local(today + timedelta(days=1), time(0), zone))
    except NoHours:
        return None
    return opens.astimezone(zone).date()


def _clock(words: str, default: time | None) -> time | None:
    if not words:
        return default
    match = _CLOCK.fullmatch(words)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if match[3]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if match[3] == "pm" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None


def _local(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """A time of the wall clock as a moment; one that summer time leaves out comes an hour later."""
    return datetime.combine(day, clock, zone).astimezone(UTC)
