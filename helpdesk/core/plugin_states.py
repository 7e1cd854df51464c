"""Plugins on and off, seen by every process within two seconds."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import delete, func, select, update

from helpdesk.core import audit, generation
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.events.record import DISPATCH
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Event, Job, PluginHealth, PluginState, User
from helpdesk.core.models.job import WAITING
from helpdesk.core.permissions import require
from helpdesk.core.transaction import add_or_find, after_commit, transaction
from helpdesk.plugins import manager, start
from helpdesk.plugins.health import Count
from helpdesk.plugins.manager import States

_KEPT = timedelta(days=30)
# When every process has seen that a plugin is on.
_SEEN = timedelta(seconds=generation.INTERVAL + 1)


class UnknownPlugin(Exception):
    """There is no such plugin, or it could not be loaded; the text is a sentence."""


def states() -> States:
    """The plugins that are off or paused, at most two seconds old."""
    return generation.cached("plugins:states", _read_states)


def _read_states() -> States:
    query = select(PluginState.name, PluginState.enabled, PluginState.paused_at)
    rows = db.session.execute(query).all()
    return States(
        frozenset(name for name, enabled, _paused in rows if not enabled),
        frozenset(name for name, enabled, paused in rows if enabled and paused is not None),
    )


def switch(name: str, on: bool, actor: User | None) -> bool:
    """Switch a plugin on or off; False when it is so already. Joins or opens the transaction; audited.

    A plugin that is off hears nothing: switched on again it goes on with the newest event; one that the desk had
    paused goes on where it was. What waited for it (mail for its channel, its jobs) is tried at once.

    Raises :class:`UnknownPlugin`, NotAllowed.
    """
    require(actor, "plugin.edit")
    plugin = manager.current().plugins.get(name)
    if plugin is None:
        raise UnknownPlugin(_("There is no plugin “%(name)s”.", name=name))
    config: Config = current_app.config["HELPDESK"]
    if on and start.let_in(config.paths.slow_plugins, name):
        with transaction():
            generation.ask_restart()
        raise UnknownPlugin(_("The desk starts anew and tries “%(name)s” again.", name=name))
    if on and not plugin.loaded:
        raise UnknownPlugin(_("The plugin “%(name)s” could not be loaded: %(error)s", name=name, error=plugin.error))
    with transaction():
        state = db.session.get(PluginState, name, with_for_update=True)
        if state is None:
            state = PluginState(name=name, enabled=True, cursor=_newest_event())
            db.session.add(state)
        paused = state.paused_at is not None
        if state.enabled == on and not (on and paused):
            return False
        if on:
            if not state.enabled:
                state.cursor = _newest_event()
            state.error = ""
            db.session.execute(update(PluginHealth).where(PluginHealth.plugin == name).values(rests_until=None))
            _wake_what_waits()
            # A worker that has not seen it yet passes the plugin over, and nothing may happen after that for hours.
            ledger.schedule(DISPATCH, at=now() + _SEEN, key=f"{DISPATCH}:{name}")
        state.enabled, state.paused_at, state.paused_reason = on, None, ""
        audit.record("plugin.switched_on" if on else "plugin.switched_off", actor, name)
        generation.bump()
    return True


def pause(name: str, reason: str) -> None:
    """The desk itself lets a plugin's hooks rest until somebody switches it on again: it has held up a process.

    Its channels, jobs and pages go on. Joins or opens the transaction; audited. ``reason`` is shown to the owner.
    """
    with transaction():
        state = db.session.get(PluginState, name, with_for_update=True)
        if state is None:
            state = PluginState(name=name, enabled=True, cursor=_newest_event())
            db.session.add(state)
        if state.paused_at is not None:
            return
        state.paused_at, state.paused_reason = now(), reason
        audit.record("plugin.paused", None, name, {"reason": reason})
        generation.bump()


def add_health(counts: Iterable[Count]) -> None:
    """Add what this process's hooks did to the table that all processes share. Opens a transaction of its own."""
    counted = list(counts)
    if not counted:
        return
    today, moment = now().date(), now()
    with transaction():
        for count in counted:
            key = (count.plugin, count.hook, today)
            row = db.session.get(PluginHealth, key)
            if row is None:
                db.session.execute(delete(PluginHealth).where(PluginHealth.day < today - _KEPT))
                new = PluginHealth(plugin=count.plugin, hook=count.hook, day=today)
                row = add_or_find(new, partial(db.session.get, PluginHealth, key))
            changed: dict[str, Any] = {
                "calls": PluginHealth.calls + count.calls,
                "errors": PluginHealth.errors + count.errors,
                "slow": PluginHealth.slow + count.slow,
                "seconds": PluginHealth.seconds + count.seconds,
            }
            if count.error:
                changed |= {"error": count.error, "failed_at": moment}
            if count.rests:
                changed["rests_until"] = moment + timedelta(seconds=count.rests)
            match = (PluginHealth.plugin == count.plugin, PluginHealth.hook == count.hook, PluginHealth.day == today)
            db.session.execute(update(PluginHealth).where(*match).values(changed))


def resting() -> dict[str, dict[str, datetime]]:
    """The hooks that rest after several failures in a row, by plugin: until when. Over all processes; one query.

    Each process finds out for itself, and tells within twenty seconds.
    """
    moment = now()
    columns = (PluginHealth.plugin, PluginHealth.hook, PluginHealth.rests_until)
    query = select(*columns).where(PluginHealth.day >= moment.date() - timedelta(days=1))
    found: dict[str, dict[str, datetime]] = {}
    for plugin, hook, until in db.session.execute(query.where(PluginHealth.rests_until > moment)):
        if until is not None:
            found.setdefault(plugin, {})[hook] = until
    return found


def _newest_event() -> int:
    return db.session.scalar(select(func.max(Event.id))) or 0


def _wake_what_waits() -> None:
    """Jobs that were put off because something was not there are due now; whoever is still in the way puts them off."""
    moment = now()
    db.session.execute(update(Job).where(Job.state == WAITING, Job.error != "").values(run_at=moment))
    after_commit(lambda: ledger.nudge(moment))
