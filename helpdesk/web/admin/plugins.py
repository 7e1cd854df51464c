"""Plugins as cards: what each adds, how it does, and its switch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import plugin_data, plugin_health, plugin_packages, plugin_states
from helpdesk.core import settings as core_settings
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import PluginState
from helpdesk.core.plugin_health import FAILED, OFF, ON, PAUSED, WAITS, Standing, Sum
from helpdesk.core.plugin_states import UnknownPlugin
from helpdesk.plugins import manager
from helpdesk.plugins.manager import Plugin
from helpdesk.web import proving
from helpdesk.web.admin import plugin_words
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.session import reader

_OF_LATE = timedelta(days=1)


@dataclass(frozen=True)
class Card:
    """One plugin as the pages show it."""

    plugin: Plugin
    title: Any
    standing: Standing
    adds: list[str]
    # Since yesterday, over all processes.
    health: Sum
    hooks: Mapping[str, Sum]
    settings: str | None
    # What a fact failed on of late, in whichever process.
    failed: PluginState | None

    @property
    def resting(self) -> dict[str, datetime]:
        """The hooks that rest because they kept failing, and until when."""
        return {hook: found.rests_until for hook, found in self.hooks.items() if found.rests_until is not None}

    @property
    def on(self) -> bool:
        return self.standing.state in (ON, PAUSED)

    @property
    def switched_on(self) -> bool:
        """How its switch stands: one that waits for another is on and does nothing."""
        return self.standing.state in (ON, PAUSED, WAITS)

    @property
    def off(self) -> bool:
        return self.standing.state in (OFF, WAITS)

    @property
    def trouble(self) -> str:
        """Why it does not do what it should, in one sentence; empty when all is well."""
        if self.standing.state == FAILED:
            return _("“%(title)s” could not be loaded; the desk runs without it.", title=self.title)
        if self.standing.state == PAUSED:
            return _("“%(title)s” was paused because it held up the desk.", title=self.title)
        if self.standing.state == ON and self.resting:
            return _("A part of “%(title)s” kept failing and rests for a while.", title=self.title)
        return ""

    @property
    def needs_attention(self) -> bool:
        return bool(self.trouble or (self.on and (self.health.errors or self.failed)))


@admin.get("/plugins")
@needs("plugin.edit")
def plugins() -> Any:
    """Every plugin that was found; ``show`` narrows it down to those that are on, off or need attention."""
    found = cards()
    tabs = {
        "on": [card for card in found if card.on],
        "off": [card for card in found if card.off],
        "attention": [card for card in found if card.needs_attention],
    }
    show = request.args.get("show", "")
    return render_template(
        "admin/plugins.html",
        cards=tabs.get(show, found),
        show=show if show in tabs else "",
        total=len(found),
        counts={name: len(listed) for name, listed in tabs.items()},
        troubled=sum(bool(card.trouble) for card in found),
        left_behind=plugin_data.left_behind(),
        may_install=may_install(),
        safe_mode=_config().safe_mode,
    )


@admin.post("/plugins/<name>/<any(on, off):state>")
@needs("plugin.edit")
@proving.proof_required
def switch_plugin(name: str, state: str) -> Any:
    """Switch a plugin on or off; every process follows within two seconds. One that was left out is tried anew."""
    found = manager.current().plugins.get(name)
    if found is not None and found.error and state == "on":
        plugin_packages.try_again(name, reader())
        flash(_("The desk starts anew and tries “%(name)s” again.", name=name))
        return redirect(url_for("admin.plugins") + f"#plugin-{name}", 303)
    try:
        plugin_states.switch(name, state == "on", reader())
    except UnknownPlugin as problem:
        if name not in manager.current().plugins:
            abort(404)
        flash(str(problem), "error")
    else:
        flash(_("“%(name)s” is on.", name=name) if state == "on" else _("“%(name)s” is off.", name=name))
    if request.form.get("back") == "details":
        return redirect(url_for("admin.plugin", name=name), 303)
    return redirect(url_for("admin.plugins") + f"#plugin-{name}", 303)


@admin.post("/restart")
@needs("plugin.edit")
@proving.proof_required
def restart() -> Any:
    """Have every process start anew: code was installed by hand."""
    plugin_packages.ask_restart(reader())
    flash(_("The desk starts anew within seconds; nobody is signed out."))
    return redirect(url_for("admin.plugins"), 303)


def cards(name: str | None = None) -> list[Card]:
    """Every plugin that was found (or one), those in trouble first."""
    states = {state.name: state for state in db.session.scalars(select(PluginState))}
    standings, health = plugin_health.standings(states), plugin_health.of_late(name)
    groups = {group.name for group in core_settings.groups()}
    found = sorted(manager.current().plugins.values(), key=lambda plugin: plugin.name)
    made = [
        Card(
            plugin,
            next((group.title for group in plugin.contributions.get("register_settings", ())), plugin.name),
            standings[plugin.name],
            plugin_words.adds(plugin),
            plugin_health.total(health.get(plugin.name, {})),
            health.get(plugin.name, {}),
            url_for("admin.settings_group", name=plugin.name) if plugin.name in groups else None,
            _failed_of_late(states.get(plugin.name)),
        )
        for plugin in found
        if name is None or plugin.name == name
    ]
    return sorted(made, key=lambda card: not card.trouble)


def may_install() -> bool:
    """Whether plugins may be installed and uninstalled in the browser."""
    return _config().install_plugins


def password_problem() -> tuple[str, int] | None:
    """A sentence and a status unless the form proves who the reader is, however short ago they did. May write."""
    return proving.check(request.form.get("password", ""), request.form.get("code", ""))


def _failed_of_late(state: PluginState | None) -> PluginState | None:
    return state if state is not None and state.failed_at is not None and now() - state.failed_at < _OF_LATE else None


def _config() -> Config:
    config: Config = current_app.config["HELPDESK"]
    return config
