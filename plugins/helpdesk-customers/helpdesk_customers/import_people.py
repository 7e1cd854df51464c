"""Customers from a file: who they are, their organization, and what their record says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from helpdesk.api import (
    Invalid,
    clean_tags,
    db,
    known_locale,
    publish,
    split_tags,
    tidy_language,
)
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_customers import consents, fields, records
from helpdesk_customers.imports.addresses import read_address
from helpdesk_customers.imports.kinds import BadRow, Batch, ImportColumn, ImportKind, Item
from helpdesk_customers.imports.people import Person, find_firms, find_people, write_people
from helpdesk_customers.models import PERSON, FieldValue, Record, RecordField, RecordTag
from helpdesk_customers.texts import block, line

NAME_LENGTH, PHONE_LENGTH = 200, 64
_YES = frozenset({"yes", "y", "true", "1", "x", "ja", "是", "sí", "si", "نعم"})
_NO = frozenset({"no", "n", "false", "0", "nein", "否", "لا"})
_COLUMNS = (
    ImportColumn("email", _l("E-mail"), True, names=("mail", "e-mail address", "email address", "邮箱", "电子邮件")),
    ImportColumn("name", _l("Name"), names=("full name", "customer", "customer name", "姓名", "客户")),
    ImportColumn("phone", _l("Phone"), names=("telephone", "mobile", "phone number", "tel", "电话", "手机")),
    ImportColumn("organization", _l("Organization"), names=("company", "firm", "account", "公司", "组织")),
    ImportColumn("language", _l("Language"), names=("locale", "lang", "语言")),
    ImportColumn("birthday", _l("Birthday"), names=("date of birth", "birth date", "dob", "生日")),
    ImportColumn("salutation", _l("Salutation"), names=("称呼",)),
    ImportColumn("tags", _l("Tags"), hint=_l("With commas between them."), names=("labels", "标签")),
    ImportColumn("note", _l("Note"), names=("notes", "comment", "备注")),
    ImportColumn("offers", _l("Agreed to offers (yes or no)"), names=("marketing", "opt-in", "consent", "同意")),
    ImportColumn("proof", _l("Proof of the consent"), names=("consent proof",)),
)


@dataclass(frozen=True)
class PersonRow:
    """What a row says of a customer."""

    email: str
    name: str = ""
    phone: str = ""
    organization: str = ""
    locale: str | None = None
    birthday: tuple[int | None, int | None] | None = None
    salutation: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    offers: bool | None = None
    proof: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def has_record(self) -> bool:
        """Whether it says more than who it is."""
        return bool(self.birthday or self.salutation or self.tags or self.note or self.fields)


def people_kind() -> ImportKind:
    """Customers by address."""
    return ImportKind(
        "customers-people",
        _l("Customers"),
        _columns,
        read,
        store,
        hint=_l("One customer in each row, known by the address. What is there already is kept unless you say so."),
    )


def _columns() -> Sequence[ImportColumn]:
    own = [ImportColumn(f"field:{one.key}", one.label, names=(one.key,)) for one in fields.fields_of(PERSON)]
    return [*_COLUMNS, *own]


def read(values: Mapping[str, str]) -> PersonRow:
    """A row as it stands. Raises :class:`BadRow`."""
    try:
        return PersonRow(
            read_address(values["email"]),
            line(values.get("name", ""), "name", NAME_LENGTH),
            _phone(values.get("phone", "")),
            line(values.get("organization", ""), "organization", NAME_LENGTH),
            _language(values.get("language", "")),
            records.read_birthday(values["birthday"]) if values.get("birthday") else None,
            line(values.get("salutation", ""), "salutation", records.SALUTATION_LENGTH),
            tuple(clean_tags(split_tags(values["tags"]))) if values.get("tags") else (),
            block(values.get("note", ""), "note", records.NOTE_LENGTH),
            _yes_or_no(values.get("offers", "")),
            values.get("proof", "")[:500],
            {key[6:]: text for key, text in values.items() if key.startswith("field:") and text},
        )
    except Invalid as problem:
        raise BadRow(str(problem)) from None


def store(items: Sequence[Item], batch: Batch) -> Mapping[int, str | BadRow]:
    """Make or fill in the customers of some rows, in a number of statements that does not grow with them."""
    firms = find_firms(item.value.organization for item in items)
    people = find_people(_names(items), _known(items, firms))
    said: dict[int, str | BadRow] = {}
    usable = []
    for item in items:
        row, person = item.value, people[item.value.email]
        if not person.is_customer:
            said[item.row] = BadRow(_("%(name)s works here, and is no customer.", name=person.display_name))
            continue
        usable.append((item, person))
        firm = firms.get(row.organization)
        changed = person.fill(batch.overwrite, name=row.name, phone=row.phone, locale=row.locale, organization_id=firm)
        said[item.row] = "created" if person.is_new else "changed" if changed else "same"
        # A second row of the same address changes who is there.
        person.is_new = False
    write_people(people.values())
    for number, word in _fill_records(usable, batch).items():
        if isinstance(word, BadRow) or said[number] == "same":
            said[number] = word
    _note_offers(usable, batch)
    db.session.flush()
    return said


def _names(items: Sequence[Item]) -> dict[str, str]:
    """The addresses; of several rows of one address the first that has a name counts."""
    named = {item.value.email: item.value.name for item in reversed(items) if item.value.name}
    return {item.value.email: named.get(item.value.email, "") for item in items}


def _known(items: Sequence[Item], firms: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """What is known of those who are new, so that they are made with it."""
    return {
        row.email: {"phone": row.phone, "locale": row.locale, "organization_id": firms.get(row.organization)}
        for row in (item.value for item in reversed(items))
    }


def _fill_records(rows: Sequence[tuple[Item, Person]], batch: Batch) -> dict[int, str | BadRow]:
    full = [(item, person) for item, person in rows if item.value.has_record]
    if not full:
        return {}
    numbers = records.ensure_many(PERSON, [person.id for _item, person in full])
    query = select(Record).where(Record.id.in_(numbers.values()))
    options = (selectinload(Record.tags), selectinload(Record.values))
    found = {record.user_id: record for record in db.session.scalars(query.options(*options))}
    known = {one.key: one for one in fields.fields_of(PERSON)}
    said: dict[int, str | BadRow] = {}
    for item, person in full:
        record = found[person.id]
        try:
            values = {key: _value(known[key], text) for key, text in item.value.fields.items() if key in known}
        except Invalid as problem:
            said[item.row] = BadRow(str(problem))
            continue
        if _fill_record(record, item.value, values, known, batch.overwrite):
            said[item.row] = "changed"
            record.version += 1
            publish("customers_record_changed", person_id=person.id, organization_id=None)
    return said


def _fill_record(
    record: Record, row: PersonRow, values: Mapping[str, Any], known: Mapping[str, RecordField], overwrite: bool
) -> bool:
    changed = False
    if row.birthday and row.birthday[0] and (overwrite or not record.birthday):
        changed = (record.birthday, record.birth_year) != row.birthday
        record.birthday, record.birth_year = row.birthday
    for key, text in (("salutation", row.salutation), ("note", row.note)):
        if text and text != getattr(record, key) and (overwrite or not getattr(record, key)):
            setattr(record, key, text)
            changed = True
    have = {tag.tag for tag in record.tags}
    for tag in row.tags:
        if tag not in have and len(have) < records.MOST_TAGS:
            record.tags.append(RecordTag(tag=tag))
            have.add(tag)
            changed = True
    there = {value.field_id: value for value in record.values}
    for key, columns in values.items():
        held = there.get(known[key].id)
        if held is None:
            record.values.append(FieldValue(field_id=known[key].id, **columns))
            changed = True
        elif overwrite and any(getattr(held, name) != value for name, value in columns.items()):
            for name, value in columns.items():
                setattr(held, name, value)
            changed = True
    return changed


def _value(kept: RecordField, text: str) -> dict[str, Any]:
    columns = fields.read_value(kept, text)
    assert columns is not None, "an empty cell is left out"
    return columns


def _note_offers(rows: Sequence[tuple[Item, Person]], batch: Batch) -> None:
    """Only what is new is noted: the same file twice says the same once. The last row of somebody counts.

    An old file does not undo that somebody has withdrawn it, unless it is to change what there is.
    """
    said = {person.id: item.value for item, person in rows if item.value.offers is not None}
    if not said:
        return
    proof = _("Taken in from a file")
    words = {number: (bool(row.offers), row.proof or proof) for number, row in said.items()}
    consents.note_many(consents.OFFERS, words, batch.actor, way="import", again=batch.overwrite)


def _phone(text: str) -> str:
    plain = line(text, "phone", PHONE_LENGTH)
    if plain and not any(sign.isdecimal() for sign in plain):
        raise BadRow(_("“%(phone)s” is no phone number.", phone=plain))
    return plain


def _language(text: str) -> str | None:
    """A language that the desk does not speak says nothing."""
    return known_locale(tidy_language(text)) or known_locale(text) if text else None


def _yes_or_no(text: str) -> bool | None:
    word = text.casefold()
    if not word:
        return None
    if word in _YES or word in _NO:
        return word in _YES
    raise BadRow(_("Write yes or no for the consent, not “%(text)s”.", text=text[:40]))
