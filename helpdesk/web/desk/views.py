"""Saved views: kept, changed, deleted."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from helpdesk.core.extensions import db
from helpdesk.core.filters import InvalidFilter, parse_sort, readable_filter
from helpdesk.core.models import Team, View
from helpdesk.core.models.view import EVERYBODY, MINE, TEAM
from helpdesk.core.permissions import allowed, require
from helpdesk.core.views import USUAL_COLUMNS, ViewDraft, change_view, delete_view, find_view, save_view
from helpdesk.web.desk import choices
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.columns import column_labels
from helpdesk.web.desk.filter_form import filter_lists, wanted_filter
from helpdesk.web.desk.lists import FIRST_VIEW
from helpdesk.web.desk.sorting import sort_words
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@desk.post("/views")
def add_view() -> Response:
    """Save the filter of a list as a view."""
    user = reader()
    back = request.form.get("view", FIRST_VIEW)
    shared_with = request.form.get("shared_with", "mine")
    team_id = request.form.get("team_id", type=row_number)
    try:
        wanted, sort = wanted_filter(request.form), parse_sort(request.form.get("sort"))
        team = db.session.get(Team, team_id) if shared_with == "team" and team_id else None
        view = save_view(request.form.get("name", ""), wanted, sort, user, shared_with, team)
    except InvalidFilter as problem:
        flash(str(problem), "error")
        query: dict[str, Any] = filter_lists(request.form)
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


@desk.get("/views/<key>/edit")
def view_form(key: str) -> Any:
    """A saved view to change: its name, who sees it, its order, its columns and its place."""
    view = _or_404(key)
    if view.owner_id != reader().id:
        require(reader(), "view.share")
    wanted = readable_filter(view.filters)
    draft = ViewDraft(view.name, wanted, view.sort, view.shared_with, None, view.columns, view.position)
    return _form(view, draft)


@desk.post("/views/<key>/edit")
def edit_view(key: str) -> Any:
    """Change it. Its filter changes by saving the list anew."""
    view, form = _or_404(key), request.form
    team_id = form.get("team_id", type=row_number)
    draft = ViewDraft(
        form.get("name", ""),
        readable_filter(view.filters),
        form.get("sort", view.sort),
        form.get("shared_with", view.shared_with),
        db.session.get(Team, team_id) if team_id else None,
        form.getlist("columns"),
        form.get("position", 0, type=row_number),
    )
    try:
        change_view(view, draft, reader())
    except InvalidFilter as problem:
        return _form(view, draft, {"name": str(problem)}, 422)
    flash(_("The view “%(name)s” was saved.", name=view.name))
    return redirect(url_for("desk.view_list", key=view.id), 303)


def _form(view: View, draft: ViewDraft, errors: Mapping[str, str] | None = None, code: int = 200) -> Any:
    circles = [(MINE, _("Only me"))]
    if allowed(reader(), "view.share") or draft.shared_with != MINE:
        circles += [(TEAM, _("A team")), (EVERYBODY, _("Everybody"))]
    page = render_template(
        "desk/view_form.html",
        view=view,
        draft=draft,
        errors=errors or {},
        circles=circles,
        teams=[(team.id, team.name) for team in choices.teams()],
        columns=column_labels(),
        usual=USUAL_COLUMNS,
        sorts=sort_words(),
    )
    return make_response(page, code)


def _or_404(key: str) -> View:
    view = find_view(key, reader())
    if view is None:
        abort(404)
    return view
