"""Checks of what is typed: dates, numbers, currencies, texts by language."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from helpdesk.api import Invalid, tidy_language
from helpdesk.api import gettext as _
from helpdesk_upsell import amounts

# The largest amount that a price may have; with it sums of millions of orders still fit 64 bits.
LARGEST = 10**13


def line(values: Mapping[str, Any], field: str, longest: int, needed: str = "") -> str:
    """A text on one line. ``needed``: the sentence for an empty one."""
    text = " ".join(str(values.get(field) or "").replace("\x00", "").split())
    if not text and needed:
        raise Invalid(field, needed)
    if len(text) > longest:
        raise Invalid(field, _("This is too long; %(number)s characters fit.", number=longest))
    return text


def address(text: str, field: str) -> str:
    """The address of a page."""
    if not text.startswith(("https://", "http://")):
        raise Invalid(field, _("An address begins with https://."))
    return text


def one_of(value: Any, field: str, choices: tuple[str, ...]) -> str:
    """One of some keys."""
    if value not in choices:
        raise Invalid(field, _("Choose one of the list."))
    return str(value)


def number(value: Any, field: str, least: int, most: int) -> int:
    """A whole number within bounds."""
    sentence = _("Give a whole number from %(least)s to %(most)s.", least=least, most=most)
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise Invalid(field, sentence)
    try:
        found = int(value)
    except ValueError as error:
        raise Invalid(field, sentence) from error
    if not least <= found <= most:
        raise Invalid(field, sentence)
    return found


def day(value: Any, field: str) -> date | None:
    """A day, as a date or as 2026-03-01; None for nothing."""
    if not value:
        return None
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise Invalid(field, _("Write a day as 2026-03-01.")) from error


def days_in_order(starts: date | None, ends: date | None) -> None:
    """The last day is not before the first."""
    if starts is not None and ends is not None and ends < starts:
        raise Invalid("ends", _("The last day is before the first one."))


def currency(value: Any, field: str = "currency") -> str:
    """The code of a currency."""
    code = str(value or "").strip().upper()
    if not amounts.is_currency(code):
        raise Invalid(field, _("Give the three letters of a currency, such as EUR."))
    return code


def amount(value: Any, field: str = "amount") -> int:
    """A price in minor units; nothing costs less than nothing."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid(field, _("Give an amount."))
    if value < 0:
        raise Invalid(field, _("An amount cannot be below zero."))
    if value > LARGEST:
        raise Invalid(field, _("This amount is too large."))
    return value


def language(value: Any, field: str = "texts") -> str:
    """The code of a language."""
    code = tidy_language(str(value or ""))
    if code is None:
        raise Invalid(field, _("There is no language with this code."))
    return code


def texts(value: Any, field: str, longest: int) -> dict[str, str]:
    """Texts by language; empty ones are left out."""
    if not isinstance(value, Mapping):
        raise Invalid(field, _("Give a text for each language."))
    found = {}
    for code, text in value.items():
        words = str(text or "").replace("\x00", "").strip()
        if len(words) > longest:
            raise Invalid(field, _("This is too long; %(number)s characters fit.", number=longest))
        if words:
            found[language(code, field)] = words
    return found
