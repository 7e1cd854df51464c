"""How promised calls were kept; every figure opens its calls."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import request, url_for
from flask_babel import format_decimal, format_percent

from helpdesk.api import gettext as _
from helpdesk.api import permission_required, read_days, reader
from helpdesk_callbacks import words
from helpdesk_callbacks.blueprint import pages, show
from helpdesk_callbacks.list_pages import figure_name
from helpdesk_callbacks.listing import ALL, COUNTED, Wanted, today
from helpdesk_callbacks.numbers import MOST_DAYS, Figures, Line, numbers
from helpdesk_callbacks.permissions import SEE_NUMBERS

_USUAL = 30


@dataclass(frozen=True)
class Cell:
    """A figure and the list that it opens."""

    words: str
    url: str
    label: str = ""


@dataclass(frozen=True)
class Row:
    """A line of a table."""

    name: str
    share: str
    cells: Sequence[Cell]


@pages.get("/numbers")
@permission_required(SEE_NUMBERS)
def figures() -> Any:
    """The figures of the calls that were promised for some days."""
    zone = words.reader_zone()
    now_day = today(zone)
    first, last, error = read_days(request.args, now_day, _USUAL, MOST_DAYS)
    found = numbers(reader(), first, last, zone, _nobody)
    wanted = Wanted(who=ALL, first=first, last=last)
    return show(
        "numbers.html",
        422 if error else 200,
        total=_row("", found.total, wanted),
        heads=[figure_name(name) for name in COUNTED],
        tables=[
            (_("By agent"), _("Agent"), _rows(found.agents, wanted, "agent")),
            (_("By team"), _("Team"), _rows(found.teams, wanted, "team")),
            (_("By reason"), _("Reason"), _rows(found.reasons, wanted, "reason")),
        ],
        first=first,
        last=last,
        typed={
            "first": request.args.get("first", first.isoformat()),
            "last": request.args.get("last", last.isoformat()),
        },
        quick=_quick(now_day, first, last),
        error=error,
        zone=zone,
    )


def _quick(now_day: date, first: date, last: date) -> list[tuple[str, str, bool]]:
    spans = [(_("7 days"), 7), (_("30 days"), 30), (_("90 days"), 90)]
    found = []
    for label, days in spans:
        begin = now_day - timedelta(days=days - 1)
        url = url_for("callbacks.figures", first=begin.isoformat(), last=now_day.isoformat())
        found.append((label, url, (begin, now_day) == (first, last)))
    return found


def _rows(lines: Sequence[Line], wanted: Wanted, by: str) -> list[Row]:
    return [_row(line.name, line.figures, wanted, **{by: line.key}) for line in lines]


def _row(name: str, counted: Figures, wanted: Wanted, **of: int) -> Row:
    cells = [
        Cell(
            format_decimal(getattr(counted, show_)),
            url_for("callbacks.index", **wanted.query(show=show_, **of)),  # type: ignore[arg-type]
            figure_name(show_),
        )
        for show_ in COUNTED
    ]
    return Row(name, "–" if counted.share is None else format_percent(counted.share), cells)


def _nobody(kind: str) -> str:
    return {"agent": _("Nobody in particular"), "team": _("No team"), "reason": _("No reason")}[kind]
