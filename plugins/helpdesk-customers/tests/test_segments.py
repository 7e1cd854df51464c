"""Conditions and segments: each condition against what it says, one query, and what is wrong in a form."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from helpdesk_customers import condition_choices, conditions, consents, criteria, fields, ownership, records, segments
from helpdesk_customers.listing import NEWEST, CustomerFilters, customers, every_customer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from helpdesk.api import Event, Invalid, NotAllowed, Organization, User, db, now, transaction


def _find(what: str, how: str, value: str = "", subject: str = "person") -> set[str]:
    rows = conditions.read(subject, [{"what": what, "how": how, "value": value}])
    query = segments.customers(subject).where(criteria.criterion(subject, "all", rows))
    found = db.session.scalars(query).all()
    for one in db.session.scalars(segments.customers(subject)).all():
        # Asked about one alone, it is the same.
        alone = criteria.criterion(subject, "all", rows, only=one.id)
        mine = db.session.scalar(segments.customers(subject).where(type(one).id == one.id, alone))
        assert (mine is not None) == (one in found), (what, how, value, one.name)
    return {one.name for one in found}


@pytest.fixture
def people(
    anna: User, make_user: Any, make_ticket: Any, order: Any, agent: User, firm: Organization, app: Flask
) -> dict[str, User]:
    """Anna buys much, Bo bought long ago, Cy nothing."""
    found = {
        "anna": anna,
        "bo": make_user(name="Bo Öst", email="bo@other.example"),
        "cy": make_user(name="Cy 100%", email="cy@other.example"),
    }
    for label, kind in (("Size", "number"), ("Since", "day"), ("Winter", "yes"), ("Club", "choice"), ("Note", "text")):
        fields.save_field(None, {"label": label, "kind": kind, "choices": "Gold\nSilver"}, None)
    records.change(
        anna, agent, tags=["vip", "late"], birthday=(now() + timedelta(days=3)).date().isoformat()[5:],
        contact_by="phone",
        values={"size": "38.5", "since": "2024-02-03", "winter": "yes", "club": "Gold", "note": "Rides 50% more_often"},
    )  # fmt: skip
    records.change(found["bo"], agent, tags=["late"], values={"size": "-2", "winter": "no", "club": "Silver"})
    order(anna, {"bell": 60_000}, placed_at=now() - timedelta(days=5))
    order(anna, {"lamp": 40_000}, placed_at=now() - timedelta(days=9))
    order(anna, {"lamp": 40_000}, currency="USD")
    order(found["bo"], {"lamp": 99_000}, placed_at=now() - timedelta(days=500))
    ownership.own(found["cy"], "bell", agent)
    consents.note_consent(anna, "offers", True, agent, way="phone", words="Yes.")
    consents.note_consent(found["bo"], "offers", True, agent, way="phone", words="Yes.")
    consents.note_consent(found["bo"], "offers", False, agent, way="phone")
    make_ticket("One", requester=anna)
    make_ticket("Two", requester=anna)
    with transaction():
        found["bo"].care_mail, anna.locale, anna.phone = False, "es", "+34 600"
        firm.domain = "berg.example"
    return found


_ANNA, _BO, _CY = "Anna Berg", "Bo Öst", "Cy 100%"


@pytest.mark.parametrize(
    ("what", "how", "value", "found"),
    [
        ("name", "contains", "BERG", {_ANNA}),
        ("name", "contains", "0%", {_CY}),
        ("name", "contains", "_", set()),
        ("name", "lacks", "b", {_CY}),
        ("name", "is", "cy 100%", {_CY}),
        ("name", "begins", "bo", {_BO}),
        ("name", "ends", "Öst", {_BO}),
        ("email", "ends", "@customer.example", {_ANNA}),
        ("phone", "filled", "", {_ANNA}),
        ("phone", "empty", "", {_BO, _CY}),
        ("language", "is", "es", {_ANNA}),
        ("language", "not", "es", {_BO, _CY}),
        ("organization", "contains", "berg", {_ANNA}),
        ("organization", "lacks", "berg", {_BO, _CY}),
        ("organization", "empty", "", {_BO, _CY}),
        ("organization", "filled", "", {_ANNA}),
        ("birthday", "within", "3", {_ANNA}),
        ("birthday", "within", "2", set()),
        ("contact_by", "is", "phone", {_ANNA}),
        ("contact_by", "not", "phone", {_BO, _CY}),
        ("care_mail", "is", "no", {_BO}),
        ("care_mail", "is", "yes", {_ANNA, _CY}),
        ("consent:offers", "is", "given", {_ANNA}),
        ("consent:offers", "is", "withdrawn", {_BO}),
        ("consent:offers", "is", "none", {_CY}),
        ("consent:news", "is", "none", {_ANNA, _BO, _CY}),
        ("tag", "has", "Late", {_ANNA, _BO}),
        ("tag", "lacks", "vip", {_BO, _CY}),
        ("since", "within", "1", {_ANNA, _BO, _CY}),
        ("since", "not_within", "1", set()),
        ("since", "before", "2020-01-01", set()),
        ("since", "after", "2020-01-01", {_ANNA, _BO, _CY}),
        ("owns", "has", "bell", {_ANNA, _CY}),
        ("owns", "lacks", "Bell", {_BO}),
        ("ordered", "within", "6", {_ANNA}),
        ("ordered", "not_within", "6", {_BO}),
        ("ordered", "before", "2020-01-01", set()),
        ("ordered", "after", "2020-01-01", {_ANNA, _BO}),
        ("orders", "least", "3", {_ANNA}),
        ("orders", "least", "4", set()),
        ("orders", "least", "0", {_ANNA, _BO, _CY}),
        ("orders", "most", "0", {_BO, _CY}),
        ("orders", "most", "2", {_BO, _CY}),
        ("revenue", "least", "1.000 EUR", {_ANNA}),
        ("revenue", "least", "EUR 1000.01", set()),
        ("revenue", "most", "400 usd", {_ANNA}),
        ("score", "least", "3", set()),
        ("open_tickets", "least", "2", {_ANNA}),
        ("open_tickets", "least", "3", set()),
        ("open_tickets", "most", "1", {_BO, _CY}),
        ("wrote", "within", "1", {_ANNA}),
        ("wrote", "not_within", "1", set()),
        ("wrote", "before", "2020-01-01", set()),
        ("wrote", "after", "2020-01-01", {_ANNA}),
        ("field:size", "number_least", "38,5", {_ANNA}),
        ("field:size", "number_most", "0", {_BO}),
        ("field:size", "number_is", "-2", {_BO}),
        ("field:size", "empty", "", {_CY}),
        ("field:since", "day_before", "2024-02-04", {_ANNA}),
        ("field:since", "day_after", "2024-02-03", set()),
        ("field:since", "day_is", "2024-02-03", {_ANNA}),
        ("field:since", "day_within", "10", set()),
        ("field:since", "day_not_within", "10", {_ANNA}),
        ("field:winter", "yes_is", "yes", {_ANNA}),
        ("field:winter", "yes_is", "no", {_BO, _CY}),
        ("field:club", "chosen", "Gold", {_ANNA}),
        ("field:club", "not", "Gold", {_BO, _CY}),
        ("field:club", "filled", "", {_ANNA, _BO}),
        ("field:note", "contains", "50% MORE_", {_ANNA}),
        ("field:note", "lacks", "50%", {_BO, _CY}),
    ],
)
def test_each_condition_finds_whom_it_says(people: object, what: str, how: str, value: str, found: set[str]) -> None:
    assert _find(what, how, value) == found


def test_conditions_on_organizations(people: dict[str, User], firm: Organization, make_user: Any) -> None:
    with transaction():
        db.session.add(Organization(name="Empty"))
    for what, how, value, found in (
        ("members", "least", "1", {"Berg Cycles"}), ("members", "most", "0", {"Empty"}),
        ("domain", "is", "BERG.example", {"Berg Cycles"}), ("revenue", "least", "1000 EUR", {"Berg Cycles"}),
        ("owns", "lacks", "bell", {"Empty"}), ("tag", "lacks", "vip", {"Berg Cycles", "Empty"}),
        ("name", "begins", "e", {"Empty"}),
    ):  # fmt: skip
        assert _find(what, how, value, "organization") == found, what


def test_every_choice_of_the_form_can_be_asked(people: object) -> None:
    """No operator that the form offers breaks on the way to the database, and each can be said in words."""
    examples = {"line": "a", "whole": "2", "day": "2026-01-31", "amount": "5 EUR", "number": "1.5"}
    asked = 0
    for subject in ("person", "organization"):
        known = {choice.key: choice for choice in condition_choices.choices(subject)}
        for choice in known.values():
            for how, label in choice.operators:
                value = choice.options[0][0] if choice.options else examples[choice.kind]
                if how.endswith("within"):
                    value = "7"
                row = conditions.read(subject, [{"what": choice.key, "how": how, "value": value}])[0]
                db.session.execute(segments.customers(subject).where(criteria.criterion(subject, "all", [row])))
                said = conditions.sentence(subject, row, known)
                assert said.startswith(f"{choice.label} {label}")
                typed = conditions.typed(subject, row)
                assert conditions.read(subject, [{**row, "value": typed}]) == [row], "a form that is sent again"
                asked += 1
    assert asked > 100


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"what": "shoe", "how": "is", "value": "1"}, "about"),
        ({"what": "name", "how": "least", "value": "1"}, "compared"),
        ({"what": "name", "how": "is", "value": " "}, "compared with"),
        ({"what": "revenue", "how": "least", "value": "500"}, "currency"),
        ({"what": "revenue", "how": "least", "value": "-5 EUR"}, "below zero"),
        ({"what": "orders", "how": "least", "value": "many"}, "whole number"),
        ({"what": "since", "how": "before", "value": "31"}, "no day"),
        ({"what": "since", "how": "within", "value": "99999"}, "whole number"),
        ({"what": "field:club", "how": "chosen", "value": "Tin"}, "list"),
        ({"what": "recency", "how": "least", "value": "6"}, "list"),
        ({"what": "tag", "how": "has", "value": ","}, "tag"),
    ],
)
def test_what_is_wrong_in_a_condition_is_said_at_its_row(people: object, row: dict[str, str], words: str) -> None:
    with pytest.raises(Invalid) as refused:
        conditions.read("person", [{"what": "", "value": ""}, row])
    assert refused.value.field == "conditions.1" and words in str(refused.value)


def test_a_segment_is_kept_counted_and_asked_in_one_query(
    people: dict[str, User], boss: User, count_queries: Any
) -> None:
    rows = [{"what": "tag", "how": "has", "value": "late"}, {"what": "owns", "how": "has", "value": "lamp"},
            {"what": "name", "how": "lacks", "value": "x"}]  # fmt: skip
    late = segments.save(None, {"name": "Late lamps", "conditions": rows}, boss)
    anyone = segments.save(
        None,
        {"name": "Either", "match": "any", "conditions": [rows[1], {"what": "name", "how": "is", "value": "Cy 100%"}]},
        boss,
    )
    firms = segments.save(
        None,
        {"name": "Firms", "subject": "organization", "conditions": [{"what": "members", "how": "least", "value": "1"}]},
        boss,
    )
    assert late.members is None
    with count_queries() as statements:
        assert segments.count(late) == 2
    assert len(statements) == 1, statements
    assert segments.count_all() == 3 and (late.members, anyone.members, firms.members) == (2, 3, 1)
    assert [one.name for one in segments.members(late)] == [_ANNA, _BO]
    assert [one.name for one in segments.members(late, people["anna"].id, 1)] == [_BO]
    anna = people["anna"]
    with count_queries() as statements:
        assert segments.segments_of(anna) == sorted([late.id, anyone.id, firms.id])
    assert len(statements) <= 3, statements
    assert segments.segments_of(people["cy"]) == [anyone.id]
    assert segments.contains(late.id, anna.id) and not segments.contains(late.id, people["cy"].id)
    assert not segments.contains(10**6, anna.id)
    assert [one.name for one in segments.listed("person")] == ["Either", "Late lamps"]


def test_a_segment_that_cannot_be_counted_holds_up_no_other(
    people: object, boss: User, caplog: pytest.LogCaptureFixture
) -> None:
    row = {"what": "tag", "how": "has", "value": "late"}
    broken, whole = (segments.save(None, {"name": name, "conditions": [row]}, boss) for name in ("Broken", "Whole"))
    with transaction():
        # As an older release may have kept it.
        broken.conditions = [{"what": "birthday", "how": "within", "value": "soon"}]
    assert segments.count_all() == 1
    assert (broken.members, whole.members) == (None, 2) and "Broken" in caplog.text
    assert segments.count_all() == 1, "it is asked again, behind the others"


def test_segments_have_names_conditions_and_an_end(app: Flask, boss: User, agent: User) -> None:
    row = {"what": "name", "how": "is", "value": "x"}
    made = segments.save(None, {"name": " The  first ", "conditions": [row]}, boss)
    assert made.name == "The first"
    for data, field in (
        ({"name": " "}, "name"), ({"name": "the FIRST", "conditions": [row]}, "name"), ({"name": "B"}, "conditions"),
        ({"name": "B", "conditions": [row], "match": "some"}, "match"),
        ({"name": "B", "conditions": [row], "subject": "dog"}, "subject"),
        ({"name": "B", "conditions": [row] * 21}, "conditions.20"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            segments.save(None, data, boss)
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        segments.save(None, {"name": "B", "conditions": [row]}, agent)
    segments.save(made, {"about": "Who?"}, boss)
    assert made.conditions == [row] and made.about == "Who?"
    segments.remove(made, boss)
    assert segments.listed() == []
    told = db.session.scalars(db.select(Event).where(Event.kind == "customers_segment_changed")).all()
    assert len(told) == 3


def test_a_field_that_is_gone_is_met_by_nobody(people: object) -> None:
    row = {"what": "field:lost", "how": "filled", "value": ""}
    assert (
        db.session.scalars(segments.customers("person").where(criteria.criterion("person", "all", [row]))).all() == []
    )
    assert "lost" in conditions.sentence("person", row)


_NAMES = st.text("aAbB_%\\é ", max_size=6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(names=st.lists(_NAMES, min_size=1, max_size=5), value=_NAMES.filter(str.strip))
def test_texts_are_compared_as_texts(names: list[str], value: str, make_user: Any) -> None:
    """Signs that mean something to databases are signs like others."""
    taken = db.session.scalar(db.select(db.func.max(User.id))) or 0
    every = [make_user(name=name, email=f"p{taken + place}@post.example") for place, name in enumerate(names)]
    made = {person.id: person.name for person in every}
    typed = " ".join(value.split()).lower()
    holds: dict[str, Callable[[str], bool]] = {
        "contains": lambda name: typed in name,
        "lacks": lambda name: typed not in name,
        "begins": lambda name: name.startswith(typed),
        "ends": lambda name: name.endswith(typed),
        "is": lambda name: name == typed,
    }
    for how, wanted in holds.items():
        rows = conditions.read("person", [{"what": "name", "how": how, "value": value}])
        query = segments.customers("person").where(criteria.criterion("person", "all", rows), User.id.in_(made))
        assert {one.id for one in db.session.scalars(query)} == {
            key for key, name in made.items() if wanted(name.lower())
        }, how


def test_the_list_shows_all_of_them_once(make_user: Any, app: Flask, count_queries: Any, agent: User) -> None:
    names = ["Zoe", "adam", "Adam", "", "Émile", "adam", "b_b", "李雷"] * 3
    made = [make_user(name=name).id for name in names]
    records.change(db.session.get_one(User, made[1]), agent, tags=["vip"])
    for filters in (CustomerFilters(), CustomerFilters(sort=NEWEST)):
        found: list[int] = []
        after = ""
        while True:
            with count_queries() as statements:
                page = customers(filters, after, 5)
            assert len(statements) <= 5, statements
            found += [row.subject.id for row in page.rows]
            after = page.after
            if not after:
                break
        assert sorted(found) == made
    assert [row.subject.id for row in every_customer(CustomerFilters(sort=NEWEST))] == made[::-1]
    assert [row.subject.id for row in customers(CustomerFilters(), "!!!").rows]
    tagged = customers(CustomerFilters(tag="VIP")).rows
    assert [row.subject.id for row in tagged] == [made[1]] and tagged[0].record.tags[0].tag == "vip"


def test_the_list_is_narrowed(people: dict[str, User], boss: User, firm: Organization) -> None:
    def names(**values: Any) -> list[str]:
        return [row.subject.name for row in customers(CustomerFilters(**values)).rows]

    rows = [{"what": "orders", "how": "least", "value": "1"}]
    segment = segments.save(None, {"name": "Buyers", "conditions": rows}, boss)
    assert names(q="customer.exa") == names(segment_id=segment.id) == names(conditions=rows) == [_ANNA]
    assert names(q="600") == names(organization_id=firm.id) == names(q="berg cyc") == [_ANNA]
    assert names(q="%") == [_CY] and names(q="_") == []
    assert names(segment_id=10**6) == [] and names(subject="organization", q="BERG.") == ["Berg Cycles"]
    assert names(subject="organization", segment_id=segment.id) == []
    with transaction():
        people["anna"].active = False
    assert names() == [_BO, _CY], "who cannot sign in any more was merged or erased"


@pytest.mark.db
@pytest.mark.parametrize("what", ["since", "ordered", "wrote", "field:since"])
@pytest.mark.parametrize("how", ["before", "after"])
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_of_all_are_days(people: dict[str, User], what: str, how: str, day: str) -> None:
    how_ = f"day_{how}" if what.startswith("field:") else how
    assert bool(_find(what, how_, day)) == ((how == "before") == (day == "9999-12-31"))


@pytest.mark.db
@pytest.mark.parametrize("what", ["score", "orders", "open_tickets"])
def test_a_number_that_is_larger_than_any_is_compared_all_the_same(people: dict[str, User], what: str) -> None:
    assert _find(what, "least", "1000000000") == set()
    _find(what, "most", "1000000000")


@pytest.mark.parametrize("name", ["Ärger", "ВАЖНО"])
def test_a_name_of_other_letters_is_taken_as_well(app: Flask, name: str) -> None:
    data = {"name": name, "conditions": [{"what": "tag", "how": "has", "value": "vip"}]}
    segments.save(None, data, None)
    with pytest.raises(Invalid, match="of this name already"):
        segments.save(None, data, None)
