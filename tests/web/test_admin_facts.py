"""Facts that plugins have not taken in, and events, in the owner's rooms."""

import re
from typing import Any

import pytest

from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Event, HeldFact, PluginState
from helpdesk.core.transaction import transaction


@pytest.fixture
def shop(plug: Any) -> list[str]:
    """A plugin that fails as long as its list says why; the desk has met it already."""
    troubles = ["<b>the shop</b> is shut"]

    def ticket_opened(ticket: Any) -> None:
        if troubles:
            raise RuntimeError(troubles[-1])

    plug("orders", ticket_opened=ticket_opened, ticket_updated=lambda ticket: None)
    with transaction():
        db.session.merge(PluginState(name="orders", cursor=0))
    return troubles


@pytest.fixture
def fact(shop: list[str], make_ticket: Any, run_jobs: Any) -> HeldFact:
    """A fact on which the plugin has failed."""
    make_ticket()
    run_jobs()
    return db.session.scalars(db.select(HeldFact)).one()


@pytest.mark.db
def test_what_is_held_is_told_again(shop: list[str], as_admin: Any, fact: HeldFact, run_jobs: Any) -> None:
    number, page = fact.event_id, as_admin.get("/admin/facts").text
    assert "&lt;b&gt;the shop" in page and "<b>the shop" not in page and "Told again" in page
    assert f"#{fact.ticket_id}</a>" in page
    shop.clear()
    assert as_admin.post(f"/admin/facts/orders/{number}/replay").status_code == 303
    run_jobs()
    assert "All is taken in" in as_admin.get("/admin/facts").text
    assert as_admin.post(f"/admin/facts/orders/{number}/replay").status_code == 404


def test_one_is_discarded_after_a_yes(as_admin: Any, fact: HeldFact) -> None:
    number = fact.event_id
    question = as_admin.get(f"/admin/facts/orders/{number}/discard").text
    assert "Discard this fact?" in question and "ticket_opened" in question
    assert db.session.scalar(db.select(HeldFact.event_id)) == number, "it was only asked"
    as_admin.post(f"/admin/facts/orders/{number}/discard")
    assert db.session.scalar(db.select(HeldFact.event_id)) is None
    acts = db.select(AuditEntry.action).where(AuditEntry.actor_id == as_admin.user.id)
    assert list(db.session.scalars(acts)) == ["fact.discarded"]
    for path in (f"/admin/facts/orders/{number}/discard", "/admin/facts/x/99999999999999999999999/discard"):
        assert as_admin.get(path).status_code == as_admin.post(path).status_code == 404


@pytest.mark.db
def test_no_event_of_two_plugins_stands_on_two_pages(as_admin: Any, make_ticket: Any, count_queries: Any) -> None:
    with transaction():
        events = [Event(kind="probe.happened") for _number in range(60)]
        db.session.add_all(events)
        db.session.flush()
        for event in events:
            for plugin in ("a", "b", "c"):
                db.session.add(HeldFact(plugin=plugin, event_id=event.id, error=f"mark-{plugin}-{event.id}."))
    seen, path = [], "/admin/facts"
    while path:
        with count_queries() as statements:
            page = as_admin.get(path).text
        seen += re.findall(r"mark-[abc]-[0-9]+\.", page)
        older = re.search(r'href="(/admin/facts\?after=[0-9]+)"', page)
        path = older[1] if older else ""
        assert len(statements) <= 12 if len(seen) < 60 else len(statements) <= 8
    assert len(seen) == len(set(seen)) == 180
    assert "mark-b" in as_admin.get("/admin/facts?plugin=b").text
    assert "mark-a" not in as_admin.get("/admin/facts?plugin=b").text
    assert "This plugin has taken in all" in as_admin.get("/admin/facts?plugin=%00").text


@pytest.mark.db
def test_events_are_found_by_kind_and_ticket(as_admin: Any, make_ticket: Any) -> None:
    first, second = make_ticket("One"), make_ticket("Two")
    page = as_admin.get(f"/admin/events?ticket={first.id}&kind=ticket_opened").text.partition("<tbody>")[2]
    assert f"#{first.id}<" in page and f"#{second.id}<" not in page and "message_added" not in page
    for odd in ("ticket=x", "ticket=" + "9" * 40, "ticket=-1", "kind=<b>"):
        page = as_admin.get(f"/admin/events?{odd}").text
        assert "No event fits all of this." in page and "<b>" not in page, odd
    assert f"#{first.id}<" in as_admin.get(f"/admin/events?ticket=%23{first.id}").text


def test_events_of_hidden_tickets_are_not_listed(as_admin: Any, make_ticket: Any, plug: Any) -> None:
    hidden, shown = make_ticket("Hidden"), make_ticket("Shown")
    plug("fence", limit_tickets=lambda user: type(hidden).id != hidden.id)
    page = as_admin.get("/admin/events").text
    assert f"#{shown.id}<" in page and f"#{hidden.id}<" not in page
    assert "No event fits" in as_admin.get(f"/admin/events?ticket={hidden.id}").text
