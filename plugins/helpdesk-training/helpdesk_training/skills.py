"""Skills, and who has which: verified by a certificate, by training elsewhere, or by somebody who has seen it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import func, or_, select

from helpdesk.api import Invalid, Team, User, collect, db, now
from helpdesk.api import gettext as _
from helpdesk_training.cleaning import storable
from helpdesk_training.models import (
    PUBLISHED,
    VERIFIED,
    Assessment,
    Certificate,
    Course,
    CourseSkill,
    Outside,
)
from helpdesk_training.scopes import people_of, scope_of

CERTIFICATE, OUTSIDE, ASSESSED = "certificate", "outside", "assessment"
LENGTH, MOST = 100, 30


def key_of(name: str) -> str:
    """By what skills, tags and competences are compared: small letters, single spaces."""
    return " ".join(storable(name).replace("_", " ").replace("-", " ").split()).casefold()[:LENGTH]


def clean(names: Iterable[str], name_of_field: str = "skills") -> list[str]:
    """Names of skills as they are kept, each once. Raises :class:`Invalid`."""
    found: dict[str, str] = {}
    for name in names:
        line = " ".join(storable(str(name)).split())
        if len(line) > LENGTH:
            raise Invalid(name_of_field, _("This is too long; %(number)s characters fit.", number=LENGTH))
        if key_of(line):
            found.setdefault(key_of(line), line)
    if len(found) > MOST:
        raise Invalid(name_of_field, _("These are too many skills; %(number)s fit.", number=MOST))
    return list(found.values())


def own_names() -> list[str]:
    """The skills of courses that are not retired. One query."""
    query = select(CourseSkill.key, CourseSkill.name).join(Course, Course.id == CourseSkill.course_id)
    rows = db.session.execute(query.where(Course.state != "retired").order_by(CourseSkill.name)).all()
    return list({key: name for key, name in rows}.values())


def names() -> list[str]:
    """Every skill that is known: of courses, and what other plugins call competences."""
    found = {key_of(name): name for name in own_names()}
    for name in collect("training_skills"):
        found.setdefault(key_of(str(name)), str(name))
    return sorted((name for key, name in found.items() if key), key=str.casefold)


class Cell(NamedTuple):
    """That somebody can do something: how it was verified, since when and until when; ``grade`` of an assessment."""

    how: str
    since: datetime
    until: datetime | None = None
    grade: int | None = None
    title: str = ""
    number: int | None = None


@dataclass
class Matrix:
    """Who of some people can do what. ``skills`` are keys and names in order."""

    people: Sequence[User]
    skills: list[tuple[str, str]] = field(default_factory=list)
    cells: dict[tuple[int, str], list[Cell]] = field(default_factory=dict)

    def cell(self, user_id: int, key: str) -> Cell | None:
        """The best proof: a certificate, then training elsewhere, then an assessment."""
        return next(iter(self.cells.get((user_id, key), ())), None)

    def all(self, user_id: int, key: str) -> Sequence[Cell]:
        """Every proof, the best first."""
        return self.cells.get((user_id, key), ())

    def count(self, key: str) -> int:
        """How many can do it."""
        return sum(1 for person in self.people if (person.id, key) in self.cells)


def matrix(actor: User | None, team_id: int | None = None) -> Matrix:
    """Who can do what, of the people whom ``actor`` sees. As many queries for many people as for one."""
    members = select(User.id).where(User.teams.any(Team.id == team_id)) if team_id is not None else None
    return _matrix(people_of(actor, team_id), actor, members)


def matrix_of(people: Sequence[User], actor: User | None) -> Matrix:
    """The same of some people; only what ``actor`` may see of them."""
    return _matrix(people, actor, [person.id for person in people])


def _matrix(people: Sequence[User], actor: User | None, among: Any) -> Matrix:
    found, known = Matrix(people), {key_of(name): name for name in own_names()}
    ids, moment, cells = {person.id for person in people}, now(), found.cells

    def seen(query: Any, column: Any) -> Any:
        query = scope_of(actor).within(query, column)
        return db.session.execute(query if among is None else query.where(column.in_(among)))

    for user_id, skills, cell in chain(_certified(seen, moment), _from_elsewhere(seen, moment), _assessed(seen)):
        if user_id not in ids:
            continue
        for key, name in skills:
            known.setdefault(key, name)
            cells.setdefault((user_id, key), []).append(cell)
    found.skills = sorted(known.items(), key=lambda pair: pair[1].casefold())
    return found


# What reads rows about people with a query and its column with their numbers.
_Seen = Callable[[Any, Any], Any]
_Proof = tuple[int, Sequence[tuple[str, str]], Cell]


def _certified(seen: _Seen, moment: datetime) -> Iterator[_Proof]:
    """Certificates in force, the newest first; what their courses teach is asked once, not for each."""
    taught: dict[int, list[tuple[str, str]]] = {}
    titles: dict[int, str] = {}
    skills = select(CourseSkill.course_id, CourseSkill.key, CourseSkill.name, Course.name)
    for course_id, key, name, title in db.session.execute(skills.join(Course, Course.id == CourseSkill.course_id)):
        taught.setdefault(course_id, []).append((key, name))
        titles[course_id] = title
    query = select(
        Certificate.user_id, Certificate.course_id, Certificate.earned_at, Certificate.expires_at, Certificate.id
    ).where(Certificate.revoked_at.is_(None), or_(Certificate.expires_at.is_(None), Certificate.expires_at > moment))
    for user_id, course_id, since, until, number in seen(
        query.order_by(Certificate.earned_at.desc(), Certificate.id.desc()), Certificate.user_id
    ):
        if course_id in taught:
            yield user_id, taught[course_id], Cell(CERTIFICATE, since, until, None, titles[course_id], number)


def _from_elsewhere(seen: _Seen, moment: datetime) -> Iterator[_Proof]:
    """Verified training elsewhere that nothing has corrected, the newest first."""
    corrected = select(Outside.corrects_id).where(Outside.corrects_id.is_not(None))
    query = select(Outside.user_id, Outside.skills, Outside.held_on, Outside.until, Outside.title, Outside.id).where(
        Outside.state == VERIFIED,
        Outside.id.not_in(corrected),
        or_(Outside.until.is_(None), Outside.until >= moment.date()),
    )
    for user_id, names, held_on, until, title, number in seen(
        query.order_by(Outside.held_on.desc(), Outside.id.desc()), Outside.user_id
    ):
        ends = _midnight(until + timedelta(days=1)) if until is not None else None
        cell = Cell(OUTSIDE, _midnight(held_on), ends, None, title, number)
        yield user_id, [(key_of(name), name) for name in names], cell


def _assessed(seen: _Seen) -> Iterator[_Proof]:
    """The newest assessment of each skill of each person."""
    newest = select(func.max(Assessment.id)).group_by(Assessment.user_id, Assessment.key)
    query = select(
        Assessment.user_id, Assessment.key, Assessment.name, Assessment.grade, Assessment.at, Assessment.id
    ).where(Assessment.id.in_(newest), Assessment.grade > 0)
    for user_id, key, name, grade, at, number in seen(query, Assessment.user_id):
        yield user_id, [(key, name)], Cell(ASSESSED, at, None, grade, "", number)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)


def taught() -> dict[str, list[int]]:
    """The published courses that teach each skill, by its key."""
    query = select(CourseSkill.key, CourseSkill.course_id).join(Course, Course.id == CourseSkill.course_id)
    found: dict[str, list[int]] = {}
    for key, course_id in db.session.execute(query.where(Course.state == PUBLISHED).order_by(Course.name)):
        found.setdefault(key, []).append(course_id)
    return found
