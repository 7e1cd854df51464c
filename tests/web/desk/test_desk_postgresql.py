"""The desk's pages on PostgreSQL: the same queries, another database."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from helpdesk.app import create_app
from helpdesk.core import accounts, schema, sign_in_sessions, workflow
from helpdesk.core.config import Config
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.filters import SORTS, TicketFilter
from helpdesk.core.models import Team, Ticket, User
from helpdesk.core.pages import ticket_page
from helpdesk.core.transaction import transaction
from helpdesk.testing.desk import prepare


@pytest.fixture
def shop(tmp_path: Path, postgresql_migrated_url: str) -> Iterator[Any]:
    app = create_app(Config(home=tmp_path / "home", testing=True, database_url=postgresql_migrated_url), plugins={})
    prepare(app)
    with app.test_request_context():
        schema.upgrade()
        accounts.create_user("abe@desk.example", "Abe", "agent", None, password="correct horse battery")
        with transaction():
            db.session.add(Team(name="Workshop"))
        rita = accounts.requester_for("rita@customer.example", "Rita")
        for number in range(9):
            draft = TicketDraft(
                f"Ticket {number}", rita.id, "Hello", priority=("low", "high")[number % 2], tags=["a", "b"]
            )
            workflow.open_ticket(draft, None)
        workflow.reply(db.session.get(Ticket, 1), MessageDraft(text="More"), rita)
        db.session.remove()
    yield app
    with app.app_context():
        db.engine.dispose()


def test_every_page_works_on_postgresql(shop: Any) -> None:
    client = shop.test_client()
    with shop.app_context():
        login = sign_in_sessions.begin(db.session.get(User, 1))
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = login, True
    pages = [
        "/desk/views/all",
        "/desk/views/all?f=1&text=ticket&tag=a&team=none&assignee=none&category=new",
        "/desk/views",
    ]
    pages += ["/desk/counts", "/desk/views/all/news?since=0", "/desk/people?text=rita", "/desk/people/2", "/desk/me"]
    pages += ["/desk/dashboard", "/desk/dashboard/widgets", "/desk/reports", "/desk/teams/1"]
    parts = ("", "/suggestions", "/conversation", "/news?since=0", "/side", "/row", "/edit", "/menu/team")
    parts += ("/menu/assignee",)
    for path in pages + [f"/desk/tickets/1{part}" for part in parts]:
        assert client.get(path, headers={"HX-Request": "true"}).status_code == 200, path
        assert client.get(path).status_code == 200, path
    assert (
        client.post(
            "/desk/tickets/1/messages", data={"mode": "reply", "text": "Hello", "status": "pending"}
        ).status_code
        == 303
    )
    assert client.post("/desk/tickets/1/set/tags", data={"value": "x, y"}).status_code == 303
    assert client.post("/desk/tickets/1/read").status_code == 204


@pytest.mark.parametrize("sort", SORTS)
def test_pages_walk_the_same_way_on_postgresql(shop: Any, sort: str) -> None:
    with shop.test_request_context():
        user = db.session.get(User, 1)
        whole = [row.ticket.id for row in ticket_page(user, TicketFilter(), sort).rows]
        walked, page = [], ticket_page(user, TicketFilter(), sort, size=4)
        while True:
            walked += [row.ticket.id for row in page.rows]
            if page.after is None:
                break
            page = ticket_page(user, TicketFilter(), sort, size=4, after=page.after)
        back = ticket_page(user, TicketFilter(), sort, size=4, before=page.before)
    assert walked == whole and len(whole) == 9
    assert [row.ticket.id for row in back.rows] == whole[4:8]
