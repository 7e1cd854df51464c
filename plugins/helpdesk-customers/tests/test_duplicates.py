"""Who may be one: found by what both have, decided on by people, remembered, merged and taken apart."""

from typing import Any

import pytest
from flask import Flask
from helpdesk_customers import duplicates, importing
from helpdesk_customers.duplicate_keys import keys_of, mail_form, name_in, phone_bucket, same_phone
from helpdesk_customers.duplicate_models import MAIL, NAME, PHONE, DuplicateKey, Pair
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, insert, select

from helpdesk.api import NotAllowed, Organization, Ticket, User, db, transaction, unmerge_people


@pytest.fixture
def look(run_jobs: Any) -> Any:
    def make() -> list[tuple[str, str, list[str]]]:
        duplicates.look_now()
        run_jobs()
        db.session.expire_all()
        return [(pair.one.display_name, pair.other.display_name, pair.reasons) for pair in duplicates.open_pairs()]

    return make


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("anna.berg@acme.example", "annaberg@acme.example", True),
        ("anna.berg+news@gmail.com", "AnnaBerg@googlemail.com".lower(), True),
        ("anna.berg@acme.com", "anna_berg@acme.de", True),
        ("anna.berg@acme.co.uk", "anna-berg@acme.com", True),
        ("anna@mail.acme.com", "anna@acme.com", True),
        ("anna.berg@hotmail.com", "anna.berg@hotmail.de", False),
        ("anna.berg@gmail.com", "anna.berg@web.de", False),
        ("anna@acme.com", "bea@acme.com", False),
        ("anna@acme.co.uk", "anna@nova.co.uk", False),
    ],
)
def test_forms_of_addresses(one: str, other: str, same: bool) -> None:
    assert (mail_form(one) == mail_form(other)) is same and mail_form(one)


@pytest.mark.parametrize("address", ["info@acme.com", "support@acme.de", "no-reply@acme.com", "", None, "ab@acme.com"])
def test_addresses_of_many_are_nobodys(address: str | None) -> None:
    assert mail_form(address) == ""


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+49 176 123 45 67", "0176 1234567", True),
        ("0049 (0)176 1234567", "+491761234567", True),
        ("0176 1234567", "0177 1234567", False),
        ("+49 176 1234567", "+43 176 1234567", False),
        ("1234", "1234", False),
    ],
)
def test_phone_numbers(one: str, other: str, same: bool) -> None:
    first, second = User(phone=one).phone_key, User(phone=other).phone_key
    bucket = phone_bucket(first) == phone_bucket(second) != ""
    assert (bucket and same_phone(first, second)) is same


def test_names_within_an_organization() -> None:
    assert name_in("Zoë Müller", 1) == name_in("muller  ZOE", 1) != name_in("Zoe Muller", 2)
    assert name_in("王伟", 1) and not name_in("Zoe", 1) and not name_in("Zoe Muller", None)


@given(st.text(max_size=30), st.text(max_size=40))
def test_keys_of_anything_fit_their_column(name: str, address: str) -> None:
    person = User(name=name, email=address.lower() or None, phone=name, organization_id=1)
    assert all(0 < len(key) <= 200 for key in keys_of(person).values())


@pytest.mark.db
def test_pairs_are_found_once_with_their_reasons(look: Any, anna: User, make_user: Any, firm: Organization) -> None:
    double = make_user(name="Berg, Anna", email="anna@customer.test")
    caller = make_user(name="A.", email="x@y.example")
    make_user("agent", name="Anna Berg", email="anna@customer.org")
    with transaction():
        double.organization_id = firm.id
        anna.phone, caller.phone = "+49 176 1234567", "0176 1234567"
    assert sorted(look()) == [("Anna Berg", "A.", [PHONE]), ("Anna Berg", "Berg, Anna", [MAIL, NAME])]
    numbers = set(db.session.scalars(select(Pair.id)))
    look()
    assert set(db.session.scalars(select(Pair.id))) == numbers, "the same pairs, not new ones"
    assert [pair.score for pair in duplicates.find_pairs_of(anna)] == [99, 50]
    with transaction():
        caller.phone = None
    assert len(look()) == 1, "what they had in common is gone"


def test_a_switchboard_makes_nobody_a_double(look: Any, make_user: Any) -> None:
    people = [make_user(name=f"P{number}", email=f"p{number}x@y{number}.example") for number in range(8)]
    with transaction():
        for person in people:
            person.phone = "+49 30 1234567"
    assert look() == []


@pytest.mark.db
def test_not_the_same_is_remembered(look: Any, anna: User, boss: User, agent: User, make_user: Any) -> None:
    make_user(name="Anna B.", email="a.nna@customer.example")
    look()
    (pair,) = duplicates.open_pairs()
    with pytest.raises(NotAllowed):
        duplicates.dismiss(pair, agent)
    duplicates.dismiss(pair, boss)
    assert look() == [] and duplicates.find_pairs_of(anna) == []
    assert [found.id for found in duplicates.dismissed_pairs()] == [pair.id]
    with transaction():
        anna.email = "other@customer.example"
    look()
    assert len(duplicates.dismissed_pairs()) == 1, "it stays, also when they have nothing in common for a while"
    duplicates.restore(pair, boss)
    assert [found.id for found in duplicates.open_pairs()] == [pair.id]


@pytest.mark.db
def test_a_pair_is_merged_with_a_choice_and_taken_apart(
    look: Any, anna: User, boss: User, make_user: Any, make_ticket: Any
) -> None:
    double = make_user(name="Anna Berg-Lund", email="anna@customer.test")
    ticket = make_ticket(requester=double)
    with transaction():
        anna.phone, double.phone = "+49 176 1", "+49 176 2"
    look()
    (pair,) = duplicates.open_pairs()
    differences = {row.key: (row.one, row.other) for row in duplicates.compare(anna, double)}
    assert differences == {"name": ("Anna Berg", "Anna Berg-Lund"), "phone": ("+49 176 1", "+49 176 2")}
    merge = duplicates.merge_pair(pair, anna, boss, ["name"])
    assert (anna.name, anna.phone, db.session.get_one(Ticket, ticket.id).requester_id) == (
        "Anna Berg-Lund",
        "+49 176 1",
        anna.id,
    )
    assert look() == [] and db.session.scalar(select(func.count(DuplicateKey.user_id))) == len(keys_of(anna))
    unmerge_people(merge, boss)
    assert anna.name == "Anna Berg" and db.session.get_one(Ticket, ticket.id).requester_id == double.id
    assert len(look()) == 1, "whoever is two again may be asked about again"


@pytest.mark.sqlite
def test_nothing_is_left_of_who_is_erased(look: Any, anna: User, make_user: Any, program: Any) -> None:
    make_user(name="Anna B.", email="a.nna@customer.example")
    assert len(look()) == 1
    program("user", "erase", "anna@customer.example", "--yes")
    assert not db.session.scalars(select(Pair)).all()
    assert anna.id not in set(db.session.scalars(select(DuplicateKey.user_id)))


def test_many_are_compared_by_an_index(app: Flask, look: Any, count_queries: Any) -> None:
    with transaction():
        rows = [{"email": f"person.{n}@post{n}.example", "name": f"Person {n}"} for n in range(3_000)]
        rows += [{"email": f"person{n}@post{n}.test", "name": f"Person {n}"} for n in range(100)]
        db.session.execute(insert(User), rows)
    with count_queries() as counted:
        duplicates.look_now()
        look()
    assert db.session.scalar(select(func.count(Pair.id))) == 100
    # Some for each 500 people, and for each 500 keys that are shared: 3,100 people would be five million pairs.
    assert len(counted) < 120, f"{len(counted)} statements"


def test_the_folder_of_files_is_nobody_elses(app: Flask) -> None:
    assert importing.folder().stat().st_mode & 0o077 == 0
