"""Plugins: what is installed, what it does, and its switch."""

from typing import Any

import click

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows
from helpdesk.core import plugin_states
from helpdesk.plugins import hookspecs, manager


@click.group("plugin")
def plugin_command() -> None:
    """List plugins, switch them on and off."""


@plugin_command.command("list")
@json_option
@in_app
def list_plugins(as_json: bool) -> None:
    """List the plugins that are installed.

    Example: helpdesk plugin list
    """
    rows = [_row(plugin) for plugin in manager.current().plugins.values()]
    print_rows(rows, ("name", "state", "version", "summary", "error"), as_json, "No plugin is installed.")


@plugin_command.command()
@click.argument("name")
@json_option
@in_app
def info(name: str, as_json: bool) -> None:
    """Show what a plugin says of itself and which hooks it uses.

    Example: helpdesk plugin info email
    """
    plugin = _named(name)
    row = {
        **_row(plugin),
        "distribution": plugin.distribution,
        "author": plugin.author,
        "home_page": plugin.home_page,
        "file": str(plugin.path) if plugin.path else None,
        "hooks": _hooks(plugin),
        "adds": {hook.removeprefix("register_"): len(items) for hook, items in plugin.contributions.items() if items},
    }
    lines = [f"{key.replace('_', ' ')}: {_words(value)}" for key, value in row.items() if value]
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


def _row(plugin: manager.Plugin) -> dict[str, Any]:
    state = "failed" if plugin.error else ("on" if manager.current().is_on(plugin.name) else "off")
    return {
        "name": plugin.name,
        "state": state,
        "version": plugin.version,
        "summary": plugin.summary,
        "error": plugin.error,
    }


def _hooks(plugin: manager.Plugin) -> list[str]:
    return sorted(hook for hook in hookspecs.KINDS if callable(getattr(plugin.module, hook, None)))


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{count} {name}" for name, count in value.items())
    return ", ".join(value) if isinstance(value, list) else str(value)
