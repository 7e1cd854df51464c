"""Move a ticket from status to status."""

from flask_babel import gettext as _

from helpdesk.core import statuses
from helpdesk.core.clock import now
from helpdesk.core.events.record import record
from helpdesk.core.models import Status, Ticket, User
from helpdesk.core.models.ticket import CLOSED, OPEN, PENDING, SOLVED
from helpdesk.core.permissions import NotAllowed, require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import alarms, asking, measuring, promising, snoozing
from helpdesk.core.workflow.errors import Invalid, Refused
from helpdesk.core.workflow.locking import check_version, lock, touch
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Reject

KIND = "ticket_status_changed"


def set_status(
    ticket: Ticket, key: str, actor: User | None, version: int | None = None, *, asked: bool = False
) -> Ticket:
    """Give a ticket the status with that key; record ``ticket_status_changed``. Same status: nothing happens.

    Staff may choose any; customers solve and reopen. A closed ticket stays closed. With ``version``, raises
    :class:`Stale` when somebody else changed the status meanwhile. ``asked``: :func:`ask_plugins` was called before
    the transaction that this joins. Joins or opens the transaction.

    Raises :class:`Invalid`, :class:`Refused`, :class:`NotAllowed`.
    """
    status = statuses.by_key(key)
    if status is None:
        raise Invalid("status", _("There is no status “%(name)s”.", name=key))
    _require(ticket, status, actor)
    if status.id == ticket.status_id:
        return ticket
    if not asked:
        ask_plugins(ticket, status, actor)
    with transaction():
        lock(ticket)
        check_version(ticket, version, actor, (KIND,))
        if status.id == ticket.status_id:
            return ticket
        if ticket.is_closed:
            raise Invalid("status", _("This ticket is closed. Open a new one to go on."))
        touch(ticket)
        before = ticket.category
        change_status(ticket, status, actor)
        asking.after_change(ticket, before, actor)
    return ticket


def restore_status(ticket: Ticket, key: str, actor: User | None) -> Ticket:
    """Give a ticket the status back that it had, even out of a closed one: what was done by mistake is undone.

    It does not count as reopened, no plugin is asked and nobody is written to. Joins or opens the transaction. Raises
    :class:`Invalid` for a status that is no longer there, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    status = statuses.by_key(key)
    if status is None:
        raise Invalid("status", _("There is no status “%(name)s”.", name=key))
    with transaction():
        lock(ticket)
        if status.id == ticket.status_id:
            return ticket
        reopened = ticket.reopened
        touch(ticket)
        change_status(ticket, status, actor)
        ticket.reopened = reopened
    return ticket


def solve(ticket: Ticket, actor: User | None, version: int | None = None) -> Ticket:
    """:func:`set_status` to the first solved status."""
    return set_status(ticket, statuses.of_category(SOLVED).key, actor, version)


def close(ticket: Ticket, actor: User | None, version: int | None = None) -> Ticket:
    """:func:`set_status` to the first closed status (staff); a customer's close is a solve that can be reopened."""
    if actor is not None and not actor.is_staff:
        return solve(ticket, actor, version)
    return set_status(ticket, statuses.of_category(CLOSED).key, actor, version)


def reopen(ticket: Ticket, actor: User | None, version: int | None = None) -> Ticket:
    """:func:`set_status` to the first open status."""
    return set_status(ticket, statuses.of_category(OPEN).key, actor, version)


def ask_plugins(ticket: Ticket, status: Status, actor: User | None) -> None:
    """Let plugins refuse a status. Raises :class:`Refused` with their reason."""
    try:
        manager.current().before("before_status_changed", ticket=ticket, status=status, actor=actor)
    except Reject as rejection:
        raise Refused(rejection.reason) from rejection


def require_close(ticket: Ticket, status: Status, actor: User | None) -> None:
    """Raise :class:`NotAllowed` where staff would close a ticket, by whatever way, and may not.

    A closed ticket is not opened again: that takes a permission of its own, of people and of tokens.
    """
    if status.category == CLOSED and actor is not None and actor.is_staff:
        require(actor, "ticket.close", ticket)


def take_back(ticket: Ticket) -> None:
    """It is our turn again: the answer that a pending ticket waits on the customer with has not reached them.

    Joins the open transaction. No plugin is asked: it is no wish of anybody's.
    """
    lock(ticket)
    if ticket.category != PENDING:
        return
    touch(ticket)
    change_status(ticket, statuses.of_category(OPEN), None)


def change_status(ticket: Ticket, status: Status, actor: User | None, reason: str = "") -> None:
    """Write the change and its event inside the open transaction; the caller has locked and touched the ticket.

    Times are measured here, and what nobody waits for any more ends: a promise, a rest, an alarm.
    """
    before = ticket.category
    data = {
        "from": ticket.status.key,
        "to": status.key,
        "from_category": ticket.category,
        "to_category": status.category,
        **({"reason": reason} if reason else {}),
    }
    ticket.status, ticket.status_id, ticket.category = status, status.id, status.category
    solved = status.category in (SOLVED, CLOSED)
    ticket.solved_at = (ticket.solved_at or now()) if solved else None
    ticket.closed_at = now() if status.category == CLOSED else None
    record(KIND, ticket, actor, data)
    measuring.status_changed(ticket, before)
    snoozing.seen(ticket)
    if solved:
        ticket.snoozed_until = ticket.snoozed_by_id = None
        promising.settle(ticket, actor, answered=promising.is_answer(ticket, actor))
    else:
        ticket.confirmed_at = None
    alarms.set_alarm(ticket)


def _require(ticket: Ticket, status: Status, actor: User | None) -> None:
    if actor is None or actor.is_staff:
        require(actor, "ticket.edit", ticket)
        require_close(ticket, status, actor)
        return
    require(actor, "ticket.close", ticket)
    if status.category not in (OPEN, SOLVED):
        raise NotAllowed("ticket.close")
