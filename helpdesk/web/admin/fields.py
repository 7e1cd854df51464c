"""Custom fields of tickets."""

from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import select

from helpdesk.core import labels
from helpdesk.core.extensions import db
from helpdesk.core.fields import change_field, make_field, move_field
from helpdesk.core.models import TicketField
from helpdesk.core.models import field as kinds
from helpdesk.core.workflow import Invalid
from helpdesk.web.admin import names
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import PLACES
from helpdesk.web.session import reader


@admin.get("/fields")
@needs("field.edit")
def fields() -> Any:
    """Every field in its order."""
    query = select(TicketField).order_by(TicketField.active.desc(), TicketField.position, TicketField.id)
    return render_template("admin/fields.html", fields=db.session.scalars(query).all(), names=dict(_kinds()))


@admin.get("/fields/new")
@needs("field.edit")
def new_field() -> Any:
    """The form of a new field."""
    return _form(None, {"kind": kinds.TEXT, "active": True}, {})


@admin.post("/fields/new")
@needs("field.edit")
def add_field() -> Any:
    """Make a field."""
    values = _values()
    try:
        make_field(
            values["label"],
            request.form.get("kind", ""),
            reader(),
            choices=values["choices"],
            public=values["public"],
            required=values["required"],
            texts=values["texts"],
            choice_texts=values["choice_texts"],
        )
    except Invalid as problem:
        return _form(None, {**values, "kind": request.form.get("kind")}, {problem.field: str(problem)})
    flash(_("The field was made."))
    return redirect(url_for("admin.fields"), 303)


@admin.get("/fields/<int:field_id>")
@needs("field.edit")
def field(field_id: int) -> Any:
    """One field."""
    found = _field(field_id)
    values = {key: getattr(found, key) for key in ("label", "choices", "public", "required", "active")}
    values["texts"] = labels.texts(labels.FIELD, found.id)
    values["choice_texts"] = labels.choice_texts(found.id, found.choices)
    return _form(found, values, {})


@admin.post("/fields/<int:field_id>")
@needs("field.edit")
def save_field(field_id: int) -> Any:
    """Change a field."""
    found, values = _field(field_id), _values()
    try:
        change_field(found, reader(), **values, active="active" in request.form)
    except Invalid as problem:
        return _form(_field(field_id), values, {problem.field: str(problem)})
    flash(_("The field was changed."))
    return redirect(url_for("admin.fields"), 303)


@admin.post("/fields/<int:field_id>/<any(up, down):way>")
@needs("field.edit")
def order_field(field_id: int, way: str) -> Any:
    """Move a field in the list."""
    move_field(_field(field_id), PLACES[way], reader())
    return redirect(url_for("admin.fields"), 303)


def _field(field_id: int) -> TicketField:
    found = db.session.get(TicketField, field_id) if field_id < 2**63 else None
    if found is None:
        abort(404)
    return found


def _values() -> dict[str, Any]:
    form = request.form
    return {
        "label": form.get("label", ""),
        "choices": form.get("choices", "").splitlines(),
        "public": "public" in form,
        "required": "required" in form,
        "texts": names.typed(),
        "choice_texts": {code: text.splitlines() for code, text in names.typed("choices").items()},
    }


def _kinds() -> list[tuple[str, str]]:
    return [
        (kinds.TEXT, pgettext("field", "Text")),
        (kinds.NUMBER, pgettext("field", "Number")),
        (kinds.DATE, pgettext("field", "Date")),
        (kinds.CHOICE, pgettext("field", "Choice")),
        (kinds.CHECKBOX, pgettext("field", "Yes or no")),
    ]


def _form(found: TicketField | None, values: dict[str, Any], errors: dict[str, str]) -> Any:
    languages = names.languages({*values.get("texts", {}), *values.get("choice_texts", {})})
    page = render_template(
        "admin/field.html", field=found, values=values, kinds=_kinds(), errors=errors, languages=languages
    )
    return make_response(page, 422 if errors else 200)
