"""The customer says that it is solved, or that it is not; who says nothing agrees after some days."""

from datetime import timedelta

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import settings, statuses
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Ticket, User
from helpdesk.core.models.ticket import CLOSED, SOLVED
from helpdesk.core.permissions import require
from helpdesk.core.settings import IntakeSettings, LatenessSettings
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid, Refused
from helpdesk.core.workflow.locking import lock, touch
from helpdesk.core.workflow.replying import reply
from helpdesk.core.workflow.statuses import ask_plugins, change_status, reopen

KIND = "ticket_confirmed"
JOB = "core.close_silent"
SILENCE = "silence"
_BATCH = 50


def confirm_solved(ticket: Ticket, actor: User | None) -> Ticket:
    """The customer agrees that it is solved: record ``ticket_confirmed`` and close it. Once is enough.

    Joins or opens the transaction. Raises :class:`Invalid` for a ticket that is not solved (any more),
    :class:`Refused`, :class:`NotAllowed`.
    """
    require(actor, "ticket.close", ticket)
    if ticket.category == SOLVED:
        ask_plugins(ticket, statuses.of_category(CLOSED), actor)
    with transaction():
        lock(ticket)
        if ticket.category not in (SOLVED, CLOSED) or ticket.merged_into_id is not None:
            raise Invalid("ticket", _("This ticket was opened again; it is not solved yet."))
        if ticket.confirmed_at is not None and ticket.is_closed:
            return ticket
        touch(ticket)
        ticket.confirmed_at = now()
        record(KIND, ticket, actor, {})
        if ticket.category == SOLVED:
            change_status(ticket, statuses.of_category(CLOSED), actor)
    return ticket


def deny_solved(ticket: Ticket, actor: User, words: str = "", verified: bool = True) -> Ticket:
    """The customer says that it is not solved: open it again, with ``words`` as their message if there are any.

    Open already: only the words are added. One that closed not long ago (the days of the incoming messages) opens
    with words only. Joins or opens the transaction. Raises :class:`Invalid`, :class:`Refused`, :class:`NotAllowed`.
    """
    if ticket.is_closed and not may_deny(ticket):
        raise Invalid("ticket", _("This ticket is closed. Open a new one to go on."))
    if ticket.is_closed and not words.strip():
        raise Invalid("text", _("Tell us in a few words what is still wrong."))
    if words.strip():
        draft = MessageDraft(text=words, channel="web", verified=verified, reopens=may_deny(ticket))
        reply(ticket, draft, actor)
        return ticket
    return reopen(ticket, actor) if ticket.category == SOLVED else ticket


def may_deny(ticket: Ticket) -> bool:
    """Whether a ticket may still be opened again by its customer."""
    if not ticket.is_closed:
        return True
    if ticket.merged_into_id is not None or ticket.closed_at is None:
        return False
    return ticket.closed_at > now() - timedelta(days=settings.get(IntakeSettings).reopen_days)


def close_silent(work: Work) -> dict[str, int]:
    """Close what was solved some days ago and of which the customer has said nothing since (a job in steps).

    A plugin may refuse; such a ticket is asked about again the next time.
    """
    days = settings.get(LatenessSettings).close_days
    closed, last = 0, 0
    while days and (ids := _silent_after(last, days)):
        for number in ids:
            closed += _close_one(work, number, days, closed)
        last = ids[-1]
    return {"closed": closed}


def _silent_after(last: int, days: int) -> list[int]:
    wanted = (Ticket.category == SOLVED, Ticket.merged_into_id.is_(None), Ticket.solved_at <= now() - _days(days))
    query = select(Ticket.id).where(*wanted, Ticket.id > last).order_by(Ticket.id).limit(_BATCH)
    return list(db.session.scalars(query))


def _close_one(work: Work, number: int, days: int, closed: int) -> int:
    ticket = db.session.get(Ticket, number)
    if ticket is None:
        return 0
    try:
        ask_plugins(ticket, statuses.of_category(CLOSED), None)
    except Refused:
        return 0
    with work.step(done=closed + 1):
        lock(ticket)
        # The customer may have written a moment ago.
        if ticket.category != SOLVED or ticket.solved_at is None or ticket.solved_at > now() - _days(days):
            return 0
        touch(ticket)
        change_status(ticket, statuses.of_category(CLOSED), None, SILENCE)
    return 1


def _days(number: int) -> timedelta:
    return timedelta(days=number)
