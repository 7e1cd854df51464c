"""Hands recorded events to the plugins, after commit, in a worker, once per plugin."""

from flask import current_app
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from helpdesk.core.clock import now
from helpdesk.core.events.record import FACTS
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Event, PluginState, Ticket
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager

RETRY_JOB = "core.fact"
_BATCH = 100


def dispatch() -> int:
    """Hand new events to every plugin that listens (a job); answer how many facts were told."""
    return sum(_dispatch_to(plugin) for plugin in sorted(manager.current().listeners(FACTS)))


def retry(plugin: str, event_id: int) -> None:
    """Tell one plugin of one event again (a job). Raises what the plugin raises."""
    with transaction():
        event = db.session.get(Event, event_id)
        if event is not None:
            _tell(plugin, event)


def _dispatch_to(plugin: str) -> int:
    told = 0
    while events := _next_events(plugin):
        for event in events:
            _hand_over(plugin, event.id)
            told += 1
    return told


def _next_events(plugin: str) -> list[Event]:
    state = db.session.get(PluginState, plugin)
    if state is None:
        # A plugin that has just come hears of what happens from now on.
        with transaction():
            newest = db.session.scalar(select(func.max(Event.id))) or 0
            db.session.merge(PluginState(name=plugin, cursor=newest))
        return []
    query = select(Event).where(Event.id > state.cursor).order_by(Event.id).limit(_BATCH)
    return list(db.session.scalars(query))


def _hand_over(plugin: str, event_id: int) -> None:
    """One fact: the plugin's effects and the moved cursor are one transaction, so it happens once even if killed."""
    try:
        with transaction():
            if _move_cursor(plugin, event_id):
                _tell(plugin, db.session.get_one(Event, event_id))
    except Exception as error:  # noqa: BLE001 - it becomes a job of the ledger; the facts behind it go on
        current_app.logger.warning("Plugin %s failed on event %s; it will be tried again.", plugin, event_id)
        with transaction():
            if _move_cursor(plugin, event_id):
                state = db.session.get_one(PluginState, plugin)
                state.error, state.failed_at = f"{type(error).__name__}: {error}"[:500], now()
                ledger.schedule(RETRY_JOB, plugin=plugin, event_id=event_id)


def _move_cursor(plugin: str, event_id: int) -> bool:
    state = db.session.get(PluginState, plugin, with_for_update=True)
    if state is None or state.cursor >= event_id:
        return False
    state.cursor = event_id
    return True


def _tell(plugin: str, event: Event) -> None:
    plugins = manager.current()
    ticket = None
    if event.ticket_id is not None:
        options = [joinedload(Ticket.requester), joinedload(Ticket.assignee), joinedload(Ticket.team)]
        ticket = db.session.get(Ticket, event.ticket_id, options=options)
    if event.kind in FACTS and ticket is not None:
        plugins.tell(plugin, event.kind, ticket=ticket, message=event.message, event=event)
    plugins.tell(plugin, "event_recorded", event=event)
