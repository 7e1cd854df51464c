"""Records as a file for spreadsheets, of which none calculates a cell."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select

from helpdesk.api import db, harmless, pgettext
from helpdesk.api import gettext as _
from helpdesk_customers import consents, fields, listing, records
from helpdesk_customers.models import PERSON, Consent, FieldValue, RecordField
from helpdesk_customers.money import plain_amount

_TOGETHER = 500


def customers_csv(filters: listing.CustomerFilters) -> Iterator[str]:
    """The lines of a file with those whom the list shows: with a mark of UTF-8 in front. Six queries for 500 rows."""
    is_person = filters.subject == PERSON
    own = fields.fields_of(filters.subject)
    purposes = consents.purposes() if is_person else []
    yield "\ufeff" + _line([*_heads(is_person), *(field.label for field in own), *(label for _key, label in purposes)])
    for rows in _batches(listing.every_customer(filters)):
        values = _values([row.record.id for row in rows if row.record is not None])
        said = _consents([row.subject.id for row in rows]) if is_person else {}
        for row in rows:
            cells = _person_cells(row) if is_person else _organization_cells(row)
            number = row.record.id if row.record is not None else 0
            cells += [fields.write_value(field, values.get((number, field.id))) for field in own]
            cells += [said.get((row.subject.id, key), "") for key, _label in purposes]
            yield _line(cells)


def _heads(is_person: bool) -> list[str]:
    who = [_("Number"), _("Name"), _("E-mail"), _("Phone"), _("Organization"), _("Language"), _("Salutation"),
           _("Birthday")] if is_person else [_("Number"), pgettext("thing", "Name"), _("Mail domain")]  # fmt: skip
    return [*who, _("Tags"), _("Note"), _("Since"), _("Revenue"), _("Orders"), _("Last order")]


def _person_cells(row: listing.Row) -> list[Any]:
    person: Any = row.subject
    record = row.record
    return [
        person.id,
        person.name,
        person.email or "",
        person.phone or "",
        person.organization.name if person.organization is not None else "",
        person.locale or "",
        record.salutation if record is not None else "",
        records.write_birthday(record),
        *_shared(row),
    ]


def _organization_cells(row: listing.Row) -> list[Any]:
    firm: Any = row.subject
    return [firm.id, firm.name, firm.domain or "", *_shared(row)]


def _shared(row: listing.Row) -> list[Any]:
    since = row.subject.created_at.date().isoformat()
    if row.record is None:
        return ["", "", since, "", "", ""]
    worths = [worth for worth in row.record.worths if worth.orders_ever]
    last = max((worth.last_at for worth in worths if worth.last_at is not None), default=None)
    return [
        ", ".join(tag.tag for tag in row.record.tags),
        row.record.note,
        since,
        # Each currency for itself.
        "; ".join(f"{plain_amount(worth.revenue_ever, worth.currency)} {worth.currency}" for worth in worths),
        sum(worth.orders_ever for worth in worths) or "",
        last.date().isoformat() if last is not None else "",
    ]


def _values(record_ids: Sequence[int]) -> dict[tuple[int, int], FieldValue]:
    query = select(FieldValue).join(RecordField).where(FieldValue.record_id.in_(record_ids), RecordField.active)
    return {(value.record_id, value.field_id): value for value in db.session.scalars(query)}


def _consents(user_ids: Sequence[int]) -> dict[tuple[int, str], str]:
    query = select(Consent.user_id, Consent.purpose, Consent.state)
    query = query.where(Consent.user_id.in_(user_ids), Consent.newest)
    return {(owner, purpose): state for owner, purpose, state in db.session.execute(query)}


def _batches(rows: Iterable[listing.Row]) -> Iterator[list[listing.Row]]:
    batch: list[listing.Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _line(cells: Sequence[Any]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return out.getvalue()
