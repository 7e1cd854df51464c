"""Placeholders in texts that are kept for reuse: ``{{ customer.first_name | there }}``.

What stands behind the bar is said where there is no value. With neither, the hole is closed: the space or punctuation
beside it goes as well, and the caller learns what was missing.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from babel.dates import format_date
from flask_babel import get_locale, lazy_pgettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from helpdesk.core import i18n, labels, links, settings
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Organization, Team, Ticket, TicketField, TicketFieldValue, User
from helpdesk.core.workflow.editing import field_value

_PLACEHOLDER = re.compile(r"\{\{[ \t]*([A-Za-z_]+(?:\.[A-Za-z0-9_-]+)?)[ \t]*(?:\|([^{}\n]*))?\}\}")
_FIELD = "field."
# Marks that follow a word without a space, and those of them that only divide.
_ENDING, _DIVIDING = ",;:.!?…、，；：。！？", ",;:、，；："
_PAIRS = {"(": ")", "[": "]", "（": "）", "“": "”", "„": "“", "«": "»", "「": "」", '"': '"'}
# Each placeholder with what people read about it.
WORDS: Mapping[str, object] = {
    "customer.first_name": _l("First name of the customer"),
    "customer.name": _l("Name of the customer"),
    "customer.email": _l("Mail address of the customer"),
    "customer.organization": _l("Organization of the customer"),
    "ticket.number": _l("Number of the ticket"),
    "ticket.subject": _l("Subject of the ticket"),
    "ticket.link": _l("Where the customer follows the ticket"),
    "agent.first_name": _l("Your first name"),
    "agent.name": lazy_pgettext("placeholder", "Your name"),
    "agent.signature": _l("Your signature"),
    "team.name": _l("Team of the ticket"),
    "desk.name": _l("Name of the desk"),
    "today": _l("Date of today"),
}


class UnknownPlaceholder(Exception):
    """A text names something that no ticket has; the text is a sentence for the person."""


@dataclass
class Filled:
    """A text with its placeholders filled, and the names of those that had neither value nor fall-back."""

    text: str
    missing: list[str] = field(default_factory=list)


def check(text: str) -> None:
    """Raise :class:`UnknownPlaceholder` for braces that are no placeholder, or that name what there is not.

    One query when a field is named.
    """
    names = [match[1] for match in _PLACEHOLDER.finditer(text)]
    rest = _PLACEHOLDER.sub("", text)
    if "{{" in rest or "}}" in rest:
        raise UnknownPlaceholder(
            _("Two braces begin a placeholder, such as %(example)s. Check the one that is not complete.",
              example="{{ customer.first_name | … }}")
        )  # fmt: skip
    keys = {name.removeprefix(_FIELD) for name in names if name.startswith(_FIELD)}
    known = set(db.session.scalars(select(TicketField.key).where(TicketField.key.in_(keys)))) if keys else set()
    for name in names:
        if name not in WORDS and not (name.startswith(_FIELD) and name.removeprefix(_FIELD) in known):
            raise UnknownPlaceholder(_("There is no placeholder “%(name)s”. Choose one of the list.", name=name))


def offered() -> list[tuple[str, str]]:
    """Each placeholder with its words, the ticket fields behind the rest. One query."""
    fields = db.session.scalars(select(TicketField).where(TicketField.active).order_by(TicketField.position))
    own = [(f"{_FIELD}{found.key}", labels.field_label(found)) for found in fields]
    return [*((name, str(words)) for name, words in WORDS.items()), *own]


def render(text: str, ticket: Ticket, agent: User | None, locale: str | None = None) -> Filled:
    """Fill the placeholders of ``text`` for a ticket and whoever writes (None: the desk), in ``locale``.

    ``locale`` None: the reader's. Values are read when they are named, each with a query at most. There are no two
    braces in a row in what comes out, whatever the values are. Filling it again changes nothing. Reads only.
    """
    return fill(text, _values(ticket, agent, locale or _spoken()))


def fill(text: str, values: Mapping[str, Callable[[], str | None]]) -> Filled:
    """:func:`render` with the values at hand, each by a function. No query of its own."""
    filled, rest, known = Filled(""), text, {}
    while match := _PLACEHOLDER.search(rest):
        name = match[1]
        if name not in known:
            known[name] = _clean(values[name]()) if name in values else ""
        before, rest = filled.text + rest[: match.start()], rest[match.end() :]
        if value := known[name] or _clean(match[2]):
            filled.text = before + value
            continue
        if match[2] is None and name not in filled.missing:
            filled.missing.append(name)
        filled.text, rest = _close(before, rest)
    # Braces of a value, or of a text that nobody has checked.
    filled.text = re.sub(r"\{{2,}", "{", re.sub(r"\}{2,}", "}", filled.text + rest))
    return filled


def _clean(value: str | None) -> str:
    """Line by line without spaces that nobody typed."""
    return "\n".join(" ".join(line.split()) for line in (value or "").strip().splitlines())


def _close(before: str, after: str) -> tuple[str, str]:
    """Close the hole between two texts."""
    while before and after and _PAIRS.get(before[-1]) == after[0]:
        before, after = before[:-1], after[1:]
    if not after.strip(" \t") or after.lstrip(" \t").startswith("\n"):
        after = after.lstrip(" \t")
        before = before.rstrip(" \t")
    if not before or before.endswith("\n"):
        after = after.lstrip(" \t" + _ENDING)
        # A line that held nothing else goes with it.
        return (before, after[1:]) if after.startswith("\n") else (before, after)
    if after[:1] and after[0] in _ENDING:
        before = before.rstrip(" \t")
        return (before[:-1], after) if before and before[-1] in _DIVIDING else (before, after)
    if before[-1] in " \t":
        after = after.lstrip(" \t")
    return before, after


def _values(ticket: Ticket, agent: User | None, locale: str) -> Mapping[str, Callable[[], str | None]]:
    person = ticket.requester
    return _Values(
        ticket,
        locale,
        {
            "customer.first_name": lambda: first_name(person.name),
            "customer.name": lambda: person.name,
            "customer.email": lambda: person.email,
            "customer.organization": lambda: _name_of(Organization, person.organization_id),
            "ticket.number": lambda: str(ticket.number),
            "ticket.subject": lambda: ticket.subject,
            # Without a secret: what is written here is read by all who follow, and by our own people.
            "ticket.link": lambda: links.portal_url(ticket),
            "agent.first_name": lambda: first_name(agent.name) if agent else None,
            "agent.name": lambda: agent.name if agent else None,
            "agent.signature": lambda: agent.signature if agent else None,
            "team.name": lambda: _team_name(ticket.team_id, locale),
            "desk.name": lambda: settings.get(settings.DeskSettings).name,
            "today": lambda: _today(locale),
        },
    )


class _Values(dict[str, Callable[[], str | None]]):
    """The values of a ticket, those of its fields too: read at once when the first is named."""

    def __init__(self, ticket: Ticket, locale: str, known: Mapping[str, Callable[[], str | None]]) -> None:
        super().__init__(known)
        self._ticket, self._locale = ticket, locale
        self._fields: dict[str, str] | None = None

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and name.startswith(_FIELD))

    def __missing__(self, name: str) -> Callable[[], str | None]:
        return lambda: self._of_fields().get(name.removeprefix(_FIELD))

    def _of_fields(self) -> dict[str, str]:
        if self._fields is None:
            self._fields = dict(_fields_of(self._ticket, self._locale))
        return self._fields


def _fields_of(ticket: Ticket, locale: str) -> Iterator[tuple[str, str]]:
    query = select(TicketFieldValue, TicketField).join(TicketField).where(TicketFieldValue.ticket_id == ticket.id)
    for row, found in db.session.execute(query):
        value = field_value(row)
        if value is not None:
            yield found.key, labels.choice_label(found, str(value), locale) if found.choices else str(value)


def first_name(name: str) -> str:
    """What a person is called by: the first word, "Anna" of "Berg, Anna"; a Chinese, Japanese or Korean name whole."""
    last, comma, first = name.partition(",")
    words = (first if comma and first.strip() else last).split()
    if not words or any("\u3040" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7af" for letter in name):
        return name
    return words[0]


def _name_of(model: type[Organization], number: int | None) -> str | None:
    found = db.session.get(model, number) if number else None
    return found.name if found else None


def _team_name(number: int | None, locale: str) -> str | None:
    team = db.session.get(Team, number) if number else None
    return labels.name(labels.TEAM, team.id, team.name, locale) if team else None


def _today(locale: str) -> str:
    zone = ZoneInfo(i18n.default_zone())
    return format_date(now().astimezone(zone).date(), format="long", locale=i18n.known_locale(locale) or "en")


def _spoken() -> str:
    return str(get_locale() or i18n.default_locale())
