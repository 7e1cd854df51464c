"""What is missing to the next level: of one person, of a whole team, and who is ready."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import has_request_context
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import Team, User, db, now
from helpdesk.api import gettext as _
from helpdesk_career import ladder, measuring, scopes, words
from helpdesk_career.criteria import TIME, days_since
from helpdesk_career.models import Level, Measure, Person, Requirement, Track
from helpdesk_career.offering import LESS, YES, Criterion, criteria

# Why a line is not met: what it is short of, or what keeps it from being measured.
MET, SHORT, FEW, NOTHING, OFF = "met", "short", "few", "nothing", "off"


@dataclass(frozen=True)
class Line:
    """One thing that a level asks for, and how somebody stands there."""

    criterion: str
    choice: str
    days: int
    label: str
    unit: str
    better: str
    threshold: float
    least_count: int
    value: float | None
    count: int
    # One of MET, SHORT, FEW (too few answers yet), NOTHING (not measured yet), OFF (not measurable now).
    state: str
    # The address of what is behind it.
    link: str | None = None

    @property
    def is_met(self) -> bool:
        """Whether it is as good as asked for."""
        return self.state == MET

    @property
    def missing(self) -> float:
        """How much is missing in the line's unit; of too few answers, how many."""
        if self.state == FEW:
            return float(self.least_count - self.count)
        if self.state == SHORT and self.value is not None:
            return abs(self.threshold - self.value)
        return 0.0

    def record(self) -> dict[str, Any]:
        """As it is kept with a decision."""
        return {
            "criterion": self.criterion, "choice": self.choice, "days": self.days, "label": self.label,
            "unit": self.unit, "better": self.better, "threshold": self.threshold, "least_count": self.least_count,
            "value": self.value, "count": self.count, "state": self.state,
        }  # fmt: skip


@dataclass(frozen=True)
class Progress:
    """How somebody stands before a level; without a target there is no higher one."""

    user: User
    level: Level | None
    since: datetime | None
    target: Level | None
    lines: Sequence[Line]
    measured_at: datetime | None = None

    @property
    def met(self) -> int:
        """How many lines are met."""
        return sum(line.is_met for line in self.lines)

    @property
    def is_ready(self) -> bool:
        """Whether everything is met. A level that asks for nothing makes nobody ready by itself."""
        return self.target is not None and bool(self.lines) and self.met == len(self.lines)

    @property
    def open_lines(self) -> list[Line]:
        """What is missing."""
        return [line for line in self.lines if not line.is_met]

    def evidence(self) -> dict[str, Any]:
        """As it is kept with a proposal and a decision."""
        return {"at": now().isoformat(), "lines": [line.record() for line in self.lines]}


def evidence_lines(evidence: Mapping[str, Any] | None) -> list[Line]:
    """The lines of an evidence that was kept."""
    known = Line.__dataclass_fields__
    return [
        Line(**{key: value for key, value in row.items() if key in known}, link=None)
        for row in (evidence or {}).get("lines", ())
        if isinstance(row, dict)
    ]


def of(user: User, target: Level | None = None, fresh: bool = False, every: Sequence[Track] | None = None) -> Progress:
    """How somebody stands before ``target``, or before their next level. Six queries; ``fresh``: measured now.

    ``fresh`` measures outside of what is kept, and must not be asked for inside a transaction. ``every`` are all
    tracks, when they are read already.
    """
    person = db.session.get(Person, user.id)
    level = person.level if person is not None else None
    if target is None:
        every = ladder.tracks(retired=True) if every is None else every
        following = ladder.next_levels(level, every) if level is not None else _entries(every)[:1]
        target = following[0] if following else None
    lines: list[Line] = []
    if target is not None:
        wanted = [_asked(one) for one in target.requirements]
        if fresh:
            kept = {key: said for (_user, key), said in measuring.read([user.id], wanted).items()}
        else:
            query = select(Measure).where(Measure.user_id == user.id)
            kept = {(one.criterion, one.choice, one.days): (one.value, one.count) for one in db.session.scalars(query)}
        linked = user.id if has_request_context() else None
        lines = _lines(target.requirements, kept, criteria(), person, linked)
    return Progress(
        user, level, person.since if person else None, target, lines, person.measured_at if person else None
    )


def has_level(user: User) -> bool:
    """Whether somebody stands on the ladder. One query, which :func:`of` does not repeat."""
    person = db.session.get(Person, user.id)
    return person is not None and person.level_id is not None


def targets(user: User, every: Sequence[Track] | None = None) -> list[Level]:
    """Where somebody may go next: the next level of their track, and the first of tracks that begin there.

    Who has no level yet may get any. ``every`` are all tracks, when they are read already.
    """
    person = db.session.get(Person, user.id)
    every = ladder.tracks(retired=True) if every is None else every
    if person is None or person.level is None:
        return ladder.levels(every)
    return ladder.next_levels(person.level, every)


def _entries(every: Sequence[Track]) -> list[Level]:
    """The first level of each track that is open to everybody."""
    return [
        one
        for track in every
        if track.retired_at is None and track.from_level_id is None
        for one in [level for level in track.levels if level.retired_at is None][:1]
    ]


def of_all(
    actor: User, team_id: int | None = None, after: tuple[str, int] | None = None, most: int | None = None
) -> list[Progress]:
    """How everybody whom ``actor`` sees stands before their next level, by name; eight queries, however many they are.

    ``after`` is the (name, id) of the last one of the page before.
    """
    query = scopes.people(actor)
    if team_id is not None:
        query = query.where(User.teams.any(Team.id == team_id))
    if after is not None:
        query = query.where(db.tuple_(User.name, User.id) > after)
    query = query.order_by(User.name, User.id)
    users = db.session.scalars(query.limit(most) if most is not None else query).all()
    if not users:
        return []
    return _standing(users)


def _standing(users: Sequence[User]) -> list[Progress]:
    ids = [user.id for user in users]
    every = ladder.tracks(retired=True)
    places = {level.id: level for track in every for level in track.levels}
    query = select(Person.user_id, Person.level_id, Person.since, Person.measured_at).where(Person.user_id.in_(ids))
    where = {row.user_id: row for row in db.session.execute(query)}
    entries = _entries(every)[:1]
    following = {number: next(iter(ladder.next_levels(level, every)), None) for number, level in places.items()}
    wanted: dict[int, list[Requirement]] = {}
    for one in db.session.scalars(select(Requirement).order_by(Requirement.position, Requirement.id)):
        wanted.setdefault(one.level_id, []).append(one)
    measured: dict[int, dict[Any, tuple[float | None, int]]] = {}
    columns = (Measure.user_id, Measure.criterion, Measure.choice, Measure.days, Measure.value, Measure.count)
    for user_id, criterion, choice, days, value, count in db.session.execute(
        select(*columns).where(Measure.user_id.in_(ids))
    ):
        measured.setdefault(user_id, {})[criterion, choice, days] = (value, count)
    known = criteria()
    found = []
    for user in users:
        row = where.get(user.id)
        level = places.get(row.level_id) if row is not None and row.level_id is not None else None
        target = following[level.id] if level is not None else next(iter(entries), None)
        asked = wanted.get(target.id, []) if target is not None else []
        lines = _lines(asked, measured.get(user.id, {}), known, row, None)
        found.append(Progress(user, level, row.since if row else None, target, lines, row.measured_at if row else None))
    return found


def ready(actor: User, team_id: int | None = None) -> list[Progress]:
    """Who is ready for the next level, of those whom ``actor`` looks after: not themselves, nor without a level."""
    return [
        one
        for one in of_all(actor, team_id)
        if one.is_ready and one.level is not None and one.user.id != actor.id
    ]  # fmt: skip


def _asked(one: Requirement) -> measuring.Asked:
    return one.criterion, one.choice, one.days


def _lines(
    requirements: Sequence[Requirement],
    measured: Mapping[Any, tuple[float | None, int]],
    known: Mapping[str, Criterion],
    person: Any,
    linked: int | None,
) -> list[Line]:
    """How somebody stands in each; with ``linked``, a person's number, each has its address."""
    return [_line(one, measured, known.get(one.criterion), person, linked) for one in requirements]


def _line(
    one: Requirement,
    measured: Mapping[Any, tuple[float | None, int]],
    criterion: Criterion | None,
    person: Any,
    linked: int | None,
) -> Line:
    said = measured.get(_asked(one))
    if one.criterion == TIME and person is not None and person.since is not None:
        # It grows by itself, without anything that happens.
        said = (days_since(person.since), 1)
    value, count = said if said is not None else (None, 0)
    if criterion is None:
        state = OFF
    elif value is None:
        state = NOTHING
    elif criterion.counts and count < one.least_count:
        state = FEW
    else:
        state = MET if criterion.is_met(value, one.threshold) else SHORT
    link = _link(criterion, linked, one) if linked is not None and criterion is not None else None
    return Line(
        one.criterion, one.choice, one.days, _label(one, criterion), criterion.unit if criterion else "number",
        criterion.better if criterion else "more", one.threshold, one.least_count,
        value if criterion else None, count if criterion else 0, state, link,
    )  # fmt: skip


def _label(one: Requirement, criterion: Criterion | None) -> str:
    """In the reader's language, as far as it is a plugin's own name; what was chosen stands in the words of then."""
    if criterion is None:
        return one.label or one.criterion
    chosen = one.label.partition(": ")[2] if one.choice else ""
    return f"{criterion.label}: {chosen or one.choice}" if one.choice else criterion.label


def _link(criterion: Criterion, user_id: int, one: Requirement) -> str | None:
    if not callable(criterion.link):
        return None
    try:
        found = criterion.link(user_id, one.choice, one.days)
    except Exception:
        measuring.log.exception("The criterion %s has no address.", criterion.key)
        return None
    return found if isinstance(found, str) and found.startswith("/") and not found.startswith("//") else None


def asked_for(line: Line) -> str:
    """What a line asks for, in words: "at least 50", "at most 5 %", "yes"."""
    if line.unit == YES:
        return words.amount(1.0, YES)
    wanted = words.amount(line.threshold, line.unit)
    return _("at most %(amount)s", amount=wanted) if line.better == LESS else _("at least %(amount)s", amount=wanted)


def person_of(user: User) -> Person | None:
    """Where somebody stands, with the level and its track."""
    query = select(Person).where(Person.user_id == user.id)
    return db.session.scalar(query.options(joinedload(Person.level).joinedload(Level.track)))
