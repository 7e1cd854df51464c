"""A list as a file for spreadsheets."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from flask import Response, abort, request, stream_with_context
from flask_babel import gettext as _
from flask_babel import to_user_timezone

from helpdesk.core import audit
from helpdesk.core.extensions import db
from helpdesk.core.filters import InvalidFilter, TicketFilter, parse_sort
from helpdesk.core.models import Ticket, User
from helpdesk.core.pages import ticket_page
from helpdesk.core.permissions import require
from helpdesk.core.spreadsheets import harmless
from helpdesk.core.transaction import transaction
from helpdesk.core.views import views_of
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.columns import cell_values, column_labels
from helpdesk.web.desk.filter_form import wanted_filter
from helpdesk.web.errors import error_page
from helpdesk.web.session import reader

# So many tickets are read at a time.
_SIZE = 500
_FIRST = ("number", "status")


@desk.post("/views/<key>/export")
def export(key: str) -> Any:
    """The whole list as CSV, with the columns of the view: sent as it is read, whatever its length."""
    user = reader()
    require(user, "ticket.export")
    view = views_of(user).find(key)
    if view is None:
        abort(404)
    try:
        wanted = wanted_filter(request.form) if "f" in request.form else view.filter
        sort = parse_sort(request.form.get("sort") or view.sort)
    except InvalidFilter as problem:
        return error_page(400, str(problem))
    with transaction():
        audit.record("tickets.exported", user, view.name, {"filter": wanted.as_dict()})
    columns = [*_FIRST, *(name for name in view.shown_columns if name not in _FIRST), "created"]
    lines = _lines(user.id, wanted, sort, list(dict.fromkeys(columns)))
    answer = Response(stream_with_context(lines), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="tickets.csv"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _lines(user_id: int, wanted: TicketFilter, sort: str, columns: Sequence[str]) -> Iterator[str]:
    names = column_labels()
    # The mark in front tells spreadsheets that it is UTF-8.
    yield "\ufeff" + _line([*(names.get(name, name) for name in columns), _("Subject"), _("Requester"), _("Assignee")])
    after: str | None = None
    while True:
        # The request's own session is closed before the file is sent.
        user = db.session.get(User, user_id)
        if user is None:
            return
        page = ticket_page(user, wanted, sort, after=after, size=_SIZE)
        tickets = [row.ticket for row in page.rows]
        values = cell_values(tickets, columns)
        yield "".join(_ticket_line(ticket, [values[ticket.id][name] for name in columns]) for ticket in tickets)
        after = page.after
        # What was read is let go of: a long list does not stay in memory.
        db.session.expunge_all()
        if after is None:
            return


def _ticket_line(ticket: Ticket, values: Sequence[Any]) -> str:
    assignee = ticket.assignee.display_name if ticket.assignee else ""
    cells = [_cell(value) for value in values]
    return _line([*cells, ticket.subject, ticket.requester.display_name, assignee])


def _cell(value: Any) -> str:
    return f"{to_user_timezone(value):%Y-%m-%d %H:%M}" if isinstance(value, datetime) else str(value or "")


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) for cell in cells])
    return out.getvalue()
