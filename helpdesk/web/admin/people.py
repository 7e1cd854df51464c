"""Who may come in, and what they may do."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.core import accounts, api_tokens, handover, scopes, second_factors, sign_in_sessions, staff
from helpdesk.core.accounts import AccountError
from helpdesk.core.extensions import db
from helpdesk.core.idempotency import Repeated, Reused
from helpdesk.core.models import Organization, Team, User
from helpdesk.core.models.user import ADMIN, AGENT, REQUESTER, ROLES, STAFF, SUPERVISOR
from helpdesk.core.organizations import find_organization
from helpdesk.web import once
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of
from helpdesk.web.admin.teams import chosen_teams
from helpdesk.web.proving import missing_proof, proof_required
from helpdesk.web.session import current_session, reader

# So many organizations are offered while typing; the others are typed.
_SUGGESTIONS = 200


@admin.get("/people")
@needs("user.edit")
def people() -> Any:
    """The staff, or everybody, found by name or address."""
    role, text = request.args.get("role", ""), " ".join(request.args.get("text", "").split())[:200]
    query = select(User).options(selectinload(User.teams))
    query = query.where(User.role == role if role in ROLES else User.role.in_(STAFF), ~User.is_service)
    if text:
        found = or_(User.name.icontains(text, autoescape=True), User.email.icontains(text, autoescape=True))
        query = query.where(found)
    return render_template(
        "admin/people.html", page=slice_of(query, User.id), role=role, text=text, roles=_roles(), names=dict(_roles())
    )


@admin.get("/people/new")
@needs("user.edit")
def new_person() -> Any:
    """The form that invites somebody."""
    return _form(None, {"role": AGENT}, [], {})


@admin.post("/people/new")
@needs("user.edit")
@proof_required
def invite_person() -> Any:
    """Make the account and send the link to choose a password."""
    values, teams = _values(), chosen_teams()
    email, name, role = values["email"], values["name"], values["role"]
    sent = once.of_form("invitation", reader(), [email, name, role, [team.id for team in teams]])
    try:
        invited = sent.run(lambda: accounts.invite(email, name, role, reader(), teams)).display_name
    except Repeated:
        invited = name.strip() or email
    except Reused as problem:
        return _form(None, values, teams, {"form": str(problem)})
    except AccountError as problem:
        return _form(None, values, teams, {problem.field: str(problem)})
    flash(_("%(name)s was invited by mail.", name=invited))
    return redirect(url_for("admin.people"), 303)


@admin.get("/people/<int:user_id>")
@needs("user.edit")
def person(user_id: int) -> Any:
    """One account."""
    return _account(_user(user_id))


@admin.post("/people/<int:user_id>")
@needs("user.edit")
def change_person(user_id: int) -> Any:
    """Keep name, phone, role, teams, organization and whether the account is on."""
    user, values, teams = _user(user_id), _values(), chosen_teams()
    was_at_work = user.is_staff and user.active
    if (values["role"], values["active"]) != (user.role, user.active) and (question := missing_proof()) is not None:
        return question
    try:
        staff.change_person(
            user,
            reader(),
            name=values["name"],
            role=values["role"],
            active=values["active"],
            teams=teams,
            organization=_organization(values["organization"]),
            phone=values["phone"],
        )
    except AccountError as problem:
        return _form(_user(user_id), values, teams, {problem.field: str(problem)})
    flash(_("%(name)s was changed.", name=user.display_name))
    if was_at_work and not (user.is_staff and user.active) and not handover.holdings(user).is_empty:
        # What they had in hand would lie there.
        return redirect(url_for("admin.handover_form", user_id=user_id), 303)
    return redirect(url_for("admin.people", role=REQUESTER if user.role == REQUESTER else None), 303)


@admin.post("/people/<int:user_id>/reset")
@needs("user.edit")
def send_password_link(user_id: int) -> Any:
    """Send a link to choose a password."""
    user = _user(user_id)

    def send() -> User:
        staff.send_password_link(user, reader())
        return user

    try:
        once.of_form(f"password-link:{user.id}", reader(), []).run(send)
    except Repeated:
        # The link is on its way already.
        pass
    except AccountError as problem:
        return _account(user, {problem.field: str(problem)})
    flash(_("A link to choose a password is on its way to %(name)s.", name=user.display_name))
    return redirect(url_for("admin.person", user_id=user_id), 303)


@admin.post("/people/<int:user_id>/link")
@needs("user.edit")
@proof_required
def show_invitation_link(user_id: int) -> Any:
    """Show, once, a link for somebody who has no password yet: for desks that send no mail so far."""
    user = _user(user_id)
    try:
        link = staff.invitation_link(user, reader())
    except AccountError as problem:
        return _account(user, {problem.field: str(problem)})
    return _account(_user(user_id), link=link)


@admin.post("/people/<int:user_id>/sign-out")
@needs("user.edit")
@proof_required
def sign_person_out(user_id: int) -> Any:
    """End every session of somebody."""
    user = _user(user_id)
    keep = current_session() if user.id == reader().id else None
    accounts.end_sessions(user, reader(), keep=keep.id if keep is not None else None)
    flash(_("%(name)s is signed out everywhere.", name=user.display_name))
    return redirect(url_for("admin.person", user_id=user_id), 303)


@admin.post("/people/<int:user_id>/second-factor/reset")
@needs("user.edit")
@proof_required
def reset_second_factor(user_id: int) -> Any:
    """Take away the second step of somebody who has lost it."""
    user = _user(user_id)
    if second_factors.reset(user, reader()):
        flash(_("The second step of %(name)s was taken away. They were told by mail.", name=user.display_name))
    return redirect(url_for("admin.person", user_id=user_id), 303)


@admin.post("/people/<int:user_id>/tokens/<int:number>/revoke")
@needs("user.edit")
def revoke_person_token(user_id: int, number: int) -> Any:
    """End a token of somebody's own at once."""
    user = _user(user_id)
    token = api_tokens.find(user, number)
    if token is None:
        abort(404)
    name = token.name
    api_tokens.revoke(token, reader())
    flash(_("The token “%(name)s” was revoked.", name=name))
    return redirect(url_for("admin.person", user_id=user_id), 303)


def _user(user_id: int) -> User:
    options = [selectinload(User.teams), joinedload(User.organization)]
    user = db.session.get(User, user_id, options=options) if user_id < 2**63 else None
    if user is None or user.is_service:
        abort(404)
    return user


def user_or_404(user_id: int) -> User:
    """Somebody who is no program."""
    return _user(user_id)


def _values() -> dict[str, Any]:
    texts = {key: request.form.get(key, "") for key in ("email", "name", "phone", "role", "organization")}
    return {**texts, "active": "active" in request.form}


def _organization(name: str) -> Organization | None:
    if not name.strip():
        return None
    found = find_organization(name)
    if found is None:
        raise AccountError("organization", _("There is no organization “%(name)s”; add it first.", name=name.strip()))
    return found


def _roles() -> list[tuple[str, str]]:
    return [
        (ADMIN, _("Administrator")),
        (SUPERVISOR, _("Supervisor")),
        (AGENT, _("Agent")),
        (REQUESTER, _("Customer")),
    ]


def _account(user: User, errors: dict[str, str] | None = None, link: str = "") -> Any:
    """The form as it is stored."""
    values = {
        "name": user.name,
        "phone": user.phone or "",
        "role": user.role,
        "active": user.active,
        "organization": user.organization.name if user.organization else "",
    }
    return _form(user, values, user.teams, errors or {}, link)


def _form(user: User | None, values: dict[str, Any], teams: list[Team], errors: dict[str, str], link: str = "") -> Any:
    shown = select(Team).where(Team.active | Team.id.in_([team.id for team in teams])).order_by(Team.name)
    names = select(Organization.name).order_by(Organization.name).limit(_SUGGESTIONS)
    page = render_template(
        "admin/person.html",
        user=user,
        sessions=sign_in_sessions.of(user) if user is not None else [],
        tokens=api_tokens.list_of(user) if user is not None and user.is_staff else [],
        labels=scopes.labels(),
        is_expired=api_tokens.is_expired,
        has_second_factor=user is not None and second_factors.of(user) is not None,
        values=values,
        chosen={team.id for team in teams},
        teams=db.session.scalars(shown).all(),
        organizations=db.session.scalars(names).all() if user is not None else [],
        roles=_roles() if user is not None else _roles()[:-1],
        errors=errors,
        link=link,
    )
    return make_response(page, 422 if errors else 200)
