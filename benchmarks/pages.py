"""The agent's pages with few and with many tickets: statements sent to the database, and milliseconds."""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import event, insert

from benchmarks.figures import Figure
from helpdesk.app import create_app
from helpdesk.core import accounts, generation, schema, sign_in_sessions
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.filters import TicketFilter
from helpdesk.core.models import Event, Message, Status, Tag, Team, Ticket, User
from helpdesk.core.models.tag import ticket_tag
from helpdesk.core.models.ticket import PRIORITIES
from helpdesk.core.pages import ticket_page
from helpdesk.core.transaction import transaction

SIZES = (1_000, 100_000)
MOST_QUERIES = 8
ROUNDS = 40
# The look at whether something has changed, which is due every two seconds and not for each page.
_CLOCK = "SELECT generation.number"
_BATCH = 5_000
_CUSTOMERS, _TAGS, _MESSAGES = 2_000, 40, 3
_WORDS = "brake wheel chain order refund delivery light saddle pump frame tyre bell lock helmet invoice".split()
_START = datetime(2026, 1, 1, tzinfo=UTC)


def measure() -> list[Figure]:
    """Every page at every size."""
    figures = []
    for size in SIZES:
        with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
            app = create_app(Config(home=Path(folder)))
            with app.app_context():
                schema.upgrade()
                agent = _fill(size)
                deep = _deep_cursor(agent, size)
                login = sign_in_sessions.begin(db.session.get_one(User, agent))
                db.session.remove()
            pages = {
                "the list": "/desk/views/open",
                "the list, far down": f"/desk/views/all?after={deep}",
                "a ticket": f"/desk/tickets/{size // 2}",
                "its side panels": f"/desk/tickets/{size // 2}/side",
                "the counts of all views": "/desk/counts",
            }
            for name, path in pages.items():
                queries, milliseconds = _measure_page(app, login, path)
                figures.append(Figure(f"{name}, {size:,} tickets", queries, "queries", MOST_QUERIES))
                figures.append(Figure(f"{name}, {size:,} tickets", milliseconds, "ms"))
            with app.app_context():
                db.engine.dispose()
    return figures


def _measure_page(app: Flask, login: str, path: str) -> tuple[int, float]:
    """Queries and milliseconds, after a first visit that compiles templates."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = login, True
    times, counts = [], []
    client.get(path)
    for _round in range(ROUNDS):
        # Each visit asks whether what the process has cached is still good, as one does every two seconds.
        app.extensions[generation.EXTENSION].checked = float("-inf")
        with _statements(app) as seen:
            begun = time.perf_counter()
            answer = client.get(path, buffered=True)
            times.append((time.perf_counter() - begun) * 1000)
        assert answer.status_code == 200, (path, answer.status_code)
        counts.append(len(seen))
    return max(counts), statistics.median(times)


class _statements:
    """What a block sends to the database, without what opens and closes transactions, and without the clock's look."""

    def __init__(self, app: Flask) -> None:
        with app.app_context():
            self._engine = db.engine
        self._seen: list[str] = []

    def __enter__(self) -> list[str]:
        event.listen(self._engine, "before_cursor_execute", self._note)
        return self._seen

    def __exit__(self, *_error: object) -> None:
        event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")) and not statement.startswith(_CLOCK):
            self._seen.append(statement)


def _deep_cursor(agent: int, size: int) -> str:
    """The cursor of a page near the end of the list of all tickets."""
    user = db.session.get_one(User, agent)
    page = ticket_page(user, TicketFilter(), "-updated", size=size - 100)
    assert page.after is not None
    return page.after


# ---- data, written past the workflow: a hundred thousand tickets would take an hour otherwise


def _fill(size: int) -> int:
    random.seed(20_260_101)
    agents = [
        accounts.create_user(f"agent{number}@desk.example", f"Agent {number}", "agent", None) for number in range(10)
    ]
    ids = [agent.id for agent in agents]
    with transaction():
        teams = [Team(name=f"Team {number}", members=agents[number::3]) for number in range(3)]
        tags = [Tag(name=f"tag{number}") for number in range(_TAGS)]
        db.session.add_all([*teams, *tags])
        db.session.flush()
        team_ids, tag_ids = [team.id for team in teams], [tag.id for tag in tags]
        statuses = {status.category: status.id for status in db.session.query(Status)}
        people = [{"email": f"c{number}@post.example", "name": f"Customer {number}"} for number in range(_CUSTOMERS)]
        db.session.execute(insert(User), people)
        first = db.session.query(db.func.min(User.id)).filter(User.role == "requester").scalar()
    customers = list(range(first, first + _CUSTOMERS))
    for start in range(0, size, _BATCH):
        numbers = range(start + 1, min(start + _BATCH, size) + 1)
        with transaction():
            rows = [_ticket(number, customers, ids, team_ids, statuses) for number in numbers]
            db.session.execute(insert(Ticket), rows)
            db.session.execute(insert(Message), [row for ticket in rows for row in _messages(ticket)])
            db.session.execute(insert(Event), [row for ticket in rows for row in _events(ticket)])
            marks = [{"ticket_id": row["id"], "tag_id": tag} for row in rows for tag in random.sample(tag_ids, 2)]
            db.session.execute(insert(ticket_tag), marks)
    db.session.execute(db.text("ANALYZE"))
    db.session.commit()
    return ids[0]


def _ticket(
    number: int, customers: list[int], agents: list[int], teams: list[int], statuses: dict[str, int]
) -> dict[str, Any]:
    category = random.choices(list(statuses), weights=[5, 10, 5, 2, 30, 48])[0]
    moment = _START + timedelta(minutes=number)
    place = random.randrange(len(PRIORITIES))
    return {
        "id": number,
        "subject": " ".join(random.choices(_WORDS, k=5)),
        "status_id": statuses[category],
        "category": category,
        "priority": PRIORITIES[place],
        "priority_rank": place,
        "requester_id": random.choice(customers),
        "team_id": random.choice(teams),
        "assignee_id": random.choice([*agents, None]),
        "channel": "email",
        "access_key": f"{number:032x}",
        "version": _MESSAGES,
        "last_message_by": "agent",
        "last_message_at": moment + timedelta(hours=_MESSAGES),
        "last_author_id": random.choice(agents),
        "snippet": " ".join(random.choices(_WORDS, k=12)),
        "created_at": moment,
        "updated_at": moment + timedelta(hours=_MESSAGES),
    }


def _messages(ticket: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place in range(_MESSAGES):
        yield {
            "ticket_id": ticket["id"],
            "author_id": ticket["last_author_id"] if place % 2 else ticket["requester_id"],
            "visibility": "public",
            "channel": "email",
            "text": " ".join(random.choices(_WORDS, k=60)),
            "created_at": ticket["created_at"] + timedelta(hours=place),
        }


def _events(ticket: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for place in range(2):
        yield {
            "ticket_id": ticket["id"],
            "kind": ("ticket_opened", "ticket_assigned")[place],
            "actor_id": ticket["last_author_id"],
            "version": place + 1,
            "data": {"channel": "email"} if place == 0 else {"to": ticket["assignee_id"], "to_name": "Agent"},
            "created_at": ticket["created_at"] + timedelta(minutes=place),
        }
