"""The state of the composer: what was typed, who will read it, what happens on sending."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import current_app
from markupsafe import Markup
from sqlalchemy import select

from helpdesk.core import markup, reply_drafts
from helpdesk.core.config import Config
from helpdesk.core.drafts import StoredFile
from helpdesk.core.extensions import db
from helpdesk.core.models import CannedResponse, Follower, Message, ReplyDraft, Ticket, User
from helpdesk.core.models.message import INTERNAL
from helpdesk.core.models.ticket import CLOSED, PENDING
from helpdesk.core.models.user import REQUESTER
from helpdesk.core.permissions import allowed
from helpdesk.core.reply_drafts import Written
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
    # What is to happen beside the message, as chosen.
    promise_by: str = ""
    snooze_until: str = ""
    # What plugins put into it, and whether any of them suggests answers.
    tools: Sequence[places.Entry] = ()
    suggests: bool = False
    # The draft that it goes on with, when that was kept, and why it could not be sent.
    draft_id: int | None = None
    saved_at: datetime | None = None
    problem: str = ""
    # Whether something is to be begun beside what is kept already.
    begins_empty: bool = False
    # What else is being written on this ticket, by the reader and by others.
    drafts: Sequence[ReplyDraft] = ()
    # Without a script: canned responses to choose from. And what one of them had no value for.
    canned: Sequence[CannedResponse] = ()
    missing: Sequence[str] = ()


def fresh(ticket: Ticket, user: User, drafts: Sequence[ReplyDraft] | None = None, wanted: str = REPLY) -> Composer:
    """An empty composer for a ticket. Two queries; one where the ticket's ``drafts`` are known."""
    statuses = [status for status in offered_statuses() if status.category not in ("new", CLOSED)]
    waiting = next((status for status in statuses if status.category == PENDING), statuses[0])
    config: Config = current_app.config["HELPDESK"]
    drafts = reply_drafts.of_ticket(ticket) if drafts is None else drafts
    return Composer(
        can_reply=not ticket.is_closed and allowed(user, "ticket.reply"),
        can_note=allowed(user, "ticket.note"),
        recipients=_recipients(ticket),
        statuses=statuses,
        next_status=waiting,
        signature=user.signature,
        limit=config.max_upload_mb * 1024 * 1024,
        mode=wanted,
        tools=places.composer_tools(ticket, user),
        suggests=places.is_filled("reply_suggestions"),
        drafts=[draft for draft in drafts if draft.send_at is None],
    )


def going_on(ticket: Ticket, user: User, drafts: Sequence[ReplyDraft], wanted: str = "") -> Composer:
    """A composer with the reader's newest draft. ``wanted``: the number of another one, or "reply" or "note": empty.

    What a colleague has begun is copied.
    """
    if wanted in (REPLY, NOTE):
        found = fresh(ticket, user, drafts, wanted)
        found.begins_empty = True
        return found
    free = [draft for draft in drafts if draft.send_at is None]
    chosen = next((draft for draft in free if str(draft.id) == wanted), None)
    if chosen is None:
        chosen = next((draft for draft in free if draft.user_id == user.id), None)
    if chosen is None:
        return fresh(ticket, user, drafts)
    found = again(ticket, user, _written(chosen), drafts)
    found.saved_at = chosen.updated_at
    if chosen.user_id == user.id:
        found.draft_id, found.problem = chosen.id, chosen.problem
        found.drafts = [draft for draft in found.drafts if draft.id != chosen.id]
    return found


def again(ticket: Ticket, user: User, written: Written, drafts: Sequence[ReplyDraft] | None = None) -> Composer:
    """A composer with what was typed and attached, after something was wrong."""
    found = fresh(ticket, user, drafts)
    found.mode = NOTE if written.visibility == INTERNAL else REPLY
    found.text, found.html, found.draft_id = written.text, written.html, written.number
    found.promise_by = str(written.data.get("promise_by") or "")
    found.snooze_until = str(written.data.get("snooze_until") or "")
    found.wanted_status = str(written.data.get("status") or "")
    found.kept = [(uploads.keep(file, user), file) for file in written.files]
    found.drafts = [draft for draft in found.drafts if draft.id != written.number]
    return found


def can_be_sent_on(message: Message) -> bool:
    """Whether a message is an answer of one of us that came by mail without proof: a note that nobody wrote here."""
    return message.is_note and message.author_id is None and message.intake_id is not None


def sending_on(ticket: Ticket, user: User, message: Message, drafts: Sequence[ReplyDraft]) -> Composer:
    """A composer with what such a note says, to be read over and sent as a reply."""
    # In front stands that it is a note, and why.
    text = message.text.partition("\n\n")[2]
    files = [StoredFile(file.name, file.content_type, file.size, file.sha256) for file in message.attachments]
    return again(ticket, user, Written(text, files=files), drafts)


def _written(draft: ReplyDraft) -> Written:
    # Cleaned once more where it is shown (decision 0034).
    html = markup.clean_html(draft.html)
    return Written(draft.text, html, draft.visibility, reply_drafts.files_of(draft), draft.data)


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
