"""The week as a calendar."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from flask import request

from helpdesk.api import gettext as _
from helpdesk.api import permission_required, reader
from helpdesk_callbacks import words
from helpdesk_callbacks.blueprint import pages, show
from helpdesk_callbacks.list_pages import wanted_of
from helpdesk_callbacks.listing import ALL, MINE, TEAM, today
from helpdesk_callbacks.people import makers
from helpdesk_callbacks.permissions import USE
from helpdesk_callbacks.week import week

_EARLIEST, _LATEST = date(2000, 1, 10), date(2190, 1, 1)


@pages.get("/week")
@permission_required(USE)
def week_page() -> Any:
    """The week that ``?day=`` is in, in the reader's clock."""
    zone, wanted = words.reader_zone(), replace(wanted_of(request.args), day=None)
    now_day = today(zone)
    day = _day(request.args.get("day", "")) or now_day
    shown = week(reader(), day, zone, wanted.who, wanted.agent, wanted.team)
    first = shown.days[0].date
    return show(
        "week.html",
        week=shown,
        zone=zone,
        today=now_day,
        wanted=wanted,
        whose=[(MINE, _("For me")), (TEAM, _("My teams")), (ALL, _("All"))],
        before=(first - timedelta(days=7)).isoformat(),
        after=(first + timedelta(days=7)).isoformat(),
        makers=makers(None),
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return min(max(found, _EARLIEST), _LATEST)
