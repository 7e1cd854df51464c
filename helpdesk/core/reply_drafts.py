"""What agents are writing: kept while they type, seen by whoever opens the ticket, and held for a moment when sent.

A held reply is written by a job. The row goes in the very transaction that writes the message, so that it is sent once,
whatever dies; where it cannot be written it stays as a draft and says why.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import delete, func, select
from sqlalchemy.orm import joinedload

from helpdesk.core import settings, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft, StoredFile
from helpdesk.core.extensions import db
from helpdesk.core.i18n import speaking
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.markup import text_to_html
from helpdesk.core.models import ReplyDraft, Ticket, User
from helpdesk.core.models.message import INTERNAL, PUBLIC
from helpdesk.core.permissions import NotAllowed, require, ticket_criterion
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.locking import check_version

JOB = "core.send_draft"
# What one person may have lying on one ticket, and what a page lists.
_MOST, PAGE = 20, 50
_SHOWN = 20
TEXT_LENGTH = 1_000_000


class TooMany(Exception):
    """One person has too many drafts on a ticket; the text is a sentence."""


@dataclass
class Written:
    """What stands in a composer. ``key`` is its form's, by which its draft is found before it has a number."""

    text: str
    html: str = ""
    visibility: str = PUBLIC
    files: Sequence[StoredFile] = ()
    # What else is to happen on sending, as JSON: "status", and "together" as workflow.after_reply takes it.
    data: Mapping[str, Any] = field(default_factory=dict)
    version: int | None = None
    number: int | None = None
    key: str = ""

    @property
    def is_empty(self) -> bool:
        return not self.text.strip() and not self.files


def undo_seconds() -> int:
    """For how long a reply of the desk's pages may be taken back; 0: it is sent at once."""
    return settings.get(settings.DeskSettings).undo_seconds


def keep(ticket: Ticket, written: Written, user: User) -> ReplyDraft | None:
    """Keep what somebody is writing; nothing written takes their draft away (None). Joins or opens the transaction.

    Finds the draft by its number or the form's key, else makes one, so that two windows do not write over each other.
    A text that is too long is cut: sending says so. Raises :class:`TooMany`, NotAllowed.
    """
    require(user, "ticket.note" if written.visibility == INTERNAL else "ticket.reply", ticket)
    with transaction():
        _lock(user)
        draft = _own(ticket, written, user)
        if written.is_empty:
            if draft is not None:
                db.session.delete(draft)
            return None
        if draft is None:
            draft = _begin(ticket, user)
        _fill(draft, written)
        db.session.flush()
    return draft


def hold(ticket: Ticket, written: Written, user: User) -> ReplyDraft:
    """Keep a reply to send it in ``undo_seconds``, and ask for that. Joins or opens the transaction.

    Raises what can be known now: Invalid (nothing written, closed), Stale (somebody answered since ``version``),
    NotAllowed. Plugins are asked when it is sent.
    """
    require(user, "ticket.reply", ticket)
    with transaction():
        check(ticket, written, user)
        _lock(user)
        draft = _own(ticket, written, user) or _begin(ticket, user)
        _fill(draft, written)
        draft.send_at = now() + timedelta(seconds=undo_seconds())
        draft.problem = ""
        db.session.flush()
        ledger.schedule(JOB, at=draft.send_at, draft_id=draft.id)
    return draft


def check(ticket: Ticket, written: Written, user: User) -> None:
    """Raise Invalid or Stale where a reply could not be written now. Reads only."""
    if written.is_empty:
        raise workflow.Invalid("text", _("Write something first."))
    if len(written.text) > TEXT_LENGTH or len(written.html) > 2 * TEXT_LENGTH:
        raise workflow.Invalid(
            "text", _("This text is too long; a million characters fit. Attach it as a file instead.")
        )
    if ticket.merged_into_id is not None:
        raise workflow.Merged(ticket)
    if ticket.is_closed:
        raise workflow.Invalid("ticket", _("This ticket is closed. Open a new one to go on."))
    check_version(ticket, written.version, user, ("message_added", "tickets_merged"))


def take_back(ticket: Ticket, number: int, user: User) -> ReplyDraft | None:
    """Undo the sending of one's own reply: it is a draft again. None when it was sent already, or never was.

    Joins or opens the transaction.
    """
    query = select(ReplyDraft).where(
        ReplyDraft.id == number, ReplyDraft.ticket_id == ticket.id, ReplyDraft.user_id == user.id
    )
    with transaction():
        draft = db.session.scalar(query.with_for_update(of=ReplyDraft).execution_options(populate_existing=True))
        if draft is not None:
            draft.send_at, draft.updated_at = None, now()
    return draft


def discard(ticket: Ticket, user: User, number: int | None = None, key: str = "") -> bool:
    """Take one's own draft away, by number or by the form's key; False when there is none. Joins or opens."""
    with transaction():
        draft = _own(ticket, Written("", number=number, key=key), user)
        if draft is not None:
            db.session.delete(draft)
    return draft is not None


def of_ticket(ticket: Ticket) -> Sequence[ReplyDraft]:
    """All drafts of a ticket, the newest first, 20 at most, with who writes them. One query."""
    query = select(ReplyDraft).where(ReplyDraft.ticket_id == ticket.id).options(joinedload(ReplyDraft.user))
    return db.session.scalars(query.order_by(ReplyDraft.updated_at.desc(), ReplyDraft.id.desc()).limit(_SHOWN)).all()


def find(ticket: Ticket, number: int) -> ReplyDraft | None:
    """The draft of that number if it is on the ticket."""
    draft = db.session.get(ReplyDraft, number, options=[joinedload(ReplyDraft.user)]) if number < 2**63 else None
    return draft if draft is not None and draft.ticket_id == ticket.id else None


def mine(user: User, before: int | None = None) -> Sequence[tuple[ReplyDraft, Ticket]]:
    """What somebody has begun on tickets that they see, the newest first, 50 at most; ``before``: older ones."""
    query = select(ReplyDraft, Ticket).join(Ticket, Ticket.id == ReplyDraft.ticket_id)
    query = query.where(ReplyDraft.user_id == user.id)
    if (criterion := ticket_criterion(user)) is not None:
        query = query.where(criterion)
    if before is not None:
        query = query.where(ReplyDraft.id < before)
    rows = db.session.execute(query.order_by(ReplyDraft.id.desc()).limit(PAGE))
    return [(draft, ticket) for draft, ticket in rows]


def count(user: User) -> int:
    """How many drafts somebody has."""
    return db.session.scalar(select(func.count(ReplyDraft.id)).where(ReplyDraft.user_id == user.id)) or 0


def with_drafts(tickets: Sequence[int]) -> Mapping[int, set[int]]:
    """Of those tickets the ones with drafts, each with who writes there. One query."""
    if not tickets:
        return {}
    found: dict[int, set[int]] = {}
    query = select(ReplyDraft.ticket_id, ReplyDraft.user_id).where(ReplyDraft.ticket_id.in_(tickets)).distinct()
    for ticket_id, user_id in db.session.execute(query):
        found.setdefault(ticket_id, set()).add(user_id)
    return found


def files_of(draft: ReplyDraft) -> list[StoredFile]:
    """Its files."""
    return [StoredFile(**file) for file in draft.files]


def message_of(draft: Written, user: User) -> MessageDraft:
    """The message that becomes of it, with the writer's signature under a reply."""
    text, html = draft.text, draft.html
    if draft.visibility == PUBLIC and (signature := user.signature.strip()):
        text = f"{text.rstrip()}\n\n{signature}"
        html = html and f"{html}<br>{text_to_html(signature)}"
    return MessageDraft(
        text,
        html,
        files=list(draft.files),
        visibility=draft.visibility,
        channel="desk",
        status=draft.data.get("status") or None,
        call_seconds=draft.data.get("call_seconds"),
    )


def send(draft_id: int, work: Work) -> None:
    """Write a held reply whose time has come (a job in steps). One that was taken back, or sent already, is left alone.

    Plugins are asked outside transactions. The message and the end of the draft are one transaction, the last of the
    job. What keeps it from being sent (an answer of somebody else, a closed ticket, an account that was shut, a
    plugin) is written on the draft.
    """
    draft = db.session.get(ReplyDraft, draft_id, options=[joinedload(ReplyDraft.user)])
    if draft is None or draft.send_at is None or draft.send_at > now():
        return
    ticket, writer, send_at = db.session.get_one(Ticket, draft.ticket_id), draft.user, draft.send_at
    with speaking(writer.locale):
        try:
            require(writer, "ticket.reply", ticket)
            version, together, message = (
                draft.version,
                draft.data.get("together", {}),
                message_of(_as_written(draft), writer),
            )
            prepared = workflow.prepare_message(ticket, message, writer)
            with work.last_step():
                if (held := _held(draft_id, send_at)) is not None:
                    db.session.delete(held)
                    workflow.reply(ticket, prepared, writer, version)
                    workflow.after_reply(ticket, together, writer)
        except (workflow.WorkflowError, NotAllowed) as problem:
            with work.last_step():
                _give_back(draft_id, send_at, _sentence(problem))


def given_up(draft_id: int, reason: str) -> None:
    """The job ran out of attempts: the text stays with its writer. Joins or opens the transaction."""
    with transaction():
        draft = db.session.get(ReplyDraft, draft_id, options=[joinedload(ReplyDraft.user)])
        if draft is None or draft.send_at is None:
            return
        with speaking(draft.user.locale):
            _give_back(
                draft_id, draft.send_at, _("It could not be sent because of an error: %(reason)s", reason=reason)
            )


def erase(user: User) -> None:
    """Take away what a person was writing, and what was being written to them. Joins the open transaction."""
    asked = select(Ticket.id).where(Ticket.requester_id == user.id)
    about = (ReplyDraft.user_id == user.id) | ReplyDraft.ticket_id.in_(asked)
    db.session.execute(delete(ReplyDraft).where(about).execution_options(synchronize_session="fetch"))


def _sentence(problem: Exception) -> str:
    if isinstance(problem, workflow.Stale):
        return _("Somebody else answered before it was sent. Read that first, then send yours again.")
    if isinstance(problem, NotAllowed):
        return _("Its writer may not answer this ticket any more.")
    return str(problem)


def _held(draft_id: int, send_at: Any) -> ReplyDraft | None:
    query = select(ReplyDraft).where(ReplyDraft.id == draft_id, ReplyDraft.send_at == send_at)
    return db.session.scalar(query.with_for_update(of=ReplyDraft).execution_options(populate_existing=True))


def _give_back(draft_id: int, send_at: Any, problem: str) -> None:
    if (draft := _held(draft_id, send_at)) is not None:
        draft.send_at, draft.problem = None, problem


def _as_written(draft: ReplyDraft) -> Written:
    return Written(draft.text, draft.html, draft.visibility, files_of(draft), draft.data, draft.version, draft.id)


def _lock(user: User) -> None:
    """One window of a person after the other; other people do not wait for it."""
    db.session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))


def _own(ticket: Ticket, written: Written, user: User) -> ReplyDraft | None:
    """The draft of a composer, if it is still being written."""
    query = select(ReplyDraft).where(ReplyDraft.ticket_id == ticket.id, ReplyDraft.user_id == user.id)
    rows = db.session.scalars(query.where(ReplyDraft.send_at.is_(None))).all()
    by_number = (row for row in rows if row.id == written.number)
    by_key = (row for row in rows if written.key and row.data.get("key") == written.key)
    return next(by_number, None) or next(by_key, None)


def _begin(ticket: Ticket, user: User) -> ReplyDraft:
    query = select(func.count(ReplyDraft.id))
    lying = db.session.scalar(query.where(ReplyDraft.ticket_id == ticket.id, ReplyDraft.user_id == user.id)) or 0
    if lying >= _MOST:
        raise TooMany(_("You have many drafts on this ticket already. Send or discard some first."))
    draft = ReplyDraft(ticket_id=ticket.id, user_id=user.id)
    db.session.add(draft)
    return draft


def _fill(draft: ReplyDraft, written: Written) -> None:
    draft.visibility, draft.version, draft.updated_at = written.visibility, written.version, now()
    draft.text, draft.html = written.text[:TEXT_LENGTH], written.html
    if len(written.html) > 2 * TEXT_LENGTH:
        draft.html = ""
    draft.files = [asdict(file) for file in written.files]
    draft.data = {**written.data, "key": written.key}
