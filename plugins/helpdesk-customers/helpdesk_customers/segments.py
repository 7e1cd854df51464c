"""Conditions with a name, kept and asked again each time: who meets them, how many, and which ones somebody meets."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Select, false, func, literal, select, union_all
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.api import Invalid, Organization, User, audit, db, now, publish, require, transaction
from helpdesk.api import gettext as _
from helpdesk_customers import conditions, criteria
from helpdesk_customers.models import ALL, ANY, ORGANIZATION, PERSON, SUBJECTS, Segment
from helpdesk_customers.permissions import MANAGE
from helpdesk_customers.subjects import table_of
from helpdesk_customers.texts import line

NAME_LENGTH, ABOUT_LENGTH, MOST = 100, 500, 200
# So many segments are asked about in one query.
_TOGETHER = 50
# What may be wrong with one segment alone; when it is the database, writing raises as well.
_BROKEN = (LookupError, ValueError, TypeError, Invalid, SQLAlchemyError)

log = logging.getLogger(__name__)


def listed(subject: str | None = None) -> Sequence[Segment]:
    """All segments, or those of people or of organizations, by name. One query."""
    query = select(Segment)
    if subject is not None:
        query = query.where(Segment.subject == subject)
    return db.session.scalars(query.order_by(func.lower(Segment.name), Segment.id)).all()


def save(segment: Segment | None, data: Mapping[str, Any], actor: User | None) -> Segment:
    """Make a segment (name, about, subject, match, conditions), or change what is given; the subject stays.

    One transaction, joined or opened; audited; its members are counted soon after. Raises :class:`Invalid` naming the
    column or ``conditions.<n>``, and NotAllowed.
    """
    require(actor, MANAGE)
    with transaction():
        is_new = segment is None
        if segment is None:
            segment = _new_segment(data, actor)
        segment.name = _name(str(data.get("name", segment.name or "")), segment.id)
        segment.about = line(str(data.get("about", segment.about or "")), "about", ABOUT_LENGTH)
        match = data.get("match", segment.match or ALL)
        if match not in (ALL, ANY):
            raise Invalid("match", _("Choose whether all conditions must hold, or any of them."))
        segment.match = match
        if is_new or "conditions" in data:
            rows = conditions.read(segment.subject, data.get("conditions") or ())
            if not rows:
                raise Invalid("conditions", _("Write at least one condition; everybody is no segment."))
            segment.conditions = [dict(row) for row in rows]
        segment.members = segment.counted_at = None
        if is_new:
            db.session.add(segment)
        db.session.flush()
        kind = "customers.segment_added" if is_new else "customers.segment_changed"
        audit(kind, actor, segment.name, {"segment": segment.id})
        publish("customers_segment_changed", segment_id=segment.id)
    return segment


def remove(segment: Segment, actor: User | None) -> None:
    """Take a segment away. Audited. Raises NotAllowed."""
    require(actor, MANAGE)
    with transaction():
        audit("customers.segment_removed", actor, segment.name, {"segment": segment.id})
        publish("customers_segment_changed", segment_id=segment.id)
        db.session.delete(segment)


def criterion(segment: Segment, only: int | None = None) -> Any:
    """That a row of ``User`` or ``Organization`` is in the segment; ``only``: nobody else is asked about."""
    return criteria.criterion(segment.subject, segment.match, segment.conditions, only)


def query(segment: Segment) -> Select[Any]:
    """Those who are in it: customers, or organizations."""
    return customers(segment.subject).where(criterion(segment))


def customers(subject: str) -> Select[Any]:
    """All customers there are: people who are no staff, no program and were not erased; or organizations."""
    if subject == ORGANIZATION:
        return select(Organization)
    return select(User).where(*are_customers())


def are_customers() -> tuple[Any, ...]:
    """That a person is a customer whose record is kept: merged and erased ones are not active any more."""
    return (User.role == "requester", User.is_service.is_(False), User.active)


def members(segment: Segment, after: int = 0, limit: int = 50) -> Sequence[Any]:
    """Those who are in it by their number, those behind ``after``. One query."""
    table = table_of(segment.subject)
    found: Sequence[Any] = db.session.scalars(
        query(segment).where(table.id > after).order_by(table.id).limit(limit)
    ).all()
    return found


def count(segment: Segment) -> int:
    """How many are in it now. One query."""
    return db.session.scalar(select(func.count()).select_from(query(segment).subquery())) or 0


def contains(segment_id: int, subject_id: int) -> bool:
    """Whether a person (or an organization, where it is a segment of those) is in it now; False where it is gone."""
    segment = db.session.get(Segment, segment_id)
    if segment is None:
        return False
    table = table_of(segment.subject)
    one = customers(segment.subject).where(table.id == subject_id, criterion(segment, subject_id))
    return db.session.scalar(one.with_only_columns(table.id)) is not None


def segments_of(user: User) -> list[int]:
    """The numbers of the segments that somebody is in, and their organization. Two queries for 50 segments."""
    return sorted(segment.id for segment in having(user))


def having(user: User) -> list[Segment]:
    """:func:`segments_of` as rows, by name."""
    every = listed()
    found: set[int] = set()
    for start in range(0, len(every), _TOGETHER):
        asked = [_asks(one, user) for one in every[start : start + _TOGETHER]]
        found.update(db.session.scalars(union_all(*asked)))
    return [segment for segment in every if segment.id in found]


def count_all(limit: int = MOST) -> int:
    """Count the members of all segments, those that were not counted longest first; how many. Opens transactions.

    One whose conditions cannot be asked any more holds up no other: it stays uncounted, and the log says so.
    """
    oldest = select(Segment.id).order_by(Segment.counted_at.is_not(None), Segment.counted_at, Segment.id).limit(limit)
    return sum(_count_one(number) for number in db.session.scalars(oldest).all())


def _count_one(number: int) -> bool:
    segment = db.session.get(Segment, number)
    if segment is None:
        return False
    members_now: int | None
    try:
        members_now = count(segment)
    except _BROKEN:
        db.session.rollback()
        log.exception("The segment %s (%s) cannot be counted.", number, segment.name)
        members_now = None
    with transaction():
        # Noted in any case: the others come first next time.
        segment.members, segment.counted_at = members_now, now()
    return members_now is not None


def _asks(segment: Segment, user: User) -> Any:
    table = table_of(segment.subject)
    number = user.id if segment.subject == PERSON else user.organization_id
    inside = table.id == number if number is not None else false()
    return select(literal(segment.id)).select_from(table).where(inside, criterion(segment, number))


def _new_segment(data: Mapping[str, Any], actor: User | None) -> Segment:
    subject = str(data.get("subject") or PERSON)
    if subject not in SUBJECTS:
        raise Invalid("subject", _("Choose people or organizations."))
    if (db.session.scalar(select(func.count(Segment.id))) or 0) >= MOST:
        raise Invalid("name", _("These are too many segments; %(number)s fit.", number=MOST))
    return Segment(subject=subject, made_by_id=actor.id if actor is not None else None)


def _name(text: str, own: int | None) -> str:
    name = line(text, "name", NAME_LENGTH)
    if not name:
        raise Invalid("name", _("Give the segment a name."))
    # The database makes small letters on both sides: SQLite leaves those beyond ASCII as they are.
    same = select(Segment.id).where(func.lower(Segment.name) == func.lower(name), Segment.id != (own or 0))
    if db.session.scalar(same) is not None:
        raise Invalid("name", _("There is a segment of this name already."))
    return name
