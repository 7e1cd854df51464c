"""Rooms that plugins bring into the administration."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Blueprint

from helpdesk.plugins.contributions import Permission, Room
from helpdesk.plugins.hookspecs import hookimpl


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """One that has rooms, one that fails at them."""
    pages = Blueprint("orders", "orders")
    pages.add_url_rule("/prices", "prices", lambda: "prices")
    rooms = [
        Room("<b>Prices", "orders.prices", "What things cost", attention=3),
        Room("Shelves", "orders.prices", permission="orders.count"),
        Room("Vault", "orders.prices", permission="orders.nobody"),
        Room("Elsewhere", "admin.mail"),
    ]
    orders = SimpleNamespace(
        register_blueprints=hookimpl(lambda: [pages]),
        register_permissions=hookimpl(lambda: [Permission("orders.count", "Count")]),
        admin_rooms=hookimpl(lambda: rooms),
    )
    return {"orders": orders, "broken": SimpleNamespace(admin_rooms=hookimpl(lambda: 1 / 0))}


def test_a_room_stands_behind_the_desks_own_for_whoever_may_enter(as_admin: Any) -> None:
    answer = as_admin.get("/admin/")
    page = answer.text
    assert answer.status_code == 200 and "All settings" in page
    assert "&lt;b&gt;Prices" in page and "What things cost" in page and "3 need attention" in page
    assert "Shelves" in page and "/p/orders/prices" in page
    assert "Vault" not in page and "Elsewhere" not in page
