"""What the plugin keeps about a person: the record, orders, products, consents; what they said of others."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import String, cast, delete, literal, select, update
from sqlalchemy.orm import selectinload

from helpdesk.api import User, db, hookimpl
from helpdesk_customers import consents, duplicates, importing, records
from helpdesk_customers.duplicate_models import Pair
from helpdesk_customers.fields import write_value
from helpdesk_customers.import_models import Import
from helpdesk_customers.models import Consent, Moved, Order, Ownership, Record, Segment
from helpdesk_customers.money import plain_amount


@hookimpl
def export_personal_data(user: User) -> Mapping[str, Any]:
    """The record with its fields, tags and value, orders with their lines, products, and every consent."""
    found: dict[str, Any] = {}
    if (record := records.record_of(user)) is not None:
        found["record"] = _record(record)
    if orders := _orders(user):
        found["orders"] = orders
    owned = db.session.scalars(select(Ownership).where(Ownership.user_id == user.id).order_by(Ownership.id))
    if products := [_product(one) for one in owned]:
        found["products"] = products
    if said := [_consent(one) for one in reversed(consents.history(user, 100_000))]:
        found["consents"] = said
    return found


@hookimpl
def erase_personal_data(user: User) -> None:
    """The record, products and consents go. Orders stay for the sums, without person and number: nobody's."""
    mine = {"synchronize_session": False}
    # The number of an order leads to the person in the shop it came from.
    nameless = literal("erased-") + cast(Order.id, String)
    db.session.execute(
        update(Order).where(Order.user_id == user.id).values(user_id=None, number=nameless).execution_options(**mine)
    )
    for table in (Ownership, Consent, Record):
        db.session.execute(delete(table).where(table.user_id == user.id).execution_options(**mine))
    both = (Moved.survivor_id == user.id) | (Moved.other_id == user.id)
    db.session.execute(delete(Moved).where(both).execution_options(**mine))
    duplicates.forget(user)
    importing.forget(user)
    for column in (Consent.actor_id, Segment.made_by_id, Pair.dismissed_by_id, Import.made_by_id):
        db.session.execute(
            update(column.class_).where(column == user.id).values({column: None}).execution_options(**mine)
        )
    db.session.expire_all()


def _record(record: Record) -> dict[str, Any]:
    return {
        "birthday": records.write_birthday(record), "salutation": record.salutation, "contact_by": record.contact_by,
        "contact_at": record.contact_at, "note": record.note, "tags": [one.tag for one in record.tags],
        "fields": {one.field.label: write_value(one.field, one) for one in record.values},
        "value": [
            {
                "currency": one.currency, "revenue": plain_amount(one.revenue, one.currency), "orders": one.orders,
                "last_order": _iso(one.last_at), "recency": one.recency, "frequency": one.frequency,
                "monetary": one.monetary, "score": one.score,
            }
            for one in record.worths
        ],
    }  # fmt: skip


def _orders(user: User) -> list[dict[str, Any]]:
    query = select(Order).where(Order.user_id == user.id).options(selectinload(Order.lines)).order_by(Order.id)
    return [
        {
            "number": order.number, "source": order.source, "placed_at": _iso(order.placed_at), "state": order.state,
            "currency": order.currency, "amount": plain_amount(order.amount, order.currency),
            "lines": [
                {"sku": one.sku, "name": one.name, "quantity": one.quantity,
                 "amount": plain_amount(one.amount, order.currency)}
                for one in order.lines
            ],
        }
        for order in db.session.scalars(query)
    ]  # fmt: skip


def _product(one: Ownership) -> dict[str, Any]:
    return {"sku": one.sku, "name": one.name, "quantity": one.quantity, "serial": one.serial,
            "since": _iso(one.since), "until": _iso(one.until)}  # fmt: skip


def _consent(one: Consent) -> dict[str, Any]:
    return {"purpose": one.purpose, "state": one.state, "at": _iso(one.at), "noted_at": _iso(one.noted_at),
            "way": one.way, "words": one.words, "proof": one.proof, "ticket": one.ticket_id}  # fmt: skip


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
