"""Plugins as cards: what each adds, how it does, and its switch."""

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.core import plugin_states
from helpdesk.core import settings as core_settings
from helpdesk.core.plugin_states import UnknownPlugin
from helpdesk.plugins import manager
from helpdesk.plugins.manager import Plugin
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.session import reader


@dataclass(frozen=True)
class Card:
    """One plugin as the page shows it."""

    plugin: Plugin
    on: bool
    adds: list[str]
    calls: int
    errors: int
    # Mean milliseconds of a call in this process.
    mean: float
    settings: str | None


@admin.get("/plugins")
@needs("plugin.edit")
def plugins() -> Any:
    """Every plugin that was found."""
    found = sorted(manager.current().plugins.values(), key=lambda plugin: (not plugin.error, plugin.name))
    return render_template("admin/plugins.html", cards=[_card(plugin) for plugin in found])


@admin.post("/plugins/<name>/<any(on, off):state>")
@needs("plugin.edit")
def switch_plugin(name: str, state: str) -> Any:
    """Switch a plugin on or off; every process follows within two seconds."""
    try:
        plugin_states.switch(name, state == "on", reader())
    except UnknownPlugin as problem:
        if name not in manager.current().plugins:
            abort(404)
        flash(str(problem), "error")
    else:
        flash(_("“%(name)s” is on.", name=name) if state == "on" else _("“%(name)s” is off.", name=name))
    return redirect(url_for("admin.plugins"), 303)


def _card(plugin: Plugin) -> Card:
    health = plugin.health.values()
    calls = sum(hook.calls for hook in health)
    seconds = sum(hook.seconds for hook in health)
    groups = [group.name for group in core_settings.groups()]
    return Card(
        plugin,
        manager.current().is_on(plugin.name),
        _adds(plugin),
        calls,
        sum(hook.errors for hook in health),
        seconds / calls * 1000 if calls else 0.0,
        url_for("admin.settings_group", name=plugin.name) if plugin.name in groups else None,
    )


def _adds(plugin: Plugin) -> list[str]:
    """What a plugin brings, in words."""
    count = {hook: len(items) for hook, items in plugin.contributions.items() if items}
    words = {
        "register_channels": lambda n: ngettext("%(num)s channel", "%(num)s channels", n),
        "register_settings": lambda _n: _("settings"),
        "register_permissions": lambda n: ngettext("%(num)s permission", "%(num)s permissions", n),
        "register_jobs": lambda n: ngettext("%(num)s job", "%(num)s jobs", n),
        "register_blueprints": lambda _n: _("pages"),
        "register_commands": lambda n: ngettext("%(num)s command", "%(num)s commands", n),
    }
    return [words[hook](number) for hook, number in count.items() if hook in words]
