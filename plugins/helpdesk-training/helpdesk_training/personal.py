"""What the plugin keeps about a person: what they learn and have learnt, and what others said of it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from helpdesk.api import User, db, drop_cached, hookimpl
from helpdesk_training.models import (
    Answer,
    Assessment,
    Assignment,
    Attempt,
    Certificate,
    Course,
    LessonDone,
    LowAnswer,
    Outside,
    TaskWork,
    Version,
)

# Who did something for others: their name goes, what they did stays.
_DOERS = (
    Course.updated_by_id, Version.made_by_id, Assignment.assigned_by_id, Answer.graded_by_id, TaskWork.graded_by_id,
    Certificate.revoked_by_id, Outside.recorded_by_id, Outside.decided_by_id, Assessment.by_id,
)  # fmt: skip


@hookimpl
def export_personal_data(user: User) -> Mapping[str, Any]:
    """Courses with lessons, answers and tasks, certificates, training elsewhere, assessments."""
    found = {
        "courses": _courses(user),
        "certificates": [
            {
                "course": one.course.name, "serial": one.serial, "earned_at": _iso(one.earned_at),
                "expires_at": _iso(one.expires_at), "revoked_at": _iso(one.revoked_at), "revoked_why": one.revoked_why,
                "score": one.score,
            }
            for one in _rows(Certificate, user, joinedload(Certificate.course))
        ],
        "elsewhere": [
            {
                "title": one.title, "provider": one.provider, "skills": one.skills, "held_on": one.held_on.isoformat(),
                "until": _iso(one.until), "note": one.note, "file": one.file_name, "state": one.state,
                "decision": one.decision,
            }
            for one in _rows(Outside, user)
        ],
        "assessments": [
            {"skill": one.name, "grade": one.grade, "note": one.note, "at": _iso(one.at)}
            for one in _rows(Assessment, user)
        ],
        "low_answers": [{"rule": one.rule_id, "at": _iso(one.at)} for one in _rows(LowAnswer, user)],
    }  # fmt: skip
    return found if any(found.values()) else {}


@hookimpl
def erase_personal_data(user: User) -> None:
    """All that a person has learnt goes; what they did for others stays and is nobody's."""
    mine = select(Assignment.id).where(Assignment.user_id == user.id)
    tries = select(Attempt.id).where(Attempt.assignment_id.in_(mine))
    db.session.execute(delete(Answer).where(Answer.attempt_id.in_(tries)))
    for table in (Attempt, TaskWork, LessonDone):
        db.session.execute(delete(table).where(table.assignment_id.in_(mine)))
    for own in (Certificate, Assignment, Outside, Assessment, LowAnswer):
        db.session.execute(delete(own).where(own.user_id == user.id))
    for column in _DOERS:
        db.session.execute(update(column.class_).where(column == user.id).values({column: None}))
    drop_cached()


def _courses(user: User) -> list[dict[str, Any]]:
    given = _rows(Assignment, user, joinedload(Assignment.course))
    mine = select(Assignment.id).where(Assignment.user_id == user.id)
    lessons: dict[int, list[Any]] = {}
    for one in db.session.scalars(select(LessonDone).where(LessonDone.assignment_id.in_(mine))):
        lessons.setdefault(one.assignment_id, []).append({"lesson": one.lesson_id, "at": _iso(one.done_at)})
    attempts: dict[int, list[Any]] = {}
    tries = select(Attempt).where(Attempt.assignment_id.in_(mine)).order_by(Attempt.id)
    comments: dict[int, dict[str, str]] = {}
    said = select(Answer.attempt_id, Answer.question_id, Answer.comment).where(
        Answer.attempt_id.in_(select(Attempt.id).where(Attempt.assignment_id.in_(mine))), Answer.comment != ""
    )
    for attempt_id, question_id, comment in db.session.execute(said):
        comments.setdefault(attempt_id, {})[question_id] = comment
    for attempt in db.session.scalars(tries):
        attempts.setdefault(attempt.assignment_id, []).append(
            {
                "number": attempt.number, "state": attempt.state, "score": attempt.score, "answers": attempt.answers,
                "comments": comments.get(attempt.id, {}), "at": _iso(attempt.submitted_at),
            }
        )  # fmt: skip
    works: dict[int, list[Any]] = {}
    for work in db.session.scalars(select(TaskWork).where(TaskWork.assignment_id.in_(mine)).order_by(TaskWork.id)):
        works.setdefault(work.assignment_id, []).append(
            {
                "task": work.task_id, "text": work.text, "state": work.state, "marks": work.marks,
                "comment": work.comment, "at": _iso(work.handed_in_at),
            }
        )  # fmt: skip
    return [
        {
            "course": one.course.name, "why": one.why, "words": one.words, "state": one.state, "score": one.score,
            "assigned_at": _iso(one.assigned_at), "due_at": _iso(one.due_at), "done_at": _iso(one.done_at),
            "lessons": lessons.get(one.id, []), "attempts": attempts.get(one.id, []), "tasks": works.get(one.id, []),
        }
        for one in given
    ]  # fmt: skip


def _rows(table: Any, user: User, *options: Any) -> list[Any]:
    query = select(table).where(table.user_id == user.id).options(*options).order_by(*table.__table__.primary_key)
    return list(db.session.scalars(query))


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
