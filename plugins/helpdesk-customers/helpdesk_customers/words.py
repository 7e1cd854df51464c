"""What the parts of a record are called on pages; money, days and numbers in the reader's words."""

from datetime import date, datetime
from functools import lru_cache
from typing import Protocol

from babel import dates, numbers
from flask_babel import get_locale, get_timezone, ngettext

from helpdesk.api import gettext as _
from helpdesk.api import now, pgettext
from helpdesk_customers.money import show_amount

money = show_amount


class Noted(Protocol):
    """What a record says of a person; the record itself, or its parts beside a ticket."""

    contact_by: str
    contact_at: str
    birthday: int | None
    birth_year: int | None


# A leap year, so that the 29th of February can be written without a year.
_ANY_YEAR = 2000
_RANKS = 5


# ---- names


def ways() -> list[tuple[str, str]]:
    """How somebody wants to be reached."""
    return [
        ("", _("Not said")),
        ("email", _("By e-mail")),
        ("phone", _("By phone")),
        ("chat", _("By chat")),
        ("post", _("By post")),
    ]


def hours() -> list[tuple[str, str]]:
    """When somebody wants to be reached."""
    return [
        ("", _("Not said")),
        ("morning", _("In the morning")),
        ("afternoon", _("In the afternoon")),
        ("evening", _("In the evening")),
    ]


def contact(record: Noted) -> str:
    """How and when somebody wants to be reached; "" where nothing is said."""
    said = [dict(ways())[record.contact_by]] if record.contact_by else []
    return " · ".join([*said, dict(hours())[record.contact_at]] if record.contact_at else said)


def consent_ways() -> list[tuple[str, str]]:
    """How a consent was said."""
    return [
        ("email", _("By e-mail")),
        ("phone", _("By phone")),
        ("paper", _("On paper")),
        ("form", _("In a form")),
        ("talk", _("Face to face")),
    ]


def consent_way(key: str) -> str:
    """One of them; what programs wrote as they wrote it."""
    return {**dict(consent_ways()), "import": _("From a file")}.get(key, key)


def consent_state(state: str | None) -> tuple[str, str, str]:
    """Where a consent stands: a colour, a shape and a word."""
    return {
        "given": ("green", "check", pgettext("consent", "Given")),
        "withdrawn": ("red", "x", pgettext("consent", "Withdrawn")),
    }.get(state or "", ("grey", "circle-dashed", pgettext("consent", "Not asked")))


def order_states() -> list[tuple[str, str]]:
    """Where an order can stand."""
    return [
        ("placed", pgettext("order", "Placed")),
        ("paid", pgettext("order", "Paid")),
        ("cancelled", pgettext("order", "Cancelled")),
        ("returned", pgettext("order", "Returned")),
    ]


def order_state(state: str) -> tuple[str, str]:
    """Where an order stands: a colour and a word."""
    return {"placed": "blue", "paid": "green"}.get(state, "grey"), dict(order_states())[state]


def field_kinds() -> list[tuple[str, str]]:
    """What a field can hold."""
    return [
        ("text", pgettext("field", "Text")),
        ("number", pgettext("field", "Number")),
        ("day", pgettext("field", "Date")),
        ("yes", pgettext("field", "Yes or no")),
        ("choice", pgettext("field", "Choice")),
    ]


def subjects() -> list[tuple[str, str]]:
    """Whom a record is of."""
    return [("person", _("People")), ("organization", _("Organizations"))]


def rank(value: int) -> str:
    """A part of the value, from one to five."""
    return _("%(rank)s of %(most)s", rank=value, most=_RANKS) if value else _("too few to compare")


# ---- money, days, numbers


def day(value: datetime | date) -> str:
    """A day in short, with the year where it is another one."""
    this_year = now().astimezone(get_timezone()).year
    if isinstance(value, datetime):
        value = value.astimezone(get_timezone()).date()
    return _day(value, "MMMd" if value.year == this_year else "yMMMd", str(get_locale()))


def birthday(record: Noted) -> str:
    """Day and month, and the year where it is known."""
    if not record.birthday:
        return ""
    month, number = divmod(record.birthday, 100)
    value = date(record.birth_year or _ANY_YEAR, month, number)
    return _day(value, "yMMMMd" if record.birth_year else "MMMMd", str(get_locale()))


def days_ago(moment: datetime) -> str:
    """For how many days something was not."""
    days = max(0, (now() - moment).days)
    return ngettext("%(num)s day ago", "%(num)s days ago", days) if days else _("today")


def count(value: int) -> str:
    """A whole number by the reader's rules."""
    return str(numbers.format_decimal(value, locale=get_locale()))


@lru_cache(4096)
def _day(value: date, skeleton: str, locale: str) -> str:
    return str(dates.format_skeleton(skeleton, value, locale=locale))


def import_state(state: str) -> str:
    """How far a file is that is taken in."""
    return {
        "draft": _("Not started"),
        "waiting": _("Waits for a worker"),
        "running": _("Is being taken in"),
        "done": pgettext("import", "Done"),
        "stopped": _("Stopped"),
        "cancelled": _("Stopped by hand"),
    }.get(state, state)


def import_word(word: str) -> str:
    """What became of rows of a file."""
    return {
        "created": pgettext("rows", "New"),
        "changed": pgettext("rows", "Changed"),
        "same": pgettext("rows", "As it was"),
    }.get(word, word)
