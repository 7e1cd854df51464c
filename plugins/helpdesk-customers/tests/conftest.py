"""What most tests begin with: an agent, who looks after everything, and a customer with an organization."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from helpdesk_customers import orders
from helpdesk_customers.models import Order
from helpdesk_customers.orders import LineData, OrderData

from helpdesk.api import Organization, User, db, transaction


@pytest.fixture
def agent(make_user: Any) -> User:
    return make_user("agent", name="Abe Agent")


@pytest.fixture
def boss(make_user: Any) -> User:
    return make_user("admin", name="Bea Boss")


@pytest.fixture
def firm(app: Any) -> Organization:
    with transaction():
        made = Organization(name="Berg Cycles")
        db.session.add(made)
    return made


@pytest.fixture
def anna(make_user: Any, firm: Organization) -> User:
    made = make_user(name="Anna Berg", email="anna@customer.example")
    with transaction():
        made.organization_id = firm.id
    return made


@pytest.fixture
def order(app: Any) -> Callable[..., Order]:
    """An order of somebody: SKUs with a price each in minor units, paid in euros unless something else is said."""
    counted = iter(range(1, 10_000))

    def make(person: User | None, prices: dict[str, int], **values: Any) -> Order:
        lines = [LineData(sku, f"The {sku}", 1, price) for sku, price in prices.items()]
        usual: dict[str, Any] = {
            "number": f"A-{next(counted)}", "currency": "EUR", "lines": lines,
            "user_id": person.id if person is not None else None,
        }  # fmt: skip
        return orders.save_order(OrderData(**{**usual, **values}))[0]

    return make


@pytest.fixture
def program(app: Flask) -> Callable[..., str]:
    """Run ``helpdesk`` with these words on the desk, as an operator does; what it prints. Such a test is of SQLite."""

    def run(*words: str, status: int = 0, data: bytes = b"") -> str:
        db.session.rollback()
        done = subprocess.run(
            [sys.executable, "-m", "helpdesk.cli", *words],
            capture_output=True, input=data, env={**os.environ, "HELPDESK_HOME": str(app.config["HELPDESK"].home)},
        )  # fmt: skip
        db.session.expire_all()
        assert done.returncode == status, done.stderr.decode()
        return done.stdout.decode()

    return run


def day(year: int, month: int, number: int) -> datetime:
    """Noon of a day (UTC)."""
    return datetime(year, month, number, 12, tzinfo=UTC)
