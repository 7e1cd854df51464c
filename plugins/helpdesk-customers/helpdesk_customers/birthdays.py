"""Whose birthday it is in the next days."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload

from helpdesk.api import User, db, now
from helpdesk_customers.models import Record

_LEAP_DAY = 229


def within(days: int, today: date | None = None) -> ColumnElement[bool]:
    """That the birthday of a record is today or in the next ``days`` days.

    Who was born on February 29 has it on the 28th in other years.
    """
    begin = today or now().date()
    if days >= 365:
        return Record.birthday.is_not(None)
    end = begin + timedelta(days=days)
    first, last = _key(begin), _key(end)
    if end.month == 2 and end.day == 28 and not _is_leap(end.year):
        last = _LEAP_DAY
    if first <= last:
        found: ColumnElement[bool] = Record.birthday.between(first, last)
    else:
        found = or_(Record.birthday >= first, Record.birthday <= last)
    if begin.month == 2 and begin.day == 28 and not _is_leap(begin.year):
        found = or_(found, Record.birthday == _LEAP_DAY)
    return found


def upcoming(days: int, today: date | None = None, limit: int = 50) -> Sequence[tuple[Record, date]]:
    """Records of people whose birthday is today or in the next days, with the day, the next first. One query."""
    begin = today or now().date()
    query = select(Record).join(User, User.id == Record.user_id).where(within(days, begin), User.active)
    rows = db.session.scalars(
        query.options(joinedload(Record.person)).order_by(Record.birthday, Record.id).limit(2_000)
    ).all()
    found = sorted(((record, next_day(record.birthday or 0, begin)) for record in rows), key=lambda one: one[1])
    return found[:limit]


def next_day(birthday: int, today: date) -> date:
    """The next birthday, today included, of somebody born on such a day (month times 100 and day)."""
    this_year = _in_year(birthday, today.year)
    return this_year if this_year >= today else _in_year(birthday, today.year + 1)


def _in_year(birthday: int, year: int) -> date:
    if birthday == _LEAP_DAY and not _is_leap(year):
        return date(year, 2, 28)
    return date(year, birthday // 100, birthday % 100)


def _key(day: date) -> int:
    return day.month * 100 + day.day


def _is_leap(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
