"""The next moment at which something is to happen to a ticket by itself, and what happens then, once."""

from datetime import datetime, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import lateness
from helpdesk.core.clock import now
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Promise, Ticket
from helpdesk.core.models.promise import BROKEN
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.transaction import after_commit
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.locking import touch

JOB = "core.alarms"
# What is recorded when a moment has come.
DUE_SOON, OVERDUE = "ticket_due_soon", "ticket_overdue"
PROMISE_SOON, PROMISE_BROKEN = "promise_due_soon", "promise_broken"
WOKEN = "ticket_woke"
# So many tickets are seen to in one transaction.
_BATCH = 20
# No promise of a desk reaches further; neither do typing errors in a year.
_FURTHEST = timedelta(days=5 * 366)


def ahead(field: str, at: datetime) -> datetime:
    """``at``, if it is still to come. Raises :class:`Invalid`, naming ``field``; asked again after the lock."""
    if at <= now():
        raise Invalid(field, _("This moment has passed. Choose one that is still to come."))
    if at > now() + _FURTHEST:
        raise Invalid(field, _("This is more than five years away. Look at the year once more."))
    return at


def next_alarm(ticket: Ticket, since: datetime) -> datetime | None:
    """The first moment from ``since`` on at which something is to happen to the ticket; None: nothing."""
    return min((moment for moment, _kind in _moments(ticket) if moment >= since), default=None)


def set_alarm(ticket: Ticket) -> None:
    """Work out anew when something is to happen, after a change inside the open transaction.

    What has come meanwhile and was not seen to yet is kept. Workers look at the moment itself, and every minute.
    """
    since = min(now(), ticket.alarm_at or now())
    ticket.alarm_at = alarm = next_alarm(ticket, since)
    if alarm is not None:
        after_commit(lambda: ledger.nudge(alarm))


def look() -> None:
    """Ask for the job when a moment has come. Called by whoever runs jobs; writes only when there is something."""
    query = select(Ticket.id).where(Ticket.alarm_at <= now()).limit(1)
    waits = db.session.scalar(query)
    db.session.rollback()
    if waits is not None:
        ledger.schedule(JOB, key=JOB)


def ring(work: Work) -> dict[str, int]:
    """See to every ticket whose moment has come (a job in steps). Each moment is told of once, even when killed:

    the events and the next moment are written together.
    """
    seen, last = 0, 0
    while ids := _due_after(last):
        with work.step(done=seen + len(ids)):
            seen += _ring_some(ids)
        last = ids[-1]
    return {"tickets": seen}


def _due_after(last: int) -> list[int]:
    query = select(Ticket.id).where(Ticket.alarm_at <= now(), Ticket.id > last).order_by(Ticket.id).limit(_BATCH)
    return list(db.session.scalars(query))


def _ring_some(ids: list[int]) -> int:
    """Lock those of them that are still due, in the order of their numbers, and tell what has come."""
    at = now()
    query = select(Ticket).where(Ticket.id.in_(ids), Ticket.alarm_at <= at).order_by(Ticket.id)
    tickets = db.session.scalars(query.with_for_update(of=Ticket).execution_options(populate_existing=True)).all()
    for ticket in tickets:
        _ring(ticket, at)
    return len(tickets)


def _ring(ticket: Ticket, at: datetime) -> None:
    since = ticket.alarm_at or at
    come = {kind: moment for moment, kind in _moments(ticket) if since <= moment <= at}
    # Who was away for long is told the weightier of two.
    if OVERDUE in come:
        come.pop(DUE_SOON, None)
    if PROMISE_BROKEN in come:
        come.pop(PROMISE_SOON, None)
    for kind in come:
        _TELLING[kind](ticket, kind)
    ticket.alarm_at = next_alarm(ticket, at + timedelta(microseconds=1))
    if ticket.alarm_at is not None:
        alarm = ticket.alarm_at
        after_commit(lambda: ledger.nudge(alarm))


def _moments(ticket: Ticket) -> list[tuple[datetime, str]]:
    if ticket.category not in UNSOLVED:
        return []
    near = lateness.soon()
    found: list[tuple[datetime, str]] = []
    for at, soon, late in (
        (ticket.due_at, DUE_SOON, OVERDUE),
        (ticket.promised_at, PROMISE_SOON, PROMISE_BROKEN),
    ):
        if at is not None:
            found += [(at - near, soon), (at, late)] if near else [(at, late)]
    if ticket.snoozed_until is not None:
        found.append((ticket.snoozed_until, WOKEN))
    return found


def _tell_due(ticket: Ticket, kind: str) -> None:
    record(kind, ticket, None, {"due_at": _text(ticket.due_at)})


def _tell_promise(ticket: Ticket, kind: str) -> None:
    promise = open_promise(ticket)
    if promise is None:
        return
    if kind == PROMISE_BROKEN:
        promise.outcome = BROKEN
    record(kind, ticket, None, {"promise": promise.id, "owner": promise.owner_id, "due_at": _text(promise.due_at)})


def _tell_woken(ticket: Ticket, kind: str) -> None:
    touch(ticket)
    ticket.snoozed_until = None
    record(kind, ticket, None, {"reason": "time", "by": ticket.snoozed_by_id})


def open_promise(ticket: Ticket) -> Promise | None:
    """The promise of a ticket that is neither kept, broken nor withdrawn, or None."""
    query = select(Promise).where(Promise.ticket_id == ticket.id, Promise.outcome.is_(None))
    return db.session.scalar(query.order_by(Promise.id.desc()).limit(1))


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None


_TELLING: dict[str, Any] = {
    DUE_SOON: _tell_due,
    OVERDUE: _tell_due,
    PROMISE_SOON: _tell_promise,
    PROMISE_BROKEN: _tell_promise,
    WOKEN: _tell_woken,
}
