"""Ticket fields that plugins need: made when the plugin first starts, the owner's then, hidden while it is off."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, func, or_, select

from helpdesk.core import audit, i18n
from helpdesk.core.extensions import db
from helpdesk.core.models import LabelText, TicketField
from helpdesk.core.models.columns import storable
from helpdesk.core.models.language import FIELD
from helpdesk.core.transaction import add_or_find, transaction
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Field

log = logging.getLogger(__name__)

LABEL_LENGTH = 80


@dataclass(frozen=True)
class _Made:
    """A field that is to be made: its label in the desk's language and in those in which it differs."""

    plugin: str
    field: Field
    label: str
    texts: dict[str, str]
    choices: list[str]


def usable() -> ColumnElement[bool]:
    """The SQL criterion of the fields that forms show and tickets take: switched on, and so is their plugin."""
    on = [found.item.name for found in manager.current().contributions("register_ticket_fields")]
    return and_(TicketField.active, or_(TicketField.plugin.is_(None), TicketField.key.in_(on)))


def make_missing() -> None:
    """Make the fields that plugins need and that are not there yet. Opens a transaction only when there are some.

    A plugin whose field's key belongs to somebody else is left out, with a sentence.
    """
    keys = leave_out_taken()
    wanted = [found for plugin, fields in _contributed().items() for found in _readable(plugin, fields, keys)]
    if not wanted:
        return
    with transaction():
        labels = {label.casefold() for label in db.session.scalars(select(TicketField.label))}
        position = db.session.scalar(select(func.max(TicketField.position))) or 0
        for place, found in enumerate(wanted, position + 1):
            labels.add(_make(found, place, labels).casefold())


def leave_out_taken() -> set[str]:
    """Leave out the plugins whose field's key belongs to the owner or another plugin; answer every key that there is.

    For every process, before it serves.
    """
    contributed = _contributed()
    if not contributed:
        return set()
    owners = {key: owner for key, owner in db.session.execute(select(TicketField.key, TicketField.plugin))}
    for plugin, fields in contributed.items():
        for field in fields:
            owner = owners.get(field.name, plugin)
            if owner != plugin:
                whose = f"the plugin {owner}" if owner else "the desk's owner, who has made such a field"
                sentence = f"Its ticket field “{field.name}” has a name that belongs to {whose}; choose another."
                manager.current().leave_out(plugin, sentence)
    return set(owners)


def _contributed() -> dict[str, list[Field]]:
    found: dict[str, list[Field]] = {}
    for entry in manager.current().contributions("register_ticket_fields", include_off=True):
        found.setdefault(entry.plugin, []).append(entry.item)
    return found


def _readable(plugin: str, fields: Iterable[Field], keys: set[str]) -> list[_Made]:
    """Those that are not there yet, in words; a plugin that has none is left out."""
    try:
        return [_in_words(plugin, field) for field in fields if field.name not in keys]
    except Exception as error:  # a lazy text is code of the plugin's
        log.exception("The ticket fields of the plugin %s could not be made.", plugin)
        manager.current().leave_out(plugin, f"Its ticket fields could not be made: {type(error).__name__}: {error}")
        return []


def _in_words(plugin: str, field: Field) -> _Made:
    texts = {}
    for code, _name in i18n.locales():
        with i18n.speaking(code):
            texts[code] = _one_line(str(field.label))
    with i18n.speaking(None):
        label, choices = _one_line(str(field.label)), [_one_line(str(choice)) for choice in field.choices]
    return _Made(plugin, field, label or field.name, {code: text for code, text in texts.items() if text}, choices)


def _make(found: _Made, position: int, labels: set[str]) -> str:
    """Write one field and its label in other languages; answer the label that it got."""
    taken = found.label.casefold() in labels
    label = f"{found.label[: LABEL_LENGTH - len(found.plugin) - 3]} ({found.plugin})" if taken else found.label
    field = found.field
    new = TicketField(key=field.name, label=label, kind=field.kind, choices=found.choices, position=position)
    new.public, new.required, new.plugin = field.public, field.required, found.plugin
    row = add_or_find(new, lambda: db.session.scalar(select(TicketField).where(TicketField.key == field.name)))
    if row is not new:
        # Another process has made it a moment ago.
        return row.label
    for code, text in found.texts.items():
        if not taken and text != label:
            db.session.add(LabelText(kind=FIELD, object_id=row.id, locale=code, text=text))
    audit.record("field.created", None, field.name, {"kind": field.kind, "plugin": found.plugin})
    return label


def _one_line(text: str) -> str:
    return " ".join(storable(text).split())[:LABEL_LENGTH]
