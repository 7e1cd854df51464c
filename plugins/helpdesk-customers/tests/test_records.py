"""Fields and records: typed values, tags, who may change them, and two who change at once."""

from datetime import date

import pytest
from flask import Flask
from helpdesk_customers import fields, records
from helpdesk_customers.fields import read_number, write_number
from helpdesk_customers.models import Record, RecordField
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import Event, Invalid, NotAllowed, Organization, User, db


@pytest.fixture
def every_kind(app: Flask) -> dict[str, RecordField]:
    kinds = {"text": {}, "number": {}, "day": {}, "yes": {}, "choice": {"choices": "Gold\nSilver"}}
    return {
        kind: fields.save_field(None, {"label": f"A {kind}", "kind": kind, **more}, None)
        for kind, more in kinds.items()
    }


def test_a_record_keeps_what_each_kind_of_field_says(
    every_kind: dict[str, RecordField], anna: User, agent: User
) -> None:
    typed = {"a_text": "Size  42", "a_number": "1234,5", "a_day": "31.3.2026", "a_yes": "yes", "a_choice": "gold"}
    record = records.change(anna, agent, values=typed, tags="vip, Late", birthday="1990-05-31", contact_by="phone")
    found = {one.field.key: fields.write_value(one.field, one) for one in records.record_of(anna).values}
    assert found == {
        "a_text": "Size 42", "a_number": "1234.5", "a_day": "2026-03-31", "a_yes": "yes", "a_choice": "Gold",
    }  # fmt: skip
    assert [one.tag for one in record.tags] == ["late", "vip"] and record.version == 2
    assert fields.show_value(every_kind["number"], record.values[1]) == "1,234.5"
    # An empty text takes the value away; the rest stays.
    records.change(anna, agent, values={"a_text": ""})
    assert "a_text" not in {one.field.key for one in records.record_of(anna).values}
    assert records.record_of(anna).birthday == 531


@pytest.mark.parametrize(
    ("key", "text"),
    [("a_number", "many"), ("a_number", "1e3"), ("a_number", "9" * 13), ("a_day", "2026-02-30"), ("a_yes", "perhaps"),
     ("a_choice", "Bronze"), ("a_text", "x" * 501), ("nothing", "1")],
)  # fmt: skip
def test_what_a_field_cannot_hold_is_refused(every_kind: object, anna: User, key: str, text: str) -> None:
    with pytest.raises(Invalid) as refused:
        records.change(anna, None, values={key: text})
    assert refused.value.field == f"values.{key}"
    assert records.record_of(anna) is None, "nothing is half written"


def test_nothing_changed_is_no_change(anna: User, run_jobs: object) -> None:
    record = records.change(anna, None, tags=["vip"], note="Likes tea.")
    records.change(anna, None, tags="VIP", note="Likes tea. ")
    assert record.version == 2
    told = db.session.scalars(db.select(Event).where(Event.kind == "customers_record_changed")).all()
    assert [event.data for event in told] == [{"person_id": anna.id, "organization_id": None}]


def test_a_form_from_an_older_record_is_refused(anna: User) -> None:
    records.change(anna, None, version=0, note="First")
    with pytest.raises(Invalid) as refused:
        records.change(anna, None, version=0, note="Second")
    assert refused.value.field == "version" and records.record_of(anna).note == "First"
    records.change(anna, None, version=2, note="Third")
    assert records.record_of(anna).note == "Third"


def test_only_staff_change_records(anna: User, agent: User) -> None:
    with pytest.raises(NotAllowed):
        records.change(anna, anna, note="I am rich.")
    with pytest.raises(NotAllowed):
        fields.save_field(None, {"label": "Mine"}, agent)


def test_records_of_organizations_stand_beside_those_of_people(anna: User, firm: Organization) -> None:
    fields.save_field(None, {"label": "Bikes", "kind": "number", "subject": "organization"}, None)
    records.change(firm, None, values={"bikes": "7"})
    with pytest.raises(Invalid):
        records.change(anna, None, values={"bikes": "7"})
    assert records.record_of(anna) is None and records.record_of(firm).values[0].number == 7_000_000


def test_a_record_is_made_once(anna: User, make_user: object, firm: Organization) -> None:
    other = make_user()  # type: ignore[operator]
    from helpdesk.api import transaction

    with transaction():
        first = records.ensure_many("person", [anna.id, other.id, anna.id])
        again = records.ensure_many("person", [other.id, anna.id])
    assert first == again and set(first) == {anna.id, other.id}
    assert db.session.scalar(db.select(db.func.count(Record.id))) == 2


def test_fields_have_names_keys_and_an_order(every_kind: dict[str, RecordField]) -> None:
    assert [field.key for field in fields.fields_of("person")] == ["a_text", "a_number", "a_day", "a_yes", "a_choice"]
    fields.move_field(every_kind["day"], -1, None)
    fields.switch_field(every_kind["yes"], False, None)
    assert [field.key for field in fields.fields_of("person")] == ["a_text", "a_day", "a_number", "a_choice"]
    for data, name in (
        ({"label": "a TEXT"}, "label"), ({"label": " "}, "label"), ({"label": "B", "key": "Ä"}, "key"),
        ({"label": "B", "key": "a_text"}, "key"), ({"label": "B", "kind": "choice"}, "choices"),
        ({"label": "B", "kind": "photo"}, "kind"), ({"label": "B", "subject": "dog"}, "subject"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            fields.save_field(None, data, None)
        assert refused.value.field == name
    assert fields.save_field(None, {"label": "尺码"}, None).key == "field"
    changed = fields.save_field(every_kind["choice"], {"label": "Level", "choices": ["Gold", "Bronze"]}, None)
    assert (changed.key, changed.kind, changed.choices) == ("a_choice", "choice", ["Gold", "Bronze"])


@given(st.integers(-(10**18) + 1, 10**18 - 1))
def test_numbers_come_back_as_they_were(number: int) -> None:
    assert read_number(write_number(number), "x") == number


@given(st.dates(date(1, 1, 1)))
def test_days_come_back_as_they_were(day: date) -> None:
    assert fields.read_day(day.isoformat(), "x") == day
    assert fields.read_day(f"{day.day}.{day.month}.{day.year:04d}", "x") == day
