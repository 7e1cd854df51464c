"""What surveys say to recommendations: who was dissatisfied lately is left alone, and how satisfied people were."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import func, select

from helpdesk.api import Ticket, User, db, hookimpl, now, settings
from helpdesk.api import gettext as _
from helpdesk_surveys.models import CES, CSAT, NPS, SCALES, Response, Survey
from helpdesk_surveys.settings import SurveySettings

# The highest score of a kind that counts as low: two of five, six of ten (a detractor), three of seven.
LOW = {CSAT: 2, NPS: 6, CES: 3}


@hookimpl(optionalhook=True)
def upsell_objections(ticket: Ticket, customer: User) -> Sequence[str]:
    """A low answer of the customer within the days that the settings name; anonymous answers are nobody's."""
    since = now() - timedelta(days=settings(SurveySettings).low_days)
    query = (
        select(Survey.kind, Response.score)
        .join(Survey, Survey.id == Response.survey_id)
        .where(Response.user_id == customer.id, Response.answered_at > since, Response.score.is_not(None))
    )
    low = any(score <= LOW[kind] for kind, score in db.session.execute(query) if kind in LOW)
    return [_("the customer was dissatisfied in a survey lately")] if low else []


@hookimpl(optionalhook=True)
def upsell_satisfaction(ticket_ids: Sequence[int]) -> Sequence[tuple[int, float]]:
    """The mean score of each ticket, as a share from the lowest to the highest of its scale."""
    query = (
        select(Response.ticket_id, Survey.kind, func.sum(Response.score), func.count())
        .join(Survey, Survey.id == Response.survey_id)
        .where(Response.ticket_id.in_(ticket_ids), Response.score.is_not(None), Survey.kind.in_(SCALES))
        .group_by(Response.ticket_id, Survey.kind)
    )
    shares: dict[int, list[tuple[float, int]]] = {}
    for ticket, kind, total, number in db.session.execute(query):
        low, high = SCALES[kind]
        shares.setdefault(ticket, []).append(((total - low * number) / (high - low), number))
    return [
        (ticket, sum(share for share, _number in found) / sum(number for _share, number in found))
        for ticket, found in shares.items()
    ]
