"""Lists of tickets: views, filters, counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from babel.lists import format_list
from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from helpdesk.core import statuses
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Team, Ticket, User
from helpdesk.core.models.ticket import CATEGORIES, PRIORITIES
from helpdesk.core.pages import Page, ticket_page
from helpdesk.core.permissions import visible_tickets
from helpdesk.core.views import (
    COUNT_LIMIT,
    InvalidFilter,
    NamedView,
    TicketFilter,
    ViewList,
    count_of,
    criteria,
    delete_view,
    find_view,
    parse_filter,
    parse_sort,
    save_view,
    views_of,
)
from helpdesk.web import places
from helpdesk.web.desk import choices
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.errors import error_page
from helpdesk.web.numbers import row_number
from helpdesk.web.render import number
from helpdesk.web.session import reader

FIRST_VIEW = "mine"
_KEYS = ("category", "status", "team", "assignee", "priority", "tag", "requester", "text")


@dataclass(frozen=True)
class Chip:
    """A part of the filter in words, and the address of the list without it."""

    text: str
    without: str


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
    agents: list[User]
    # What plugins say of the tickets, by their ids.
    badges: Mapping[int, Sequence[places.Mark]]


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


@desk.post("/views")
def add_view() -> Response:
    """Save the filter of a list as a view."""
    user = reader()
    back = request.form.get("view", FIRST_VIEW)
    shared_with = request.form.get("shared_with", "mine")
    team_id = request.form.get("team_id", type=row_number)
    try:
        wanted, sort = parse_filter(_lists(request.form)), parse_sort(request.form.get("sort"))
        team = db.session.get(Team, team_id) if shared_with == "team" and team_id else None
        view = save_view(request.form.get("name", ""), wanted, sort, user, shared_with, team)
    except InvalidFilter as problem:
        flash(str(problem), "error")
        query: dict[str, Any] = _lists(request.form)
        return redirect(url_for("desk.view_list", key=back, f=1, sort=request.form.get("sort"), **query), 303)
    flash(_("The view “%(name)s” was saved.", name=view.name))
    return redirect(url_for("desk.view_list", key=view.id), 303)


@desk.post("/views/<key>/delete")
def remove_view(key: str) -> Response:
    """Delete a saved view."""
    view = find_view(key, reader())
    if view is None:
        abort(404)
    name = view.name
    delete_view(view, reader())
    flash(_("The view “%(name)s” was deleted.", name=name))
    return redirect(url_for("desk.home"), 303)


def _listing(view: NamedView, views: ViewList) -> Listing:
    user = reader()
    wanted, sort = _wanted(view), parse_sort(request.args.get("sort") or view.sort)
    page = ticket_page(
        user, wanted, sort, after=request.args.get("after") or None, before=request.args.get("before") or None
    )
    changed = wanted != view.filter
    query = {**({"f": 1, **wanted.as_dict()} if changed else {}), **({"sort": sort} if sort != view.sort else {})}
    agents = choices.agents() if request.args.get("part") != "rows" else []
    newest = db.session.scalar(select(func.max(Event.id))) or 0 if request.args.get("part") != "rows" else 0
    chips = _chips(view, wanted, sort, views, agents)
    badges = places.ticket_badges((row.ticket for row in page.rows), user)
    return Listing(view, wanted, sort, page, chips, query, changed, newest, agents, badges)


def _wanted(view: NamedView) -> TicketFilter:
    """The view's own filter, or with ``f=1`` the one in the address."""
    if "f" not in request.args:
        return view.filter
    return parse_filter(_lists(request.args))


def _lists(values: MultiDict[str, str]) -> dict[str, list[str]]:
    found = {key: [value for value in values.getlist(key) if value.strip()] for key in _KEYS}
    # Several tags may be typed into one field.
    found["tag"] = [tag.strip() for text in found["tag"] for tag in text.split(",") if tag.strip()]
    return {key: value for key, value in found.items() if value}


def _chips(view: NamedView, wanted: TicketFilter, sort: str, views: ViewList, agents: list[User]) -> list[Chip]:
    """The filter in words. The view's own part is said by its name and has no chip."""
    words = _Words(views, agents)
    found = []
    for key in _KEYS:
        value = getattr(wanted, key)
        if not value or (value == getattr(view.filter, key) and not view.saved):
            continue
        empty: Any = "" if key == "text" else ()
        rest = replace(wanted, **{key: empty})
        without = url_for("desk.view_list", key=view.key, f=1, sort=sort, **rest.as_dict())
        found.append(Chip(words.of(key, value), without))
    return found


class _Words:
    """Names for the values of a filter."""

    def __init__(self, views: ViewList, agents: list[User]) -> None:
        self.teams = {view.filter.team[0]: view.name for view in views.teams}
        self.agents = {str(agent.id): agent.display_name for agent in agents}

    def of(self, key: str, value: Any) -> str:
        """One part of a filter as a chip says it."""
        if key == "text":
            return f"“{value}”"
        words = format_list([self._word(key, item) for item in value], style="or", locale=get_locale())
        return {
            "team": _("Team: %(words)s", words=words),
            "assignee": _("Assignee: %(words)s", words=words),
            "priority": _("Priority: %(words)s", words=words),
            "requester": _("Requester: %(words)s", words=words),
            "tag": " ".join(f"#{item}" for item in value),
        }.get(key, words)

    def _word(self, key: str, item: str) -> str:
        if key == "category" and item in CATEGORIES:
            return statuses.category_label(item)
        if key == "priority" and item in PRIORITIES:
            return statuses.priority_label(item)
        if key == "status":
            names = {status.key: choices.status_label(status) for status in choices.every_status()}
            return names.get(item, item)
        if item == "none":
            return _("nobody") if key == "assignee" else _("none")
        if item == "me":
            return _("me")
        return {"team": self.teams, "assignee": self.agents}.get(key, {}).get(item, f"#{item}")


def _shown(found: dict[str, int]) -> dict[str, str]:
    return {
        key: number(count) if count <= COUNT_LIMIT else _("%(number)s+", number=number(COUNT_LIMIT))
        for key, count in found.items()
    }
