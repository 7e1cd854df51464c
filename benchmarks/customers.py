"""Customers: 200,000 orders counted, the list and its segments, the record and its timeline, with 20,000 people."""

import random
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from helpdesk_customers import fields, orders, segments, timeline, worth
from helpdesk_customers.cli import recount
from helpdesk_customers.models import FieldValue, Order, OrderLine, Record, RecordTag, Segment
from sqlalchemy import func, insert, select

from benchmarks.figures import Figure
from benchmarks.pages import _fill, _measure_page
from helpdesk.app import create_app
from helpdesk.core import schema, sign_in_sessions
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Organization, User
from helpdesk.core.transaction import transaction

TICKETS, PEOPLE, ORDERS, PRODUCTS, DAYS = 2_000, 20_000, 200_000, 2_000, 1_000
SLOWEST = 300.0
_BATCH, _ROUNDS = 5_000, 20
_TAGS = ("vip", "late", "commuter", "dealer")


def measure() -> list[Figure]:
    """One after the other on one desk, on SQLite: orders and lines over three years, 1,000 of them one customer's."""
    random.seed(20_261_128)
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            agent = _fill(TICKETS)
            with transaction():
                db.session.get_one(User, agent).role = "admin"
            people = _people()
            busiest = people[0]
            _orders(people)
            figures = _count()
            db.session.execute(db.text("ANALYZE"))
            db.session.commit()
            figures += _segments(busiest)
            figures += _single(busiest, agent)
            segment = db.session.scalar(select(Segment.id).order_by(Segment.id))
            login = sign_in_sessions.begin(db.session.get_one(User, agent))
            db.session.remove()
        figures += _pages(app, login, busiest, segment)
        with app.app_context():
            db.engine.dispose()
    return figures


def _people() -> list[int]:
    """Customers of 1,000 organizations, with a tag and a number each."""
    field = fields.save_field(None, {"label": "Shoe size", "kind": "number"}, None).id
    with transaction():
        db.session.execute(insert(Organization), [{"name": f"Firm {place}"} for place in range(1_000)])
    firms = list(db.session.scalars(select(Organization.id)))
    for start in range(0, PEOPLE, _BATCH):
        with transaction():
            rows: list[dict[str, Any]] = [
                {"email": f"p{place}@post.example", "name": f"Person {place}", "organization_id": random.choice(firms)}
                for place in range(start, start + _BATCH)
            ]
            db.session.execute(insert(User), rows)
    people = list(db.session.scalars(select(User.id).where(User.email.like("p%@post.example")).order_by(User.id)))
    for start in range(0, PEOPLE, _BATCH):
        part = people[start : start + _BATCH]
        with transaction():
            db.session.execute(insert(Record), [{"user_id": number, "birthday": 531} for number in part])
            records = list(db.session.scalars(select(Record.id).where(Record.user_id.in_(part))))
            tags: list[dict[str, Any]] = [{"record_id": one, "tag": random.choice(_TAGS)} for one in records]
            db.session.execute(insert(RecordTag), tags)
            values: list[dict[str, Any]] = [
                {"record_id": one, "field_id": field, "number": random.randrange(30, 50) * 1_000_000} for one in records
            ]
            db.session.execute(insert(FieldValue), values)
    return people


def _orders(people: list[int]) -> None:
    """Two lines in each order; the first customer has a thousand orders, the others about ten."""
    moment = now()
    firm_of = dict(db.session.execute(select(User.id, User.organization_id)).all())
    for start in range(0, ORDERS, _BATCH):
        rows: list[dict[str, Any]] = []
        lines: list[dict[str, Any]] = []
        for number in range(start + 1, start + _BATCH + 1):
            owner = people[0] if number % 200 == 0 else random.choice(people)
            rows.append(
                {"id": number, "source": "shop", "number": str(number), "user_id": owner, "amount": 0, "state": "paid",
                 "organization_id": firm_of[owner], "currency": "EUR" if number % 10 else "USD",
                 "placed_at": moment - timedelta(minutes=random.randrange(DAYS * 1_440)), "created_at": moment}
            )  # fmt: skip
            for position in (1, 2):
                price = random.randrange(100, 20_000)
                rows[-1]["amount"] += price
                lines.append(
                    {"order_id": number, "position": position, "sku": f"SKU-{random.randrange(PRODUCTS)}",
                     "name": "A product", "quantity": 1, "amount": price}
                )  # fmt: skip
        with transaction():
            db.session.execute(insert(Order), rows)
            db.session.execute(insert(OrderLine), lines)


def _count() -> list[Figure]:
    with transaction():
        firms = list(db.session.scalars(select(Organization.id)))
        db.session.execute(insert(Record), [{"organization_id": number} for number in firms])
    begun = time.perf_counter()
    for numbers in worth.batches():
        with transaction():
            worth.recount_records(numbers)
    counted = time.perf_counter() - begun
    begun = time.perf_counter()
    worth.rank()
    ranked = time.perf_counter() - begun
    return [
        Figure(
            f"the value of {PEOPLE:,} customers counted from {ORDERS:,} orders (`{recount.name}`)", counted, "s", 300
        ),
        Figure("their fifths found and written", ranked, "s", 60),
    ]


def _segments(busiest: int) -> list[Figure]:
    conditions = [
        {"what": "tag", "how": "has", "value": "vip"},
        {"what": "field:shoe_size", "how": "number_least", "value": "40"},
        {"what": "revenue", "how": "least", "value": "500 EUR"},
        {"what": "owns", "how": "lacks", "value": "SKU-7"},
        {"what": "ordered", "how": "within", "value": "90"},
    ]
    segment = segments.save(None, {"name": "Campaign", "conditions": conditions}, None)
    for place in range(49):
        row = {"what": "owns", "how": "has", "value": f"SKU-{place}"}
        segments.save(None, {"name": f"Buyers {place}", "conditions": [row, *conditions[:3]]}, None)
    person = db.session.get_one(User, busiest)
    return [
        Figure(
            f"a segment of five conditions counted, {PEOPLE:,} customers", _time(lambda: segments.count(segment)), "ms"
        ),
        Figure("which of 50 segments a customer is in", _time(lambda: segments.segments_of(person)), "ms", SLOWEST),
    ]


def _single(busiest: int, agent: int) -> list[Figure]:
    person, viewer = db.session.get_one(User, busiest), db.session.get_one(User, agent)
    number = db.session.scalar(select(func.count(Order.id)).where(Order.user_id == busiest)) or 0
    first = timeline.page(person, viewer)
    cursor = first.next_cursor
    for _turn in range(20):
        cursor = timeline.page(person, viewer, cursor).next_cursor
    taken = iter(range(10_000))

    def save() -> None:
        data = orders.OrderData(f"new-{next(taken)}", "EUR", [orders.LineData("SKU-1", "", 1, 500)], user_id=busiest)
        orders.save_order(data)

    return [
        Figure(f"a page of the timeline, {number:,} orders", _time(lambda: timeline.page(person, viewer)), "ms", 50),
        Figure("the same, 20 pages down", _time(lambda: timeline.page(person, viewer, cursor)), "ms", 50),
        Figure(f"an order taken in and counted, {number:,} orders", _time(save), "ms", 50),
    ]


def _time(call: Callable[[], Any]) -> float:
    """The median of some rounds, in milliseconds."""
    found = []
    for _turn in range(_ROUNDS):
        begun = time.perf_counter()
        call()
        found.append(1_000 * (time.perf_counter() - begun))
        db.session.rollback()
    return sorted(found)[len(found) // 2]


def _pages(app: Flask, login: str, busiest: int, segment: Any) -> list[Figure]:
    pages = [
        ("the list", "/p/customers/"),
        ("the list, one segment", f"/p/customers/?segment={segment}"),
        ("a record", f"/p/customers/people/{busiest}"),
    ]
    figures = []
    for name, path in pages:
        queries, milliseconds = _measure_page(app, login, path)
        figures.append(Figure(f"{name}, {PEOPLE:,} customers", milliseconds, "ms", SLOWEST))
        figures.append(Figure(f"{name}, {PEOPLE:,} customers", queries, "queries"))
    return figures
