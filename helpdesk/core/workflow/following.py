"""Who else gets a ticket's messages."""

from collections.abc import Collection
from datetime import datetime

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core.clock import now
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Follower, Message, Ticket, User
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.locking import lock, touch


def follow(ticket: Ticket, user: User, actor: User | None) -> Ticket:
    """Make ``user`` a follower; record ``ticket_updated``. Once is enough. Joins or opens the transaction.

    A customer who follows sees nothing that was written before. Raises :class:`Invalid`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    if not user.active:
        raise Invalid("follower", _("%(name)s is switched off.", name=user.display_name))
    with transaction():
        lock(ticket)
        if add_follower(ticket, user.id):
            touch(ticket)
            record("ticket_updated", ticket, actor, {"field": "followers", "from": None, "to": user.display_name})
    return ticket


def unfollow(ticket: Ticket, user: User, actor: User | None) -> Ticket:
    """Remove a follower; record ``ticket_updated``. Joins or opens the transaction.

    Everybody may remove themselves. Raises :class:`NotAllowed`.
    """
    if actor is None or actor.id != user.id:
        require(actor, "ticket.edit", ticket)
    with transaction():
        lock(ticket)
        row = db.session.get(Follower, (ticket.id, user.id))
        if row is not None:
            db.session.delete(row)
            touch(ticket)
            record("ticket_updated", ticket, actor, {"field": "followers", "from": user.display_name, "to": None})
    return ticket


def add_follower(ticket: Ticket, user_id: int) -> bool:
    """Write the row inside the open transaction; False when it is there or is the requester."""
    return bool(add_followers(ticket, [user_id]))


def add_followers(ticket: Ticket, user_ids: Collection[int], since: datetime | None = None) -> list[int]:
    """Write the rows inside the open transaction, whatever their number in one go; answers who is new.

    They see what was written from ``since`` on (None: from now on).
    """
    if not user_ids:
        return []
    there = select(Follower.user_id).where(Follower.ticket_id == ticket.id, Follower.user_id.in_(user_ids))
    known = {ticket.requester_id, *db.session.scalars(there)}
    new = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in known]
    db.session.add_all(Follower(ticket_id=ticket.id, user_id=user_id, since=since or now()) for user_id in new)
    return new


def let_follow(ticket: Ticket, user_ids: Collection[int], message: Message, actor: User | None) -> None:
    """Add those whom ``message`` was copied to, inside the open transaction that wrote it; record it for each.

    They see this message, which they have got, and what comes after it.
    """
    new = add_followers(ticket, user_ids, message.created_at)
    if not new:
        return
    for user in db.session.scalars(select(User).where(User.id.in_(new)).order_by(User.id)):
        record("ticket_updated", ticket, actor, {"field": "followers", "from": None, "to": user.display_name})
