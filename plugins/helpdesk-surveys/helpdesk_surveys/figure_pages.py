"""How customers answered: the figure, its trend and its parts; every figure opens the answers behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from helpdesk.api import now, permission_required, reader
from helpdesk_surveys import choosing, wording, words
from helpdesk_surveys.blueprint import pages, show
from helpdesk_surveys.figures import Figure, board
from helpdesk_surveys.models import Survey
from helpdesk_surveys.permissions import USE

_WIDTH, _HEIGHT, _EDGE = 720, 220, 28


@dataclass(frozen=True)
class Line:
    """A line of a table: a week, an agent, a team, a tag, a channel, a language."""

    name: str
    figure: Figure
    url: str
    narrow: str = ""


@dataclass(frozen=True)
class Chart:
    """The figure as a line; coordinates of a drawing that is ``_WIDTH`` by ``_HEIGHT``."""

    path: str
    points: Sequence[tuple[float, float]]
    low: str
    high: str
    first: str
    last: str


@pages.get("/")
@permission_required(USE)
def index() -> Any:
    """The figures of a survey over some days."""
    all_surveys = choosing.all_surveys()
    survey = choosing.survey_in(request.args, all_surveys)
    if survey is None:
        return show("none.html")
    today = now().date()
    wanted, problem = choosing.read(request.args, survey.id, today)
    found = board(reader(), survey, wanted)
    trend = [
        Line(words.day(week.first), week.figure, _answers(wanted, first=week.first, last=week.last))
        for week in found.trend
    ]
    return show(
        "figures.html",
        422 if problem else 200,
        survey=survey,
        surveys=all_surveys,
        wanted=wanted,
        found=found,
        total=found.total,
        trend=trend,
        chart=_chart(survey, trend),
        size=(_WIDTH, _HEIGHT, _EDGE),
        tables=_tables(survey, found, wanted),
        bars=_bars(survey, found.total, wanted),
        all_url=_answers(wanted),
        part_url=lambda part: _answers(wanted, score=part),
        comments_url=_answers(wanted, comments=1),
        chips=choosing.chips(wanted, "surveys.index"),
        quick=choosing.quick(wanted, today, "surveys.index"),
        typed={
            "first": request.args.get("first", wanted.first.isoformat()),
            "last": request.args.get("last", wanted.last.isoformat()),
        },
        csv_url=url_for("surveys.answers_file", **choosing.query(wanted)),
        problem=problem,
    )


def _answers(wanted: Any, **changes: Any) -> str:
    return url_for("surveys.answers", **choosing.query(wanted, **changes))


def _tables(survey: Survey, found: Any, wanted: Any) -> list[tuple[str, str, list[Line]]]:
    """The breakdowns with more than one line, or one that says something."""
    tables = []
    for key in choosing.KEYS:
        title, head = words.breakdown(key)
        lines = []
        for value, name, figure in found.by.get(key, ()):
            narrow = url_for("surveys.index", **choosing.query(wanted, **{key: value}))
            # Of an anonymous survey no group is listed.
            url = narrow if survey.anonymous else _answers(wanted, **{key: value})
            lines.append(Line(choosing.group_name(key, value, name), figure, url, narrow))
        if lines and not (len(lines) == 1 and found.by[key][0][0] in (None, "", 0)):
            tables.append((title, head, lines))
    return tables


def _bars(survey: Survey, total: Figure, wanted: Any) -> list[dict[str, Any]]:
    """How many chose each score, the best first."""
    if total.hidden or not total.answers:
        return []
    most = max(total.counts.values(), default=0) or 1
    return [
        {
            "score": score,
            "name": wording.score_name(survey.kind, survey.look, score),
            "number": total.counts.get(score, 0),
            "width": f"{100 * total.counts.get(score, 0) / most:.1f}%",
            "tone": wording.tone(survey.kind, score),
            "url": _answers(wanted, score=score),
        }
        for score in reversed(wording.scores(survey.kind, survey.look))
    ]


def _chart(survey: Survey, trend: Sequence[Line]) -> Chart | None:
    """The line of the figures that can be shown; none of fewer than two."""
    shown = [(place, line.figure.value) for place, line in enumerate(trend) if line.figure.value is not None]
    if survey.kind == "form" or len(shown) < 2:
        return None
    low, high = {"csat": (0.0, 100.0), "nps": (-100.0, 100.0), "ces": (1.0, 7.0)}[survey.kind]
    step = (_WIDTH - 2 * _EDGE) / (len(trend) - 1)
    height = _HEIGHT - 2 * _EDGE
    points = [
        (round(_EDGE + place * step, 1), round(_HEIGHT - _EDGE - (value - low) / (high - low) * height, 1))
        for place, value in shown
    ]
    path = "M" + "L".join(f"{x},{y}" for x, y in points)
    return Chart(
        path, points, words.value(survey.kind, low), words.value(survey.kind, high), trend[0].name, trend[-1].name
    )
