"""Amounts in minor units, currencies, and article numbers: as people write them, and as they are stored."""

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from babel import numbers
from flask_babel import get_locale

from helpdesk.api import Invalid
from helpdesk.api import gettext as _

SKU_LENGTH = 64
# More than any order; sums of millions of them still fit the column.
MOST = 10**13
_BLANKS = re.compile(r"[\s'’_]+")
# Arabic decimal and thousands separators; NFKC makes the full-width ones plain by itself.
_SEPARATORS = str.maketrans({"٫": ".", "٬": ",", "。": ".", "、": ","})
_MINUS = frozenset("-−–(")


def read_currency(text: str) -> str:
    """The code of a currency (ISO 4217) in capitals. Raises :class:`Invalid` (currency)."""
    code = unicodedata.normalize("NFKC", text).strip().upper()
    if code not in _currencies():
        raise Invalid("currency", _("“%(code)s” is no currency; write its code, such as EUR.", code=code[:20]))
    return code


def digits_of(currency: str) -> int:
    """How many digits of a currency stand behind the point: 2 for EUR, 0 for JPY, 3 for KWD."""
    return numbers.get_currency_precision(currency)


def read_amount(text: str, currency: str) -> int:
    """An amount as people write it ("1,234.50", "1.234,50 €", "1 234"), in minor units of the currency.

    Of two separators the last is the decimal one. One alone with three digits behind it sets thousands apart, unless
    the currency has three digits there. Raises :class:`Invalid` (amount): unreadable, negative, too exact, too large.
    """
    plain = unicodedata.normalize("NFKC", text).translate(_SEPARATORS)
    if _MINUS & set(plain):
        raise Invalid("amount", _("Amounts below zero are not taken; set the state of the order to returned instead."))
    plain = _BLANKS.sub("", _bare(plain).removeprefix("+"))
    digits = digits_of(currency)
    whole, fraction = _split(plain, digits)
    if not re.fullmatch(r"\d{1,18}", whole) or not re.fullmatch(r"\d*", fraction):
        raise Invalid("amount", _("“%(text)s” is no amount; write it like 12.50.", text=text.strip()[:40]))
    if len(fraction.rstrip("0")) > digits:
        raise Invalid("amount", _("“%(text)s” has more digits behind the point than %(currency)s has.",
                                  text=text.strip()[:40], currency=currency))  # fmt: skip
    amount = int(Decimal(f"{int(whole)}.{int(fraction or 0):0{len(fraction) or 1}d}").scaleb(digits))
    if amount > MOST:
        raise Invalid("amount", _("“%(text)s” is more than fits.", text=text.strip()[:40]))
    return amount


def show_amount(amount: int, currency: str) -> str:
    """An amount in minor units with its currency, by the reader's rules."""
    return _shown(amount, currency, str(get_locale() or "en"))


def plain_amount(amount: int, currency: str) -> str:
    """An amount for a file: digits with a point."""
    return str(Decimal(amount).scaleb(-digits_of(currency)))


def sku_key(text: str) -> str:
    """An article number as it is stored and compared: capitals, one blank for several. Raises :class:`Invalid` (sku).

    Full-width letters and digits become plain ones, so that one product is one, whoever typed its number.
    """
    key = text
    for _turn in range(3):
        key = " ".join(unicodedata.normalize("NFKC", key.replace("\x00", "")).upper().split())
    key = key.encode("utf-8", "ignore").decode()
    if not key:
        raise Invalid("sku", _("Write the article number."))
    if len(key) > SKU_LENGTH:
        raise Invalid("sku", _("This article number is too long; %(number)s characters fit.", number=SKU_LENGTH))
    return key


def _bare(text: str) -> str:
    """Without the sign or name of a currency around it, such as “US$” and “kr.”."""
    begin = 0
    while begin < len(text) and (_is_sign(text[begin]) or (text[begin] == "." and begin > 0)):
        begin += 1
    end = len(text)
    while end > begin and (_is_sign(text[end - 1]) or text[end - 1] == "."):
        end -= 1
    return text[begin:end]


def _is_sign(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LMZ" or unicodedata.category(sign) in ("Sc", "Cf")


def _split(plain: str, digits: int) -> tuple[str, str]:
    marks = [place for place, sign in enumerate(plain) if sign in ".,"]
    if not marks:
        return plain, ""
    last = marks[-1]
    kinds = {plain[place] for place in marks}
    behind = len(plain) - last - 1
    # Nobody writes a nought in front of thousands.
    is_group = len(kinds) == 1 and (len(marks) > 1 or (behind == 3 and digits != 3 and plain[0] in "123456789"))
    if is_group:
        return _ungroup(plain), ""
    return _ungroup(plain[:last]) or "0", plain[last + 1 :]


def _ungroup(text: str) -> str:
    """Digits without what sets thousands apart; what is not grouped as anybody groups stays as it is, unreadable."""
    parts = re.split(r"[.,]", text)
    if len(parts) == 1:
        return text
    fits = 1 <= len(parts[0]) <= 3 and len(parts[-1]) == 3 and all(len(part) in (2, 3) for part in parts[1:])
    return "".join(parts) if fits and len(set(re.findall(r"[.,]", text))) == 1 else text


@lru_cache(1)
def _currencies() -> frozenset[str]:
    return frozenset(numbers.list_currencies())


@lru_cache(4096)
def _shown(amount: int, currency: str, locale: str) -> str:
    return numbers.format_currency(Decimal(amount).scaleb(-digits_of(currency)), currency, locale=locale)
