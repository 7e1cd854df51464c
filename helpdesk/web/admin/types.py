"""What kinds of tickets there are."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import labels, ticket_types
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, TicketType
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.workflow import Invalid
from helpdesk.web.admin import names
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import PLACES
from helpdesk.web.session import reader


@admin.get("/types")
@needs("field.edit")
def type_list() -> Any:
    """The types in their order."""
    return _types({})


@admin.post("/types")
@needs("field.edit")
def add_type() -> Any:
    """Add a type."""
    try:
        ticket_types.add_type(request.form.get("name", ""), reader())
    except Invalid as problem:
        return _types({problem.field: str(problem)})
    flash(_("The type was added."))
    return redirect(url_for("admin.type_list"), 303)


@admin.post("/types/<int:type_id>")
@needs("field.edit")
def save_type(type_id: int) -> Any:
    """Rename a type, or switch it on or off."""
    found = _type(type_id)
    try:
        ticket_types.change_type(found, request.form.get("name", ""), "active" in request.form, reader(), names.typed())
    except Invalid as problem:
        return _types({problem.field: str(problem)}, type_id)
    flash(_("The type was changed."))
    return redirect(url_for("admin.type_list"), 303)


@admin.post("/types/<int:type_id>/<any(up, down):way>")
@needs("field.edit")
def order_type(type_id: int, way: str) -> Any:
    """Move a type in the list."""
    ticket_types.move_type(_type(type_id), PLACES[way], reader())
    return redirect(url_for("admin.type_list", _anchor=f"type-{type_id}"), 303)


def _type(type_id: int) -> TicketType:
    found = db.session.get(TicketType, type_id) if type_id < 2**63 else None
    if found is None:
        abort(404)
    return found


def _types(errors: dict[str, str], wrong: int | None = None) -> Any:
    """The page; ``wrong`` is the type whose form was sent and cannot be kept as typed."""
    found = db.session.scalars(select(TicketType).order_by(TicketType.position, TicketType.id)).all()
    tickets = select(Ticket.type_id, func.count()).where(Ticket.category.in_(UNSOLVED)).group_by(Ticket.type_id)
    texts = {one.id: labels.texts(labels.TYPE, one.id) for one in found}
    if wrong:
        texts[wrong] = names.typed()
    page = render_template(
        "admin/types.html",
        types=found,
        errors=errors,
        wrong=wrong,
        typed=request.form.get("name", ""),
        texts=texts,
        languages=names.languages({code for named in texts.values() for code in named}),
        counts={number: count for number, count in db.session.execute(tickets)},
    )
    return make_response(page, 422 if errors else 200)
