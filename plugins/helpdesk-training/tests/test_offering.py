"""How training and other plugins speak with one another, through the desk; register_hookspecs.

Surveys and careers are stood in for; ``tests/plugins/test_training_together.py`` has the real ones.
"""

from collections.abc import Sequence
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from flask import url_for
from helpdesk_training import files, outside, rules
from helpdesk_training.background import register_jobs, register_schedules
from helpdesk_training.models import Assignment
from helpdesk_training.permissions import ASSIGN, USE, WRITE

from helpdesk.api import (
    User,
    allowed,
    collect,
    db,
    hookimpl,
    hookspec,
    now,
    publish,
    schedule,
    store_bytes,
    tag,
    transaction,
)

_ELSEWHERE = {"title": "First aid", "skills": ["First aid"], "held_on": date(2026, 3, 1)}


@hookspec("fact")
def surveys_answered(response_id: int, kind: str, score: int | None, ticket_id: int | None) -> None:
    """Somebody has answered."""


@hookspec("slot")
def career_criteria() -> Sequence[Any]:
    """What can be measured."""
    return ()


@hookspec("slot")
def career_competences() -> Sequence[Any]:
    """What people can do."""
    return ()


@hookspec("slot")
def career_certificates() -> Sequence[Any]:
    """Who holds what."""
    return ()


@pytest.fixture
def desk_plugins(desk_plugins: dict[str, Any]) -> dict[str, Any]:
    """Beside training one that tells of answers, and one that measures people."""
    measured = [career_criteria, career_competences, career_certificates]
    return {
        **desk_plugins,
        "surveys": SimpleNamespace(register_hookspecs=hookimpl(lambda: [surveys_answered])),
        "career": SimpleNamespace(register_hookspecs=hookimpl(lambda: measured)),
    }


def test_a_low_answer_gives_a_course(course: Any, agent: User, make_ticket: Any, run_jobs: Any) -> None:
    """surveys_answered: the person whose ticket it was about, once."""
    made = course()
    rules.save(None, {"name": "Low", "occasion": "low", "tag": "returns", "most": 2, "course_id": made.id}, None)
    ticket = make_ticket("Where is it?", assignee=agent)
    tag(ticket, ["returns"], None)
    for score in (5, 1, 1):
        with transaction():
            publish("surveys_answered", response_id=score, kind="csat", score=score, ticket_id=ticket.id)
        run_jobs()
    given = db.session.scalars(db.select(Assignment)).one()
    assert (given.user_id, given.course_id, given.why, given.ticket_id) == (agent.id, made.id, "low", ticket.id)


def test_careers_are_told_what_is_measured(course: Any, complete: Any, agent: User) -> None:
    """career_criteria, career_competences, career_certificates."""
    made = course(skills=["Refunds"])
    complete(made)
    keys = [one["key"] for one in collect("career_criteria")]
    assert keys == ["training.courses", "training.course", "training.certificate"]
    assert collect("career_competences") == ["Refunds"]
    [held] = collect("career_certificates")
    assert held["key"] == str(made.id) and held["holders"].keys() == {agent.id}


def test_files_of_courses_and_proofs_stay(course: Any, agent: User, boss: User, run_jobs: Any, sign_in: Any) -> None:
    """stored_files_in_use: the desk removes neither."""
    made = course()
    shown = files.add(made, store_bytes(b"one", "plan.png", "image/png"), boss)
    record = outside.record(agent, _ELSEWHERE, store_bytes(b"%PDF-1", "paper.pdf", "application/pdf"), agent)
    with transaction():
        hashes = [shown.sha256, record.sha256]
        schedule("core.remove_files", hashes=hashes, asked_at=now().isoformat())
    run_jobs()
    browser = sign_in(agent)
    assert browser.get(f"/p/training/outside/{record.id}/file").data == b"%PDF-1"
    with browser.application.test_request_context():
        place = url_for("training.course_file", course_id=made.id, name="plan.png")
    assert browser.get(place).data == b"one"


def test_what_is_registered(agent: User, chief: User, boss: User, make_user: Any) -> None:
    """register_permissions, register_jobs, register_schedules: who may do what, and what runs by itself."""
    customer = make_user()
    assert [allowed(who, USE) for who in (agent, chief, boss, customer)] == [True, True, True, False]
    for right in (ASSIGN, WRITE):
        assert [allowed(who, right) for who in (agent, chief, boss, customer)] == [False, True, True, False]
    jobs = {one.name for one in register_jobs()}
    assert {one.job for one in register_schedules()} == jobs
