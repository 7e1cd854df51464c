"""What products, rules, suggestions and their states are called on pages."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from babel.numbers import get_currency_name
from flask_babel import format_date, format_decimal, format_percent, get_locale, get_timezone

from helpdesk.api import gettext as _
from helpdesk.api import ngettext, pgettext
from helpdesk_upsell.models import Suggestion
from helpdesk_upsell.reasons import say


def kinds() -> list[tuple[str, str]]:
    """What can be sold."""
    return [("product", _("Product")), ("plan", pgettext("product", "Plan")), ("addon", _("Add-on"))]


def kind(key: str) -> str:
    """One of them."""
    return dict(kinds()).get(key, key)


def why_it_fits(suggestion: Suggestion) -> str:
    """The reason of a suggestion, in the reader's language."""
    return say(suggestion.grounds) or suggestion.reason


def periods() -> list[tuple[str, str]]:
    """For how long a price is paid."""
    return [("once", _("once")), ("month", _("each month")), ("year", _("each year"))]


def relations() -> list[tuple[str, str]]:
    """How a product stands to another; read on with the other's name."""
    return [("goes_with", _("goes with")), ("requires", _("needs")), ("replaces", _("replaces"))]


def relation(key: str) -> str:
    """One of them."""
    return dict(relations()).get(key, key)


def rule_kinds() -> list[tuple[str, str, str]]:
    """What a rule suggests: key, name, and what it means."""
    return [
        ("product", _("One product"), _("The one that you name.")),
        ("together", _("What goes together"), _("What others bought together with what this customer owns.")),
        ("catalogue", _("What the catalogue says"), _("What replaces, or goes with, what this customer owns.")),
    ]


def states() -> list[tuple[str, str]]:
    """How far a suggestion is."""
    return [
        ("shown", pgettext("suggestion", "Seen by the agent")),
        ("offered", pgettext("suggestion", "Offered")),
        ("interested", pgettext("suggestion", "Interested")),
        ("accepted", pgettext("suggestion", "Accepted")),
        ("declined", pgettext("suggestion", "Declined")),
        ("bought", pgettext("suggestion", "Bought")),
    ]


def state(key: str) -> str:
    """One of them."""
    return dict(states()).get(key, key)


def state_tone(key: str) -> tuple[str, str]:
    """Its colour and shape; colour is never the only sign."""
    return {
        "shown": ("grey", "eye"),
        "offered": ("blue", "send"),
        "interested": ("violet", "star"),
        "accepted": ("green", "check"),
        "declined": ("grey", "x"),
        "bought": ("green", "shopping-bag"),
    }.get(key, ("grey", "circle-dashed"))


def reasons() -> list[tuple[str, str]]:
    """Why somebody does not want it."""
    return [
        ("price", _("It costs too much")),
        ("not_needed", _("It is not needed")),
        ("has_other", _("Something else does it already")),
        ("later", _("Not now, perhaps later")),
        ("other", pgettext("reason", "Something else")),
    ]


def reason(key: str | None) -> str:
    """One of them; "" for none."""
    return dict(reasons()).get(key or "", key or "")


def parts(given: Sequence[Sequence[Any]]) -> list[tuple[str, int]]:
    """The parts of a score, by their names."""
    names = {
        "weight": _("How well the rule says it fits"),
        "conditions": _("How much the rule asks"),
        "ticket": _("Fits what the ticket is about"),
        "replaces": _("Replaces what the customer owns"),
        "goes_with": _("Goes with what the customer owns"),
        "confidence": _("How often it is bought along"),
        "lift": _("How much more often than otherwise"),
        "plugin": _("A plugin says that it fits"),
    }
    return [(names.get(str(key), str(key)), int(points)) for key, points in given]


def weights() -> list[tuple[str, str]]:
    """How well something fits where its rule holds."""
    return [
        ("1", pgettext("fit", "Perhaps")),
        ("2", pgettext("fit", "A little")),
        ("3", pgettext("fit", "Well")),
        ("4", pgettext("fit", "Very well")),
        ("5", pgettext("fit", "Perfectly")),
    ]


def stopped(why: str, at: datetime) -> str:
    """Why a rule was stopped by itself, and when."""
    if why == "reopened":
        return _("Stopped by itself on %(day)s: those who saw it opened their tickets again more often.", day=day(at))
    return _("Stopped by itself on %(day)s: those who saw it were less satisfied.", day=day(at))


def verdict(key: str) -> tuple[str, str, str]:
    """What a measurement comes to: its sentence, colour and shape."""
    return {
        "better": (_("It helps"), "green", "trending-up"),
        "worse": (_("It does harm"), "red", "trending-down"),
        "unclear": (_("No difference can be seen yet"), "grey", "circle-dashed"),
        "too_few": (_("Too few people so far"), "grey", "clock"),
    }.get(key, (key, "grey", "circle-dashed"))


# ---- figures and days


def count(number: int) -> str:
    """A number in the reader's digits and marks."""
    return format_decimal(number)


def share(number: float | None) -> str:
    """A part of a whole: 12.5%."""
    return "–" if number is None else format_percent(number, "#,##0.#%")


def points(number: float | None) -> str:
    """A difference of two shares, with its sign: +3.2."""
    if number is None:
        return "–"
    value = round(100 * number, 1)
    # The mark keeps the sign in front where the page goes from right to left, as negative numbers have it there.
    plus = "\u200e+" if _is_rtl() else "+"
    return f"{plus if value > 0 else ''}{format_decimal(value, '0.0')}"


def decimal(number: float | None) -> str:
    """A figure with two decimals: 1.87."""
    return "–" if number is None else format_decimal(round(number, 2), "#,##0.00")


def people(number: int) -> str:
    """So many people."""
    return ngettext("%(num)s person", "%(num)s people", number)


def span(first: date | None, last: date | None) -> str:
    """From when until when something is to be had; "" for always."""
    if first and last:
        return _("%(first)s to %(last)s", first=day(first), last=day(last))
    if first:
        return _("from %(day)s", day=day(first))
    return _("until %(day)s", day=day(last)) if last else ""


def day(value: date | datetime) -> str:
    """A day of the calendar; of a moment the day of the reader's zone."""
    return format_date(value.astimezone(get_timezone()).date() if isinstance(value, datetime) else value, "medium")


def currency(code: str) -> str:
    """A currency by its code and its name."""
    return f"{code} – {get_currency_name(code, locale=str(get_locale() or 'en'))}"


def _is_rtl() -> bool:
    locale = get_locale()
    return locale is not None and locale.text_direction == "rtl"
