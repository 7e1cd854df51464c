"""Find courses: the catalog, one of them, what keeps one from being published."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import selectinload

from helpdesk.api import User, allowed, db, number_in
from helpdesk.api import gettext as _
from helpdesk_training import content, files
from helpdesk_training.models import DRAFT, PUBLISHED, Course, CourseSkill, Need, Version
from helpdesk_training.permissions import USE, WRITE
from helpdesk_training.skills import key_of

PAGE = 50


@dataclass(frozen=True)
class Catalog:
    """Some courses, by their names; ``next`` is where the following page begins, None on the last one."""

    courses: Sequence[Course]
    next: str | None = None


def catalog(
    user: User, *, skill: str = "", words: str = "", state: str = PUBLISHED, after: str | None = None
) -> Catalog:
    """Courses by name: those that can be taken, or of another state for who writes them. ``after``: from there on."""
    if not allowed(user, USE) or (state != PUBLISHED and not allowed(user, WRITE)):
        return Catalog(())
    query = select(Course).where(Course.state == state).options(selectinload(Course.skills), selectinload(Course.needs))
    if skill:
        query = query.where(Course.skills.any(CourseSkill.key == key_of(skill)))
    if words:
        query = query.where(func.lower(Course.name).contains(words.lower()[:100], autoescape=True))
    if (place := _place(after)) is not None:
        query = query.where(or_(Course.name > place[1], and_(Course.name == place[1], Course.id > place[0])))
    found = db.session.scalars(query.order_by(Course.name, Course.id).limit(PAGE + 1)).all()
    more = f"{found[PAGE - 1].id}~{found[PAGE - 1].name}" if len(found) > PAGE else None
    return Catalog(found[:PAGE], more)


def find(course_id: int) -> Course | None:
    """The course of that number, whatever its state."""
    query = select(Course).where(Course.id == course_id)
    return db.session.scalar(query.options(selectinload(Course.skills), selectinload(Course.needs)))


def names(ids: Collection[int]) -> dict[int, str]:
    """What courses are called."""
    query = select(Course.id, Course.name).where(Course.id.in_(set(ids)))
    return {number: name for number, name in db.session.execute(query)}


def all_names(*, published: bool = False) -> list[tuple[int, str]]:
    """Every course that is not retired, or that can be taken, for a field that chooses one."""
    query = select(Course.id, Course.name).order_by(Course.name)
    wanted = Course.state == PUBLISHED if published else Course.state.in_((DRAFT, PUBLISHED))
    return [(number, name) for number, name in db.session.execute(query.where(wanted))]


def newest(course: Course) -> Version | None:
    """The version that is taken by who begins now."""
    return db.session.get(Version, course.version_id) if course.version_id is not None else None


def problems(course: Course) -> list[str]:
    """What keeps the draft of a course from being published, one sentence for each."""
    there = {file.name for file in files.of(course)}
    return content.problems(course.draft or content.empty(), course.language, there)


def has_news(course: Course) -> bool:
    """Whether the draft says something else than the newest version."""
    version = newest(course)
    return version is None or version.content != course.draft


def circle(course_id: int, needs: Collection[int]) -> list[int] | None:
    """The way from a course through what it would need back to itself, as numbers; None: there is none."""
    graph: dict[int, set[int]] = {}
    for own, needed in db.session.execute(select(Need.course_id, Need.needs_id)):
        graph.setdefault(own, set()).add(needed)
    graph[course_id] = set(needs)
    return way_back(graph, course_id)


def way_back(graph: Mapping[int, Collection[int]], start: int) -> list[int] | None:
    """The way from a number back to itself; None: there is none."""
    ways, seen = [[start]], set()
    while ways:
        way = ways.pop()
        for number in sorted(graph.get(way[-1], ())):
            if number == start:
                return [*way, start]
            if number not in seen:
                seen.add(number)
                ways.append([*way, number])
    return None


def said_circle(way: Sequence[int], own: str) -> str:
    """A circle of prerequisites as a sentence."""
    known = names(way) | {way[0]: own}
    chain = " → ".join(known.get(number, str(number)) for number in way)
    return _("These courses would wait for one another: %(chain)s. Take one of them out.", chain=chain)


def _place(after: str | None) -> tuple[int, str] | None:
    place, mark, name = (after or "").partition("~")
    number = number_in(place)
    return (number, name) if mark and number is not None else None
