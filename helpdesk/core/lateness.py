"""What is late, promised or put to rest: criteria for lists and marks for pages. Columns only, no query of its own."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_

from helpdesk.core import settings
from helpdesk.core.clock import now
from helpdesk.core.models import Ticket
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.settings import LatenessSettings

OVERDUE, DUE_SOON, PROMISED, BROKEN = "overdue", "due_soon", "promised", "broken"
LATE = (OVERDUE, DUE_SOON, PROMISED, BROKEN)


@dataclass(frozen=True)
class Marks:
    """What a list says of one ticket beside its facts."""

    overdue: bool = False
    due_soon: bool = False
    # An answer is promised; ``broken``: and its moment has passed without one.
    promised: bool = False
    broken: bool = False
    snoozed: bool = False
    # It was put to rest and is here again, and nobody of the desk has done anything about it since.
    back: bool = False


def soon() -> timedelta:
    """How long before a moment it counts as near."""
    return timedelta(hours=settings.get(LatenessSettings).due_soon_hours)


def late_criterion(kind: str, at: datetime | None = None) -> ColumnElement[bool]:
    """Tickets that are overdue, due soon, promised (and still in time) or whose promise is broken, as of ``at`` (now).

    Goes on top of ``visible_tickets``. Raises :class:`ValueError` for another kind.
    """
    moment = at or now()
    terms = {
        OVERDUE: lambda: Ticket.due_at <= moment,
        DUE_SOON: lambda: and_(Ticket.due_at > moment, Ticket.due_at <= moment + soon()),
        PROMISED: lambda: Ticket.promised_at > moment,
        BROKEN: lambda: Ticket.promised_at <= moment,
    }
    if kind not in terms:
        raise ValueError(f"There is no kind of lateness {kind}.")
    return and_(Ticket.category.in_(UNSOLVED), terms[kind]())


def snoozed_criterion(snoozed: bool, at: datetime | None = None) -> ColumnElement[bool]:
    """Tickets that rest, or those that do not. One whose time is over is awake, whether a worker has seen it or not."""
    moment = at or now()
    if snoozed:
        return Ticket.snoozed_until > moment
    return or_(Ticket.snoozed_until.is_(None), Ticket.snoozed_until <= moment)


def marks_of(ticket: Ticket, at: datetime | None = None) -> Marks:
    """The marks of a ticket that is loaded."""
    if ticket.category not in UNSOLVED:
        return Marks()
    moment = at or now()
    due, promised, rests = ticket.due_at, ticket.promised_at, ticket.snoozed_until
    snoozed = rests is not None and rests > moment
    return Marks(
        overdue=due is not None and due <= moment,
        due_soon=due is not None and moment < due <= moment + soon(),
        promised=promised is not None and promised > moment,
        broken=promised is not None and promised <= moment,
        snoozed=snoozed,
        back=ticket.snoozed_by_id is not None and not snoozed,
    )
