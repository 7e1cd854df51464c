"""Filters over tickets in SQL."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from helpdesk.core import day_ranges, i18n, lateness, search
from helpdesk.core.filters import (
    DAYS,
    ME,
    NO,
    NONE,
    YES,
    TicketFilter,
    unusable,
)
from helpdesk.core.models import (
    Follower,
    Status,
    Tag,
    Ticket,
    TicketField,
    TicketFieldValue,
    TicketRead,
    Topic,
    User,
)
from helpdesk.core.models.field import CHECKBOX, CHOICE, DATE, NUMBER, TEXT

_Criterion = ColumnElement[bool]
_MOMENTS: Mapping[str, Any] = {
    "created": Ticket.created_at,
    "updated": Ticket.updated_at,
    "solved": Ticket.solved_at,
    "responded": Ticket.first_response_at,
    "due": Ticket.due_at,
}


def criteria(wanted: TicketFilter, user: User) -> list[_Criterion]:
    """The filter in SQL, as ``user`` reads it ("me", "today"). Goes on top of ``visible_tickets``, never alone.

    Raises :class:`InvalidFilter` when words are searched for that the search cannot read.
    """
    found = [_BY_KEY[key](value, user) for key, value in wanted.parts() if key in _BY_KEY]
    found += [Ticket.tags.any(Tag.name == name) for name in wanted.tag]
    found += [_days(key, getattr(wanted, key), user) for key in DAYS if getattr(wanted, key)]
    found += [_field(key, values, user) for key, values in wanted.fields]
    if user.is_staff:
        # Customers keep what they wrote in their own list.
        found.append(Ticket.merged_into_id.is_(None))
    return found


# ---- one key each


def _status(values: Sequence[str], user: User) -> _Criterion:
    return Ticket.status_id.in_(select(Status.id).where(Status.key.in_(values)))


def _topic(values: Sequence[str], user: User) -> _Criterion:
    chosen, below = aliased(Topic), aliased(Topic)
    numbers = _numbers(values, user)
    # A path holds digits and slashes only, so that nothing in it is a pattern.
    inside = select(below.id).join(chosen, below.path.startswith(chosen.path)).where(chosen.id.in_(numbers))
    return _or_none(Ticket.topic_id, values, [Ticket.topic_id.in_(inside)] if numbers else [])


def _language(values: Sequence[str], user: User) -> _Criterion:
    codes = [value for value in values if value != NONE]
    options: list[_Criterion] = [Ticket.locale.in_(codes)] if codes else []
    # Of a ticket that nothing is said of, the language is the desk's.
    if i18n.default_locale() in codes:
        options.append(Ticket.locale.is_(None))
    return _or_none(Ticket.locale, values, options)


def _follower(values: Sequence[str], user: User) -> _Criterion:
    return exists().where(Follower.ticket_id == Ticket.id, Follower.user_id.in_(_numbers(values, user)))


def _late(values: Sequence[str], user: User) -> _Criterion:
    return or_(*(lateness.late_criterion(value) for value in values))


def _snoozed(value: str, user: User) -> _Criterion:
    return lateness.snoozed_criterion(value == YES)


def _reopened(value: str, user: User) -> _Criterion:
    return Ticket.reopened > 0 if value == YES else Ticket.reopened == 0


def _unread(value: str, user: User) -> _Criterion:
    # By a name of its own: lists join what was read already.
    mark = aliased(TicketRead)
    same = (mark.ticket_id == Ticket.id, mark.user_id == user.id)
    read = exists().where(*same, mark.read_at >= Ticket.last_message_at)
    unread = and_(Ticket.last_message_at.is_not(None), Ticket.last_author_id.is_distinct_from(user.id), ~read)
    return unread if value == YES else ~unread


def _text(text: str, user: User) -> _Criterion:
    pattern = _containing(text)
    options: list[_Criterion] = [
        Ticket.subject.ilike(pattern, escape="\\"),
        Ticket.requester.has(User.name.ilike(pattern, escape="\\")),
        Ticket.requester.has(User.email.ilike(pattern, escape="\\")),
    ]
    number = text.removeprefix("#")
    if number.isascii() and number.isdigit() and 0 < len(number) < 19:
        options.append(Ticket.id == int(number))
    return or_(*options)


def _days(key: str, text: str, user: User) -> _Criterion:
    column, zone = _MOMENTS[key], user.time_zone or i18n.default_zone()
    try:
        begin, end = day_ranges.parse(text, day_ranges.today_in(zone)).moments(zone)
    except day_ranges.InvalidRange:
        raise unusable(key) from None
    bounds = [column >= begin] if begin is not None else []
    bounds += [column < end] if end is not None else []
    return and_(column.is_not(None), *bounds)


def _field(key: str, values: Sequence[str], user: User) -> _Criterion:
    def holds(*about: _Criterion) -> _Criterion:
        same = (TicketFieldValue.ticket_id == Ticket.id, TicketField.key == key)
        return exists().where(*same, TicketField.id == TicketFieldValue.field_id, *about)

    options = [holds(or_(*_field_options(value, user))) for value in values]
    if NO in values:
        is_box = exists().where(TicketField.key == key, TicketField.kind == CHECKBOX)
        options.append(and_(is_box, ~holds(TicketFieldValue.text == YES)))
    return or_(*options)


def _field_options(value: str, user: User) -> list[_Criterion]:
    """What ``value`` may mean: the field's kind decides, in SQL, so that the field itself need not be read."""
    held = TicketFieldValue
    kind = TicketField.kind
    options: list[_Criterion] = [
        and_(kind.in_((CHOICE, CHECKBOX)), held.text == value),
        and_(kind == TEXT, held.text.ilike(_containing(value), escape="\\")),
    ]
    if (numbers := _number_range(value)) is not None:
        options.append(and_(kind == NUMBER, held.number.between(*numbers)))
    try:
        days = day_ranges.parse(value, day_ranges.today_in(user.time_zone or i18n.default_zone()))
    except day_ranges.InvalidRange:
        return options
    bounds = [held.date >= days.first] if days.first is not None else []
    bounds += [held.date <= days.last] if days.last is not None else []
    return [*options, and_(kind == DATE, *bounds)]


def _number_range(value: str) -> tuple[Decimal, Decimal] | None:
    first, dots, last = value.partition("..")
    try:
        low = Decimal(first)
        high = Decimal(last) if dots else low
    except InvalidOperation:
        return None
    limit = Decimal(10) ** 14
    # What no field can hold is asked of no database.
    return (low, high) if low.is_finite() and high.is_finite() and abs(low) < limit and abs(high) < limit else None


# ---- values


def _numbers(values: Sequence[str], user: User) -> list[int]:
    return [user.id if value == ME else int(value) for value in values if value != NONE]


def _or_none(column: Any, values: Sequence[str], options: list[_Criterion]) -> _Criterion:
    return or_(*options, *([column.is_(None)] if NONE in values else []))


def _row(column: Any) -> Callable[[Sequence[str], User], _Criterion]:
    def build(values: Sequence[str], user: User) -> _Criterion:
        numbers = _numbers(values, user)
        return _or_none(column, values, [column.in_(numbers)] if numbers else [])

    return build


def _containing(text: str) -> str:
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


_BY_KEY: Mapping[str, Callable[[Any, User], _Criterion]] = {
    "category": lambda values, user: Ticket.category.in_(values),
    "status": _status,
    "team": _row(Ticket.team_id),
    "assignee": _row(Ticket.assignee_id),
    "priority": lambda values, user: Ticket.priority.in_(values),
    "type": _row(Ticket.type_id),
    "topic": _topic,
    "requester": _row(Ticket.requester_id),
    "organization": _row(Ticket.organization_id),
    "channel": lambda values, user: Ticket.channel.in_(values),
    "follower": _follower,
    "language": _language,
    "late": _late,
    "snoozed": _snoozed,
    "reopened": _reopened,
    "unread": _unread,
    "text": _text,
    "search": search.ticket_ids_criterion,
}
