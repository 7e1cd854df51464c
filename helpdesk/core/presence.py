"""Who has a ticket open right now, and who is writing on it.

The page of a ticket says so every two seconds. What a row says is believed for some seconds only, so that nobody has to
say good-bye; and it is written anew only when it changes or grows old, so that a desk full of open tickets leaves the
writer of the database alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import contains_eager

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Presence, User
from helpdesk.core.transaction import transaction

LOOKING, REPLY, NOTE = "", "reply", "note"
WRITING = (LOOKING, REPLY, NOTE)
# How long a row is believed, after what time it is written anew, and when it is cleared away by whoever writes next.
BELIEVED, RENEWED, CLEARED = timedelta(seconds=15), timedelta(seconds=8), timedelta(minutes=1)
_ROWS = 50


@dataclass(frozen=True)
class Present:
    """Somebody who has a ticket open. ``writing`` is "" (looking), "reply" or "note"."""

    user: User
    writing: str


def seen(ticket_id: int, user: User, writing: str = LOOKING) -> Sequence[Present]:
    """Say that ``user`` has the ticket open and what they do there; answers who else has, writers first.

    One query; a small transaction of its own when something changed or the row is older than 8 seconds. The ticket is
    there and ``user`` may see it: the caller has asked. Unknown words for ``writing`` count as looking.
    """
    writing = writing if writing in WRITING else LOOKING
    rows = _believed([ticket_id])
    own = next((row for row in rows if row.user_id == user.id), None)
    others = [Present(row.user, row.writing) for row in rows if row.user_id != user.id]
    if own is None or own.writing != writing or own.seen_at <= now() - RENEWED:
        _write(ticket_id, user.id, writing)
    return sorted(others, key=lambda other: (not other.writing, other.user.id))


def leave(ticket_id: int, user: User) -> None:
    """Say that ``user`` has closed the ticket. A small transaction of its own."""
    user_id = user.id
    with transaction():
        gone = delete(Presence).where(Presence.ticket_id == ticket_id, Presence.user_id == user_id)
        db.session.execute(gone)


def on(ticket_ids: Collection[int], but: User) -> Mapping[int, Sequence[Present]]:
    """Who has which of these tickets open, ``but`` not counted: for the rows of a list. One query."""
    found: dict[int, list[Present]] = {}
    for row in _believed(ticket_ids) if ticket_ids else ():
        if row.user_id != but.id:
            found.setdefault(row.ticket_id, []).append(Present(row.user, row.writing))
    return found


def _believed(ticket_ids: Collection[int]) -> Sequence[Presence]:
    query = select(Presence).join(Presence.user).where(Presence.ticket_id.in_(ticket_ids), User.active)
    query = query.where(Presence.seen_at > now() - BELIEVED).order_by(Presence.ticket_id, Presence.user_id)
    # Rows are written by statements: read what is there, not what this session remembers.
    fresh = query.options(contains_eager(Presence.user)).execution_options(populate_existing=True)
    return db.session.scalars(fresh.limit(_ROWS)).all()


def _write(ticket_id: int, user_id: int, writing: str) -> None:
    insert = postgresql.insert if db.engine.dialect.name == "postgresql" else sqlite.insert
    values = {"writing": writing, "seen_at": now()}
    row = insert(Presence).values(ticket_id=ticket_id, user_id=user_id, **values)
    with transaction():
        db.session.execute(row.on_conflict_do_update(index_elements=["ticket_id", "user_id"], set_=values))
        db.session.execute(delete(Presence).where(Presence.seen_at < now() - CLEARED))
