"""Tickets and messages as programs get them: listed fields and no others. Times are ISO 8601 in UTC."""

from datetime import datetime
from typing import Any

from helpdesk.core import links, ticket_types, topics
from helpdesk.core.models import Message, Team, Ticket, User
from helpdesk.core.permissions import allowed
from helpdesk.core.ticket_types import TypeChoice
from helpdesk.core.topics import TopicChoice
from helpdesk.web.session import reader


def moment(at: datetime | None) -> str | None:
    """A moment, or nothing."""
    return at.isoformat() if at is not None else None


def ticket_body(ticket: Ticket) -> dict[str, Any]:
    """What a ticket says of itself."""
    return {
        "number": ticket.number,
        "subject": ticket.subject,
        "status": ticket.status.key,
        "category": ticket.category,
        "priority": ticket.priority,
        "type": _named(ticket_types.find(ticket.type_id)),
        "topic": _named(topics.find(ticket.topic_id)),
        "team": _team(ticket.team),
        "assignee": _person(ticket.assignee),
        "requester": _person(ticket.requester),
        "tags": [tag.name for tag in ticket.tags],
        "channel": ticket.channel,
        "version": ticket.version,
        "created_at": moment(ticket.created_at),
        "updated_at": moment(ticket.updated_at),
        "solved_at": moment(ticket.solved_at),
        "url": links.desk_url(ticket),
    }


def message_body(message: Message) -> dict[str, Any]:
    """One message, without what was quoted below it."""
    return {
        "id": message.id,
        "author": _person(message.author),
        "visibility": message.visibility,
        "channel": message.channel,
        "text": message.text,
        "call_seconds": message.call_seconds,
        "attachments": [
            {"id": file.id, "name": file.name, "type": file.content_type, "size": file.size}
            for file in message.attachments
        ],
        "created_at": moment(message.created_at),
    }


def _named(found: TypeChoice | TopicChoice | None) -> dict[str, Any] | None:
    return {"id": found.id, "name": found.name} if found is not None else None


def _team(team: Team | None) -> dict[str, Any] | None:
    return {"id": team.id, "name": team.name} if team is not None else None


def _person(user: User | None) -> dict[str, Any] | None:
    """Addresses are for tokens with the scope ``person.read``."""
    if user is None:
        return None
    body: dict[str, Any] = {"id": user.id, "name": user.name}
    if allowed(reader(), "person.read"):
        body["email"] = user.email
    return body
