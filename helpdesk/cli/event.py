"""Events: what happened, in order; plugins are told from them."""

from typing import Any

import click
from sqlalchemy import select

from helpdesk.cli.frame import in_app, json_option, print_rows
from helpdesk.core.extensions import db
from helpdesk.core.models import Event

_COLUMNS = ("id", "created_at", "kind", "ticket", "actor_id", "message_id")


@click.group("event")
def event_command() -> None:
    """See what happened."""


@event_command.command("list")
@click.option("--kind", default="", help="Only this kind, such as ticket_opened.")
@click.option("--ticket", type=click.IntRange(1, 2**63 - 1), help="Only those of the ticket of this number.")
@click.option("--before", type=click.IntRange(1, 2**63 - 1), help="Only those before this event: the next page.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@in_app
def list_events(kind: str, ticket: int | None, before: int | None, limit: int, as_json: bool) -> None:
    """List events, newest first; --json has what changed as well.

    Example: helpdesk event list --ticket 7
    """
    query = select(Event).order_by(Event.id.desc()).limit(limit)
    if kind:
        query = query.where(Event.kind == kind)
    if ticket is not None:
        query = query.where(Event.ticket_id == ticket)
    if before is not None:
        query = query.where(Event.id < before)
    print_rows((_row(event) for event in db.session.scalars(query)), _COLUMNS, as_json, "There are no such events.")


def _row(event: Event) -> dict[str, Any]:
    columns = ("id", "created_at", "kind", "actor_id", "message_id", "data")
    return {**{name: getattr(event, name) for name in columns}, "ticket": event.ticket_id}
