"""Lists of tickets: views, filters, counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from helpdesk.core import presence
from helpdesk.core.extensions import db
from helpdesk.core.filter_criteria import criteria
from helpdesk.core.filters import InvalidFilter, TicketFilter, parse_sort
from helpdesk.core.models import Event, Ticket
from helpdesk.core.pages import Page, Row, ticket_page
from helpdesk.core.permissions import visible_tickets
from helpdesk.core.views import COUNT_LIMIT, NamedView, ViewList, count_of, find_view, views_of
from helpdesk.web import places
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.chips import Chip, chips_of
from helpdesk.web.desk.columns import Cell, row_columns
from helpdesk.web.desk.filter_form import filter_options, wanted_filter
from helpdesk.web.desk.tickets import ticket_or_404, view_key
from helpdesk.web.errors import error_page
from helpdesk.web.numbers import row_number
from helpdesk.web.render import number
from helpdesk.web.session import reader

FIRST_VIEW = "mine"


@dataclass(frozen=True)
class Listing:
    """What the list pane shows."""

    view: NamedView
    filter: TicketFilter
    sort: str
    page: Page
    chips: list[Chip]
    # The address of this list, to be continued with a cursor.
    query: dict[str, Any]
    changed: bool
    newest: int
    # What plugins say of the tickets, by their ids.
    badges: Mapping[int, Sequence[places.Mark]]
    # What else the rows show, by ticket: the words of each chosen column.
    columns: Mapping[int, Sequence[Cell]]
    # Who else has which of them open.
    present: Mapping[int, Sequence[presence.Present]]


@desk.get("/")
def home() -> Response:
    """The desk begins with the reader's first view."""
    return redirect(url_for("desk.view_list", key=FIRST_VIEW))


@desk.get("/views/<key>")
def view_list(key: str) -> str | Response:
    """A view: its own filter, or the one in the address."""
    views = views_of(reader())
    view = views.find(key)
    if view is None:
        abort(404)
    try:
        listing = _listing(view, views)
    except InvalidFilter as problem:
        return error_page(400, str(problem))
    part = request.args.get("part")
    if wants_part() and part == "rows":
        return render_template("desk/parts/rows.html", listing=listing)
    open_ticket = request.args.get("open", type=row_number)
    if wants_part() and part == "pane":
        return render_template("desk/parts/list.html", listing=listing, views=views, open_ticket=open_ticket)
    return render_template("desk/list.html", listing=listing, views=views, open_ticket=None)


@desk.get("/views/<key>/filter")
def filter_page(key: str) -> str | Response:
    """Every part of a filter as one form: a part of the list, and without a script a page of its own."""
    views = views_of(reader())
    view = views.find(key)
    if view is None:
        abort(404)
    try:
        wanted, sort = _wanted(view), parse_sort(request.args.get("sort") or view.sort)
    except InvalidFilter:
        wanted, sort = view.filter, view.sort
    template = "desk/parts/filter.html" if wants_part() else "desk/filter.html"
    return render_template(template, view=view, views=views, wanted=wanted, sort=sort, form=filter_options())


@desk.get("/views")
def view_nav() -> str:
    """The views with their counts: loaded after the page, and on a phone a page of its own."""
    views = views_of(reader())
    counts = count_of(views.all(), reader())
    template = "desk/parts/views.html" if wants_part() else "desk/views.html"
    return render_template(template, views=views, counts=_shown(counts), current=request.args.get("current"))


@desk.get("/counts")
def counts() -> str:
    """The counts of the views alone, as parts that find their places by themselves."""
    views = views_of(reader())
    return render_template("desk/parts/counts.html", counts=_shown(count_of(views.all(), reader())))


@desk.get("/views/<key>/news")
def list_news(key: str) -> str | tuple[str, int]:
    """How many tickets of the list others changed since ``?since=<event>``; 204 when none."""
    user = reader()
    view = views_of(user).find(key)
    if view is None:
        abort(404)
    try:
        wanted = _wanted(view)
    except InvalidFilter:
        abort(400)
    since = request.args.get("since", 0, type=row_number)
    changed = (
        visible_tickets(user)
        .with_only_columns(Ticket.id)
        .where(*criteria(wanted, user))
        .where(
            Ticket.id.in_(
                select(Event.ticket_id).where(
                    Event.id > since, Event.actor_id.is_distinct_from(user.id), Event.ticket_id.is_not(None)
                )
            )
        )
        .limit(COUNT_LIMIT + 1)
        .subquery()
    )
    number = db.session.scalar(select(func.count()).select_from(changed)) or 0
    if not number:
        return "", 204
    return render_template("desk/parts/list_news.html", number=number, address=request.args.get("back", ""), view=view)


@desk.get("/tickets/<int:number>/row")
def row(number: int) -> str | tuple[str, int]:
    """The ticket's row in the list, after something about it changed."""
    found = ticket_or_404(number)
    shown = Row(found, unread=False)
    badges = places.ticket_badges([found], reader())
    present = presence.on([found.id], reader())
    view = find_view(view_key(), reader())
    known = {"badges": badges, "present": present, "columns": row_columns(view.columns, [found]) if view else {}}
    return render_template("desk/parts/row_alone.html", row=shown, view_key=view_key(), open_ticket=found.id, **known)


def _listing(view: NamedView, views: ViewList) -> Listing:
    user = reader()
    wanted, sort = _wanted(view), parse_sort(request.args.get("sort") or view.sort)
    page = ticket_page(
        user, wanted, sort, after=request.args.get("after") or None, before=request.args.get("before") or None
    )
    changed = wanted != view.filter
    query = {**({"f": 1, **wanted.as_dict()} if changed else {}), **({"sort": sort} if sort != view.sort else {})}
    newest = db.session.scalar(select(func.max(Event.id))) or 0 if request.args.get("part") != "rows" else 0
    chips = chips_of(view, wanted, sort, views) if request.args.get("part") != "rows" else []
    badges = places.ticket_badges((row.ticket for row in page.rows), user)
    present = presence.on([row.ticket.id for row in page.rows], user)
    columns = row_columns(view.columns, [row.ticket for row in page.rows])
    return Listing(view, wanted, sort, page, chips, query, changed, newest, badges, columns, present)


def _wanted(view: NamedView) -> TicketFilter:
    """The view's own filter, or with ``f=1`` the one in the address."""
    if "f" not in request.args:
        return view.filter
    return wanted_filter(request.args)


def _shown(found: dict[str, int]) -> dict[str, str]:
    return {
        key: number(count) if count <= COUNT_LIMIT else _("%(number)s+", number=number(COUNT_LIMIT))
        for key, count in found.items()
    }
