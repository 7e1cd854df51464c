"""Plugins: what is installed, what it does, how it does, and its switch."""

import json
from typing import Any

import click

from helpdesk.cli import plugin_check, plugin_life, plugin_new, plugin_strings
from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows
from helpdesk.core import plugin_data, plugin_health, plugin_states, schema
from helpdesk.core.plugin_health import FAILED, PAUSED, WAITS, Standing, Sum
from helpdesk.plugins import hookspecs, manager, manifest

_SHOWN_HOOKS = 5


@click.group("plugin")
def plugin_command() -> None:
    """Install plugins, see how they do, switch them on and off."""


for _command in (plugin_new.new, plugin_check.check, plugin_strings.strings, *plugin_life.COMMANDS):
    plugin_command.add_command(_command)


@plugin_command.command("list")
@json_option
@in_app
def list_plugins(as_json: bool) -> None:
    """List the plugins that are installed.

    The state is on, off, paused (the desk lets it rest; the reason is there), failed (left out, with its error) or
    waits (for a plugin that it needs and that is off).

    Example: helpdesk plugin list
    """
    standings = plugin_health.standings()
    plugins = manager.current()
    rows = [_row(plugin, standings[plugin.name]) for plugin in plugins.plugins.values()]
    if not as_json:
        rows = [{**row, "state": _state_words(standings[row["name"]])} for row in rows]
    for double in plugins.doubles:
        name = double.path.name if double.path else double.distribution or double.name
        rows.append({**_row(double, Standing(FAILED, double.error)), "name": name})
    print_rows(rows, ("name", "state", "version", "summary", "error"), as_json, "No plugin is installed.")


@plugin_command.command()
@click.argument("name")
@json_option
@in_app
def info(name: str, as_json: bool) -> None:
    """Show what a plugin says of itself, what it uses, its tables, and how it has done since yesterday.

    Example: helpdesk plugin info email
    """
    plugin = _named(name)
    standing = plugin_health.standings()[name]
    hooks = plugin_health.of_late(name).get(name, {})
    total = plugin_health.total(hooks)
    row = {
        **_row(plugin, standing),
        "distribution": plugin.distribution,
        "author": plugin.author,
        "home_page": plugin.home_page,
        "file": str(plugin.path) if plugin.path else None,
        "needs": plugin.needs,
        "hooks": _hooks(plugin),
        "adds": {hook.removeprefix("register_"): len(items) for hook, items in plugin.contributions.items() if items},
        "manifest": _manifest(plugin),
        "tables": {kept.table: kept.rows for kept in plugin_data.kept(name) if kept.table},
        "revision": _revision(plugin),
        "health": _health(total),
        "health_by_hook": {hook: _health(found) for hook, found in hooks.items()},
    }
    words = {**row, "state": _state_words(standing), "manifest": "yes" if row["manifest"] else None}
    words |= {"health": _health_words(total), "health_by_hook": None, "slowest_hooks": _slowest(hooks)}
    lines = [f"{key.replace('_', ' ')}: {_words(value)}" for key, value in words.items() if value]
    print_result(row, "\n".join(lines), as_json)


@plugin_command.command()
@click.argument("name")
@json_option
@in_app
def on(name: str, as_json: bool) -> None:
    """Switch a plugin on; every process sees it within two seconds.

    Example: helpdesk plugin on email
    """
    _switch(name, True, as_json)


@plugin_command.command()
@click.argument("name")
@json_option
@in_app
def off(name: str, as_json: bool) -> None:
    """Switch a plugin off; its data stays.

    Example: helpdesk plugin off email
    """
    _switch(name, False, as_json)


def _switch(name: str, wanted: bool, as_json: bool) -> None:
    changed = plugin_states.switch(_named(name).name, wanted, None)
    word = "on" if wanted else "off"
    print_result(
        {"name": name, "state": word, "changed": changed}, f"{name} is {word}{'' if changed else ' already'}.", as_json
    )


def _named(name: str) -> manager.Plugin:
    plugin = manager.current().plugins.get(name)
    if plugin is None:
        raise Impossible(f"There is no plugin “{name}”; 'helpdesk plugin list' shows what is installed.")
    return plugin


def _row(plugin: manager.Plugin, standing: Standing) -> dict[str, Any]:
    return {
        "name": plugin.name,
        "state": standing.state,
        "reason": standing.reason,
        "version": plugin.version,
        "summary": plugin.summary,
        "error": standing.reason if standing.state in (FAILED, PAUSED) else "",
    }


def _state_words(standing: Standing) -> str:
    return f"waits for {standing.reason}" if standing.state == WAITS else standing.state


def _hooks(plugin: manager.Plugin) -> list[str]:
    return sorted(hook for hook in hookspecs.KINDS if callable(getattr(plugin.module, hook, None)))


def _manifest(plugin: manager.Plugin) -> dict[str, Any] | None:
    found = manifest.parse(plugin.manifest) if plugin.manifest else None
    return json.loads(found.dump()) if found is not None else None


def _revision(plugin: manager.Plugin) -> str | None:
    """Where its tables are, and where its code is if that is somewhere else."""
    for history in schema.histories():
        if history.owner == plugin.name:
            found = schema.revision(history)
            return str(found.database) if found.is_current else f"{found.database} (the code is at {found.code})"
    return None


def _health(found: Sum) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "errors": found.errors,
        "slow": found.slow,
        "mean_ms": round(found.mean, 2),
        "error": found.error,
    }


def _health_words(found: Sum) -> str:
    if not found.calls:
        return "not called since yesterday"
    return f"{found.calls} calls since yesterday, {found.errors} errors, {found.mean:.1f} ms a call"


def _slowest(hooks: dict[str, Sum]) -> list[str]:
    return [f"{hook} {found.mean:.1f} ms" for hook, found in list(hooks.items())[:_SHOWN_HOOKS] if found.calls]


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
