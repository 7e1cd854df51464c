"""Macros: the pages where they are kept, and how one is looked over and used on a ticket."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import actions, labels, macros, placeholders, workflow
from helpdesk.core.actions import InvalidAction
from helpdesk.core.macros import MacroDraft
from helpdesk.core.models import Macro
from helpdesk.core.models.view import EVERYBODY, MINE, TEAM
from helpdesk.core.permissions import allowed, find_ticket, require
from helpdesk.web.desk import action_form, choices
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.history import what_changed
from helpdesk.web.desk.tickets import ticket_or_404, ticket_response
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@desk.get("/macros")
def macro_list() -> str:
    """The macros that the reader has."""
    user = reader()
    found = macros.listed(user)
    lines = {macro.id: actions.summary(actions.readable(macro.actions, user), user) for macro in found}
    return render_template("desk/macros.html", found=found, lines=lines, may_add=allowed(user, "canned.save"))


@desk.get("/macros/new")
def new_macro() -> Any:
    """The form for one more."""
    return _form(None, MacroDraft())


@desk.post("/macros/new")
def add_macro() -> Any:
    """Keep one more."""
    return _save(None)


@desk.get("/macros/<int:macro_id>")
def macro(macro_id: int) -> Any:
    """One of them, to change."""
    found = _or_404(macro_id)
    return _form(found, MacroDraft(found.name, found.actions, found.shared_with, found.team_id, found.active))


@desk.post("/macros/<int:macro_id>")
def save_macro(macro_id: int) -> Any:
    """Change it."""
    return _save(_or_404(macro_id))


@desk.post("/macros/<int:macro_id>/delete")
def delete_macro(macro_id: int) -> Any:
    """Delete it."""
    found = _or_404(macro_id)
    name = found.name
    macros.delete(found, reader())
    flash(_("“%(name)s” was deleted.", name=name))
    return redirect(url_for("desk.macro_list"), 303)


@desk.get("/tickets/<int:number>/macros")
def ticket_macros(number: int) -> str:
    """The macros to choose from on a ticket."""
    found = ticket_or_404(number)
    template = "desk/parts/macro_menu.html" if wants_part() else "desk/macro_choice.html"
    return render_template(template, ticket=found, macros=macros.listed(reader(), only_active=True))


@desk.get("/tickets/<int:number>/macros/<int:macro_id>")
def preview_macro(number: int, macro_id: int) -> Any:
    """What a macro would do to a ticket, before it does it."""
    return _preview(number, _or_404(macro_id))


@desk.post("/tickets/<int:number>/macros/<int:macro_id>")
def use_macro(number: int, macro_id: int) -> Any:
    """Do what it says, all or nothing."""
    found, macro, user = ticket_or_404(number), _or_404(macro_id), reader()
    require(user, "ticket.edit", found)
    name = macro.name
    try:
        wanted = actions.parse(macro.actions, user)
        actions.carry_out(actions.prepare(found, wanted, user), request.form.get("version", type=row_number))
    except InvalidAction as problem:
        return _preview(number, macro, 422, str(problem))
    except workflow.Stale as stale:
        return _preview(number, macro, 409, str(stale), what_changed(stale.events))
    except workflow.WorkflowError as problem:
        return _preview(number, macro, 422, str(problem))
    if find_ticket(user, number) is None:
        flash(_("“%(name)s” was carried out. You no longer see this ticket.", name=name))
        return redirect(url_for("desk.view_list", key="mine"), 303)
    flash(_("“%(name)s” was carried out.", name=name))
    return ticket_response(ticket_or_404(number), "latest")


def _preview(number: int, macro: Macro, code: int = 200, problem: str = "", changes: Any = ()) -> Any:
    found, user = ticket_or_404(number), reader()
    require(user, "ticket.edit", found)
    try:
        lines = actions.preview(found, actions.parse(macro.actions, user), user)
    except InvalidAction as gone:
        lines, problem, code = [], problem or str(gone), code
    page = render_template(
        "desk/macro_preview.html", ticket=found, macro=macro, lines=lines, problem=problem, changes=changes
    )
    return make_response(page, code)


def _save(found: Macro | None) -> Any:
    form = request.form
    wanted = MacroDraft(
        form.get("name", ""),
        actions.from_form(form),
        form.get("shared_with", MINE),
        form.get("team_id", type=row_number),
        "active" in form or found is None,
    )
    try:
        saved = macros.save(found, wanted, reader())
    except InvalidAction as problem:
        return _form(found, wanted, {problem.field: str(problem)}, 422)
    flash(_("“%(name)s” was saved.", name=saved.name))
    return redirect(url_for("desk.macro_list"), 303)


def _form(found: Macro | None, wanted: MacroDraft, errors: Mapping[str, str] | None = None, code: int = 200) -> Any:
    user = reader()
    if found is None:
        require(user, "canned.save")
    circles = [(MINE, _("Only me")), (TEAM, _("A team"))]
    if allowed(user, "canned.share") or wanted.shared_with == EVERYBODY:
        circles.append((EVERYBODY, _("Everybody")))
    page = render_template(
        "desk/macro_form.html",
        found=found,
        wanted=wanted,
        typed={one.get("do"): one.get("value") for one in wanted.actions},
        errors=errors or {},
        editable=found is None or macros.may_change(found, user),
        options=action_form.options(),
        labels=action_form.labels(),
        offered=placeholders.offered(),
        circles=circles,
        teams=[(team.id, labels.team_name(team)) for team in choices.teams()],
    )
    return make_response(page, code)


def _or_404(macro_id: int) -> Macro:
    found = macros.find(macro_id, reader())
    if found is None:
        abort(404)
    return found
