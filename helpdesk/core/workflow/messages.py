"""What replies, notes and first messages share."""

from helpdesk.core.abreast import FLUSH, Way, alone
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.markup import snippet
from helpdesk.core.models import Attachment, Message, Ticket, User
from helpdesk.core.workflow import measuring, promising, snoozing


def speaks_for_desk(author: User | None, ticket: Ticket) -> bool:
    """Whether a message is the desk's answer. Staff who ask for themselves are customers on their own ticket."""
    return author is None or (author.is_staff and author.id != ticket.requester_id)


def write_message(ticket: Ticket, draft: TicketDraft | MessageDraft, author: User | None) -> Message:
    """Write a message with its files inside the open transaction, and what lists show of it on the ticket.

    The first public word of the desk is its first response; what it was promised for is kept by any of its public
    words. A word of the customer wakes a ticket that rests.
    """
    return alone(writing(ticket, draft, author))


def writing(ticket: Ticket, draft: TicketDraft | MessageDraft, author: User | None) -> Way[Message]:
    """:func:`write_message` as a way that may go beside others."""
    message = Message(
        ticket_id=ticket.id,
        author_id=author.id if author else None,
        visibility=draft.visibility,
        channel=draft.channel,
        text=draft.text,
        html=draft.html,
        quoted=draft.quoted,
        verified=draft.verified,
        external_id=draft.external_id,
        intake_id=draft.intake_id,
        call_seconds=draft.call_seconds,
        attachments=[
            Attachment(
                name=file.name,
                content_type=file.content_type,
                size=file.size,
                sha256=file.sha256,
                content_id=file.content_id,
            )
            for file in draft.files
        ],
    )
    db.session.add(message)
    yield FLUSH
    desk = speaks_for_desk(author, ticket)
    begins = ticket.last_message_at is None
    ticket.last_message_by = "note" if message.is_note else ("agent" if desk else "requester")
    ticket.last_message_at = message.created_at
    ticket.last_author_id = message.author_id
    ticket.snippet = snippet(draft.text)
    if desk and not message.is_note and ticket.first_response_at is None:
        ticket.first_response_at = message.created_at
        if not begins:
            measuring.first_response(ticket, message.created_at)
    if desk and author is not None:
        snoozing.seen(ticket)
        if not message.is_note:
            promising.settle(ticket, author, message.created_at)
    elif not desk and not message.is_note:
        snoozing.rouse(ticket, author, "answer")
    return message
