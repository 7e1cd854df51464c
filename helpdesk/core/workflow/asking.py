"""Ask the customer whether it is solved."""

from sqlalchemy import select

from helpdesk.core import deliveries, settings
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Intake, Message, Ticket, User
from helpdesk.core.models.ticket import CLOSED, SOLVED
from helpdesk.core.settings import LatenessSettings

_DONE = (SOLVED, CLOSED)


def after_change(ticket: Ticket, before: str, actor: User | None) -> None:
    """A status was set by itself, without a message: ask by a mail of its own where that is due.

    Inside the open transaction. A customer who solves it has said it with that.
    """
    if actor is not None and actor.id == ticket.requester_id:
        if ticket.category == SOLVED and before not in _DONE:
            ticket.confirmed_at = now()
    elif becomes_due(ticket, before):
        deliveries.queue(deliveries.SOLVED, [ticket.requester], ticket=ticket)


def becomes_due(ticket: Ticket, before: str) -> bool:
    """Whether the customer of a ticket that has become solved is asked: never a robot, nor who cannot be reached."""
    if ticket.category != SOLVED or before in _DONE:
        return False
    if ticket.merged_into_id is not None or not settings.get(LatenessSettings).ask_customer:
        return False
    return ticket.requester.active and ticket.requester.bounced_at is None and not _begun_by_robot(ticket)


def _begun_by_robot(ticket: Ticket) -> bool:
    first = select(Message.intake_id).where(Message.ticket_id == ticket.id).order_by(Message.id).limit(1)
    query = select(Intake.machine).where(Intake.id == first.scalar_subquery())
    return bool(db.session.scalar(query))
