"""Recommendations: what fits a customer (1,000 orders, 10,000 products, 500 rules), and what is bought together in a
million order lines.
"""

import random
import resource
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from helpdesk_customers.api import Order, OrderLine, note_consent
from helpdesk_upsell import mining, profiles, recommending, rules, suggestions
from helpdesk_upsell.models import CATALOGUE, TOGETHER, Price, Product, Relation
from sqlalchemy import func, insert, select

from benchmarks.figures import Figure
from benchmarks.pages import _fill
from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, User
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import solve

PRODUCTS, RULES, ORDERS_OF_ONE, BASKETS, LINES_EACH = 10_000, 500, 1_000, 250_000, 4
LONGEST, SLOWEST, LARGEST, TURNS = 20.0, 120.0, 1_000.0, 50
_BATCH = 20_000


def measure() -> list[Figure]:
    """On one desk, on SQLite; 5,000 tickets beside it."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder)))
        with app.app_context():
            schema.upgrade()
            _fill(5_000)
            ticket = _a_ticket()
            _catalogue()
            _orders(db.session.get_one(Ticket, ticket).requester_id)
            figures = _together()
            _rules()
            figures += _panel(ticket)
            db.session.remove()
            db.engine.dispose()
    return figures


def _sku(number: int) -> str:
    return f"SKU-{number:05d}"


def _a_ticket() -> int:
    """A solved ticket of a customer who has agreed to offers and has no other one that is open."""
    person = User(email="buyer@post.example", name="Bo Buyer")
    ticket = db.session.scalar(select(Ticket).where(Ticket.category == "open").limit(1))
    assert ticket is not None
    with transaction():
        db.session.add(person)
        db.session.flush()
        ticket.requester_id = person.id
    note_consent(person, "offers", True, None, way="form", words="Yes")
    solve(ticket, None)
    return ticket.id


def _catalogue() -> None:
    with transaction():
        rows = [
            {"sku": _sku(number), "texts": {"en": {"name": f"Product {number}", "pitch": "Good."}}, "margin": 30}
            for number in range(PRODUCTS)
        ]
        db.session.execute(insert(Product), rows)
        numbers = list(db.session.scalars(select(Product.id).order_by(Product.id)))
        db.session.execute(
            insert(Price),
            [{"product_id": one, "currency": "EUR", "period": "once", "amount": 1_000 + one} for one in numbers],
        )
        db.session.execute(
            insert(Relation),
            [{"product_id": numbers[n], "kind": "goes_with", "other_id": numbers[n + 1]} for n in range(0, 5_000, 2)],
        )


def _orders(buyer: int) -> None:
    """A million lines; few products are bought often. The first 1,000 orders are the buyer's."""
    chance = random.Random(12)
    moment = now()
    for start in range(0, BASKETS, _BATCH):
        many = range(start, min(start + _BATCH, BASKETS))
        with transaction():
            orders: list[dict[str, Any]] = [
                {"id": n + 1, "source": "bench", "number": str(n), "currency": "EUR", "amount": 4_000,
                 "placed_at": moment, "user_id": buyer if n < ORDERS_OF_ONE else None}
                for n in many
            ]  # fmt: skip
            db.session.execute(insert(Order), orders)
            lines = [
                {"order_id": n + 1, "position": place, "sku": _sku(int(PRODUCTS * chance.random() ** 2.5)),
                 "amount": 1_000}
                for n in many
                for place in range(LINES_EACH)
            ]  # fmt: skip
            db.session.execute(insert(OrderLine), lines)


def _together() -> list[Figure]:
    begun = time.perf_counter()
    count = mining.mine_now()
    seconds = time.perf_counter() - begun
    lines = db.session.scalar(select(func.count()).select_from(OrderLine)) or 0
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    db.session.rollback()
    return [
        Figure(f"co-purchase over {lines:,} order lines ({count.pairs:,} pairs)", seconds, "s", most=SLOWEST),
        Figure("the most memory of the process until then", memory, "MB", most=LARGEST),
    ]


def _rules() -> None:
    """Five hundred, of which a hundred hold for this customer."""
    products = db.session.scalars(select(Product).order_by(Product.id.desc()).limit(RULES)).all()
    for number, product in enumerate(products):
        least = 1 if number % 5 == 0 else 1_000_000
        conditions = [
            {"what": "orders_least", "value": least},
            {"what": "owns_not", "value": [product.sku]},
            {"what": "language", "value": ["en", "de"]},
        ]
        kind = {0: TOGETHER, 5: CATALOGUE}.get(number, "product")
        values = {"name": f"Rule {number}", "kind": kind, "conditions": conditions, "holdout": 0}
        rules.switch_rule(rules.save_rule(None, {**values, "product": product}, None), True, None)


def _panel(number: int) -> list[Figure]:
    """What fits, from what is prepared; then the panel of a ticket whose suggestions were shown."""
    ticket = db.session.get_one(Ticket, number)
    begun = time.perf_counter()
    recommending.advice(ticket)
    unprepared = 1_000 * (time.perf_counter() - begun)
    with transaction():
        profiles.known(ticket.requester, keep=True)
    found = recommending.advice(db.session.get_one(Ticket, number))
    assert len(found.suggestions) == 3, found
    times = []
    for _turn in range(TURNS):
        db.session.rollback()
        begun = time.perf_counter()
        recommending.advice(db.session.get_one(Ticket, number))
        times.append(1_000 * (time.perf_counter() - begun))
    suggestions.show(db.session.get_one(Ticket, number), None)
    shown = []
    for _turn in range(TURNS):
        db.session.rollback()
        ticket = db.session.get_one(Ticket, number)
        begun = time.perf_counter()
        suggestions.of_ticket(ticket)
        shown.append(1_000 * (time.perf_counter() - begun))
    what = f"what fits a customer with {ORDERS_OF_ONE:,} orders, {PRODUCTS:,} products, {RULES} rules"
    return [
        Figure(f"{what}, median", statistics.median(times), "ms", most=LONGEST),
        Figure("the same, 95 of 100 within", sorted(times)[int(len(times) * 0.95)], "ms"),
        Figure("the first time, with nothing prepared", unprepared, "ms"),
        Figure("the panel once it was shown, median", statistics.median(shown), "ms", most=LONGEST),
    ]
