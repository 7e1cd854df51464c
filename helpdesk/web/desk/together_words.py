"""Sentences of the history for tickets that became one, came apart or belong together."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from flask import g
from flask_babel import gettext as _

from helpdesk.core import merges
from helpdesk.core.models import Event
from helpdesk.core.models.merge import DUPLICATE, FOLLOW_UP
from helpdesk.web.session import reader

_Sentence = tuple[str, str, Mapping[str, str]]
# What events of these sentences call other tickets by.
_NUMBERS = ("into", "merged", "survivor", "from", "to", "other")


def look_up(events: Iterable[Event]) -> None:
    """Find out which of the tickets that the events name the reader may see: the others are told without a number.

    One query, and none where no event names another.
    """
    _ask({number for event in events if event.kind in SENTENCES for number in _named(event)})


def _named(event: Event) -> Iterator[int]:
    numbers = [event.data.get(name) for name in _NUMBERS]
    yield from (number for number in (*numbers, *event.data.get("tickets", ())) if isinstance(number, int))


def _ask(numbers: Collection[int]) -> dict[int, bool]:
    known: dict[int, bool] = g.setdefault("helpdesk_named_tickets", {})
    if missing := set(numbers) - known.keys():
        seen = merges.seen_by(reader(), missing)
        known.update((number, number in seen) for number in missing)
    return known


def _number(number: Any) -> str:
    return f"#{number}" if _ask({number})[number] else _("a ticket that you may not see")


def _merged(event: Event) -> _Sentence:
    numbers = list(event.data.get("tickets", ()))
    text = _("%(name)s merged %(numbers)s into this ticket")
    return "arrows-diff", text, {"numbers": ", ".join(_number(number) for number in numbers)}


def _went_into(event: Event) -> _Sentence:
    return "arrows-diff", _("%(name)s merged this ticket into %(number)s"), {"number": _number(event.data.get("into"))}


def _undone(event: Event) -> _Sentence:
    merged, survivor = event.data.get("merged"), event.data.get("survivor")
    values = {"merged": _number(merged), "survivor": _number(survivor)}
    return "arrow-back-up", _("%(name)s undid the merge of %(merged)s into %(survivor)s"), values


def _split(event: Event) -> _Sentence:
    if event.data.get("to") == event.ticket_id:
        return "route", _("%(name)s split this ticket off %(number)s"), {"number": _number(event.data.get("from"))}
    return "route", _("%(name)s split %(number)s off this ticket"), {"number": _number(event.data.get("to"))}


def _linked(event: Event) -> _Sentence:
    kind, values = event.data.get("kind"), {"number": _number(event.data.get("other"))}
    if kind == DUPLICATE:
        return "link", _("%(name)s linked this ticket with %(number)s as the same question"), values
    if kind == FOLLOW_UP:
        return "link", _("%(name)s linked this ticket with %(number)s as one that goes on from the other"), values
    return "link", _("%(name)s linked this ticket with %(number)s"), values


def _unlinked(event: Event) -> _Sentence:
    return "link", _("%(name)s took the link with %(number)s away"), {"number": _number(event.data.get("other"))}


SENTENCES: Mapping[str, Any] = {
    "tickets_merged": _merged,
    "ticket_merged_away": _went_into,
    "merge_undone": _undone,
    "ticket_split": _split,
    "tickets_linked": _linked,
    "tickets_unlinked": _unlinked,
}
