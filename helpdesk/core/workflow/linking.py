"""Say that two tickets have to do with one another."""

from flask_babel import gettext as _
from sqlalchemy import and_, or_, select

from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, TicketLink, User
from helpdesk.core.models.merge import DUPLICATE, FOLLOW_UP, RELATED
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.families import locked
from helpdesk.core.workflow.locking import touch

LINKED, UNLINKED = "tickets_linked", "tickets_unlinked"
# What people may say; "split" is written by splitting alone.
KINDS = (RELATED, DUPLICATE, FOLLOW_UP)
# So many links a ticket takes: each page shows all of them.
MOST = 50


def link(ticket: Ticket, other: Ticket, actor: User | None, kind: str = RELATED) -> TicketLink:
    """Link two tickets; of ``kind`` "related", "duplicate" (``ticket`` is one of ``other``) or "follow_up" (``ticket``

    goes on where ``other`` ended). Linked already, either way round: the kind changes. Records ``tickets_linked`` on
    both. ``actor`` changes ``ticket`` and has to see ``other``. Joins or opens the transaction; locks in the order of
    numbers. Raises :class:`Invalid`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    require(actor, "ticket.read", other)
    if kind not in KINDS:
        raise Invalid("kind", _("Choose how the tickets belong together."))
    if ticket.id == other.id:
        raise Invalid("other", _("A ticket cannot be linked with itself."))
    with transaction():
        locked((ticket.id, other.id))
        row = _between(ticket.id, other.id)
        if row is not None and (row.ticket_id, row.kind) == (ticket.id, kind):
            return row
        if row is None:
            _make_room(ticket)
            row = write_link(ticket, other, kind, actor)
        else:
            row.ticket_id, row.other_id, row.kind = ticket.id, other.id, kind
        for one, another in ((ticket, other), (other, ticket)):
            touch(one)
            record(LINKED, one, actor, {"other": another.id, "kind": kind})
    return row


def unlink(ticket: Ticket, other: Ticket, actor: User | None) -> None:
    """Take a link away, whichever way round it is; record ``tickets_unlinked`` on both. None there: nothing happens.

    Joins or opens the transaction. Raises :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    with transaction():
        locked((ticket.id, other.id))
        row = _between(ticket.id, other.id)
        if row is None:
            return
        db.session.delete(row)
        for one, another in ((ticket, other), (other, ticket)):
            touch(one)
            record(UNLINKED, one, actor, {"other": another.id, "kind": row.kind})


def write_link(ticket: Ticket, other: Ticket, kind: str, actor: User | None) -> TicketLink:
    """The row alone, inside the open transaction; the caller has locked both and records what happened."""
    row = TicketLink(ticket_id=ticket.id, other_id=other.id, kind=kind, created_by_id=actor.id if actor else None)
    db.session.add(row)
    db.session.flush()
    return row


def _between(one: int, other: int) -> TicketLink | None:
    there = and_(TicketLink.ticket_id == one, TicketLink.other_id == other)
    back = and_(TicketLink.ticket_id == other, TicketLink.other_id == one)
    return db.session.scalar(select(TicketLink).where(or_(there, back)).order_by(TicketLink.id).limit(1))


def _make_room(ticket: Ticket) -> None:
    query = select(TicketLink.id).where(or_(TicketLink.ticket_id == ticket.id, TicketLink.other_id == ticket.id))
    if len(db.session.scalars(query.limit(MOST)).all()) == MOST:
        raise Invalid("other", _("A ticket takes %(number)s links at most.", number=MOST))
