"""The pieces of a distribution that docs/plugins/README.md shows make a plugin that works."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import inspect

from helpdesk.core import schema
from helpdesk.core.extensions import db
from helpdesk.core.models import Job
from helpdesk.plugins import manager

PAGE = (Path(__file__).parents[2] / "docs" / "plugins" / "README.md").read_text("utf-8")
PANEL, MODELS, REVISION, JOBS, _TEST = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


@pytest.fixture
def orders(tmp_path: Path) -> Iterator[ModuleType]:
    """The package of the page, importable during the test."""
    package = tmp_path / "packages" / "helpdesk_orders"
    for folder in ("migrations/versions", "templates/orders"):
        (package / folder).mkdir(parents=True)
    (package / "__init__.py").write_text(f"from helpdesk_orders import models\n{PANEL}\n{JOBS}", "utf-8")
    (package / "models.py").write_text(MODELS, "utf-8")
    (package / "migrations" / "versions" / "0001_orders.py").write_text(REVISION, "utf-8")
    (package / "templates" / "orders" / "panel.html").write_text("{{ count }} orders of #{{ ticket.number }}", "utf-8")
    sys.path.insert(0, str(package.parent))
    try:
        yield importlib.import_module("helpdesk_orders")
    finally:
        sys.path.remove(str(package.parent))
        for name in [name for name in sys.modules if name.startswith("helpdesk_orders")]:
            del sys.modules[name]
        # The table belongs to this test's plugin: no other test's metadata shall know it.
        db.metadata.remove(db.metadata.tables["orders_order"])


@pytest.fixture
def desk_plugins(orders: ModuleType) -> dict[str, Any]:
    return {"orders": orders}


def test_the_plugin_of_the_page_works(app: Any, as_agent: Any, make_ticket: Any, run_jobs: Any) -> None:
    assert manager.current().plugins["orders"].error == ""
    schema.upgrade()
    with db.engine.connect() as connection:
        assert {"orders_order", "alembic_version_orders"} <= set(inspect(connection).get_table_names())
    ticket = make_ticket()
    run_jobs()
    waiting = db.session.scalars(db.select(Job).where(Job.name == "orders.ask_again")).all()
    assert [job.args for job in waiting] == [{"ticket_id": ticket.id}]
    side = as_agent.get(f"/desk/tickets/{ticket.id}/side").data.decode()
    assert "Orders" in side and f"3 orders of #{ticket.number}" in side
    schema.downgrade("base", "orders")
    with db.engine.connect() as connection:
        assert "orders_order" not in inspect(connection).get_table_names()
