"""Training: who of 500 agents can do what, and how far 500 are in 40 courses."""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from helpdesk_training import applying, career, editing, figures, rules, skills
from helpdesk_training.models import Answer, Assessment, Assignment, Attempt, Certificate, Outside
from sqlalchemy import insert, select

from benchmarks.figures import Figure
from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, TeamMember, User
from helpdesk.core.transaction import transaction

AGENTS, TEAMS, COURSES, SKILLS = 500, 10, 40, 30
SLOWEST, LONGEST = 200.0, 60.0
_QUIZ = {
    "questions": [
        {"kind": "single", "options": ["a", "b"], "right": ["a"],
         "texts": {"en": {"text": f"Question {number}", "options": {"a": "This", "b": "That"}}}}
        for number in range(10)
    ]
}  # fmt: skip


def measure() -> list[Figure]:
    """On SQLite: ten teams of fifty; each has a certificate of half of the courses, and answers behind each."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            boss, chief, team = _fill()
            db.session.execute(db.text("ANALYZE"))
            db.session.commit()
            found = _read(boss, chief, team) + _measured()
            db.session.remove()
            db.engine.dispose()
    return found


def _read(boss: int, chief: int, team: int) -> list[Figure]:
    administrator, supervisor = db.session.get_one(User, boss), db.session.get_one(User, chief)
    name = f"{AGENTS} agents, {COURSES} courses"
    figures_of = [
        (f"the skill matrix, a page of it, {name}", lambda: skills.matrix(administrator)),
        ("the skill matrix of one team, its supervisor", lambda: skills.matrix(supervisor, team)),
        (f"completion, scores and what is late, {name}", lambda: figures.overview(administrator)),
        (f"how far each is, {name}", lambda: figures.of_team(administrator)),
        (f"the questions that most fail, {name}", lambda: figures.most_failed(administrator)),
    ]
    return [Figure(what, _fastest(run), "ms", SLOWEST) for what, run in figures_of]


def _measured() -> list[Figure]:
    people = list(db.session.scalars(select(User.id).where(User.role == "agent")))
    criteria = career.career_criteria()
    number = str(db.session.scalar(select(Certificate.course_id).limit(1)))
    spent = _fastest(lambda: [one["measure"](people, None, number) for one in criteria])
    begun = time.perf_counter()
    given = applying.apply_now()
    if given < AGENTS:
        raise RuntimeError(f"{given} of {AGENTS} were given the course.")
    return [
        Figure(f"the criteria of {AGENTS} agents", spent, "ms", SLOWEST),
        Figure(f"a rule for {AGENTS} agents applied", time.perf_counter() - begun, "s", LONGEST),
    ]


def _fastest(run: Callable[[], Any]) -> float:
    """Milliseconds of the best of five, each as a page would ask: with nothing loaded."""
    best = float("inf")
    for _turn in range(5):
        db.session.expire_all()
        begun = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - begun)
    return best * 1_000


def _fill() -> tuple[int, int, int]:
    random.seed(20_261_128)
    with transaction():
        teams = [Team(name=f"Team {number}") for number in range(TEAMS)]
        db.session.add_all(teams)
        boss, chief = User(name="Bea Boss", role="admin"), User(name="Cho Chief", role="supervisor")
        db.session.add_all([boss, chief])
        people = [User(name=f"Agent {number:03}", role="agent") for number in range(AGENTS)]
        db.session.add_all(people)
        db.session.flush()
        members = [(teams[0].id, chief.id), *((teams[place % TEAMS].id, one.id) for place, one in enumerate(people))]
        db.session.execute(insert(TeamMember), [{"team_id": team, "user_id": user} for team, user in members])
    versions = {}
    for number in range(COURSES):
        names = [f"Skill {random.randrange(SKILLS):02}" for _each in range(2)]
        course = editing.save(None, {"name": f"Course {number:02}", "skills": names, "valid_days": 365}, None)
        editing.save_content(course, _QUIZ, None)
        versions[course.id] = editing.publish(course, None).id
    last = editing.save(None, {"name": "For everybody"}, None)
    editing.save_content(last, {"lessons": [{"texts": {"en": {"title": "A", "text": "B"}}}]}, None)
    editing.publish(last, None)
    rules.save(None, {"name": "All", "occasion": "role", "role": "agent", "course_id": last.id}, None)
    _take([one.id for one in people], versions)
    return boss.id, chief.id, teams[0].id


def _take(people: list[int], versions: dict[int, int]) -> None:
    moment, rows, number = now(), [], 0
    for person in people:
        for course in random.sample(sorted(versions), COURSES // 2):
            number += 1
            begun = moment - timedelta(days=random.randrange(1, 300))
            done = number % 8 != 0
            rows.append((number, person, course, versions[course], begun, done))
    with transaction():
        db.session.execute(insert(Assignment), [
            {"id": one, "user_id": person, "course_id": course, "version_id": version, "assigned_at": at,
             "started_at": at, "due_at": at + timedelta(days=14), "state": "done" if done else "begun",
             "done_at": at if done else None, "score": random.randrange(80, 101) if done else None}
            for one, person, course, version, at, done in rows
        ])  # fmt: skip
        db.session.execute(insert(Certificate), [
            {"user_id": person, "course_id": course, "version_id": version, "assignment_id": one,
             "serial": f"S-{one}", "earned_at": at, "expires_at": at + timedelta(days=365)}
            for one, person, course, version, at, done in rows if done
        ])  # fmt: skip
        db.session.execute(insert(Attempt), [
            {"id": one, "assignment_id": one, "version_id": version, "number": 1, "state": "passed", "answers": {},
             "started_at": at, "submitted_at": at, "score": 90}
            for one, _person, _course, version, at, _done in rows
        ])  # fmt: skip
        db.session.execute(insert(Answer), [
            {"attempt_id": one, "course_id": course, "question_id": f"q{place}", "given": ["a"],
             "right": random.random() < 0.7, "waits": False, "points": 1, "most": 1}
            for one, _person, course, _version, _at, _done in rows for place in range(1, 11)
        ])  # fmt: skip
        db.session.execute(insert(Outside), [
            {"user_id": person, "title": "Elsewhere", "skills": [f"Skill {place % SKILLS:02}"],
             "held_on": moment.date(), "state": "verified"}
            for place, person in enumerate(people)
        ])  # fmt: skip
        db.session.execute(insert(Assessment), [
            {"user_id": person, "key": f"skill {random.randrange(SKILLS):02}", "name": "Skill", "grade": 3}
            for person in people for _each in range(10)
        ])  # fmt: skip
