"""Whom and what an address names, for the pages of records: a person or an organization, or the page of 404."""

from collections.abc import Iterable
from typing import Any

from flask import abort
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import Organization, Ticket, User, db, reader, visible_tickets

_LARGEST = 2**31


def person_of(user_id: int) -> User:
    """A customer with their organization. Colleagues and programs have no record."""
    query = select(User).where(User.id == user_id, User.role == "requester", ~User.is_service)
    query = query.options(joinedload(User.organization))
    return _found(db.session.scalar(query) if user_id < _LARGEST else None)


def organization_of(organization_id: int) -> Organization:
    """An organization."""
    return _found(db.session.get(Organization, organization_id) if organization_id < _LARGEST else None)


def row_of(model: Any, number: int) -> Any:
    """A row by its number."""
    return _found(db.session.get(model, number) if number < _LARGEST else None)


def seen_numbers(numbers: Iterable[int | None]) -> set[int]:
    """Those of some tickets that the reader may see. One query; none for no tickets."""
    wanted = {number for number in numbers if number is not None}
    query = visible_tickets(reader()).where(Ticket.id.in_(wanted)).with_only_columns(Ticket.id)
    return set(db.session.scalars(query)) if wanted else set()


def _found(row: Any) -> Any:
    if row is None:
        abort(404)
    return row
