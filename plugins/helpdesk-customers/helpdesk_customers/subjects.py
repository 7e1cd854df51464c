"""Whose record it is: a person or an organization."""

from typing import Any

from sqlalchemy import ColumnElement

from helpdesk.api import Organization, User
from helpdesk_customers.models import ORGANIZATION, PERSON, Record

Subject = User | Organization


def kind_of(subject: Subject) -> str:
    """PERSON or ORGANIZATION."""
    return PERSON if isinstance(subject, User) else ORGANIZATION


def table_of(kind: str) -> Any:
    """The model of the desk that has people or organizations."""
    return User if kind == PERSON else Organization


def key_of(kind: str, table: Any = Record) -> Any:
    """The column of a table of this plugin that says whose a row is."""
    return table.user_id if kind == PERSON else table.organization_id


def is_of(subject: Subject, table: Any = Record) -> ColumnElement[bool]:
    """That a row of such a table belongs to somebody."""
    found: ColumnElement[bool] = key_of(kind_of(subject), table) == subject.id
    return found


def ids_of(subject: Subject) -> dict[str, int | None]:
    """Both columns for a new row."""
    is_person = isinstance(subject, User)
    return {"user_id": subject.id if is_person else None, "organization_id": None if is_person else subject.id}
