"""Grade what a program cannot: free answers and practical tasks, by those who look after the person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, Refused, User, allowed, audit, db, now, transaction
from helpdesk.api import gettext as _
from helpdesk_training import content, mails
from helpdesk_training.assigning import open_one
from helpdesk_training.cleaning import storable
from helpdesk_training.learning import settle, settle_attempt
from helpdesk_training.locking import lock
from helpdesk_training.models import (
    BEGUN,
    FAILED,
    GRADING,
    HANDED_IN,
    PASSED,
    Answer,
    Assignment,
    Attempt,
    Course,
    TaskWork,
)
from helpdesk_training.permissions import ASSIGN
from helpdesk_training.scopes import require_about, scope_of

PAGE = 50
ANSWER, TASK = "answer", "task"
COMMENT_LENGTH = 5_000


@dataclass(frozen=True)
class Waiting:
    """Something to grade: an answer or the work on a task, with the part of the course that it belongs to."""

    assignment: Assignment
    part: Mapping[str, Any]
    since: datetime
    row: Answer | TaskWork

    @property
    def kind(self) -> str:
        """Whether it is an answer or a task."""
        return ANSWER if isinstance(self.row, Answer) else TASK

    @property
    def id(self) -> int:
        """The number of the answer or the work."""
        return self.row.id

    @property
    def person(self) -> User:
        """Whose it is."""
        return self.assignment.person

    @property
    def course(self) -> Course:
        """What it belongs to."""
        return self.assignment.course

    @property
    def place(self) -> str:
        """Where in the list it stands, for the page that follows."""
        return f"{self.since.isoformat()}~{self.kind}~{self.id}"


def waiting(actor: User, after: str | None = None) -> tuple[Sequence[Waiting], str | None]:
    """What waits to be graded by somebody, the oldest first, and where the next page begins (None: there is none).

    Nobody grades their own, but administrators, whom nobody else may grade.
    """
    if not allowed(actor, ASSIGN):
        return (), None
    place = _place(after)
    answers = (
        _answers(actor)
        .options(
            joinedload(Answer.attempt).options(
                joinedload(Attempt.version),
                joinedload(Attempt.assignment).options(joinedload(Assignment.course), joinedload(Assignment.person)),
            )
        )
        .order_by(Attempt.submitted_at, Answer.id)
        .limit(PAGE + 1)
    )
    works = (
        _works(actor)
        .options(
            joinedload(TaskWork.version),
            joinedload(TaskWork.assignment).options(joinedload(Assignment.course), joinedload(Assignment.person)),
        )
        .order_by(TaskWork.handed_in_at, TaskWork.id)
        .limit(PAGE + 1)
    )
    if place is not None:
        answers = answers.where(_behind(Attempt.submitted_at, Answer.id, ANSWER, place))
        works = works.where(_behind(TaskWork.handed_in_at, TaskWork.id, TASK, place))
    found = [_of_answer(one) for one in db.session.scalars(answers)]
    found += [_of_work(one) for one in db.session.scalars(works)]
    found.sort(key=lambda one: (one.since, one.kind, one.id))
    return found[:PAGE], found[PAGE - 1].place if len(found) > PAGE else None


def count(actor: User) -> int:
    """How much waits for somebody. One query."""
    if not allowed(actor, ASSIGN):
        return 0
    both = [select(func.count()).select_from(query.subquery()).scalar_subquery() for query in (
        _answers(actor).with_only_columns(Answer.id), _works(actor).with_only_columns(TaskWork.id))]  # fmt: skip
    return db.session.scalar(select(both[0] + both[1])) or 0


def find_answer(answer_id: int) -> Answer | None:
    """An answer by its number, with whose it is."""
    query = select(Answer).where(Answer.id == answer_id).options(
        joinedload(Answer.attempt).options(
            joinedload(Attempt.version),
            joinedload(Attempt.assignment).options(joinedload(Assignment.course), joinedload(Assignment.person)),
        ),
    )  # fmt: skip
    return db.session.scalar(query)


def grade_answer(answer: Answer, points: int, comment: str, actor: User) -> Answer:
    """Give points for a free answer; with the last one the attempt is passed or not, and the person hears of it.

    Joins or opens the transaction. Raises :class:`Invalid` (points, comment), :class:`Refused` when somebody was
    faster, :class:`NotAllowed`.
    """
    attempt = answer.attempt
    require_about(actor, attempt.assignment.user_id)
    with transaction():
        lock(attempt.assignment)
        lock(answer)
        if not answer.waits:
            raise Refused(_("Somebody else has graded this meanwhile."))
        if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= answer.most:
            raise Invalid("points", _("Write a number from %(least)s to %(most)s.", least=0, most=answer.most))
        answer.points, answer.comment, answer.waits = points, _comment(comment), False
        # Half of the points is what counts as known in the figures.
        answer.right = 2 * points >= answer.most
        answer.graded_by_id, answer.graded_at = actor.id, now()
        db.session.flush()
        db.session.refresh(attempt)
        settle_attempt(attempt)
        settle(attempt.assignment)
        if attempt.state != GRADING:
            mails.graded(attempt.assignment, attempt.state == PASSED)
    return answer


def grade_task(work: TaskWork, marks: Mapping[str, Any], comment: str, actor: User) -> TaskWork:
    """Give points for each line of the rubric; passed or not, the person hears of it.

    Joins or opens the transaction. Raises :class:`Invalid` naming the line, :class:`Refused`, :class:`NotAllowed`.
    """
    require_about(actor, work.assignment.user_id)
    with transaction():
        lock(work.assignment)
        lock(work)
        if work.state != HANDED_IN:
            raise Refused(_("Somebody else has graded this meanwhile."))
        task = content.by_id(work.version.content["tasks"], work.task_id)
        if task is None:
            raise Refused(_("This task is not part of the course any more. Go back to the course."))
        kept = {}
        for line in task["rubric"]:
            points = marks.get(line["id"])
            if isinstance(points, bool) or not isinstance(points, int) or not 0 <= points <= line["points"]:
                raise Invalid(line["id"], _("Write a number from %(least)s to %(most)s.", least=0, most=line["points"]))
            kept[line["id"]] = points
        work.marks, work.comment = kept, _comment(comment)
        work.state = PASSED if sum(kept.values()) >= task["pass_points"] else FAILED
        work.graded_by_id, work.graded_at = actor.id, now()
        db.session.flush()
        settle(work.assignment)
        mails.graded(work.assignment, work.state == PASSED)
    return work


def allow_attempt(assignment: Assignment, actor: User) -> Assignment:
    """Give somebody one attempt more who has none left. Joins or opens the transaction.

    Raises :class:`Refused`, :class:`NotAllowed`.
    """
    require_about(actor, assignment.user_id)
    with transaction():
        lock(assignment)
        if assignment.state != FAILED:
            raise Refused(_("There are attempts left, or the course is over."))
        if open_one(assignment.user_id, assignment.course_id) is not None:
            raise Refused(_("The course has been given again meanwhile."))
        assignment.extra_attempts += 1
        assignment.state = BEGUN
        db.session.flush()
        settle(assignment)
        audit("training.attempt_allowed", actor, assignment.course.name,
              {"assignment": assignment.id, "person": assignment.user_id})  # fmt: skip
    return assignment


def _answers(actor: User) -> Select[Answer]:
    query = (
        select(Answer)
        .join(Attempt, Attempt.id == Answer.attempt_id)
        .join(Assignment, Assignment.id == Attempt.assignment_id)
        .where(Answer.waits, Attempt.state == GRADING, *_not_own(actor))
    )
    return scope_of(actor).within(query, Assignment.user_id)


def _works(actor: User) -> Select[TaskWork]:
    query = select(TaskWork).join(Assignment, Assignment.id == TaskWork.assignment_id)
    query = query.where(TaskWork.state == HANDED_IN, *_not_own(actor))
    return scope_of(actor).within(query, Assignment.user_id)


def _not_own(actor: User) -> tuple[Any, ...]:
    return () if actor.role == "admin" else (Assignment.user_id != actor.id,)


def _of_answer(answer: Answer) -> Waiting:
    attempt = answer.attempt
    part = content.by_id(attempt.version.content["questions"], answer.question_id) or {}
    return Waiting(attempt.assignment, part, attempt.submitted_at or attempt.started_at, answer)


def _of_work(work: TaskWork) -> Waiting:
    part = content.by_id(work.version.content["tasks"], work.task_id) or {}
    return Waiting(work.assignment, part, work.handed_in_at or work.saved_at, work)


def _behind(since: Any, number: Any, kind: str, place: tuple[datetime, str, int]) -> Any:
    moment, its_kind, its_number = place
    if kind == its_kind:
        return or_(since > moment, and_(since == moment, number > its_number))
    return since >= moment if kind > its_kind else since > moment


def _place(after: str | None) -> tuple[datetime, str, int] | None:
    moment, kind, number = ((after or "").split("~") + ["", "", ""])[:3]
    try:
        found = datetime.fromisoformat(moment), kind, int(number)
        # A moment at the edge of all time may be none in UTC.
        found[0].astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return found if found[0].tzinfo is not None and kind in (ANSWER, TASK) and 0 <= found[2] < 2**31 else None


def _comment(text: str) -> str:
    words = storable(text)
    if len(words) > COMMENT_LENGTH:
        raise Invalid("comment", _("This is too long; %(number)s characters fit.", number=COMMENT_LENGTH))
    return words
