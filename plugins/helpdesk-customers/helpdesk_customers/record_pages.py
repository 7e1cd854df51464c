"""The record of a person and of an organization: everything on one page, with the long lists on pages of their own."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import redirect, request, url_for
from sqlalchemy import select

from helpdesk.api import User, allowed, db, merges_of, ngettext, permission_required, reader, settings
from helpdesk_customers import consents, duplicates, fields, orders, ownership, segments, timeline
from helpdesk_customers.blueprint import pages, show
from helpdesk_customers.duplicate_pages import MERGE
from helpdesk_customers.finding import organization_of, person_of, row_of
from helpdesk_customers.models import ORDER_STATES, Order, OrderLine, Record
from helpdesk_customers.permissions import EDIT, MANAGE, USE
from helpdesk_customers.purchases import bought_of
from helpdesk_customers.records import record_of
from helpdesk_customers.settings import CustomerSettings
from helpdesk_customers.subjects import Subject

_LINES, _ORDERS, _SIZE = 8, 5, 30


# ---- the page


@pages.get("/people/<int:user_id>")
@permission_required(USE)
def person(user_id: int) -> Any:
    """The record of a person; who was merged is found at the one who stayed."""
    found = person_of(user_id)
    if found.merged_into_id is not None:
        return redirect(url_for("customers.person", user_id=found.merged_into_id))
    return record_page(found)


@pages.get("/organizations/<int:organization_id>")
@permission_required(USE)
def organization(organization_id: int) -> Any:
    """The record of an organization."""
    return record_page(organization_of(organization_id))


def record_page(subject: Subject, typed: Mapping[str, str] | None = None, errors: dict[str, str] | None = None) -> Any:
    """All of it; ``typed`` and ``errors`` of a form that was refused."""
    is_person, record = isinstance(subject, User), record_of(subject)
    said = consents.lately(subject, reader(), _LINES + 1) if isinstance(subject, User) else []
    # The timeline shows them too: they are asked for once.
    bought_last, _more = orders.orders_of(subject, limit=max(_ORDERS, _LINES) + 1)
    known = {timeline.ORDER: bought_last, timeline.CONSENT: [one for one, _seen in said]}
    return show(
        "record.html",
        422 if errors else 200,
        subject=subject,
        is_person=is_person,
        record=record,
        values=_values(record),
        worths=[worth for worth in record.worths if worth.orders_ever] if record is not None else [],
        note=_note(),
        line=timeline.page(subject, reader(), limit=_LINES, known=known),
        orders=bought_last[:_ORDERS],
        more_orders=len(bought_last) > _ORDERS,
        owned=ownership.owned_of(subject),
        bought=bought_of(subject),
        purposes=consents.purposes() if is_person else [],
        standing={one.purpose: one for one, _seen in said if one.newest},
        seen={one.ticket_id for one, is_seen in said if is_seen},
        names_of=segments.having(subject) if isinstance(subject, User) else [],
        pairs=duplicates.find_pairs_of(subject) if isinstance(subject, User) else [],
        merges=merges_of(subject) if isinstance(subject, User) else [],
        may_edit=allowed(reader(), EDIT),
        may_merge=is_person and allowed(reader(), MERGE),
        urls=_urls(subject),
        typed=typed or {},
        errors=errors or {},
    )


def _values(record: Record | None) -> list[tuple[Any, str]]:
    """The fields that are filled in, in their order."""
    if record is None or not record.values:
        return []
    filled = sorted(
        (value for value in record.values if value.field.active), key=lambda one: (one.field.position, one.field_id)
    )
    return [(value.field, fields.show_value(value.field, value)) for value in filled]


def _note() -> str:
    """How the value is counted, said below it."""
    days = settings(CustomerSettings).value_days
    return ngettext(
        "Revenue and orders of the last %(num)s day. The ranks go from 1 to 5, each a fifth of all customers with that "
        "currency; the value is their sum.",
        "Revenue and orders of the last %(num)s days. The ranks go from 1 to 5, each a fifth of all customers with "
        "that currency; the value is their sum.",
        days,
    )


def _urls(subject: Subject) -> dict[str, str]:
    """The pages of a record."""
    if isinstance(subject, User):
        names = {"self": "person", "edit": "edit_person", "product": "add_product", "consents": "consents_of",
                 "orders": "orders_of_person", "timeline": "timeline_of_person"}  # fmt: skip
        return {key: url_for(f"customers.{name}", user_id=subject.id) for key, name in names.items()}
    names = {"self": "organization", "edit": "edit_organization", "product": "add_product_of_organization",
             "orders": "orders_of_organization", "timeline": "timeline_of_organization"}  # fmt: skip
    return {key: url_for(f"customers.{name}", organization_id=subject.id) for key, name in names.items()}


# ---- the whole timeline


@pages.get("/people/<int:user_id>/timeline")
@permission_required(USE)
def timeline_of_person(user_id: int) -> Any:
    """All that happened with a person."""
    return _timeline(person_of(user_id))


@pages.get("/organizations/<int:organization_id>/timeline")
@permission_required(USE)
def timeline_of_organization(organization_id: int) -> Any:
    """All that happened with an organization and its people."""
    return _timeline(organization_of(organization_id))


def _timeline(subject: Subject) -> Any:
    kinds = timeline.kinds()
    kind = request.args.get("kind", "")
    wanted = (kind,) if kind in dict(kinds) else ()
    line = timeline.page(subject, reader(), request.args.get("after", ""), _SIZE, wanted)
    return show(
        "timeline.html",
        subject=subject,
        name=_name(subject),
        line=line,
        kinds=kinds,
        kind=kind if wanted else "",
        urls=_urls(subject),
    )


# ---- all orders, and one


@pages.get("/people/<int:user_id>/orders")
@permission_required(USE)
def orders_of_person(user_id: int) -> Any:
    """All orders of a person."""
    return _orders(person_of(user_id))


@pages.get("/organizations/<int:organization_id>/orders")
@permission_required(USE)
def orders_of_organization(organization_id: int) -> Any:
    """All orders of an organization."""
    return _orders(organization_of(organization_id))


def _orders(subject: Subject) -> Any:
    rows, after = orders.orders_of(subject, request.args.get("after", ""), _SIZE)
    urls = _urls(subject)
    more = f"{urls['orders']}?{urlencode({'after': after})}" if after else ""
    return show("orders.html", name=_name(subject), orders=rows, more=more, urls=urls)


@pages.get("/orders/<int:order_id>")
@permission_required(USE)
def order(order_id: int) -> Any:
    """One order with its lines."""
    found = row_of(Order, order_id)
    query = select(OrderLine).where(OrderLine.order_id == found.id).order_by(OrderLine.position).limit(500)
    return show("order.html", order=found, lines=db.session.scalars(query).all(), may_manage=allowed(reader(), MANAGE))


@pages.post("/orders/<int:order_id>/state")
@permission_required(MANAGE)
def set_order_state(order_id: int) -> Any:
    """It was paid, cancelled or sent back: the value is counted anew."""
    found = row_of(Order, order_id)
    state = request.form.get("state", "")
    if state in ORDER_STATES:
        orders.set_state(found, state, reader())
    return redirect(url_for("customers.order", order_id=order_id), 303)


def _name(subject: Subject) -> str:
    return subject.display_name if isinstance(subject, User) else subject.name
