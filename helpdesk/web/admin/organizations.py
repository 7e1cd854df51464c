"""The companies that customers belong to."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, or_, select

from helpdesk.core.extensions import db
from helpdesk.core.models import Organization, User
from helpdesk.core.organizations import change_organization, make_organization
from helpdesk.core.workflow import Invalid
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of
from helpdesk.web.session import reader


@admin.get("/organizations")
@needs("user.edit")
def organizations() -> Any:
    """Organizations, the newest first, found by name or domain."""
    text = " ".join(request.args.get("text", "").split())[:200]
    query = select(Organization)
    if text:
        by_name = Organization.name.icontains(text, autoescape=True)
        query = query.where(or_(by_name, Organization.domain.icontains(text, autoescape=True)))
    page = slice_of(query, Organization.id)
    return render_template("admin/organizations.html", page=page, text=text, counts=_counts(page.rows))


@admin.get("/organizations/new")
@needs("user.edit")
def new_organization() -> Any:
    """The form of a new organization."""
    return _form(None, {"name": request.args.get("name", "")}, {})


@admin.post("/organizations/new")
@needs("user.edit")
def add_organization() -> Any:
    """Make an organization."""
    values = _values()
    try:
        made = make_organization(actor=reader(), **values)
    except Invalid as problem:
        return _form(None, values, {problem.field: str(problem)})
    flash(_("“%(name)s” was added.", name=made.name))
    return redirect(url_for("admin.organizations"), 303)


@admin.get("/organizations/<int:organization_id>")
@needs("user.edit")
def organization(organization_id: int) -> Any:
    """One organization."""
    found = _organization(organization_id)
    values = {key: getattr(found, key) for key in ("name", "domain", "notes", "shares_tickets")}
    return _form(found, values, {})


@admin.post("/organizations/<int:organization_id>")
@needs("user.edit")
def save_organization(organization_id: int) -> Any:
    """Change an organization."""
    found, values = _organization(organization_id), _values()
    try:
        change_organization(found, actor=reader(), **values)
    except Invalid as problem:
        return _form(_organization(organization_id), values, {problem.field: str(problem)})
    flash(_("“%(name)s” was changed.", name=found.name))
    return redirect(url_for("admin.organizations"), 303)


def _organization(organization_id: int) -> Organization:
    found = db.session.get(Organization, organization_id) if organization_id < 2**63 else None
    if found is None:
        abort(404)
    return found


def _counts(rows: Any) -> dict[int, int]:
    """How many people belong to each."""
    ids = [row.id for row in rows]
    query = select(Organization.id, func.count(User.id)).join(User, User.organization_id == Organization.id)
    found = db.session.execute(query.where(Organization.id.in_(ids)).group_by(Organization.id))
    return {number: count for number, count in found}


def _values() -> dict[str, Any]:
    form = request.form
    texts = {key: form.get(key, "") for key in ("name", "domain", "notes")}
    return {**texts, "shares_tickets": "shares_tickets" in form}


def _form(found: Organization | None, values: dict[str, Any], errors: dict[str, str]) -> Any:
    page = render_template("admin/organization.html", organization=found, values=values, errors=errors)
    return make_response(page, 422 if errors else 200)
