"""Anything coming in: the raw bytes are kept first, then acted on; a bad item holds up nobody."""

from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import accounts, files
from helpdesk.core.channels.threading import Thread, find_thread
from helpdesk.core.clock import now
from helpdesk.core.drafts import IntakeDraft, MessageDraft, StoredFile, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Intake
from helpdesk.core.models.intake import DISCARDED, DONE, IGNORED, QUARANTINED, RECEIVED
from helpdesk.core.transaction import add_or_find, transaction
from helpdesk.core.workflow import Invalid, Refused, open_ticket, prepare_message, prepare_ticket, reply
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel, Reject

JOB = "core.intake"
# An item waits for its channel for as long as that is off.
_ATTEMPTS = 1_000_000
# Kept raw up to this; larger ones are refused before they are read (the channel says so to its sender).
MAX_SIZE = 35 * 1024 * 1024


class TooLarge(Exception):
    """The raw item is over :data:`MAX_SIZE`; nothing was kept."""

    def __init__(self) -> None:
        super().__init__(_("The message is larger than 35 MB and was not taken in."))


@dataclass(frozen=True)
class Outcome:
    """What became of an item: ``ticket``, ``message``, ``ignored``, ``quarantined`` or ``waiting``, and why."""

    intake_id: int
    outcome: str
    reason: str
    ticket_id: int | None = None
    message_id: int | None = None
    machine: bool = False


def store(channel: str, raw: bytes, transport_id: str | None = None) -> Intake:
    """Keep a raw item: bytes on disk, then its row. Opens a transaction of its own; asks a worker to act on it.

    The same bytes, or the same place on the transport, are kept once. Raises :class:`TooLarge`.
    """
    if len(raw) > MAX_SIZE:
        raise TooLarge
    kept = files.store_bytes(raw, "raw", "application/octet-stream")
    place = transport_id or f"sha256:{kept.sha256}"
    with transaction():
        query = select(Intake).where(
            Intake.channel == channel, (Intake.transport_id == place) | (Intake.sha256 == kept.sha256)
        )
        if (existing := db.session.scalar(query)) is not None:
            return existing
        new = Intake(channel=channel, transport_id=place, sha256=kept.sha256, size=len(raw))
        if (item := add_or_find(new, lambda: db.session.scalar(query))) is not new:
            return item
        _ask_worker(item)
    return item


def _ask_worker(item: Intake) -> None:
    ledger.schedule(JOB, key=f"intake:{item.id}", max_attempts=_ATTEMPTS, intake_id=item.id)


def receive(channel: str, raw: bytes, transport_id: str | None = None) -> Outcome:
    """:func:`store` and :func:`process` at once (the command line, tests)."""
    return process(store(channel, raw, transport_id).id)


def act(intake_id: int) -> None:
    """:func:`process` as a job. Raises :class:`NotYet` while the channel is off."""
    outcome = process(intake_id)
    if outcome.outcome == "waiting":
        raise ledger.NotYet(outcome.reason)


def process(intake_id: int) -> Outcome:
    """Act on a kept item: parse, ask the plugins, thread, write. Once; later calls tell what became of it.

    Ticket or message, events, deliveries and the item's own state are one transaction. Anything that goes
    wrong puts the item into quarantine with its reason; the queue behind it moves on.
    """
    item = db.session.get(Intake, intake_id)
    if item is None or item.state != RECEIVED:
        return _outcome(item, intake_id)
    channel: Channel | None = manager.current().find("register_channels", item.channel)
    if channel is None or channel.parse is None:
        return Outcome(item.id, "waiting", _("The channel “%(name)s” is off; it waits.", name=item.channel))
    try:
        draft = channel.parse(files.path_of(item.sha256).read_bytes())
        return _accept(item, draft)
    except Reject as rejection:
        return _settle(item, IGNORED, rejection.reason)
    except (Invalid, Refused, accounts.AccountError) as error:
        return _settle(item, QUARANTINED, str(error))
    except Exception as error:  # noqa: BLE001 - kept, shown and retried by a click; others go on
        current_app.logger.exception("Incoming item %s could not be used.", intake_id)
        return _settle(item, QUARANTINED, f"{type(error).__name__}: {error}"[:500])


def retry(item: Intake) -> Outcome:
    """Try a quarantined item again."""
    with transaction():
        if item.state in (QUARANTINED, DISCARDED, IGNORED):
            item.state, item.outcome, item.reason = RECEIVED, None, ""
            # Should this process die on the way, or the channel be off, a worker finds the item.
            _ask_worker(item)
    return process(item.id)


def discard(item: Intake) -> None:
    """A person decided that a quarantined item is not wanted; the raw bytes stay. Opens a transaction."""
    with transaction():
        if item.state == QUARANTINED:
            item.state, item.done_at = DISCARDED, now()


def _accept(item: Intake, draft: IntakeDraft) -> Outcome:
    _note(item, draft)
    if draft.refused:
        return _settle(item, QUARANTINED, draft.refused, draft)
    draft = manager.current().before("before_message_accepted", "intake", intake=draft)
    if not draft.sender_address:
        reason = _("It has no sender who could be answered.")
        return _settle(item, IGNORED if draft.machine else QUARANTINED, reason, draft)
    thread = find_thread(draft)
    joins = thread.ticket is not None and not thread.ticket.is_closed
    if not joins and draft.machine and not draft.may_open:
        return _settle(item, IGNORED, draft.machine_reason or _("Automatic mail."), draft)
    stored = [
        files.store_bytes(file.data, file.name, file.content_type, content_id=file.content_id) for file in draft.files
    ]
    if joins:
        return _join(item, draft, thread, stored)
    return _open(item, draft, thread, stored)


def _join(item: Intake, draft: IntakeDraft, thread: Thread, stored: list[StoredFile]) -> Outcome:
    assert thread.ticket is not None
    message = MessageDraft(
        text=_text(draft, stored),
        html=draft.html,
        quoted=draft.quoted,
        files=stored,
        channel=draft.channel,
        external_id=draft.external_id,
        intake_id=item.id,
        reason=thread.reason,
        # An automatic answer is shown and changes nothing.
        status=thread.ticket.status.key if draft.machine else None,
    )
    message = prepare_message(thread.ticket, message, thread.author)
    with transaction():
        if not _still_open(item):
            return _outcome(item, item.id)
        written = reply(thread.ticket, message, thread.author)
        _finish(item, DONE, "message", thread.reason, draft, written.ticket_id)
        return Outcome(item.id, "message", thread.reason, written.ticket_id, written.id, draft.machine)


def _open(item: Intake, draft: IntakeDraft, thread: Thread, stored: list[StoredFile]) -> Outcome:
    reason = thread.reason
    if thread.ticket is not None:
        reason = f"closed:{thread.ticket.id}"
    requester = accounts.requester_for(draft.sender_address, draft.sender_name, draft.locale)
    if not requester.active:
        return _settle(item, IGNORED, "blocked", draft)
    ticket_draft = prepare_ticket(
        TicketDraft(
            subject=draft.subject,
            requester_id=requester.id,
            text=_text(draft, stored),
            html=draft.html,
            quoted=draft.quoted,
            files=stored,
            channel=draft.channel,
            locale=draft.locale,
            verified=False,
            external_id=draft.external_id,
            intake_id=item.id,
            reason=reason,
        ),
        requester,
    )
    with transaction():
        if not _still_open(item):
            return _outcome(item, item.id)
        # Mail proves no sender: somebody of staff who writes to the desk is a requester here.
        ticket = open_ticket(ticket_draft, None)
        _finish(item, DONE, "ticket", reason, draft, ticket.id)
        return Outcome(item.id, "ticket", reason, ticket.id, None, draft.machine)


def _text(draft: IntakeDraft, stored: list[StoredFile]) -> str:
    """What was written; where nothing was, words that say so, so that no message is refused for being empty."""
    if draft.text.strip() or draft.html.strip() or stored:
        return draft.text
    return _("(empty message)")


def _still_open(item: Intake) -> bool:
    """Inside the transaction: whether no other worker has acted on it meanwhile."""
    db.session.refresh(item, with_for_update={"of": Intake})
    return item.state == RECEIVED


def _note(item: Intake, draft: IntakeDraft) -> None:
    with transaction():
        item.attempts += 1
        item.sender, item.subject = draft.sender_address[:320], draft.subject[:300]
        item.machine = draft.machine


def _settle(item: Intake, state: str, reason: str, draft: IntakeDraft | None = None) -> Outcome:
    outcome = "ignored" if state == IGNORED else "quarantined"
    with transaction():
        _finish(item, state, outcome, reason, draft, None)
    return _outcome(item, item.id)


def _finish(
    item: Intake, state: str, outcome: str, reason: str, draft: IntakeDraft | None, ticket_id: int | None
) -> None:
    item.state, item.outcome, item.reason, item.done_at = state, outcome, reason, now()
    item.ticket_id = ticket_id
    if draft is not None and draft.problems and not reason:
        item.reason = "; ".join(draft.problems)[:500]


def _outcome(item: Intake | None, intake_id: int) -> Outcome:
    if item is None:
        return Outcome(intake_id, "ignored", _("There is no such item."))
    return Outcome(item.id, item.outcome or "waiting", item.reason, item.ticket_id, None, item.machine)
