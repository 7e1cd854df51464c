"""Amounts of money on pages: minor units inside, as customer records have them, and never a float."""

from decimal import Decimal

from babel.numbers import format_currency, get_currency_precision, list_currencies
from flask_babel import get_locale
from helpdesk_customers.api import plain_amount, read_amount

from helpdesk.api import Invalid
from helpdesk.api import gettext as _

_MINUS = ("-", "−", "–", "(")


def parse(text: str, currency: str) -> int:
    """An amount as people write it. Raises :class:`Invalid` (amount) for what is none, and for less than nothing."""
    if text.strip().startswith(_MINUS):
        raise Invalid("amount", _("An amount cannot be below zero."))
    return read_amount(text, currency)


def typed(minor: int, currency: str) -> str:
    """An amount as a field shows it, and as :func:`parse` reads it again."""
    return plain_amount(minor, currency)


def show(minor: int, currency: str, locale: str | None = None) -> str:
    """An amount as the reader's language writes it: €89.00. Of another language where one is named."""
    number = Decimal(minor).scaleb(-get_currency_precision(currency))
    return str(format_currency(number, currency, locale=locale or str(get_locale() or "en")))


def price_words(minor: int, currency: str, period: str = "once") -> str:
    """A price and for how long it is: €9.00 a month."""
    price = show(minor, currency)
    if period == "month":
        # Translators: %(price)s is an amount such as €9.00
        return _("%(price)s a month", price=price)
    if period == "year":
        # Translators: %(price)s is an amount such as €9.00
        return _("%(price)s a year", price=price)
    return price


def is_currency(code: str) -> bool:
    """Whether this is the code of a currency (ISO 4217), of now or of earlier."""
    return code in list_currencies()
