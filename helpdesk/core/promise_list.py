"""The promises that somebody may see: open, broken, kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import contains_eager, joinedload

from helpdesk.core.extensions import db
from helpdesk.core.models import Promise, Ticket, User
from helpdesk.core.models.promise import BROKEN, KEPT
from helpdesk.core.permissions import ticket_criterion

OPEN = "open"
KINDS = (OPEN, BROKEN, KEPT)
SIZE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class PromisePage:
    """Promises with their tickets; ``after`` is the cursor of the next page, None at the end."""

    rows: Sequence[Promise]
    after: str | None


def promises(user: User, kind: str, mine: bool = False, after: str | None = None) -> PromisePage:
    """One page: the open ones by their moment, the others newest first. One query, whatever their number.

    Broken ones that nobody has answered yet stand among the broken. A cursor that is none is the beginning.
    """
    query = (
        select(Promise)
        .join(Promise.ticket)
        .where(_of_kind(kind))
        .options(
            contains_eager(Promise.ticket).joinedload(Ticket.requester).load_only(User.name, User.email),
            joinedload(Promise.owner).load_only(User.name, User.email),
        )
    )
    if (visible := ticket_criterion(user)) is not None:
        query = query.where(visible)
    if mine:
        query = query.where(Promise.owner_id == user.id)
    keys = tuple_(Promise.due_at, Promise.id)
    if (marks := _marks(after)) is not None:
        query = query.where(keys > marks if kind == OPEN else keys < marks)
    order = (Promise.due_at, Promise.id) if kind == OPEN else (Promise.due_at.desc(), Promise.id.desc())
    rows = db.session.scalars(query.order_by(*order).limit(SIZE + 1)).all()
    more = len(rows) > SIZE
    return PromisePage(rows[:SIZE], _cursor(rows[SIZE - 1]) if more else None)


def _of_kind(kind: str) -> ColumnElement[bool]:
    return Promise.outcome.is_(None) if kind == OPEN else Promise.outcome == kind


def _cursor(promise: Promise) -> str:
    return f"{(promise.due_at - _EPOCH) // _MICROSECOND}-{promise.id}"


def _marks(after: str | None) -> tuple[datetime, int] | None:
    moment, _dash, number = (after or "").partition("-")
    if not (moment.isascii() and moment.isdigit() and number.isascii() and number.isdigit()):
        return None
    if len(moment) > 17 or len(number) > 18:
        return None
    return _EPOCH + int(moment) * _MICROSECOND, int(number)
