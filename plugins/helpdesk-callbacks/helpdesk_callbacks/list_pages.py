"""The list of calls: what waits, what was, and what a figure counted."""

from datetime import date
from typing import Any

from flask import request

from helpdesk.api import Team, User, db, number_in, permission_required, pgettext, reader
from helpdesk.api import gettext as _
from helpdesk_callbacks import words
from helpdesk_callbacks.blueprint import pages, show
from helpdesk_callbacks.listing import ALL, COUNTED, EVERY, MINE, SHOWS, TEAM, WHOSE, Wanted, due_counts, page
from helpdesk_callbacks.models import Reason
from helpdesk_callbacks.permissions import MANAGE, SEE_NUMBERS, USE


@pages.get("/")
@permission_required(USE)
def index() -> Any:
    """Calls in the order in which they are due, those that are late first."""
    user, zone = reader(), words.reader_zone()
    wanted = wanted_of(request.args)
    found = page(user, wanted, zone, request.args.get("after", ""))
    overdue, today = due_counts(user, zone)
    return show(
        "list.html",
        wanted=wanted,
        found=found,
        zone=zone,
        overdue=overdue,
        today=today,
        whose=[(MINE, _("For me")), (TEAM, _("My teams")), (ALL, _("All"))],
        shows=_shows(wanted),
        narrowed=_narrowed(wanted),
        person=db.session.get(User, wanted.person) if wanted.person else None,
        manage=MANAGE,
        see_numbers=SEE_NUMBERS,
    )


def wanted_of(args: Any) -> Wanted:
    """Which calls an address asks for; what it does not know is left out."""
    who, show = args.get("who", MINE), args.get("show", "open")
    agent, team = number_in(args.get("agent")), number_in(args.get("team"))
    kind, _colon, number = args.get("maker", "").partition(":")
    if kind == "agent":
        agent = number_in(number)
    elif kind == "team":
        team = number_in(number)
    return Wanted(
        who if who in WHOSE else MINE,
        show if show in SHOWS else "open",
        agent,
        team,
        number_in(args.get("reason")),
        number_in(args.get("person")),
        _day(args.get("first")),
        _day(args.get("last")),
        _day(args.get("day")),
    )


def _narrowed(wanted: Wanted) -> list[str]:
    """To whom and to what the list is narrowed, by name."""
    agent = db.session.get(User, wanted.agent) if wanted.agent else None
    team = db.session.get(Team, wanted.team) if wanted.team else None
    reason = db.session.get(Reason, wanted.reason) if wanted.reason else None
    found = (
        (wanted.agent, agent and agent.display_name, _("one agent"), _("nobody in particular")),
        (wanted.team, team and team.name, _("one team"), _("no team")),
        (wanted.reason, reason and reason.name, _("one reason"), _("no reason")),
    )
    return [name or (some if number else none) for number, name, some, none in found if number is not None]


def _shows(wanted: Wanted) -> list[tuple[str, str]]:
    offered = [
        ("open", pgettext("calls", "Waiting")),
        ("overdue", pgettext("calls", "Late")),
        ("today", pgettext("calls", "Today")),
        ("problem", pgettext("calls", "To look at")),
        ("done", pgettext("calls", "Done")),
        ("cancelled", pgettext("calls", "Cancelled")),
    ]
    if wanted.show == EVERY:
        offered.append((EVERY, pgettext("calls", "Every state")))
    return [*offered, (wanted.show, figure_name(wanted.show))] if wanted.show in COUNTED else offered


def figure_name(name: str) -> str:
    """What a figure is called, and the list behind it."""
    return {
        "promised": _("Promised"),
        "kept": _("Kept on time"),
        "late": _("Not kept on time"),
        "undecided": _("Still to come"),
        "try1": _("Reached at the first try"),
        "try2": _("Reached at the second try"),
        "try3": _("Reached later"),
        "never": _("Not reached"),
    }[name]


def _day(text: str | None) -> date | None:
    try:
        found = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return found if found is not None and 2000 <= found.year < 2200 else None
