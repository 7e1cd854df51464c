"""The catalogue and its promotions, as the team keeps them in a browser."""

from datetime import timedelta
from typing import Any

import pytest
from helpdesk_upsell import catalogue
from helpdesk_upsell.models import Product, Promotion

from helpdesk.api import db, now

ROOM = "/p/upsell"
FORM = {"sku": "Plus", "kind": "plan", "active": "1", "name-en": "Plus plan"}


def stored(sku: str) -> Product:
    db.session.rollback()
    found = catalogue.by_sku(sku)
    assert found is not None
    return found


def test_a_product_is_added_and_changed(as_supervisor: Any, product: Any) -> None:
    """Prices in two currencies, texts in two languages, and what it replaces; an emptied price goes."""
    product("BASIC", "Basic plan")
    assert "The catalogue is empty" not in as_supervisor.get(f"{ROOM}/products").text
    made = as_supervisor.post(f"{ROOM}/products/new", data={
        **FORM, "pitch-en": "More room.\r\nFor teams.", "name-es": "Plan Plus",
        "price-0-amount": "12.50", "price-0-currency": "eur", "price-0-period": "month",
        "price-1-amount": "1,300", "price-1-currency": "JPY", "price-1-period": "once",
        "relation-0-kind": "replaces", "relation-0-sku": "basic", "margin": "30", "url": "https://shop.example/plus",
    })  # fmt: skip
    assert made.status_code == 303
    row = stored("plus")
    assert [(one.currency, one.period, one.amount) for one in row.prices] == [
        ("EUR", "month", 1250), ("JPY", "once", 1300),
    ]  # fmt: skip
    assert row.texts == {
        "en": {"name": "Plus plan", "pitch": "More room.\nFor teams."},
        "es": {"name": "Plan Plus", "pitch": ""},
    }  # fmt: skip
    assert [(one.kind, one.other.sku) for one in row.relations] == [("replaces", "BASIC")]
    page = as_supervisor.get(made.location).text
    assert 'value="12.50"' in page and 'value="1300"' in page and "Plan Plus" in page and "Basic plan" in page
    listed = as_supervisor.get(f"{ROOM}/products?q=plus&kind=plan&state=on").text
    assert "€12.50 a month" in listed and "¥1,300" in listed and "Basic plan" not in listed
    changed = as_supervisor.post(made.location, data={
        **FORM, "price-0-amount": "", "price-0-currency": "EUR", "price-1-amount": "1400", "price-1-currency": "JPY",
        "price-1-period": "once",
    })  # fmt: skip
    assert changed.status_code == 303
    row = stored("PLUS")
    assert [(one.currency, one.amount) for one in row.prices] == [("JPY", 1400)] and row.relations == []


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"sku": ""}, "Fill this in."),
        ({"sku": "BASIC"}, "There is a product with this SKU already."),
        ({"price-0-amount": "-5", "price-0-currency": "EUR", "price-0-period": "once"}, "cannot be below zero."),
        ({"price-0-amount": "5", "price-0-currency": "EURO"}, "Write the three letters of a currency"),
        ({"price-0-amount": "1.234", "price-0-currency": "JPY", "price-0-period": "week"}, "Choose one of the list."),
        ({"price-0-amount": "5", "price-0-currency": "EUR", "price-0-period": "once", "price-1-amount": "6",
          "price-1-currency": "eur", "price-1-period": "once"}, "There is a price in this currency"),
        ({"relation-0-kind": "requires", "relation-0-sku": "NOTHING"}, "The catalogue has no product with this SKU."),
        ({"starts": "soon"}, "Write a day such as"),
        ({"starts": "2026-05-02", "ends": "2026-05-01"}, "The last day is before the first"),
        ({"margin": "101"}, "Enter a number from 0 to 100."),
        ({"url": "javascript:alert(1)"}, "An address begins with https://."),
        ({"name-en": ""}, "Fill this in."),
        ({"name-en": "x" * 201}, "This is too long"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    as_supervisor: Any, product: Any, typed: dict[str, str], sentence: str
) -> None:
    product("BASIC")
    form = {"pitch-en": "Kept & typed", **FORM, "category": "Racks", **typed}
    refused = as_supervisor.post(f"{ROOM}/products/new", data=form)
    assert refused.status_code == 422 and sentence in refused.text
    assert "Kept &amp; typed" in refused.text and 'value="Racks"' in refused.text
    assert db.session.scalar(db.select(db.func.count()).select_from(Product)) == 1


def test_a_circle_of_replacements_is_refused(as_supervisor: Any, product: Any) -> None:
    """A replaces B, so B cannot replace A; what was typed is still there."""
    new = product("NEW", relations=[])
    old = product("OLD")
    address = f"{ROOM}/products/{new.id}"
    relation = {"relation-0-kind": "replaces"}
    form = {"kind": "product", "active": "1"}
    assert as_supervisor.post(
        address, data={**form, **relation, "sku": "NEW", "name-en": "New", "relation-0-sku": "OLD"}
    ).status_code == 303  # fmt: skip
    refused = as_supervisor.post(
        f"{ROOM}/products/{old.id}",
        data={**form, **relation, "sku": "OLD", "name-en": "Old one", "relation-0-sku": "NEW"},
    )
    assert refused.status_code == 422 and "NEW replaces OLD already" in refused.text
    assert 'value="Old one"' in refused.text and stored("OLD").relations == []


def test_what_orders_call_and_the_catalogue_does_not_know_is_added_with_one_click(
    as_supervisor: Any, product: Any, bought: Any, anna: Any
) -> None:
    product("KNOWN")
    bought(anna, "KNOWN", "STRANGE")
    page = as_supervisor.get(f"{ROOM}/products/unknown").text
    assert "STRANGE" in page and "/new?sku=STRANGE" in page and "sku=KNOWN" not in page
    form = as_supervisor.get(f"{ROOM}/products/new?sku=STRANGE&name=Strange").text
    assert 'value="STRANGE"' in form and 'value="Strange"' in form
    as_supervisor.post(f"{ROOM}/products/new", data={**FORM, "sku": "strange"})
    assert "Nothing is missing" in as_supervisor.get(f"{ROOM}/products/unknown").text


def test_the_list_goes_on_and_asks_no_more_for_more_products(
    as_supervisor: Any, product: Any, count_queries: Any
) -> None:
    product("A-0")
    as_supervisor.get(f"{ROOM}/products")
    with count_queries() as few:
        as_supervisor.get(f"{ROOM}/products")
    for number in range(1, 52):
        product(f"A-{number:02}")
    as_supervisor.get(f"{ROOM}/products")
    with count_queries() as many:
        first = as_supervisor.get(f"{ROOM}/products").text
    assert len(many) == len(few), "\n".join(many)
    assert "after=A-49" in first and "A-51" not in first
    assert "A-51" in as_supervisor.get(f"{ROOM}/products?after=A-49").text


def test_texts_in_a_language_that_the_desk_does_not_speak_stay(as_supervisor: Any, product: Any) -> None:
    row = product("FR", "French", texts={"en": {"name": "French"}, "fr": {"name": "Français", "pitch": ""}})
    as_supervisor.post(f"{ROOM}/products/{row.id}", data={**FORM, "sku": "FR", "name-en": "Changed"})
    assert stored("FR").texts["fr"]["name"] == "Français" and stored("FR").texts["en"]["name"] == "Changed"


# ---- promotions


def test_a_promotion_comes_and_goes(as_supervisor: Any, product: Any) -> None:
    """Made from the product's page, corrected, deleted; the list says whether it runs."""
    row = product("RACK", "Rack")
    assert f"product={row.id}" in as_supervisor.get(f"{ROOM}/products/{row.id}").text
    assert 'value="RACK"' in as_supervisor.get(f"{ROOM}/promotions/new?product={row.id}").text
    today = now().date()
    form = {
        "sku": "rack", "name": "Spring", "percent": "10", "starts": str(today), "ends": str(today + timedelta(days=5)),
        "active": "1", "pitch-en": "For spring.",
    }  # fmt: skip
    for wrong, sentence in (
        ({"percent": "0"}, "Enter a number from 1 to 100."),
        ({"sku": "NOTHING"}, "The catalogue has no product"),
        ({"ends": "2020-01-01"}, "The last day is before the first"),
        ({"ends": ""}, "Write a day such as"),
        ({"name": " "}, "Fill this in."),
    ):
        refused = as_supervisor.post(f"{ROOM}/promotions/new", data={**form, **wrong})
        assert refused.status_code == 422 and sentence in refused.text and "For spring." in refused.text
    assert as_supervisor.post(f"{ROOM}/promotions/new", data=form).status_code == 303
    [made] = db.session.scalars(db.select(Promotion))
    listed = as_supervisor.get(f"{ROOM}/promotions").text
    assert "Running" in listed and "10%" in listed and "Rack" in listed
    address = f"{ROOM}/promotions/{made.id}"
    assert "For spring." in as_supervisor.get(address).text
    as_supervisor.post(address, data={**form, "percent": "25", "active": ""})
    db.session.refresh(made)
    assert made.percent == 25
    assert as_supervisor.post(f"{address}/delete").status_code == 303
    assert (
        "No promotions" in as_supervisor.get(f"{ROOM}/promotions").text
        and as_supervisor.get(address).status_code == 404
    )


@pytest.mark.parametrize("sku", ["\x00", "ﷺ" * 20, "\u200b\x00 "])
def test_a_sku_that_nobody_can_have_is_not_there(as_supervisor: Any, product: Any, sku: str) -> None:
    """Wherever one is typed: a sentence beside the field, or nothing found."""
    product("PLUS")
    days = {"starts": "2026-05-01", "ends": "2026-05-02"}
    for path, data in (
        ("products/new", {**FORM, "sku": "NEW", "relation-0-kind": "requires", "relation-0-sku": sku}),
        ("promotions/new", {"sku": sku, "name": "Spring", "percent": "10", **days}),
        ("rules/new", {"kind": "product", "sku": sku, "name": "Grow", "weight": "3"}),
    ):
        refused = as_supervisor.post(f"{ROOM}/{path}", data=data)
        assert refused.status_code == 422 and 'class="form-error"' in refused.text, path
    for path in ("rules/new", "together"):
        assert as_supervisor.get(f"{ROOM}/{path}", query_string={"sku": sku, "owns": sku}).status_code == 200, path
