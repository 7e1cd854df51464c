"""Write courses: what they are called and need, their content, a version of it, the end."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, select, update

from helpdesk.api import Invalid, Refused, User, audit, db, now, require, tidy_language, transaction
from helpdesk.api import gettext as _
from helpdesk_training import content, courses, skills
from helpdesk_training.cleaning import storable
from helpdesk_training.locking import lock
from helpdesk_training.models import (
    ASSIGNED,
    DRAFT,
    PUBLISHED,
    RETIRED,
    WITHDRAWN,
    Assignment,
    Course,
    CourseSkill,
    LessonSkill,
    Version,
)
from helpdesk_training.permissions import WRITE

NAME_LENGTH, SUMMARY_LENGTH, MOST_NEEDS, MOST_LANGUAGES = 200, 2_000, 30, 30
_NUMBERS = {
    "pass_mark": (1, 100),
    "attempts": (0, 100),
    "refresher_days": (0, 365),
    "minutes": (0, 60_000),
}


def save(course: Course | None, values: Mapping[str, Any], actor: User | None, revision: int | None = None) -> Course:
    """Make a course, or change one: the columns of :class:`Course` but its content, those that are given.

    ``skills`` are names, ``needs`` numbers of courses. ``revision``: as the form had it. Joins or opens the
    transaction. Raises :class:`Invalid` naming the column, or ``revision`` when somebody else was faster;
    :class:`NotAllowed`.
    """
    require(actor, WRITE)
    with transaction():
        is_new = course is None
        if course is None:
            course = Course(draft=content.empty(), titles={}, language="en", state=DRAFT)
            values = {"name": "", **values}
            course.name, course.summary = "", ""
        else:
            _lock(course, revision)
        with db.session.no_autoflush:
            _put(course, values)
        if is_new:
            db.session.add(course)
        db.session.flush()
        _touch(course, actor)
        if "needs" in values:
            _set_needs(course, values["needs"])
        audit("training.course_added" if is_new else "training.course_changed", actor, course.name,
              {"course": course.id})  # fmt: skip
    return course


def save_content(course: Course, parts: Mapping[str, Any], actor: User | None, revision: int | None = None) -> Course:
    """Keep the content that is being written; nobody takes it before :func:`publish`. Joins or opens the transaction.

    Raises :class:`Invalid` naming ``question.2.right`` and the like, or ``revision``; :class:`NotAllowed`.
    """
    require(actor, WRITE)
    cleaned = content.clean_content(parts)
    with transaction():
        _lock(course, revision)
        course.draft = cleaned
        _touch(course, actor)
        audit("training.content_changed", actor, course.name, {"course": course.id})
    return course


def publish(course: Course, actor: User | None) -> Version:
    """Have the content as it is now taken by all who begin from now on. Who has begun keeps the version of then.

    The newest version is answered again when nothing has changed. Joins or opens the transaction. Raises
    :class:`Invalid` with what is missing, and :class:`NotAllowed`.
    """
    require(actor, WRITE)
    with transaction():
        _lock(course, None)
        found = courses.problems(course)
        if found:
            raise Invalid("content", " ".join(found))
        if course.state == RETIRED:
            raise Refused(_("This course is retired. Bring it back before you publish it."))
        if (way := courses.circle(course.id, [one.id for one in course.needs])) is not None:
            raise Invalid("needs", courses.said_circle(way, course.name))
        newest = courses.newest(course)
        same = newest is not None and (newest.content, newest.pass_mark, newest.attempts) == (
            course.draft, course.pass_mark, course.attempts,
        )  # fmt: skip
        if newest is not None and same and course.state == PUBLISHED:
            return newest
        number = db.session.scalar(select(func.max(Version.number)).where(Version.course_id == course.id)) or 0
        version = Version(
            course_id=course.id, number=number + 1, content=course.draft, pass_mark=course.pass_mark,
            attempts=course.attempts, made_by_id=actor.id if actor else None,
        )  # fmt: skip
        db.session.add(version)
        db.session.flush()
        course.version_id, course.state = version.id, PUBLISHED
        _index_lessons(course, version)
        _touch(course, actor)
        audit("training.version_published", actor, course.name, {"course": course.id, "number": version.number})
    return version


def retire(course: Course, actor: User | None) -> Course:
    """Have nobody else begin a course. Who has begun may finish; what was not begun is withdrawn.

    Certificates stay. Joins or opens the transaction. Raises :class:`NotAllowed`.
    """
    require(actor, WRITE)
    with transaction():
        _lock(course, None)
        if course.state != RETIRED:
            course.state = RETIRED
            _touch(course, actor)
            waits = (Assignment.course_id == course.id, Assignment.state == ASSIGNED)
            db.session.execute(
                update(Assignment).where(*waits)
                .values(state=WITHDRAWN, next_at=None, withdrawn_why=_("The course was retired."))
            )  # fmt: skip
            audit("training.course_retired", actor, course.name, {"course": course.id})
    return course


def restore(course: Course, actor: User | None) -> Course:
    """Bring a retired course back: as it was published, else as a draft. Raises :class:`NotAllowed`."""
    require(actor, WRITE)
    with transaction():
        _lock(course, None)
        if course.state == RETIRED:
            course.state = PUBLISHED if course.version_id is not None else DRAFT
            _touch(course, actor)
            audit("training.course_restored", actor, course.name, {"course": course.id})
    return course


def _index_lessons(course: Course, version: Version) -> None:
    """What is offered beside tickets, made anew."""
    db.session.execute(delete(LessonSkill).where(LessonSkill.course_id == course.id))
    for lesson in version.content["lessons"]:
        titles = {locale: words["title"] for locale, words in lesson["texts"].items() if words["title"]}
        for key in {skills.key_of(name) for name in lesson["skills"]}:
            db.session.add(LessonSkill(course_id=course.id, lesson_id=lesson["id"], key=key, titles=titles))


def _lock(course: Course, revision: int | None) -> None:
    lock(course)
    if revision is not None and revision != course.revision:
        raise Invalid(
            "revision",
            _("Somebody else has changed this course meanwhile. Open it again beside this page and add your change."),
        )


def _touch(course: Course, actor: User | None) -> None:
    course.revision = (course.revision or 0) + 1
    course.updated_at, course.updated_by_id = now(), actor.id if actor else None


def _put(course: Course, values: Mapping[str, Any]) -> None:
    if "name" in values:
        course.name = _name(str(values["name"]), course.id)
    if "summary" in values:
        course.summary = _text(str(values["summary"]), "summary", SUMMARY_LENGTH)
    if "language" in values:
        course.language = _language(values["language"], "language")
    if "titles" in values:
        course.titles = _titles(values["titles"])
    for name, (least, most) in _NUMBERS.items():
        if name in values:
            setattr(course, name, _number(values[name], name, least, most))
    if "valid_days" in values:
        days = values["valid_days"]
        course.valid_days = None if days is None else _number(days, "valid_days", 1, 36_500)
    if "self_service" in values:
        course.self_service = bool(values["self_service"])
    if "skills" in values:
        wanted = {skills.key_of(name): name for name in skills.clean(values["skills"])}
        kept = {one.key: one for one in course.skills}
        course.skills = [kept.get(key) or CourseSkill(key=key, name=name) for key, name in wanted.items()]
        for one in course.skills:
            one.name = wanted[one.key]


def _set_needs(course: Course, numbers: Sequence[int]) -> None:
    wanted = {number for number in numbers if isinstance(number, int)}
    if len(wanted) > MOST_NEEDS:
        raise Invalid("needs", _("These are too many courses; %(number)s fit.", number=MOST_NEEDS))
    # One at a time looks for circles: two people could close one together otherwise.
    db.session.execute(select(Course.id).order_by(Course.id).with_for_update()).all()
    found = list(db.session.scalars(select(Course).where(Course.id.in_(wanted))))
    if len(found) < len(wanted):
        raise Invalid("needs", _("One of these courses is no longer there."))
    if (way := courses.circle(course.id, wanted)) is not None:
        raise Invalid("needs", courses.said_circle(way, course.name))
    course.needs = found
    db.session.flush()


def _name(text: str, own: int | None) -> str:
    name = " ".join(storable(text).split())
    if not name:
        raise Invalid("name", _("Give the course a name."))
    if len(name) > NAME_LENGTH:
        raise Invalid("name", _("This is too long; %(number)s characters fit.", number=NAME_LENGTH))
    # The database makes small letters on both sides: SQLite leaves those beyond ASCII as they are.
    same = select(Course.id).where(func.lower(Course.name) == func.lower(name), Course.id != (own or 0))
    if db.session.scalar(same) is not None:
        raise Invalid("name", _("There is a course of this name already."))
    return name


def _titles(titles: Any) -> dict[str, dict[str, str]]:
    found = {}
    for code, words in dict(titles or {}).items():
        locale = _language(code, "titles")
        kept = {
            "name": " ".join(_text(str(words.get("name") or ""), "titles", NAME_LENGTH).split()),
            "summary": _text(str(words.get("summary") or ""), "titles", SUMMARY_LENGTH),
        }
        if any(kept.values()):
            found[locale] = kept
    if len(found) > MOST_LANGUAGES:
        raise Invalid("titles", _("These are too many parts; %(number)s fit.", number=MOST_LANGUAGES))
    return found


def _language(code: Any, name: str) -> str:
    locale = tidy_language(str(code))
    if locale is None:
        raise Invalid(name, _("There is no language “%(code)s”.", code=str(code)[:20]))
    return locale


def _text(text: str, name: str, most: int) -> str:
    words = storable(text)
    if len(words) > most:
        raise Invalid(name, _("This is too long; %(number)s characters fit.", number=most))
    return words


def _number(value: Any, name: str, least: int, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise Invalid(name, _("Write a number from %(least)s to %(most)s.", least=least, most=most))
    return value
