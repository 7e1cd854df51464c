"""What an outgoing message says: the words for its kind, in its reader's language."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import literal, or_, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.core import accounts, deliveries, files, links, security_notices, settings
from helpdesk.core.channels import confirming_words
from helpdesk.core.drafts import OutgoingFile, OutgoingMessage
from helpdesk.core.extensions import db
from helpdesk.core.markup import text_to_html
from helpdesk.core.models import Delivery, Follower, Message, Ticket, User
from helpdesk.core.models.message import PUBLIC
from helpdesk.core.notifications import summary
from helpdesk.core.workflow.families import absorbed

# Identities named in References: enough for every mail program to thread, short enough for every server.
_REFERENCES = 20


def compose(delivery: Delivery, locale: str) -> OutgoingMessage:
    """What the recipient will read, in the language that is spoken now. Reads only (tokens: one small transaction)."""
    desk = settings.get(settings.DeskSettings)
    user = delivery.user
    outgoing = OutgoingMessage(
        kind=delivery.kind,
        identity=delivery.identity,
        address=delivery.address,
        name=user.name if user else "",
        locale=locale,
        subject=desk.name,
        text="",
        automatic=delivery.kind != "reply",
    )
    if delivery.ticket is not None and user is not None:
        _about_ticket(outgoing, delivery.ticket, user)
        if delivery.ticket.channel == delivery.channel:
            outgoing.account = delivery.ticket.account or ""
    if delivery.kind in ("reply", deliveries.AGENT) and delivery.message_id is not None:
        _message(outgoing, delivery)
        if delivery.data.get(deliveries.ASKS) and delivery.ticket is not None and user is not None:
            # Those who follow are not asked.
            if user.id == delivery.ticket.requester_id:
                confirming_words.ask(outgoing, delivery.ticket, user)
    elif delivery.kind == deliveries.SOLVED and delivery.ticket is not None and user is not None:
        confirming_words.solved(outgoing, delivery.ticket, user, desk.name)
    elif delivery.kind == "notice":
        _notice(outgoing, delivery.ticket, desk.name, delivery.data.get("text", ""))
    elif delivery.kind == deliveries.NOTICES and user is not None:
        outgoing.subject, outgoing.text = summary.written(user, delivery.data.get("notices", []), desk.name)
        outgoing.html = text_to_html(outgoing.text)
    elif delivery.kind == deliveries.CARE and user is not None:
        _own_words(outgoing, delivery.data)
        outgoing.unsubscribe = links.unsubscribe_url(user)
    elif delivery.kind == deliveries.LETTER:
        _own_words(outgoing, delivery.data)
        outgoing.files = [
            OutgoingFile(file.name, file.content_type, file.size, str(files.path_of(file.sha256)))
            for file in deliveries.files_of(delivery)
        ]
    elif delivery.kind in ("invitation", "reset") and user is not None:
        _account(outgoing, delivery.kind, user, desk.name)
    elif delivery.kind == security_notices.KIND:
        outgoing.subject, outgoing.text = security_notices.words(delivery.data, desk.name)
        outgoing.html = text_to_html(outgoing.text)
    return outgoing


def _about_ticket(outgoing: OutgoingMessage, ticket: Ticket, user: User) -> None:
    outgoing.ticket_number = ticket.number
    outgoing.subject = ticket.subject
    outgoing.reply_token = links.token(links.REPLY, ticket, user)
    outgoing.why = _why(outgoing.kind, ticket, user)
    if outgoing.kind == deliveries.AGENT:
        outgoing.link, outgoing.link_label = links.desk_url(ticket), _("Open the ticket")
    else:
        outgoing.link, outgoing.link_label = links.follow_url(ticket, user), _("Follow your ticket")


def _why(kind: str, ticket: Ticket, user: User) -> str:
    """Why somebody else than the requester gets a message."""
    if kind == "reply" and user.id != ticket.requester_id:
        return _("You get this because you follow what %(name)s has asked.", name=ticket.requester.display_name)
    if kind != deliveries.AGENT:
        return ""
    if user.id == ticket.assignee_id:
        return _("You get this because the ticket is assigned to you.")
    return _("You get this because you follow the ticket.")


def _message(outgoing: OutgoingMessage, delivery: Delivery) -> None:
    """What somebody wrote: an agent to the customer, or a customer, of which an agent is told."""
    message = db.session.scalars(
        select(Message)
        .where(Message.id == delivery.message_id)
        .options(joinedload(Message.author), selectinload(Message.attachments))
    ).one()
    outgoing.text = message.text
    outgoing.html = message.html or text_to_html(message.text)
    outgoing.author_name = message.author.name if message.author else ""
    outgoing.signature = _signature(message) if outgoing.kind == "reply" else ""
    outgoing.files = [
        OutgoingFile(
            file.name,
            file.content_type,
            file.size,
            str(files.path_of(file.sha256)),
            file.content_id,
            _file_link(delivery, file.id),
        )
        for file in message.attachments
    ]
    outgoing.references = _references(message, delivery)
    outgoing.in_reply_to = outgoing.references[-1] if outgoing.references else None
    if outgoing.in_reply_to:
        outgoing.subject = _("Re: %(subject)s", subject=outgoing.subject)


def _signature(message: Message) -> str:
    """The author's, unless it stands in the text already: the desk's composer puts it there."""
    author = message.author
    if author is None or not author.is_staff or message.channel == "desk":
        return ""
    signature = author.signature.strip()
    return "" if message.text.rstrip().endswith(signature) else signature


def _file_link(delivery: Delivery, attachment_id: int) -> str:
    """Where the recipient fetches a file; an agent does it at the desk, signed in."""
    if delivery.ticket is None or delivery.user is None:
        return ""
    if delivery.kind == deliveries.AGENT:
        return links.desk_url(delivery.ticket)
    return links.file_url(delivery.ticket, delivery.user, attachment_id)


def _references(message: Message, delivery: Delivery) -> list[str]:
    """The identities of what this recipient has seen of the conversation before, oldest first (RFC 5322, 3.6.4).

    A customer who follows has seen what was written since then: the message in whose Cc they stood is the first.
    """
    since = select(Follower.since).where(
        Follower.ticket_id == message.ticket_id, Follower.user_id == delivery.user_id, literal(delivery.kind == "reply")
    )
    came_in = select(Message.created_at, Message.external_id).where(
        Message.ticket_id == message.ticket_id,
        Message.id < message.id,
        Message.visibility == PUBLIC,
        Message.external_id.is_not(None),
        or_(Message.author_id == delivery.user_id, Message.created_at >= since.scalar_subquery()),
    )
    went_out = select(Delivery.created_at, Delivery.identity).where(
        # A ticket that was merged into this one was the same conversation for its recipients.
        Delivery.ticket_id.in_(absorbed(message.ticket_id)),
        Delivery.user_id == delivery.user_id,
        Delivery.id < delivery.id,
    )
    seen = sorted([*db.session.execute(came_in), *db.session.execute(went_out)], key=lambda row: row[0])
    identities = [identity for _at, identity in seen]
    # The first one holds the thread together; of the rest the newest matter.
    return identities if len(identities) <= _REFERENCES else [identities[0], *identities[1 - _REFERENCES :]]


def _notice(outgoing: OutgoingMessage, ticket: Ticket | None, desk: str, text: str) -> None:
    """That a message was received; ``text`` where there is more to say than that. It answers it (RFC 3834, 3.1.5)."""
    if ticket is not None and (identity := _first_identity(ticket)) is not None:
        outgoing.in_reply_to, outgoing.references = identity, [identity]
    subject = outgoing.subject
    outgoing.subject = _("We have received your message: %(subject)s", subject=subject)
    outgoing.text = text or _(
        "Thank you for writing to %(desk)s. A person will read your message “%(subject)s” and answer you.\n\n"
        "Your ticket has the number %(number)s. Use the link to follow it or to add something; no account is needed.",
        desk=desk,
        subject=subject,
        number=outgoing.ticket_number,
    )
    outgoing.html = text_to_html(outgoing.text)


def _first_identity(ticket: Ticket) -> str | None:
    query = select(Message.external_id).where(Message.ticket_id == ticket.id, Message.author_id == ticket.requester_id)
    return db.session.scalar(query.order_by(Message.id).limit(1))


def _own_words(outgoing: OutgoingMessage, data: dict[str, Any]) -> None:
    """Words that were written with the delivery, and where they lead."""
    outgoing.subject, outgoing.text = data.get("subject") or outgoing.subject, data.get("text", "")
    outgoing.html = text_to_html(outgoing.text)
    if data.get("link"):
        outgoing.link, outgoing.link_label = data["link"], data.get("link_label") or data["link"]


def _account(outgoing: OutgoingMessage, kind: str, user: User, desk: str) -> None:
    # Made only now: the secret is in the mail and nowhere at rest. A retry sends a new one.
    secret = accounts.issue_token(kind, user)
    outgoing.link = f"{links.address()}/auth/password/{kind}/{secret}"
    outgoing.link_label = _("Choose a password")
    if kind == accounts.RESET:
        outgoing.subject = _("Choose a new password for %(desk)s", desk=desk)
        outgoing.text = _(
            "Somebody, probably you, asked for a new password for %(desk)s. The link works once, within two hours. "
            "If it was not you, do nothing: your password stays as it is.",
            desk=desk,
        )
    else:
        outgoing.subject = _("Your account at %(desk)s", desk=desk)
        outgoing.text = _(
            "You have an account at %(desk)s. Choose a password to sign in; the link works once, within a week.",
            desk=desk,
        )
    outgoing.html = text_to_html(outgoing.text)


def locale_of(delivery: Delivery) -> str | None:
    """The reader's language, else that of the ticket; an agent reads the desk's, whatever the customer speaks."""
    if delivery.user is not None and (delivery.user.locale or delivery.kind == deliveries.AGENT):
        return delivery.user.locale
    return delivery.ticket.locale if delivery.ticket is not None else None
