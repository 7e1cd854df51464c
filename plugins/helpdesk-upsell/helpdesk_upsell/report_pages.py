"""Whether recommendations help: those who were shown something, beside those to whom nothing was shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import request, url_for

from helpdesk.api import now, permission_required, read_days, settings
from helpdesk_upsell import measuring, rules
from helpdesk_upsell.blueprint import pages, show
from helpdesk_upsell.conditions import Names
from helpdesk_upsell.measuring import RuleFigures
from helpdesk_upsell.permissions import MANAGE
from helpdesk_upsell.settings import RecommendationSettings

_USUAL, _MOST = 90, 1_100
# The drawing of an interval: so wide, with so much room at its ends.
_WIDTH, _EDGE = 600, 20


@dataclass(frozen=True)
class Bar:
    """An interval as a line: coordinates of a drawing that is ``_WIDTH`` wide; ``zero`` is where there is no effect."""

    zero: float
    low: float
    high: float
    dot: float
    width: int = _WIDTH


@pages.get("/report")
@permission_required(MANAGE)
def report() -> Any:
    """The effect of each rule in the days in which people were first shown something, or were not."""
    today = now().date()
    first, last, problem = read_days(request.args, today, _USUAL, _MOST)
    chosen, names = settings(RecommendationSettings), Names()
    found = [(one, _sentence(one, names), _bar(one)) for one in measuring.board(first, last)]
    return show(
        "report.html",
        422 if problem else 200,
        board=found,
        first=first,
        last=last,
        typed={
            "first": request.args.get("first", first.isoformat()),
            "last": request.args.get("last", last.isoformat()),
        },
        problem=problem,
        quick=_quick(first, last, today),
        window=chosen.window_days,
        enough=chosen.enough,
    )


def _sentence(one: RuleFigures, names: Names) -> str:
    return rules.sentence(one.rule, names) if one.rule is not None else ""


def _bar(one: RuleFigures) -> Bar | None:
    """The interval of the effect, drawn to its own measure; None where none can be said."""
    if not one.is_enough or one.uplift is None or one.uplift_interval is None:
        return None
    low, high = one.uplift_interval
    most = max(abs(low), abs(high), 0.05)

    def place(value: float) -> float:
        return round(_WIDTH / 2 + value / most * (_WIDTH / 2 - _EDGE), 1)

    return Bar(place(0), place(low), place(high), place(one.uplift))


def _quick(first: date, last: date, today: date) -> Sequence[tuple[int, str, bool]]:
    """Spans that are chosen with one click: days, address, whether it is the present one."""
    found = []
    for days in (30, 90, 365):
        begin = today - timedelta(days=days - 1)
        url = url_for("upsell.report", first=begin.isoformat(), last=today.isoformat())
        found.append((days, url, (first, last) == (begin, today)))
    return found
