"""What the plugin of customer records is given for its timeline."""

from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk.api import Ticket, User, collect, db, hookimpl, hookspec, transaction


@pytest.fixture
def desk_plugins(desk_plugins: dict[str, Any]) -> dict[str, Any]:
    """This plugin, and one that asks for entries as that of customer records does."""

    @hookspec("slot")
    def customers_timeline(page: Any) -> list[Any]:
        """Entries of a page."""

    offers = hookimpl(lambda: [customers_timeline])
    return {**desk_plugins, "customers": SimpleNamespace(register_hookspecs=offers)}


def _page(viewer: User, person: User | None = None, organization_id: int | None = None) -> Any:
    def newest(kind: str, query: Any, at: Any, number: Any) -> Any:
        assert kind == "callbacks_call"
        return db.session.scalars(query.order_by(at.desc(), number.desc())).unique().all()

    def entry(kind: str, number: int, at: Any, title: str, **more: Any) -> Any:
        return SimpleNamespace(id=number, at=at, title=title, **more)

    people = (person.id,) if person is not None else ()
    return SimpleNamespace(
        person_ids=people, organization_id=organization_id, viewer=viewer, newest=newest, entry=entry
    )


def test_promised_calls_stand_in_the_timeline(
    app: Any, promise: Any, anna: User, agent: User, ticket: Ticket, make_user: Any, make_team: Any, count_queries: Any
) -> None:
    call = promise(reason="The offer")
    page = _page(agent, anna)
    assert agent.role and anna.id
    with app.test_request_context(), count_queries() as statements:
        (found,) = collect("customers_timeline", page=page)
    assert len(statements) == 1, statements
    assert (found.id, found.at, found.ticket, found.by) == (call.id, call.starts_at, ticket.id, "Abe Agent")
    assert found.title == "Promised call: Booked" and found.text == "The offer" and found.url.endswith(f"/{call.id}")
    with app.test_request_context():
        assert collect("customers_timeline", page=_page(agent, agent)) == []
        assert collect("customers_timeline", page=_page(agent, organization_id=1)) == []
    team, stranger = make_team("Board", private=True), make_user("agent")
    with transaction():
        ticket.team_id = team.id
    with app.test_request_context():
        assert collect("customers_timeline", page=_page(stranger, anna)) == []
