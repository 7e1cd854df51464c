"""What pages show: single rows that the reader may see, and lists of them, page by page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.api import Team, User, allowed, db, now
from helpdesk_training.models import (
    CLAIMED,
    OPEN_STATES,
    PUBLISHED,
    Answer,
    Assignment,
    Attempt,
    Certificate,
    Course,
    CourseSkill,
    Outside,
    Path,
    PathItem,
    Rule,
    TaskWork,
    Version,
)
from helpdesk_training.permissions import ASSIGN, WRITE
from helpdesk_training.scopes import may_see, scope_of

SIZE, MOST = 50, 500
OPEN_ONES, LATE, EVERY = "open", "late", "all"
_Row = TypeVar("_Row")
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True)
class Page(Generic[_Row]):
    """Rows of one page; ``after`` is where the next one begins, "" where there is none."""

    rows: Sequence[_Row]
    after: str = ""


# ---- courses


def course(course_id: int) -> Course | None:
    """A course, whatever its state."""
    return db.session.get(Course, course_id) if course_id < 2**31 else None


def open_course(course_id: int, user: User) -> Course | None:
    """A course that somebody may look at: a published one, any one for those who make courses."""
    found = course(course_id)
    if found is None or (found.state != PUBLISHED and not allowed(user, WRITE)):
        return None
    return found


def versions(courses: Sequence[Course]) -> dict[int, Version]:
    """The newest version of each course, by the id of the course. One query."""
    ids = [one.version_id for one in courses if one.version_id is not None]
    if not ids:
        return {}
    return {row.course_id: row for row in db.session.scalars(select(Version).where(Version.id.in_(ids)))}


def all_courses(state: str = "") -> Sequence[Course]:
    """Courses by name, for those who make them, with their skills."""
    query = select(Course).options(selectinload(Course.skills)).order_by(func.lower(Course.name), Course.id)
    return db.session.scalars((query.where(Course.state == state) if state else query).limit(MOST)).all()


def published(skill: str = "") -> Sequence[Course]:
    """The courses that can be taken, with their skills; ``skill`` narrows to those that teach it."""
    query = select(Course).where(Course.state == PUBLISHED).options(selectinload(Course.skills))
    if skill:
        query = query.where(Course.skills.any(CourseSkill.key == skill))
    return db.session.scalars(query.order_by(func.lower(Course.name), Course.id).limit(MOST)).all()


def taught() -> list[tuple[str, str]]:
    """Key and name of the skills of published courses."""
    query = (
        select(CourseSkill.key, func.min(CourseSkill.name))
        .join(Course, Course.id == CourseSkill.course_id)
        .where(Course.state == PUBLISHED)
        .group_by(CourseSkill.key)
        .order_by(func.min(CourseSkill.name))
        .limit(MOST)
    )
    return [(key, name) for key, name in db.session.execute(query)]


def course_options(present: int | None = None) -> list[tuple[Any, str]]:
    """Published courses to choose from; the present one as well, whatever became of it."""
    query = select(Course.id, Course.name).where((Course.state == PUBLISHED) | (Course.id == (present or 0)))
    return [(row.id, row.name) for row in db.session.execute(query.order_by(func.lower(Course.name)).limit(MOST))]


# ---- paths and rules


def all_paths() -> Sequence[Path]:
    """Learning paths with their courses."""
    query = select(Path).options(selectinload(Path.items).joinedload(PathItem.course))
    return db.session.scalars(query.order_by(Path.active.desc(), func.lower(Path.name)).limit(MOST)).all()


def path(path_id: int) -> Path | None:
    """One of them."""
    return db.session.get(Path, path_id) if path_id < 2**31 else None


def path_options(present: int | None = None) -> list[tuple[Any, str]]:
    """Paths to choose from."""
    query = select(Path.id, Path.name).where(Path.active | (Path.id == (present or 0))).order_by(func.lower(Path.name))
    return [(row.id, row.name) for row in db.session.execute(query.limit(MOST))]


def all_rules() -> Sequence[Rule]:
    """Rules, those that are on first."""
    query = select(Rule).options(joinedload(Rule.team), joinedload(Rule.course), joinedload(Rule.path))
    return db.session.scalars(query.order_by(Rule.active.desc(), func.lower(Rule.name)).limit(MOST)).all()


def rule(rule_id: int) -> Rule | None:
    """One of them."""
    return db.session.get(Rule, rule_id) if rule_id < 2**31 else None


def team_options(present: int | None = None) -> list[tuple[Any, str]]:
    """Teams to choose from; the present one as well."""
    query = select(Team.id, Team.name).where(Team.active | (Team.id == (present or 0))).order_by(func.lower(Team.name))
    return [(row.id, row.name) for row in db.session.execute(query.limit(MOST))]


def teams_of(user: User) -> list[tuple[Any, str]]:
    """The teams whose people somebody looks after: their own, all for administrators and who is in none."""
    query = select(Team.id, Team.name).where(Team.active).order_by(func.lower(Team.name), Team.id)
    own = [team.id for team in user.teams]
    if user.role != "admin" and own:
        query = query.where(Team.id.in_(own))
    return [(row.id, row.name) for row in db.session.execute(query.limit(MOST))]


# ---- assignments


def own_assignment(assignment_id: int, user: User) -> Assignment | None:
    """What somebody is to take or has taken, for that person."""
    query = _assignments().where(Assignment.id == assignment_id, Assignment.user_id == user.id)
    return db.session.scalar(query) if assignment_id < 2**31 else None


def assignment(assignment_id: int, user: User) -> Assignment | None:
    """Of somebody whom the reader looks after."""
    query = _within(_assignments(), user, Assignment.user_id).where(Assignment.id == assignment_id)
    return db.session.scalar(query) if assignment_id < 2**31 else None


def assignments(
    user: User, show: str = OPEN_ONES, course_id: int | None = None, team_id: int | None = None, after: str = ""
) -> Page[Assignment]:
    """Of all people whom the reader looks after, the newest first; ``show``: a state, what is open, late, or all."""
    query = _within(_assignments(), user, Assignment.user_id)
    if show in (OPEN_ONES, LATE):
        query = query.where(Assignment.state.in_(OPEN_STATES))
    elif show != EVERY:
        query = query.where(Assignment.state == show)
    if show == LATE:
        query = query.where(Assignment.due_at < now())
    if course_id is not None:
        query = query.where(Assignment.course_id == course_id)
    if team_id is not None:
        query = query.where(Assignment.person.has(User.teams.any(Team.id == team_id)))
    return _paged(query, Assignment.id, after)


def of_person(person: User) -> Sequence[Assignment]:
    """What one person is to take and has taken, the newest first."""
    query = _assignments().where(Assignment.user_id == person.id).order_by(Assignment.id.desc()).limit(200)
    return db.session.scalars(query).all()


def newest_of(course: Course, user: User) -> Assignment | None:
    """The newest assignment of a course that somebody has."""
    query = _assignments().where(Assignment.user_id == user.id, Assignment.course_id == course.id)
    return db.session.scalar(query.order_by(Assignment.id.desc()).limit(1))


def attempts(assignment: Assignment) -> Sequence[Attempt]:
    """The tries at the quiz, the first one first."""
    query = select(Attempt).where(Attempt.assignment_id == assignment.id).order_by(Attempt.number)
    return db.session.scalars(query.options(joinedload(Attempt.version))).all()


def attempt(assignment: Assignment, number: int) -> Attempt | None:
    """One of them."""
    query = select(Attempt).where(Attempt.assignment_id == assignment.id, Attempt.number == number)
    return db.session.scalar(query.options(joinedload(Attempt.version))) if number < 2**15 else None


def answers(attempt: Attempt) -> dict[str, Answer]:
    """What was answered in it, by the id of the question."""
    query = select(Answer).where(Answer.attempt_id == attempt.id).options(joinedload(Answer.graded_by))
    return {row.question_id: row for row in db.session.scalars(query)}


def works(assignment: Assignment, task_id: str) -> Sequence[TaskWork]:
    """What was made of a task, the first one first."""
    query = select(TaskWork).where(TaskWork.assignment_id == assignment.id, TaskWork.task_id == task_id)
    return db.session.scalars(query.order_by(TaskWork.number).options(joinedload(TaskWork.graded_by))).all()


# ---- grading


def answer(answer_id: int, user: User) -> Answer | None:
    """A free text of somebody whom the reader looks after."""
    query = (
        select(Answer)
        .join(Answer.attempt)
        .join(Attempt.assignment)
        .where(Answer.id == answer_id)
        .options(
            joinedload(Answer.attempt).joinedload(Attempt.version),
            joinedload(Answer.attempt).joinedload(Attempt.assignment).joinedload(Assignment.person),
            joinedload(Answer.attempt).joinedload(Attempt.assignment).joinedload(Assignment.course),
        )
    )
    return db.session.scalar(_within(query, user, Assignment.user_id)) if answer_id < 2**31 else None


def work(work_id: int, user: User) -> TaskWork | None:
    """A task of somebody whom the reader looks after."""
    query = (
        select(TaskWork)
        .join(TaskWork.assignment)
        .where(TaskWork.id == work_id)
        .options(
            joinedload(TaskWork.version),
            joinedload(TaskWork.assignment).joinedload(Assignment.person),
            joinedload(TaskWork.assignment).joinedload(Assignment.course),
        )
    )
    return db.session.scalar(_within(query, user, Assignment.user_id)) if work_id < 2**31 else None


# ---- people, certificates, training elsewhere


def person(user_id: int, user: User) -> User | None:
    """One of the team whose training the reader may see."""
    found = db.session.get(User, user_id) if user_id < 2**31 else None
    if found is None or found.role == "requester" or not may_see(user, found.id):
        return None
    return found


def certificate(serial: str, user: User) -> Certificate | None:
    """By its serial: one's own, or of somebody whom the reader looks after."""
    query = select(Certificate).where(Certificate.serial == serial[:32])
    found = db.session.scalar(
        query.options(joinedload(Certificate.person), joinedload(Certificate.course), joinedload(Certificate.version))
    )
    return found if found is not None and may_see(user, found.user_id) else None


def earned_by(assignment: Assignment) -> Certificate | None:
    """The certificate that was earned by taking a course."""
    return db.session.scalar(select(Certificate).where(Certificate.assignment_id == assignment.id))


def certificates_of(person: User) -> Sequence[Certificate]:
    """All that somebody has earned, the newest first."""
    query = select(Certificate).where(Certificate.user_id == person.id).options(joinedload(Certificate.course))
    return db.session.scalars(query.order_by(Certificate.earned_at.desc(), Certificate.id.desc()).limit(200)).all()


def outside_of(person: User) -> Sequence[Outside]:
    """Training elsewhere, the newest first, without what was corrected."""
    corrected = select(Outside.corrects_id).where(Outside.user_id == person.id, Outside.corrects_id.is_not(None))
    query = select(Outside).where(Outside.user_id == person.id, Outside.id.not_in(corrected))
    return db.session.scalars(query.order_by(Outside.id.desc()).limit(200)).all()


def outside(record_id: int, user: User) -> Outside | None:
    """One record: one's own, or of somebody whom the reader looks after."""
    query = select(Outside).where(Outside.id == record_id)
    people = (joinedload(Outside.person), joinedload(Outside.recorded_by), joinedload(Outside.decided_by))
    found = db.session.scalar(query.options(*people)) if record_id < 2**31 else None
    return found if found is not None and may_see(user, found.user_id) else None


def claimed(user: User, after: str = "") -> Page[Outside]:
    """Training elsewhere that waits to be verified, of the people whom the reader looks after."""
    query = _within(select(Outside), user, Outside.user_id).where(Outside.state == CLAIMED)
    return _paged(query.options(joinedload(Outside.person)), Outside.id, after)


def looks_after(user: User, person: User) -> bool:
    """Whether somebody assigns, grades and assesses for a person: of one's teams, and never oneself."""
    return allowed(user, ASSIGN) and (user.id != person.id or user.role == "admin") and may_see(user, person.id)


def _assignments() -> Select[Assignment]:
    return select(Assignment).options(
        joinedload(Assignment.course), joinedload(Assignment.version), joinedload(Assignment.person)
    )


def _within(query: Any, user: User, column: Any) -> Any:
    criterion = scope_of(user).criterion(column)
    return query if criterion is None else query.where(criterion)


def _paged(query: Any, column: Any, after: str, size: int = SIZE) -> Page[Any]:
    if _NUMBER.fullmatch(after):
        query = query.where(column < int(after))
    rows = db.session.scalars(query.order_by(column.desc()).limit(size + 1)).unique().all()
    return Page(rows[:size], str(rows[size - 1].id) if len(rows) > size else "")
