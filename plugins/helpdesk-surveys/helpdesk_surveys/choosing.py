"""What an address asks for: the survey, the days, and to what the figures and lists are narrowed."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import date, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import select

from helpdesk.api import Team, User, db, language_name, number_in, read_days
from helpdesk.api import gettext as _
from helpdesk_surveys import words
from helpdesk_surveys.figures import Wanted
from helpdesk_surveys.models import Survey

# The usual number of days.
USUAL = 90
KEYS = ("agent", "team", "tag", "channel", "language")


def read(args: Mapping[str, str], survey_id: int | None, today: date) -> tuple[Wanted, str]:
    """What is wanted, and a sentence where the days cannot be read; what the address does not say is left out."""
    first, last, problem = read_days(args, today, USUAL)
    return Wanted(
        survey_id=survey_id,
        first=first,
        last=last,
        agent=number_in(args.get("agent")),
        team=number_in(args.get("team")),
        tag=args.get("tag", "")[:100],
        channel=args.get("channel", "")[:40],
        language=args.get("language", "")[:20],
    ), problem


def query(wanted: Wanted, **changes: Any) -> dict[str, Any]:
    """The same as parts of an address; ``changes`` take the place of some."""
    values = asdict(replace(wanted, **{key: value for key, value in changes.items() if key in asdict(wanted)}))
    values["survey"] = values.pop("survey_id")
    values |= {key: value for key, value in changes.items() if key not in asdict(wanted)}
    return {key: str(value) for key, value in values.items() if value is not None and value != ""}


def chips(wanted: Wanted, endpoint: str, **more: Any) -> list[tuple[str, str]]:
    """To what it is narrowed, by name, each with the address without it."""
    found = []
    for key in KEYS:
        value = getattr(wanted, key)
        if value in (None, ""):
            continue
        without: Any = None if key in ("agent", "team") else ""
        found.append((_name(key, value), url_for(endpoint, **query(wanted, **{key: without}, **more))))
    return found


def quick(wanted: Wanted, today: date, endpoint: str) -> list[tuple[str, str, bool]]:
    """Spans that are one press away."""
    found = []
    for label, days in ((_("30 days"), 30), (_("90 days"), 90), (_("365 days"), 365)):
        begin = today - timedelta(days=days - 1)
        url = url_for(endpoint, **query(wanted, first=begin, last=today))
        found.append((label, url, (begin, today) == (wanted.first, wanted.last)))
    return found


def survey_in(args: Mapping[str, str], surveys: list[Survey]) -> Survey | None:
    """The survey of an address; the first that asks where it says none."""
    number = number_in(args.get("survey"))
    wanted = next((one for one in surveys if one.id == number), None)
    return wanted or next((one for one in surveys if one.active), None) or next(iter(surveys), None)


def all_surveys() -> list[Survey]:
    """Those that figures can be of, by name."""
    return list(db.session.scalars(select(Survey).order_by(Survey.name, Survey.id).limit(200)))


def group_name(key: str, value: Any, name: str) -> str:
    """What a line of a breakdown is called."""
    if value in (None, "", 0):
        return words.nobody(key)
    return language_name(str(value)) if key == "language" else name or str(value)


def _name(key: str, value: Any) -> str:
    if key == "agent":
        found = db.session.get(User, value) if value else None
        return found.display_name if found else words.nobody(key) if value == 0 else _("one agent")
    if key == "team":
        team = db.session.get(Team, value) if value else None
        return team.name if team else words.nobody(key) if value == 0 else _("one team")
    return group_name(key, value, str(value))
