"""A filter in words: a chip for each of its parts, and the address of the list without it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from babel.lists import format_list
from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import day_ranges, labels, languages, statuses, ticket_types, topics
from helpdesk.core.extensions import db
from helpdesk.core.filters import DAYS, FIELD, TicketFilter
from helpdesk.core.models import Organization, TicketField, User
from helpdesk.core.models.ticket import CATEGORIES, PRIORITIES
from helpdesk.core.views import NamedView, ViewList
from helpdesk.web.desk import choices
from helpdesk.web.render import day

_PEOPLE = ("assignee", "follower", "requester")


@dataclass(frozen=True)
class Chip:
    """A part of the filter in words, and the address of the list without it."""

    text: str
    without: str


def chips_of(view: NamedView, wanted: TicketFilter, sort: str, views: ViewList) -> list[Chip]:
    """The filter in words. The own part of a view that everybody has is said by its name and has no chip.

    A query each for people, organizations and fields, where the filter names some.
    """
    own = {} if view.saved else dict(view.filter.parts())
    parts = [(key, value) for key, value in wanted.parts() if own.get(key) != value]
    words = _Words(views, parts)
    found = []
    for key, value in parts:
        rest = wanted.without(key).as_dict()
        found.append(Chip(words.of(key, value), url_for("desk.view_list", key=view.key, f=1, sort=sort, **rest)))
    return found


def key_words() -> dict[str, str]:
    """What the parts of a filter are called."""
    return {
        "team": _("Team"),
        "assignee": _("Assignee"),
        "priority": _("Priority"),
        "type": _("Type"),
        "topic": _("Topic"),
        "requester": _("Requester"),
        "organization": _("Organization"),
        "channel": _("Channel"),
        "follower": _("Follower"),
        "language": _("Language"),
        "created": _("Opened"),
        "updated": _("Changed"),
        "solved": _("Solved"),
        "responded": _("First answered"),
        "due": _("Due"),
        "search": _("Search"),
    }


def late_words() -> dict[str, str]:
    """The kinds of lateness in words."""
    return {
        "overdue": _("Overdue"),
        "due_soon": _("Due soon"),
        "promised": _("Promised"),
        "broken": _("Promise broken"),
    }


def day_words(text: str) -> str:
    """A range of days as people read it."""
    words = {
        "today": _("today"),
        "yesterday": _("yesterday"),
        "tomorrow": _("tomorrow"),
        "week": _("this week"),
        "last_week": _("last week"),
        "month": _("this month"),
        "last_month": _("last month"),
    }
    if text in words:
        return words[text]
    if text.endswith("d"):
        return _("the last %(number)s days", number=text[:-1])
    try:
        days = day_ranges.parse(text, day_ranges.today_in("UTC"))
    except day_ranges.InvalidRange:
        return text
    if days.first == days.last:
        return day(days.first)
    if days.last is None:
        return _("from %(day)s", day=day(days.first))
    if days.first is None:
        return _("until %(day)s", day=day(days.last))
    return _("%(first)s to %(last)s", first=day(days.first), last=day(days.last))


class _Words:
    """Names for the values of a filter."""

    def __init__(self, views: ViewList, parts: Sequence[tuple[str, Any]]) -> None:
        self.teams = {view.filter.team[0]: view.name for view in views.teams}
        self.people = _named(User, (value for key, values in parts if key in _PEOPLE for value in values))
        self.organizations = _named(
            Organization, (value for key, values in parts if key == "organization" for value in values)
        )
        keys = [key.removeprefix(FIELD) for key, _values in parts if key.startswith(FIELD)]
        fields = db.session.scalars(select(TicketField).where(TicketField.key.in_(keys))) if keys else ()
        self.fields = {field.key: labels.field_label(field) for field in fields}
        self.keys = key_words()

    def of(self, key: str, value: Any) -> str:
        """One part of a filter as a chip says it."""
        if key == "text":
            return f"“{value}”"
        if key == "tag":
            return " ".join(f"#{item}" for item in value)
        if key in ("snoozed", "reopened", "unread"):
            return self._flag(key, value)
        if key in DAYS:
            return _("%(name)s: %(text)s", name=self.keys[key], text=day_words(value))
        if key == "search":
            return _("%(name)s: %(text)s", name=self.keys[key], text=value)
        words = format_list([self._word(key, item) for item in value], style="or", locale=get_locale())
        if key.startswith(FIELD):
            name = self.fields.get(key.removeprefix(FIELD), _("a field that is gone"))
            return _("%(name)s: %(text)s", name=name, text=words)
        return _("%(name)s: %(text)s", name=self.keys[key], text=words) if key in self.keys else words

    def _flag(self, key: str, value: str) -> str:
        return {
            ("snoozed", "yes"): _("Snoozed"),
            ("snoozed", "no"): _("Not snoozed"),
            ("reopened", "yes"): _("Reopened"),
            ("reopened", "no"): _("Never reopened"),
            ("unread", "yes"): _("Unread"),
            ("unread", "no"): _("Read"),
        }[key, value]

    def _word(self, key: str, item: str) -> str:
        if key == "category" and item in CATEGORIES:
            return statuses.category_label(item)
        if key == "priority" and item in PRIORITIES:
            return statuses.priority_label(item)
        if key == "status":
            names = {status.key: choices.status_label(status) for status in choices.every_status()}
            return names.get(item, _("a status that is gone"))
        if key == "language" and item != "none":
            return languages.name_of(item)
        if key == "late":
            return late_words()[item]
        if item == "none":
            return _("nobody") if key == "assignee" else _("none")
        if item == "me":
            return _("me")
        return self._row_word(key, item)

    def _row_word(self, key: str, item: str) -> str:
        if key == "team":
            return self.teams.get(item, _("a team that is gone"))
        if key == "type":
            return ticket_types.label(int(item), _("a type that is gone"))
        if key == "topic":
            return topics.full_name(int(item), _("a topic that is gone"))
        if key == "organization":
            return self.organizations.get(item, _("an organization that is gone"))
        if key in _PEOPLE:
            return self.people.get(item, _("somebody who is gone"))
        return item


def _named(model: Any, values: Iterable[str]) -> dict[str, str]:
    numbers = [int(value) for value in values if value.isdigit()]
    if not numbers:
        return {}
    rows = db.session.scalars(select(model).where(model.id.in_(numbers)))
    return {str(row.id): row.display_name if isinstance(row, User) else row.name for row in rows}
