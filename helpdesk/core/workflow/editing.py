"""Change what a ticket says of itself: subject, priority, tags, custom fields."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import labels, languages, plugin_fields
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Tag, Ticket, TicketField, TicketFieldValue, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.field import CHECKBOX, CHOICE, DATE, NUMBER
from helpdesk.core.models.ticket import PRIORITIES
from helpdesk.core.permissions import require
from helpdesk.core.transaction import add_or_find, transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.locking import check_version, lock, touch

KIND = "ticket_updated"
TAG_LENGTH = 50
TAGS = 30
FIELD_LENGTH = 5_000


def set_subject(ticket: Ticket, subject: str, actor: User | None, version: int | None = None) -> Ticket:
    """Change the subject; record ``ticket_updated``. Joins or opens the transaction.

    Raises :class:`Invalid`, :class:`Stale`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    subject = " ".join(storable(subject).split())
    if not subject:
        raise Invalid("subject", _("A ticket needs a subject."))
    if len(subject) > 300:
        raise Invalid("subject", _("This subject is too long; 300 characters fit."))
    with transaction():
        lock(ticket)
        _check(ticket, version, actor, "subject")
        if subject != ticket.subject:
            touch(ticket)
            record(KIND, ticket, actor, {"field": "subject", "from": ticket.subject, "to": subject})
            ticket.subject = subject
    return ticket


def set_priority(ticket: Ticket, priority: str, actor: User | None, version: int | None = None) -> Ticket:
    """Change the priority; record ``ticket_updated``. Joins or opens the transaction.

    Raises :class:`Invalid`, :class:`Stale`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    if priority not in PRIORITIES:
        raise Invalid("priority", _("There is no priority “%(name)s”.", name=priority))
    with transaction():
        lock(ticket)
        _check(ticket, version, actor, "priority")
        if priority != ticket.priority:
            touch(ticket)
            record(KIND, ticket, actor, {"field": "priority", "from": ticket.priority, "to": priority})
            ticket.priority, ticket.priority_rank = priority, PRIORITIES.index(priority)
    return ticket


def set_language(ticket: Ticket, locale: str, actor: User | None, version: int | None = None) -> Ticket:
    """Say in which language a ticket is written; record ``ticket_updated``. Joins or opens the transaction.

    ``locale`` is any code that there is (``es``, ``zh-Hans``), whether or not the screen speaks it.
    Raises :class:`Invalid`, :class:`Stale`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    code = languages.tidy(locale)
    if code is None:
        raise Invalid("language", _("“%(name)s” is no language.", name=locale[: languages.LENGTH]))
    with transaction():
        lock(ticket)
        _check(ticket, version, actor, "language")
        if code != ticket.locale:
            touch(ticket)
            record(KIND, ticket, actor, {"field": "language", "from": ticket.locale, "to": code})
            ticket.locale = code
    return ticket


def set_tags(ticket: Ticket, names: Iterable[str], actor: User | None, version: int | None = None) -> Ticket:
    """Give a ticket exactly these tags; record ``ticket_updated``. Joins or opens the transaction.

    Raises :class:`Invalid`, :class:`Stale`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    wanted = clean_tags(names)
    with transaction():
        lock(ticket)
        _check(ticket, version, actor, "tags")
        before = [tag.name for tag in ticket.tags]
        if before != wanted:
            touch(ticket)
            ticket.tags = tags_named(wanted)
            record(KIND, ticket, actor, {"field": "tags", "from": before, "to": wanted})
    return ticket


def tag(ticket: Ticket, names: Iterable[str], actor: User | None) -> Ticket:
    """Add tags, keeping those that are there. Like :func:`set_tags`, and never stale."""
    with transaction():
        lock(ticket)
        return set_tags(ticket, [*(tag.name for tag in ticket.tags), *names], actor)


def untag(ticket: Ticket, names: Iterable[str], actor: User | None) -> Ticket:
    """Remove tags. Like :func:`set_tags`, and never stale."""
    gone = set(clean_tags(names))
    with transaction():
        lock(ticket)
        return set_tags(ticket, [tag.name for tag in ticket.tags if tag.name not in gone], actor)


def set_field(ticket: Ticket, key: str, value: Any, actor: User | None, version: int | None = None) -> Ticket:
    """Fill in a custom field (None or "" empties it); record ``ticket_updated``. Joins or opens the transaction.

    Raises :class:`Invalid` when the value does not fit the field's type, :class:`Stale`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", ticket)
    with transaction():
        lock(ticket)
        _check(ticket, version, actor, f"field:{key}")
        changes = store_fields(ticket, {key: value})
        if changes:
            touch(ticket)
            for label, (old, new) in changes.items():
                record(KIND, ticket, actor, {"field": f"field:{key}", "label": label, "from": old, "to": new})
    return ticket


def split_tags(text: str) -> list[str]:
    """The names in a line of tags as people type it, with the commas of any script between them; not cleaned yet."""
    return text.replace("，", ",").replace("،", ",").split(",")


def clean_tags(names: Iterable[str]) -> list[str]:
    """Tags as they are stored: one line, lower case, each once, in order. Raises :class:`Invalid`."""
    found = sorted({" ".join(storable(name).split()).lower().lstrip("#") for name in names} - {""})
    for name in found:
        if len(name) > TAG_LENGTH or "," in name:
            raise Invalid(
                "tags",
                _("The tag “%(name)s” cannot be used; 50 characters without a comma fit.", name=name[:60]),
            )
    if len(found) > TAGS:
        raise Invalid("tags", _("A ticket takes %(number)s tags at most.", number=TAGS))
    return found


def tags_named(names: Iterable[str]) -> list[Tag]:
    """The tags of those names, made where they are new. Joins the open transaction."""
    wanted = clean_tags(names)
    if not wanted:
        return []
    found = {tag.name: tag for tag in db.session.scalars(select(Tag).where(Tag.name.in_(wanted)))}
    return [found.get(name) or _new_tag(name) for name in wanted]


def _new_tag(name: str) -> Tag:
    return add_or_find(Tag(name=name), lambda: db.session.scalar(select(Tag).where(Tag.name == name)))


def store_fields(ticket: Ticket, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Check and write custom fields inside the open transaction; answer what changed, by label."""
    if not values:
        return {}
    query = select(TicketField).where(TicketField.key.in_(values), plugin_fields.usable())
    fields = {field.key: field for field in db.session.scalars(query)}
    changes: dict[str, tuple[Any, Any]] = {}
    for key, raw in values.items():
        if key not in fields:
            raise Invalid(f"field:{key}", _("There is no field “%(name)s”.", name=key))
        field = fields[key]
        columns = check_field(field, raw)
        row = db.session.get(TicketFieldValue, (ticket.id, field.id))
        before = field_value(row)
        if row is None:
            row = TicketFieldValue(ticket_id=ticket.id, field=field)
            db.session.add(row)
        row.text, row.number, row.date = columns
        after = field_value(row)
        if before != after:
            changes[field.label] = (before, after)
    return changes


def field_value(row: TicketFieldValue | None) -> Any:
    """A stored value as JSON and people see it."""
    if row is None:
        return None
    if row.number is not None:
        return format(row.number.normalize(), "f")
    return row.date.isoformat() if row.date is not None else row.text


def check_field(field: TicketField, raw: Any) -> tuple[str | None, Decimal | None, date | None]:
    """The columns for a typed value. Raises :class:`Invalid` naming the field and what it takes."""
    name = f"field:{field.key}"
    text = storable(str(raw)).strip() if raw not in (None, False) else ""
    if field.kind == CHECKBOX:
        return ("yes" if text.lower() in ("yes", "true", "on", "1") else None), None, None
    if not text:
        if field.required:
            raise Invalid(name, _("Fill in “%(name)s”.", name=labels.field_label(field)))
        return None, None, None
    if field.kind == NUMBER:
        return None, _number(field, text), None
    if field.kind == DATE:
        try:
            return None, None, date.fromisoformat(text)
        except ValueError:
            raise Invalid(name, _("“%(name)s” takes a date like 2026-02-14.", name=labels.field_label(field))) from None
    if field.kind == CHOICE and text not in field.choices:
        raise Invalid(name, _("Choose one of the list for “%(name)s”.", name=labels.field_label(field)))
    if len(text) > FIELD_LENGTH:
        raise Invalid(name, _("“%(name)s” is too long; 5,000 characters fit.", name=labels.field_label(field)))
    return text, None, None


def _number(field: TicketField, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite() or abs(number) >= Decimal(10) ** 14:
        raise Invalid(f"field:{field.key}", _("“%(name)s” takes a number.", name=labels.field_label(field)))
    return round(number, 6)


def _check(ticket: Ticket, version: int | None, actor: User | None, field: str) -> None:
    def same_field(event: Event) -> bool:
        return bool(event.data.get("field") == field)

    check_version(ticket, version, actor, (KIND,), same_field)
