"""How learning goes: by course, what is late, which questions most fail, what one person has done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Integer, Select, and_, case, cast, func, or_, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Team, User, allowed, db, now
from helpdesk_training import content
from helpdesk_training.models import (
    DONE,
    FAILED,
    OPEN_STATES,
    WITHDRAWN,
    Answer,
    Assignment,
    Attempt,
    Course,
    Version,
)
from helpdesk_training.permissions import ASSIGN
from helpdesk_training.scopes import scope_of

PAGE = 50


@dataclass(frozen=True)
class CourseFigures:
    """Of one course: how many were given it and not withdrawn, how many have done it, are late, could not pass."""

    course: Course
    assigned: int
    done: int
    overdue: int
    failed: int
    score: int | None

    @property
    def percent(self) -> int:
        """How many of those who were given it have done it."""
        return 100 * self.done // self.assigned if self.assigned else 0


@dataclass(frozen=True)
class QuestionFigures:
    """Of one question: how often it was answered, and how often wrongly."""

    course: Course
    question_id: str
    question: Mapping[str, Any]
    answered: int
    failed: int

    @property
    def percent(self) -> int:
        """How many of the answers were wrong."""
        return 100 * self.failed // self.answered if self.answered else 0


def overview(actor: User, team_id: int | None = None) -> Sequence[CourseFigures]:
    """Figures of every course that somebody was given, by name, of the people whom ``actor`` sees. Two queries."""
    if not allowed(actor, ASSIGN):
        return ()
    moment = now()
    late = and_(Assignment.state.in_(OPEN_STATES), Assignment.due_at < moment)
    query = (
        select(
            Assignment.course_id,
            func.count(),
            _sum(Assignment.state == DONE),
            _sum(late),
            _sum(Assignment.state == FAILED),
            func.avg(case((Assignment.state == DONE, Assignment.score))),
        )
        .where(Assignment.state != WITHDRAWN)
        .group_by(Assignment.course_id)
    )
    rows = {row[0]: row[1:] for row in db.session.execute(_of(query, actor, team_id))}
    courses = db.session.scalars(select(Course).where(Course.id.in_(rows)).order_by(Course.name)).all()
    found = []
    for course in courses:
        assigned, done, late_ones, failed, average = rows[course.id]
        found.append(CourseFigures(course, assigned, done, late_ones, failed, _percent(average)))
    return found


def overdue(
    actor: User, after: str | None = None, team_id: int | None = None
) -> tuple[Sequence[Assignment], str | None]:
    """What is late, the oldest first, and where the next page begins (None: there is none)."""
    if not allowed(actor, ASSIGN):
        return (), None
    query = (
        select(Assignment)
        .where(Assignment.state.in_(OPEN_STATES), Assignment.due_at < now())
        .options(joinedload(Assignment.course), joinedload(Assignment.person))
        .order_by(Assignment.due_at, Assignment.id)
        .limit(PAGE + 1)
    )
    if (place := _place(after)) is not None:
        moment, number = place
        query = query.where(or_(Assignment.due_at > moment, and_(Assignment.due_at == moment, Assignment.id > number)))
    found = db.session.scalars(_of(query, actor, team_id)).all()
    last = found[PAGE - 1] if len(found) > PAGE else None
    more = f"{last.due_at.isoformat()}~{last.id}" if last is not None and last.due_at is not None else None
    return found[:PAGE], more


def most_failed(actor: User, course_id: int | None = None, limit: int = 20) -> Sequence[QuestionFigures]:
    """The questions that were most often answered wrongly, of those whose answers are graded. Three queries."""
    if not allowed(actor, ASSIGN):
        return ()
    failed, answered = _sum(~Answer.right), func.count()
    query = (
        select(Answer.course_id, Answer.question_id, answered, failed)
        .where(Answer.right.is_not(None))
        .group_by(Answer.course_id, Answer.question_id)
        .having(failed > 0)
        .order_by((failed * 1.0 / answered).desc(), failed.desc(), Answer.course_id, Answer.question_id)
        .limit(limit)
    )
    if course_id is not None:
        query = query.where(Answer.course_id == course_id)
    if not scope_of(actor).everything:
        query = query.join(Attempt, Attempt.id == Answer.attempt_id)
        query = query.join(Assignment, Assignment.id == Attempt.assignment_id)
        query = scope_of(actor).within(query, Assignment.user_id)
    rows = db.session.execute(query).all()
    courses = {one.id: one for one in db.session.scalars(select(Course).where(Course.id.in_({row[0] for row in rows})))}
    newest = select(Version).where(Version.id.in_([one.version_id for one in courses.values() if one.version_id]))
    versions = {one.course_id: one for one in db.session.scalars(newest)}
    found = []
    for number, question_id, total, wrong in rows:
        parts = versions[number].content["questions"] if number in versions else []
        # One that was taken out of the course meanwhile helps nobody.
        if (question := content.by_id(parts, question_id)) is not None:
            found.append(QuestionFigures(courses[number], question_id, question, total, wrong))
    return found


def counts_of(user_id: int) -> dict[str, int]:
    """How much somebody has open, late, done and not passed. One query."""
    late = and_(Assignment.state.in_(OPEN_STATES), Assignment.due_at < now())
    query = select(
        _sum(Assignment.state.in_(OPEN_STATES)), _sum(late), _sum(Assignment.state == DONE),
        _sum(Assignment.state == FAILED),
    ).where(Assignment.user_id == user_id)  # fmt: skip
    return dict(zip(("open", "overdue", "done", "failed"), map(int, db.session.execute(query).one()), strict=True))


def of_team(actor: User, team_id: int | None = None) -> dict[int, dict[str, int]]:
    """The same of each person whom ``actor`` sees, by their number. One query."""
    if not allowed(actor, ASSIGN):
        return {}
    late = and_(Assignment.state.in_(OPEN_STATES), Assignment.due_at < now())
    query = select(
        Assignment.user_id, _sum(Assignment.state.in_(OPEN_STATES)), _sum(late), _sum(Assignment.state == DONE),
        _sum(Assignment.state == FAILED),
    ).group_by(Assignment.user_id)  # fmt: skip
    return {
        row[0]: dict(zip(("open", "overdue", "done", "failed"), map(int, row[1:]), strict=True))
        for row in db.session.execute(_of(query, actor, team_id))
    }


def _of(query: Select[Any], actor: User, team_id: int | None) -> Select[Any]:
    """Of the people whom somebody sees, those of one team."""
    if team_id is not None:
        members = select(User.id).where(User.teams.any(Team.id == team_id))
        query = query.where(Assignment.user_id.in_(members))
    return scope_of(actor).within(query, Assignment.user_id)


def _sum(criterion: Any) -> Any:
    return func.coalesce(func.sum(cast(case((criterion, 1), else_=0), Integer)), 0)


def _percent(average: Any) -> int | None:
    return round(float(average)) if average is not None else None


def _place(after: str | None) -> tuple[datetime, int] | None:
    moment, mark, number = (after or "").partition("~")
    try:
        found = datetime.fromisoformat(moment), int(number)
        # A moment at the edge of all time may be none in UTC.
        found[0].astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if mark and found[0].tzinfo is not None and 0 <= found[1] < 2**31 else None
