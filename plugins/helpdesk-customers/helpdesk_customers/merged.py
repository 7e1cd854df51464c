"""What becomes of records when two people turn out to be one, and when that is undone.

Orders, products and consents move. Of the record only what the survivor lacks is copied: tags, fields, birthday and
preferences; the other record stays as it is, so that undoing takes the copies out again and nothing else.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.orm import aliased

from helpdesk.api import User, db, hookimpl, move_back, move_rows, publish
from helpdesk_customers import consents, orders, records
from helpdesk_customers.models import Consent, FieldValue, Moved, Order, Ownership, Record, RecordTag

# Columns that are copied together, where the survivor's first one is empty.
_TOGETHER = (("birthday", "birth_year"), ("salutation",), ("contact_by",), ("contact_at",), ("note",))


@hookimpl
def people_merged(merge_id: int, survivor_id: int, merged_id: int) -> None:
    """Move orders, products and consents to the survivor; fill what the survivor's record lacks."""
    if db.session.get(Moved, merge_id) is not None:
        return
    move_rows(merge_id, Order.user_id)
    own = aliased(Ownership)
    doubled = select(own.id).where(own.user_id == survivor_id, own.sku == Ownership.sku, own.serial == Ownership.serial)
    # What both own with the same serial number is one thing: the other's row stays where it is.
    move_rows(merge_id, Ownership.user_id, ~doubled.exists())
    # Both may have a newest word on the same purpose: none has while they move.
    _clear_newest([survivor_id, merged_id])
    move_rows(merge_id, Consent.user_id)
    consents.settle_newest([survivor_id, merged_id])
    db.session.add(
        Moved(merge_id=merge_id, survivor_id=survivor_id, other_id=merged_id, rows=_fill(survivor_id, merged_id))
    )
    _tell(survivor_id, merged_id)


@hookimpl
def people_unmerged(merge_id: int, survivor_id: int, merged_id: int) -> None:
    """Move back what was moved, and take out what was filled in unless it was changed since."""
    moved = db.session.get(Moved, merge_id)
    if moved is None:
        return
    # The survivor may have gone into somebody else meanwhile, and taken the rows along.
    further = db.session.scalar(select(User.merged_into_id).where(User.id == survivor_id))
    people = [number for number in (survivor_id, merged_id, further) if number is not None]
    move_back(merge_id, Order.user_id)
    move_back(merge_id, Ownership.user_id)
    _clear_newest(people)
    move_back(merge_id, Consent.user_id)
    consents.settle_newest(people)
    _take_out(survivor_id, moved.rows)
    db.session.delete(moved)
    _tell(*people)


def _clear_newest(user_ids: Iterable[int]) -> None:
    for row in db.session.scalars(select(Consent).where(Consent.user_id.in_(list(user_ids)), Consent.newest)):
        row.newest = False
    db.session.flush()


def _fill(survivor_id: int, merged_id: int) -> dict[str, Any]:
    """Copy what the survivor's record lacks; what was copied, with the values it had."""
    other = db.session.scalar(select(Record).where(Record.user_id == merged_id))
    person = db.session.get(User, survivor_id)
    if other is None or person is None:
        return {}
    mine = records.ensure(person)
    columns: dict[str, Any] = {}
    for names in _TOGETHER:
        if not getattr(mine, names[0]) and getattr(other, names[0]):
            for name in names:
                columns[name] = getattr(other, name)
                setattr(mine, name, columns[name])
    return {"columns": columns, "tags": _copy_tags(mine, other), "fields": _copy_values(mine, other)}


def _copy_tags(mine: Record, other: Record) -> list[str]:
    query = select(RecordTag.tag)
    have = set(db.session.scalars(query.where(RecordTag.record_id == mine.id)))
    theirs = set(db.session.scalars(query.where(RecordTag.record_id == other.id)))
    if missing := sorted(theirs - have):
        db.session.execute(insert(RecordTag), [{"record_id": mine.id, "tag": tag} for tag in missing])
        db.session.expire(mine, ["tags"])
    return missing


def _copy_values(mine: Record, other: Record) -> list[list[Any]]:
    """Fields and their values as text, to be compared when they are taken out."""
    have = set(db.session.scalars(select(FieldValue.field_id).where(FieldValue.record_id == mine.id)))
    copied = []
    for value in db.session.scalars(select(FieldValue).where(FieldValue.record_id == other.id)).all():
        if value.field_id not in have:
            db.session.add(
                FieldValue(record_id=mine.id, field_id=value.field_id, text=value.text, number=value.number,
                           day=value.day)
            )  # fmt: skip
            copied.append([value.field_id, _as_text(value)])
    db.session.flush()
    return copied


def _take_out(survivor_id: int, rows: dict[str, Any]) -> None:
    mine = db.session.scalar(select(Record).where(Record.user_id == survivor_id))
    if mine is None:
        return
    columns = rows.get("columns", {})
    for names in _TOGETHER:
        filled = [name for name in names if name in columns]
        if filled and all(getattr(mine, name) == columns[name] for name in filled):
            for name in filled:
                setattr(mine, name, None if name in ("birthday", "birth_year") else "")
    if tags := rows.get("tags"):
        db.session.execute(delete(RecordTag).where(RecordTag.record_id == mine.id, RecordTag.tag.in_(tags)))
        db.session.expire(mine, ["tags"])
    copied = {field_id: text for field_id, text in rows.get("fields", ())}
    held = select(FieldValue).where(FieldValue.record_id == mine.id, FieldValue.field_id.in_(copied))
    for value in db.session.scalars(held).all():
        if _as_text(value) == copied[value.field_id]:
            db.session.delete(value)
    db.session.flush()


def _as_text(value: FieldValue) -> str:
    return f"{value.text}|{value.number}|{value.day}"


def _tell(*user_ids: int) -> None:
    db.session.flush()
    for number in user_ids:
        publish("customers_record_changed", person_id=number, organization_id=None)
    orders.settle(user_ids, ())
