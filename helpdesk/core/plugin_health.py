"""How plugins have done of late, over all processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import PluginHealth, PluginState
from helpdesk.plugins import manager

_OF_LATE = timedelta(days=1)

ON, OFF, PAUSED, FAILED, WAITS = "on", "off", "paused", "failed", "waits"


@dataclass(frozen=True)
class Sum:
    """Calls, errors, slow calls and seconds of one plugin or one of its hooks since yesterday."""

    calls: int = 0
    errors: int = 0
    slow: int = 0
    seconds: float = 0.0
    # The last error, and until when the hook rests because it kept failing.
    error: str = ""
    rests_until: datetime | None = None

    @property
    def mean(self) -> float:
        """Milliseconds of a call."""
        return self.seconds / self.calls * 1000 if self.calls else 0.0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.calls + other.calls,
            self.errors + other.errors,
            self.slow + other.slow,
            self.seconds + other.seconds,
            other.error or self.error,
            other.rests_until or self.rests_until,
        )


@dataclass(frozen=True)
class Standing:
    """How a plugin stands: ON, OFF, PAUSED, FAILED (left out) or WAITS, and the reason or the plugin waited for."""

    state: str
    reason: str = ""
    since: datetime | None = None


def of_late(plugin: str | None = None) -> dict[str, dict[str, Sum]]:
    """The sums since yesterday (UTC days) of every plugin's hooks, or of one plugin's; the slowest first. One query."""
    moment = now()
    query = select(PluginHealth).where(PluginHealth.day >= (moment - _OF_LATE).date()).order_by(PluginHealth.day)
    if plugin is not None:
        query = query.where(PluginHealth.plugin == plugin)
    found: dict[str, dict[str, Sum]] = {}
    for row in db.session.scalars(query):
        rests = row.rests_until if row.rests_until is not None and row.rests_until > moment else None
        hooks = found.setdefault(row.plugin, {})
        added = Sum(row.calls, row.errors, row.slow, row.seconds, row.error, rests)
        hooks[row.hook] = hooks.get(row.hook, Sum()) + added
    return {
        name: dict(sorted(hooks.items(), key=lambda pair: pair[1].mean, reverse=True)) for name, hooks in found.items()
    }


def total(hooks: Mapping[str, Sum]) -> Sum:
    """A plugin's sum from those of its hooks."""
    return sum(hooks.values(), Sum())


def standings(states: Mapping[str, PluginState] | None = None) -> dict[str, Standing]:
    """How every plugin stands that was found; ``states`` are the rows of all, if they were read already."""
    plugins = manager.current()
    if states is None:
        states = {state.name: state for state in db.session.scalars(select(PluginState))}
    return {name: _standing(plugins, name, states.get(name)) for name in plugins.plugins}


def _standing(plugins: manager.Manager, name: str, state: PluginState | None) -> Standing:
    if plugins.plugins[name].error:
        return Standing(FAILED, plugins.plugins[name].error)
    if state is not None and not state.enabled:
        return Standing(OFF)
    if waits := plugins.waits_for(name):
        return Standing(WAITS, ", ".join(waits))
    if not plugins.is_on(name):
        return Standing(OFF)
    if state is not None and state.paused_at is not None:
        return Standing(PAUSED, state.paused_reason, state.paused_at)
    return Standing(ON)
