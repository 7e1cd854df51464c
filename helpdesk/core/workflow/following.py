"""Who else gets a ticket's messages."""

from flask_babel import gettext as _

from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Follower, Ticket, User
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
    if user_id == ticket.requester_id or db.session.get(Follower, (ticket.id, user_id)) is not None:
        return False
    db.session.add(Follower(ticket_id=ticket.id, user_id=user_id))
    return True
