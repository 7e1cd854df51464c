"""The fields of records, as supervisors keep them."""

from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from sqlalchemy import select

from helpdesk.api import Invalid, db, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_customers import fields as keeping
from helpdesk_customers.blueprint import pages, show
from helpdesk_customers.finding import row_of
from helpdesk_customers.models import SUBJECTS, RecordField
from helpdesk_customers.permissions import MANAGE

_PLACES = {"up": -1, "down": 1}
_KEYS = ("subject", "kind", "label", "hint", "choices")


@pages.get("/fields")
@permission_required(MANAGE)
def fields() -> Any:
    """All fields of people and of organizations in their order."""
    query = select(RecordField).order_by(RecordField.active.desc(), RecordField.position, RecordField.id)
    rows = db.session.scalars(query).all()
    return show("fields.html", groups=[(kind, [one for one in rows if one.subject == kind]) for kind in SUBJECTS])


@pages.get("/fields/new")
@permission_required(MANAGE)
def new_field() -> Any:
    """The form of a new field."""
    subject = request.args.get("subject", "")
    return _form(None, {"subject": subject if subject in SUBJECTS else SUBJECTS[0]})


@pages.post("/fields/new")
@permission_required(MANAGE)
def add_field() -> Any:
    """Make a field."""
    typed = request.form.to_dict()
    try:
        keeping.save_field(None, _data(typed), reader())
    except Invalid as problem:
        db.session.rollback()
        return _form(None, typed, {problem.field: str(problem)})
    flash(_("The field was added."))
    return redirect(url_for("customers.fields"), 303)


@pages.get("/fields/<int:record_field_id>")
@permission_required(MANAGE)
def field(record_field_id: int) -> Any:
    """One field."""
    row = row_of(RecordField, record_field_id)
    return _form(row, {"label": row.label, "hint": row.hint, "choices": "\n".join(row.choices)})


@pages.post("/fields/<int:record_field_id>")
@permission_required(MANAGE)
def save_field(record_field_id: int) -> Any:
    """Change its name, its hint and what may be chosen; values that there are stay."""
    row, typed = row_of(RecordField, record_field_id), request.form.to_dict()
    try:
        keeping.save_field(row, _data(typed), reader())
    except Invalid as problem:
        db.session.rollback()
        return _form(row_of(RecordField, record_field_id), typed, {problem.field: str(problem)})
    flash(_("Saved."))
    return redirect(url_for("customers.fields"), 303)


@pages.post("/fields/<int:record_field_id>/<any(on, off):switch>")
@permission_required(MANAGE)
def switch_field(record_field_id: int, switch: str) -> Any:
    """Show it in records, or no more."""
    keeping.switch_field(row_of(RecordField, record_field_id), switch == "on", reader())
    return redirect(url_for("customers.fields"), 303)


@pages.post("/fields/<int:record_field_id>/<any(up, down):way>")
@permission_required(MANAGE)
def order_field(record_field_id: int, way: str) -> Any:
    """Move it in the list."""
    keeping.move_field(row_of(RecordField, record_field_id), _PLACES[way], reader())
    return redirect(url_for("customers.fields"), 303)


def _data(typed: Mapping[str, str]) -> dict[str, Any]:
    return {key: typed[key] for key in _KEYS if key in typed}


def _form(row: RecordField | None, values: Mapping[str, str], errors: dict[str, str] | None = None) -> Any:
    return show("field.html", 422 if errors else 200, field=row, values=values, errors=errors or {})
