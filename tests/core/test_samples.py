"""Sample tickets are told through the verbs and happened in the past; nobody is ever written to."""

from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.core import samples
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import (
    Attachment,
    Delivery,
    Event,
    Follower,
    Job,
    Message,
    Organization,
    Tag,
    Ticket,
    User,
    View,
)
from helpdesk.core.permissions import find_ticket


def check_times() -> None:
    moment = now()
    for ticket in db.session.scalars(select(Ticket)):
        messages = db.session.scalars(select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)).all()
        events = db.session.scalars(select(Event).where(Event.ticket_id == ticket.id).order_by(Event.id)).all()
        times = [message.created_at for message in messages]
        assert times == sorted(times) and times[0] == ticket.created_at <= times[-1] == ticket.last_message_at
        assert [event.created_at for event in events] == sorted(event.created_at for event in events)
        assert events[-1].created_at == ticket.updated_at <= moment
        assert ticket.requester.created_at <= ticket.created_at
        assert {event.version for event in events} == set(range(1, ticket.version + 1))
        if ticket.solved_at is not None:
            assert ticket.created_at <= ticket.solved_at <= ticket.updated_at
        if ticket.first_response_at is not None:
            assert ticket.first_response_at in times


@pytest.mark.db
def test_a_few_tickets_for_a_new_desk(make_user: Any, run_jobs: Any, mailbox: Any) -> None:
    admin = make_user("admin")
    assert samples.load_few(admin) == 6
    tickets = db.session.scalars(select(Ticket)).all()
    assert len({ticket.locale for ticket in tickets}) == 4 and len({ticket.category for ticket in tickets}) >= 4
    assert all(find_ticket(admin, ticket.id) for ticket in tickets)
    check_times()
    run_jobs()
    assert mailbox.messages == []
    assert set(db.session.scalars(select(Delivery.state))) == {"sent"}
    assert not db.session.scalars(select(Job).where(Job.name == "core.deliver")).all()


def test_the_demo_shop(app: Any, run_jobs: Any, mailbox: Any) -> None:
    people = samples.load_demo()
    assert samples.has_demo() and {one.role for one in people} == {"admin", "supervisor", "agent"}
    count = db.session.scalar(select(func.count(Ticket.id)))
    assert count is not None and count >= 40
    check_times()
    for model, least in ((Attachment, 8), (Follower, 5), (View, 3), (Organization, 2), (Tag, 20)):
        found = db.session.scalar(select(func.count()).select_from(model))
        assert found is not None and found >= least, model
    notes = select(func.count(Message.id)).where(Message.visibility == "internal")
    assert (db.session.scalar(notes) or 0) >= 6
    assert samples.load_demo() == people and db.session.scalar(select(func.count(Ticket.id))) == count
    run_jobs()
    assert mailbox.messages == []
    for user in db.session.scalars(select(User)):
        assert user.email is not None and user.email.endswith(".invalid"), "nobody can ever be there"
