"""The columns that a view shows on its rows, and in its file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core import labels, statuses, ticket_types, topics
from helpdesk.core.extensions import db
from helpdesk.core.filters import FIELD
from helpdesk.core.models import Organization, Ticket, TicketField, TicketFieldValue
from helpdesk.core.views import COLUMNS
from helpdesk.core.workflow.editing import field_value
from helpdesk.web.desk.tickets import channel_words
from helpdesk.web.render import ago

# What the row shows by glyphs and marks of its own.
_DRAWN = ("priority", "team", "tags", "due", "promised")


@dataclass(frozen=True)
class Cell:
    """What a row says in a column: what it is called, and the value in words."""

    label: str
    text: str


def column_labels() -> dict[str, str]:
    """What the columns are called, those of custom fields behind the rest. One query."""
    words = {
        "number": _("Number"),
        "status": _("Status"),
        "priority": _("Priority"),
        "team": _("Team"),
        "type": _("Type"),
        "topic": _("Topic"),
        "tags": _("Tags"),
        "channel": _("Channel"),
        "organization": _("Organization"),
        "created": _("Opened"),
        "solved": _("Solved"),
        "due": _("Due"),
        "promised": _("Promised"),
    }
    fields = db.session.scalars(select(TicketField).where(TicketField.active).order_by(TicketField.position))
    own = {f"{FIELD}{field.key}": labels.field_label(field) for field in fields}
    return {**{name: words[name] for name in COLUMNS}, **own}


def row_columns(columns: Sequence[str], tickets: Sequence[Ticket]) -> Mapping[int, Sequence[Cell]]:
    """What the rows of tickets say beside what they draw; nothing unless their view has chosen columns."""
    wanted = [name for name in columns if name not in _DRAWN]
    if not wanted:
        return {}
    names = column_labels()
    values = cell_values(tickets, wanted)
    return {
        ticket.id: [
            Cell(names[name], _said(values[ticket.id][name]))
            for name in wanted
            if name in names and values[ticket.id][name] not in (None, "")
        ]
        for ticket in tickets
    }


def cell_values(tickets: Sequence[Ticket], names: Sequence[str]) -> dict[int, dict[str, Any]]:
    """The values of columns for some tickets. A query for organizations and one for fields, where they are wanted."""
    numbers = (
        {ticket.organization_id for ticket in tickets if ticket.organization_id} if "organization" in names else ()
    )
    query = select(Organization.id, Organization.name).where(Organization.id.in_(numbers))
    organizations = {number: name for number, name in db.session.execute(query)} if numbers else {}
    fields = _fields(tickets, [name.removeprefix(FIELD) for name in names if name.startswith(FIELD)])
    found = {}
    for ticket in tickets:
        known: dict[str, Any] = {
            "number": f"#{ticket.id}",
            "status": statuses.label(ticket.status),
            "priority": statuses.priority_label(ticket.priority),
            "team": labels.team_name(ticket.team) if ticket.team else "",
            "type": ticket_types.label(ticket.type_id),
            "topic": topics.full_name(ticket.topic_id),
            "tags": ", ".join(tag.name for tag in ticket.tags),
            "channel": channel_words(ticket.channel),
            "organization": organizations.get(ticket.organization_id or 0, ""),
            "created": ticket.created_at,
            "solved": ticket.solved_at,
            "due": ticket.due_at,
            "promised": ticket.promised_at,
        }
        found[ticket.id] = {name: known.get(name, fields.get((ticket.id, name), "")) for name in names}
    return found


def _fields(tickets: Sequence[Ticket], keys: Sequence[str]) -> dict[tuple[int, str], Any]:
    if not keys or not tickets:
        return {}
    query = (
        select(TicketFieldValue)
        .join(TicketField, TicketField.id == TicketFieldValue.field_id)
        .where(TicketFieldValue.ticket_id.in_([ticket.id for ticket in tickets]), TicketField.key.in_(keys))
        .options(joinedload(TicketFieldValue.field))
    )
    return {(row.ticket_id, FIELD + row.field.key): field_value(row) for row in db.session.scalars(query)}


def _said(value: Any) -> str:
    return ago(value) if isinstance(value, datetime) else str(value)
