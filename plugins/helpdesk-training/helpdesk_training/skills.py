"""Skills, and who has which: verified by a certificate, by training elsewhere, or by somebody who has seen it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Select, func, or_, select

from helpdesk.api import Invalid, User, collect, db, now
from helpdesk.api import gettext as _
from helpdesk_training.cleaning import storable
from helpdesk_training.models import (
    RETIRED,
    VERIFIED,
    Assessment,
    Certificate,
    Course,
    CourseSkill,
    Outside,
)
from helpdesk_training.scopes import page_of, scope_of, staff

CERTIFICATE, OUTSIDE, ASSESSED = "certificate", "outside", "assessment"
LENGTH, MOST = 100, 30
PAGE = 50


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
    """Who of some people can do what. ``skills`` are keys and names in order; ``after`` is where the next page begins.

    ``counts`` says how many can do each, of all people of all pages.
    """

    people: Sequence[User]
    skills: list[tuple[str, str]] = field(default_factory=list)
    cells: dict[tuple[int, str], list[Cell]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    after: str = ""

    def cell(self, user_id: int, key: str) -> Cell | None:
        """The best proof: a certificate, then training elsewhere, then an assessment."""
        return next(iter(self.cells.get((user_id, key), ())), None)

    def all(self, user_id: int, key: str) -> Sequence[Cell]:
        """Every proof, the best first."""
        return self.cells.get((user_id, key), ())

    def count(self, key: str) -> int:
        """How many can do it."""
        return self.counts.get(key, 0)


def matrix(actor: User | None, team_id: int | None = None, after: int | None = None, size: int = PAGE) -> Matrix:
    """Who can do what, of the people whom ``actor`` sees: a page, that behind the person ``after``.

    As many queries for many people as for one.
    """
    people, more = page_of(actor, team_id, after, size)
    known, moment = _known(), now()
    found = _matrix(people, known, moment)
    found.counts = known.count(staff(actor, team_id).with_only_columns(User.id).order_by(None), moment)
    found.skills = known.sorted()
    found.after = str(people[-1].id) if more else ""
    return found


def matrix_of(people: Sequence[User], actor: User | None) -> Matrix:
    """The same of some people; only what ``actor`` may see of them. It counts nobody."""
    scope, known = scope_of(actor), _known()
    ids = select(User.id).where(User.id.in_([person.id for person in people]))
    seen = set(db.session.scalars(scope.within(ids, User.id)))
    found = _matrix([person for person in people if person.id in seen], known, now())
    found.people, found.skills = people, known.sorted()
    return found


def _matrix(people: Sequence[User], known: "_Known", moment: datetime) -> Matrix:
    found, ids = Matrix(people), [person.id for person in people]
    for user_id, skills, cell in chain(_certified(ids, known, moment), _from_elsewhere(ids, moment), _assessed(ids)):
        for key, name in skills:
            known.names.setdefault(key, name)
            found.cells.setdefault((user_id, key), []).append(cell)
    return found


@dataclass(frozen=True)
class _Known:
    """The skills by their keys, what each course teaches, and what it is called."""

    names: dict[str, str]
    taught: dict[int, list[tuple[str, str]]]
    titles: dict[int, str]

    def sorted(self) -> list[tuple[str, str]]:
        return sorted(self.names.items(), key=lambda pair: pair[1].casefold())

    def count(self, people: Select[Any], moment: datetime) -> dict[str, int]:
        """How many of these people can do what; it reads only who, so that it is cheap for a whole desk."""
        holders: defaultdict[str, set[int]] = defaultdict(set)
        graduates: defaultdict[int, set[int]] = defaultdict(set)
        certificates = select(Certificate.user_id, Certificate.course_id).where(Certificate.in_force(moment))
        for user_id, course_id in db.session.execute(certificates.where(Certificate.user_id.in_(people))):
            graduates[course_id].add(user_id)
        for course_id, some in graduates.items():
            for key, _name in self.taught.get(course_id, ()):
                holders[key] |= some
        elsewhere = select(Outside.user_id, Outside.skills).where(*_verified(moment), Outside.user_id.in_(people))
        assessed = select(Assessment.user_id, Assessment.key, Assessment.name).where(*_newest())
        rows = chain(
            ((user_id, key_of(name), name) for user_id, names in db.session.execute(elsewhere) for name in names),
            db.session.execute(assessed.where(Assessment.user_id.in_(people))),
        )
        for user_id, key, name in rows:
            self.names.setdefault(key, name)
            holders[key].add(user_id)
        return {key: len(some) for key, some in holders.items()}


def _known() -> _Known:
    """One query. A course that is retired still says what a certificate is about; it offers no skill any more."""
    found = _Known({}, {}, {})
    query = select(CourseSkill.course_id, CourseSkill.key, CourseSkill.name, Course.name, Course.state)
    query = query.join(Course, Course.id == CourseSkill.course_id).order_by(CourseSkill.name)
    for course_id, key, name, title, state in db.session.execute(query):
        found.taught.setdefault(course_id, []).append((key, name))
        found.titles[course_id] = title
        if state != RETIRED:
            found.names[key] = name
    return found


_Proof = tuple[int, Sequence[tuple[str, str]], Cell]


def _verified(moment: datetime) -> tuple[Any, ...]:
    """Verified, not over, and nothing has corrected it."""
    corrected = select(Outside.corrects_id).where(Outside.corrects_id.is_not(None))
    ends = or_(Outside.until.is_(None), Outside.until >= moment.date())
    return Outside.state == VERIFIED, Outside.id.not_in(corrected), ends


def _newest() -> tuple[Any, ...]:
    """The newest assessment of each skill of each person, unless it takes back those before."""
    newest = select(func.max(Assessment.id)).group_by(Assessment.user_id, Assessment.key)
    return Assessment.id.in_(newest), Assessment.grade > 0


def _certified(people: Collection[int], known: _Known, moment: datetime) -> Iterator[_Proof]:
    """Certificates in force, the newest first."""
    mine = Certificate.user_id.in_(people)
    query = select(
        Certificate.user_id, Certificate.course_id, Certificate.earned_at, Certificate.expires_at, Certificate.id
    ).where(mine, Certificate.in_force(moment))
    query = query.order_by(Certificate.earned_at.desc(), Certificate.id.desc())
    for user_id, course_id, since, until, number in db.session.execute(query):
        if course_id in known.taught:
            cell = Cell(CERTIFICATE, since, until, None, known.titles[course_id], number)
            yield user_id, known.taught[course_id], cell


def _from_elsewhere(people: Collection[int], moment: datetime) -> Iterator[_Proof]:
    """Verified training elsewhere, the newest first."""
    query = select(Outside.user_id, Outside.skills, Outside.held_on, Outside.until, Outside.title, Outside.id)
    query = query.where(Outside.user_id.in_(people), *_verified(moment))
    query = query.order_by(Outside.held_on.desc(), Outside.id.desc())
    for user_id, names, held_on, until, title, number in db.session.execute(query):
        ends = _midnight(until + timedelta(days=1)) if until is not None else None
        cell = Cell(OUTSIDE, _midnight(held_on), ends, None, title, number)
        yield user_id, [(key_of(name), name) for name in names], cell


def _assessed(people: Collection[int]) -> Iterator[_Proof]:
    """The newest assessment of each skill of each person."""
    query = select(
        Assessment.user_id, Assessment.key, Assessment.name, Assessment.grade, Assessment.at, Assessment.id
    ).where(Assessment.user_id.in_(people), *_newest())
    for user_id, key, name, grade, at, number in db.session.execute(query):
        yield user_id, [(key, name)], Cell(ASSESSED, at, None, grade, "", number)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), UTC)
