"""`helpdesk search` tells how far the index is and makes it anew; the doctor says when something is missing in it."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import delete

from helpdesk.core import search
from helpdesk.core.extensions import db
from helpdesk.core.models import SearchTicket, User
from helpdesk.core.permissions import visible_tickets
from helpdesk.core.transaction import transaction
from tests.cli.conftest import Said


@pytest.fixture
def _its_database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands look at the database of the test."""
    monkeypatch.setenv("HELPDESK_DATABASE_URL", database_url)


@pytest.mark.usefixtures("_its_database")
def test_status_rebuild_and_the_doctor(helpdesk: Callable[..., Said], app: Flask, make_ticket, make_user) -> None:
    agent = make_user("agent", email="agent@desk.example")
    ticket = make_ticket("Pump", text="a quixotic pump")

    def line() -> dict[str, str]:
        return next(one for one in helpdesk("doctor", "--json").json if one["check"] == "search")

    def find(text: str) -> list[int]:
        criterion = search.ticket_ids_criterion(text, db.session.get_one(User, agent.id))
        found = [one.id for one in db.session.scalars(visible_tickets(agent).where(criterion))]
        db.session.rollback()
        return found

    waiting = helpdesk("search", "status", "--json").json[0]
    assert waiting["waiting"] > 0 and waiting["problems"] == [] and "wait to be read" in line()["found"]
    assert helpdesk("job", "run-due").status == 0
    assert helpdesk("search", "status").out.strip() == "All is read." and line()["state"] == "ok"
    assert find("quixotic") == [ticket.id]
    with transaction():
        db.session.execute(delete(SearchTicket))
    assert "1 entries" in helpdesk("search", "status").out and line()["state"] == "warn"
    assert "helpdesk search rebuild" in line()["advice"]
    said = helpdesk("search", "rebuild", "--now", "--json")
    assert said.status == 0 and said.json[0]["waiting"] == 0
    assert line()["state"] == "ok" and find("pump") == [ticket.id]
