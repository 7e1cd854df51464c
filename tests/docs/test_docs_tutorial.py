"""The plugin of the tutorial does what the tutorial says."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from helpdesk.app import create_app
from helpdesk.core import accounts, schema, settings
from helpdesk.core.config import Config
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs import runner
from helpdesk.core.models import Ticket
from helpdesk.core.workflow import open_ticket
from helpdesk.plugins import manager

TUTORIAL = Path(__file__).parents[2] / "docs" / "plugins" / "tutorial.md"
FIRST, SECOND = re.findall(r"^```python\n(.*?)^```", TUTORIAL.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def desk(home: Path, plugin: str) -> Flask:
    """A desk whose home has the tutorial's file, migrated and with its job of facts caught up."""
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "hurry.py").write_text(plugin, "utf-8")
    return create_app(Config(home=home, testing=True))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"


def opened(subject: str) -> Ticket:
    requester = accounts.requester_for("rita@customer.example")
    ticket = open_ticket(TicketDraft(subject=subject, requester_id=requester.id, text="Please help"), None)
    runner.run_due()
    return db.session.get_one(Ticket, ticket.id, populate_existing=True)


def looks_hurried(ticket: Ticket) -> bool:
    return (ticket.priority, [tag.name for tag in ticket.tags]) == ("high", ["hurry"])


def notes(ticket: Ticket) -> list[str]:
    query = db.text("SELECT text FROM message WHERE ticket_id = :id AND visibility = 'internal'")
    return list(db.session.scalars(query, {"id": ticket.id}))


def test_the_first_file_marks_urgent_tickets(home: Path) -> None:
    app = desk(home, FIRST)
    with app.test_request_context():
        schema.upgrade()
        assert manager.current().plugins["hurry"].error == ""
        assert looks_hurried(opened("URGENT: my brake"))
        assert not looks_hurried(opened("A bell, please"))
        db.engine.dispose()


def test_the_second_file_listens_to_the_owner_and_writes_a_note(home: Path) -> None:
    app = desk(home, SECOND)
    with app.test_request_context():
        schema.upgrade()
        assert manager.current().plugins["hurry"].error == ""
        ticket = opened("Urgent: my brake")
        assert looks_hurried(ticket) and notes(ticket) == ["This customer is in a hurry."]
        group = settings.group("hurry")
        assert group is not None and str(group.title) == "Hurried tickets"
        settings.save(group.model, {"words": "at once,"}, None)
        assert looks_hurried(opened("Come at once"))
        calm = opened("Urgent: my brake")
        assert not looks_hurried(calm) and notes(calm) == []
        db.engine.dispose()
