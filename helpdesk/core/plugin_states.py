"""Plugins on and off, seen by every process within two seconds."""

from flask_babel import gettext as _
from sqlalchemy import func, select, update

from helpdesk.core import audit, generation
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Event, Job, PluginState, User
from helpdesk.core.models.job import WAITING
from helpdesk.core.permissions import require
from helpdesk.core.transaction import after_commit, transaction
from helpdesk.plugins import manager


class UnknownPlugin(Exception):
    """There is no such plugin, or it could not be loaded; the text is a sentence."""


def switch(name: str, on: bool, actor: User | None) -> bool:
    """Switch a plugin on or off; False when it is so already. Joins or opens the transaction; audited.

    A plugin that is off hears nothing: switched on again it goes on with the newest event. What waited for it
    (mail for its channel, its jobs) is tried at once.

    Raises :class:`UnknownPlugin`, NotAllowed.
    """
    require(actor, "plugin.edit")
    plugin = manager.current().plugins.get(name)
    if plugin is None:
        raise UnknownPlugin(_("There is no plugin “%(name)s”.", name=name))
    if on and not plugin.loaded:
        raise UnknownPlugin(_("The plugin “%(name)s” could not be loaded: %(error)s", name=name, error=plugin.error))
    with transaction():
        state = db.session.get(PluginState, name, with_for_update=True)
        if state is None:
            state = PluginState(name=name, enabled=True, cursor=_newest_event())
            db.session.add(state)
        if state.enabled == on:
            return False
        state.enabled = on
        if on:
            state.cursor, state.error = _newest_event(), ""
            _wake_what_waits()
        audit.record("plugin.switched_on" if on else "plugin.switched_off", actor, name)
        generation.bump()
    return True


def _newest_event() -> int:
    return db.session.scalar(select(func.max(Event.id))) or 0


def _wake_what_waits() -> None:
    """Jobs that were put off because something was not there are due now; whoever is still in the way puts them off."""
    moment = now()
    db.session.execute(update(Job).where(Job.state == WAITING, Job.error != "").values(run_at=moment))
    after_commit(lambda: ledger.nudge(moment))
