"""Promised answers: kept, broken, answered late, replaced, withdrawn."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import lateness, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs.runner import run_due
from helpdesk.core.models import Event, Promise, Ticket

HOUR = timedelta(hours=1)


def outcomes() -> list[str | None]:
    return list(db.session.scalars(select(Promise.outcome).order_by(Promise.id)))


def kinds(ticket: Ticket) -> list[str]:
    query = select(Event.kind).where(Event.ticket_id == ticket.id, Event.kind.like("promise%")).order_by(Event.id)
    return list(db.session.scalars(query))


@pytest.mark.db
def test_a_public_reply_keeps_a_promise_and_nothing_else_does(make_user: Any, make_ticket: Any, travel: Any) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    begin = now()
    workflow.reply(ticket, MessageDraft("We will answer by tomorrow."), agent)
    workflow.promise_answer(ticket, begin + 24 * HOUR, agent, "the price")
    assert ticket.promised_at == begin + 24 * HOUR and lateness.marks_of(ticket).promised
    workflow.note(ticket, MessageDraft("I ask the workshop."), agent)
    workflow.reply(ticket, MessageDraft("And?"), ticket.requester)
    assert outcomes() == [None]
    travel(begin + 20 * HOUR)
    run_due()
    workflow.reply(ticket, MessageDraft("It costs 20."), make_user("agent"))
    assert outcomes() == ["kept"] and (ticket.promised_at, ticket.alarm_at) == (None, None)
    travel(begin + 30 * HOUR)
    run_due()
    assert kinds(ticket) == ["promise_made", "promise_due_soon", "promise_settled"]


@pytest.mark.db
def test_a_promise_breaks_when_its_moment_passes_and_may_be_answered_late(
    make_user: Any, make_ticket: Any, travel: Any
) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    begin = now()
    promise = workflow.promise_answer(ticket, begin + HOUR, agent)
    travel(begin + 2 * HOUR)
    run_due()
    run_due()
    db.session.expire_all()
    assert (promise.outcome, promise.settled_at, promise.owner_id) == ("broken", None, agent.id)
    assert lateness.marks_of(ticket).broken
    found = db.session.scalars(select(Ticket.id).where(lateness.late_criterion("broken"))).all()
    assert list(found) == [ticket.id]
    # A new one does not make the old one good.
    workflow.promise_answer(ticket, begin + 5 * HOUR, agent)
    workflow.reply(ticket, MessageDraft("Here it is."), agent)
    assert outcomes() == ["broken", "kept"]
    assert promise.settled_at is not None and ticket.promised_at is None
    assert kinds(ticket) == ["promise_made", "promise_broken", "promise_made", "promise_settled", "promise_settled"]


def test_another_promise_takes_the_place_of_one_and_it_can_be_taken_back(make_user: Any, make_ticket: Any) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    moment = now() + HOUR
    first = workflow.promise_answer(ticket, moment, agent)
    assert workflow.promise_answer(ticket, moment, agent).id == first.id
    workflow.promise_answer(ticket, moment + HOUR, agent)
    assert outcomes() == ["withdrawn", None] and ticket.promised_at == moment + HOUR
    with pytest.raises(workflow.Stale):
        workflow.promise_answer(ticket, moment + 2 * HOUR, make_user("agent"), "", 1)
    workflow.withdraw_promise(ticket, agent)
    workflow.withdraw_promise(ticket, agent)
    assert outcomes() == ["withdrawn", "withdrawn"] and ticket.promised_at is None
    assert kinds(ticket) == ["promise_made", "promise_made", "promise_withdrawn"]
    with pytest.raises(workflow.Invalid):
        workflow.promise_answer(ticket, now() - HOUR, agent)


def test_solving_ends_a_promise_as_kept_but_not_when_the_customer_solves(make_user: Any, make_ticket: Any) -> None:
    agent = make_user("agent")
    ours, theirs = make_ticket(), make_ticket()
    for ticket in (ours, theirs):
        workflow.promise_answer(ticket, now() + HOUR, agent)
    workflow.solve(ours, agent)
    workflow.solve(theirs, theirs.requester)
    assert outcomes() == ["kept", "withdrawn"] and (ours.promised_at, theirs.promised_at) == (None, None)
    with pytest.raises(workflow.Invalid):
        workflow.promise_answer(ours, now() + HOUR, agent)
