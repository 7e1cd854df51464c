"""Promotions: for some days a product costs less."""

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, request, url_for

from helpdesk.api import Invalid, db, default_locale, locales, now, number_in, permission_required, reader
from helpdesk.api import gettext as _
from helpdesk_upsell import catalogue
from helpdesk_upsell import promotions as keeping
from helpdesk_upsell.blueprint import pages, show
from helpdesk_upsell.forms import RowForm
from helpdesk_upsell.models import Product, Promotion
from helpdesk_upsell.permissions import MANAGE

SHOWN = 50


@pages.get("/promotions")
@permission_required(MANAGE)
def promotions() -> Any:
    """All promotions, the newest first."""
    found = keeping.promotions(number_in(request.args.get("after")), SHOWN + 1)
    return show(
        "promotions.html",
        promotions=found[:SHOWN],
        more=found[SHOWN - 1].id if len(found) > SHOWN else None,
        today=now().date(),
        name_of=catalogue.name_of,
    )


@pages.get("/promotions/new")
@permission_required(MANAGE)
def new_promotion() -> Any:
    """The form of a new promotion."""
    number = number_in(request.args.get("product"))
    found = catalogue.find_product(number) if number is not None else None
    return _form(None, {"sku": found.sku if found is not None else ""})


@pages.post("/promotions/new")
@permission_required(MANAGE)
def add_promotion() -> Any:
    """Make a promotion."""
    form, about = _read()
    if about is not None and not form.errors:
        try:
            keeping.save_promotion(None, about, form.values, reader())
        except Invalid as problem:
            _refuse(form, problem)
        else:
            flash(_("The promotion was added."))
            return redirect(url_for("upsell.promotions"), 303)
    return _form(None, form.typed, form.errors)


@pages.get("/promotions/<int:promotion_id>")
@permission_required(MANAGE)
def promotion(promotion_id: int) -> Any:
    """One promotion."""
    return _form(_promotion(promotion_id), {})


@pages.post("/promotions/<int:promotion_id>")
@permission_required(MANAGE)
def save_promotion(promotion_id: int) -> Any:
    """Change it. What was offered before keeps the price that was shown."""
    row = _promotion(promotion_id)
    form, about = _read()
    if about is not None and not form.errors:
        try:
            keeping.save_promotion(row, about, form.values, reader())
        except Invalid as problem:
            db.session.rollback()
            row = _promotion(promotion_id)
            _refuse(form, problem)
        else:
            flash(_("Saved."))
            return redirect(url_for("upsell.promotions"), 303)
    return _form(row, form.typed, form.errors)


@pages.post("/promotions/<int:promotion_id>/delete")
@permission_required(MANAGE)
def delete_promotion(promotion_id: int) -> Any:
    """Take it away. What was offered before keeps the price that was shown."""
    keeping.delete_promotion(_promotion(promotion_id), reader())
    flash(_("The promotion was deleted."))
    return redirect(url_for("upsell.promotions"), 303)


def _promotion(promotion_id: int) -> Promotion:
    found = keeping.find_promotion(promotion_id) if promotion_id < 2**31 else None
    if found is None:
        abort(404)
    return found


# ---- the form


def _read() -> tuple[RowForm, Product | None]:
    form = RowForm(request.form.to_dict())
    sku = form.line("sku", longest=catalogue.SKU_LENGTH, required=True)
    about = catalogue.by_sku(sku) if sku and "sku" not in form.errors else None
    if sku and about is None:
        form.refuse("sku", _("The catalogue has no product with this SKU."))
    form.values.pop("sku", None)
    form.line("name", longest=100, required=True)
    form.number("percent", smallest=1, largest=100)
    first, last = form.day("starts", required=True), form.day("ends", required=True)
    if first and last and last < first:
        form.refuse("ends", _("The last day is before the first; choose a later one."))
    form.tick("active")
    texts = {code: {"pitch": form.text(f"pitch-{code}", longest=keeping.PITCH_LENGTH)} for code, _name in locales()}
    form.values["texts"] = {code: one for code, one in texts.items() if one["pitch"]}
    return form, about


def _refuse(form: RowForm, problem: Invalid) -> None:
    known = {"name", "percent", "starts", "ends"}
    field = {"product": "sku"}.get(problem.field, problem.field)
    form.refuse(field if field in known | {"sku"} else "form", str(problem))


def _form(row: Promotion | None, typed: Mapping[str, str], errors: dict[str, str] | None = None) -> Any:
    values = dict(typed) if errors else {**_values(row), **typed}
    return show(
        "promotion.html",
        422 if errors else 200,
        promotion=row,
        values=values,
        errors=errors or {},
        languages=locales(),
        first=default_locale(),
        product_name=catalogue.name_of(row.product) if row is not None else "",
    )


def _values(row: Promotion | None) -> dict[str, Any]:
    if row is None:
        return {"active": True, "starts": now().date()}
    values = {name: getattr(row, name) for name in ("name", "percent", "starts", "ends", "active")}
    return values | {"sku": row.product.sku} | {f"pitch-{code}": one.get("pitch") for code, one in row.texts.items()}
