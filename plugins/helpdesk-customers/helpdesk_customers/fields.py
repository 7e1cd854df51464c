"""The fields that an owner makes for records, and their values: read as people type them, and shown again."""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from flask_babel import format_date, format_decimal
from sqlalchemy import func, select

from helpdesk.api import Invalid, User, audit, db, drop_cached, require, transaction
from helpdesk.api import gettext as _
from helpdesk_customers.models import (
    CHOICE,
    DAY,
    KINDS,
    MILLIONTHS,
    NUMBER,
    SUBJECTS,
    TEXT,
    YES,
    FieldValue,
    RecordField,
)
from helpdesk_customers.permissions import MANAGE
from helpdesk_customers.texts import line

LABEL_LENGTH, HINT_LENGTH, TEXT_LENGTH, MOST_CHOICES, MOST_FIELDS = 100, 200, 500, 100, 100
_LARGEST = Decimal(10) ** 12
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_DOTTED = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})")
_YES = frozenset({"yes", "y", "true", "1", "x", "on", "ja", "oui", "sí", "si", "是", "نعم", "да"})
_NO = frozenset({"no", "n", "false", "0", "off", "nein", "non", "否", "لا", "нет"})


def fields_of(subject: str, off: bool = False) -> Sequence[RecordField]:
    """The fields of people or of organizations in their order; those that are off only when asked for. One query."""
    query = select(RecordField).where(RecordField.subject == subject)
    if not off:
        query = query.where(RecordField.active)
    return db.session.scalars(query.order_by(RecordField.position, RecordField.id)).all()


def save_field(field: RecordField | None, data: Mapping[str, Any], actor: User | None) -> RecordField:
    """Make a field (subject, kind, label, key, hint, choices), or change its label, hint and choices.

    Without a key it is made from the label. One transaction, joined or opened; audited. Raises :class:`Invalid`
    naming the column, and NotAllowed.
    """
    require(actor, MANAGE)
    with transaction():
        is_new = field is None
        if field is None:
            field = _new_field(data)
        label = line(str(data.get("label", field.label or "")), "label", LABEL_LENGTH)
        if not label:
            raise Invalid("label", _("Give the field a name."))
        same = (RecordField.subject == field.subject, func.lower(RecordField.label) == func.lower(label))
        if db.session.scalar(select(RecordField.id).where(*same, RecordField.id != (field.id or 0))) is not None:
            raise Invalid("label", _("There is a field of this name already."))
        field.label = label
        field.hint = line(str(data.get("hint", field.hint or "")), "hint", HINT_LENGTH)
        field.choices = _choices(field.kind, data.get("choices", field.choices or ()))
        if is_new:
            field.key = _free_key(field.subject, str(data.get("key") or ""), label)
            db.session.add(field)
        db.session.flush()
        audit("customers.field_added" if is_new else "customers.field_changed", actor, field.label, {"field": field.id})
        drop_cached()
    return field


def switch_field(field: RecordField, active: bool, actor: User | None) -> RecordField:
    """Show a field in records or no more; its values stay. Audited. Raises NotAllowed."""
    require(actor, MANAGE)
    with transaction():
        if field.active != active:
            field.active = active
            audit("customers.field_switched", actor, field.label, {"field": field.id, "on": active})
            drop_cached()
    return field


def move_field(field: RecordField, places: int, actor: User | None) -> None:
    """Move a field up (-1) or down (1) among those of its subject that are on, or off; at an end it stays.

    Raises NotAllowed.
    """
    require(actor, MANAGE)
    with transaction():
        every = [one for one in fields_of(field.subject, off=True) if one.active == field.active]
        at = every.index(field)
        if not 0 <= at + places < len(every):
            return
        every.insert(at + places, every.pop(at))
        for position, one in enumerate(every, 1):
            one.position = position
        drop_cached()


def read_value(field: RecordField, text: str) -> dict[str, Any] | None:
    """The columns of :class:`FieldValue` for what somebody typed; None where nothing was.

    Raises :class:`Invalid` naming ``values.<key>``.
    """
    name = f"values.{field.key}"
    typed = line(text, name, TEXT_LENGTH)
    if not typed:
        return None
    if field.kind == NUMBER:
        return {"text": None, "number": read_number(typed, name), "day": None}
    if field.kind == DAY:
        return {"text": None, "number": None, "day": read_day(typed, name)}
    if field.kind == YES:
        return {"text": None, "number": _read_yes(typed, name), "day": None}
    if field.kind == CHOICE:
        typed = _read_choice(field, typed, name)
    return {"text": typed, "number": None, "day": None}


def write_value(field: RecordField, value: FieldValue | None) -> str:
    """A value as :func:`read_value` reads it: for forms and files."""
    if value is None:
        return ""
    if field.kind == NUMBER and value.number is not None:
        return write_number(value.number)
    if field.kind == DAY and value.day is not None:
        return value.day.isoformat()
    if field.kind == YES and value.number is not None:
        return "yes" if value.number else "no"
    return value.text or ""


def show_value(field: RecordField, value: FieldValue | None) -> str:
    """A value for the reader, by the rules of their language."""
    if value is None:
        return ""
    if field.kind == NUMBER and value.number is not None:
        return str(format_decimal(Decimal(value.number) / MILLIONTHS))
    if field.kind == DAY and value.day is not None:
        return str(format_date(value.day))
    if field.kind == YES and value.number is not None:
        return _("Yes") if value.number else _("No")
    return value.text or ""


def read_number(text: str, name: str) -> int:
    """A number in MILLIONTHS, with a point or a comma in front of its fraction. Raises :class:`Invalid`."""
    plain = (
        unicodedata.normalize("NFKC", text).replace("٫", ".").replace("−", "-").replace(" ", "").replace("\u00a0", "")
    )
    if plain.count(",") == 1 and "." not in plain:
        plain = plain.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d{1,15}(\.\d*)?", plain):
        raise Invalid(name, _("“%(text)s” is no number; write it like 12.5.", text=text[:40]))
    try:
        number = Decimal(plain)
    except InvalidOperation:
        raise Invalid(name, _("“%(text)s” is no number; write it like 12.5.", text=text[:40])) from None
    if abs(number) >= _LARGEST or number * MILLIONTHS % 1:
        raise Invalid(name, _("Twelve digits fit, and six behind the point."))
    return int(number * MILLIONTHS)


def write_number(number: int) -> str:
    """A number in MILLIONTHS with a point, without needless zeros."""
    text = format(Decimal(number) / MILLIONTHS, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def read_day(text: str, name: str) -> date:
    """A day: 2026-03-31, 2026/3/31, 31.3.2026 or 2026年3月31日. Raises :class:`Invalid`."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _DAY.fullmatch(plain)
    parts = found.groups() if found else None
    if parts is None and (dotted := _DOTTED.fullmatch(plain)):
        parts = dotted.groups()[::-1]
    try:
        year, month, day = (int(part) for part in parts or ())
        return date(year, month, day)
    except ValueError:
        raise Invalid(name, _("“%(text)s” is no day; write it like 2026-03-31.", text=text[:40])) from None


def _new_field(data: Mapping[str, Any]) -> RecordField:
    subject, kind = str(data.get("subject") or "person"), str(data.get("kind") or TEXT)
    if subject not in SUBJECTS:
        raise Invalid("subject", _("Choose people or organizations."))
    if kind not in KINDS:
        raise Invalid("kind", _("Choose what the field holds."))
    query = select(func.count(RecordField.id), func.max(RecordField.position)).where(RecordField.subject == subject)
    number, last = db.session.execute(query).one()
    if number >= MOST_FIELDS:
        raise Invalid("label", _("These are too many fields; %(number)s fit.", number=MOST_FIELDS))
    return RecordField(subject=subject, kind=kind, position=(last or 0) + 1, active=True)


def _choices(kind: str, choices: Any) -> list[str]:
    if kind != CHOICE:
        return []
    lines = choices.splitlines() if isinstance(choices, str) else choices
    found = list(dict.fromkeys(text for one in lines if (text := line(str(one), "choices", LABEL_LENGTH))))
    if not found:
        raise Invalid("choices", _("Write what may be chosen, one in each line."))
    if len(found) > MOST_CHOICES:
        raise Invalid("choices", _("These are too many choices; %(number)s fit.", number=MOST_CHOICES))
    return found


def _free_key(subject: str, wanted: str, label: str) -> str:
    taken = set(db.session.scalars(select(RecordField.key).where(RecordField.subject == subject)))
    if wanted:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", wanted):
            raise Invalid("key", _("A key has small letters, digits and underscores, such as shoe_size."))
        if wanted in taken:
            raise Invalid("key", _("There is a field with this key already."))
        return wanted
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:30]
    base = base if base[:1].isalpha() else f"field_{base}".rstrip("_")
    return next(key for key in [base, *(f"{base}_{number}" for number in range(2, 200))] if key not in taken)


def _read_yes(text: str, name: str) -> int:
    word = unicodedata.normalize("NFKC", text).lower()
    if word in _YES or word == _("Yes").lower():
        return 1
    if word in _NO or word == _("No").lower():
        return 0
    raise Invalid(name, _("Write yes or no."))


def _read_choice(field: RecordField, text: str, name: str) -> str:
    for choice in field.choices:
        if choice == text:
            return choice
    for choice in field.choices:
        if choice.lower() == text.lower():
            return choice
    raise Invalid(name, _("“%(text)s” is none of the choices of “%(field)s”.", text=text[:40], field=field.label))
