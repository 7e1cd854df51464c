"""What most tests begin with: a survey that is asked, an agent, a customer with a ticket."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_surveys import surveys
from helpdesk_surveys.models import Invitation, Survey

from helpdesk.api import Delivery, Ticket, User, assign, db, solve, transaction


@pytest.fixture
def agent(make_user: Any) -> User:
    return make_user("agent", name="Abe Agent")


@pytest.fixture
def boss(make_user: Any) -> User:
    return make_user("admin", name="Bea Boss")


@pytest.fixture
def anna(make_user: Any) -> User:
    return make_user(name="Anna Berg", email="anna@customer.example")


@pytest.fixture
def ticket(make_ticket: Any, anna: User, agent: User) -> Ticket:
    return make_ticket("Where is my order?", requester=anna, assignee=agent)


@pytest.fixture
def survey(app: Any) -> Callable[..., Survey]:
    """A survey that is switched on: CSAT after a solution at any hour, unless something else is said."""

    def make(texts: dict[str, Any] | None = None, on: bool = True, **values: Any) -> Survey:
        usual = {"name": "How was it?", "quiet_from": 0, "quiet_until": 0, "delay_hours": 2}
        made = surveys.save(None, {**usual, **values}, None)
        if texts is not None:
            surveys.save_texts(made, texts, None)
        surveys.publish_version(made, None)
        return surveys.switch(made, on, None)

    return make


@pytest.fixture
def solved(ticket: Ticket, agent: User, run_jobs: Any, travel: Any) -> Callable[..., Invitation]:
    """Solve a ticket, let the delay pass, and have it asked about; the invitation of the only survey."""

    def make(which: Ticket | None = None, hours: int = 3) -> Invitation:
        one = which or ticket
        if one.assignee_id is None:
            assign(one, agent, None)
        solve(one, agent)
        run_jobs()
        travel(hours=hours)
        run_jobs()
        return newest()

    return make


def newest() -> Invitation:
    """The newest invitation."""
    db.session.expire_all()
    found = db.session.scalar(db.select(Invitation).order_by(Invitation.id.desc()).limit(1))
    assert found is not None
    return found


@pytest.fixture
def ask_now(run_jobs: Any) -> Callable[[Invitation], None]:
    """Let the moment of an invitation come."""

    def make(invitation: Invitation) -> None:
        with transaction():
            invitation.due_at = invitation.created_at - timedelta(seconds=1)
        run_jobs()

    return make


@pytest.fixture
def mails(app: Any) -> Callable[[], list[dict[str, Any]]]:
    """What was mailed that nobody asked for, in order."""

    def read() -> list[dict[str, Any]]:
        rows = db.session.scalars(db.select(Delivery).where(Delivery.kind == "care").order_by(Delivery.id))
        return [row.data for row in rows]

    return read
