"""What levels of careers may ask for: how satisfied the customers of an agent are, from so many answers on."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import url_for
from sqlalchemy import func, select

from helpdesk.api import db, hookimpl, now, number_in
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_surveys.models import BY_AGENT, CSAT, Day, Survey

# In the place of a survey's number.
EVERY = "all"
# So many fit on the page of answers.
_MOST_DAYS = 365


@hookimpl(optionalhook=True)
def career_criteria() -> list[dict[str, Any]]:
    """The share of good answers (four and five of five) to one satisfaction survey or to all, with their number."""
    return [
        {
            "key": "surveys.csat", "label": _l("Satisfied customers"), "unit": "percent", "better": "more",
            "counts": True, "choices": surveys_to_choose, "measure": measure, "link": link,
        }
    ]  # fmt: skip


def surveys_to_choose() -> list[tuple[str, str]]:
    """All together, then each satisfaction survey whose answers are somebody's."""
    query = select(Survey.id, Survey.name).where(Survey.kind == CSAT, Survey.anonymous.is_(False)).order_by(Survey.name)
    return [(EVERY, _("all surveys")), *((str(number), name) for number, name in db.session.execute(query))]


def measure(user_ids: Sequence[int], since: datetime | None, choice: str) -> Mapping[int, tuple[float | None, int]]:
    """Good answers of a hundred, and how many were given; from kept counts, one query."""
    query = (
        select(Day.agent_id, func.sum(Day.n4 + Day.n5), func.sum(Day.answers))
        .join(Survey, Survey.id == Day.survey_id)
        .where(Survey.kind == CSAT, Survey.anonymous.is_(False), Day.cut == BY_AGENT, Day.agent_id.in_(user_ids))
        .group_by(Day.agent_id)
    )
    if since is not None:
        query = query.where(Day.day >= since.astimezone(UTC).date())
    if choice != EVERY:
        query = query.where(Day.survey_id == (number_in(choice) or 0))
    return {
        agent: (100 * int(good) / int(answers) if answers else None, int(answers))
        for agent, good, answers in db.session.execute(query)
    }


def link(user_id: int, choice: str, days: int) -> str | None:
    """The answers that are counted, of a year at most; of all surveys together those of the first that asks."""
    today = now().date()
    first = today - timedelta(days=min(days or _MOST_DAYS, _MOST_DAYS))
    which = {} if choice == EVERY else {"survey": choice}
    return url_for("surveys.answers", agent=user_id, first=first.isoformat(), last=today.isoformat(), **which)
