"""Pages of tickets by keyset: the thousandth is as quick as the first."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, literal, select, tuple_, union_all
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.core.extensions import db
from helpdesk.core.filter_criteria import criteria
from helpdesk.core.filters import InvalidFilter, TicketFilter, parse_sort
from helpdesk.core.models import Ticket, TicketRead, User
from helpdesk.core.models.columns import UtcDateTime
from helpdesk.core.permissions import visible_tickets

# More than a screen shows; the rest comes as somebody scrolls.
SIZE = 30
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Stands in a cursor for no date; tickets without one come behind all that have one.
_NEVER = 999_999_999_999_999_999
# What the rows of a sort are ordered by; the last is unique, so that no two rows are equal. The first may be empty.
_KEYS: dict[str, tuple[Any, ...]] = {
    "updated": (Ticket.updated_at, Ticket.id),
    "created": (Ticket.created_at, Ticket.id),
    "due": (Ticket.due_at, Ticket.id),
    "priority": (Ticket.priority_rank, Ticket.updated_at, Ticket.id),
    "number": (Ticket.id,),
}
# Adds to a query where a part of a list goes on, and its order.
_Part = Callable[[Select[Any]], Select[Any]]
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
    parts = list(_parts(keys, descending != backwards, after or before))
    tickets = visible_tickets(user).where(*criteria(wanted, user))
    query = (
        _in_order(tickets, parts, keys, descending != backwards, size + 1)
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
    fetched = db.session.execute(query).all()
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


def _in_order(
    tickets: Select[Any], parts: Sequence[_Part], keys: tuple[Any, ...], descending: bool, size: int
) -> Select[Any]:
    """The first ``size`` tickets of all parts, by one query; the second part is not read once the first fills it."""
    if len(parts) == 1:
        return parts[0](tickets).limit(size)
    first, second = (part(tickets.with_only_columns(Ticket.id)).limit(size).cte() for part in parts)
    room = size - select(func.count()).select_from(first).scalar_subquery()
    rest = select(second.c.id).limit(room).subquery()
    chosen = select(Ticket).where(Ticket.id.in_(union_all(select(first.c.id), select(rest.c.id))))
    return _part((keys[0].is_(None), *keys), descending, None)(chosen)


def _parts(keys: tuple[Any, ...], descending: bool, cursor: str | None) -> Iterator[_Part]:
    """What each part of a list adds to its query: where it goes on and its order, so that an index has both.

    One part where every ticket has a value to be ordered by; otherwise those that have none are a part of their own.
    """
    marks = _marks(cursor, keys) if cursor else None
    if not keys[0].nullable:
        yield _part(keys, descending, marks)
        return
    with_value = (keys, keys[0].is_not(None), marks if marks and marks[0] is not None else None)
    without = (keys[1:], keys[0].is_(None), marks[1:] if marks and marks[0] is None else None)
    parts = [without, with_value] if descending else [with_value, without]
    if marks and (marks[0] is None) != descending:
        # The cursor stands in the second.
        parts.pop(0)
    for columns, criterion, begin in parts:
        yield _part(columns, descending, begin, criterion)


def _part(keys: Sequence[Any], descending: bool, marks: Sequence[Any] | None, *also: Any) -> _Part:
    order = [key.desc() if descending else key.asc() for key in keys]
    if marks is None:
        return lambda query: query.where(*also).order_by(*order)
    row, begin = tuple_(*keys), tuple_(*marks)
    return lambda query: query.where(*also, row < begin if descending else row > begin).order_by(*order)


def _is_unread(ticket: Ticket, read_at: datetime | None, user: User) -> bool:
    if ticket.last_message_at is None or ticket.last_author_id == user.id:
        return False
    return read_at is None or read_at < ticket.last_message_at


def _cursor(ticket: Ticket, keys: Sequence[Any]) -> str:
    return "-".join(str(_written(getattr(ticket, key.key))) for key in keys)


def _written(value: datetime | int | None) -> int:
    if value is None:
        return _NEVER
    return (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value


def _marks(cursor: str, keys: Sequence[Any]) -> list[Any]:
    parts = cursor.split("-")
    if not _CURSOR.fullmatch(cursor) or len(parts) != len(keys):
        raise InvalidFilter.bad_page()
    try:
        return [_mark(int(part), key) for part, key in zip(parts, keys, strict=True)]
    except OverflowError:
        raise InvalidFilter.bad_page() from None


def _mark(value: int, key: Any) -> Any:
    if key.nullable and value == _NEVER:
        return None
    return literal(_EPOCH + value * _MICROSECOND, UtcDateTime) if isinstance(key.type, UtcDateTime) else literal(value)
