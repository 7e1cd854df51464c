"""How far the events are settled: nobody can still commit one that stands before.

Numbers of events are given out before the transaction ends that writes them. On PostgreSQL one with a lower number may
be committed after one with a higher number, and a cursor that had passed the gap would never see it. Numbers that
follow one another are safe. At a gap the newest number is remembered, together with the transaction that was to begin
next: when all transactions before that one have ended, whatever is missing up to that number will never come.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import BigInteger, func, literal_column, select

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Event

_EXTENSION = "helpdesk.horizon"
_RUN = 1_000
# A number is taken a moment before its transaction is known as one that writes.
PAUSE = timedelta(seconds=1)
_SNAPSHOT = "CAST(CAST(pg_snapshot_{}(pg_current_snapshot()) AS text) AS bigint)"
_OLDEST = literal_column(_SNAPSHOT.format("xmin"), BigInteger)
_FOLLOWING = literal_column(_SNAPSHOT.format("xmax"), BigInteger)


@dataclass(frozen=True)
class _Watch:
    """Up to ``newest`` all is settled as soon as the transactions before ``following`` have ended."""

    newest: int
    following: int
    since: datetime


@dataclass
class _Found:
    """What this process has found out."""

    settled: int = 0
    watch: _Watch | None = None


def settled_after(cursor: int) -> tuple[int, bool]:
    """The number up to which events may be handed out, ``cursor`` or more, and whether some stand behind a gap.

    Outside transactions. Whoever finds a gap looks again after :data:`PAUSE`.
    """
    if db.engine.dialect.name != "postgresql":
        # One writer at a time: numbers are committed in their order.
        return max(cursor, db.session.scalar(select(func.max(Event.id))) or 0), False
    found: _Found = current_app.extensions.setdefault(_EXTENSION, _Found())
    while True:
        until = max(cursor, found.settled)
        for number in db.session.scalars(select(Event.id).where(Event.id > until).order_by(Event.id).limit(_RUN)):
            if number != until + 1:
                break
            until = number
        else:
            return until, False
        if not _is_gap_passed(found):
            return until, True


def _is_gap_passed(found: _Found) -> bool:
    newest, oldest, following = db.session.execute(select(func.max(Event.id), _OLDEST, _FOLLOWING)).one()
    watch, moment = found.watch, now()
    if watch is None or moment < watch.since:
        found.watch = _Watch(newest or 0, following, moment)
        return False
    if moment - watch.since < PAUSE or oldest < watch.following:
        return False
    found.settled, found.watch = max(found.settled, watch.newest), None
    return True
