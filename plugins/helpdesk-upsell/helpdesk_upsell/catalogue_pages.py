"""The catalogue: what can be recommended, with its prices, its texts in each language and what it goes with."""

from collections.abc import Mapping
from typing import Any

from flask import abort, current_app, flash, redirect, request, url_for
from flask_babel import get_locale

from helpdesk.api import Invalid, allowed, db, default_locale, locales, permission_required, reader, settings
from helpdesk.api import gettext as _
from helpdesk_upsell import amounts, catalogue
from helpdesk_upsell.blueprint import pages, show
from helpdesk_upsell.forms import RowForm, typed_rows, with_empty
from helpdesk_upsell.models import KINDS, PERIODS, RELATIONS, Product
from helpdesk_upsell.permissions import MANAGE
from helpdesk_upsell.settings import RecommendationSettings

SHOWN = 50
_IMPORTS, _IMPORT = "customers.imports", "customers.import"
_PRICE = ("currency", "period", "amount")
_RELATION = ("kind", "sku")


@pages.get("/products")
@permission_required(MANAGE)
def products() -> Any:
    """The catalogue by SKU; narrowed by words, by kind, by whether it is offered."""
    text, kind = request.args.get("q", "").strip()[:100], request.args.get("kind", "")
    kind = kind if kind in KINDS else ""
    state = request.args.get("state", "")
    active = {"on": True, "off": False}.get(state)
    found = catalogue.products(text, kind or None, active, after=request.args.get("after") or None, most=SHOWN + 1)
    return show(
        "products.html",
        products=found[:SHOWN],
        more=found[SHOWN - 1].sku if len(found) > SHOWN else "",
        q=text,
        kind=kind,
        state=state if active is not None else "",
        name_of=catalogue.name_of,
        # A page of the plugin with the customer records, which may be off.
        import_url=url_for(_IMPORTS) if _IMPORTS in current_app.view_functions and allowed(reader(), _IMPORT) else "",
    )


@pages.get("/products/unknown")
@permission_required(MANAGE)
def unknown() -> Any:
    """What customers bought that the catalogue does not know."""
    found = catalogue.unknown_skus(request.args.get("after", ""), SHOWN + 1)
    return show("unknown.html", rows=found[:SHOWN], more=found[SHOWN - 1][0] if len(found) > SHOWN else "")


@pages.get("/products/new")
@permission_required(MANAGE)
def new_product() -> Any:
    """The form of a new product; filled in with what an order called it."""
    begun = {
        "sku": request.args.get("sku", "")[: catalogue.SKU_LENGTH],
        f"name-{default_locale()}": request.args.get("name", "")[: catalogue.NAME_LENGTH],
    }
    return _form(None, begun)


@pages.post("/products/new")
@permission_required(MANAGE)
def add_product() -> Any:
    """Add a product to the catalogue."""
    form = _read()
    if not form.errors:
        try:
            made = catalogue.save_product(None, form.values, reader())
        except Invalid as problem:
            _refuse(form, problem)
        else:
            flash(_("The product was added."))
            return redirect(url_for("upsell.product", product_id=made.id), 303)
    return _form(None, form.typed, form.errors)


@pages.get("/products/<int:product_id>")
@permission_required(MANAGE)
def product(product_id: int) -> Any:
    """One product: prices, texts, what it goes with."""
    return _form(product_of(product_id), {})


@pages.post("/products/<int:product_id>")
@permission_required(MANAGE)
def save_product(product_id: int) -> Any:
    """Change it. What was offered before keeps the price that was shown."""
    row, form = product_of(product_id), _read()
    # Texts in languages that the desk does not speak now, which the form does not show.
    shown = {code for code, _name in locales()}
    form.values["texts"] |= {code: texts for code, texts in row.texts.items() if code not in shown}
    if not form.errors:
        try:
            catalogue.save_product(row, form.values, reader())
        except Invalid as problem:
            db.session.rollback()
            row = product_of(product_id)
            _refuse(form, problem)
        else:
            flash(_("Saved."))
            return redirect(url_for("upsell.product", product_id=product_id), 303)
    return _form(row, form.typed, form.errors)


def product_of(product_id: int) -> Product:
    """A product, or the page that says there is none."""
    found = catalogue.find_product(product_id) if product_id < 2**31 else None
    if found is None:
        abort(404)
    return found


# ---- the form


def _read() -> RowForm:
    form = RowForm(request.form.to_dict())
    form.line("sku", longest=catalogue.SKU_LENGTH, required=True)
    form.choice("kind", KINDS)
    form.line("category", longest=80)
    form.line("url", longest=500)
    form.tick("active")
    first, last = form.day("starts"), form.day("ends")
    if first and last and last < first:
        form.refuse("ends", _("The last day is before the first; choose a later one."))
    margin = form.typed.get("margin", "").strip()
    form.values["margin"] = form.number("margin", smallest=0, largest=100) if margin else None
    form.values["texts"] = _read_texts(form)
    form.values["prices"] = _read_prices(form)
    form.values["relations"] = _read_relations(form)
    return form


def _read_texts(form: RowForm) -> dict[str, dict[str, str]]:
    """The name and the text of each language in which something stands."""
    found = {}
    for code, _name in locales():
        name = form.line(f"name-{code}", longest=catalogue.NAME_LENGTH, required=code == default_locale())
        pitch = form.text(f"pitch-{code}", longest=catalogue.PITCH_LENGTH)
        if name or pitch:
            found[code] = {"name": name, "pitch": pitch}
    return found


def _read_prices(form: RowForm) -> list[dict[str, Any]]:
    """The rows of prices; one without an amount is none. Each currency and period once."""
    found: list[dict[str, Any]] = []
    for name, row in form.rows("price", _PRICE):
        if not row["amount"]:
            continue
        currency = row["currency"].upper()
        if not amounts.is_currency(currency):
            form.refuse(f"{name}-currency", _("Write the three letters of a currency, such as %(code)s.", code="EUR"))
            continue
        if row["period"] not in PERIODS:
            form.refuse(f"{name}-period", _("Choose one of the list."))
            continue
        if any((one["currency"], one["period"]) == (currency, row["period"]) for one in found):
            form.refuse(f"{name}-amount", _("There is a price in this currency and for this time already."))
            continue
        try:
            found.append(
                {"currency": currency, "period": row["period"], "amount": amounts.parse(row["amount"], currency)}
            )
        except Invalid as problem:
            form.refuse(f"{name}-amount", str(problem))
    return found


def _read_relations(form: RowForm) -> list[dict[str, str]]:
    """The rows that name another product by its SKU."""
    rows = [(name, row) for name, row in form.rows("relation", _RELATION) if row["sku"]]
    known = catalogue.by_skus([row["sku"] for _name, row in rows])
    found = []
    for name, row in rows:
        if row["kind"] not in RELATIONS:
            form.refuse(f"{name}-kind", _("Choose one of the list."))
        elif catalogue.key_of(row["sku"]) not in known:
            form.refuse(f"{name}-sku", _("The catalogue has no product with this SKU."))
        else:
            found.append({"kind": row["kind"], "sku": row["sku"]})
    return found


def _refuse(form: RowForm, problem: Invalid) -> None:
    """Put a sentence beside the field, or above the form where it is about no field of it."""
    known = {"sku", "kind", "category", "url", "starts", "ends", "margin"}
    form.refuse(problem.field if problem.field in known else "form", str(problem))


def _form(row: Product | None, typed: Mapping[str, str], errors: dict[str, str] | None = None) -> Any:
    values = dict(typed) if errors else {**_values(row), **typed}
    prices = typed_rows(values, "price", _PRICE, "amount") if errors else _price_rows(row)
    relations = typed_rows(values, "relation", _RELATION, "sku") if errors else _relation_rows(row)
    usual = settings(RecommendationSettings).currency
    empty = {"currency": usual, "period": PERIODS[0], "amount": ""}
    return show(
        "product.html",
        422 if errors else 200,
        product=row,
        values=values,
        prices=[*prices, empty],
        relations=with_empty(relations, _RELATION, 2 if not relations else 1),
        errors=errors or {},
        languages=_languages(values),
        first=default_locale(),
        title=catalogue.name_of(row) if row is not None else _("New product"),
        relation_of={one.other.sku: catalogue.name_of(one.other) for one in row.relations} if row is not None else {},
    )


def _languages(values: Mapping[str, Any]) -> list[tuple[str, str, bool]]:
    """Each language: its code, its name, whether it has a name of the product."""
    here = str(get_locale())
    found = [(code, name, bool(values.get(f"name-{code}"))) for code, name in locales()]
    return sorted(found, key=lambda one: (one[0] != default_locale(), one[0] != here))


def _values(row: Product | None) -> dict[str, Any]:
    """What the form shows: the product, or what a new one begins with."""
    if row is None:
        return {"active": True, "kind": KINDS[0]}
    values: dict[str, Any] = {
        name: getattr(row, name) for name in ("sku", "kind", "category", "active", "starts", "ends", "margin", "url")
    }
    for code, texts in row.texts.items():
        values |= {f"name-{code}": texts.get("name", ""), f"pitch-{code}": texts.get("pitch", "")}
    return values


def _price_rows(row: Product | None) -> list[dict[str, str]]:
    prices = row.prices if row is not None else []
    return [
        {"currency": one.currency, "period": one.period, "amount": amounts.typed(one.amount, one.currency)}
        for one in prices
    ]


def _relation_rows(row: Product | None) -> list[dict[str, str]]:
    return [{"kind": one.kind, "sku": one.other.sku} for one in row.relations] if row is not None else []
