"""What came back of messages that we sent: it lands on the ticket and the person that it belongs to.

Nothing here opens a ticket, changes a status or answers. What names no message of ours changes nothing.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core.channels import outbox
from helpdesk.core.channels.items import Outcome, finish, outcome_of, still_open
from helpdesk.core.clock import now
from helpdesk.core.drafts import BOUNCE, COMPLAINT, IntakeDraft, Return
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Event, Intake, User
from helpdesk.core.models.delivery import SENT
from helpdesk.core.models.intake import IGNORED

# A return without an identity is about something younger than this.
RECENT = timedelta(days=14)
# So many are looked at: one mail tells of one message, but for lists of complaints.
MOST = 20
_CODES = {BOUNCE: "returned", COMPLAINT: "complaint"}
DELAYED, COMPLAINED = "delivery_delayed", "delivery_complained"


def take(item: Intake, draft: IntakeDraft) -> Outcome | None:
    """Note what an item tells of our messages, and settle it; None when a person wrote it and it tells nothing.

    Inside the transaction that has locked the item.
    """
    if not still_open(item):
        return outcome_of(item, item.id)
    found = [(told, delivery) for told in draft.returns[:MOST] if (delivery := _delivery(told, draft)) is not None]
    if not found and not draft.machine:
        return None
    for told, delivery in found:
        _note(told, delivery, certain=bool(told.identity) or draft.verified is True)
    ticket_id = next((delivery.ticket_id for _told, delivery in found if delivery.ticket_id), None)
    code = _CODES.get(found[0][0].kind, "delayed") if found else "unknown_return"
    reason = f"{code}:{ticket_id}" if ticket_id else code
    finish(item, IGNORED, "ignored", reason, draft, ticket_id)
    return outcome_of(item, item.id)


def _delivery(told: Return, draft: IntakeDraft) -> Delivery | None:
    """The message that a return is about: by its identity, which only who has seen it knows, else by the address.

    The address alone says it where only one ticket comes into question, and where nothing speaks against the sender.
    """
    query = select(Delivery).options(joinedload(Delivery.user), joinedload(Delivery.ticket))
    if told.identity:
        return db.session.scalar(query.where(Delivery.identity == told.identity))
    address = told.address.strip().lower()
    if not address or draft.verified is False:
        return None
    sent = (Delivery.address == address, Delivery.state == SENT, Delivery.sent_at > now() - RECENT)
    tickets = db.session.scalars(select(Delivery.ticket_id).where(*sent).distinct().limit(2)).all()
    if len(tickets) != 1:
        return None
    return db.session.scalar(query.where(*sent).order_by(Delivery.id.desc()).limit(1))


def _note(told: Return, delivery: Delivery, certain: bool) -> None:
    """Say it on the ticket. What names an address alone may be made up by anybody: it marks nobody."""
    person, reason = delivery.user if certain else None, told.reason[:500]
    if told.kind == BOUNCE:
        outbox.bounced(delivery.identity, reason)
        if told.permanent and certain:
            outbox.mark_unreachable(delivery, reason)
    elif told.kind == COMPLAINT:
        if person is not None:
            person.care_mail = False
        _say(COMPLAINED, delivery, reason)
    else:
        _say(DELAYED, delivery, reason)


def _say(kind: str, delivery: Delivery, reason: str) -> None:
    """Once for each message: a server tells of a delay again and again."""
    if delivery.ticket is None:
        return
    told = select(Event.data).where(
        Event.ticket_id == delivery.ticket_id, Event.kind == kind, Event.message_id == delivery.message_id
    )
    if all(data.get("address") != delivery.address for data in db.session.scalars(told)):
        record(kind, delivery.ticket, None, {"address": delivery.address, "reason": reason}, delivery.message)


def forgive(person: User) -> None:
    """The person wrote from the address, or it was written anew by hand: it works again. Joins the open transaction."""
    person.bounced_at, person.bounce_reason = None, ""
