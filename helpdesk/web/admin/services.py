"""Accounts of programs, and their tokens."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from helpdesk.core import api_tokens, service_accounts
from helpdesk.core.accounts import AccountError
from helpdesk.core.api_tokens import TokenError
from helpdesk.core.extensions import db
from helpdesk.core.models import Team, User
from helpdesk.core.models.user import ADMIN, AGENT, SUPERVISOR
from helpdesk.web import token_form
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of
from helpdesk.web.admin.teams import chosen_teams
from helpdesk.web.proving import missing_proof, proof_required
from helpdesk.web.session import reader


@admin.get("/services")
@needs("user.edit")
def services() -> Any:
    """The accounts of programs, newest first."""
    query = select(User).where(User.is_service).options(selectinload(User.teams))
    return render_template("admin/services.html", page=slice_of(query, User.id), names=dict(_roles()))


@admin.get("/services/new")
@needs("user.edit")
def new_service() -> Any:
    """The form for one more."""
    return _form(None, {"name": "", "role": AGENT, "active": True}, [], {})


@admin.post("/services/new")
@needs("user.edit")
def add_service() -> Any:
    """Make the account; its tokens are made on its page."""
    values, teams = _values(), chosen_teams()
    try:
        user = service_accounts.create(values["name"], values["role"], teams, reader())
    except AccountError as problem:
        return _form(None, values, teams, {problem.field: str(problem)})
    flash(_("“%(name)s” was made. Make its token now.", name=user.name))
    return redirect(url_for("admin.service", user_id=user.id), 303)


@admin.get("/services/<int:user_id>")
@needs("user.edit")
def service(user_id: int) -> Any:
    """One account with its tokens."""
    return _account(_found(user_id))


@admin.post("/services/<int:user_id>")
@needs("user.edit")
def change_service(user_id: int) -> Any:
    """Keep name, role, teams, and whether the account is on."""
    user, values, teams = _found(user_id), _values(), chosen_teams()
    stays = (values["role"], values["active"]) == (user.role, user.active) and set(teams) == set(user.teams)
    if not stays and (question := missing_proof()) is not None:
        return question
    try:
        service_accounts.change(user, values["name"], values["role"], teams, values["active"], reader())
    except AccountError as problem:
        return _form(_found(user_id), values, teams, {problem.field: str(problem)})
    flash(_("%(name)s was changed.", name=user.name))
    return redirect(url_for("admin.service", user_id=user_id), 303)


@admin.post("/services/<int:user_id>/tokens")
@needs("user.edit")
@proof_required
def make_service_token(user_id: int) -> Any:
    """Make a token for the program, and show it once."""
    user, values = _found(user_id), token_form.typed()
    try:
        made = token_form.make(user, values, reader())
    except TokenError as problem:
        return _account(_found(user_id), values, {problem.field: str(problem)})
    return token_form.shown_once(made, url_for("admin.service", user_id=user_id))


@admin.post("/services/<int:user_id>/tokens/<int:number>/revoke")
@needs("user.edit")
def revoke_service_token(user_id: int, number: int) -> Any:
    """End one at once."""
    token = api_tokens.find(_found(user_id), number)
    if token is None:
        abort(404)
    name = token.name
    api_tokens.revoke(token, reader())
    flash(_("The token “%(name)s” was revoked.", name=name))
    return redirect(url_for("admin.service", user_id=user_id), 303)


def _found(user_id: int) -> User:
    user = service_accounts.find(user_id)
    if user is None:
        abort(404)
    return user


def _values() -> dict[str, Any]:
    form = request.form
    return {"name": form.get("name", ""), "role": form.get("role", ""), "active": "active" in form}


def _roles() -> list[tuple[str, str]]:
    return [(AGENT, _("Agent")), (SUPERVISOR, _("Supervisor")), (ADMIN, _("Administrator"))]


def _account(user: User, token: dict[str, Any] | None = None, errors: dict[str, str] | None = None) -> Any:
    stored = {"name": user.name, "role": user.role, "active": user.active}
    # The two forms of the page have a field of the same name.
    return _form(user, stored, user.teams, {}, token, errors)


def _form(
    user: User | None,
    account: dict[str, Any],
    teams: list[Team],
    account_errors: dict[str, str],
    token: dict[str, Any] | None = None,
    errors: dict[str, str] | None = None,
) -> Any:
    shown = select(Team).where(Team.active | Team.id.in_([team.id for team in teams])).order_by(Team.name)
    page = render_template(
        "admin/service.html",
        user=user,
        account=account,
        account_errors=account_errors,
        teams=db.session.scalars(shown).all(),
        chosen={team.id for team in teams},
        roles=_roles(),
        values=token or token_form.blank(),
        errors=errors or {},
        **(token_form.parts(user, reader()) if user is not None else {}),
    )
    return make_response(page, 422 if account_errors or errors else 200)
