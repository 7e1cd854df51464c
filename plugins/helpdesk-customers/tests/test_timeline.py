"""The timeline: every contact once, in order, page by page, and nothing that the reader may not see."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from helpdesk_customers import consents, timeline
from helpdesk_customers.models import Order, Ownership
from helpdesk_customers.timeline import Entry
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.api import Message, MessageDraft, Organization, User, assign, db, note, now, reply, transaction


def _every(subject: Any, viewer: User, limit: int = 3, **how: Any) -> list[Entry]:
    found: list[Entry] = []
    cursor = ""
    while True:
        page = timeline.page(subject, viewer, cursor, limit, **how)
        assert len(page.entries) <= limit
        found += page.entries
        if not page.next_cursor:
            return found
        cursor = page.next_cursor


@pytest.fixture
def contacts(anna: User, agent: User, make_ticket: Any, order: Any) -> Any:
    ticket = make_ticket("Where is it?", requester=anna, assignee=agent)
    reply(ticket, MessageDraft(text="On its way."), agent)
    note(ticket, MessageDraft(text="She sounded cross."), agent)
    call = note(ticket, MessageDraft(text="We spoke."), agent)
    with transaction():
        db.session.get_one(Message, call.id).call_seconds = 130
    consents.note_consent(anna, "offers", True, agent, way="phone", words="Yes, please.")
    order(anna, {"bell": 1250}, number="77", placed_at=now() + timedelta(seconds=1))
    return ticket


def test_every_contact_stands_in_it_once(contacts: Any, anna: User, agent: User, firm: Organization) -> None:
    found = _every(anna, agent)
    assert [entry.kind for entry in found] == ["order", "consent", "call", "message", "ticket"]
    assert [entry.title for entry in found] == [
        "Order 77: €12.50", "Agreed to: Offers", "Call of 2 minutes", "We answered: Where is it?", "Where is it?",
    ]  # fmt: skip
    assert all("cross" not in entry.text for entry in found), "a note is no contact"
    assert {entry.ticket for entry in found} == {None, contacts.id}
    assert [entry.kind for entry in _every(anna, agent, kinds=["order", "ticket"])] == ["order", "ticket"]
    # The organization has its people's tickets and orders; what they agreed to is theirs alone.
    assert [entry.kind for entry in _every(firm, agent)] == ["order", "call", "message", "ticket"]


def test_tickets_of_private_teams_are_not_shown(
    contacts: Any, anna: User, make_user: Any, make_team: Any, agent: User
) -> None:
    team = make_team("Board", private=True)
    with transaction():
        contacts.team_id, contacts.assignee_id = team.id, None
    assert [entry.kind for entry in _every(anna, make_user("agent"))] == ["order", "consent"]
    assign(contacts, agent, None)
    assert len(_every(anna, agent)) == 5


def test_other_plugins_put_in_their_own(contacts: Any, anna: User, agent: User, plug: Any, app: Flask) -> None:
    moment = now() + timedelta(days=1)

    def customers_timeline(page: Any) -> list[Any]:
        assert page.person_ids == (anna.id,) and page.organization_id is None and page.viewer == agent
        rows = page.newest("orders_parcel", db.select(Order), Order.placed_at, Order.id)
        said = [page.entry("orders_parcel", row.id, moment, "A parcel", url="/x") for row in rows]
        return [*said, "rubbish", page.entry("order", 1, moment, "Not its own")]

    plug("orders", customers_timeline=customers_timeline)
    found = _every(anna, agent)
    assert [entry.kind for entry in found][0] == "orders_parcel" and len(found) == 6
    assert [entry.title for entry in _every(anna, agent, kinds=["other"])] == ["A parcel"]


def test_a_plugin_that_fails_takes_nothing_away(contacts: Any, anna: User, agent: User, plug: Any) -> None:
    def customers_timeline(page: Any) -> list[Any]:
        raise ValueError("broken")

    plug("orders", customers_timeline=customers_timeline)
    assert len(_every(anna, agent)) == 5


@pytest.mark.parametrize("cursor", ["", "x", "1-order", "9" * 17 + "-order-1", "1-ORDER-1", "--5-order-1", "٣-order-1"])
def test_a_cursor_that_is_none_begins_at_the_start(contacts: Any, anna: User, agent: User, cursor: str) -> None:
    assert timeline.page(anna, agent, cursor).entries[0].kind == "order"


def test_a_page_costs_the_same_however_long_the_line_is(
    contacts: Any, anna: User, agent: User, order: Any, count_queries: Any, make_ticket: Any
) -> None:
    counts = []
    for _turn in range(2):
        with count_queries() as statements:
            timeline.page(anna, agent, "", 5)
        counts.append(len(statements))
        for place in range(12):
            order(anna, {"bell": place + 1})
            make_ticket(f"Again {place}", requester=anna)
    assert counts[0] == counts[1] <= 10, counts


_MOMENTS = st.lists(st.tuples(st.sampled_from(["order", "own", "b", "z"]), st.integers(0, 3)), max_size=14)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(events=_MOMENTS, limit=st.integers(1, 5))
def test_pages_together_are_the_whole_line(
    events: list[Any], limit: int, make_user: Any, agent: User, plug: Callable[..., Any], sources: set[str]
) -> None:
    """Many at the same moment, of several sources: each stands on one page, in one order."""
    person = make_user()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    with transaction():
        for place, (kind, second) in enumerate(events):
            at = begin + timedelta(seconds=second)
            if kind == "order":
                db.session.add(Order(source=f"p{person.id}", number=str(place), currency="EUR", user_id=person.id,
                                     placed_at=at))  # fmt: skip
            else:
                db.session.add(Ownership(user_id=person.id, sku=f"{kind}{place}", created_at=at))
    found = _every(person, agent, limit)
    assert len(found) == len(events) == len({(entry.kind, entry.id) for entry in found})
    assert [entry.order for entry in found] == sorted((entry.order for entry in found), reverse=True)


@pytest.fixture
def sources(plug: Any) -> set[str]:
    """A plugin that tells of products, by the letter they begin with, under three kinds."""
    kinds = {"own": "orders_own", "b": "before_all", "z": "z_last"}

    def customers_timeline(page: Any) -> list[Any]:
        found = []
        for letter, kind in kinds.items():
            query = db.select(Ownership).where(Ownership.user_id.in_(page.person_ids), Ownership.sku.startswith(letter))
            for row in page.newest(kind, query, Ownership.created_at, Ownership.id):
                found.append(page.entry(kind, row.id, row.created_at, row.sku))
        return found

    plug("orders", customers_timeline=customers_timeline)
    return set(kinds.values())
