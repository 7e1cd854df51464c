"""A plugin that was written against the first release, and that nobody has touched since, works in today's desk."""

import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import inspect, select

from helpdesk.core import plugin_states, schema
from helpdesk.core.channels import intake
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Message, Ticket
from helpdesk.core.workflow import Refused, assign, move, note, reply, set_tags, solve
from helpdesk.plugins import hookspecs, manager

FOLDER = Path(__file__).with_name("first_release")


@pytest.fixture(scope="module")
def parcels() -> Iterator[ModuleType]:
    """The package, imported once: SQLAlchemy knows its table for as long as Python runs."""
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("helpdesk_parcels")
    sys.path.remove(str(FOLDER))
    # The table belongs to these tests' plugin: no other test's metadata shall know it.
    db.metadata.remove(db.metadata.tables["parcels_parcel"])


@pytest.fixture
def desk_plugins(parcels: ModuleType) -> dict[str, Any]:
    return {"parcels": parcels}


@pytest.fixture
def service(parcels: ModuleType) -> Any:
    found = importlib.import_module("helpdesk_parcels.service")
    found.heard.clear()
    return found


def test_it_uses_all_that_the_first_release_asked_of_plugins(app: Any, parcels: ModuleType) -> None:
    plugin = manager.current().plugins["parcels"]
    assert plugin.loaded, plugin.error
    assert plugin.notes == [], "nothing that it uses is on its way out"
    used = {hook for hook in hookspecs.KINDS if hasattr(getattr(parcels, hook, None), "helpdesk_impl")}
    assert len(used) == 25


@pytest.mark.db
def test_its_table_comes_and_goes(app: Any) -> None:
    assert "parcels_parcel" in inspect(db.engine).get_table_names()
    schema.downgrade("base", "parcels")
    assert "parcels_parcel" not in inspect(db.engine).get_table_names()
    assert [revision.owner for revision in schema.upgrade("parcels")] == ["parcels"]


@pytest.mark.db
def test_it_works_on_tickets(
    app: Any, service: Any, make_ticket: Any, make_user: Any, make_team: Any, run_jobs: Any
) -> None:
    jonas = make_user("agent", name="Jonas")
    team = make_team("Parcels", members=[jonas])
    ticket = make_ticket("Where is P1234")
    # before, answers
    assert [tag.name for tag in ticket.tags] == ["parcel"] and ticket.team == team and ticket.assignee == jonas
    # facts, its job, its table
    run_jobs()
    run_jobs()
    assert [parcel.number for parcel in service.parcels_of(db.session.get_one(Ticket, ticket.id))] == ["P1234"]
    texts = db.session.scalars(select(Message.text).where(Message.ticket_id == ticket.id)).all()
    assert "Parcel P1234 is on its way." in texts
    assign(ticket, make_user("agent"), None)
    move(ticket, make_team("Other"), None)
    note(ticket, MessageDraft(text="It is lost."), None)
    run_jobs()
    heard = {kind for kind, _data in service.heard}
    assert heard >= {"moved", "event"}
    assert db.session.scalar(select(Event).where(Event.kind == "parcels.assigned")) is not None
    # refusals
    assert "lost" in [tag.name for tag in db.session.get_one(Ticket, ticket.id).tags]
    with pytest.raises(Refused, match="Find the parcel first"):
        solve(ticket, None)
    with pytest.raises(Refused, match="asked not to"):
        reply(ticket, MessageDraft(text="do not send this"), None)
    set_tags(ticket, [], None)
    solve(ticket, None)
    run_jobs()
    assert ("status", "solved") in service.heard and ("updated", "tags") in service.heard


def test_its_channel_takes_in_and_sends_out(app: Any, parcels: Any, make_user: Any, run_jobs: Any) -> None:
    def item(**values: str) -> bytes:
        return json.dumps({"from": "ada@customer.example", "text": "P7777 has not come", **values}).encode()

    first = intake.receive("parcels", item(subject="P7777"), "1")
    assert first.outcome == "ticket", first
    ticket = db.session.get_one(Ticket, first.ticket_id)
    run_jobs()
    # find_ticket joins the second to it.
    second = intake.receive("parcels", item(subject="Again P7777", text="Still waiting"), "2")
    assert (second.outcome, second.ticket_id) == ("message", ticket.id)
    blocked = intake.receive("parcels", item(**{"from": "x@blocked.example"}), "3")
    assert blocked.outcome == "ignored" and "carrier is blocked" in blocked.reason
    reply(ticket, MessageDraft(text="It comes tomorrow."), make_user("admin"))
    run_jobs()
    (outgoing,) = [one for one in parcels.channel.sent if "comes tomorrow" in one.text]
    assert outgoing.text.endswith("Sent by parcel")


def test_its_pages_panels_words_and_commands(
    app: Any, service: Any, as_agent: Any, as_requester: Any, make_ticket: Any, run_jobs: Any, home: Path
) -> None:
    ticket = make_ticket("Where is P1234")
    make_ticket("secret parcel")
    run_jobs()
    page = as_agent.get("/desk/views/all").data.decode()
    assert "/p/parcels/" in page and "Where is P1234" in page and "secret parcel" not in page
    side = as_agent.get(f"/desk/tickets/{ticket.id}/side").data.decode()
    assert f"Parcel P1234, #{ticket.number}" in side
    assert as_agent.get("/p/parcels/").data == b"Parcels: 1 ticket Open"
    assert as_requester.get("/p/parcels/").status_code == 403
    made = as_agent.post("/p/parcels/new", data={"email": "eve@customer.example", "subject": "P5555", "text": "Where?"})
    assert made.status_code == 302, made.data
    opened = db.session.scalar(select(Ticket).where(Ticket.subject == "P5555!"))
    assert opened is not None and opened.priority == "urgent"
    assert as_agent.get(f"/p/parcels/{opened.number}").status_code == 200
    # Off, its pages are gone and its data stays.
    plugin_states.switch("parcels", False, None)
    assert as_agent.get("/p/parcels/").status_code == 404
    assert service.parcels_of(ticket)


def test_its_settings_have_a_form(app: Any, as_admin: Any) -> None:
    page = as_admin.get("/admin/settings/parcels").data.decode()
    assert "Greeting" in page and "Below each answer." in page
