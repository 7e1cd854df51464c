"""Pages of tickets by keyset: the thousandth is as quick as the first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import and_, literal, tuple_
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, TicketRead, User
from helpdesk.core.models.columns import UtcDateTime
from helpdesk.core.permissions import visible_tickets
from helpdesk.core.views import InvalidFilter, TicketFilter, criteria, parse_sort

SIZE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# What the rows of a sort are ordered by; the last is unique, so that no two rows are equal.
_KEYS: dict[str, tuple[Any, ...]] = {
    "updated": (Ticket.updated_at, Ticket.id),
    "created": (Ticket.created_at, Ticket.id),
    "priority": (Ticket.priority_rank, Ticket.updated_at, Ticket.id),
    "number": (Ticket.id,),
}
_CURSOR = re.compile(r"[0-9]{1,18}(?:-[0-9]{1,18}){0,2}")


@dataclass(frozen=True)
class Row:
    """A ticket in a list, and whether the reader has seen its newest message."""

    ticket: Ticket
    unread: bool


@dataclass(frozen=True)
class Page:
    """Rows of one page; ``before`` and ``after`` are cursors for its neighbours, None where there is none."""

    rows: Sequence[Row]
    before: str | None = None
    after: str | None = None


def ticket_page(
    user: User,
    wanted: TicketFilter,
    sort: str,
    *,
    after: str | None = None,
    before: str | None = None,
    size: int = SIZE,
) -> Page:
    """One page of the tickets that ``user`` may see and ``wanted`` describes. Two queries, whatever their number.

    ``after`` and ``before`` are cursors of an earlier page. Raises :class:`InvalidFilter` for a cursor that is none.
    """
    keys, descending = _KEYS[parse_sort(sort).lstrip("-")], sort.startswith("-")
    backwards = before is not None and after is None
    query = (
        visible_tickets(user)
        .where(*criteria(wanted, user))
        .add_columns(TicketRead.read_at)
        .outerjoin(TicketRead, and_(TicketRead.ticket_id == Ticket.id, TicketRead.user_id == user.id))
        .options(
            joinedload(Ticket.status),
            joinedload(Ticket.requester).load_only(User.name, User.email),
            joinedload(Ticket.assignee).load_only(User.name, User.email),
            joinedload(Ticket.last_author).load_only(User.name, User.email, User.role),
            joinedload(Ticket.team),
            selectinload(Ticket.tags),
        )
    )
    cursor = after or before
    if cursor:
        row, marks = tuple_(*keys), tuple_(*_marks(cursor, keys))
        query = query.where(row < marks if descending != backwards else row > marks)
    order = [key.desc() if descending != backwards else key.asc() for key in keys]
    fetched = db.session.execute(query.order_by(*order).limit(size + 1)).all()
    more, found = len(fetched) > size, list(fetched[:size])
    if backwards:
        found.reverse()
    rows = [Row(ticket, _is_unread(ticket, read_at, user)) for ticket, read_at in found]
    if not rows:
        return Page(rows)
    has_newer = more if backwards else after is not None
    has_older = before is not None if backwards else more
    return Page(
        rows,
        _cursor(rows[0].ticket, keys) if has_newer else None,
        _cursor(rows[-1].ticket, keys) if has_older else None,
    )


def _is_unread(ticket: Ticket, read_at: datetime | None, user: User) -> bool:
    if ticket.last_message_at is None or ticket.last_author_id == user.id:
        return False
    return read_at is None or read_at < ticket.last_message_at


def _cursor(ticket: Ticket, keys: Sequence[Any]) -> str:
    values = [getattr(ticket, key.key) for key in keys]
    return "-".join(str((value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value) for value in values)


def _marks(cursor: str, keys: Sequence[Any]) -> list[Any]:
    parts = cursor.split("-")
    if not _CURSOR.fullmatch(cursor) or len(parts) != len(keys):
        raise InvalidFilter.bad_page()
    try:
        return [
            literal(_EPOCH + int(part) * _MICROSECOND, UtcDateTime)
            if isinstance(key.type, UtcDateTime)
            else literal(int(part))
            for part, key in zip(parts, keys, strict=True)
        ]
    except OverflowError:
        raise InvalidFilter.bad_page() from None
