"""Amounts, currencies and article numbers as people write them."""

from decimal import Decimal

import pytest
from babel import numbers
from flask import Flask
from helpdesk_customers.money import (
    MOST,
    digits_of,
    plain_amount,
    read_amount,
    read_currency,
    show_amount,
    sku_key,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.api import Invalid

# The desk is there for its sentences alone, and no example changes it.
_WITH_APP = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
_CURRENCIES = ("EUR", "JPY", "KWD")
_LOCALES = ("en", "de", "fr", "sv", "zh_Hans", "es")


@pytest.mark.parametrize(
    ("text", "currency", "amount"),
    [
        ("12", "EUR", 1200),
        ("12.5", "EUR", 1250),
        ("12,50 €", "EUR", 1250),
        ("€ 1,234.50", "EUR", 123450),
        ("1.234,50", "EUR", 123450),
        ("1'234.50", "EUR", 123450),
        ("1 234 567,80", "EUR", 123456780),
        ("1,23,456.78", "EUR", 12345678),
        ("1.234", "EUR", 123400),
        ("1.234", "KWD", 1234),
        ("1,234", "JPY", 1234),
        ("12.00", "JPY", 12),
        ("１２．５０", "EUR", 1250),
        ("١٢٫٥", "EUR", 1250),
        (".5", "EUR", 50),
        ("USD 7", "USD", 700),
        ("0", "EUR", 0),
    ],
)
def test_amounts_are_read_as_people_write_them(text: str, currency: str, amount: int) -> None:
    assert read_amount(text, currency) == amount


@pytest.mark.parametrize(
    "text",
    ["", "-5", "(5.00)", "−3", "twelve", "1.2345,6", "12.345.6", "1,2,3", "5-", "=1+1", "1e5", "0.005", "9" * 15],
)
def test_what_is_no_amount_is_refused_with_a_sentence(app: Flask, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_amount(text, "EUR")
    assert refused.value.field == "amount" and str(refused.value).endswith(".")


@given(st.integers(0, MOST), st.sampled_from(_CURRENCIES), st.sampled_from(_LOCALES))
def test_what_is_shown_is_read_again(amount: int, currency: str, locale: str) -> None:
    shown = numbers.format_currency(Decimal(amount).scaleb(-digits_of(currency)), currency, locale=locale)
    # An amount below a thousand with three digits behind its point is the one that can be meant otherwise.
    assert read_amount(shown, currency) == amount
    assert read_amount(plain_amount(amount, currency), currency) == amount


@_WITH_APP
@given(st.text(max_size=40))
def test_no_text_breaks_the_reading_of_amounts(app: Flask, text: str) -> None:
    try:
        assert 0 <= read_amount(text, "EUR") <= MOST
    except Invalid as refused:
        assert refused.field == "amount"


@_WITH_APP
@given(st.text(min_size=1, max_size=60))
def test_an_article_number_has_one_form(app: Flask, text: str) -> None:
    try:
        key = sku_key(text)
    except Invalid:
        return
    assert sku_key(key) == key and sku_key(f" {text}\t") == key and 0 < len(key) <= 64


def test_article_numbers_are_the_same_whoever_typed_them(app: Flask) -> None:
    assert {sku_key(text) for text in ("bell-01", " Bell-01 ", "ＢＥＬＬ－０１", "BELL-01")} == {"BELL-01"}
    with pytest.raises(Invalid):
        sku_key("  ")
    with pytest.raises(Invalid):
        sku_key("x" * 65)


def test_currencies_are_those_of_iso(app: Flask) -> None:
    assert read_currency(" eur ") == "EUR"
    for text in ("", "EURO", "€", "XYZW", "12"):
        with pytest.raises(Invalid) as refused:
            read_currency(text)
        assert refused.value.field == "currency"


def test_amounts_are_shown_by_the_readers_rules(app: Flask) -> None:
    with app.test_request_context():
        assert show_amount(123450, "EUR") == "€1,234.50" and show_amount(500, "JPY") == "¥500"
