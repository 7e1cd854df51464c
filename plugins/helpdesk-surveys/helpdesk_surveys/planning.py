"""Plan to ask: when a ticket was solved."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from helpdesk.api import Ticket, db, default_locale, hookimpl, now
from helpdesk_surveys.excluding import of_person, tags_of, write_down
from helpdesk_surveys.links import new_key
from helpdesk_surveys.models import PLANNED, SOLVED, Invitation, Survey

_DONE = ("solved", "closed")


@hookimpl
def ticket_status_changed(ticket: Ticket, event: Any) -> None:
    """A ticket that was solved is asked about after the delay of each survey that wants it."""
    data = event.data
    if data.get("to_category") in _DONE and data.get("from_category") not in _DONE and ticket.merged_into_id is None:
        plan_for(ticket)


def plan_for(ticket: Ticket) -> list[Invitation]:
    """Plan an invitation of each active survey that asks after a solution. Inside the transaction.

    Solved again before it was sent, the one that waits is put off; whether the person may be asked is looked at when
    it is sent. Staff are never asked, which is logged at once.
    """
    query = select(Survey).where(Survey.active, Survey.occasion == SOLVED).order_by(Survey.id)
    made = []
    for survey in db.session.scalars(query).all():
        if survey.team_id is not None and survey.team_id != ticket.team_id:
            continue
        if of_person(ticket.requester) == "staff":
            write_down(survey, ticket.requester_id, ticket.id, "staff")
            continue
        made.append(_plan(survey, ticket))
    return made


def draft(survey: Survey, ticket: Ticket, source: str) -> Invitation:
    """An invitation about a ticket as it is now, not added yet."""
    return Invitation(
        survey_id=survey.id,
        user_id=ticket.requester_id,
        ticket_id=ticket.id,
        agent_id=ticket.assignee_id,
        team_id=ticket.team_id,
        channel=ticket.channel,
        language=ticket.requester.locale or ticket.locale or default_locale(),
        tags=sorted(tags_of(ticket)),
        source=source,
        key=new_key(),
        occurrence=occurrences(survey, ticket),
    )


def occurrences(survey: Survey, ticket: Ticket) -> int:
    """How often the survey has asked about the ticket, or plans to."""
    query = select(func.max(Invitation.occurrence)).where(
        Invitation.survey_id == survey.id, Invitation.ticket_id == ticket.id
    )
    highest = db.session.scalar(query)
    return 0 if highest is None else highest + 1


def _plan(survey: Survey, ticket: Ticket) -> Invitation:
    due = now() + timedelta(hours=survey.delay_hours)
    waits = db.session.scalar(
        select(Invitation).where(
            Invitation.survey_id == survey.id, Invitation.ticket_id == ticket.id, Invitation.state == PLANNED
        )
    )
    if waits is not None:
        waits.due_at = due
        waits.agent_id, waits.team_id, waits.tags = ticket.assignee_id, ticket.team_id, sorted(tags_of(ticket))
        return waits
    invitation = draft(survey, ticket, SOLVED)
    invitation.due_at = due
    db.session.add(invitation)
    db.session.flush()
    return invitation
