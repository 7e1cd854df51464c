"""Facts that plugins have not taken in: told again, or discarded."""

from typing import Any

import click

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows
from helpdesk.core.events import held
from helpdesk.core.events.held import Held

_COLUMNS = ("plugin", "event", "kind", "ticket", "state", "attempts", "behind", "next_at", "error")
_event = click.argument("event", type=click.IntRange(1, 2**63 - 1))


@click.group("fact")
def fact_command() -> None:
    """See what plugins have not taken in; tell them again, or discard it."""


@fact_command.command("list")
@click.option("--plugin", default="", help="Only those of this plugin.")
@click.option("--before", type=click.IntRange(1, 2**63 - 1), help="Only those before this event: the next page.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@in_app
def list_facts(plugin: str, before: int | None, limit: int, as_json: bool) -> None:
    """List the facts that are held, a line for each ticket and plugin, newest first.

    Example: helpdesk fact list --plugin orders
    """
    rows = map(_row, held.listed(plugin=plugin, before=before, limit=limit))
    print_rows(rows, _COLUMNS, as_json, "Plugins have taken in all that happened.")


@fact_command.command()
@click.argument("plugin")
@_event
@json_option
@in_app
def replay(plugin: str, event: int, as_json: bool) -> None:
    """Have a worker tell PLUGIN of EVENT again, and then of what stands behind it.

    Example: helpdesk fact replay orders 1042
    """
    job = held.replay(plugin, event, None)
    if job is None:
        raise _unknown(plugin, event)
    row = {"plugin": plugin, "event": event, "job": job.id}
    print_result(row, f"{plugin} is told again by job {job.id} ('helpdesk job show {job.id}').", as_json)


@fact_command.command()
@click.argument("plugin")
@_event
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@in_app
def discard(plugin: str, event: int, yes: bool, as_json: bool) -> None:
    """Never tell PLUGIN of EVENT; what stands behind it goes on.

    Example: helpdesk fact discard orders 1042
    """
    if not yes:
        click.confirm(f"Never tell {plugin} of event {event}? Nothing brings it back.", abort=True, err=as_json)
    if not held.discard(plugin, event, None):
        raise _unknown(plugin, event)
    print_result({"plugin": plugin, "event": event, "discarded": True}, f"{plugin} never hears of {event}.", as_json)


def _unknown(plugin: str, event: int) -> Impossible:
    return Impossible(f"{plugin} has no event {event} before it; 'helpdesk fact list' shows what is held.")


def _row(line: Held) -> dict[str, Any]:
    fact = line.fact
    return {
        "plugin": fact.plugin,
        "event": fact.event_id,
        "kind": fact.event.kind,
        "ticket": fact.ticket_id,
        "state": "needs attention" if line.needs_attention else ("running" if line.running else "waiting"),
        "attempts": fact.attempts,
        "behind": line.behind,
        "next_at": line.next_at,
        "held_at": fact.held_at,
        "error": fact.error,
    }
