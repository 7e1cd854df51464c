"""Plugins as cards: what each adds, how it does, and its switch."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from helpdesk.core import plugin_states
from helpdesk.core import settings as core_settings
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import PluginState
from helpdesk.core.plugin_states import UnknownPlugin
from helpdesk.plugins import hookspecs, manager
from helpdesk.plugins.manager import Plugin
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.session import reader
from helpdesk.web.settings_form import shown_fields

_OF_LATE = timedelta(days=1)


@dataclass(frozen=True)
class Card:
    """One plugin as the page shows it."""

    plugin: Plugin
    title: Any
    on: bool
    adds: list[str]
    calls: int
    errors: int
    # Mean milliseconds of a call in this process.
    mean: float
    settings: str | None
    # What it failed on of late, in whichever process.
    state: PluginState | None

    @property
    def needs_attention(self) -> bool:
        return bool(self.plugin.error or (self.on and (self.errors or self.state)))


@admin.get("/plugins")
@needs("plugin.edit")
def plugins() -> Any:
    """Every plugin that was found; ``show`` narrows it down to those that are on, off or need attention."""
    states = {state.name: state for state in db.session.scalars(select(PluginState))}
    found = sorted(manager.current().plugins.values(), key=lambda plugin: (not plugin.error, plugin.name))
    cards = [_card(plugin, states.get(plugin.name)) for plugin in found]
    tabs = {
        "on": [card for card in cards if card.on],
        "off": [card for card in cards if not card.on and not card.plugin.error],
        "attention": [card for card in cards if card.needs_attention],
    }
    show = request.args.get("show", "")
    return render_template(
        "admin/plugins.html",
        cards=tabs.get(show, cards),
        show=show if show in tabs else "",
        total=len(cards),
        counts={name: len(listed) for name, listed in tabs.items()},
    )


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
    return redirect(url_for("admin.plugins") + f"#plugin-{name}", 303)


def _card(plugin: Plugin, state: PluginState | None) -> Card:
    health = plugin.health.values()
    calls = sum(hook.calls for hook in health)
    seconds = sum(hook.seconds for hook in health)
    groups = {group.name: group for group in core_settings.groups()}
    return Card(
        plugin,
        next((found.title for found in plugin.contributions.get("register_settings", ())), plugin.name),
        manager.current().is_on(plugin.name),
        _adds(plugin),
        calls,
        sum(hook.errors for hook in health),
        seconds / calls * 1000 if calls else 0.0,
        url_for("admin.settings_group", name=plugin.name) if plugin.name in groups else None,
        state if state is not None and state.failed_at is not None and now() - state.failed_at < _OF_LATE else None,
    )


def _adds(plugin: Plugin) -> list[str]:
    """What a plugin brings, in words."""
    count = {hook: len(items) for hook, items in plugin.contributions.items()}
    settings = sum(len(shown_fields(group.model)) for group in plugin.contributions.get("register_settings", ()))
    words = [
        (count.get("register_channels", 0), lambda n: ngettext("%(num)s channel", "%(num)s channels", n)),
        (_hooked(plugin, "nav_items"), lambda _n: _("Entry in the menu")),
        (_hooked(plugin, "ticket_panels"), lambda _n: _("Panel on tickets")),
        (count.get("register_blueprints", 0), lambda _n: _("Pages")),
        (_hooked(plugin, "before", "answer"), lambda _n: _("Rules for tickets and mail")),
        (_hooked(plugin, "guard"), lambda _n: _("Who may do what")),
        (_hooked(plugin, "fact"), lambda _n: _("Follows what happens")),
        (count.get("register_permissions", 0), lambda n: ngettext("%(num)s permission", "%(num)s permissions", n)),
        (count.get("register_jobs", 0), lambda n: ngettext("%(num)s job", "%(num)s jobs", n)),
        (count.get("register_commands", 0), lambda n: ngettext("%(num)s command", "%(num)s commands", n)),
        (settings, lambda n: ngettext("%(num)s setting", "%(num)s settings", n)),
    ]
    return [text(number) for number, text in words if number]


def _hooked(plugin: Plugin, *names: str) -> int:
    """How many hooks of these names or kinds it implements."""
    wanted = [hook for hook, kind in hookspecs.KINDS.items() if hook in names or kind in names]
    return sum(callable(getattr(plugin.module, hook, None)) for hook in wanted)
