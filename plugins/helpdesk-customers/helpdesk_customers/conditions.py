"""Conditions on people and organizations: read from forms, and said in words.

A condition is ``{"what": ..., "how": ..., "value": ...}``; ``criteria.py`` turns them into SQL.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from helpdesk.api import Invalid, clean_tags, ngettext, tidy_language
from helpdesk.api import gettext as _
from helpdesk_customers.condition_choices import AMOUNT, DATE, PICK, WHOLE, Choice, choices
from helpdesk_customers.fields import read_day, read_number, write_number
from helpdesk_customers.models import NUMBER
from helpdesk_customers.money import plain_amount, read_amount, read_currency, show_amount, sku_key
from helpdesk_customers.texts import line

Condition = Mapping[str, Any]
MOST, VALUE_LENGTH = 20, 200
# A hundred years.
_DAYS = 36_500


def read(subject: str, rows: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Conditions as they are kept. Rows that say nothing at all are left out.

    Raises :class:`Invalid` naming ``conditions.<n>``, where ``n`` is the place of the row (0 is the first).
    """
    known = {choice.key: choice for choice in choices(subject)}
    found = []
    for place, row in enumerate(rows):
        what, how, value = (str(row.get(name) or "").strip() for name in ("what", "how", "value"))
        if not what and not value:
            continue
        name = f"conditions.{place}"
        choice = known.get(what)
        if choice is None:
            raise Invalid(name, _("Choose what the condition is about."))
        if how not in {key for key, _label in choice.operators}:
            raise Invalid(name, _("Choose how “%(name)s” is compared.", name=choice.label))
        found.append({"what": what, "how": how, "value": _read_value(choice, how, value, name)})
    if len(found) > MOST:
        raise Invalid(f"conditions.{MOST}", _("These are too many conditions; %(number)s fit.", number=MOST))
    return found


def sentence(subject: str, condition: Condition, known: Mapping[str, Choice] | None = None) -> str:
    """A condition in the reader's words. Give ``known`` (:func:`choices` by their keys) where there are several."""
    by_key = known if known is not None else {choice.key: choice for choice in choices(subject)}
    choice = by_key.get(condition["what"])
    if choice is None:
        return _("A field that is no longer there (%(name)s)", name=condition["what"])
    how = dict(choice.operators).get(condition["how"], condition["how"])
    value = str(condition["value"])
    if choice.kind == PICK:
        value = dict(choice.options).get(value, value)
    elif choice.kind == AMOUNT:
        code, number = value.split()
        value = show_amount(int(number), code)
    elif _counts_days(str(condition["how"])):
        value = ngettext("%(num)s day", "%(num)s days", int(value))
    return " ".join(part for part in (choice.label, how, value) if part)


def typed(subject: str, condition: Condition) -> str:
    """The value of a condition as somebody would type it: for the form."""
    if condition["what"] == "revenue":
        code, number = str(condition["value"]).split()
        return f"{plain_amount(int(number), code)} {code}"
    return str(condition["value"])


# ---- what is typed


def _read_value(choice: Choice, how: str, value: str, name: str) -> str:
    if how in ("filled", "empty"):
        return ""
    if not value:
        raise Invalid(name, _("Write what “%(name)s” is compared with.", name=choice.label))
    if choice.kind == PICK:
        if choice.key == "language":
            value = tidy_language(value) or value
        if value not in {key for key, _label in choice.options}:
            raise Invalid(name, _("Choose one of the list for “%(name)s”.", name=choice.label))
        return value
    if choice.kind == WHOLE or _counts_days(how):
        return str(_whole(value, name, _DAYS if _counts_days(how) else 10**9))
    try:
        return _read_kind(choice, value, name)
    except Invalid as problem:
        raise Invalid(name, str(problem)) from None


def _counts_days(how: str) -> bool:
    return how.removeprefix("day_") in ("within", "not_within")


def _read_kind(choice: Choice, value: str, name: str) -> str:
    if choice.kind == DATE:
        return read_day(value, name).isoformat()
    if choice.kind == AMOUNT:
        return _read_money(value, name)
    if choice.kind == NUMBER:
        return write_number(read_number(value, name))
    if choice.key == "owns":
        return sku_key(value)
    if choice.key == "tag":
        tags = clean_tags([value])
        if len(tags) != 1:
            raise Invalid(name, _("Write one tag."))
        return tags[0]
    return line(value, name, VALUE_LENGTH)


def _read_money(value: str, name: str) -> str:
    """ "EUR 50000": the code and minor units."""
    words = value.split()
    code = next((word for word in words if word.isalpha() and len(word) == 3), "")
    if not code:
        raise Invalid(name, _("Write the amount with its currency, such as 500 EUR."))
    currency = read_currency(code)
    return f"{currency} {read_amount(' '.join(word for word in words if word != code), currency)}"


def _whole(value: str, name: str, most: int) -> int:
    if not value.isdecimal() or len(value) > 12 or int(value) > most:
        raise Invalid(name, _("Write a whole number up to %(most)s.", most=most))
    return int(value)
