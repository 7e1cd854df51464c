"""Two people who may be one: the list, both side by side, merged as chosen, and made two again."""

import re
from typing import Any

import pytest
from helpdesk_customers import duplicates, records
from helpdesk_customers.duplicates import Pair

from helpdesk.api import User, db, transaction

ROOM = "/p/customers"


@pytest.fixture
def as_boss(sign_in: Any, boss: User) -> Any:
    return sign_in(boss)


@pytest.fixture
def twin(make_user: Any, anna: User) -> User:
    """Anna with another address, and the same number."""
    made = make_user(name="A. Berg", email="anna@private.example")
    with transaction():
        made.phone, anna.phone = "0176 1234567", "+49 176 1234567"
    return made


@pytest.fixture
def pair(anna: User, twin: User) -> Pair:
    one, other = sorted((anna, twin), key=lambda person: person.id)
    with transaction():
        row = Pair(one_id=one.id, other_id=other.id, reasons=["phone"], score=50)
        db.session.add(row)
    return row


def test_a_pair_is_compared_and_merged_as_chosen_and_made_two_again(
    as_boss: Any, anna: User, twin: User, pair: Pair, make_ticket: Any, order: Any, boss: User, run_jobs: Any
) -> None:
    ticket = make_ticket("Rear brake", requester=twin)
    order(anna, {"SKU-1": 1_000})
    order(twin, {"SKU-2": 2_000})
    records.change(twin, boss, tags=["vip"])
    listed = as_boss.get(f"{ROOM}/duplicates").text
    assert "Anna Berg" in listed and "A. Berg" in listed and "The same phone number" in listed
    assert f"{ROOM}/duplicates/{pair.id}" in as_boss.get(f"{ROOM}/people/{anna.id}").text
    address = f"{ROOM}/duplicates/{pair.id}"
    shown = as_boss.get(address).text
    assert "anna@private.example" in shown and 'name="take-name"' in shown and "Merge into one" in shown
    nobody = as_boss.post(f"{address}/merge", data={"survivor": "950017", "take-name": str(twin.id)})
    assert nobody.status_code == 422 and "Choose who stays." in nobody.text
    assert re.search(rf'name="take-name" value="{twin.id}"[^>]* checked', nobody.text)
    merged = as_boss.post(f"{address}/merge", data={"survivor": str(anna.id), "take-name": str(twin.id)})
    assert merged.status_code == 303 and merged.location == f"{ROOM}/people/{anna.id}"
    run_jobs()
    db.session.expire_all()
    assert anna.name == "A. Berg" and ticket.requester_id == anna.id and twin.merged_into_id == anna.id
    page = as_boss.get(f"{ROOM}/people/{anna.id}").text
    assert "€30.00" in page and "vip" in page and "was merged into this record" in page
    assert as_boss.get(f"{ROOM}/people/{twin.id}").location == f"{ROOM}/people/{anna.id}"
    assert "A. Berg" not in as_boss.get(f"{ROOM}/duplicates").text
    merges = as_boss.get(f"{ROOM}/merges").text
    undo = re.search(rf'action="({ROOM}/merges/\d+/undo)"', merges)
    assert undo is not None and "anna@private.example" in merges
    assert as_boss.post(undo[1]).status_code == 303
    run_jobs()
    db.session.expire_all()
    assert anna.name == "Anna Berg" and ticket.requester_id == twin.id and twin.merged_into_id is None
    again = as_boss.get(f"{ROOM}/people/{twin.id}").text
    assert "€20.00" in again and "vip" in again and "vip" not in as_boss.get(f"{ROOM}/people/{anna.id}").text
    assert "Undone" in as_boss.get(f"{ROOM}/merges").text
    assert as_boss.post(undo[1]).status_code == 303, "pressed twice it says so and changes nothing"


def test_two_people_stay_two_and_are_asked_about_again(as_boss: Any, pair: Pair) -> None:
    address = f"{ROOM}/duplicates/{pair.id}"
    assert as_boss.post(f"{address}/dismiss").status_code == 303
    assert "A. Berg" not in as_boss.get(f"{ROOM}/duplicates").text
    assert "A. Berg" in as_boss.get(f"{ROOM}/duplicates?show=dismissed").text
    assert as_boss.post(f"{address}/restore").status_code == 303
    assert "A. Berg" in as_boss.get(f"{ROOM}/duplicates").text


def test_the_desk_looks_when_it_is_told_to(as_boss: Any, anna: User, twin: User, run_jobs: Any) -> None:
    assert "No pair here" in as_boss.get(f"{ROOM}/duplicates").text
    assert as_boss.post(f"{ROOM}/duplicates/look").status_code == 303
    run_jobs()
    assert "A. Berg" in as_boss.get(f"{ROOM}/duplicates").text
    db.session.rollback()
    assert [one.reasons for one in duplicates.open_pairs()] == [["phone"]]


def test_two_are_found_by_hand_and_merged(as_boss: Any, anna: User, twin: User) -> None:
    address = f"{ROOM}/people/{anna.id}/merge"
    assert "Address of the other record" in as_boss.get(address).text
    for other, sentence in (("nobody@post.example", "There is no customer"), (anna.email, "This is the same record")):
        refused = as_boss.get(address, query_string={"other": other})
        assert refused.status_code == 422 and sentence in refused.text and f'value="{other}"' in refused.text
    shown = as_boss.get(address, query_string={"other": "Anna@Private.example"})
    target = re.search(r'method="post" action="([^"]+)"', shown.text.partition("<main")[2])
    assert target is not None and "Not the same person" not in shown.text
    assert as_boss.post(target[1], data={"survivor": str(twin.id)}).status_code == 303
    db.session.expire_all()
    assert anna.merged_into_id == twin.id and twin.name == "A. Berg"
    gone = as_boss.post(f"{ROOM}/people/{twin.id}/merge?other=%23{anna.id}", data={"survivor": str(twin.id)})
    assert gone.status_code == 422 and "was merged with somebody else already" in gone.text


def test_merging_belongs_to_supervisors(sign_in: Any, agent: User, anna: User, pair: Pair) -> None:
    browser = sign_in(agent)
    for page in ("/duplicates", f"/duplicates/{pair.id}", "/merges", f"/people/{anna.id}/merge"):
        assert browser.get(f"{ROOM}{page}").status_code == 403
    record = browser.get(f"{ROOM}/people/{anna.id}").text
    assert "may be the same person" in record and f"/duplicates/{pair.id}" not in record
