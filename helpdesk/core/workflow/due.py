"""Say when a ticket must be done."""

from datetime import datetime

from flask_babel import gettext as _

from helpdesk.core.events.record import record
from helpdesk.core.models import Ticket, User
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.alarms import ahead, set_alarm
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.locking import check_version, lock, touch

KIND = "ticket_due_changed"


def set_due(ticket: Ticket, at: datetime | None, actor: User | None, version: int | None = None) -> Ticket:
    """Say until when (aware; None: no matter) a ticket must be solved; record ``ticket_due_changed``.

    Same moment: nothing happens. It is told when the moment comes near and when it passes (core.alarms). With
    ``version``, raises :class:`Stale` when somebody else changed it meanwhile. Joins or opens the transaction.

    Raises :class:`Invalid` for a moment that has passed and a closed ticket, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    with transaction():
        lock(ticket)
        check_version(ticket, version, actor, (KIND,))
        if at == ticket.due_at:
            return ticket
        if at is not None:
            if ticket.is_closed:
                raise Invalid("due", _("This ticket is closed. Open a new one to go on."))
            ahead("due", at)
        data = {
            "from": ticket.due_at.isoformat() if ticket.due_at else None,
            "to": at.isoformat() if at else None,
        }
        touch(ticket)
        ticket.due_at = at
        record(KIND, ticket, actor, data)
        set_alarm(ticket)
    return ticket
