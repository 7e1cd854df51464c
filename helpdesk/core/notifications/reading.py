"""What a person is told on the page: the list, how many are unread, and that something was read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import contains_eager, joinedload, load_only

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Notification, Ticket, User
from helpdesk.core.permissions import visible_tickets
from helpdesk.core.transaction import transaction

SIZE = 50
# More unread ones are not counted: “99+”.
MOST = 99
KEPT = timedelta(days=90)
_NEWS = 5


@dataclass(frozen=True)
class Page:
    """One page of notices, the newest first; ``older`` is where the next one begins, None at the end."""

    rows: Sequence[Notification]
    older: int | None


@dataclass(frozen=True)
class News:
    """What an open page asks for every few seconds: how many are unread, the newest number, what the browser shows."""

    unread: int
    newest: int
    rows: Sequence[Notification]


def page(user: User, before: int | None = None, *, unread: bool = False, size: int = SIZE) -> Page:
    """Notices on tickets that ``user`` may see now, those before number ``before``. Two queries at most."""
    query = _whole(_mine(user)).where(Notification.on_page).order_by(Notification.id.desc())
    if before is not None:
        query = query.where(Notification.id < before)
    if unread:
        query = query.where(Notification.read_at.is_(None))
    rows = list(db.session.scalars(query.limit(size + 1)).unique())
    return Page(rows[:size], rows[size - 1].id if len(rows) > size else None)


def unread(user: User) -> tuple[int, int]:
    """How many are unread (at most one more than MOST), and the newest number of all. One query."""
    some = (
        _mine(user)
        .with_only_columns(Notification.id, Notification.on_page)
        .where(Notification.read_at.is_(None))
        .order_by(Notification.id.desc())
        .limit(MOST + 1)
        .subquery()
    )
    shown = func.count().filter(some.c.on_page)
    count, newest = db.session.execute(select(shown, func.max(some.c.id))).one()
    return count, newest or 0


def news(user: User, since: int | None) -> News:
    """What has come after number ``since`` (None: nothing is new yet) and is unread. Two queries at most."""
    count, newest = unread(user)
    if since is None or newest <= since:
        return News(count, max(newest, since or 0), ())
    fresh = (Notification.read_at.is_(None), Notification.in_browser, Notification.id > since)
    query = _whole(_mine(user)).where(*fresh)
    rows = db.session.scalars(query.order_by(Notification.id.desc()).limit(_NEWS)).unique().all()
    return News(count, newest, rows)


def by_ids(user: User, ids: Sequence[int]) -> Sequence[Notification]:
    """Some of a person's notices, on tickets that they may see now, the oldest first. One query."""
    query = _whole(_mine(user)).where(Notification.id.in_(ids)).order_by(Notification.id)
    return db.session.scalars(query).unique().all()


def _mine(user: User) -> Select[Any]:
    tickets = visible_tickets(user).join(Notification, Notification.ticket_id == Ticket.id)
    return tickets.with_only_columns(Notification).where(Notification.user_id == user.id)


def _whole(query: Select[Any]) -> Select[Any]:
    return query.options(
        contains_eager(Notification.ticket).options(
            load_only(Ticket.id, Ticket.subject, Ticket.requester_id),
            joinedload(Ticket.requester).load_only(User.name, User.email),
        ),
        joinedload(Notification.event).joinedload(Event.actor).load_only(User.name, User.email),
    )


# ---- that it was read


def mark_read(user: User, ids: Sequence[int]) -> None:
    """The person has read these of their notices. Joins or opens the transaction; nothing is written for none."""
    _mark(user, Notification.id.in_(ids))


def mark_all_read(user: User, until: int) -> None:
    """The person has read all up to number ``until``: what came after the list was shown stays unread."""
    _mark(user, Notification.id <= until)


def mark_ticket_read(user: User, ticket: Ticket) -> None:
    """The person has the ticket on the screen. Joins or opens the transaction; nothing is written for none."""
    _mark(user, Notification.ticket_id == ticket.id)


def _mark(user: User, which: Any) -> None:
    mine = (Notification.user_id == user.id, Notification.read_at.is_(None), which)
    # Most of the time there is none, and nobody waits for the writer's lock then.
    if db.session.scalar(select(Notification.id).where(*mine).limit(1)) is None:
        return
    with transaction():
        db.session.execute(update(Notification).where(*mine).values(read_at=now(), mail_at=None))


def forget(ids: Sequence[int]) -> None:
    """Take notices away for good. Joins the open transaction."""
    db.session.execute(delete(Notification).where(Notification.id.in_(ids)))
