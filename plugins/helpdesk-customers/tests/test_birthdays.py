"""Birthdays: with and without a year, over New Year, and on the last day of a February."""

from datetime import date, timedelta

import pytest
from flask import Flask
from helpdesk_customers import birthdays, records
from helpdesk_customers.birthdays import next_day
from helpdesk_customers.models import Record
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import Invalid, User, db, transaction

_DAYS = st.dates(date(2020, 1, 1), date(2032, 12, 31))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1990-05-31", (531, 1990)),
        ("31.5.1990", (531, 1990)),
        ("1990年5月31日", (531, 1990)),
        ("05-31", (531, None)),
        ("--02-29", (229, None)),
        ("", (None, None)),
    ],
)
def test_birthdays_are_read(app: Flask, text: str, found: tuple[int | None, int | None]) -> None:
    assert records.read_birthday(text) == found


@pytest.mark.parametrize("text", ["31", "02-30", "2999-01-01", "1800-01-01", "May", "1990-13-01", "2001-02-29"])
def test_no_birthday_is_refused(app: Flask, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        records.read_birthday(text)
    assert refused.value.field == "birthday"


@given(_DAYS, _DAYS)
def test_the_next_birthday_is_within_a_year(born: date, today: date) -> None:
    found = next_day(born.month * 100 + born.day, today)
    assert today <= found < today + timedelta(days=367)
    assert (found.month, found.day) == (born.month, born.day) or (born.month, born.day, found.day) == (2, 29, 28)


def test_the_database_finds_whom_the_calendar_finds(make_user: object, app: Flask, anna: User) -> None:
    """Each day of two years, one of them with a leap day, against Python's own calendar."""
    with transaction():
        record = records.ensure(anna)
    for month, day in ((1, 1), (2, 28), (2, 29), (3, 1), (12, 31), (6, 15)):
        with transaction():
            record.birthday = month * 100 + day
        for place in range(0, 731, 1 if month in (1, 2) else 7):
            today = date(2023, 6, 1) + timedelta(days=place)
            for ahead in (0, 3, 40):
                query = db.select(Record.id).where(birthdays.within(ahead, today))
                is_due = next_day(month * 100 + day, today) <= today + timedelta(days=ahead)
                assert (db.session.scalar(query) is not None) == is_due, (month, day, today, ahead)


def test_upcoming_birthdays_come_in_order(make_user: object, app: Flask) -> None:
    names = {"03-02": "Late", "02-29": "Leap", "12-31": "Gone", "02-28": "Today"}
    for day, name in names.items():
        records.change(make_user(name=name), None, birthday=day)  # type: ignore[operator]
    found = birthdays.upcoming(7, date(2026, 2, 28))
    assert [(record.person.name, day) for record, day in found if record.person] == [
        ("Today", date(2026, 2, 28)),
        ("Leap", date(2026, 2, 28)),
        ("Late", date(2026, 3, 2)),
    ]
