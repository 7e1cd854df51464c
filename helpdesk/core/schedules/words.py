"""Schedules in words: for pages in the reader's language, for the command line in plain English."""

from collections.abc import Mapping, Sequence
from datetime import time, timedelta
from typing import Any

from babel.dates import format_time, format_timedelta, get_day_names
from babel.lists import format_list
from flask_babel import get_locale
from flask_babel import gettext as _

from helpdesk.core.models import Schedule

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def rule(row: Schedule) -> str:
    """When it comes, in the reader's language."""
    found, locale = row.rule, get_locale()
    if seconds := found.get("every"):
        return _("Every %(time)s", time=format_timedelta(timedelta(seconds=seconds), threshold=2, locale=locale))
    if crontab := found.get("crontab"):
        return _("By the rule %(rule)s (%(zone)s)", rule=crontab, zone=row.zone)
    at = format_time(time.fromisoformat(found["daily_at"]), "short", locale=locale)
    if found.get("month_days"):
        days = _month_days(found["month_days"])
        return _("Every month on %(days)s at %(time)s (%(zone)s)", days=days, time=at, zone=row.zone)
    if not found.get("weekdays"):
        return _("Every day at %(time)s (%(zone)s)", time=at, zone=row.zone)
    names = get_day_names("abbreviated", locale=locale)
    return _(
        "%(days)s at %(time)s (%(zone)s)", days=_listed(names[day] for day in found["weekdays"]), time=at, zone=row.zone
    )


def plain_rule(rule: Mapping[str, Any]) -> str:
    """When it comes, for the command line; the zone stands beside it there."""
    if seconds := rule.get("every"):
        unit, size = next((unit, size) for unit, size in _UNITS if seconds % size == 0)
        return f"every {seconds // size} {unit}s" if seconds != size else f"every {unit}"
    if rule.get("crontab"):
        return f"crontab {rule['crontab']}"
    if rule.get("month_days"):
        days = ", ".join("last day" if day == -1 else f"day {day}" for day in _in_order(rule["month_days"]))
        return f"{days} of the month at {rule['daily_at']}"
    days = ", ".join(_DAYS[day] for day in rule.get("weekdays") or ())
    return f"{days or 'daily'} at {rule.get('daily_at')}"


def catch_up(code: str) -> str:
    """What becomes of the times that were missed while nothing ran."""
    words = {
        "once": _("What was missed is run once, late."),
        "skip": _("What was missed is left out."),
        "all": _("Each time that was missed is run, late."),
    }
    return words.get(code, code)


def _month_days(days: Sequence[int]) -> str:
    return _listed(_("the last day") if day == -1 else _("day %(number)s", number=day) for day in _in_order(days))


def _in_order(days: Sequence[int]) -> list[int]:
    # The last day, -1, stands behind the others.
    return sorted(days, key=lambda day: day if day > 0 else 32 + day)


def _listed(words: Any) -> str:
    return str(format_list(list(words), "standard", locale=get_locale()))
