"""Plan to ask customers on a rhythm: each once in so many days."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import exists, func, insert, or_, select

from helpdesk.api import Ticket, User, Work, db, default_locale, now, settings, transaction
from helpdesk_surveys.links import new_key
from helpdesk_surveys.models import PLANNED, RHYTHM, SUPPRESSED, Invitation, Survey
from helpdesk_surveys.settings import SurveySettings

BATCH = 1_000


def plan(work: Work) -> None:
    """Plan an invitation for each customer whose turn it is, in each active survey on a rhythm (a job in steps).

    Killed or run twice at a time, it plans nobody twice: who has an invitation of the rhythm is left out.
    """
    made = 0
    for survey_id in surveys_on_rhythm():
        last = 0
        while found := turn(survey_id, last):
            with work.step(done=made):
                made += add(survey_id, found)
            last = found[-1]
    with work.last_step(result={"planned": made}):
        pass


def plan_now() -> int:
    """The same for the command line; how many were planned."""
    made = 0
    for survey_id in surveys_on_rhythm():
        last = 0
        while found := turn(survey_id, last):
            with transaction():
                made += add(survey_id, found)
            last = found[-1]
    return made


def surveys_on_rhythm() -> Sequence[int]:
    """The numbers of the active surveys that ask on a rhythm."""
    db.session.rollback()
    query = select(Survey.id).where(Survey.active, Survey.occasion == RHYTHM, Survey.version_id.is_not(None))
    return db.session.scalars(query.order_by(Survey.id)).all()


def turn(survey_id: int, last: int) -> Sequence[int]:
    """The next people with a higher number than ``last`` whose turn it is: customers who have a ticket."""
    db.session.rollback()
    survey = db.session.get(Survey, survey_id)
    if survey is None or not survey.active:
        return []
    has_ticket = exists().where(Ticket.requester_id == User.id)
    if survey.team_id is not None:
        has_ticket = exists().where(Ticket.requester_id == User.id, Ticket.team_id == survey.team_id)
    query = select(User.id).where(
        User.id > last, User.role == "requester", User.active, User.email.is_not(None), has_ticket, ~_asked(survey)
    )
    return db.session.scalars(query.order_by(User.id).limit(BATCH)).all()


def add(survey_id: int, people: Sequence[int]) -> int:
    """Plan them, due at once: sending spreads over the hours in which people may be written to. In the transaction.

    What is known of the last ticket of each (of the survey's team) says by which team, agent and channel the figures
    count them. Who was planned meanwhile by somebody else is left out.
    """
    survey = db.session.get(Survey, survey_id, with_for_update={"key_share": True}, populate_existing=True)
    if survey is None or not survey.active:
        return 0
    lasts = select(func.max(Ticket.id)).where(Ticket.requester_id.in_(people)).group_by(Ticket.requester_id)
    if survey.team_id is not None:
        lasts = lasts.where(Ticket.team_id == survey.team_id)
    tickets = {
        row.requester_id: row
        for row in db.session.execute(
            select(Ticket.requester_id, Ticket.assignee_id, Ticket.team_id, Ticket.channel, Ticket.locale).where(
                Ticket.id.in_(lasts)
            )
        )
    }
    locales = {
        number: code
        for number, code in db.session.execute(select(User.id, User.locale).where(User.id.in_(people), ~_asked(survey)))
    }
    usual, moment = default_locale(), now()
    rows: list[Mapping[str, Any]] = []
    for number in people:
        ticket = tickets.get(number)
        if ticket is None or number not in locales:
            continue
        rows.append(
            {
                "survey_id": survey_id,
                "user_id": number,
                "agent_id": ticket.assignee_id,
                "team_id": ticket.team_id,
                "channel": ticket.channel,
                "language": locales[number] or ticket.locale or usual,
                "tags": [],
                "source": RHYTHM,
                "state": PLANNED,
                "due_at": moment,
                "key": new_key(),
                "created_at": moment,
                "occurrence": 0,
            }
        )
    if rows:
        db.session.execute(insert(Invitation), rows)
    return len(rows)


def _asked(survey: Survey) -> Any:
    """That somebody has had their turn. Whose turn fell into the days of a cap does not wait for the next round."""
    since = now() - timedelta(days=survey.rhythm_days)
    again = now() - timedelta(days=settings(SurveySettings).cap_days)
    return exists().where(
        Invitation.survey_id == survey.id,
        Invitation.user_id == User.id,
        Invitation.created_at > since,
        or_(Invitation.state != SUPPRESSED, Invitation.created_at > again),
    )
