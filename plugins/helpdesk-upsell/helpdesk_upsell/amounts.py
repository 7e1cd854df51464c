"""Amounts of money as people write and read them: whole minor units of a currency inside, never a float."""

import re
import unicodedata
from decimal import Decimal

from babel.numbers import NumberFormatError, get_currency_precision, list_currencies, parse_decimal
from babel.numbers import format_currency as babel_currency
from flask_babel import format_decimal, get_locale

from helpdesk.api import Invalid
from helpdesk.api import gettext as _

# More digits than any price has; a column of 64 bits holds it in the currency with the most decimals.
_LONGEST = 16
_PLAIN = re.compile(r"[0-9][0-9.,'’ \u00a0]*")


def parse(text: str, currency: str) -> int:
    """What somebody typed in their language's digits and marks, or with a point: 12.50, 12,50, ١٢٫٥٠.

    Raises :class:`Invalid` for what is no amount of this currency: negative ones, and more decimals than it has.
    """
    plain = "".join(_digit(sign) for sign in text.strip().replace("\u202f", "\u00a0"))
    number = _number(plain) if 0 < len(plain) <= _LONGEST else None
    if number is None:
        raise Invalid("amount", _("Write an amount such as %(example)s; it cannot be below zero.", example="12.50"))
    minor = number.scaleb(get_currency_precision(currency))
    if minor != minor.to_integral_value():
        raise Invalid("amount", _("%(currency)s has fewer decimals than this.", currency=currency))
    return int(minor)


def typed(minor: int, currency: str) -> str:
    """An amount as a field shows it, and as :func:`parse` reads it again."""
    decimals = get_currency_precision(currency)
    number = Decimal(minor).scaleb(-decimals)
    return str(format_decimal(number, "0." + "0" * decimals if decimals else "0"))


def show(minor: int, currency: str, locale: str | None = None) -> str:
    """An amount as the reader's language writes it: €89.00. Of another language where one is named."""
    number = Decimal(minor).scaleb(-get_currency_precision(currency))
    return str(babel_currency(number, currency, locale=locale or str(get_locale() or "en")))


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


def _number(text: str) -> Decimal | None:
    """The number in it. A point is the decimal one where the language does not read it as a mark of thousands."""
    # Babel takes 1e5 and nan for numbers as well.
    if not _PLAIN.fullmatch(text):
        return None
    try:
        return parse_decimal(text, str(get_locale() or "en"), strict=True)
    except NumberFormatError:
        pass
    head, mark, tail = text.rpartition("," if "," in text else ".")
    digits = head + tail if mark else text
    if not (digits.isascii() and digits.isdigit()) or (mark and not (head and tail)):
        return None
    return Decimal(f"{head}.{tail}") if mark else Decimal(text)


def _digit(sign: str) -> str:
    value = unicodedata.digit(sign, None)
    return str(value) if value is not None else {"٫": ".", "٬": ","}.get(sign, sign)
