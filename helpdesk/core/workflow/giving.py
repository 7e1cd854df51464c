"""Give out what came when nobody of its team could take it: all were away, or had as much as they take."""

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from helpdesk.core import routing
from helpdesk.core.extensions import db
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Event, Ticket
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.workflow.assigning import take
from helpdesk.core.workflow.locking import touch

JOB = "core.give_out"
# What says who has a ticket. The last of them tells whether its team wanted to give it out and could not.
_SAYING = ("ticket_opened", "ticket_moved", "ticket_assigned")
# So many tickets are given out in one transaction.
_BATCH = 50


def give_out_waiting(work: Work) -> dict[str, int]:
    """Give out, in the order in which they came, the tickets that wait for somebody of their team (a job in steps).

    Only of teams that do so by themselves, and while one of them has somebody who is there and has room. What a person
    has put back to nobody is left alone, and what rests is until it wakes. The number of queries grows with the
    teams, and with what is given out.
    """
    given, last = 0, 0
    while (teams := routing.teams_with_room()) and (numbers := _waiting_after(last, teams)):
        with work.step(done=given):
            given += _give_some(numbers)
        last = numbers[-1]
    return {"tickets": given}


def _waiting_after(last: int, teams: Collection[int]) -> list[int]:
    other = aliased(Event)
    newest = select(func.max(other.id)).where(other.ticket_id == Ticket.id, other.kind.in_(_SAYING))
    query = (
        select(Ticket.id)
        .join(Event, Event.id == newest.scalar_subquery())
        .where(
            Ticket.assignee_id.is_(None),
            Ticket.category.in_(UNSOLVED),
            Ticket.team_id.in_(teams),
            Ticket.snoozed_until.is_(None),
            Ticket.id > last,
            Event.data["unassigned"].as_string().is_not(None),
        )
        .order_by(Ticket.id)
        .limit(_BATCH)
    )
    return list(db.session.scalars(query))


def _give_some(numbers: Collection[int]) -> int:
    """Lock those that still wait, in the order of their numbers, and give them out together."""
    query = select(Ticket).where(
        Ticket.id.in_(numbers), Ticket.assignee_id.is_(None), Ticket.category.in_(UNSOLVED), Ticket.team_id.is_not(None)
    )
    query = query.order_by(Ticket.id).with_for_update(of=Ticket).execution_options(populate_existing=True)
    tickets = db.session.scalars(query).all()
    found = 0
    for ticket, given in zip(tickets, routing.give_out(tickets), strict=True):
        if given.agent is not None:
            touch(ticket)
            take(ticket, given)
            found += 1
    return found
