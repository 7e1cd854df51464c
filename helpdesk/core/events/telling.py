"""Tells one plugin of one event."""

from sqlalchemy.orm import joinedload

from helpdesk.core.events.record import FACTS, facts
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Ticket
from helpdesk.plugins import manager

# The fact that every event is, whatever its kind.
EVERY = "event_recorded"


class NotListening(Exception):
    """The plugin has been switched off or paused in the meantime: it is to be told later, or never."""


def listeners() -> list[str]:
    """The plugins that want to be told of anything, off and paused ones left out, by name."""
    return sorted(manager.current().listeners(facts()))


def kinds_for(plugin: str) -> frozenset[str] | None:
    """The kinds of events that a plugin has a hook for; None: all of them."""
    plugins = manager.current()
    found = frozenset(kind for kind in facts() if plugin in plugins.listeners([kind]))
    return None if EVERY in found else found


def tell(plugin: str, event: Event) -> None:
    """Hand one event to one plugin, inside the open transaction, which takes in what the plugin writes.

    Raises what the plugin raises, and :class:`NotListening` when its hooks for such events rest now.
    """
    plugins = manager.current()
    if plugin not in plugins.listeners((event.kind, EVERY)):
        raise NotListening(plugin)
    ticket = None
    if event.ticket_id is not None:
        options = [joinedload(Ticket.requester), joinedload(Ticket.assignee), joinedload(Ticket.team)]
        ticket = db.session.get(Ticket, event.ticket_id, options=options)
    if event.kind in FACTS and ticket is not None:
        plugins.tell(plugin, event.kind, ticket=ticket, message=event.message, event=event)
    elif event.kind in facts() - FACTS:
        plugins.tell(plugin, event.kind, **event.data)
    plugins.tell(plugin, EVERY, event=event)
