"""The state of the composer: what was typed, who will read it, what happens on sending."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import current_app
from markupsafe import Markup
from sqlalchemy import select

from helpdesk.core.config import Config
from helpdesk.core.drafts import StoredFile
from helpdesk.core.extensions import db
from helpdesk.core.models import Follower, Message, Ticket, User
from helpdesk.core.models.ticket import CLOSED, PENDING
from helpdesk.core.models.user import REQUESTER
from helpdesk.core.permissions import allowed
from helpdesk.web import places, uploads
from helpdesk.web.desk.choices import StatusChoice, offered_statuses

REPLY, NOTE = "reply", "note"


@dataclass
class Composer:
    """Everything that the composer's template needs."""

    can_reply: bool
    can_note: bool
    recipients: Sequence[str]
    statuses: Sequence[StatusChoice]
    # What the main button sets.
    next_status: StatusChoice
    signature: str
    limit: int
    mode: str = REPLY
    text: str = ""
    html: str = ""
    kept: list[tuple[str, StoredFile]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    # What others wrote meanwhile, and the status that was asked for.
    conflict: list[tuple[Markup, str]] = field(default_factory=list)
    wanted_status: str = ""
    # What plugins put into it, and whether any of them suggests answers.
    tools: Sequence[places.Entry] = ()
    suggests: bool = False


def fresh(ticket: Ticket, user: User) -> Composer:
    """An empty composer for a ticket. One query."""
    statuses = [status for status in offered_statuses() if status.category not in ("new", CLOSED)]
    waiting = next((status for status in statuses if status.category == PENDING), statuses[0])
    config: Config = current_app.config["HELPDESK"]
    return Composer(
        can_reply=not ticket.is_closed and allowed(user, "ticket.reply"),
        can_note=allowed(user, "ticket.note"),
        recipients=_recipients(ticket),
        statuses=statuses,
        next_status=waiting,
        signature=user.signature,
        limit=config.max_upload_mb * 1024 * 1024,
        tools=places.composer_tools(ticket, user),
        suggests=places.is_filled("reply_suggestions"),
    )


def again(
    ticket: Ticket, user: User, mode: str, text: str, html: str, files: Sequence[StoredFile], status: str
) -> Composer:
    """A composer with what was typed and attached, after something was wrong."""
    found = fresh(ticket, user)
    found.mode = mode
    found.text, found.html, found.wanted_status = text, html, status
    found.kept = [(uploads.keep(file, user), file) for file in files]
    return found


def can_be_sent_on(message: Message) -> bool:
    """Whether a message is an answer of one of us that came by mail without proof: a note that nobody wrote here."""
    return message.is_note and message.author_id is None and message.intake_id is not None


def sending_on(ticket: Ticket, user: User, message: Message) -> Composer:
    """A composer with what such a note says, to be read over and sent as a reply."""
    # In front stands that it is a note, and why.
    text = message.text.partition("\n\n")[2]
    files = [StoredFile(file.name, file.content_type, file.size, file.sha256) for file in message.attachments]
    return again(ticket, user, REPLY, text, "", files, "")


def _recipients(ticket: Ticket) -> list[str]:
    """The addresses that a reply goes to: always on the screen, so that nobody is surprised."""
    followers = (
        select(User.email)
        .join(Follower, Follower.user_id == User.id)
        .where(Follower.ticket_id == ticket.id, User.role == REQUESTER, User.email.is_not(None))
        .order_by(User.id)
        .limit(50)
    )
    addresses = [ticket.requester.email, *db.session.scalars(followers)]
    return list(dict.fromkeys(address for address in addresses if address))
