"""What most tests begin with: an agent, a customer with a ticket, and a call that is promised."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpdesk_callbacks.booking import book
from helpdesk_callbacks.drafts import CallDraft
from helpdesk_callbacks.models import Call

from helpdesk.api import Ticket, User, db, drop_cached, now, transaction


@pytest.fixture
def tomorrow() -> datetime:
    """Noon of tomorrow, on the hour."""
    return (now() + timedelta(days=1)).astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)


@pytest.fixture
def agent(make_user: Any) -> User:
    return make_user("agent", name="Abe Agent")


@pytest.fixture
def anna(make_user: Any) -> User:
    return make_user(name="Anna Berg", email="anna@customer.example")


@pytest.fixture
def ticket(make_ticket: Any, anna: User) -> Ticket:
    return make_ticket("Where is my order?", requester=anna)


@pytest.fixture
def promise(ticket: Ticket, agent: User, tomorrow: datetime) -> Callable[..., Call]:
    """Book a call on the ticket, tomorrow at noon, by and for the agent unless something else is said."""

    def make(start: datetime | None = None, **wanted: Any) -> Call:
        values = {"phone": "+49 30 1234567", "agent_id": agent.id, **wanted}
        actor = values.pop("actor", agent)
        where = values.pop("ticket", ticket)
        return book(where, CallDraft(start or tomorrow, **values), actor)

    return make


@pytest.fixture
def insert(app: Any) -> Callable[..., int]:
    """Put a row into a table of the desk that has no verb for plugins; its number."""

    def add(table: str, **values: Any) -> int:
        with transaction():
            row = db.session.execute(db.metadata.tables[table].insert().values(**values))
            drop_cached()
        return int(row.inserted_primary_key[0])

    return add


@pytest.fixture
def open_hours(insert: Callable[..., int]) -> Callable[..., int]:
    """The usual hours of the desk: every day from nine to five, in UTC unless something else is said."""

    def make(**wanted: Any) -> int:
        week = {str(day): [["09:00", "17:00"]] for day in range(7)}
        usual = {"name": "Usual", "time_zone": "UTC", "week": week, "country": "", "subdivision": ""}
        return insert("business_hours", **{**usual, "is_default": True, "created_at": now(), **wanted})

    return make
