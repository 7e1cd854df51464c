"""“Block this sender”, on a ticket."""

from typing import Any

from flask import abort, flash, redirect, url_for

from helpdesk.api import Invalid, Refused, audit, close, find_ticket, permission_required, reader, tag, transaction
from helpdesk.api import gettext as _
from helpdesk_email import rules
from helpdesk_email.blueprint import pages
from helpdesk_email.rooms import BLOCK

TAG = "spam"


@pages.post("/tickets/<int:number>/block")
@permission_required(BLOCK)
def block(number: int) -> Any:
    """Ignore whoever wrote the ticket from now on, tag it and close it: all of it or nothing."""
    ticket = find_ticket(reader(), number) if number < 2**31 else None
    if ticket is None:
        abort(404)
    sender = ticket.requester
    if not sender.email or sender.is_staff:
        abort(404)
    try:
        with transaction():
            rules.block(sender.email)
            audit("email.sender_blocked", reader(), sender.email)
            if not ticket.is_closed:
                tag(ticket, [TAG], reader())
                close(ticket, reader())
    except (Invalid, Refused) as problem:
        flash(str(problem), "warn")
    else:
        flash(_("Mail from %(address)s is ignored from now on.", address=sender.email))
    return redirect(url_for("desk.ticket", number=number), 303)
