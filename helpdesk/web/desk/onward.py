"""Where a ticket goes on, for its page: a merged one leads to its survivor, which says where its reader comes from."""

from typing import Any

from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from helpdesk.core import merges, workflow
from helpdesk.core.models import Ticket
from helpdesk.core.permissions import find_ticket
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


def way_on(ticket: Ticket) -> Response | None:
    """To the ticket in which a merged one goes on, unless the reader may not see that, or asks for it as it was."""
    if ticket.merged_into_id is None or "here" in request.args:
        return None
    survivor = find_ticket(reader(), workflow.survivor_of(ticket).id)
    if survivor is None:
        return None
    view = request.args.get("view")
    return redirect(url_for("desk.ticket", number=survivor.id, merged=ticket.id, view=view), 303)


def notice_of(ticket: Ticket) -> dict[str, Any]:
    """What the page says of merges: that it went into another, or that one which came into it was asked for."""
    user = reader()
    if ticket.merged_into_id is not None:
        return {"gone_into": merges.merge_of(ticket), "onward": find_ticket(user, workflow.survivor_of(ticket).id)}
    number = request.args.get("merged", 0, type=row_number)
    merged = find_ticket(user, number) if number else None
    return {"came": merges.merge_of(merged) if merged is not None else None}
