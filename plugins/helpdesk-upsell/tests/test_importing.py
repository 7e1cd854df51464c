"""The catalogue from a file: hook customers_import_kinds."""

from collections.abc import Mapping
from typing import Any

import pytest
from helpdesk_customers.api import BadRow, Batch, Item
from helpdesk_upsell import catalogue
from helpdesk_upsell.importing import customers_import_kinds, read, store

from helpdesk.api import transaction


def take(*rows: Mapping[str, str], overwrite: bool = False) -> list[str]:
    """What became of each row; of one that was refused its sentence."""
    items = [Item(number, read(row)) for number, row in enumerate(rows, 2)]
    with transaction():
        done = store(items, Batch(None, overwrite))
    return [str(done[item.row]) for item in items]


@pytest.mark.db
def test_products_are_taken_in(app: Any) -> None:
    """Several prices of one product, texts in two languages, relations; twice the same file changes nothing."""
    rows = [
        {"sku": "basic", "name": "Basic plan", "kind": "Plan", "amount": "9", "currency": "EUR", "period": "month"},
        {"sku": "BASIC", "amount": "1,080", "currency": "JPY", "period": "month"},
        {"sku": "ＢＡＳＩＣ", "name": "基础版", "language": "zh-cn"},
        {"sku": "PLUS", "name": "Plus", "amount": "12,50 €", "currency": "eur", "replaces": "basic", "margin": "40%"},
        {"sku": "BAG", "goes_with": "plus؛ basic", "starts": "2026-01-01", "category": "Bags"},
    ]
    assert take(*rows) == ["created", "changed", "same", "created", "created"]
    assert take(*rows, overwrite=True) == ["same", "same", "changed", "same", "same"]
    assert take(*rows, overwrite=True) == ["same"] * 5
    basic, plus = catalogue.by_sku("BASIC"), catalogue.by_sku("PLUS")
    assert basic is not None and plus is not None
    prices = {(one.currency, one.period): one.amount for one in basic.prices}
    assert prices == {("EUR", "month"): 900, ("JPY", "month"): 1_080}
    assert catalogue.name_of(basic, "zh_Hans") == "基础版" and (basic.kind, plus.margin) == ("plan", 40)
    assert [(one.kind, one.other.sku) for one in plus.relations] == [("replaces", "BASIC")]
    assert take({"sku": "PLUS", "amount": "20", "currency": "EUR"}) == ["same"] and plus.prices[0].amount == 1_250
    assert take({"sku": "PLUS", "amount": "20", "currency": "EUR"}, overwrite=True) == ["changed"]


def test_what_cannot_be_is_refused_row_by_row(app: Any) -> None:
    """The others are taken in."""
    done = take(
        {"sku": "A"},
        {"sku": "B", "replaces": "A"},
        {"sku": "C", "requires": "NOWHERE"},
        {"sku": "A", "replaces": "B"},
        {"sku": "D", "goes_with": "D"},
        {"sku": "E"},
    )
    assert done[:2] == ["created", "created"] and done[5] == "created"
    assert "NOWHERE" in done[2] and "circle" in done[3] and "itself" in done[4]
    assert [one.sku for one in catalogue.products()] == ["A", "B", "E"]


@pytest.mark.parametrize(
    "row",
    [
        {"sku": ""},
        {"sku": "A", "kind": "car"},
        {"sku": "A", "amount": "-5", "currency": "EUR"},
        {"sku": "A", "amount": "5"},
        {"sku": "A", "amount": "5.0015", "currency": "EUR"},
        {"sku": "A", "amount": "five", "currency": "EUR"},
        {"sku": "A", "amount": "5", "currency": "EUR", "period": "weekly"},
        {"sku": "A", "starts": "1.3.2026"},
        {"sku": "A", "margin": "110"},
        {"sku": "A", "url": "=HYPERLINK(1)"},
        {"sku": "A", "name": "x" * 201},
        {"sku": "A", "language": "??"},
    ],
)
def test_a_bad_row_says_what_is_wrong(app: Any, row: dict[str, str]) -> None:
    with pytest.raises(BadRow, match=r"\S"):
        read(row)


def test_it_is_on_the_page_of_imports(app: Any) -> None:
    (kind,) = customers_import_kinds()
    assert (kind.name, kind.permission) == ("upsell-products", "upsell.manage")
    assert {column.key for column in kind.all_columns() if column.required} == {"sku"}
