"""Conditions turned into SQL: all of a segment are one criterion of one query."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select, true

from helpdesk.api import Organization, Ticket, User, now
from helpdesk_customers import birthdays
from helpdesk_customers.condition_choices import CONSENT, FIELD
from helpdesk_customers.conditions import Condition
from helpdesk_customers.fields import read_number
from helpdesk_customers.models import (
    ANY,
    COUNTED,
    GIVEN,
    PERSON,
    WITHDRAWN,
    Consent,
    FieldValue,
    Order,
    OrderLine,
    Ownership,
    Record,
    RecordField,
    RecordTag,
    Worth,
)
from helpdesk_customers.subjects import key_of, table_of

Criterion = ColumnElement[bool]
# What fits into the columns of scores, and is more than any of them.
_SMALL = 1_000


@dataclass(frozen=True)
class Whom:
    """Whom conditions are about: people or organizations; all of them, or a single one."""

    subject: str
    only: int | None = None

    @property
    def table(self) -> Any:
        """The model of the desk that has them."""
        return table_of(self.subject)

    def among(self, column: Any, query: Select[Any]) -> Criterion:
        """That somebody's number is in ``column`` among the rows of a query, which reads this one's alone."""
        theirs = column.is_not(None) if self.only is None else column == self.only
        found: Criterion = self.table.id.in_(query.with_only_columns(column).where(theirs))
        return found


def criterion(subject: str, match: str, conditions: Iterable[Condition], only: int | None = None) -> Criterion:
    """That a row of ``User`` or ``Organization`` meets all of the conditions, or any of them; none are met by all.

    What a condition is about may be gone (a field): then nobody meets it. ``only``: the query asks about this one
    alone, so that the rows of nobody else are read.
    """
    whom = Whom(subject, only)
    found = [_criterion(whom, one) for one in conditions]
    if not found:
        return true()
    return or_(*found) if match == ANY else and_(*found)


# ---- one condition


def _criterion(whom: Whom, condition: Condition) -> Criterion:
    what, how, value = str(condition["what"]), str(condition["how"]), str(condition["value"])
    if what.startswith(FIELD):
        return _field(whom, what.removeprefix(FIELD), how, value)
    if what.startswith(CONSENT):
        return _consent(whom, what.removeprefix(CONSENT), value)
    build = _BY_KEY.get(what)
    return build(whom, how, value) if build is not None else ~true()


def _text(column: Any, how: str, value: str) -> Criterion:
    """A column that may be NULL, which counts as empty. The database itself makes small letters, on both sides."""
    text = func.coalesce(column, "")
    found: Criterion
    if how == "is":
        found = func.lower(text) == func.lower(value)
    elif how == "filled":
        found = text != ""
    elif how == "empty":
        found = text == ""
    elif how == "lacks":
        found = not_(text.icontains(value, autoescape=True))
    else:
        compare: Mapping[str, Callable[..., Criterion]]
        compare = {"begins": text.istartswith, "ends": text.iendswith, "contains": text.icontains}
        found = compare[how](value, autoescape=True)
    return found


def _compare(column: Any, how: str, value: Any) -> Criterion:
    found: Criterion = column >= value if how == "least" else column <= value if how == "most" else column == value
    return found


def _day(column: Any, how: str, value: str) -> Criterion:
    """A moment compared with a day (UTC), or with so many days before now."""
    if how in ("within", "not_within"):
        found: Criterion = column >= now() - timedelta(days=int(value))
        return found if how == "within" else not_(found)
    day, begin = date.fromisoformat(value), now().replace(hour=0, minute=0, second=0, microsecond=0)
    if how == "after" and day == date.max:
        return false()
    begin += timedelta(days=(day - begin.date()).days)
    found = column < begin if how == "before" else column >= begin + timedelta(days=1 if how == "after" else 0)
    return found


def _noted(whom: Whom, query: Select[Any]) -> Criterion:
    """That somebody's record is among those of a query from ``Record``."""
    return whom.among(key_of(whom.subject), query)


def _worth(whom: Whom, *about: Any) -> Criterion:
    return _noted(whom, select(Record).join(Worth).where(*about))


def _worth_part(column: Any) -> Callable[[Whom, str, str], Criterion]:
    def build(whom: Whom, how: str, value: str) -> Criterion:
        # 0 says that it is not counted yet, or that there are too few to compare with.
        return _worth(whom, column > 0, _compare(column, how, min(int(value), _SMALL)))

    return build


def _orders(whom: Whom, how: str, value: str) -> Criterion:
    total, number = func.sum(Worth.orders), int(value)

    def those(least: int) -> Criterion:
        return _noted(whom, select(Record).join(Worth).group_by(key_of(whom.subject)).having(total >= least))

    if how == "least":
        return those(number) if number else true()
    return not_(those(number + 1))


def _revenue(whom: Whom, how: str, value: str) -> Criterion:
    currency, amount = value.split()
    about = (Worth.currency == currency, _compare(Worth.revenue, how, int(amount)))
    return _worth(whom, *about)


def _ordered(whom: Whom, how: str, value: str) -> Criterion:
    if how == "not_within":
        # Of those who bought something at all.
        recent = _worth(whom, _day(Worth.last_at, "within", value))
        return and_(_worth(whom, Worth.last_at.is_not(None)), not_(recent))
    if how == "before":
        late = _worth(whom, not_(_day(Worth.last_at, how, value)))
        return and_(_worth(whom, Worth.last_at.is_not(None)), not_(late))
    return _worth(whom, _day(Worth.last_at, how, value))


def _owns(whom: Whom, how: str, value: str) -> Criterion:
    in_hand = whom.among(
        key_of(whom.subject, Ownership),
        select(Ownership).where(Ownership.sku == value, owned_on(now().date())),
    )
    lines = select(Order).join(OrderLine).where(OrderLine.sku == value, Order.state.in_(COUNTED))
    bought = whom.among(key_of(whom.subject, Order), lines)
    found = or_(in_hand, bought)
    return found if how == "has" else not_(found)


def owned_on(day: date) -> Criterion:
    """That a product is owned on a day."""
    return and_(
        or_(Ownership.since.is_(None), Ownership.since <= day), or_(Ownership.until.is_(None), Ownership.until >= day)
    )


def _tag(whom: Whom, how: str, value: str) -> Criterion:
    found = _noted(whom, select(Record).join(RecordTag).where(RecordTag.tag == value))
    return found if how == "has" else not_(found)


def _birthday(whom: Whom, _how: str, value: str) -> Criterion:
    return _noted(whom, select(Record).where(birthdays.within(int(value))))


def _contact_by(whom: Whom, how: str, value: str) -> Criterion:
    found = _noted(whom, select(Record).where(Record.contact_by == value))
    return found if how == "is" else not_(found)


def _organization(_whom: Whom, how: str, value: str) -> Criterion:
    if how == "empty":
        return User.organization_id.is_(None)
    if how == "filled":
        return User.organization_id.is_not(None)
    inside: Criterion = User.organization_id.in_(
        select(Organization.id).where(_text(Organization.name, "contains" if how == "lacks" else how, value))
    )
    return or_(User.organization_id.is_(None), not_(inside)) if how == "lacks" else inside


def _language(_whom: Whom, how: str, value: str) -> Criterion:
    found: Criterion = func.coalesce(User.locale, "") == value
    return found if how == "is" else not_(found)


def _members(_whom: Whom, how: str, value: str) -> Criterion:
    number = select(func.count(User.id)).where(User.organization_id == Organization.id).scalar_subquery()
    return _compare(number, how, int(value))


def _ticket_owner(whom: Whom) -> Any:
    return Ticket.requester_id if whom.subject == PERSON else Ticket.organization_id


def _open_tickets(whom: Whom, how: str, value: str) -> Criterion:
    column, total, number = _ticket_owner(whom), func.count(Ticket.id), int(value)
    unsolved = select(Ticket).where(Ticket.category.not_in(("solved", "closed")), Ticket.merged_into_id.is_(None))

    def those(least: int) -> Criterion:
        return whom.among(column, unsolved.group_by(column).having(total >= least))

    if how == "least":
        return those(number) if number else true()
    return not_(those(number + 1))


def _wrote(whom: Whom, how: str, value: str) -> Criterion:
    column, every = _ticket_owner(whom), select(Ticket)
    if how in ("within", "after"):
        return whom.among(column, every.where(_day(Ticket.created_at, how, value)))
    later = _day(Ticket.created_at, "within", value) if how == "not_within" else not_(
        _day(Ticket.created_at, "before", value))  # fmt: skip
    return and_(whom.among(column, every), not_(whom.among(column, every.where(later))))


def _consent(whom: Whom, purpose: str, value: str) -> Criterion:
    newest = select(Consent).where(Consent.purpose == purpose, Consent.newest)
    if value == "none":
        return not_(whom.among(Consent.user_id, newest))
    return whom.among(Consent.user_id, newest.where(Consent.state == (GIVEN if value == "given" else WITHDRAWN)))


def _field(whom: Whom, key: str, how: str, value: str) -> Criterion:
    field = select(RecordField.id).where(RecordField.subject == whom.subject, RecordField.key == key).scalar_subquery()

    def holds(*about: Any) -> Criterion:
        return _noted(whom, select(Record).join(FieldValue).where(FieldValue.field_id == field, *about))

    if how == "filled":
        return holds()
    if how == "empty":
        return not_(holds())
    if how.startswith("number_"):
        return holds(_compare(FieldValue.number, how.removeprefix("number_"), read_number(value, key)))
    if how.startswith("day_"):
        return holds(_field_day(how.removeprefix("day_"), value))
    if how == "yes_is":
        return holds(FieldValue.number == 1) if value == "yes" else not_(holds(FieldValue.number == 1))
    if how == "not":
        return not_(holds(FieldValue.text == value))
    if how == "lacks":
        return not_(holds(_text(FieldValue.text, "contains", value)))
    if how == "chosen":
        return holds(FieldValue.text == value)
    return holds(_text(FieldValue.text, how, value))


def _field_day(how: str, value: str) -> Criterion:
    if how in ("within", "not_within"):
        begin = now().date() - timedelta(days=int(value))
        found: Criterion = FieldValue.day >= begin if how == "within" else FieldValue.day < begin
        return found
    day = date.fromisoformat(value)
    found = (
        FieldValue.day < day if how == "before" else FieldValue.day > day if how == "after" else FieldValue.day == day
    )
    return found


_BY_KEY: Mapping[str, Callable[[Whom, str, str], Criterion]] = {
    "name": lambda whom, how, value: _text(whom.table.name, how, value),
    "email": lambda _whom, how, value: _text(User.email, how, value),
    "phone": lambda _whom, how, value: _text(User.phone, how, value),
    "domain": lambda _whom, how, value: _text(Organization.domain, how, value),
    "language": _language,
    "organization": _organization,
    "birthday": _birthday,
    "contact_by": _contact_by,
    "care_mail": lambda _whom, _how, value: User.care_mail.is_(value == "yes"),
    "members": _members,
    "tag": _tag,
    "since": lambda whom, how, value: _day(whom.table.created_at, how, value),
    "owns": _owns,
    "ordered": _ordered,
    "orders": _orders,
    "revenue": _revenue,
    "score": _worth_part(Worth.score),
    "recency": _worth_part(Worth.recency),
    "frequency": _worth_part(Worth.frequency),
    "monetary": _worth_part(Worth.monetary),
    "open_tickets": _open_tickets,
    "wrote": _wrote,
}
