"""Measure what levels ask for: of whom something has happened, and once a night of everybody."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from helpdesk.api import Ticket, db, hookimpl, now, transaction
from helpdesk_career.models import Level, Measure, Person, Requirement, Track
from helpdesk_career.offering import Criterion, criteria

# People are measured and written in portions: of so many rows a statement stays below what SQLite takes.
PEOPLE, _ROWS = 500, 2_000
_DONE = ("solved", "closed")
Asked = tuple[str, str, int]
log = logging.getLogger(__name__)


def asked() -> list[Asked]:
    """What is measured: each criterion, choice and span of days that a level in use asks for."""
    query = (
        select(Requirement.criterion, Requirement.choice, Requirement.days)
        .join(Level, Level.id == Requirement.level_id)
        .join(Track, Track.id == Level.track_id)
        .where(Level.retired_at.is_(None), Track.retired_at.is_(None))
        .distinct()
    )
    return sorted((criterion, choice, days) for criterion, choice, days in db.session.execute(query))


def read(user_ids: Sequence[int], wanted: Iterable[Asked]) -> dict[tuple[int, Asked], tuple[float | None, int]]:
    """Measure these people now; what cannot be measured is left out. Writes nothing; each asked in two queries.

    A criterion that raises counts as one that cannot be measured.
    """
    known = criteria()
    moment = now()
    found: dict[tuple[int, Asked], tuple[float | None, int]] = {}
    for one in wanted:
        criterion = known.get(one[0])
        if criterion is None:
            continue
        since = moment - timedelta(days=one[2]) if one[2] else None
        measured = _measured(criterion, user_ids, since, one[1])
        if measured is None:
            continue
        # Who is left out has done nothing: that is none of what is counted, and nothing to measure otherwise.
        nothing = (0.0, 0) if criterion.unit in ("number", "yes", "days") else (None, 0)
        for user_id in user_ids:
            found[user_id, one] = measured.get(user_id, nothing)
    return found


def _measured(criterion: Criterion, user_ids: Sequence[int], since: Any, choice: str) -> Mapping[int, Any] | None:
    """What a criterion says, in a savepoint: one that fails spoils nothing else."""
    try:
        with db.session.begin_nested():
            said = criterion.measure(user_ids, since, choice)
            return {
                int(key): (None if value is None else float(value), int(count)) for key, (value, count) in said.items()
            }
    except Exception:
        log.exception("The criterion %s could not be measured.", criterion.key)
        return None


def measure(user_ids: Sequence[int] | None = None) -> int:
    """Measure these people (None: everybody with a level) and keep what was found; how many. Opens transactions."""
    if user_ids is None:
        query = select(Person.user_id).where(Person.level_id.is_not(None)).order_by(Person.user_id)
        user_ids = list(db.session.scalars(query))
    wanted = asked()
    for start in range(0, len(user_ids), PEOPLE):
        _keep(user_ids[start : start + PEOPLE], wanted)
    return len(user_ids)


def measure_stale() -> int:
    """Measure those of whom something has happened since, or who were left half-way; how many. Opens transactions."""
    waiting = or_(Person.stale, Person.measured_at.is_(None))
    query = select(Person.user_id).where(waiting, Person.level_id.is_not(None)).order_by(Person.user_id)
    return measure(list(db.session.scalars(query.limit(10 * PEOPLE))))


def _keep(user_ids: Sequence[int], wanted: Sequence[Asked]) -> None:
    mine = update(Person).where(Person.user_id.in_(user_ids))
    with transaction():
        # Before it is read: what happens from now on makes them stale again. Until it is written they count as not
        # measured, so that the next job does what one that is killed has left.
        db.session.execute(mine.values(stale=False, measured_at=None))
    moment = now()
    found = read(user_ids, wanted)
    rows = [
        {
            "user_id": user_id, "criterion": one[0], "choice": one[1], "days": one[2], "value": value, "count": count,
            "measured_at": moment,
        }
        for (user_id, one), (value, count) in sorted(found.items())
    ]  # fmt: skip
    with transaction():
        there = set(db.session.scalars(select(Person.user_id).where(Person.user_id.in_(user_ids))))
        _upsert([row for row in rows if row["user_id"] in there])
        db.session.execute(mine.values(measured_at=moment))


def _upsert(rows: Sequence[Mapping[str, Any]]) -> None:
    make: Any = postgresql.insert if db.session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for start in range(0, len(rows), _ROWS):
        statement = make(Measure).values(rows[start : start + _ROWS])
        new = {name: statement.excluded[name] for name in ("value", "count", "measured_at")}
        db.session.execute(
            statement.on_conflict_do_update(index_elements=["user_id", "criterion", "choice", "days"], set_=new),
            execution_options={"synchronize_session": False},
        )


def make_stale(user_ids: Iterable[int | None]) -> None:
    """Note that something has happened that a criterion may count. Inside the transaction; one statement."""
    numbers = sorted({number for number in user_ids if number is not None})
    if numbers:
        which = (Person.user_id.in_(numbers), Person.stale.is_(False), Person.level_id.is_not(None))
        db.session.execute(update(Person).where(*which).values(stale=True))


# ---- what happens


@hookimpl
def ticket_status_changed(ticket: Ticket, event: Any) -> None:
    """A ticket was solved, or opened again."""
    if event.data.get("to_category") in _DONE or event.data.get("from_category") in _DONE:
        make_stale([ticket.assignee_id])


@hookimpl
def ticket_assigned(ticket: Ticket, event: Any) -> None:
    """A ticket that is solved, or was, counts for somebody else now."""
    if ticket.category in _DONE or ticket.reopened:
        make_stale([event.data.get("from"), event.data.get("to")])


@hookimpl(optionalhook=True)
def surveys_answered(ticket_id: int | None) -> None:
    """A customer has said how it was."""
    if ticket_id is not None:
        make_stale(db.session.scalars(select(Ticket.assignee_id).where(Ticket.id == ticket_id)))


@hookimpl(optionalhook=True)
def training_course_completed(user_id: int) -> None:
    """Somebody has learned something."""
    make_stale([user_id])


@hookimpl(optionalhook=True)
def training_certificate_expired(user_id: int) -> None:
    """A certificate counts no more."""
    make_stale([user_id])
