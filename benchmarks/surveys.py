"""Surveys: 50,000 invitations planned on a rhythm, and the figures of a survey with a million answers."""

import random
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from helpdesk_surveys import counting, rhythm, surveys
from helpdesk_surveys.models import Invitation, Response, ResponseTag, Survey
from sqlalchemy import func, insert, select

from benchmarks.figures import Figure
from benchmarks.pages import MOST_QUERIES, _fill, _measure_page
from helpdesk.app import create_app
from helpdesk.core import schema, sign_in_sessions
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, Ticket, User
from helpdesk.core.models.ticket import Status
from helpdesk.core.transaction import transaction

TICKETS, PEOPLE, ANSWERS, DAYS = 5_000, 50_000, 1_000_000, 365
LONGEST, SLOWEST = 30.0, 300.0
_BATCH = 5_000
_CHANNELS, _LANGUAGES, _TAGS = ("email", "web", "phone"), ("en", "ar", "es", "zh_Hans"), ("gold", "late", "parcel")


def measure() -> list[Figure]:
    """One after the other on one desk, on SQLite; ten of the staff, three teams; answers over a year."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            agent = _fill(TICKETS)
            # Agents 0, 3, 6 and 9 are in the first team.
            chief, boss = db.session.get_one(User, agent + 3), db.session.get_one(User, agent + 1)
            with transaction():
                chief.role, boss.role = "supervisor", "admin"
            figures = _plan()
            figures += _count()
            db.session.execute(db.text("ANALYZE"))
            db.session.commit()
            people = (("an agent", agent), ("a supervisor", chief.id), ("an administrator", boss.id))
            logins = [(who, sign_in_sessions.begin(db.session.get_one(User, number))) for who, number in people]
            survey = db.session.scalar(select(Survey.id).where(Survey.name == "Answered"))
            db.session.remove()
        for who, login in logins:
            figures += _pages(app, login, who, survey, agent)
        with app.app_context():
            db.engine.dispose()
    return figures


def _survey(name: str, **values: Any) -> Survey:
    survey = surveys.save(None, {"name": name, **values}, None)
    surveys.publish_version(survey, None)
    return surveys.switch(survey, True, None)


def _plan() -> list[Figure]:
    status = db.session.scalar(select(Status.id).where(Status.category == "closed"))
    with transaction():
        users = [{"email": f"p{number}@post.example", "name": f"Person {number}"} for number in range(PEOPLE)]
        db.session.execute(insert(User), users)
    people = db.session.scalars(select(User.id).where(User.email.like("p%@post.example"))).all()
    for start in range(0, PEOPLE, _BATCH):
        with transaction():
            tickets: list[dict[str, Any]] = [
                {"subject": "A parcel", "status_id": status, "category": "closed", "requester_id": person}
                for person in people[start : start + _BATCH]
            ]
            db.session.execute(insert(Ticket), tickets)
    survey = _survey("Asked", kind="nps", occasion="rhythm").id
    begun = time.perf_counter()
    rhythm.plan_now()
    seconds = time.perf_counter() - begun
    planned = db.session.scalar(select(func.count(Invitation.id)).where(Invitation.survey_id == survey))
    if planned is None or planned < PEOPLE:
        raise RuntimeError(f"{planned} of {PEOPLE} are planned.")
    return [Figure(f"{PEOPLE:,} invitations planned", seconds * PEOPLE / planned, "s", LONGEST)]


def _count() -> list[Figure]:
    """A million answers written straight into the table, and counted."""
    random.seed(20_261_127)
    survey = _survey("Answered", kind="nps", occasion="hand")
    staff = list(db.session.scalars(select(User.id).where(User.role != "requester").order_by(User.id)))
    teams = list(db.session.scalars(select(Team.id).order_by(Team.id)))
    moment, number = now(), 0
    for start in range(0, ANSWERS, _BATCH):
        rows: list[dict[str, Any]] = []
        tags: list[dict[str, Any]] = []
        for number in range(start + 1, start + _BATCH + 1):
            place = random.randrange(len(staff))
            at = moment - timedelta(minutes=random.randrange(DAYS * 1_440))
            rows.append(
                {
                    "id": number, "survey_id": survey.id, "version_id": survey.version_id, "answers": {},
                    "score": random.choices(range(11), weights=[2, 1, 1, 1, 1, 3, 4, 8, 14, 20, 30])[0],
                    "comment": "The second parcel came late." if number % 5 == 0 else "",
                    "answered_at": at, "changed_at": at, "agent_id": staff[place], "team_id": teams[place % 3],
                    "channel": random.choice(_CHANNELS), "language": random.choice(_LANGUAGES),
                }
            )  # fmt: skip
            if number % 4 == 0:
                tags.append({"response_id": number, "tag": random.choice(_TAGS)})
        with transaction():
            db.session.execute(insert(Response), rows)
            db.session.execute(insert(ResponseTag), tags)
    begun = time.perf_counter()
    counting.recount(survey.id)
    return [Figure(f"{ANSWERS:,} answers counted anew", time.perf_counter() - begun, "s")]


def _pages(app: Flask, login: str, who: str, survey: Any, agent: int) -> list[Figure]:
    last, year = now().date(), (now() - timedelta(days=DAYS - 1)).date()
    span = f"survey={survey}&first={year}&last={last}"
    pages = [("the dashboard of a year", f"/p/surveys/?{span}", SLOWEST)]
    if who == "an administrator":
        pages += [
            ("the same, one channel and language", f"/p/surveys/?{span}&channel=web&language=ar", SLOWEST),
            ("the same, one agent", f"/p/surveys/?{span}&agent={agent}", SLOWEST),
            ("the same, one tag", f"/p/surveys/?{span}&tag=gold", SLOWEST),
            ("the detractors", f"/p/surveys/answers?{span}&score=detractors", SLOWEST),
        ]
    figures = []
    for name, path, most in pages:
        queries, milliseconds = _measure_page(app, login, path)
        figures.append(Figure(f"{name}, {ANSWERS:,} answers, {who}", milliseconds, "ms", most))
        figures.append(Figure(f"{name}, {ANSWERS:,} answers, {who}", queries, "queries", MOST_QUERIES))
    return figures
