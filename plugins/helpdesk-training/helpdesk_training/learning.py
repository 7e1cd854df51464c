"""Take a course: begin it, finish lessons, answer the quiz, work on tasks. Whatever is sent is kept."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, NotAllowed, Refused, User, db, now, pgettext, require, transaction
from helpdesk.api import gettext as _
from helpdesk_training import content, moments
from helpdesk_training.assigning import missing_needs
from helpdesk_training.certificates import issue
from helpdesk_training.cleaning import storable
from helpdesk_training.locking import lock
from helpdesk_training.models import (
    ASSIGNED,
    BEGUN,
    DONE,
    DRAFT,
    FAILED,
    GRADING,
    HANDED_IN,
    OPEN,
    OPEN_STATES,
    ORDER,
    PASSED,
    RETIRED,
    VOID,
    WAITING,
    Answer,
    Assignment,
    Attempt,
    LessonDone,
    TaskWork,
    Version,
)
from helpdesk_training.permissions import USE

MOST_LISTED = 200


@dataclass(frozen=True)
class Progress:
    """How far somebody is. ``attempts_left`` is None where there is any number of them."""

    version: Version
    lessons: Sequence[tuple[Mapping[str, Any], datetime | None]]
    tasks: Sequence[tuple[Mapping[str, Any], TaskWork | None]]
    attempts: Sequence[Attempt]
    attempts_left: int | None

    @property
    def questions(self) -> Sequence[Mapping[str, Any]]:
        """The quiz."""
        return list(self.version.content["questions"])

    @property
    def attempt(self) -> Attempt | None:
        """The newest attempt that counts."""
        return next((one for one in reversed(self.attempts) if one.state != VOID), None)

    @property
    def quiz_open(self) -> bool:
        """Whether the quiz may be begun or gone on with."""
        newest = self.attempt
        if not self.questions or self.passed:
            return False
        if newest is not None and newest.state in (OPEN, GRADING):
            return newest.state == OPEN
        return self.attempts_left != 0

    @property
    def passed(self) -> bool:
        """Whether the quiz is passed, or there is none."""
        return not self.questions or any(one.state == PASSED for one in self.attempts)

    @property
    def score(self) -> int | None:
        """The best score of an attempt that passed."""
        return max((one.score or 0 for one in self.attempts if one.state == PASSED), default=None)

    @property
    def waits(self) -> bool:
        """Whether somebody has to grade something."""
        return any(one.state == GRADING for one in self.attempts) or any(
            work is not None and work.state == HANDED_IN for _task, work in self.tasks
        )

    @property
    def done(self) -> int:
        """How many of all parts are done."""
        lessons = sum(1 for _lesson, at in self.lessons if at is not None)
        tasks = sum(1 for _task, work in self.tasks if work is not None and work.state == PASSED)
        return lessons + tasks + (1 if self.questions and self.passed else 0)

    @property
    def parts(self) -> int:
        """How many parts there are: each lesson, the quiz, each task."""
        return len(self.lessons) + len(self.tasks) + (1 if self.questions else 0)

    @property
    def percent(self) -> int:
        """The same as a number up to 100."""
        return 100 * self.done // self.parts if self.parts else 0

    @property
    def is_complete(self) -> bool:
        """Whether nothing is missing."""
        return self.done == self.parts

    @property
    def next_lesson(self) -> Mapping[str, Any] | None:
        """The first lesson that is not done."""
        return next((lesson for lesson, at in self.lessons if at is None), None)

    @property
    def is_stuck(self) -> bool:
        """Whether the quiz cannot be passed any more: every attempt is used up."""
        if self.passed or self.attempts_left != 0:
            return False
        return not any(one.state in (OPEN, GRADING) for one in self.attempts)

    @property
    def is_handed_over(self) -> bool:
        """Whether all that is missing is in somebody else's hands."""
        lessons = all(at is not None for _lesson, at in self.lessons)
        quiz = self.passed or any(one.state == GRADING for one in self.attempts)
        tasks = all(work is not None and work.state in (PASSED, HANDED_IN) for _task, work in self.tasks)
        return lessons and quiz and tasks


def mine(user: User) -> Sequence[Assignment]:
    """What somebody is to learn, what is late first, then what they have learnt, the newest first."""
    is_open = case((Assignment.state.in_(OPEN_STATES), 0), else_=1)
    query = (
        select(Assignment)
        .where(Assignment.user_id == user.id)
        .options(joinedload(Assignment.course), joinedload(Assignment.version), joinedload(Assignment.path))
        .order_by(is_open, Assignment.due_at.is_(None), Assignment.due_at, Assignment.id.desc())
        .limit(MOST_LISTED)
    )
    return db.session.scalars(query).all()


def begin(assignment: Assignment, user: User) -> Assignment:
    """Begin a course, with its newest version. Once begun it is answered as it is. Joins or opens the transaction.

    Raises :class:`Refused` when another course has to come first, or nobody can begin it any more.
    """
    with transaction():
        _lock(assignment, user)
        if assignment.state != ASSIGNED:
            return assignment
        course = assignment.course
        if course.version_id is None or course.state == RETIRED:
            raise Refused(_("“%(name)s” cannot be begun any more; it was retired.", name=course.name))
        missing = missing_needs(assignment.user_id, course)
        if missing:
            names = ", ".join(one.name for one in missing)
            raise Refused(_("Something has to come first: %(names)s.", names=names))
        assignment.version_id, assignment.started_at, assignment.state = course.version_id, now(), BEGUN
        db.session.flush()
        db.session.refresh(assignment, ["version"])
    return assignment


def state_of(assignment: Assignment) -> Progress | None:
    """How far an assignment is; None: it was not begun. Four queries at most."""
    if assignment.version is None:
        return None
    version, parts = assignment.version, assignment.version.content
    lessons = select(LessonDone.lesson_id, LessonDone.done_at).where(LessonDone.assignment_id == assignment.id)
    done = {key: at for key, at in db.session.execute(lessons)} if parts["lessons"] else {}
    attempts: Sequence[Attempt] = ()
    if parts["questions"]:
        tries = select(Attempt).where(Attempt.assignment_id == assignment.id).order_by(Attempt.number)
        attempts = db.session.scalars(tries).all()
    works: dict[str, TaskWork] = {}
    if parts["tasks"]:
        made = select(TaskWork).where(TaskWork.assignment_id == assignment.id, TaskWork.state != VOID)
        works = {one.task_id: one for one in db.session.scalars(made.order_by(TaskWork.number))}
    used = sum(1 for one in attempts if one.state != VOID)
    most = version.attempts + assignment.extra_attempts if version.attempts else None
    return Progress(
        version,
        [(lesson, done.get(lesson["id"])) for lesson in parts["lessons"]],
        [(task, works.get(task["id"])) for task in parts["tasks"]],
        attempts,
        None if most is None else max(most - used, 0),
    )


def percents(assignments: Sequence[Assignment]) -> dict[int, int]:
    """How far many are, in percent, by their numbers. Three queries; what is done is 100, what is not begun 0."""
    begun = {one.id: one for one in assignments if one.version is not None and one.state != DONE}
    counts = dict.fromkeys(begun, 0)
    lessons = select(LessonDone.assignment_id, func.count()).where(LessonDone.assignment_id.in_(begun))
    quizzes = select(Attempt.assignment_id, 1).where(Attempt.assignment_id.in_(begun), Attempt.state == PASSED)
    tasks = select(TaskWork.assignment_id, func.count(TaskWork.task_id.distinct())).where(
        TaskWork.assignment_id.in_(begun), TaskWork.state == PASSED
    )
    queries = (
        lessons.group_by(LessonDone.assignment_id), quizzes.distinct(), tasks.group_by(TaskWork.assignment_id)
    ) if begun else ()  # fmt: skip
    for query in queries:
        for number, count in db.session.execute(query):
            counts[number] += count
    found = {one.id: 100 if one.state == DONE else 0 for one in assignments}
    for number, one in begun.items():
        parts = one.version.content if one.version is not None else content.empty()
        total = len(parts["lessons"]) + len(parts["tasks"]) + (1 if parts["questions"] else 0)
        found[number] = min(100 * counts[number] // total, 99) if total else 0
    return found


def finish_lesson(assignment: Assignment, lesson_id: str, user: User) -> Assignment:
    """Mark a lesson as done; twice is once. Joins or opens the transaction. Raises :class:`Refused`."""
    with transaction():
        _work_on(assignment, user)
        version = _version(assignment)
        if content.by_id(version.content["lessons"], lesson_id) is None:
            raise Refused(_("This lesson is not part of the course any more. Go back to the course."))
        if db.session.get(LessonDone, (assignment.id, lesson_id)) is None:
            db.session.add(LessonDone(assignment_id=assignment.id, lesson_id=lesson_id))
            db.session.flush()
        settle(assignment)
    return assignment


# ---- the quiz


def start_attempt(assignment: Assignment, user: User) -> Attempt:
    """Begin a try at the quiz; the one that is open is answered again. Joins or opens the transaction.

    Raises :class:`Refused` when there is none left, the quiz is passed, or the last one is being graded.
    """
    with transaction():
        _work_on(assignment, user)
        progress = state_of(assignment)
        if progress is None or not progress.questions:
            raise Refused(_("This course has no quiz."))
        newest = progress.attempt
        if newest is not None and newest.state == OPEN:
            return newest
        if progress.passed:
            raise Refused(_("You have passed the quiz already."))
        if newest is not None and newest.state == GRADING:
            raise Refused(_("Your last attempt is being graded. You will hear when that is done."))
        if progress.attempts_left == 0:
            raise Refused(_("You have no attempt left. Ask your supervisor for another one."))
        attempt = Attempt(
            assignment_id=assignment.id, version_id=progress.version.id, state=OPEN, answers={},
            number=max((one.number for one in progress.attempts), default=0) + 1,
        )  # fmt: skip
        attempt.assignment, attempt.version = assignment, progress.version
        db.session.add(attempt)
        db.session.flush()
    return attempt


def shown_options(attempt: Attempt, question: Mapping[str, Any]) -> list[str]:
    """The ids of a question's options in the order in which this attempt shows them: what has been put in order
    first, then the others, never in the right order by themselves.
    """
    options = sorted(question["options"], key=lambda one: _place(attempt, question, one))
    if question["kind"] != ORDER:
        return options
    if options == list(question["right"]) and len(options) > 1:
        options = [*options[1:], options[0]]
    put = [one for one in (attempt.answers or {}).get(question["id"], ()) if one in options]
    return [*put, *(one for one in options if one not in put)]


def _place(attempt: Attempt, question: Mapping[str, Any], option: str) -> bytes:
    """By what options are shown: any order, but the same one whenever the attempt is looked at."""
    return hashlib.sha256(f"{attempt.id}:{question['id']}:{option}".encode()).digest()


def save_answers(attempt: Attempt, answers: Mapping[str, Any], user: User) -> Attempt:
    """Keep what has been answered so far. Questions that are not named stay as they are.

    Joins or opens the transaction. Raises :class:`Invalid` naming a question, :class:`Refused` once handed in.
    """
    with transaction():
        _open_attempt(attempt, user)
        attempt.answers = content.clean_answers(attempt.version.content, answers, attempt.answers or {})
        attempt.saved_at = now()
    return attempt


def submit(attempt: Attempt, answers: Mapping[str, Any], user: User) -> Attempt:
    """Hand in a quiz: what a program can grade is graded at once. What was answered is kept even if one is missing.

    Two transactions unless one is open. Raises :class:`Invalid` naming a question that is not answered,
    :class:`Refused` once handed in.
    """
    save_answers(attempt, answers, user)
    missing = content.unanswered(attempt.version.content, attempt.answers)
    if missing:
        number = [one["id"] for one in attempt.version.content["questions"]].index(missing[0]) + 1
        raise Invalid(missing[0], _("Question %(number)s is not answered yet.", number=number))
    with transaction():
        _open_attempt(attempt, user)
        attempt.submitted_at = now()
        db.session.add_all(_graded(attempt))
        db.session.flush()
        settle_attempt(attempt)
        settle(attempt.assignment)
    return attempt


def answers_of(attempt: Attempt) -> dict[str, Answer]:
    """What was answered in an attempt that was handed in, by the ids of its questions."""
    query = select(Answer).where(Answer.attempt_id == attempt.id).order_by(Answer.id)
    return {one.question_id: one for one in db.session.scalars(query.options(joinedload(Answer.graded_by)))}


# ---- practical tasks


def save_task(assignment: Assignment, task_id: str, text: str, user: User) -> TaskWork:
    """Keep what has been written so far. Joins or opens the transaction. Raises :class:`Invalid`, :class:`Refused`."""
    with transaction():
        work = _task_work(assignment, task_id, user)
        work.text, work.saved_at = _task_text(text), now()
    return work


def hand_in(assignment: Assignment, task_id: str, text: str, user: User) -> TaskWork:
    """Hand in a task to be graded. Joins or opens the transaction. Raises :class:`Invalid`, :class:`Refused`."""
    with transaction():
        work = _task_work(assignment, task_id, user)
        work.text = _task_text(text)
        if not work.text:
            raise Invalid("text", pgettext("training", "Write your answer first."))
        work.state, work.handed_in_at, work.saved_at = HANDED_IN, now(), now()
        db.session.flush()
        settle(assignment)
    return work


# ---- a version that came meanwhile


def newer(assignment: Assignment) -> Version | None:
    """The version that has come since somebody began; None: they have the newest."""
    newest = assignment.course.version_id
    if not assignment.is_open or assignment.version_id is None or newest in (None, assignment.version_id):
        return None
    return db.session.get(Version, newest)


def move_to_newest(assignment: Assignment, user: User) -> Assignment:
    """Go on with the newest version. What has not changed stays done; what has changed is to be done again.

    Joins or opens the transaction. Raises :class:`Refused`.
    """
    with transaction():
        _work_on(assignment, user)
        version, before = newer(assignment), _version(assignment)
        if version is None:
            return assignment
        changed = {key: _changed(before.content[key], version.content[key]) for key in ("lessons", "tasks")}
        db.session.execute(
            delete(LessonDone).where(
                LessonDone.assignment_id == assignment.id, LessonDone.lesson_id.in_(changed["lessons"])
            )
        )
        tasks = select(TaskWork).where(TaskWork.assignment_id == assignment.id, TaskWork.task_id.in_(changed["tasks"]))
        for work in db.session.scalars(tasks):
            work.state = VOID
        if before.content["questions"] != version.content["questions"] or before.pass_mark != version.pass_mark:
            tries = select(Attempt).where(Attempt.assignment_id == assignment.id)
            for attempt in db.session.scalars(tries):
                attempt.state = VOID
            _forget_waiting(assignment)
        assignment.version, assignment.version_id = version, version.id
        db.session.flush()
        settle(assignment)
    return assignment


# ---- what follows


def settle_attempt(attempt: Attempt) -> None:
    """Whether an attempt is passed, once every answer has its points. Inside the transaction."""
    answers = db.session.scalars(select(Answer).where(Answer.attempt_id == attempt.id)).all()
    if any(one.waits for one in answers):
        attempt.state = GRADING
        return
    most = sum(one.most for one in answers)
    attempt.score = 100 * sum(one.points for one in answers) // most if most else 100
    attempt.state = PASSED if attempt.score >= attempt.version.pass_mark else FAILED
    db.session.flush()


def settle(assignment: Assignment) -> None:
    """Bring the state of an assignment up to what is done; complete, it earns a certificate. Inside the transaction."""
    progress = state_of(assignment)
    if progress is None or assignment.state not in (*OPEN_STATES, FAILED):
        return
    if progress.is_complete:
        assignment.state, assignment.done_at, assignment.score = DONE, now(), progress.score
        moments.plan(assignment)
        db.session.flush()
        issue(assignment)
        return
    if progress.is_stuck:
        assignment.state = FAILED
    else:
        assignment.state = WAITING if progress.is_handed_over and progress.waits else BEGUN
    moments.plan(assignment)
    db.session.flush()


def _graded(attempt: Attempt) -> list[Answer]:
    found = []
    for question in attempt.version.content["questions"]:
        given = attempt.answers.get(question["id"])
        right = content.right_of(question, given)
        found.append(
            Answer(
                attempt_id=attempt.id,
                course_id=attempt.assignment.course_id,
                question_id=question["id"],
                given=given,
                right=right,
                waits=right is None,
                points=question["points"] if right else 0,
                most=question["points"],
            )  # fmt: skip
        )
    return found


def _forget_waiting(assignment: Assignment) -> None:
    """Nobody grades what counts no more."""
    tries = select(Attempt.id).where(Attempt.assignment_id == assignment.id)
    for answer in db.session.scalars(select(Answer).where(Answer.attempt_id.in_(tries), Answer.waits)):
        answer.waits = False


def _changed(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of the parts that are gone or not the same."""
    there = {part["id"]: part for part in after}
    return [part["id"] for part in before if there.get(part["id"]) != part]


def _task_work(assignment: Assignment, task_id: str, user: User) -> TaskWork:
    """What can be written at: the draft, or a new one after one that was not passed."""
    _work_on(assignment, user)
    version = _version(assignment)
    if content.by_id(version.content["tasks"], task_id) is None:
        raise Refused(_("This task is not part of the course any more. Go back to the course."))
    made = select(TaskWork).where(TaskWork.assignment_id == assignment.id, TaskWork.task_id == task_id)
    works = db.session.scalars(made.order_by(TaskWork.number).with_for_update()).all()
    newest = next((one for one in reversed(works) if one.state != VOID), None)
    if newest is not None and newest.state == DRAFT:
        return newest
    if newest is not None and newest.state == HANDED_IN:
        raise Refused(_("This task is handed in already and is being graded."))
    if newest is not None and newest.state == PASSED:
        raise Refused(_("You have passed this task already."))
    work = TaskWork(
        assignment_id=assignment.id, version_id=version.id, task_id=task_id, state=DRAFT,
        number=works[-1].number + 1 if works else 1, text="",
    )  # fmt: skip
    db.session.add(work)
    db.session.flush()
    return work


def _task_text(text: str) -> str:
    words = storable(text)
    if len(words) > content.LONGEST_ANSWER:
        raise Invalid("text", _("This is too long; %(number)s characters fit.", number=content.LONGEST_ANSWER))
    return words


def _open_attempt(attempt: Attempt, user: User) -> None:
    _work_on(attempt.assignment, user)
    lock(attempt)
    if attempt.state != OPEN:
        raise Refused(_("This attempt is handed in already. Look at what came of it."))


def _work_on(assignment: Assignment, user: User) -> None:
    """Lock an assignment of one's own that is begun and not over."""
    _lock(assignment, user)
    if assignment.state == ASSIGNED:
        raise Refused(_("Begin the course first."))
    if not assignment.is_open:
        raise Refused(_("This course is over for you. What you have done is kept."))


def _lock(assignment: Assignment, user: User) -> None:
    require(user, USE)
    if assignment.user_id != user.id:
        raise NotAllowed(USE)
    lock(assignment)


def _version(assignment: Assignment) -> Version:
    if assignment.version is None:
        raise Refused(_("Begin the course first."))
    return assignment.version
