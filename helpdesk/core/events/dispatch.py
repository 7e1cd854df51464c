"""Hands recorded events to the plugins, after commit, in a worker, once per plugin."""

import logging
from time import monotonic
from typing import NamedTuple

from sqlalchemy import func, select, update

from helpdesk.core.clock import now
from helpdesk.core.events import held, horizon, telling
from helpdesk.core.events.record import DISPATCH
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Event, PluginState
from helpdesk.core.transaction import transaction

log = logging.getLogger(__name__)

_BATCH = 100
# Not the key under which changes ask: whoever writes the missing event may hold that one until it is committed.
_GAP = f"{DISPATCH}:gap"
# After so many seconds another job goes on, so that what else is due has its turn.
_LONGEST = 60.0


def dispatch() -> int:
    """Hand new events to every plugin that listens (a job, outside transactions); answer how many facts were told.

    Each fact is one transaction: what the plugin writes, and its cursor. A plugin in trouble keeps no other waiting.
    """
    told, waiting, begun = 0, telling.listeners(), monotonic()
    trouble: Exception | None = None
    gap = False
    while waiting and monotonic() - begun < _LONGEST:
        # A batch each, so that none waits for the backlog of another.
        turn, waiting = waiting, []
        for plugin in turn:
            try:
                batch = _tell_batch(plugin)
            except Exception as error:  # the others are told all the same
                db.session.rollback()
                log.warning("Plugin %s could not be told of events; it is tried again.", plugin, exc_info=error)
                trouble = error
                continue
            told += batch.told
            gap = gap or batch.gap
            if batch.more:
                waiting.append(plugin)
    if waiting:
        ledger.schedule(DISPATCH, key=DISPATCH)
    elif gap:
        ledger.schedule(DISPATCH, at=now() + horizon.PAUSE, key=_GAP)
    if trouble is not None:
        raise trouble
    return told


class _Batch(NamedTuple):
    """What one plugin was told: of how many events, whether there are more, and whether some stand behind a gap."""

    told: int = 0
    more: bool = False
    gap: bool = False


def _tell_batch(plugin: str) -> _Batch:
    """Tell a plugin of its next events."""
    cursor = db.session.scalar(select(PluginState.cursor).where(PluginState.name == plugin))
    if cursor is None:
        _welcome(plugin)
        return _Batch()
    until, gap = horizon.settled_after(cursor)
    if until <= cursor:
        return _Batch(gap=gap)
    query = select(Event.id).where(Event.id > cursor, Event.id <= until)
    if (kinds := telling.kinds_for(plugin)) is not None:
        query = query.where(Event.kind.in_(kinds))
    numbers = list(db.session.scalars(query.order_by(Event.id).limit(_BATCH)))
    try:
        for number in numbers:
            _hand_over(plugin, number)
    except telling.NotListening:
        return _Batch()
    if len(numbers) < _BATCH and (not numbers or numbers[-1] < until):
        _pass_over(plugin, until)
    return _Batch(len(numbers), True, gap)


def _welcome(plugin: str) -> None:
    """A plugin that has just come hears of what happens from now on."""
    with transaction():
        newest = db.session.scalar(select(func.max(Event.id))) or 0
        db.session.merge(PluginState(name=plugin, cursor=newest))


def _hand_over(plugin: str, event_id: int) -> None:
    """One fact: the plugin's effects and the moved cursor are one transaction, so it happens once even if killed."""
    try:
        with transaction():
            event = _next(plugin, event_id)
            if event is not None and not held.stand_behind(plugin, event):
                telling.tell(plugin, event)
    except telling.NotListening:
        raise
    except Exception as error:  # noqa: BLE001 - kept, tried again, shown; the facts of other tickets go on
        log.warning("Plugin %s failed on event %s; it will be tried again.", plugin, event_id)
        with transaction():
            if (event := _next(plugin, event_id)) is not None:
                reason = held.reason(error)
                state = db.session.get_one(PluginState, plugin)
                state.error, state.failed_at = reason[:500], now()
                held.hold(plugin, event, reason)


def _next(plugin: str, event_id: int) -> Event | None:
    """Move the plugin's cursor to the event, and answer it; None when another worker has, or the ticket is gone."""
    state = db.session.get(PluginState, plugin, with_for_update=True)
    if state is None or state.cursor >= event_id:
        return None
    state.cursor = event_id
    return db.session.get(Event, event_id)


def _pass_over(plugin: str, until: int) -> None:
    """Move the cursor over events that the plugin has no hook for."""
    with transaction():
        mine = update(PluginState).where(PluginState.name == plugin, PluginState.cursor < until)
        db.session.execute(mine.values(cursor=until))
