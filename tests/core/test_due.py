"""Due dates: what is refused, when it is told, and that it is told once."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import lateness, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs.runner import run_due
from helpdesk.core.models import Event, Ticket
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import alarms

HOUR = timedelta(hours=1)
TOLD = ("ticket_due_soon", "ticket_overdue", "promise_due_soon", "promise_broken", "ticket_woke")


def told(ticket: Ticket) -> list[str]:
    query = select(Event.kind).where(Event.ticket_id == ticket.id, Event.kind.in_(TOLD)).order_by(Event.id)
    return list(db.session.scalars(query))


def late(*kinds: str) -> list[list[int]]:
    return [
        list(db.session.scalars(select(Ticket.id).where(lateness.late_criterion(kind)).order_by(Ticket.id)))
        for kind in kinds
    ]


@pytest.mark.db
def test_a_due_date_is_told_when_it_is_near_and_when_it_has_passed(
    make_user: Any, make_ticket: Any, travel: Any
) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    begin = now()
    workflow.set_due(ticket, begin + 10 * HOUR, agent)
    assert ticket.alarm_at == begin + 6 * HOUR
    run_due()
    assert told(ticket) == [] and late("overdue", "due_soon") == [[], []]

    travel(begin + 6 * HOUR)
    run_due()
    run_due()
    db.session.expire_all()
    assert told(ticket) == ["ticket_due_soon"] and ticket.alarm_at == begin + 10 * HOUR
    assert late("overdue", "due_soon") == [[], [ticket.id]] and lateness.marks_of(ticket).due_soon

    travel(begin + 10 * HOUR)
    run_due()
    run_due()
    db.session.expire_all()
    assert told(ticket) == ["ticket_due_soon", "ticket_overdue"] and ticket.alarm_at is None
    assert late("overdue", "due_soon") == [[ticket.id], []] and lateness.marks_of(ticket).overdue

    workflow.solve(ticket, agent)
    assert late("overdue") == [[]] and not lateness.marks_of(ticket).overdue
    workflow.reopen(ticket, agent)
    run_due()
    assert told(ticket) == ["ticket_due_soon", "ticket_overdue"] and late("overdue") == [[ticket.id]]


def test_a_desk_that_was_off_tells_the_weightier_of_two_and_keeps_what_a_change_meets(
    make_user: Any, make_ticket: Any, travel: Any
) -> None:
    agent, one, other = make_user("agent"), make_ticket(), make_ticket()
    begin = now()
    workflow.set_due(one, begin + 10 * HOUR, agent)
    workflow.set_due(other, begin + 10 * HOUR, agent)
    travel(begin + 24 * HOUR)
    # Before a worker has come back, somebody promises an answer: the due date has passed all the same.
    workflow.promise_answer(other, begin + 72 * HOUR, agent)
    run_due()
    assert told(one) == ["ticket_overdue"] and told(other) == ["ticket_overdue"]
    db.session.expire_all()
    assert other.alarm_at == begin + 68 * HOUR and one.alarm_at is None


def test_moments_that_cannot_be_and_people_who_may_not(make_user: Any, make_ticket: Any) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    for moment in (now() - HOUR, now() + timedelta(days=4000)):
        with pytest.raises(workflow.Invalid) as problem:
            workflow.set_due(ticket, moment, agent)
        assert problem.value.field == "due" and ticket.due_at is None and ticket.version == 1
    with pytest.raises(NotAllowed):
        workflow.set_due(ticket, now() + HOUR, ticket.requester)
    moment, seen = now() + HOUR, ticket.version
    workflow.set_due(ticket, moment, agent)
    workflow.set_due(ticket, moment, agent)
    assert ticket.version == 2
    with pytest.raises(workflow.Stale):
        workflow.set_due(ticket, None, make_user("agent"), seen)
    workflow.set_due(ticket, None, agent)
    assert (ticket.due_at, ticket.alarm_at) == (None, None)
    workflow.close(ticket, agent)
    with pytest.raises(workflow.Invalid):
        workflow.set_due(ticket, now() + HOUR, agent)


@pytest.mark.db
def test_a_worker_that_dies_in_the_middle_has_told_nothing_and_two_tell_it_once(
    make_user: Any, make_ticket: Any, travel: Any, monkeypatch: pytest.MonkeyPatch, at_once: Any
) -> None:
    agent, tickets = make_user("agent"), [make_ticket() for _number in range(3)]
    begin = now()
    for ticket in tickets:
        workflow.set_due(ticket, begin + 2 * HOUR, agent)
    ids = [ticket.id for ticket in tickets]
    travel(begin + 3 * HOUR)
    with monkeypatch.context() as patched:
        whole = alarms._ring

        def dies(ticket: Ticket, at: Any) -> None:
            whole(ticket, at)
            if ticket.id == ids[1]:
                raise SystemExit

        patched.setattr(alarms, "_ring", dies)
        with pytest.raises(SystemExit), transaction():
            alarms._ring_some(ids)
    db.session.expire_all()
    assert [told(ticket) for ticket in tickets] == [[], [], []]

    def ring(_number: int) -> int:
        with transaction():
            return alarms._ring_some(ids)

    assert sum(at_once(4, ring)) == 3
    run_due()
    db.session.expire_all()
    assert [told(ticket) for ticket in tickets] == [["ticket_overdue"]] * 3


def test_waiting_times_are_measured_once_and_a_solution_that_was_none_is_counted(
    make_user: Any, make_ticket: Any, travel: Any
) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    begin = ticket.created_at
    travel(begin + timedelta(minutes=30))
    workflow.note(ticket, MessageDraft("Hm."), agent)
    assert ticket.response_minutes is None
    workflow.reply(ticket, MessageDraft("Bring it."), agent)
    travel(begin + timedelta(minutes=90))
    workflow.reply(ticket, MessageDraft("Done.", status="solved"), agent)
    assert (ticket.response_minutes, ticket.solve_minutes, ticket.reopened) == (30, 90, 0)
    workflow.reply(ticket, MessageDraft("No, it squeaks."), ticket.requester)
    assert (ticket.solve_minutes, ticket.reopened) == (None, 1)
    travel(begin + timedelta(minutes=100))
    workflow.solve(ticket, agent)
    workflow.close(ticket, agent)
    assert (ticket.response_minutes, ticket.solve_minutes, ticket.reopened) == (30, 100, 1)
    # What the desk begins itself is no answer to anybody.
    ours = make_ticket(author_id=agent.id)
    assert ours.response_minutes is None
