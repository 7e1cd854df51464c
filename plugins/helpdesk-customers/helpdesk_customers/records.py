"""The record of a person or an organization: found, made when it is first needed, changed by hand."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.api import Invalid, User, clean_tags, db, now, publish, require, split_tags, transaction
from helpdesk.api import gettext as _
from helpdesk_customers.fields import fields_of, read_day, read_value
from helpdesk_customers.models import HOURS, WAYS, FieldValue, Record, RecordTag
from helpdesk_customers.permissions import EDIT
from helpdesk_customers.subjects import Subject, is_of, key_of, kind_of
from helpdesk_customers.texts import block, line

NOTE_LENGTH, SALUTATION_LENGTH, MOST_TAGS, OLDEST = 5_000, 100, 50, 1900
# So many rows of a statement are well below what SQLite takes.
_ROWS = 500
_LEAP = 2000


def record_of(subject: Subject) -> Record | None:
    """The record with its tags, values and worth; None: nothing is noted. Three queries at most."""
    query = select(Record).where(is_of(subject))
    query = query.options(
        selectinload(Record.tags),
        selectinload(Record.values).joinedload(FieldValue.field),
        # A row for each currency: one or two.
        joinedload(Record.worths),
    )
    return db.session.scalars(query).unique().one_or_none()


def ensure(subject: Subject) -> Record:
    """The record, made where there is none. Inside the transaction."""
    kind = kind_of(subject)
    return db.session.get_one(Record, ensure_many(kind, [subject.id])[subject.id])


def ensure_many(kind: str, ids: Iterable[int]) -> dict[int, int]:
    """The numbers of the records of people or organizations by theirs, made where there are none.

    Inside the transaction; two statements for 500 of them. Two who ask for the same at once get the same.
    """
    column, wanted = key_of(kind), sorted(set(ids))
    dialect: Any = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    found: dict[int, int] = {}
    for start in range(0, len(wanted), _ROWS):
        part = wanted[start : start + _ROWS]
        query = select(column, Record.id).where(column.in_(part))
        have = {owner: record for owner, record in db.session.execute(query)}
        if missing := [number for number in part if number not in have]:
            moment = now()
            rows = [{column.key: number, "created_at": moment, "changed_at": moment} for number in missing]
            db.session.execute(dialect.insert(Record.__table__).on_conflict_do_nothing(), rows)
            have = {owner: record for owner, record in db.session.execute(query)}
        found |= have
    return found


def change(
    subject: Subject,
    actor: User | None,
    *,
    version: int | None = None,
    birthday: str | None = None,
    salutation: str | None = None,
    contact_by: str | None = None,
    contact_at: str | None = None,
    note: str | None = None,
    values: Mapping[str, str] | None = None,
    tags: Iterable[str] | str | None = None,
) -> Record:
    """Change what is given of a record; the rest stays. ``values`` by the keys of fields, as people type them.

    ``version`` is the one that the form was made from (0: there was no record). One transaction, joined or opened.
    Raises :class:`Invalid` naming the argument or ``values.<key>`` (``version``: somebody was faster), and NotAllowed.
    """
    require(actor, EDIT)
    with transaction():
        is_new = db.session.scalar(select(Record.id).where(is_of(subject))) is None
        record = ensure(subject)
        db.session.refresh(record, with_for_update={"of": type(record)})
        if version is not None and version != (0 if is_new else record.version):
            raise Invalid(
                "version", _("Somebody has changed this record meanwhile. Look at it again, and change it then.")
            )
        before = _state(record)
        if birthday is not None:
            record.birthday, record.birth_year = read_birthday(birthday)
        if salutation is not None:
            record.salutation = line(salutation, "salutation", SALUTATION_LENGTH)
        if note is not None:
            record.note = block(note, "note", NOTE_LENGTH)
        for name, text, known in (("contact_by", contact_by, WAYS), ("contact_at", contact_at, HOURS)):
            if text is not None:
                if text not in known:
                    raise Invalid(name, _("Choose one of the list."))
                setattr(record, name, text)
        changed = _put_values(record, kind_of(subject), values or {})
        changed = (_put_tags(record, tags) if tags is not None else False) or changed
        if changed or _state(record) != before:
            _touch(record)
    return record


def add_tags(subject: Subject, names: Iterable[str], actor: User | None) -> None:
    """Add tags to those that are there. One transaction, joined or opened. Raises :class:`Invalid` and NotAllowed."""
    require(actor, EDIT)
    wanted = clean_tags(names)
    with transaction():
        record = ensure(subject)
        have = set(db.session.scalars(select(RecordTag.tag).where(RecordTag.record_id == record.id)))
        if missing := [tag for tag in wanted if tag not in have]:
            _put_tags(record, [*have, *missing])
            _touch(record)


def read_birthday(text: str) -> tuple[int | None, int | None]:
    """Month times 100 and day, and the year where one is said: 1990-05-31, 31.5.1990, 05-31 or --05-31.

    Raises :class:`Invalid` (birthday).
    """
    typed = text.strip()
    if not typed:
        return None, None
    if short := re.fullmatch(r"(?:--)?(\d{1,2})-(\d{1,2})", typed):
        try:
            # A leap year: somebody is born on its last day of February.
            day = date(_LEAP, int(short[1]), int(short[2]))
        except ValueError:
            raise Invalid("birthday", _("“%(text)s” is no day; write it like 2026-03-31.", text=typed[:40])) from None
        return day.month * 100 + day.day, None
    day = read_day(typed, "birthday")
    if not OLDEST <= day.year <= now().year:
        raise Invalid("birthday", _("Nobody is born in this year; leave it out where it is not known: 05-31."))
    return day.month * 100 + day.day, day.year


def write_birthday(record: Record | None) -> str:
    """A birthday as :func:`read_birthday` reads it."""
    if record is None or record.birthday is None:
        return ""
    day = f"{record.birthday // 100:02d}-{record.birthday % 100:02d}"
    return f"{record.birth_year}-{day}" if record.birth_year else day


def records_of(kind: str, ids: Iterable[int]) -> dict[int, Record]:
    """Records by the number of the person or organization, with tags and worth. Three queries, however many."""
    column = key_of(kind)
    query = select(Record).where(column.in_(list(ids))).options(selectinload(Record.tags), selectinload(Record.worths))
    return {getattr(record, column.key): record for record in db.session.scalars(query)}


def _state(record: Record) -> tuple[Any, ...]:
    names = ("birthday", "birth_year", "salutation", "contact_by", "contact_at", "note")
    return tuple(getattr(record, name) for name in names)


def _touch(record: Record) -> None:
    record.version += 1
    record.changed_at = now()
    db.session.flush()
    publish("customers_record_changed", person_id=record.user_id, organization_id=record.organization_id)


def _put_values(record: Record, kind: str, values: Mapping[str, str]) -> bool:
    if not values:
        return False
    known = {field.key: field for field in fields_of(kind, off=True)}
    have = {
        one.field_id: one for one in db.session.scalars(select(FieldValue).where(FieldValue.record_id == record.id))
    }
    changed = False
    for key, text in values.items():
        field = known.get(key)
        if field is None:
            raise Invalid(f"values.{key}", _("There is no field “%(key)s”.", key=key[:40]))
        columns, row = read_value(field, text), have.get(field.id)
        if columns is None:
            if row is not None:
                db.session.delete(row)
                changed = True
            continue
        if row is None:
            row = FieldValue(record_id=record.id, field_id=field.id)
            db.session.add(row)
        for name, value in columns.items():
            changed = changed or getattr(row, name) != value
            setattr(row, name, value)
    return changed


def _put_tags(record: Record, tags: Iterable[str] | str) -> bool:
    wanted = set(clean_tags(split_tags(tags) if isinstance(tags, str) else tags))
    if len(wanted) > MOST_TAGS:
        raise Invalid("tags", _("These are too many tags; %(number)s fit.", number=MOST_TAGS))
    have = set(db.session.scalars(select(RecordTag.tag).where(RecordTag.record_id == record.id)))
    if gone := have - wanted:
        db.session.execute(delete(RecordTag).where(RecordTag.record_id == record.id, RecordTag.tag.in_(gone)))
    if new := wanted - have:
        db.session.execute(insert(RecordTag), [{"record_id": record.id, "tag": tag} for tag in sorted(new)])
    if wanted != have:
        db.session.expire(record, ["tags"])
    return wanted != have
