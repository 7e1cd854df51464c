"""Optimistic locking: a form carries the version it was made from, and is stale only where it matters."""

from collections.abc import Callable, Collection

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.orm import joinedload

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Ticket, User
from helpdesk.core.workflow.errors import Invalid, Stale


def lock(ticket: Ticket) -> None:
    """Read the ticket anew inside the write transaction, locked on PostgreSQL."""
    try:
        db.session.refresh(ticket, with_for_update={"of": Ticket})
    except InvalidRequestError:
        raise Invalid("ticket", _("This ticket is no longer there.")) from None


def check_version(
    ticket: Ticket,
    version: int | None,
    actor: User | None,
    kinds: Collection[str],
    matches: Callable[[Event], bool] = lambda event: True,
) -> None:
    """Raise :class:`Stale` when somebody else recorded one of ``kinds`` after ``version``.

    A form is not stale because something else changed: assigning a ticket does not conflict with a new tag.
    """
    if version is None or version >= ticket.version:
        return
    query = (
        select(Event)
        .where(Event.ticket_id == ticket.id, Event.version > version, Event.kind.in_(kinds))
        .options(joinedload(Event.actor), joinedload(Event.message))
        .order_by(Event.id)
    )
    mine = actor.id if actor is not None else None
    events = [event for event in db.session.scalars(query) if event.actor_id != mine and matches(event)]
    if events:
        raise Stale(ticket, events)


def touch(ticket: Ticket) -> None:
    """Count a change of the ticket: once per verb, before its events are recorded."""
    ticket.version += 1
    ticket.updated_at = now()
