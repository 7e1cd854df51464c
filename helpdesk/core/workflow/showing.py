"""What lists show of a ticket's newest message, after messages came or went by statements."""

from sqlalchemy import select

from helpdesk.core.extensions import db
from helpdesk.core.markup import snippet
from helpdesk.core.models import Message, Ticket
from helpdesk.core.workflow.messages import speaks_for_desk


def show_newest(ticket: Ticket) -> None:
    """Write it anew, inside the open transaction."""
    newest = select(Message).where(Message.ticket_id == ticket.id)
    message = db.session.scalar(newest.order_by(Message.created_at.desc(), Message.id.desc()).limit(1))
    if message is None:
        ticket.last_message_by = ticket.last_message_at = ticket.last_author_id = None
        ticket.snippet = ""
        return
    by_desk = speaks_for_desk(message.author, ticket)
    ticket.last_message_by = "note" if message.is_note else ("agent" if by_desk else "requester")
    ticket.last_message_at, ticket.last_author_id = message.created_at, message.author_id
    ticket.snippet = snippet(message.text)


def forget_messages() -> None:
    """What the session knows of messages is out of date: read it anew."""
    for known in list(db.session.identity_map.values()):
        if isinstance(known, Message):
            db.session.expire(known)
