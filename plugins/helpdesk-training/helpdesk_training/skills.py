"""Skills, and who has which: verified by a certificate, by training elsewhere, or by somebody who has seen it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from sqlalchemy import or_, select

from helpdesk.api import Invalid, User, collect, db, now
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


@dataclass(frozen=True)
class Cell:
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
    return matrix_of(people_of(actor, team_id), actor)


def matrix_of(people: Sequence[User], actor: User | None = None) -> Matrix:
    """The same of some people; only what ``actor`` may see of them."""
    found, known = Matrix(people), {key_of(name): name for name in own_names()}
    ids, moment = {person.id for person in people}, now()
    for user_id, key, name, cell in [*_certified(actor, moment), *_from_elsewhere(actor, moment), *_assessed(actor)]:
        known.setdefault(key, name)
        if user_id in ids:
            found.cells.setdefault((user_id, key), []).append(cell)
    found.skills = sorted(known.items(), key=lambda pair: pair[1].casefold())
    return found


_Row = tuple[int, str, str, Cell]


def _certified(actor: User | None, moment: datetime) -> list[_Row]:
    valid = (Certificate.revoked_at.is_(None), or_(Certificate.expires_at.is_(None), Certificate.expires_at > moment))
    query = (
        select(Certificate.user_id, CourseSkill.key, CourseSkill.name, Certificate.earned_at, Certificate.expires_at,
               Course.name, Certificate.id)
        .join(Course, Course.id == Certificate.course_id)
        .join(CourseSkill, CourseSkill.course_id == Course.id)
        .where(*valid)
        .order_by(Certificate.earned_at.desc())
    )  # fmt: skip
    return [
        (user_id, key, name, Cell(CERTIFICATE, since, until, None, title, number))
        for user_id, key, name, since, until, title, number in db.session.execute(
            scope_of(actor).within(query, Certificate.user_id)
        )
    ]


def _from_elsewhere(actor: User | None, moment: datetime) -> list[_Row]:
    corrected = select(Outside.corrects_id).where(Outside.corrects_id.is_not(None))
    query = select(Outside.user_id, Outside.skills, Outside.held_on, Outside.until, Outside.title, Outside.id).where(
        Outside.state == VERIFIED,
        Outside.id.not_in(corrected),
        or_(Outside.until.is_(None), Outside.until >= moment.date()),
    )
    query = scope_of(actor).within(query, Outside.user_id).order_by(Outside.held_on.desc(), Outside.id.desc())
    found = []
    for user_id, skills, held_on, until, title, number in db.session.execute(query):
        ends = _midnight(until + timedelta(days=1)) if until is not None else None
        found += [
            (user_id, key_of(name), name, Cell(OUTSIDE, _midnight(held_on), ends, None, title, number))
            for name in skills
        ]
    return found


def _assessed(actor: User | None) -> list[_Row]:
    """The newest assessment of each skill of each person."""
    query = select(Assessment.user_id, Assessment.key, Assessment.name, Assessment.grade, Assessment.at, Assessment.id)
    newest: dict[tuple[int, str], _Row | None] = {}
    for user_id, key, name, grade, at, number in db.session.execute(
        scope_of(actor).within(query, Assessment.user_id).order_by(Assessment.id.desc())
    ):
        if (user_id, key) not in newest:
            newest[user_id, key] = (user_id, key, name, Cell(ASSESSED, at, None, grade, "", number)) if grade else None
    return [row for row in newest.values() if row is not None]


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)


def taught() -> dict[str, list[int]]:
    """The published courses that teach each skill, by its key."""
    query = select(CourseSkill.key, CourseSkill.course_id).join(Course, Course.id == CourseSkill.course_id)
    found: dict[str, list[int]] = {}
    for key, course_id in db.session.execute(query.where(Course.state == PUBLISHED).order_by(Course.name)):
        found.setdefault(key, []).append(course_id)
    return found
