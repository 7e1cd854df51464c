"""Filters over tickets: read from an address or a saved view by an allow-list, and turned into SQL."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from flask_babel import gettext as _

from helpdesk.core import day_ranges
from helpdesk.core.lateness import LATE
from helpdesk.core.models.columns import storable
from helpdesk.core.models.ticket import CATEGORIES, PRIORITIES

ME, NONE = "me", "none"
YES, NO = "yes", "no"
# Keys whose value is a range of days.
DAYS = ("created", "updated", "solved", "responded", "due")
# Keys that are free text.
TEXTS = ("text", "search")
# In front of the key of a custom field.
FIELD = "field_"
SORTS = (
    *("-updated", "updated", "-created", "created", "due", "-due"),
    *("-priority", "priority", "-number", "number"),
)
DEFAULT_SORT = "-updated"
_ID = re.compile(r"[1-9][0-9]{0,17}")
_LANGUAGE = r"[A-Za-z0-9_]{2,20}"
_WORD = r"[a-z0-9_-]{1,40}"
_FIELD_KEY = re.compile(r"[a-z0-9_]{1,60}")
_VALUES, _FIELDS, _LENGTH = 50, 20, 200


class InvalidFilter(Exception):
    """A filter, sort or page cannot be used; the text is a sentence for the person."""

    @classmethod
    def bad_page(cls) -> "InvalidFilter":
        """For a cursor that no page of this list has given."""
        return cls(_("This page of the list is not there; go back to its beginning."))


@dataclass(frozen=True)
class TicketFilter:
    """Which tickets: everything that is not empty must hold; several values of one key are alternatives.

    ``tag`` alone asks for every one of its tags. Built from outside only by :func:`parse_filter`. Tickets that were
    merged into another are in no list, whatever is asked for.
    """

    category: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    team: tuple[str, ...] = ()
    assignee: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    # With everything below it.
    topic: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    requester: tuple[str, ...] = ()
    organization: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    # Codes of languages, or "none".
    language: tuple[str, ...] = ()
    follower: tuple[str, ...] = ()
    # Ranges of days as core/day_ranges.py reads them, in the reader's zone.
    created: str = ""
    updated: str = ""
    solved: str = ""
    responded: str = ""
    due: str = ""
    late: tuple[str, ...] = ()
    # "yes" or "no".
    snoozed: str = ""
    reopened: str = ""
    unread: str = ""
    # Values of custom fields, by the field's key.
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()
    # A part of the subject or of who asks, or the number.
    text: str = ""
    # Words anywhere in the conversation, as the search box takes them.
    search: str = ""

    def as_dict(self) -> dict[str, Any]:
        """What is set, as it is saved in a view and stands in an address."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in self.parts()}

    def parts(self) -> Iterator[tuple[str, Any]]:
        """What is set, key by key, each custom field for itself."""
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == "fields":
                yield from ((FIELD + key, values) for key, values in value)
            elif value:
                yield item.name, value

    def without(self, key: str) -> "TicketFilter":
        """The filter less one of its parts."""
        if key.startswith(FIELD):
            return replace(self, fields=tuple(field for field in self.fields if FIELD + field[0] != key))
        kept: dict[str, Any] = {key: type(getattr(self, key))()}
        return replace(self, **kept)


# Every key that stands for itself (those of custom fields begin with ``FIELD``).
KEYS = tuple(item.name for item in fields(TicketFilter) if item.name != "fields")


def is_key(name: str) -> bool:
    """Whether a filter has such a part."""
    return name in KEYS or (name.startswith(FIELD) and _FIELD_KEY.fullmatch(name.removeprefix(FIELD)) is not None)


def parse_filter(values: Mapping[str, Any]) -> TicketFilter:
    """A filter from lists of texts (a query string, a saved view). Unknown keys are left out.

    Raises :class:`InvalidFilter` for a value that no ticket can have. Rows that a value names (a team, a field) need
    not be there any more: then no ticket fits, and nothing breaks.
    """
    more: dict[str, Any] = {key: _rows(key, values) for key in ("team", "type", "topic", "organization")}
    more |= {key: _days(key, values) for key in DAYS}
    return TicketFilter(
        category=_among("category", values, CATEGORIES),
        status=_matching("status", values, _WORD),
        assignee=_rows("assignee", values, (NONE, ME)),
        priority=_among("priority", values, PRIORITIES),
        tag=tuple(" ".join(tag.split()).lower()[:50] for tag in _texts(values.get("tag")) if tag.strip()),
        requester=_rows("requester", values, ()),
        channel=_matching("channel", values, _WORD),
        language=_matching("language", values, _LANGUAGE),
        follower=_rows("follower", values, (ME,)),
        late=_among("late", values, LATE),
        snoozed=_one("snoozed", values, (YES, NO)),
        reopened=_one("reopened", values, (YES, NO)),
        unread=_one("unread", values, (YES, NO)),
        fields=_fields(values),
        text=_line(values.get("text")),
        search=_line(values.get("search")),
        **more,
    )


def readable_filter(values: Mapping[str, Any]) -> TicketFilter:
    """The parts of a saved filter that can be read: a version that knew more, or a hand, may have written the rest."""
    found = TicketFilter()
    for key, value in values.items():
        try:
            one = parse_filter({key: value})
        except InvalidFilter:
            continue
        parts: dict[str, Any] = {"fields": found.fields + one.fields} if one.fields else dict(one.parts())
        found = replace(found, **parts)
    return found


def parse_sort(text: str | None) -> str:
    """A sort key of the allow-list; nothing is the default. Raises :class:`InvalidFilter`."""
    if not text:
        return DEFAULT_SORT
    if text not in SORTS:
        raise InvalidFilter(_("Tickets cannot be sorted like that; choose an order from the menu."))
    return text


# ---- values


def _texts(value: Any) -> list[str]:
    items = value if isinstance(value, list | tuple) else [value] if value not in (None, "") else []
    if len(items) > _VALUES:
        raise InvalidFilter(_("These are too many values for one filter; %(number)s fit.", number=_VALUES))
    return [str(item) for item in items if str(item) != ""]


def _line(value: Any) -> str:
    return " ".join(storable(" ".join(_texts(value))).split())[:_LENGTH]


def _among(name: str, values: Mapping[str, Any], known: Sequence[str]) -> tuple[str, ...]:
    found = _texts(values.get(name))
    if any(value not in known for value in found):
        raise unusable(name)
    return tuple(value for value in known if value in found)


def _one(name: str, values: Mapping[str, Any], known: Sequence[str]) -> str:
    found = _among(name, values, known)
    # All of them together leave nothing out.
    return found[0] if len(found) == 1 else ""


def _matching(name: str, values: Mapping[str, Any], pattern: str) -> tuple[str, ...]:
    found = _texts(values.get(name))
    if any(not re.fullmatch(pattern, value) for value in found):
        raise unusable(name)
    return tuple(dict.fromkeys(found))


def _rows(name: str, values: Mapping[str, Any], words: Sequence[str] = (NONE,)) -> tuple[str, ...]:
    found = _texts(values.get(name))
    if any(value not in words and not _ID.fullmatch(value) for value in found):
        raise unusable(name)
    return tuple(dict.fromkeys(found))


def _days(name: str, values: Mapping[str, Any]) -> str:
    found = _texts(values.get(name))
    if not found:
        return ""
    try:
        day_ranges.parse(found[0], day_ranges.today_in("UTC"))
    except day_ranges.InvalidRange:
        raise unusable(name) from None
    return found[0]


def _fields(values: Mapping[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    keys = [key for key in values if key.startswith(FIELD) and is_key(key)]
    found = []
    for key in sorted(keys)[:_FIELDS]:
        texts = tuple(dict.fromkeys(line for text in _texts(values[key]) if (line := _line(text))))
        if texts:
            found.append((key.removeprefix(FIELD), texts))
    return tuple(found)


def unusable(name: str) -> InvalidFilter:
    """For a value of the part ``name`` that no ticket can have."""
    return InvalidFilter(
        _("The filter “%(name)s” has a value that no ticket can have; take it off and choose again.", name=name)
    )
