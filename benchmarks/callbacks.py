"""Promised calls: 10,000 due in the same minute handed out by a worker, and the week among 100,000 of them."""

import random
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from helpdesk_callbacks.calls import RING
from helpdesk_callbacks.models import BOOKED, DONE, DUE, REACHED, Call
from sqlalchemy import delete, func, insert, select

from benchmarks.figures import Figure
from benchmarks.pages import MOST_QUERIES, _fill, _measure_page
from helpdesk.app import create_app
from helpdesk.core import schema, sign_in_sessions
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger, runner
from helpdesk.core.models import Event, Job, Ticket, User
from helpdesk.core.transaction import transaction

TICKETS, AT_ONCE, MANY = 5_000, 10_000, 100_000
LONGEST, SLOWEST = 90.0, 50.0
_BATCH = 5_000


def measure() -> list[Figure]:
    """One after the other on one desk, on SQLite; 5,000 tickets, ten of the staff, three teams."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            agent = _fill(TICKETS)
            boss = db.session.get_one(User, agent + 1)
            with transaction():
                boss.role = "supervisor"
            figures = _hand_out()
            with transaction():
                db.session.execute(delete(Call))
            _add(MANY, lambda number: _somewhen(now(), number))
            db.session.execute(db.text("ANALYZE"))
            db.session.commit()
            logins = [("an agent", sign_in_sessions.begin(db.session.get_one(User, agent)))]
            logins.append(("a supervisor", sign_in_sessions.begin(boss)))
            db.session.remove()
        for who, login in logins:
            figures += _pages(app, login, who)
        with app.app_context():
            db.engine.dispose()
    return figures


def _hand_out() -> list[Figure]:
    """Seconds from the minute on, by one worker with one thread, in which all are due and in which all were told."""
    at = now()
    # What was there before has been seen to.
    runner.run_due()
    _add(AT_ONCE, lambda _number: {"starts_at": at, "ends_at": at + timedelta(hours=1), "alarm_at": at})
    with transaction():
        ledger.schedule(RING, key=RING)
    begun = time.perf_counter()
    runner.run_due()
    whole = time.perf_counter() - begun
    due = db.session.scalar(select(func.count(Call.id)).where(Call.state == DUE))
    told = db.session.scalar(select(func.count(Event.id)).where(Event.kind == "callbacks.due"))
    if (due, told) != (AT_ONCE, AT_ONCE):
        raise RuntimeError(f"{due} of {AT_ONCE} calls are due, {told} are in the history.")
    spans = select(Job.started_at, Job.finished_at).where(Job.name == RING, Job.state == "done")
    seconds = sum((ended - began).total_seconds() for began, ended in db.session.execute(spans))
    db.session.rollback()
    return [
        Figure(f"{AT_ONCE:,} calls due in one minute handed out", seconds, "s", LONGEST),
        Figure("the same with the notices to agents", whole, "s"),
    ]


def _pages(app: Flask, login: str, who: str) -> list[Figure]:
    pages = [("the week", "/p/callbacks/week", SLOWEST), ("the due list", "/p/callbacks/", None)]
    pages.append(("the week of a team", "/p/callbacks/week?team=1", SLOWEST))
    if who != "an agent":
        pages.append(("the numbers", "/p/callbacks/numbers", None))
    figures = []
    for name, path, most in pages:
        queries, milliseconds = _measure_page(app, login, path)
        figures.append(Figure(f"{name}, {MANY:,} calls, {who}", milliseconds, "ms", most))
        figures.append(Figure(f"{name}, {MANY:,} calls, {who}", queries, "queries", MOST_QUERIES))
    return figures


def _add(count: int, when: Any) -> None:
    """Write calls straight into the table."""
    random.seed(20_261_127)
    tickets = db.session.execute(select(Ticket.id, Ticket.requester_id, Ticket.team_id)).all()
    agents = list(db.session.scalars(select(User.id).where(User.role == "agent")))
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        with transaction():
            db.session.execute(insert(Call), [_call(number, tickets, agents, when(number)) for number in numbers])


def _call(number: int, tickets: Any, agents: list[int], times: dict[str, Any]) -> dict[str, Any]:
    ticket, person, team = tickets[random.randrange(len(tickets))]
    agent = random.choice([*agents, None])
    return {
        "ticket_id": ticket,
        "person_id": person,
        "agent_id": agent,
        "team_id": team,
        "phone": f"+49 30 {number:07}",
        "reason": "The second parcel",
        "promised_from": times["starts_at"],
        "promised_until": times["ends_at"],
        "state": BOOKED,
        "tries": 0,
        "outcome": "",
        "problem": "",
        "kept": None,
        **times,
    }


def _somewhen(at: datetime, _number: int) -> dict[str, Any]:
    """Within a year around now, in working hours; what lies behind is done."""
    day = (at + timedelta(days=random.randrange(-270, 95))).replace(minute=0, second=0, microsecond=0)
    starts = day.replace(hour=random.randrange(8, 17)) + random.randrange(4) * timedelta(minutes=15)
    done = {"state": DONE, "tries": 1, "outcome": REACHED, "kept": random.random() < 0.9, "done_at": starts}
    times = {"starts_at": starts, "ends_at": starts + timedelta(minutes=30), "alarm_at": None}
    return {**times, **(done if starts < at else {"done_at": None})}
