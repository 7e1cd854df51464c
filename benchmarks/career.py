"""Careers: what levels ask for of 500 agents over a million tickets, measured anew and by what happened; the pages."""

import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from helpdesk_career import competences, ladder, measuring, progress
from helpdesk_career.models import Assessment, Measure, Person, Step
from sqlalchemy import func, insert, select, update

from benchmarks.figures import Figure
from benchmarks.pages import _measure_page
from helpdesk.app import create_app
from helpdesk.core import schema, sign_in_sessions
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, TeamMember, Ticket, User
from helpdesk.core.models.ticket import Status
from helpdesk.core.transaction import transaction

AGENTS, TICKETS, TEAMS, DAYS = 500, 1_000_000, 10, 365
LONGEST, SLOWEST, STALE = 60.0, 200.0, 1.0
_BATCH = 10_000
_TIMES = 5


def measure() -> list[Figure]:
    """On one desk, on SQLite: two thirds of the tickets are solved, one of fourteen was opened again."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            boss = _fill()
            figures = _measures()
            figures += _lists(boss)
            login = sign_in_sessions.begin(boss)
            agent = db.session.scalar(select(Person.user_id).order_by(Person.user_id).limit(1))
            db.session.remove()
        for name, path in (("the team's progress", "/p/career/team"), ("a person", f"/p/career/people/{agent}")):
            queries, milliseconds = _measure_page(app, login, path)
            figures.append(Figure(f"{name}, the page", milliseconds, "ms", SLOWEST))
            figures.append(Figure(f"{name}, the page", queries, "queries"))
        with app.app_context():
            db.engine.dispose()
    return figures


def _fill() -> User:
    random.seed(20_261_128)
    with transaction():
        boss = User(email="boss@desk.example", name="Boss", role="admin")
        teams = [Team(name=f"Team {number}") for number in range(TEAMS)]
        customer = User(email="customer@post.example", name="Customer")
        db.session.add_all([boss, customer, *teams])
        db.session.flush()
        agents = [
            {"email": f"agent{number}@desk.example", "name": f"Agent {number:03}", "role": "agent"}
            for number in range(AGENTS)
        ]
        db.session.execute(insert(User), agents)
        ids = list(db.session.scalars(select(User.id).where(User.role == "agent").order_by(User.id)))
        rows = [{"team_id": teams[place % TEAMS].id, "user_id": number} for place, number in enumerate(ids)]
        db.session.execute(insert(TeamMember), rows)
    _ladder(ids)
    statuses = {one.category: one.id for one in db.session.scalars(select(Status))}
    moment = now()
    for _start in range(0, TICKETS, _BATCH):
        with transaction():
            db.session.execute(insert(Ticket), [_ticket(random.choice(ids), customer.id, statuses, moment)
                                                for _number in range(_BATCH)])  # fmt: skip
    db.session.execute(db.text("ANALYZE"))
    db.session.commit()
    return db.session.get_one(User, boss.id)


def _ticket(agent: int, customer: int, statuses: dict[str, int], moment: Any) -> dict[str, Any]:
    category = random.choices(("open", "solved", "closed"), weights=(3, 3, 3))[0]
    at = moment - timedelta(minutes=random.randrange(DAYS * 1_440))
    return {
        "subject": "A parcel", "status_id": statuses[category], "category": category, "requester_id": customer,
        "assignee_id": agent, "reopened": 1 if random.randrange(14) == 0 else 0, "created_at": at, "updated_at": at,
        "solved_at": at if category != "open" else None,
    }  # fmt: skip


def _ladder(ids: list[int]) -> None:
    """Five things asked for by the second level, four of them of a quarter of a year."""
    track = ladder.begin(None)
    first, second = track.levels[0], track.levels[1]
    skill = competences.save(None, "Refunds", "", None)
    rows: list[dict[str, Any]] = [
        {"criterion": "career.time", "threshold": 90},
        {"criterion": "career.solved", "threshold": 150, "days": 90},
        {"criterion": "career.solved", "threshold": 500},
        {"criterion": "career.reopened", "threshold": 8, "least_count": 100, "days": 90},
        {"criterion": "career.assessment", "choice": str(skill.id), "threshold": 3},
    ]
    ladder.save_requirements(second, rows, None)
    began = now() - timedelta(days=120)
    with transaction():
        step = {"kind": "placed", "level_id": first.id, "held_from": began}
        db.session.execute(insert(Step), [{"user_id": number, **step}
                                          for number in ids])  # fmt: skip
        db.session.execute(
            insert(Person), [{"user_id": number, "level_id": first.id, "since": began} for number in ids]
        )
        db.session.execute(insert(Assessment), [{"user_id": number, "competence_id": skill.id, "grade": 1 + number % 5}
                                                for number in ids])  # fmt: skip


def _measures() -> list[Figure]:
    begun = time.perf_counter()
    people = measuring.measure()
    whole = time.perf_counter() - begun
    if people != AGENTS or not db.session.scalar(select(func.count()).select_from(Measure)):
        raise RuntimeError(f"{people} of {AGENTS} were measured.")
    with transaction():
        some = db.session.scalars(select(Person.user_id).order_by(Person.user_id).limit(20)).all()
        db.session.execute(update(Person).where(Person.user_id.in_(some)).values(stale=True))
    begun = time.perf_counter()
    if measuring.measure_stale() != 20:
        raise RuntimeError("Twenty should have been measured.")
    return [
        Figure(f"{AGENTS} agents over {TICKETS:,} tickets measured anew", whole, "s", LONGEST),
        Figure("20 of them, of whom something happened", time.perf_counter() - begun, "s", STALE),
    ]


def _lists(boss: User) -> list[Figure]:
    def best(work: Any) -> float:
        seconds = []
        for _turn in range(_TIMES):
            db.session.rollback()
            begun = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - begun)
        return 1_000 * min(seconds)

    everybody = progress.of_all(boss)
    if sum(one.level is not None for one in everybody) != AGENTS:
        raise RuntimeError(f"{len(everybody)} people stand in the list.")
    one = everybody[AGENTS // 2].user.id
    return [
        Figure(f"progress of {AGENTS} agents", best(lambda: progress.of_all(boss)), "ms", SLOWEST),
        Figure(f"who of {AGENTS} is ready", best(lambda: progress.ready(boss)), "ms", SLOWEST),
        Figure("progress of one", best(lambda: progress.of(db.session.get_one(User, one))), "ms", SLOWEST),
    ]
