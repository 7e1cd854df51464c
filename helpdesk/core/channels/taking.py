"""From an understood item to what becomes of it: a ticket, a message, or a reason why neither."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from flask_babel import gettext as _

from helpdesk.core import files
from helpdesk.core.abreast import Ask, Way
from helpdesk.core.channels import automatic, copies, people, returns, sorting
from helpdesk.core.channels.items import Outcome, finish, outcome_of, settle, still_open
from helpdesk.core.channels.steps import Steps, Write
from helpdesk.core.channels.threading import Thread, departure, doubt, find_thread
from helpdesk.core.drafts import IncomingFile, IntakeDraft, MessageDraft, StoredFile, TicketDraft
from helpdesk.core.events.reasons import ACCEPTED, UNPROVED
from helpdesk.core.events.record import record
from helpdesk.core.i18n import speaking
from helpdesk.core.markup import text_to_html
from helpdesk.core.models import Intake, User
from helpdesk.core.models.intake import DONE, IGNORED, QUARANTINED
from helpdesk.core.workflow import (
    Merged,
    note,
    prepare_message,
    prepare_ticket,
    reply,
    speaks_for_desk,
    survivor_of,
    way_to_open,
)
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Reject


@dataclass
class Arrival:
    """An item on its way: as its channel understood it, with what the plugins made of that."""

    item: Intake
    draft: IntakeDraft
    # A person let it in though something spoke against it.
    accepted: bool = False
    # What copies of it share; of the message as it came.
    mark: str | None = None

    @property
    def proved(self) -> bool:
        """Whether the channel has proved the sender."""
        return self.draft.verified is True

    @property
    def is_suspect(self) -> bool:
        """Whether it is taken in without believing who sent it: nobody gets rights, a name or an answer by it."""
        return self.draft.verified is False or (self.accepted and not self.proved)

    def write(self, call: Callable[[], Any]) -> Write:
        """What is written for it: of the mails of one sender one after the other, of copies too."""
        return Write(call, {self.draft.sender_address.strip().lower(), self.mark} - {None, ""})

    def end(self, state: str, reason: str, ticket_id: int | None = None) -> Write:
        """No ticket comes of it."""
        return self.write(partial(settle, self.item, state, reason, self.draft, ticket_id))


def take(arrival: Arrival) -> Steps:
    """Decide what becomes of an item, and yield what is to be written. Plugins are asked outside of transactions.

    Raises Reject, Invalid, Refused and AccountError where it cannot be written as it is; what is known of it by then
    stands in the arrival.
    """
    item, draft = arrival.item, arrival.draft
    draft.account = item.account or draft.account
    draft.source = str(files.path_of(item.sha256))
    if draft.refused:
        return (yield arrival.end(QUARANTINED, draft.refused))
    arrival.mark = copies.fingerprint(draft)
    if (original := (yield Ask(copies.earlier, (item, arrival.mark)))) is not None:
        return (yield arrival.end(IGNORED, f"copy:{original.id}", original.ticket_id))
    # What is in the files is shared by all copies of a draft: bytes are never copied.
    try:
        arrival.draft = draft = manager.current().before("before_message_accepted", "intake", intake=draft)
    except Reject as rejection:
        arrival.draft = rejection.draft
        raise
    if draft.refused and not arrival.accepted:
        return (yield arrival.end(QUARANTINED, draft.refused))
    if draft.returns and (outcome := (yield arrival.write(partial(returns.take, item, draft)))) is not None:
        return outcome
    if reason := (yield Ask(automatic.loops, draft)):
        return (yield arrival.end(IGNORED, reason))
    if not draft.sender_address:
        return (yield arrival.end(IGNORED if draft.machine else QUARANTINED, "no_sender"))
    return (yield from _thread(arrival))


def _thread(arrival: Arrival) -> Steps:
    draft = arrival.draft
    thread = find_thread(draft)
    if thread.ticket is not None and draft.machine and speaks_for_desk(thread.author, thread.ticket):
        # Customers are not told that an agent is away.
        return (yield arrival.end(IGNORED, draft.machine_reason or "machine", thread.ticket.id))
    if not arrival.accepted and (reason := doubt(thread, draft)):
        return (yield arrival.write(partial(_hold, arrival, thread, reason)))
    left = departure(thread, draft)
    joins = thread.ticket is not None and not left
    if not joins and draft.machine and not draft.may_open:
        return (yield arrival.end(IGNORED, draft.machine_reason or "machine"))
    stored: list[StoredFile] = (yield Ask(_kept, draft.files)) if draft.files else []
    if joins:
        return (yield from _join(arrival, thread, stored))
    return (yield from _open(arrival, left or thread.reason, stored))


def _hold(arrival: Arrival, thread: Thread, reason: str) -> Outcome:
    """Put an item aside, and say so on the ticket that it would have joined: somebody waits for what it says."""
    item, ticket = arrival.item, thread.ticket
    assert ticket is not None
    if still_open(item):
        finish(item, QUARANTINED, "quarantined", reason, arrival.draft, ticket.id)
        record("message_held", ticket, None, {"address": item.sender, "reason": reason})
    return outcome_of(item, item.id)


def _join(arrival: Arrival, thread: Thread, stored: list[StoredFile]) -> Steps:
    item, draft, ticket, author = arrival.item, arrival.draft, thread.ticket, thread.author
    assert ticket is not None and author is not None
    # Accepted without proof, the words of one of ours are no word of the desk.
    as_note = arrival.is_suspect and speaks_for_desk(author, ticket)
    reasons = [thread.reason, *([ACCEPTED] if arrival.is_suspect else [])]
    message = MessageDraft(
        text=_text(draft, stored),
        html=draft.html,
        quoted=draft.quoted,
        files=stored,
        channel=draft.channel,
        verified=arrival.proved or (thread.reason == "reply_token" and not arrival.is_suspect),
        external_id=draft.external_id,
        intake_id=item.id,
        reason=";".join(reasons),
        # An automatic answer is shown and changes nothing.
        status=ticket.status.key if draft.machine else None,
        reopens=not speaks_for_desk(author, ticket),
    )
    if as_note:
        _say_unproved(message, draft)
    writer = None if as_note else author
    message = prepare_message(ticket, message, writer)

    def write() -> Way[Outcome]:
        if (outcome := (yield from _settled_meanwhile(arrival))) is not None:
            return outcome
        if not arrival.is_suspect:
            message.follower_ids = [person.id for person in people.copied(draft, author, ticket)]
            _hear_of(author, draft)
        verb = note if as_note else reply
        try:
            written, joined = verb(ticket, message, writer), ticket
        except Merged:
            # A moment ago; it goes on in another.
            joined = survivor_of(ticket)
            written = verb(joined, message, writer)
        finish(item, DONE, "message", message.reason, draft, joined.id)
        return Outcome(item.id, "message", item.reason, joined.id, written.id, draft.machine)

    return (yield arrival.write(write))


def _open(arrival: Arrival, reason: str, stored: list[StoredFile]) -> Steps:
    item, draft = arrival.item, arrival.draft
    requester: User | None = yield Ask(people.known_requesters, draft)
    if requester is None:
        made = yield arrival.write(partial(people.new_requester, draft))
        requester = yield Ask(people.read_anew, made)
    assert requester is not None
    if not requester.active:
        return (yield arrival.end(IGNORED, "blocked"))
    reasons = [reason] if reason else []
    if arrival.is_suspect:
        reasons.append(ACCEPTED if arrival.accepted else UNPROVED)
    ticket_draft = prepare_ticket(_ticket_draft(arrival, requester, stored, ";".join(reasons)), requester)

    def write() -> Way[Outcome]:
        if (outcome := (yield from _settled_meanwhile(arrival))) is not None:
            return outcome
        # So that one worker at a time asks whether they may be answered, and writes the answer.
        yield Ask(people.lock, requester)
        if not arrival.is_suspect:
            ticket_draft.follower_ids += [person.id for person in people.copied(draft, requester)]
            _hear_of(requester, draft)
        if ticket_draft.notice and (refused := (yield from _answer_refused(arrival, requester))):
            ticket_draft.notice = False
            reasons.extend([refused] if refused == "breaker" else [])
        # Mail proves no sender: somebody of staff who writes to the desk is a requester here.
        ticket = yield from way_to_open(ticket_draft, None)
        finish(item, DONE, "ticket", ";".join(reasons), draft, ticket.id)
        return Outcome(item.id, "ticket", item.reason, ticket.id, None, draft.machine)

    return (yield arrival.write(write))


def _kept(every: list[list[IncomingFile]]) -> list[list[StoredFile]]:
    """The files of each item, on disk."""
    stored = iter(files.store_many([file for some in every for file in some]))
    return [list(islice(stored, len(some))) for some in every]


def _settled_meanwhile(arrival: Arrival) -> Way[Outcome | None]:
    """What another worker has made of the item, or of a copy of it, a moment ago. Inside the open transaction."""
    item = arrival.item
    if not still_open(item):
        return outcome_of(item, item.id)
    if (original := (yield Ask(copies.claim, (item, arrival.mark)))) is None:
        return None
    finish(item, IGNORED, "ignored", f"copy:{original.id}", arrival.draft, original.ticket_id)
    return outcome_of(item, item.id)


def _ticket_draft(arrival: Arrival, requester: User, stored: list[StoredFile], reason: str) -> TicketDraft:
    draft = arrival.draft
    opened = TicketDraft(
        subject=draft.subject,
        requester_id=requester.id,
        text=_text(draft, stored),
        html=draft.html,
        quoted=draft.quoted,
        files=stored,
        channel=draft.channel,
        account=draft.account or None,
        team_id=draft.team_id,
        locale=draft.locale,
        verified=arrival.proved,
        external_id=draft.external_id,
        intake_id=arrival.item.id,
        reason=reason,
        notice=draft.notice,
        notice_text=draft.notice_text,
    )
    sorting.sort(opened, draft)
    return opened


def _answer_refused(arrival: Arrival, requester: User) -> Way[str]:
    """Why the requester gets no notice, or ""."""
    if arrival.is_suspect:
        return "disproved"
    reason: str = yield Ask(automatic.may_answer, (arrival.draft, requester.email or ""))
    return reason


def _hear_of(person: User, draft: IntakeDraft) -> None:
    """Somebody writes from the address: what was sent to it came back for another reason, or it works again."""
    if person.bounced_at is not None and not draft.machine:
        returns.forgive(person)


def _say_unproved(message: MessageDraft, draft: IntakeDraft) -> None:
    """Put in front of a text that it may not be by the member of staff whose address it bears."""
    with speaking(None):
        said = _(
            "This came by mail from %(address)s. Nothing proves who wrote it, so it was kept as a note and sent to "
            "nobody.",
            address=draft.sender_address,
        )
    message.text = f"{said}\n\n{message.text}"
    if message.html:
        message.html = text_to_html(said) + message.html


def _text(draft: IntakeDraft, stored: list[StoredFile]) -> str:
    """What was written; where nothing was, words that say so, so that no message is refused for being empty."""
    if draft.text.strip() or draft.html.strip() or stored:
        return draft.text
    with speaking(None):
        return _("(empty message)")
