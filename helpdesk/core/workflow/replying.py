"""Add a public reply or an internal note."""

from dataclasses import replace
from typing import Any

from flask_babel import gettext as _

from helpdesk.core import deliveries, statuses
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Status, Ticket, User
from helpdesk.core.models.message import INTERNAL, PUBLIC
from helpdesk.core.models.ticket import NEW, ON_HOLD, OPEN, PENDING, SOLVED
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import asking
from helpdesk.core.workflow.errors import Invalid, Merged, Refused
from helpdesk.core.workflow.following import let_follow
from helpdesk.core.workflow.locking import check_version, lock, touch
from helpdesk.core.workflow.messages import speaks_for_desk, write_message
from helpdesk.core.workflow.opening import TEXT_LENGTH
from helpdesk.core.workflow.statuses import ask_plugins, change_status, require_close
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Reject


def prepare_message(ticket: Ticket, draft: MessageDraft, actor: User | None) -> MessageDraft:
    """Check a draft and ask the plugins, before any transaction opens. Raises :class:`Invalid` or :class:`Refused`."""
    if not draft.text.strip() and not draft.html.strip() and not draft.files:
        raise Invalid("text", _("Write something first."))
    if len(draft.text) > TEXT_LENGTH or len(draft.html) > 2 * TEXT_LENGTH:
        raise Invalid("text", _("This text is too long; a million characters fit. Attach it as a file instead."))
    try:
        draft = manager.current().before(
            "before_message_added", "draft", ticket=ticket, draft=replace(draft), actor=actor
        )
    except Reject as rejection:
        raise Refused(rejection.reason) from rejection
    if (status := _status_named(draft)) is not None and status.id != ticket.status_id:
        require_close(ticket, status, actor)
        ask_plugins(ticket, status, actor)
    draft.prepared = True
    return draft


def reply(ticket: Ticket, draft: MessageDraft, actor: User | None, version: int | None = None) -> Message:
    """Add a public message; record ``message_added`` and, with it, a status change.

    ``actor`` is its author; None is the desk itself. A reply of staff is delivered to the requester and the
    followers among the customers and makes a new ticket open unless ``draft.status`` says otherwise. An
    answer of the customer opens a ticket that waited or was solved (with ``draft.reopens`` a closed one too), and
    ``draft.follower_ids`` follow from it on. With ``version``, raises :class:`Stale` when somebody else wrote
    meanwhile. Joins or opens the transaction.

    Raises :class:`Invalid` (nothing written, a closed ticket), :class:`Merged`, :class:`Refused`, :class:`NotAllowed`.
    """
    require(actor, "ticket.reply", ticket)
    return _add(ticket, replace(draft, visibility=PUBLIC), actor, version)


def note(ticket: Ticket, draft: MessageDraft, actor: User | None, version: int | None = None) -> Message:
    """Add an internal note, which no customer ever sees; record ``message_added``. Otherwise like :func:`reply`."""
    require(actor, "ticket.note", ticket)
    return _add(ticket, replace(draft, visibility=INTERNAL), actor, version)


def _add(ticket: Ticket, draft: MessageDraft, actor: User | None, version: int | None) -> Message:
    if not draft.prepared:
        draft = prepare_message(ticket, draft, actor)
    with transaction():
        lock(ticket)
        if ticket.merged_into_id is not None:
            raise Merged(ticket)
        if ticket.is_closed and draft.visibility == PUBLIC and not draft.reopens:
            raise Invalid("ticket", _("This ticket is closed. Open a new one to go on."))
        check_version(ticket, version, actor, ("message_added", "tickets_merged"))
        touch(ticket)
        message = write_message(ticket, draft, actor)
        data: dict[str, Any] = {"visibility": message.visibility, **({"reason": draft.reason} if draft.reason else {})}
        if draft.mentions:
            data["mentions"] = draft.mentions
        record("message_added", ticket, actor, data, message)
        let_follow(ticket, draft.follower_ids, message, actor)
        before = ticket.category
        if (status := _status_after(ticket, draft, actor)) is not None:
            change_status(ticket, status, actor)
        if message.visibility == PUBLIC and speaks_for_desk(actor, ticket):
            # Who solves with an answer asks in it.
            deliveries.queue_message(ticket, message, asks=asking.becomes_due(ticket, before))
        else:
            asking.after_change(ticket, before, actor)
        db.session.flush()
    return message


def _status_named(draft: MessageDraft) -> Status | None:
    if not draft.status:
        return None
    status = statuses.by_key(draft.status)
    if status is None:
        raise Invalid("status", _("There is no status “%(name)s”.", name=draft.status))
    return status


def _status_after(ticket: Ticket, draft: MessageDraft, actor: User | None) -> Status | None:
    """The status that a message brings about, or None when it stays."""
    if (status := _status_named(draft)) is not None:
        return status if status.id != ticket.status_id else None
    if draft.visibility == INTERNAL:
        return None
    staff = speaks_for_desk(actor, ticket)
    if staff and ticket.category == NEW:
        return statuses.of_category(OPEN)
    if not staff and (ticket.category in (PENDING, ON_HOLD, SOLVED) or ticket.is_closed):
        return statuses.of_category(OPEN)
    return None
