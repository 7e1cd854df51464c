"""Tickets that rest: they leave the lists, and come back by time, by an answer, by hand."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk import api
from helpdesk.core import lateness, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs.runner import run_due
from helpdesk.core.models import Event, Promise, Ticket
from helpdesk.core.transaction import transaction

HOUR = timedelta(hours=1)


def awake() -> list[int]:
    return list(db.session.scalars(select(Ticket.id).where(lateness.snoozed_criterion(False)).order_by(Ticket.id)))


def reasons(ticket: Ticket) -> list[str]:
    events = db.session.scalars(select(Event).where(Event.ticket_id == ticket.id, Event.kind == "ticket_woke"))
    return [event.data["reason"] for event in events]


@pytest.mark.db
def test_a_ticket_rests_and_comes_back_marked_by_time_by_an_answer_and_by_hand(
    make_user: Any, make_ticket: Any, travel: Any
) -> None:
    agent, one, two, three = make_user("agent"), make_ticket(), make_ticket(), make_ticket()
    begin = now()
    for ticket in (one, two, three):
        workflow.snooze(ticket, begin + 2 * HOUR, agent)
        workflow.snooze(ticket, begin + 2 * HOUR, agent)
    assert awake() == [] and one.version == 2 and lateness.marks_of(one).snoozed
    # A word among colleagues wakes nobody.
    workflow.note(two, MessageDraft("She is in Spain."), make_user("agent"))
    assert awake() == []
    workflow.reply(two, MessageDraft("I am back."), two.requester)
    workflow.wake(three, agent)
    assert awake() == [two.id, three.id]
    assert (lateness.marks_of(two).back, lateness.marks_of(three).back) == (True, False)

    travel(begin + 2 * HOUR)
    # Its time is over, whether a worker has seen it or not.
    assert awake() == [one.id, two.id, three.id] and lateness.marks_of(one).back
    run_due()
    run_due()
    db.session.expire_all()
    assert (reasons(one), reasons(two), reasons(three)) == (["time"], ["answer"], ["hand"])
    assert one.snoozed_until is None and lateness.marks_of(one).back
    workflow.reply(one, MessageDraft("Hello again."), agent)
    workflow.wake(two, agent)
    assert not lateness.marks_of(one).back and not lateness.marks_of(two).back and reasons(two) == ["answer"]


def test_what_cannot_rest_and_what_ends_a_rest(make_user: Any, make_ticket: Any, travel: Any) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    with pytest.raises(workflow.Invalid):
        workflow.snooze(ticket, now() - HOUR, agent)
    workflow.snooze(ticket, now() + HOUR, agent)
    workflow.solve(ticket, agent)
    assert (ticket.snoozed_until, ticket.alarm_at) == (None, None)
    with pytest.raises(workflow.Invalid):
        workflow.snooze(ticket, now() + HOUR, agent)
    travel(now() + 2 * HOUR)
    run_due()
    assert reasons(ticket) == []


def test_plugins_have_the_same_verbs(make_user: Any, make_ticket: Any) -> None:
    agent, ticket, moment = make_user("agent"), make_ticket(), now() + 2 * HOUR
    api.set_due(ticket, moment, agent)
    api.promise_answer(ticket, moment, None)
    api.snooze(ticket, moment, agent)
    assert ticket.due_at == ticket.promised_at == ticket.snoozed_until == moment
    api.withdraw_promise(ticket, agent)
    api.wake(ticket, agent)
    assert (ticket.promised_at, ticket.snoozed_until) == (None, None)


def test_a_reply_with_a_promise_and_a_rest_is_one_act(make_user: Any, make_ticket: Any, travel: Any) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    begin = now()
    together = {
        "promise_at": (begin + 5 * HOUR).isoformat(),
        "promise_words": "the price",
        "snooze_until": (begin + 3 * HOUR).isoformat(),
    }
    with transaction():
        workflow.reply(ticket, MessageDraft("By this evening."), agent)
        workflow.after_reply(ticket, together, agent)
    promise = db.session.scalars(select(Promise)).one()
    assert (promise.outcome, promise.words) == (None, "the price")
    assert (ticket.promised_at, ticket.snoozed_until) == (begin + 5 * HOUR, begin + 3 * HOUR)
    assert ticket.alarm_at == begin + HOUR
    # It lay for long before it was sent: nothing is written, so that its writer can choose anew.
    travel(begin + 4 * HOUR)
    version = ticket.version
    with pytest.raises(workflow.Invalid), transaction():
        workflow.reply(ticket, MessageDraft("Later."), agent)
        workflow.after_reply(ticket, {"snooze_until": together["snooze_until"]}, agent)
    db.session.expire_all()
    assert ticket.version == version
