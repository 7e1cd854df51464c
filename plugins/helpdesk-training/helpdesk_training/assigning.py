"""Give people courses: by hand, by themselves, with a path, by a rule, before a certificate runs out."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from helpdesk.api import Invalid, Refused, User, audit, db, now, require, settings, transaction
from helpdesk.api import gettext as _
from helpdesk_training import mails, moments
from helpdesk_training.cleaning import storable
from helpdesk_training.locking import lock
from helpdesk_training.models import (
    ASSIGNED,
    HAND,
    NEEDED,
    OPEN_STATES,
    PATH,
    PUBLISHED,
    SELF,
    WITHDRAWN,
    Assignment,
    Certificate,
    Course,
    Path,
)
from helpdesk_training.permissions import ASSIGN, USE
from helpdesk_training.scopes import STAFF, require_about, scope_of
from helpdesk_training.settings import TrainingSettings

WORDS_LENGTH = 2_000


@dataclass(frozen=True)
class Cause:
    """Why courses are given: one of the reasons, and what led to it."""

    why: str = HAND
    words: str = ""
    path_id: int | None = None
    rule_id: int | None = None
    ticket_id: int | None = None
    again: bool = False


def assign(
    people: Sequence[User],
    course: Course,
    actor: User | None,
    *,
    due_at: datetime | None = None,
    words: str = "",
    cause: Cause | None = None,
) -> list[Assignment]:
    """Give a course to people, and the courses that it needs and they have not done; each is told by mail.

    Who has it open already keeps it as it is. Answers the assignments that are new. Joins or opens the transaction.
    Raises :class:`Invalid` (people, course, due_at, words), :class:`NotAllowed`.
    """
    require(actor, ASSIGN)
    cause = cause or Cause(words=_words(words))
    with transaction():
        _may_be_given(people, actor)
        _check_due(due_at)
        _can_be_taken(course)
        found = _give(people, [(course, due_at)], actor, cause)
        _tell(found)
        if found and cause.why == HAND:
            audit(
                "training.assigned", actor, course.name, {"course": course.id, "people": [one.user_id for one in found]}
            )
    return found


def assign_path(
    people: Sequence[User],
    path: Path,
    actor: User | None,
    *,
    start: datetime | None = None,
    words: str = "",
    cause: Cause | None = None,
) -> list[Assignment]:
    """Give people every course of a path, due as its items say from ``start`` (now) on. As :func:`assign`."""
    require(actor, ASSIGN)
    begin = start or now()
    cause = cause or Cause(why=PATH, words=_words(words), path_id=path.id)
    with transaction():
        _may_be_given(people, actor)
        if not path.active or not path.items:
            raise Invalid("path", _("This path is not in use. Choose another one."))
        found = _give(people, of_path(path, begin), actor, cause)
        _tell(found)
        if found and cause.why == PATH:
            audit(
                "training.assigned",
                actor,
                path.name,
                {"path": path.id, "people": sorted({one.user_id for one in found})},
            )
    return found


def enroll(user: User, course: Course) -> Assignment:
    """Take a course of one's own accord; the one that is open already is answered again. No end is set.

    Joins or opens the transaction. Raises :class:`Refused`, :class:`NotAllowed`.
    """
    require(user, USE)
    with transaction():
        if (there := open_one(user.id, course.id)) is not None:
            return there
        if not course.self_service or course.state != PUBLISHED:
            raise Refused(_("This course is given by your supervisor. Ask for it."))
        _give([user], [(course, None)], user, Cause(SELF, again=True))
        found = open_one(user.id, course.id)
    if found is None:
        raise Refused(_("This course is given by your supervisor. Ask for it."))
    return found


def withdraw(assignment: Assignment, why: str, actor: User | None) -> Assignment:
    """Take an open assignment back; what was done so far is kept. Joins or opens the transaction.

    Raises :class:`Invalid` (why), :class:`Refused`, :class:`NotAllowed`.
    """
    _require_over(assignment, actor)
    with transaction():
        lock(assignment)
        if not assignment.is_open:
            raise Refused(_("This is over already."))
        assignment.state, assignment.withdrawn_why = WITHDRAWN, _words(why, "why")
        moments.plan(assignment)
        audit("training.withdrawn", actor, assignment.course.name,
              {"assignment": assignment.id, "person": assignment.user_id})  # fmt: skip
    return assignment


def set_due(assignment: Assignment, due_at: datetime | None, actor: User | None) -> Assignment:
    """Set by when it is to be done, or that there is no end. Joins or opens the transaction.

    Raises :class:`Invalid` (due_at), :class:`Refused`, :class:`NotAllowed`.
    """
    _require_over(assignment, actor)
    with transaction():
        lock(assignment)
        if not assignment.is_open:
            raise Refused(_("This is over already."))
        _check_due(due_at)
        assignment.due_at = due_at
        assignment.reminded_at = assignment.late_at = assignment.escalated_at = None
        moments.plan(assignment)
        moments.wake(assignment.next_at)
        audit("training.due_changed", actor, assignment.course.name,
              {"assignment": assignment.id, "person": assignment.user_id})  # fmt: skip
    return assignment


def open_one(user_id: int, course_id: int) -> Assignment | None:
    """What somebody has open of a course."""
    mine = (Assignment.user_id == user_id, Assignment.course_id == course_id, Assignment.state.in_(OPEN_STATES))
    return db.session.scalar(select(Assignment).where(*mine))


def done_by(user_ids: Collection[int], course_ids: Collection[int]) -> set[tuple[int, int]]:
    """Who has done which of some courses so that it counts now: a valid certificate. One query."""
    query = select(Certificate.user_id, Certificate.course_id).where(
        Certificate.course_id.in_(set(course_ids)), Certificate.in_force(now())
    )
    wanted = set(user_ids)
    return {(user_id, course_id) for user_id, course_id in db.session.execute(query) if user_id in wanted}


def missing_needs(user_id: int, course: Course) -> list[Course]:
    """The courses that somebody has to do before this one."""
    done = done_by([user_id], [one.id for one in course.needs])
    return [one for one in course.needs if (user_id, one.id) not in done]


def of_path(path: Path, start: datetime) -> list[tuple[Course, datetime | None]]:
    """The courses of a path that can be taken, and by when each is to be done."""
    return [(item.course, days_after(start, item.due_days)) for item in path.items if item.course.state == PUBLISHED]


def days_after(start: datetime, days: int | None) -> datetime | None:
    """So many days later; None: no end is set."""
    return start + timedelta(days=days) if days is not None else None


def usual_due() -> datetime:
    """By when a course is to be done, as a form proposes it."""
    return now() + timedelta(days=settings(TrainingSettings).due_days)


def give(
    people: Sequence[User], wanted: Sequence[tuple[Course, datetime | None]], cause: Cause, *, tell: bool = True
) -> list[Assignment]:
    """The same by the desk itself: a rule, a refresher. Inside the transaction; with ``tell`` people hear of it."""
    found = _give([one for one in people if one.active and one.role in STAFF], wanted, None, cause)
    if tell:
        _tell(found)
    return found


def _give(
    people: Sequence[User], wanted: Sequence[tuple[Course, datetime | None]], actor: User | None, cause: Cause
) -> list[Assignment]:
    """New assignments, none for who has the course open, or has done it and is not asked to do it again."""
    whole = _with_needs(wanted)
    ids, people_ids = [course.id for course, _due, _own in whole], [person.id for person in people]
    # In the order of their numbers, so that two who give to the same people do not wait for each other.
    db.session.execute(select(User.id).where(User.id.in_(people_ids)).order_by(User.id).with_for_update()).all()
    held = select(Assignment.user_id, Assignment.course_id).where(
        Assignment.user_id.in_(people_ids), Assignment.course_id.in_(ids), Assignment.state.in_(OPEN_STATES)
    )
    there = {(user_id, course_id) for user_id, course_id in db.session.execute(held)}
    done = done_by(people_ids, ids)
    found = []
    for person in {person.id: person for person in people}.values():
        for course, due_at, is_own in whole:
            key = (person.id, course.id)
            if key in there or (key in done and not (is_own and (cause.again or cause.why in (HAND, PATH)))):
                continue
            found.append(_new(person, course, due_at, actor, cause, is_own))
    db.session.add_all(found)
    db.session.flush()
    return found


def _new(
    person: User, course: Course, due_at: datetime | None, actor: User | None, cause: Cause, is_own: bool
) -> Assignment:
    one = Assignment(
        user_id=person.id, course_id=course.id, state=ASSIGNED, why=cause.why if is_own else NEEDED,
        words=cause.words if is_own else "", path_id=cause.path_id, rule_id=cause.rule_id if is_own else None,
        ticket_id=cause.ticket_id if is_own else None, assigned_by_id=actor.id if actor is not None else None,
        assigned_at=now(), due_at=due_at,
    )  # fmt: skip
    one.person, one.course = person, course
    moments.plan(one)
    return one


def _with_needs(wanted: Sequence[tuple[Course, datetime | None]]) -> list[tuple[Course, datetime | None, bool]]:
    """The courses with what they need before them, each once; whether it is asked for itself."""
    own = {course.id for course, _due in wanted}
    graph = _needs_below(own)
    found: dict[int, tuple[Course, datetime | None, bool]] = {}

    def put(course: Course, due_at: datetime | None, is_own: bool, way: frozenset[int]) -> None:
        if course.id in way or course.id in found:
            return
        for needed in graph.get(course.id, ()):
            if needed.id not in own:
                put(needed, due_at, False, way | {course.id})
        if course.state == PUBLISHED:
            found[course.id] = (course, due_at, is_own)

    for course, due_at in wanted:
        put(course, due_at, True, frozenset())
    return list(found.values())


def _needs_below(ids: Collection[int]) -> dict[int, Sequence[Course]]:
    """What these courses need, and those in turn; a query for each step down."""
    graph: dict[int, Sequence[Course]] = {}
    level = set(ids)
    while level:
        query = select(Course).where(Course.id.in_(level)).options(selectinload(Course.needs))
        rows = db.session.scalars(query.execution_options(populate_existing=True)).all()
        graph |= {one.id: list(one.needs) for one in rows}
        level = {needed.id for one in rows for needed in one.needs} - graph.keys()
    return graph


def _tell(found: Iterable[Assignment]) -> None:
    mine: dict[int, list[Assignment]] = {}
    for one in found:
        if one.assigned_by_id != one.user_id:
            mine.setdefault(one.user_id, []).append(one)
    for some in mine.values():
        mails.assigned(some[0].person, some)


def _may_be_given(people: Sequence[User], actor: User | None) -> None:
    if not people:
        raise Invalid("people", _("Choose who is to take it."))
    mine = select(User.id).where(User.id.in_([person.id for person in people]))
    seen = set(db.session.scalars(scope_of(actor).within(mine, User.id)))
    for person in people:
        if not person.active or person.role not in STAFF or person.is_service:
            raise Invalid("people", _("%(name)s is not on the staff any more.", name=person.display_name))
        if person.id not in seen:
            raise Invalid("people", _("%(name)s is in none of your teams.", name=person.display_name))


def _can_be_taken(course: Course) -> None:
    if course.state != PUBLISHED:
        raise Invalid("course", _("“%(name)s” is not published. Publish it first.", name=course.name))


def _check_due(due_at: datetime | None) -> None:
    if due_at is not None and due_at <= now():
        raise Invalid("due_at", _("Choose a day that is still to come."))


def _words(text: str, name: str = "words") -> str:
    words = storable(text)
    if len(words) > WORDS_LENGTH:
        raise Invalid(name, _("This is too long; %(number)s characters fit.", number=WORDS_LENGTH))
    return words


def _require_over(assignment: Assignment, actor: User | None) -> None:
    """Who looks after it; of what one has taken of one's own accord oneself."""
    if actor is not None and assignment.user_id == actor.id and assignment.why == SELF:
        require(actor, USE)
        return
    require_about(actor, assignment.user_id)
