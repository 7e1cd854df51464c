"""A desk with a few people, teams and tickets, and clients that are signed in as each of them."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event

from helpdesk.app import create_app
from helpdesk.core import accounts, schema, sign_in_sessions, workflow
from helpdesk.core.config import Config
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Setting, Team, Ticket, User
from helpdesk.core.transaction import transaction
from helpdesk.testing.desk import prepare


@dataclass
class World:
    """Ids of what is there: objects do not outlive their session."""

    app: Flask
    admin: int
    agent: int
    colleague: int
    requester: int
    other_requester: int
    workshop: int
    board: int
    # A ticket that the agent sees, and one of a private team that they do not.
    ticket: int
    hidden: int

    def client(self, user_id: int | None = None) -> FlaskClient:
        """A browser, signed in as that user."""
        client = self.app.test_client()
        if user_id is not None:
            with self.app.app_context():
                login = sign_in_sessions.begin(db.session.get(User, user_id))
            with client.session_transaction() as session:
                session["_user_id"], session["_fresh"] = login, True
        return client

    def do(self, verb: Callable[..., Any], *arguments: Any, ticket: int | None = None, actor: int | None = None) -> Any:
        """Call a verb of the workflow on the ticket as somebody, and answer the id of what it returns."""
        with self.app.test_request_context():
            found = verb(
                db.session.get(Ticket, ticket or self.ticket), *arguments, db.session.get(User, actor or self.colleague)
            )
            return getattr(found, "id", None)

    def open(self, **values: Any) -> int:
        """Open a ticket; what is not said is made up."""
        with self.app.test_request_context():
            draft = TicketDraft(**{"subject": "A question", "requester_id": self.requester, "text": "Hello", **values})
            return workflow.open_ticket(draft, None).id

    def read(self, look: Callable[[], Any]) -> Any:
        """What ``look`` finds in the database."""
        with self.app.test_request_context():
            return look()

    @contextmanager
    def statements(self) -> Iterator[list[str]]:
        """What the block sends to the database, without what only opens and closes transactions."""
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA", "SAVEPOINT", "RELEASE")):
                seen.append(statement)

        with self.app.app_context():
            engine = db.engine
        event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    """A home with people, teams and tickets, made once and copied for each test."""
    home = tmp_path_factory.mktemp("desk") / "home"
    app = create_app(Config(home=home, testing=True), plugins={})
    with app.test_request_context():
        schema.upgrade()
        with transaction():
            db.session.add(Setting(group="desk", key="undo_seconds", value=0))
        names = ("admin", "agent", "colleague", "requester", "other_requester", "workshop", "board")
        ids = dict(zip(names, [*_people(), *_teams()], strict=True))
        world = World(app, **ids, ticket=0, hidden=0)
        ids["ticket"] = world.open(subject="Rear brake rubs", text="The brake rubs.", team_id=world.workshop)
        ids["hidden"] = world.open(subject="Board matter", team_id=world.board)
        db.session.remove()
        db.engine.dispose()
    return home, ids


@pytest.fixture(scope="session")
def copied(prepared: tuple[Path, dict[str, int]]) -> Callable[[Path], AbstractContextManager[World]]:
    """A desk on a copy of the prepared home: ``with copied(folder) as world:``."""

    @contextmanager
    def copy(target: Path) -> Iterator[World]:
        shutil.copytree(prepared[0], target)
        app = create_app(Config(home=target, testing=True), plugins={})
        prepare(app)
        try:
            yield World(app, **prepared[1])
        finally:
            with app.app_context():
                db.engine.dispose()

    return copy


@pytest.fixture
def world(tmp_path: Path, copied: Callable[[Path], AbstractContextManager[World]]) -> Iterator[World]:
    with copied(tmp_path / "home") as found:
        yield found


def _people() -> list[int]:
    staff = [("admin", "Ada Admin"), ("agent", "Abe Agent"), ("agent", "Cora Colleague")]
    found = [
        accounts.create_user(
            f"{name.split()[0].lower()}@desk.example", name, role, None, password="correct horse battery"
        )
        for role, name in staff
    ]
    found += [
        accounts.requester_for("rita@customer.example", "Rita Requester"),
        accounts.requester_for("otto@other.example"),
    ]
    return [person.id for person in found]


def _teams() -> list[int]:
    with transaction():
        teams = [Team(name="Workshop", color="blue"), Team(name="Board", color="grey", private=True)]
        db.session.add_all(teams)
        db.session.flush()
        return [team.id for team in teams]


@pytest.fixture
def agent(world: World) -> FlaskClient:
    return world.client(world.agent)


@pytest.fixture
def admin(world: World) -> FlaskClient:
    return world.client(world.admin)


@pytest.fixture
def htmx() -> dict[str, str]:
    return {"HX-Request": "true"}


@pytest.fixture
def queries(world: World) -> Iterator[list[str]]:
    """The statements sent to the database, without those that only open and close transactions."""
    with world.statements() as seen:
        yield seen


@pytest.fixture
def reply(world: World) -> Callable[..., int]:
    """Write a public message on the ticket as somebody."""

    def write(text: str = "Thank you", actor: int | None = None, **values: Any) -> int:
        return world.do(workflow.reply, MessageDraft(text=text, **values), actor=actor or world.requester)

    return write
