"""Promise a customer an answer by some moment, and know whether it was kept."""

from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import or_, select

from helpdesk.core.clock import now
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Promise, Ticket, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.promise import BROKEN, KEPT, WITHDRAWN
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.alarms import ahead, open_promise, set_alarm
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.locking import check_version, lock, touch

MADE, TAKEN_BACK, SETTLED = "promise_made", "promise_withdrawn", "promise_settled"
WORDS_LENGTH = 300


def promise_answer(
    ticket: Ticket, at: datetime, actor: User | None, words: str = "", version: int | None = None
) -> Promise:
    """Note that the customer was promised an answer by ``at`` (aware); record ``promise_made``. It tells nobody.

    ``words`` is what was promised, for colleagues to read. One promise is open at a time: another takes its place. A
    public reply of the desk keeps it; when the moment passes without one it is broken (core.alarms). It is ``actor``'s
    to keep (None: the assignee's). Same moment and words: nothing happens. With ``version``, raises :class:`Stale`
    when somebody else promised something meanwhile. Joins or opens the transaction.

    Raises :class:`Invalid` (a moment that has passed, a solved ticket), :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    words = " ".join(storable(words).split())
    if len(words) > WORDS_LENGTH:
        raise Invalid("words", _("This text is too long; %(number)s characters fit.", number=WORDS_LENGTH))
    with transaction():
        lock(ticket)
        check_version(ticket, version, actor, (MADE, TAKEN_BACK))
        if ticket.category not in UNSOLVED:
            raise Invalid("promise", _("This ticket is solved; open it again to promise an answer."))
        ahead("promise", at)
        before = open_promise(ticket)
        if before is not None:
            if (before.due_at, before.words) == (at, words):
                return before
            before.outcome, before.settled_at = WITHDRAWN, now()
        owner_id = actor.id if actor is not None else ticket.assignee_id
        promise = Promise(ticket_id=ticket.id, owner_id=owner_id, due_at=at, words=words)
        db.session.add(promise)
        db.session.flush()
        touch(ticket)
        ticket.promised_at = at
        data = {
            "promise": promise.id,
            "owner": owner_id,
            "due_at": at.isoformat(),
            "from": before.due_at.isoformat() if before else None,
            "words": words,
        }
        record(MADE, ticket, actor, data)
        set_alarm(ticket)
    return promise


def withdraw_promise(ticket: Ticket, actor: User | None, version: int | None = None) -> Ticket:
    """Take back what was promised; record ``promise_withdrawn``. A broken promise stays broken, and rests.

    Nothing promised: nothing happens. Joins or opens the transaction. Raises :class:`Stale`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    with transaction():
        lock(ticket)
        check_version(ticket, version, actor, (MADE, TAKEN_BACK))
        if ticket.promised_at is None:
            return ticket
        data = {"due_at": ticket.promised_at.isoformat()}
        for promise in _unsettled(ticket):
            promise.outcome, promise.settled_at = promise.outcome or WITHDRAWN, now()
        touch(ticket)
        ticket.promised_at = None
        record(TAKEN_BACK, ticket, actor, data)
        set_alarm(ticket)
    return ticket


def settle(ticket: Ticket, actor: User | None, at: datetime | None = None, answered: bool = True) -> None:
    """The customer has got what was promised: kept, if it is not later. Not ``answered``: it is of no matter any more.

    Inside the open transaction of a public reply, or of the change to a status in which nobody waits; the caller has
    locked and touched the ticket. Records ``promise_settled``.
    """
    if ticket.promised_at is None:
        return
    moment = at or now()
    for promise in _unsettled(ticket):
        if promise.outcome is None:
            promise.outcome = _outcome(promise, moment) if answered else WITHDRAWN
        promise.settled_at = moment
        data = {"promise": promise.id, "outcome": promise.outcome, "due_at": promise.due_at.isoformat()}
        record(SETTLED, ticket, actor, data)
    ticket.promised_at = None
    set_alarm(ticket)


def is_answer(ticket: Ticket, actor: User | None) -> bool:
    """Whether solving answers the customer: not when it is they who say so, nor when another ticket goes on for it."""
    return ticket.merged_into_id is None and (actor is None or actor.id != ticket.requester_id)


def _outcome(promise: Promise, at: datetime) -> str:
    return KEPT if at <= promise.due_at else BROKEN


def _unsettled(ticket: Ticket) -> list[Promise]:
    waits = or_(Promise.outcome.is_(None), (Promise.outcome == BROKEN) & Promise.settled_at.is_(None))
    return list(db.session.scalars(select(Promise).where(Promise.ticket_id == ticket.id, waits).order_by(Promise.id)))
