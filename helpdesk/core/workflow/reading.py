"""Remember what an agent has seen."""

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, TicketRead, User
from helpdesk.core.transaction import add_or_find, transaction


def mark_read(ticket: Ticket, user: User) -> None:
    """Note that ``user`` has seen the ticket as it is now. Opens a small transaction; not an event.

    Nothing is written when the ticket has not changed since the last time.
    """
    row = db.session.get(TicketRead, (user.id, ticket.id))
    if row is not None and row.read_at >= ticket.updated_at:
        return
    ids, seen = (user.id, ticket.id), now()
    with transaction():
        new = TicketRead(user_id=ids[0], ticket_id=ids[1], read_at=seen)
        # The same ticket may be opened in two tabs at once.
        row = db.session.get(TicketRead, ids) or add_or_find(new, lambda: db.session.get(TicketRead, ids))
        row.read_at = seen
