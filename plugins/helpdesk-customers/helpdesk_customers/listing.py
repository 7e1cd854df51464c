"""The list of customers: people or organizations that fit what is asked for, page by page."""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, and_, false, func, or_, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, Organization, User, clean_tags, db
from helpdesk_customers import criteria, records, segments
from helpdesk_customers.models import ALL, PERSON, Record, Segment
from helpdesk_customers.subjects import Subject, table_of

SIZE, WORDS = 50, 200
NAME, NEWEST = "name", "-created"


@dataclass(frozen=True)
class CustomerFilters:
    """Who is asked for: everything that is set must hold. ``conditions`` are those of a segment."""

    subject: str = PERSON
    # A part of the name, address, phone or domain.
    q: str = ""
    segment_id: int | None = None
    tag: str = ""
    organization_id: int | None = None
    match: str = ALL
    conditions: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    sort: str = NAME


@dataclass(frozen=True)
class Row:
    """A customer and what is noted of them, with tags and worth; None: nothing is."""

    subject: Subject
    record: Record | None


@dataclass(frozen=True)
class Page:
    """Rows of one page, and where the next one begins; "" where there is none."""

    rows: Sequence[Row]
    after: str = ""


def customers(filters: CustomerFilters, after: str = "", size: int = SIZE) -> Page:
    """One page of customers by name, or the newest first. Five queries, however many there are.

    A cursor that cannot be read begins at the start; a segment that is gone has nobody in it.
    """
    query, table = select_customers(filters), table_of(filters.subject)
    if (place := _read(after)) is not None:
        query = query.where(_behind(filters, table, place))
    if filters.sort == NEWEST:
        query = query.order_by(table.id.desc())
    else:
        query = query.order_by(func.lower(table.name), table.id)
    if filters.subject == PERSON:
        query = query.options(joinedload(User.organization))
    found = db.session.scalars(query.limit(size + 1)).unique().all()
    shown = found[:size]
    noted = records.records_of(filters.subject, [one.id for one in shown])
    rows = [Row(one, noted.get(one.id)) for one in shown]
    return Page(rows, _write(filters, shown[-1]) if len(found) > size else "")


def every_customer(filters: CustomerFilters) -> Iterator[Row]:
    """All of them, for a file, five hundred at a time."""
    after = ""
    while True:
        page = customers(filters, after, 500)
        yield from page.rows
        if not page.after:
            return
        after = page.after


def select_customers(filters: CustomerFilters) -> Select[Any]:
    """The query for all that fit."""
    table = table_of(filters.subject)
    query = segments.customers(filters.subject)
    if filters.q.strip():
        query = query.where(_contains(filters.subject, filters.q.strip()[:WORDS]))
    if filters.segment_id is not None:
        segment = db.session.get(Segment, filters.segment_id)
        fits = segment is not None and segment.subject == filters.subject
        query = query.where(segments.criterion(segment) if segment is not None and fits else table.id < 0)
    if filters.tag:
        query = query.where(_tagged(filters))
    if filters.organization_id is not None and filters.subject == PERSON:
        query = query.where(User.organization_id == filters.organization_id)
    return query.where(criteria.criterion(filters.subject, filters.match, filters.conditions))


def _tagged(filters: CustomerFilters) -> Any:
    try:
        tags = clean_tags([filters.tag])
    except Invalid:
        # A tag that nobody can have, from an address that was typed.
        return false()
    about = [{"what": "tag", "how": "has", "value": tag} for tag in tags]
    return criteria.criterion(filters.subject, ALL, about)


def _contains(subject: str, words: str) -> Any:
    if subject == PERSON:
        columns = (User.name, User.email, User.phone)
        inside = select(Organization.id).where(Organization.name.icontains(words, autoescape=True))
        return or_(*(one.icontains(words, autoescape=True) for one in columns), User.organization_id.in_(inside))
    return or_(*(one.icontains(words, autoescape=True) for one in (Organization.name, Organization.domain)))


def _behind(filters: CustomerFilters, table: Any, place: Sequence[Any]) -> Any:
    name, number = place
    if filters.sort == NEWEST:
        return table.id < number
    # The database makes small letters of both, in its own way.
    lower, begin = func.lower(table.name), func.lower(name)
    return or_(lower > begin, and_(lower == begin, table.id > number))


def _write(filters: CustomerFilters, one: Any) -> str:
    name = "" if filters.sort == NEWEST else one.name
    return base64.urlsafe_b64encode(json.dumps([name, one.id]).encode()).decode().rstrip("=")


def _read(text: str) -> tuple[str, int] | None:
    if not text:
        return None
    try:
        name, number = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, TypeError):
        return None
    if not isinstance(name, str) or type(number) is not int or not 0 <= number < 2**31 or "\x00" in name:
        return None
    return name.encode("utf-8", "replace").decode(), number
