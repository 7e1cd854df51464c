"""Put a ticket to rest until some moment, and wake it."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from helpdesk.core.events.record import record
from helpdesk.core.models import Ticket, User
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.alarms import WOKEN, ahead, set_alarm
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.locking import check_version, lock, touch
from helpdesk.core.workflow.promising import promise_answer

KIND = "ticket_snoozed"


def snooze(ticket: Ticket, until: datetime, actor: User | None, version: int | None = None) -> Ticket:
    """Let a ticket rest until a moment (aware); record ``ticket_snoozed``. It leaves the usual lists so long.

    It comes back, marked, at that moment (core.alarms), when the customer writes, or by :func:`wake`. Same moment:
    nothing happens. With ``version``, raises :class:`Stale` when somebody else snoozed or woke it meanwhile. Joins or
    opens the transaction. Raises :class:`Invalid` (a moment that has passed, a solved ticket), :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    with transaction():
        lock(ticket)
        check_version(ticket, version, actor, (KIND, WOKEN))
        if ticket.category not in UNSOLVED:
            raise Invalid("snooze", _("This ticket is solved; it rests already."))
        ahead("snooze", until)
        if until == ticket.snoozed_until:
            return ticket
        touch(ticket)
        ticket.snoozed_until = until
        ticket.snoozed_by_id = actor.id if actor is not None else None
        record(KIND, ticket, actor, {"until": until.isoformat()})
        set_alarm(ticket)
    return ticket


def wake(ticket: Ticket, actor: User | None) -> Ticket:
    """Bring back a ticket that rests; record ``ticket_woke``. One that does not: only its mark goes.

    Joins or opens the transaction. Raises :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    with transaction():
        lock(ticket)
        if ticket.snoozed_until is not None:
            touch(ticket)
            rouse(ticket, actor, "hand")
        seen(ticket)
    return ticket


def rouse(ticket: Ticket, actor: User | None, reason: str) -> None:
    """End the rest inside the open transaction ("answer": the customer wrote; "hand"); the ticket stays marked."""
    if ticket.snoozed_until is None:
        return
    ticket.snoozed_until = None
    record(WOKEN, ticket, actor, {"reason": reason, "by": ticket.snoozed_by_id})
    set_alarm(ticket)


def seen(ticket: Ticket) -> None:
    """Somebody of the desk has done something about it: a ticket that came back is like any other again."""
    if ticket.snoozed_until is None:
        ticket.snoozed_by_id = None


def after_reply(ticket: Ticket, together: dict[str, Any], actor: User | None) -> None:
    """What was asked for together with a reply or note: ``promise_at``, ``promise_words``, ``snooze_until`` (ISO).

    After the message, in its transaction: the answer that promises another one does not keep that promise. Raises
    :class:`Invalid` when a moment has passed since.
    """
    if together.get("promise_at"):
        at = datetime.fromisoformat(together["promise_at"])
        promise_answer(ticket, at, actor, together.get("promise_words", ""))
    if together.get("snooze_until"):
        snooze(ticket, datetime.fromisoformat(together["snooze_until"]), actor)
