"""Whether somebody reads the mail now, and when the next time is."""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from helpdesk_email.settings import AnswerSettings

_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_CLOSED = "-"
# With every day of the week but holidays closed there may be no day of opening at all.
_LOOKED_AHEAD = 366


def is_open(moment: datetime, answers: AnswerSettings, zone: str) -> bool:
    """Whether the desk is open at ``moment`` (aware), by its hours in ``zone``. Closing before opening is overnight."""
    there = moment.astimezone(ZoneInfo(zone))
    days = (there.date() - timedelta(days=1), there.date())
    return any(begins <= there < ends for day in days for begins, ends in _spans(day, answers, zone))


def next_opening(moment: datetime, answers: AnswerSettings, zone: str) -> datetime | None:
    """When the desk opens next after ``moment``, in ``zone``; None: not within a year."""
    there = moment.astimezone(ZoneInfo(zone))
    for days in range(_LOOKED_AHEAD):
        day = there.date() + timedelta(days=days)
        found = [begins for begins, _ends in _spans(day, answers, zone) if begins > there]
        if found:
            return min(found)
    return None


def _spans(day: date, answers: AnswerSettings, zone: str) -> Iterator[tuple[datetime, datetime]]:
    """When the desk is open that begins on ``day``."""
    if _is_holiday(day, answers):
        return
    for opens, closes in _times(day, answers):
        last = day if opens < closes else day + timedelta(days=1)
        yield datetime.combine(day, opens, ZoneInfo(zone)), datetime.combine(last, closes, ZoneInfo(zone))


def _times(day: date, answers: AnswerSettings) -> list[tuple[time, time]]:
    own = getattr(answers, _WEEK[day.weekday()])
    if not own:
        usual = (_time(answers.opens), _time(answers.closes))
        return [usual] if day.isoweekday() in answers.weekdays else []
    if own == _CLOSED:
        return []
    spans = (span.split("-") for span in own.split(","))
    return [(_time(opens), _time(closes)) for opens, closes in spans]


def _is_holiday(day: date, answers: AnswerSettings) -> bool:
    dates = {line.split()[0] for line in answers.holidays.splitlines() if line.strip()}
    return not dates.isdisjoint((f"{day:%Y-%m-%d}", f"{day:%m-%d}"))


def _time(text: str) -> time:
    hour, _colon, minute = text.strip().partition(":")
    return time(int(hour) % 24, int(minute or 0))
