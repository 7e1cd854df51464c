"""Which ticket an incoming item belongs to. Only proof joins; a number in a subject is none."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core import links
from helpdesk.core.drafts import IntakeDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Follower, Ticket, User
from helpdesk.core.permissions import allowed
from helpdesk.plugins import manager

_REFERENCES = 50


@dataclass(frozen=True)
class Thread:
    """The decision and its reason (a code, put into words by events.reasons). ``author`` is the proved participant."""

    ticket: Ticket | None
    author: User | None
    reason: str


def find_thread(intake: IntakeDraft) -> Thread:
    """Decide by the signed reply token, then by an identity that we issued, then by the plugins' ``find_ticket``.

    A token used from another address than it was made for does not join, nor does somebody who is no
    participant (any more). Reads only.
    """
    sender = intake.sender_address.strip().lower()
    reasons = []
    for text in intake.reply_tokens:
        found = links.redeem(links.REPLY, text)
        if found is None:
            reasons.append("unknown_token")
            continue
        ticket, user = found
        if user.email == sender and allowed(user, "ticket.reply", ticket):
            return Thread(ticket, user, "reply_token")
        reasons.append(f"foreign_token:{ticket.id}")
    if (thread := _by_reference(intake, sender)) is not None:
        return thread
    ticket = manager.current().answer("find_ticket", intake=intake)
    if isinstance(ticket, Ticket) and (participant := _participant(ticket, sender)) is not None:
        return Thread(ticket, participant, "plugin")
    return Thread(None, None, reasons[-1] if reasons else "")


def _by_reference(intake: IntakeDraft, sender: str) -> Thread | None:
    identities = [*intake.references[-_REFERENCES:], *([intake.in_reply_to] if intake.in_reply_to else [])]
    if not identities:
        return None
    query = (
        select(Delivery)
        .where(Delivery.identity.in_(identities), Delivery.ticket_id.is_not(None))
        .options(joinedload(Delivery.ticket), joinedload(Delivery.user))
        .order_by(Delivery.id.desc())
    )
    for delivery in db.session.scalars(query):
        if delivery.ticket is None or delivery.user is None or delivery.user.email != sender:
            continue
        if allowed(delivery.user, "ticket.reply", delivery.ticket):
            return Thread(delivery.ticket, delivery.user, "reference")
    return None


def _participant(ticket: Ticket, sender: str) -> User | None:
    follows = select(Follower.user_id).where(Follower.ticket_id == ticket.id)
    query = select(User).where(User.email == sender, (User.id == ticket.requester_id) | User.id.in_(follows))
    return db.session.scalar(query)
