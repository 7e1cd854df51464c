"""Filters as forms and addresses carry them."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from helpdesk.core import day_ranges, i18n, labels, languages, plugin_fields, ticket_types, topics
from helpdesk.core.extensions import db
from helpdesk.core.filters import DAYS, FIELD, TicketFilter, is_key, parse_filter
from helpdesk.core.models import TicketField
from helpdesk.plugins import manager
from helpdesk.web.desk import choices
from helpdesk.web.desk.chips import day_words, key_words, late_words
from helpdesk.web.desk.tickets import channel_words


def wanted_filter(values: "MultiDict[str, str]") -> TicketFilter:
    """The filter that a form or an address names. Raises InvalidFilter."""
    return parse_filter(filter_lists(values))


def filter_lists(values: "MultiDict[str, str]") -> dict[str, Any]:
    """The parts of a filter among the values of a form, without what was left empty."""
    found = {key: [value for value in values.getlist(key) if value.strip()] for key in values if is_key(key)}
    # Several tags may be typed into one field.
    tags = [tag.strip() for text in found.get("tag", []) for tag in text.split(",") if tag.strip()]
    # Two fields for the days of one part: "from" and "until".
    days = dict(_days(values))
    return {key: value for key, value in {**found, "tag": tags, **days}.items() if value}


def _days(values: "MultiDict[str, str]") -> Iterator[tuple[str, list[str]]]:
    for key in DAYS:
        first, last = values.get(f"{key}_from", "").strip(), values.get(f"{key}_until", "").strip()
        if first or last:
            yield key, [f"{first}..{last}"]


def filter_options() -> dict[str, Any]:
    """What the fields of the form offer. Three queries."""
    query = select(TicketField).where(plugin_fields.usable()).order_by(TicketField.position, TicketField.id)
    return {
        "statuses": [(one.key, choices.status_label(one)) for one in choices.every_status()],
        "agents": [(str(one.id), one.display_name) for one in choices.agents()],
        "types": [(str(number), name) for number, name in ticket_types.options()],
        "topics": [(str(number), name) for number, name in topics.options()],
        "channels": [(name, channel_words(name)) for name in _channels()],
        "languages": languages.choices([code for code, _name in i18n.locales()]),
        "late": list(late_words().items()),
        "days": [(word, day_words(word)) for word in (*day_ranges.WORDS, "7d", "30d", "90d")],
        "labels": key_words(),
        "fields": [
            (FIELD + field.key, labels.field_label(field), field.kind, _offered(field))
            for field in db.session.scalars(query)
        ],
    }


def _offered(field: TicketField) -> list[tuple[str, str]]:
    return [(str(choice), labels.choice_label(field, choice)) for choice in field.choices or ()]


def _channels() -> list[str]:
    own = [found.item.name for found in manager.current().contributions("register_channels")]
    return list(dict.fromkeys(["web", "email", "desk", "phone", *own]))
