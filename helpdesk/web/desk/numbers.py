"""The seven numbers of a span of days: each opens the list of exactly its tickets."""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from babel.units import format_unit
from flask import Response, make_response, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from helpdesk.core import day_ranges, i18n, labels
from helpdesk.core.day_ranges import DayRange
from helpdesk.core.filters import NONE, YES, TicketFilter
from helpdesk.core.lateness import OVERDUE
from helpdesk.core.models import Team
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.numbers import MOST_DAYS, Figures, Numbers, Spell, numbers
from helpdesk.core.permissions import require
from helpdesk.core.spreadsheets import harmless
from helpdesk.core.working_time import hours_of
from helpdesk.web.desk import choices
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.figures import list_url
from helpdesk.web.numbers import row_number
from helpdesk.web.render import day as day_words
from helpdesk.web.render import number
from helpdesk.web.session import reader

_USUAL = "30d"
_WIDTH, _HEIGHT, _EDGE = 720, 200, 28


@dataclass(frozen=True)
class Cell:
    """A number in words with the list that it opens; ``more``: what stands small beside it."""

    words: str
    url: str
    more: str = ""


@dataclass(frozen=True)
class Line:
    """A row of a table: a day, a team, an agent."""

    label: str
    cells: Sequence[Cell]
    key: str = ""


@dataclass(frozen=True)
class Chart:
    """New and solved tickets as lines; coordinates of a drawing that is ``_WIDTH`` by ``_HEIGHT``."""

    new: str
    solved: str
    most: int
    first: str
    last: str


@desk.get("/numbers")
def seven_numbers() -> Any:
    """The numbers of ``?days=`` (30 days), of ``?team=`` or all; with ``&format=csv`` as a file by day."""
    user = reader()
    require(user, "report.read")
    zone = user.time_zone or i18n.default_zone()
    teams = choices.teams()
    team = next((one for one in teams if one.id == request.args.get("team", type=row_number)), None)
    typed = _typed()
    try:
        first, last = _span(typed, day_ranges.today_in(zone))
    except day_ranges.InvalidRange as problem:
        page = _page(None, typed, None, teams, team, zone, str(problem))
        return make_response(page, 422)
    found = numbers(user, first, last, zone, team.id if team else None)
    if request.args.get("format") == "csv":
        return _file(found, first, last)
    return _page(found, typed, DayRange(first, last), teams, team, zone)


# ---- which days


def _typed() -> dict[str, str]:
    return {name: request.args.get(name, "").strip() for name in ("days", "from", "to")}


def _span(typed: dict[str, str], today: date) -> tuple[date, date]:
    """The days asked for. Raises InvalidRange with a sentence."""
    text = f"{typed['from']}..{typed['to']}" if typed["from"] or typed["to"] else typed["days"] or _USUAL
    try:
        found = day_ranges.parse(text, today)
    except day_ranges.InvalidRange:
        raise day_ranges.InvalidRange(
            _("These days cannot be read; choose a first and a last day, such as %(example)s.", example="2026-03-31")
        ) from None
    last = found.last or today
    first = found.first or last - timedelta(days=29)
    if first > last:
        raise day_ranges.InvalidRange(_("The last day is before the first; choose a later one."))
    if (last - first).days >= MOST_DAYS:
        raise day_ranges.InvalidRange(_("These are too many days; %(number)s fit.", number=MOST_DAYS))
    return first, last


def _quick(team: Team | None, typed: dict[str, str]) -> list[tuple[str, str, bool]]:
    """Label, address and whether it is the present one, of the spans that are asked for most."""
    words = {
        "today": _("Today"),
        "7d": _("7 days"),
        "week": _("This week"),
        "last_week": _("Last week"),
        _USUAL: _("30 days"),
        "last_month": _("Last month"),
        "90d": _("90 days"),
    }
    chosen = "" if typed["from"] or typed["to"] else typed["days"] or _USUAL
    team_id = team.id if team else None
    return [
        (label, url_for("desk.seven_numbers", days=key, team=team_id), key == chosen) for key, label in words.items()
    ]


# ---- the page


def _page(
    found: Numbers | None,
    typed: dict[str, str],
    span: DayRange | None,
    teams: Sequence[Team],
    team: Team | None,
    zone: str,
    error: str = "",
) -> str:
    wanted = TicketFilter(team=(str(team.id),) if team else ())
    hours = hours_of(team.id if team else None)
    shown = span or DayRange(None, None)
    if span is not None:
        typed = {**typed, "from": str(span.first), "to": str(span.last)}
    return render_template(
        "desk/numbers.html",
        cards=_cards(found.total, wanted, str(span)) if found else [],
        days=_days(found, wanted) if found else [],
        teams_table=_teams(found, teams, str(span)) if found and team is None else [],
        agents=_agents(found, wanted, str(span)) if found else [],
        chart=_chart(found) if found else None,
        span=shown,
        typed=typed,
        quick=_quick(team, _typed()),
        teams=teams,
        team=team,
        zone=zone,
        hours=hours,
        error=error,
        size=(_WIDTH, _HEIGHT, _EDGE),
    )


def _cards(total: Figures, wanted: TicketFilter, span: str) -> list[tuple[str, Cell, str]]:
    """The seven: label, figure, and what is counted."""
    row = list(_row(total, wanted, span, standing=True))
    names = [
        (_("New"), _("came in these days")),
        (_("Open"), _("now")),
        (_("Overdue"), _("now")),
        (_("First response"), _("median, working time")),
        (_("Solve time"), _("median, working time")),
        (_("Solved"), _("in these days")),
        (_("Reopened"), _("of the new ones")),
    ]
    return [(label, cell, about) for (label, about), cell in zip(names, row, strict=True)]


def _row(figures: Figures, wanted: TicketFilter, span: str, *, standing: bool) -> Iterator[Cell]:
    """The cells of some figures. ``standing``: what is open and overdue now, otherwise of those of these days."""
    came = replace(wanted, created=span)
    opened = replace(wanted, category=UNSOLVED) if standing else replace(came, category=UNSOLVED)
    late = replace(wanted, late=(OVERDUE,)) if standing else replace(wanted, due=span, late=(OVERDUE,))
    yield _cell(figures.new, came)
    yield _cell(figures.unsolved, opened)
    yield _cell(figures.overdue, late)
    yield _spell(figures.response, replace(wanted, responded=span))
    yield _spell(figures.solve, replace(wanted, solved=span))
    yield _cell(figures.solved, replace(wanted, solved=span))
    yield _cell(figures.reopened, replace(came, reopened=YES))


def _cell(count: int, wanted: TicketFilter) -> Cell:
    return Cell(number(count), list_url(wanted))


def _spell(spell: Spell, wanted: TicketFilter) -> Cell:
    if spell.median is None or spell.average is None:
        return Cell("–", list_url(wanted))
    return Cell(minutes_words(spell.median), list_url(wanted), _("average %(time)s", time=minutes_words(spell.average)))


def _days(found: Numbers, wanted: TicketFilter) -> list[Line]:
    rows = [(day, str(DayRange(day, day)), figures) for day, figures in found.days.items()]
    return [
        Line(day_words(day), list(_row(figures, wanted, span, standing=False)), day.isoformat())
        for day, span, figures in reversed(rows)
    ]


def _teams(found: Numbers, teams: Sequence[Team], span: str) -> list[Line]:
    names: dict[int | None, str] = {team.id: labels.team_name(team) for team in teams}
    names[None] = _("No team")
    rows = [(names.get(key) or _("A team that is off"), key, figures) for key, figures in found.teams.items()]
    rows.sort(key=lambda row: (row[1] is None, row[0].casefold()))
    return [
        Line(name, list(_row(figures, TicketFilter(team=(str(key) if key else NONE,)), span, standing=True)))
        for name, key, figures in rows
    ]


def _agents(found: Numbers, wanted: TicketFilter, span: str) -> list[Line]:
    return [
        Line(name or _("Nobody"), [_cell(count, replace(wanted, solved=span, assignee=(str(key) if key else NONE,)))])
        for key, name, count in found.agents
    ]


def _chart(found: Numbers) -> Chart | None:
    days = list(found.days)
    if len(days) < 2:
        return None
    most = max(1, *(max(figures.new, figures.solved) for figures in found.days.values()))
    step = (_WIDTH - 2 * _EDGE) / (len(days) - 1)

    def path(values: Sequence[int]) -> str:
        height = _HEIGHT - 2 * _EDGE
        points = [
            f"{_EDGE + place * step:.1f},{_HEIGHT - _EDGE - value / most * height:.1f}"
            for place, value in enumerate(values)
        ]
        return "M" + "L".join(points)

    figures = list(found.days.values())
    return Chart(
        path([one.new for one in figures]),
        path([one.solved for one in figures]),
        most,
        day_words(days[0]),
        day_words(days[-1]),
    )


# ---- words


def minutes_words(minutes: float) -> str:
    """Working minutes in hours and minutes: a working day is no day of 24 hours."""
    hours, rest = divmod(round(minutes), 60)
    locale = get_locale()
    parts = [format_unit(hours, "duration-hour", length="short", locale=locale)] if hours else []
    if rest or not hours:
        parts.append(format_unit(rest, "duration-minute", length="short", locale=locale))
    return " ".join(parts)


def _file(found: Numbers, first: date, last: date) -> Response:
    out = io.StringIO()
    writer = csv.writer(out)
    heads = [
        _("Day"),
        _("New"),
        _("Still open"),
        _("Overdue"),
        _("First responses"),
        _("First response, median (minutes)"),
        _("First response, average (minutes)"),
        _("Solved"),
        _("Solve time, median (minutes)"),
        _("Solve time, average (minutes)"),
        _("Reopened"),
    ]
    writer.writerow([harmless(str(head)) for head in heads])
    for day, one in found.days.items():
        counts = [one.new, one.unsolved, one.overdue, one.responded, *_measures(one.response)]
        writer.writerow([day.isoformat(), *counts, one.solved, *_measures(one.solve), one.reopened])
    answer = Response("\ufeff" + out.getvalue(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = f'attachment; filename="numbers_{first}_{last}.csv"'
    return answer


def _measures(spell: Spell) -> list[str]:
    return [
        "" if value is None else f"{value:g}"
        for value in (spell.median, None if spell.average is None else round(spell.average, 1))
    ]
