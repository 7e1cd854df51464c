"""The tickets of a customer who has an account."""

from collections.abc import Sequence
from typing import Any

from flask import g, render_template, request
from flask_login import login_required

from helpdesk.core.filters import DEFAULT_SORT, InvalidFilter, TicketFilter
from helpdesk.core.models import Ticket, User
from helpdesk.core.pages import ticket_page
from helpdesk.web.errors import error_page
from helpdesk.web.portal.blueprint import portal
from helpdesk.web.session import reader

_NEWEST = 5


@portal.get("/tickets")
@login_required
def tickets() -> Any:
    """Every ticket of the reader, newest change first, in pages."""
    g.no_store = True
    try:
        page = ticket_page(
            reader(), _own(reader()), DEFAULT_SORT, after=request.args.get("after"), before=request.args.get("before")
        )
    except InvalidFilter as problem:
        return error_page(422, str(problem))
    return render_template("portal/tickets.html", page=page)


def newest_tickets(user: User) -> Sequence[Ticket]:
    """The tickets that changed last."""
    return [row.ticket for row in ticket_page(user, _own(user), DEFAULT_SORT, size=_NEWEST).rows]


def _own(user: User) -> TicketFilter:
    return TicketFilter(requester=(str(user.id),))
