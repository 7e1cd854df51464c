"""Answers in the timeline that the plugin of customer records keeps of every contact."""

from typing import Any

from flask import url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import User, hookimpl
from helpdesk.api import gettext as _
from helpdesk_surveys.models import SCALES, Response
from helpdesk_surveys.scopes import scope_of

ANSWER = "surveys_answer"


@hookimpl(optionalhook=True)
def customers_timeline(page: Any) -> list[Any]:
    """What somebody answered, as far as the reader sees answers; anonymous ones are nobody's. One query."""
    people: Any = page.person_ids
    if page.organization_id is not None:
        people = select(User.id).where(User.organization_id == page.organization_id)
    query = select(Response).where(Response.user_id.in_(people))
    if (criterion := scope_of(page.viewer).criterion(Response)) is not None:
        query = query.where(criterion)
    query = query.options(joinedload(Response.survey), joinedload(Response.person))
    found = page.newest(ANSWER, query, Response.answered_at, Response.id)
    return [
        page.entry(ANSWER, one.id, one.answered_at, _title(one), text=one.comment, icon="star", ticket=one.ticket_id,
                   url=url_for("surveys.response", response_id=one.id),
                   by=one.person.display_name if one.person is not None else "")
        for one in found
    ]  # fmt: skip


def _title(response: Response) -> str:
    name = response.survey.name
    if response.score is None:
        return _("Answered: %(survey)s", survey=name)
    most = SCALES[response.survey.kind][1]
    return _("Answered: %(survey)s, %(score)s of %(most)s", survey=name, score=response.score, most=most)
