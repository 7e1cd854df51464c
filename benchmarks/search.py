"""Search, palette, list, ticket and numbers among 100,000 tickets with 300,000 messages, in the server, one client."""

import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from flask import Flask
from sqlalchemy import select, update

from benchmarks.figures import Figure
from benchmarks.pages import MOST_QUERIES, _fill, _measure_page
from helpdesk.app import create_app
from helpdesk.core import schema, sign_in_sessions
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Ticket, User
from helpdesk.core.search import rebuilding
from helpdesk.core.search.index import mark_messages, mark_tickets, read_some
from helpdesk.core.transaction import transaction

SIZE = 100_000
SLOWEST = 25.0
# Stand in one message each; in one of a thousand; as subjects are typed.
_RARE, _SEVERAL = "zyzzyva", "quixotic"


def measure() -> list[Figure]:
    """Reading everything, then each page as an agent, for whom private teams are left out, and as an administrator."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            agent = _fill(SIZE)
            _sow()
            seconds = _read_all()
            figures = [Figure(f"reading {SIZE:,} tickets and {3 * SIZE:,} messages", SIZE * 4 / seconds, "a second")]
            agent_login = sign_in_sessions.begin(db.session.get_one(User, agent))
            boss = db.session.get_one(User, agent + 1)
            with transaction():
                boss.role = "admin"
            boss_login = sign_in_sessions.begin(boss)
            db.session.remove()
        for who, login in (("an agent", agent_login), ("an administrator", boss_login)):
            figures += _pages(app, login, who)
        with app.app_context():
            db.engine.dispose()
    return figures


def _pages(app: Flask, login: str, who: str) -> list[Figure]:
    pages: Sequence[tuple[str, str, bool]] = [
        ("the list", "/desk/views/open", True),
        ("a ticket", f"/desk/tickets/{SIZE // 2}", True),
        ("search, a rare word", f"/desk/search?q={_RARE}", True),
        ("search, a word in a thousand messages", f"/desk/search?q={_SEVERAL}", False),
        ("search, a word that stands everywhere", "/desk/search?q=brake", False),
        ("search, two words that stand everywhere", "/desk/search?q=brake+saddle", False),
        ("search, a name", "/desk/search?q=customer+1234", False),
        ("palette, a rare word", f"/desk/palette?q={_RARE[:5]}", True),
        ("palette, three letters", "/desk/palette?q=bra", True),
        ("palette, a number", f"/desk/palette?q={SIZE // 3}", True),
        ("list filtered by a rare text", f"/desk/views/all?f=1&search={_RARE}", True),
        ("list filtered by a part of the subject", "/desk/views/all?f=1&text=saddle", True),
        ("list filtered by a part that is nowhere", "/desk/views/all?f=1&text=nowhere", False),
    ]
    if who != "an agent":
        pages = [*pages, ("the seven numbers", "/desk/numbers", True)]
    figures = []
    for name, path, judged in pages:
        queries, milliseconds = _measure_page(app, login, path)
        figures.append(Figure(f"{name}, {who}", milliseconds, "ms", SLOWEST if judged else None))
        if queries > MOST_QUERIES:
            figures.append(Figure(f"{name}, {who}", queries, "queries", MOST_QUERIES))
    return figures


def _sow() -> None:
    """Words that stand in few messages."""
    random.seed(45)
    places = random.sample(range(1, SIZE * 3), 1_001)
    with transaction():
        for number, word in [(places[0], _RARE), *((place, _SEVERAL) for place in places[1:])]:
            db.session.execute(update(Message).where(Message.id == number).values(text=Message.text + f" {word}"))
        db.session.execute(update(Ticket).where(Ticket.id == places[1]).values(subject=f"{_RARE} again"))


def _read_all() -> float:
    with transaction():
        rebuilding.empty()
        mark_tickets(select(Ticket.id).order_by(Ticket.id))
        mark_messages(select(Message.id).order_by(Message.id))
    begun = time.perf_counter()
    while read_some():
        pass
    return time.perf_counter() - begun
