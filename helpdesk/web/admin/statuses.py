"""What statuses are called, and in which order they stand."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core import labels, status_editing, statuses
from helpdesk.core.extensions import db
from helpdesk.core.models import Status, Ticket
from helpdesk.core.models.ticket import CATEGORIES, UNSOLVED
from helpdesk.core.workflow import Invalid
from helpdesk.web.admin import names
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import PLACES
from helpdesk.web.session import reader


@admin.get("/statuses")
@needs("status.edit")
def status_list() -> Any:
    """The statuses by category."""
    return _statuses({})


@admin.post("/statuses")
@needs("status.edit")
def add_status() -> Any:
    """Add a status to a category."""
    try:
        status_editing.add_status(request.form.get("name", ""), request.form.get("category", ""), reader())
    except Invalid as problem:
        return _statuses({problem.field: str(problem)})
    flash(_("The status was added."))
    return redirect(url_for("admin.status_list"), 303)


@admin.post("/statuses/<int:status_id>")
@needs("status.edit")
def save_status(status_id: int) -> Any:
    """Rename a status, or switch it on or off."""
    status = _status(status_id)
    try:
        named, active = request.form.get("name", ""), "active" in request.form
        status_editing.change_status(status, named, active, reader(), names.typed())
    except Invalid as problem:
        return _statuses({problem.field: str(problem)}, status_id)
    flash(_("The status was changed."))
    return redirect(url_for("admin.status_list"), 303)


@admin.post("/statuses/<int:status_id>/<any(up, down):way>")
@needs("status.edit")
def order_status(status_id: int, way: str) -> Any:
    """Move a status within its category."""
    status_editing.move_status(_status(status_id), PLACES[way], reader())
    return redirect(url_for("admin.status_list") + f"#status-{status_id}", 303)


def _status(status_id: int) -> Status:
    found = db.session.get(Status, status_id) if status_id < 2**63 else None
    if found is None:
        abort(404)
    return found


def _statuses(errors: dict[str, str], wrong: int | None = None) -> Any:
    """The page; ``wrong`` is the status whose form was sent and cannot be kept as typed."""
    found = db.session.scalars(select(Status).order_by(Status.position, Status.id)).all()
    tickets = select(Ticket.status_id, func.count()).where(Ticket.category.in_(UNSOLVED)).group_by(Ticket.status_id)
    groups = [
        (category, statuses.category_label(category), [status for status in found if status.category == category])
        for category in CATEGORIES
    ]
    texts = {status.id: labels.texts(labels.STATUS, status.id) for status in found}
    if wrong:
        texts[wrong] = names.typed()
    page = render_template(
        "admin/statuses.html",
        groups=groups,
        errors=errors,
        wrong=wrong,
        typed=request.form.get("name", ""),
        kind=request.form.get("category", ""),
        texts=texts,
        languages=names.languages({code for named in texts.values() for code in named}),
        counts={number: count for number, count in db.session.execute(tickets)},
    )
    return make_response(page, 422 if errors else 200)
