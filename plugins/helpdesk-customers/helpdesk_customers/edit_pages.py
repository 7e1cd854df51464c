"""Changing a record: what is noted, products, consents."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from flask import flash, redirect, request, url_for
from flask_babel import get_timezone

from helpdesk.api import (
    Invalid,
    Ticket,
    User,
    db,
    find_ticket,
    now,
    number_in,
    permission_required,
    reader,
    split_tags,
)
from helpdesk.api import gettext as _
from helpdesk_customers import consents, fields, ownership, records
from helpdesk_customers.blueprint import pages, show
from helpdesk_customers.finding import organization_of, person_of, row_of, seen_numbers
from helpdesk_customers.models import CHOICE, DAY, GIVEN, NUMBER, WITHDRAWN, YES, Ownership, Record
from helpdesk_customers.permissions import EDIT, USE
from helpdesk_customers.record_pages import record_page
from helpdesk_customers.subjects import Subject, kind_of

_VALUE = "values."
_OF_PEOPLE = ("salutation", "contact_by", "contact_at", "birthday")


# ---- what is noted


@pages.get("/people/<int:user_id>/edit")
@permission_required(EDIT)
def edit_person(user_id: int) -> Any:
    """The form of what is noted about a person."""
    return _form(person_of(user_id))


@pages.post("/people/<int:user_id>/edit")
@permission_required(EDIT)
def save_person(user_id: int) -> Any:
    """Keep it; a colleague who was quicker is not overwritten."""
    return _save(person_of(user_id))


@pages.get("/organizations/<int:organization_id>/edit")
@permission_required(EDIT)
def edit_organization(organization_id: int) -> Any:
    """The form of what is noted about an organization."""
    return _form(organization_of(organization_id))


@pages.post("/organizations/<int:organization_id>/edit")
@permission_required(EDIT)
def save_organization(organization_id: int) -> Any:
    """Keep it."""
    return _save(organization_of(organization_id))


def _save(subject: Subject) -> Any:
    typed = request.form.to_dict()
    given: dict[str, Any] = {key: typed[key] for key in ("note", *_OF_PEOPLE) if key in typed}
    if "tags" in typed:
        given["tags"] = split_tags(typed["tags"])
    # Only what was changed: a choice that there is no more stays until somebody chooses another one.
    before = _stored(records.record_of(subject), fields.fields_of(kind_of(subject)))
    given["values"] = {
        name.removeprefix(_VALUE): text
        for name, text in typed.items()
        if name.startswith(_VALUE) and text != before.get(name, "")
    }
    version = number_in(typed.get("version"))
    try:
        records.change(subject, reader(), version=version, **given)
    except Invalid as problem:
        db.session.rollback()
        # Somebody else was quicker: the form knows of their version now, and what was typed is still there.
        code = 409 if problem.field == "version" else 422
        return _form(subject, typed, {problem.field: str(problem)}, code)
    flash(_("Saved."))
    return redirect(_url(subject), 303)


def _form(
    subject: Subject, typed: dict[str, str] | None = None, errors: dict[str, str] | None = None, code: int = 200
) -> Any:
    record = records.record_of(subject)
    listed = fields.fields_of(kind_of(subject))
    return show(
        "edit.html",
        code,
        subject=subject,
        is_person=isinstance(subject, User),
        name=subject.display_name if isinstance(subject, User) else subject.name,
        url=_url(subject),
        fields=listed,
        version=record.version if record is not None else 0,
        values=typed if typed is not None else _stored(record, listed),
        errors=errors or {},
        CHOICE=CHOICE,
        DAY=DAY,
        NUMBER=NUMBER,
        YES=YES,
    )


def _stored(record: Record | None, listed: Sequence[Any]) -> dict[str, str]:
    """The record as it would be typed."""
    if record is None:
        return {}
    filled = {value.field_id: value for value in record.values}
    values = {
        f"{_VALUE}{field.key}": fields.write_value(field, filled[field.id]) for field in listed if field.id in filled
    }
    names = ", ".join(tag.tag for tag in record.tags)
    own = {key: getattr(record, key) for key in ("salutation", "contact_by", "contact_at", "note")}
    return {**own, "birthday": records.write_birthday(record), "tags": names, **values}


def _url(subject: Subject) -> str:
    if isinstance(subject, User):
        return url_for("customers.person", user_id=subject.id)
    return url_for("customers.organization", organization_id=subject.id)


# ---- products that somebody has


@pages.post("/people/<int:user_id>/products")
@permission_required(EDIT)
def add_product(user_id: int) -> Any:
    """Note a product that a person has."""
    return _own(person_of(user_id))


@pages.post("/organizations/<int:organization_id>/products")
@permission_required(EDIT)
def add_product_of_organization(organization_id: int) -> Any:
    """Note a product that an organization has."""
    return _own(organization_of(organization_id))


def _own(subject: Subject) -> Any:
    typed = request.form.to_dict()
    try:
        ownership.own(
            subject,
            typed.get("sku", ""),
            reader(),
            name=typed.get("product_name", ""),
            quantity=_quantity(typed.get("quantity", "")),
            serial=typed.get("serial", ""),
            since=_day(typed, "since"),
            until=_day(typed, "until"),
        )
    except Invalid as problem:
        db.session.rollback()
        return record_page(subject, typed, {"product": "1", problem.field: str(problem)})
    flash(_("The product was added."))
    return redirect(f"{_url(subject)}#products", 303)


@pages.post("/products/<int:ownership_id>/remove")
@permission_required(EDIT)
def remove_product(ownership_id: int) -> Any:
    """They do not have it any more."""
    row = row_of(Ownership, ownership_id)
    subject = row.person or row.organization
    ownership.disown(row, reader())
    flash(_("The product was removed."))
    return redirect(f"{_url(subject)}#products", 303)


def _quantity(text: str) -> int:
    text = text.strip() or "1"
    if (number := number_in(text)) is None or number < 1:
        raise Invalid("quantity", _("Enter a whole number from 1."))
    return number


def _day(typed: Mapping[str, str], name: str) -> date | None:
    text = typed.get(name, "").strip()
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise Invalid(name, _("Write the day as year-month-day, such as 2026-05-31.")) from problem


# ---- consents


@pages.get("/people/<int:user_id>/consents")
@permission_required(USE)
def consents_of(user_id: int) -> Any:
    """All that a person agreed to and took back, with the proof."""
    found = person_of(user_id)
    rows = consents.history(found)
    return show(
        "consents.html",
        person=found,
        history=rows,
        purposes=dict(consents.purposes()),
        seen=seen_numbers(row.ticket_id for row in rows),
    )


@pages.post("/people/<int:user_id>/consents")
@permission_required(EDIT)
def note_consent(user_id: int) -> Any:
    """Note what a person has said; nothing that was noted before is changed."""
    found, typed = person_of(user_id), request.form.to_dict()
    try:
        state = typed.get("state", "")
        if state not in (GIVEN, WITHDRAWN):
            raise Invalid("state", _("Choose one of the two."))
        consents.note_consent(
            found,
            typed.get("purpose", ""),
            state == GIVEN,
            reader(),
            way=typed.get("way", ""),
            words=typed.get("words", ""),
            proof=typed.get("proof", ""),
            at=_moment(_day(typed, "at")),
            ticket=_ticket(typed.get("ticket", "")),
        )
    except Invalid as problem:
        db.session.rollback()
        return record_page(found, typed, {"consent": "1", problem.field: str(problem)})
    flash(_("Noted."))
    return redirect(f"{url_for('customers.person', user_id=user_id)}#consents", 303)


def _moment(day: date | None) -> datetime | None:
    """Noon of a day by the reader's clock; of today the present moment."""
    zone = get_timezone()
    if day is None or day == now().astimezone(zone).date():
        return None
    return datetime.combine(day, time(12), zone).astimezone(UTC)


def _ticket(text: str) -> Ticket | None:
    """A ticket that the reader may see. Raises Invalid."""
    text = text.strip().removeprefix("#")
    if not text:
        return None
    number = number_in(text)
    found = find_ticket(reader(), number) if number is not None else None
    if found is None:
        raise Invalid("ticket", _("There is no ticket with this number."))
    return found
