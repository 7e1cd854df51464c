"""The plugin that docs/plugins/howto/places.md and reports.md build, block by block, on the pages of a desk."""

import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from helpdesk.plugins import manager

HOWTO = Path(__file__).parents[2] / "docs" / "plugins" / "howto"
TEMPLATE = re.compile(r"^`templates/(shop/\w+\.html)`[^\n]*:\n\n```html\n(.*?)^```", re.DOTALL | re.MULTILINE)
PYTHON = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def _blocks() -> Iterator[str]:
    for page in ("places.md", "reports.md"):
        yield from PYTHON.findall((HOWTO / page).read_text("utf-8"))


@pytest.fixture
def desk_plugins(tmp_path: Path) -> dict[str, Any]:
    """The plugin ``shop``: what each block defines, together; the pages are those of the block that fills them."""
    shop = ModuleType("shop")
    shop.__file__ = str(tmp_path / "shop" / "__init__.py")
    for block in _blocks():
        names: dict[str, Any] = {"__name__": "shop"}
        exec(compile(block, "howto", "exec"), names)
        vars(shop).update({name: value for name, value in names.items() if name not in vars(shop)})
    for name, text in TEMPLATE.findall((HOWTO / "places.md").read_text("utf-8")):
        path = tmp_path / "shop" / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    filled = shop.pages
    shop.register_blueprints.__globals__["pages"] = filled
    return {"shop": shop}


def test_what_the_pages_build_works(
    app: Any, as_supervisor: Any, client: Any, make_ticket: Any, make_team: Any
) -> None:
    team = make_team()
    ticket = make_ticket("Where is my order? I have been waiting for it for more than two weeks", team=team)
    page = as_supervisor.get(f"/desk/tickets/{ticket.id}").text
    for words in ("Long subject", "Order again", "Place the order once more?", "/p/shop/prices", "Prices"):
        assert words in page, words
    assert "Customer since" in as_supervisor.get(f"/desk/tickets/{ticket.id}/side").text
    assert "your order is on its way." in as_supervisor.get(f"/desk/tickets/{ticket.id}/suggestions").text
    assert "Nothing here yet." in as_supervisor.get(f"/desk/people/{ticket.requester_id}").text
    assert "Orders to pack" in as_supervisor.get(f"/desk/teams/{team.id}").text
    assert "Orders today" in as_supervisor.get("/desk/dashboard/widgets").text
    assert 'title="Orders"' in as_supervisor.get("/desk/me").text
    assert "Nothing here yet." in as_supervisor.get("/p/shop/").text
    prices = as_supervisor.get("/p/shop/prices?product=chain").text
    assert 'data-insert="Chain: 24.50"' in prices and "Brake pads" not in prices
    again = as_supervisor.post(f"/p/shop/tickets/{ticket.id}/again")
    assert again.status_code == 303 and again.location.endswith(f"/desk/tickets/{ticket.id}")
    assert as_supervisor.post("/p/shop/tickets/999/again").status_code == 404
    assert manager.current().plugins["shop"].error == ""
    assert not [hook for hook, health in manager.current().plugins["shop"].health.items() if health.errors]


def test_customers_see_their_block(client: Any, make_user: Any) -> None:
    make_user("admin")
    assert "Monday to Friday, 9 to 17." in client.get("/").text


def test_the_report_works(as_supervisor: Any, make_ticket: Any) -> None:
    make_ticket()
    make_ticket()
    assert "How customers reach you." in as_supervisor.get("/desk/reports").text
    page = as_supervisor.get("/desk/reports/shop.channels").text
    assert re.search(r'<a href="/desk/views/all"><bdi>\w+</bdi></a></td><td class="r"><bdi>2</bdi>', page)
    assert "Counts the tickets that you can see." in page
