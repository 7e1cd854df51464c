"""What the plugin of customer records is given for its timeline: hook customers_timeline."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from helpdesk_upsell import suggestions

from helpdesk.api import Ticket, User, collect, db

Make = Callable[..., Any]


def _asked(viewer: User, person: User) -> list[str]:
    def newest(kind: str, query: Any, at: Any, number: Any) -> Any:
        assert kind == "upsell_offer"
        return db.session.scalars(query.order_by(at.desc(), number.desc())).all()

    def entry(kind: str, number: int, at: Any, title: str, **more: Any) -> str:
        assert more["url"] == f"/p/upsell/suggestions/{number}" and more["by"] == "Abe Agent"
        return title

    page = SimpleNamespace(
        person_ids=(person.id,), organization_id=None, viewer=viewer, newest=newest, entry=entry,
    )  # fmt: skip
    return [one for one in collect("customers_timeline", page=page) if isinstance(one, str)]


def test_offers_stand_in_the_timeline(
    app: Any, product: Make, rule: Make, solved: Ticket, anna: User, agent: User, make_user: Make
) -> None:
    """Those that were made, for who may see the ticket."""
    rule(product("PLUS", "Plus plan"))
    rule(product("BAG", "Bag"))
    rows = {row.sku: row for row in suggestions.show(solved, agent).rows}
    with app.test_request_context():
        assert _asked(agent, anna) == []
    suggestions.offer(rows["PLUS"], agent)
    with app.test_request_context():
        assert _asked(agent, anna) == ["Offered: Plus plan, €10.00"]
        assert _asked(agent, make_user()) == [] and _asked(anna, anna) == []
    suggestions.decline(rows["PLUS"], "price", "", agent)
    with app.test_request_context():
        assert _asked(agent, anna) == ["Offered and declined: Plus plan, €10.00"]
