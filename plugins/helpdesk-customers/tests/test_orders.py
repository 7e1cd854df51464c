"""Orders, products and what they are worth: bad input, changes, currencies, fifths, and what leaves the year."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask
from helpdesk_customers import orders, ownership, records, worth
from helpdesk_customers.cli import recount
from helpdesk_customers.models import COUNTED, PERSON, Order, Ownership, Record, Worth, WorthBound
from helpdesk_customers.orders import CHANGED, CREATED, SAME, LineData, OrderData
from helpdesk_customers.settings import CustomerSettings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from helpdesk.api import Event, Invalid, NotAllowed, Organization, User, db, now, transaction


def _worths(subject: Any) -> dict[str, tuple[int, int]]:
    db.session.expire_all()
    record = records.record_of(subject)
    return {one.currency: (one.revenue, one.orders) for one in record.worths} if record is not None else {}


def test_an_order_counts_for_the_person_and_the_organization(order: Any, anna: User, firm: Organization) -> None:
    made = order(anna, {"bell": 1250, "Lamp ": 3000})
    assert made.amount == 4250 and [(one.position, one.sku) for one in made.lines] == [(1, "BELL"), (2, "LAMP")]
    assert made.organization_id == firm.id
    assert _worths(anna) == _worths(firm) == {"EUR": (4250, 1)}


def test_currencies_are_never_added_up(order: Any, anna: User) -> None:
    order(anna, {"bell": 1250})
    order(anna, {"bell": 900}, currency="JPY")
    order(anna, {"bell": 50}, currency="eur", amount=75)
    assert _worths(anna) == {"EUR": (1325, 2), "JPY": (900, 1)}


def test_the_same_order_twice_is_one(app: Flask, anna: User, run_jobs: Any) -> None:
    data = OrderData("7", "EUR", [LineData("bell", "", 2, 500)], source="shop", user_id=anna.id,
                     placed_at=datetime(2026, 1, 5, tzinfo=UTC))  # fmt: skip
    first, said = orders.save_order(data)
    assert said == CREATED and orders.save_order(data) == (first, SAME)
    changed = OrderData("7", "USD", [LineData("lamp", "", 1, 400)], source="shop", user_id=anna.id)
    again, said = orders.save_order(changed)
    assert (again.id, said, again.placed_at) == (first.id, CHANGED, first.placed_at)
    assert [one.sku for one in again.lines] == ["LAMP"]
    # The worth in the old currency is gone.
    assert set(_worths(anna)) == {"USD"}
    assert orders.save_order(OrderData("7", "EUR", source="till"))[1] == CREATED
    facts = db.session.scalars(db.select(Event.data).where(Event.kind == "customers_products_changed")).all()
    assert [fact["person_ids"] for fact in facts] == [[anna.id], [anna.id]]


def test_an_order_that_goes_to_somebody_else_leaves_the_first(order: Any, anna: User, make_user: Any) -> None:
    other = make_user()
    order(anna, {"bell": 500}, number="9")
    order(other, {"bell": 500}, number="9")
    assert _worths(anna) == {} and _worths(other) == {"EUR": (500, 1)}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"number": " "}, "number"),
        ({"number": "x" * 65}, "number"),
        ({"currency": "EURO"}, "currency"),
        ({"amount": -1}, "amount"),
        ({"amount": 10**14}, "amount"),
        ({"state": "lost"}, "state"),
        ({"user_id": 10**6}, "user_id"),
        ({"organization_id": 10**6}, "organization_id"),
        ({"placed_at": datetime(2026, 1, 1)}, "placed_at"),
        ({"lines": [LineData("", "", 1, 1)]}, "sku"),
        ({"lines": [LineData("bell", "", 0, 1)]}, "quantity"),
        ({"lines": [LineData("bell", "", 1, -1)]}, "amount"),
        ({"lines": [LineData("bell", "x" * 201, 1, 1)]}, "name"),
        ({"lines": [LineData("bell", "", 1, 1)] * 1001}, "lines"),
    ],
)
def test_what_cannot_be_an_order_is_refused(app: Flask, values: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        orders.save_order(OrderData(**{"number": "1", "currency": "EUR", **values}))
    assert refused.value.field == field
    assert db.session.scalar(db.select(Order)) is None


def test_cancelled_and_returned_orders_count_no_more(order: Any, anna: User, agent: User, boss: User) -> None:
    made = order(anna, {"bell": 500})
    order(anna, {"lamp": 700})
    orders.set_state(made, "returned", boss)
    assert _worths(anna) == {"EUR": (700, 1)} and ownership.owned_skus(anna.id) == {"LAMP"}
    with pytest.raises(NotAllowed):
        orders.set_state(made, "paid", agent)
    with pytest.raises(Invalid):
        orders.set_state(made, "stolen", boss)
    orders.set_state(made, "paid", boss)
    orders.remove(made, boss)
    assert _worths(anna) == {"EUR": (700, 1)} and orders.orders_of(anna)[0][0].lines[0].sku == "LAMP"


def test_orders_come_page_by_page(order: Any, anna: User, count_queries: Any) -> None:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    made = [
        order(anna, {"bell": 1, "lamp": 2}, placed_at=moment + timedelta(days=place // 3)).id for place in range(10)
    ]
    found, cursor = [], ""
    while True:
        with count_queries() as statements:
            rows, cursor = orders.orders_of(anna, cursor, 4)
        assert len(statements) <= 3, statements
        found += [row.id for row in rows]
        if not cursor:
            break
    assert found == made[::-1]
    assert [row.id for row in orders.orders_of(anna, "rubbish~x", 2)[0]] == made[:-3:-1]


@pytest.mark.db
@pytest.mark.parametrize(
    "cursor", ["x", "0001-01-01T00:00:00+14:00~1", "9999-12-31T23:59:59-14:00~1", f"2026-01-01T00:00:00+00:00~{10**17}"]
)
def test_a_place_that_is_none_begins_at_the_start(anna: User, order: Any, cursor: str) -> None:
    order(anna, {"bell": 60_000})
    assert len(orders.orders_of(anna, cursor, 4)[0]) == 1


def test_what_is_owned(order: Any, anna: User, firm: Organization, agent: User, make_user: Any) -> None:
    today = now().date()
    ownership.own(anna, "bike-7", agent, name="Bike", serial="W-1")
    ownership.own(anna, "bike-7", agent, name="The bike", serial="W-1", quantity=2)
    ownership.own(anna, "plan", agent, until=today - timedelta(days=1))
    ownership.own(anna, "soon", agent, since=today + timedelta(days=1))
    ended = ownership.own(anna, "today", agent, since=today, until=today)
    ownership.own(firm, "fleet", agent)
    order(anna, {"bell": 500})
    assert ownership.owned_skus(anna.id) == {"BIKE-7", "TODAY", "BELL"}
    other = make_user()
    assert ownership.owned_skus_of([anna.id, other.id])[other.id] == set()
    assert [(one.sku, one.name, one.quantity) for one in ownership.owned_of(anna)][0] == ("BIKE-7", "The bike", 2)
    assert len(ownership.owned_of(anna)) == 4 and len(ownership.owned_of(firm)) == 1
    ownership.disown(ended, agent)
    assert "TODAY" not in ownership.owned_skus(anna.id)
    for values, field in (
        ({"sku": " "}, "sku"), ({"quantity": 0}, "quantity"), ({"serial": "x" * 101}, "serial"),
        ({"since": date(2026, 2, 1), "until": date(2026, 1, 1)}, "until"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            ownership.own(anna, **{"sku": "a", "actor": agent, **values})
        assert refused.value.field == field
    with pytest.raises(NotAllowed):
        ownership.own(anna, "gold", anna)
    assert db.session.scalar(db.select(Ownership).where(Ownership.sku == "GOLD")) is None


def test_an_order_leaves_the_days_that_count(order: Any, anna: User, travel: Any, run_jobs: Any, app: Flask) -> None:
    order(anna, {"bell": 500}, placed_at=now() - timedelta(days=300))
    order(anna, {"lamp": 700})
    assert _worths(anna) == {"EUR": (1200, 2)}
    run_jobs()
    travel(days=100)
    run_jobs()
    assert _worths(anna) == {"EUR": (700, 1)}, "the schedule of the night counts it anew"
    kept = records.record_of(anna).worths[0]
    assert (kept.revenue_ever, kept.orders_ever) == (1200, 2)


def test_other_days_count_after_the_night(
    order: Any, anna: User, travel: Any, run_jobs: Any, configure: Any, app: Flask
) -> None:
    order(anna, {"bell": 500}, placed_at=now() - timedelta(days=400))
    order(anna, {"lamp": 700})
    run_jobs()
    configure(CustomerSettings, value_days=900)
    for _night in range(2):
        travel(days=1)
        run_jobs()
        assert _worths(anna) == {"EUR": (1200, 2)}
    with transaction():
        db.session.execute(db.update(Worth).values(revenue=1))
    travel(days=1)
    run_jobs()
    assert _worths(anna) == {"EUR": (1, 2)}, "nothing is counted anew without a reason"


def test_fifths_tell_the_best_from_the_others(order: Any, make_user: Any, firm: Organization, app: Flask) -> None:
    people = [make_user(name=f"Person {place}") for place in range(10)]
    for place, person in enumerate(people):
        order(person, {"bell": 100 * (place + 1)}, placed_at=now() - timedelta(days=50 - place))
    assert worth.rank() == 10
    found = [records.record_of(person).worths[0] for person in people]
    assert [one.monetary for one in found] == [one.recency for one in found] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    # All bought once: nobody stands out.
    assert {one.frequency for one in found} == {1} and found[-1].score == 11
    assert [(part.name, part.fifth, part.counted) for part in worth.parts_of(found[-1])][1:] == [
        ("frequency", 1, 1), ("monetary", 5, 1000),
    ]  # fmt: skip
    # Who buys again is placed at once, by the bounds of last night.
    order(people[0], {"bike": 90_000})
    again = records.record_of(people[0]).worths[0]
    assert (again.recency, again.frequency, again.monetary, again.score) == (5, 5, 5, 15)


def test_a_few_customers_are_not_compared(order: Any, make_user: Any) -> None:
    for _place in range(4):
        order(make_user(), {"bell": 100})
    worth.rank()
    assert set(db.session.scalars(db.select(Worth.score))) == {0}
    assert all(bound.most == [] for bound in db.session.scalars(db.select(WorthBound)))


@pytest.mark.parametrize("seed", range(8))
def test_fifths_are_monotone_and_the_best_is_best(order: Any, make_user: Any, seed: int) -> None:
    """Of those that were there when the bounds were found, and as they are counted anew by the same bounds."""
    amounts = [random.Random(seed).randrange(1 + seed * 7) * 100 for _place in range(7)]
    people = [order(make_user(), {"bell": amount}).user_id for amount in amounts]
    worth.rank()
    ranked = select(Record.user_id, Worth.revenue, Worth.monetary).join(Worth).order_by(Worth.revenue)
    rows = db.session.execute(ranked).all()
    found = [row.monetary for row in rows]
    assert found == sorted(found) and found[0] == 1 and set(found) <= {1, 2, 3, 4, 5}
    for share in range(1, 5):
        # No more than its share is above a bound.
        assert sum(one > share for one in found) <= len(found) * (5 - share) / 5
    with transaction():
        worth.recount(PERSON, records.ensure_many(PERSON, people))
    assert db.session.execute(ranked).all() == rows


_STEP = st.tuples(
    st.integers(0, 3),
    st.integers(0, 2),
    st.sampled_from(["EUR", "USD"]),
    st.integers(0, 10_000),
    st.sampled_from(["placed", "paid", "cancelled", "returned", "gone"]),
    st.integers(0, 800),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=st.lists(_STEP, max_size=12))
def test_counting_step_by_step_is_counting_at_once(steps: list[Any], make_user: Any, app: Flask, boss: User) -> None:
    """Orders come, change hands, are sent back and taken away: the kept worth is always what the orders say."""
    people = [make_user() for _place in range(3)]
    source = f"run {people[0].id}"
    for number, whose, currency, amount, state, days in steps:
        found = db.session.scalar(db.select(Order).where(Order.source == source, Order.number == str(number)))
        if state == "gone":
            if found is not None:
                orders.remove(found, boss)
            continue
        orders.save_order(
            OrderData(str(number), currency, amount=amount, state=state, source=source, user_id=people[whose].id,
                      placed_at=now() - timedelta(days=days))
        )  # fmt: skip
    begin = worth.window_start()
    for person in people:
        mine = db.session.scalars(db.select(Order).where(Order.user_id == person.id, Order.state.in_(COUNTED))).all()
        wanted = {
            currency: (
                sum(one.amount for one in mine if one.currency == currency and one.placed_at >= begin),
                sum(one.currency == currency and one.placed_at >= begin for one in mine),
            )
            for currency in {one.currency for one in mine}
        }
        assert _worths(person) == wanted
    before = _rows()
    with transaction():
        worth.recount_records(db.session.scalars(db.select(Record.id)).all())
    assert _rows() == before


def test_everything_is_counted_anew_by_hand(order: Any, anna: User, app: Flask) -> None:
    order(anna, {"bell": 500})
    with transaction():
        db.session.execute(db.update(Worth).values(revenue=1))
    said = CliRunner().invoke(recount).output
    assert "Counted 2 records" in said and _worths(anna) == {"EUR": (500, 1)}


def test_many_are_counted_with_few_queries(order: Any, make_user: Any, count_queries: Any) -> None:
    people = [make_user() for _place in range(30)]
    for person in people:
        order(person, {"bell": 1})
    ids = [person.id for person in people]
    with transaction(), count_queries() as statements:
        orders.settle(ids, [])
    assert len(statements) <= 10, statements


def _rows() -> list[Any]:
    db.session.expire_all()
    rows = db.session.execute(db.select(Worth.record_id, Worth.currency, Worth.revenue, Worth.orders, Worth.last_at))
    return sorted(tuple(row) for row in rows)
