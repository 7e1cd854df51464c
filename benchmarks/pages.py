"""The list and the ticket page at a size of the desk: statements and milliseconds, in the server at one client."""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event, insert

from benchmarks.figures import Figure
from helpdesk.app import create_app
from helpdesk.core import accounts, generation, schema
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Message, Status, Team, Ticket, User
from helpdesk.core.transaction import transaction

_ROUNDS = 30
_BATCH = 5_000
_QUERIES = 8.0


def measure(size: int) -> list[Figure]:
    """Figures for a desk with ``size`` tickets of three messages each."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as home:
        app = create_app(Config(home=Path(home), testing=True))
        with app.app_context():
            schema.upgrade()
            agent = _fill(size)
            client = app.test_client()
            with client.session_transaction() as session:
                session["_user_id"] = agent
            middle = size // 2
            pages = {
                "list of all unsolved": "/desk/views/open",
                "ticket page": f"/desk/tickets/{middle}",
                "side of the ticket": f"/desk/tickets/{middle}/side",
                "counts of the views": "/desk/counts",
            }
            figures: list[Figure] = []
            for name, address in pages.items():
                statements, milliseconds = _visit(app, client, address)
                figures.append(Figure(f"{name}, {size:,} tickets: queries", statements, "", _QUERIES))
                figures.append(Figure(f"{name}, {size:,} tickets: median", milliseconds, "ms"))
            return figures


def _visit(app: Flask, client: Any, address: str) -> tuple[float, float]:
    times, most = [], 0
    client.get(address)
    for _round in range(_ROUNDS):
        # Each visit asks whether what this process has cached is still good, as one does every two seconds.
        app.extensions[generation.EXTENSION].checked = float("-inf")
        with _counting() as seen:
            begun = time.perf_counter()
            answer = client.get(address)
            times.append((time.perf_counter() - begun) * 1000)
        if answer.status_code != 200:
            raise SystemExit(f"{address} answered {answer.status_code}")
        most = max(most, len(seen))
    return float(most), statistics.median(times)


@contextmanager
def _counting() -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


def _fill(size: int) -> str:
    """Tickets straight into the tables; answers the session id of an agent."""
    chance = random.Random(7)  # noqa: S311 - the same desk in every run
    with transaction():
        agents = [accounts.create_user(f"a{n}@desk.example", f"Agent {n}", "agent", None) for n in range(10)]
        teams = [Team(name=f"Team {n}") for n in range(5)]
        db.session.add_all(teams)
        people = [User(email=f"c{n}@post.example", name=f"Customer {n}") for n in range(max(10, size // 20))]
        db.session.add_all(people)
        db.session.flush()
        agent_ids, team_ids = [agent.id for agent in agents], [team.id for team in teams]
        people_ids, session_id = [person.id for person in people], agents[0].get_id()
        statuses = {status.category: status.id for status in db.session.scalars(db.select(Status))}
    categories = ["open"] * 2 + ["pending", "solved"] + ["closed"] * 6
    moment = now()
    for first in range(1, size + 1, _BATCH):
        numbers = range(first, min(first + _BATCH, size + 1))
        with transaction():
            tickets, messages, events = [], [], []
            for number in numbers:
                category = chance.choice(categories)
                at = moment - timedelta(minutes=size - number)
                requester = chance.choice(people_ids)
                tickets.append(
                    {
                        "id": number,
                        "subject": f"Question {number} about the brake",
                        "status_id": statuses[category],
                        "category": category,
                        "requester_id": requester,
                        "assignee_id": chance.choice([None, *agent_ids]),
                        "team_id": chance.choice(team_ids),
                        "channel": "email",
                        "last_message_by": "requester",
                        "last_message_at": at,
                        "snippet": "The brake rubs on every turn of the wheel.",
                        "created_at": at,
                        "updated_at": at,
                    }
                )
                for part in range(3):
                    author = requester if part != 1 else chance.choice(agent_ids)
                    row = {"ticket_id": number, "author_id": author, "text": "The brake rubs. " * 20, "created_at": at}
                    messages.append(row)
                events.append({"ticket_id": number, "kind": "ticket_opened", "actor_id": requester, "created_at": at})
            for model, rows in ((Ticket, tickets), (Message, messages), (Event, events)):
                db.session.execute(insert(model), rows)
    return session_id
