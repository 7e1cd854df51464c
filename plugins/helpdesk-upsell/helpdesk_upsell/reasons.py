"""Why something fits: kept as what it is made of, and said in the language of whoever reads it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask_babel import format_percent, get_locale

from helpdesk.api import gettext as _
from helpdesk_upsell import conditions
from helpdesk_upsell.catalogue import in_language
from helpdesk_upsell.prepared import catalogue

# What a reason is, and what it is made of; plain data.
Grounds = Sequence[Any]


def say(grounds: Grounds) -> str:
    """The sentence, in the reader's language; "" for none."""
    if not grounds:
        return ""
    kind, *given = grounds
    return _SENTENCES[kind](*given)


def _said(text: str) -> str:
    """By another plugin."""
    return text


def _texts(texts: Mapping[str, str]) -> str:
    """By the owner, in some languages."""
    return in_language(texts, _reader())


def _conditions(sku: str, given: Sequence[Mapping[str, Any]]) -> str:
    names = conditions.Names(_reader())
    words = [conditions.words(one, names) for one in given]
    name = names.products.name(sku, names.locale)
    if not words:
        return _("%(product)s is suggested to everybody.", product=name)
    return _("%(product)s fits because %(conditions)s.", product=name, conditions=conditions.both(words))


def _together(one: str, other: str, number: int, confidence: float) -> str:
    return _(
        "%(share)s of those who bought %(one)s also bought %(other)s: together %(number)s times.",
        share=format_percent(confidence, "#,##0%"),
        one=_name(one),
        other=_name(other),
        number=number,
    )


def _replaces(owned: str, other: str) -> str:
    return _("%(other)s replaces %(one)s, which the customer owns.", other=_name(other), one=_name(owned))


def _goes_with(owned: str, other: str) -> str:
    return _("%(other)s goes with %(one)s, which the customer owns.", other=_name(other), one=_name(owned))


def _reader() -> str:
    return str(get_locale() or "")


def _name(sku: str) -> str:
    return catalogue().name(sku, _reader())


_SENTENCES: Mapping[str, Callable[..., str]] = {
    "said": _said,
    "texts": _texts,
    "conditions": _conditions,
    "together": _together,
    "replaces": _replaces,
    "goes_with": _goes_with,
}
