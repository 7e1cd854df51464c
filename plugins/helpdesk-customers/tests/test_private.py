"""What is kept about people is handed out whole, erased whole, and follows them when two turn out to be one."""

import json
from typing import Any

import pytest
from helpdesk_customers import consents, fields, ownership, records
from helpdesk_customers.merged import people_merged, people_unmerged
from helpdesk_customers.models import Consent, Moved, Order, Ownership, Record, Segment, Worth
from helpdesk_customers.personal import erase_personal_data, export_personal_data
from helpdesk_customers.segments import save

from helpdesk.api import User, db, merge_people, transaction, unmerge_people


@pytest.fixture
def known(anna: User, agent: User, order: Any) -> User:
    fields.save_field(None, {"label": "Size", "kind": "number"}, None)
    records.change(anna, agent, values={"size": "38.5"}, tags=["vip"], birthday="05-31", note="Likes tea.")
    ownership.own(anna, "bike", agent, serial="W-1")
    consents.note_consent(anna, "offers", True, agent, way="phone", words="Yes, please.")
    order(anna, {"bell": 1250}, number="77", source="shop")
    return anna


def test_everything_is_handed_out(known: User) -> None:
    found = export_personal_data(user=known)
    assert json.loads(json.dumps(found)) == found
    assert found["record"]["fields"] == {"Size": "38.5"} and found["record"]["birthday"] == "05-31"
    assert found["record"]["value"][0]["revenue"] == "12.50"
    assert found["orders"][0]["lines"] == [{"sku": "BELL", "name": "The bell", "quantity": 1, "amount": "12.50"}]
    assert found["products"][0]["serial"] == "W-1" and found["consents"][0]["words"] == "Yes, please."


def test_nothing_is_handed_out_of_nobody(anna: User) -> None:
    assert export_personal_data(user=anna) == {}


def test_erasing_leaves_sums_and_nobody(known: User, firm: Any) -> None:
    with transaction():
        erase_personal_data(user=known)
    assert export_personal_data(user=known) == {}
    assert db.session.scalars(db.select(Record.user_id).where(Record.user_id.is_not(None))).all() == []
    assert db.session.scalar(db.select(Consent)) is db.session.scalar(db.select(Ownership)) is None
    kept = db.session.scalar(db.select(Order))
    assert (kept.user_id, kept.organization_id, kept.amount) == (None, firm.id, 1250)
    assert kept.number == f"erased-{kept.id}", "the number leads to the person in the shop"
    assert [one.revenue for one in db.session.scalars(db.select(Worth))] == [1250], "the organization's stays"


def test_erasing_somebody_of_the_staff_takes_the_name_off(known: User, agent: User, boss: User) -> None:
    save(None, {"name": "A", "conditions": [{"what": "name", "how": "is", "value": "x"}]}, boss)
    with transaction():
        erase_personal_data(user=agent)
        erase_personal_data(user=boss)
    assert db.session.scalar(db.select(Consent.actor_id)) is None
    assert db.session.scalar(db.select(Segment.made_by_id)) is None and export_personal_data(user=known)["consents"]


@pytest.fixture
def other(make_user: Any, agent: User, order: Any, known: User) -> User:
    """The same person under another address: more tags and fields, a newer word on offers, the same bike."""
    found = make_user(name="A. Berg", email="anna@home.example")
    fields.save_field(None, {"label": "Club"}, None)
    records.change(
        found,
        agent,
        values={"size": "40", "club": "Gold"},
        tags=["vip", "late"],
        birthday="1990-01-01",
        contact_by="phone",
    )
    ownership.own(found, "bike", agent, serial="W-1")
    ownership.own(found, "lamp", agent)
    consents.note_consent(found, "offers", False, agent, way="email")
    order(found, {"tube": 500})
    return found


def _state(person: User) -> dict[str, Any]:
    db.session.expire_all()
    found = dict(export_personal_data(user=person))
    if "orders" in found:
        found["orders"] = sorted(one["number"] for one in found["orders"])
    if "products" in found:
        found["products"] = sorted(one["sku"] for one in found["products"])
    found["offers"] = consents.has_consent(person.id)
    return found


def test_two_become_one_and_two_again(known: User, other: User, boss: User, run_jobs: Any) -> None:
    before = _state(known), _state(other)
    merge = merge_people(known, other, boss)
    run_jobs()
    mine, theirs = _state(known), _state(other)
    assert len(mine["orders"]) == 2 and "orders" not in theirs
    assert mine["products"] == ["BIKE", "LAMP"] and theirs["products"] == ["BIKE"], "what both have is one thing"
    assert mine["record"]["tags"] == ["late", "vip"] and mine["record"]["fields"] == {"Size": "38.5", "Club": "Gold"}
    assert (mine["record"]["birthday"], mine["record"]["contact_by"]) == ("05-31", "phone")
    assert mine["record"]["value"][0]["revenue"] == "17.50" and theirs["record"]["value"] == []
    assert len(mine["consents"]) == 2 and not mine["offers"], "the newest word of both counts"
    unmerge_people(merge, boss)
    run_jobs()
    assert (_state(known), _state(other)) == before
    assert db.session.scalar(db.select(Moved)) is None


def test_what_came_since_stays_with_the_survivor(
    known: User, other: User, boss: User, agent: User, order: Any, run_jobs: Any
) -> None:
    merge = merge_people(known, other, boss)
    run_jobs()
    order(known, {"pump": 900}, number="new")
    records.change(known, agent, values={"club": "Silver"}, contact_by="email")
    unmerge_people(merge, boss)
    run_jobs()
    mine = _state(known)
    assert mine["orders"] == ["77", "new"]
    assert mine["record"]["fields"] == {"Size": "38.5", "Club": "Silver"} and mine["record"]["contact_by"] == "email"
    assert mine["record"]["tags"] == ["vip"]


def test_a_fact_that_is_told_twice_moves_once(known: User, other: User, boss: User, run_jobs: Any) -> None:
    merge = merge_people(known, other, boss)
    run_jobs()
    after = _state(known)
    with transaction():
        people_merged(merge_id=merge.id, survivor_id=known.id, merged_id=other.id)
    assert _state(known) == after
    with transaction():
        people_unmerged(merge_id=10**6, survivor_id=known.id, merged_id=other.id)
    assert _state(known) == after


def test_merges_in_a_row_come_apart_in_any_order(
    known: User, other: User, boss: User, make_user: Any, run_jobs: Any, order: Any
) -> None:
    before = _state(known), _state(other)
    third = make_user(name="Anna B.", email="anna@work.example")
    order(third, {"pump": 300}, number="third")
    first = merge_people(known, other, boss)
    second = merge_people(third, known, boss)
    run_jobs()
    assert len(_state(third)["orders"]) == 3 and len(_state(third)["consents"]) == 2
    unmerge_people(first, boss)
    run_jobs()
    assert _state(other) == before[1], "what the first merge moved comes from where it is now"
    assert len(_state(third)["orders"]) == 2 and _state(third)["offers"], "the newest word that is left counts"
    unmerge_people(second, boss)
    run_jobs()
    assert (_state(known), _state(other)) == before and _state(third)["orders"] == ["third"]
