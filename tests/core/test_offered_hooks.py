"""Hooks that one plugin offers and others implement: ask, collect, publish."""

from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk.api import Tag, UnknownHook, ask, collect, db, hookimpl, hookspec, publish, transaction
from helpdesk.core import plugin_states, schema
from helpdesk.core.events import dispatch
from helpdesk.core.models import Event, Job
from helpdesk.plugins import manager

# None of the desk's own schedules falls due between two looks.
pytestmark = pytest.mark.usefixtures("nothing_daily")


@hookspec("answer")
def orders_find_price(article: str, currency: str) -> Any:
    """The price of an article, or None."""


@hookspec("slot")
def orders_shops(country: str) -> Any:
    """Names of shops."""


@hookspec("fact")
def orders_paid(number: str, amount: int) -> None:
    """An order was paid."""


def provider() -> Any:
    return SimpleNamespace(register_hookspecs=hookimpl(lambda: [orders_find_price, orders_shops, orders_paid]))


def implementer(heard: list[Any]) -> Any:
    """It names only the arguments that it wants."""

    def find(article: str) -> Any:
        if article == "raise":
            raise RuntimeError("no price")
        return 5 if article == "bell" else None

    def paid(number: str) -> None:
        heard.append(number)
        if number == "raise":
            raise RuntimeError("not today")

    optional: Any = {"optionalhook": True}
    return SimpleNamespace(
        orders_find_price=hookimpl(**optional)(find),
        orders_shops=hookimpl(**optional)(lambda country: [f"Larkwheel {country}", "Ember"]),
        orders_paid=hookimpl(**optional)(paid),
    )


@pytest.fixture
def heard() -> list[Any]:
    return []


@pytest.fixture(params=["the provider first", "the provider last"])
def desk_plugins(request: Any, heard: list[Any]) -> dict[str, Any]:
    both = {"orders": provider(), "prices": implementer(heard)}
    return both if request.param == "the provider first" else dict(reversed(both.items()))


@pytest.fixture(autouse=True)
def _all_loaded(app: Any) -> None:
    assert [plugin.error for plugin in manager.current().plugins.values()] == ["", ""]


def test_ask_and_collect(app: Any) -> None:
    assert ask("orders_find_price", article="bell", currency="EUR") == 5
    assert ask("orders_find_price", article="saddle", currency="EUR") is None
    assert ask("orders_find_price", article="raise", currency="EUR") is None
    assert collect("orders_shops", country="NL") == ["Larkwheel NL", "Ember"]


def test_an_implementation_that_fails_silences_no_other(app: Any, plug: Any) -> None:
    def fail() -> Any:
        raise RuntimeError("no luck")

    broken = plug("broken", orders_find_price=fail, orders_shops=fail)
    plug("third", orders_find_price=lambda: 7, orders_shops=lambda: ["Third"])
    assert ask("orders_find_price", article="saddle", currency="EUR") == 7
    assert sorted(collect("orders_shops", country="NL")) == ["Ember", "Larkwheel NL", "Third"]
    assert broken.health["orders_shops"].errors == 1


@pytest.mark.db
def test_a_fact_is_told_after_the_commit_once(app: Any, heard: list[Any], run_jobs: Any, travel: Any) -> None:
    dispatch.dispatch()
    with pytest.raises(ZeroDivisionError):
        with transaction():
            publish("orders_paid", number="L-0", amount=1)
            raise ZeroDivisionError
    with transaction():
        event = publish("orders_paid", number="L-1", amount=20)
        assert event is not None and heard == []
    run_jobs()
    # PostgreSQL has given the number of the first to nobody; whether it will ever come is known after a second.
    travel(seconds=2)
    run_jobs()
    dispatch.dispatch()
    assert heard == ["L-1"]
    stored = db.session.scalars(db.select(Event)).one()
    assert (stored.kind, stored.data) == ("orders_paid", {"number": "L-1", "amount": 20})


@pytest.mark.db
def test_a_fact_that_a_plugin_fails_on_is_told_again_and_to_no_other(
    app: Any, heard: list[Any], run_jobs: Any, travel: Any, plug: Any
) -> None:
    sound: list[int] = []

    def hear(amount: int) -> None:
        db.session.add(Tag(name=f"paid {amount}"))
        sound.append(amount)

    plug("sound", orders_paid=hear)
    schema.upgrade()
    with transaction():
        publish("orders_paid", number="raise", amount=1)
        publish("orders_paid", number="L-2", amount=2)
    run_jobs()
    # Once more at once, and then after growing pauses.
    assert heard == ["raise", "L-2", "raise"] and sound == [1, 2]
    travel(hours=1)
    run_jobs()
    assert heard == ["raise", "L-2", "raise", "raise"] and sound == [1, 2]
    assert db.session.scalar(db.select(db.func.count()).select_from(Tag)) == 2


def test_every_event_is_told_to_those_that_listen_to_all(app: Any, plug: Any, run_jobs: Any) -> None:
    kinds: list[str] = []
    plug("listener", event_recorded=lambda event: kinds.append(event.kind))
    schema.upgrade()
    with transaction():
        publish("orders_paid", number="L-1", amount=1)
    run_jobs()
    assert kinds == ["orders_paid"]


def test_a_provider_that_is_off_offers_nothing(app: Any, heard: list[Any], run_jobs: Any) -> None:
    plugin_states.switch("orders", False, None)
    assert ask("orders_find_price", article="bell", currency="EUR") is None
    assert collect("orders_shops", country="NL") == []
    with transaction():
        assert publish("orders_paid", number="L-1", amount=1) is None
    run_jobs()
    assert heard == [] and db.session.scalars(db.select(Event)).all() == []


def test_an_implementer_that_is_off_is_not_asked(app: Any, heard: list[Any], run_jobs: Any) -> None:
    plugin_states.switch("prices", False, None)
    assert ask("orders_find_price", article="bell", currency="EUR") is None
    assert collect("orders_shops", country="NL") == []
    with transaction():
        publish("orders_paid", number="L-1", amount=1)
    run_jobs()
    assert heard == []


def test_a_provider_that_is_missing_harms_nobody(make_app: Any, heard: list[Any]) -> None:
    with make_app({"prices": implementer(heard)}).app_context():
        assert manager.current().plugins["prices"].loaded
        with pytest.raises(UnknownHook, match="No plugin offers the hook “orders_find_price”"):
            ask("orders_find_price", article="bell", currency="EUR")


def test_a_wrong_call_says_what_to_change(app: Any) -> None:
    with pytest.raises(UnknownHook, match="correct its name"):
        ask("orders_price", article="bell")
    with pytest.raises(UnknownHook, match="No plugin offers"):
        ask("choose_team", draft=None)
    with pytest.raises(UnknownHook, match="of the kind answer; call it with ask, not collect"):
        collect("orders_find_price", article="bell", currency="EUR")
    with pytest.raises(UnknownHook, match="call it with collect, not publish"), transaction():
        publish("orders_shops", country="NL")
    with pytest.raises(UnknownHook, match="call it with publish, not ask"):
        ask("orders_paid", number="1", amount=1)
    with pytest.raises(TypeError, match="takes article, currency; it was called with article"):
        ask("orders_find_price", article="bell")
    with pytest.raises(TypeError, match="it was called with country, planet"):
        collect("orders_shops", country="NL", planet="Mars")
    with pytest.raises(ValueError, match="must be JSON"), transaction():
        publish("orders_paid", number=object(), amount=1)
    with pytest.raises(RuntimeError, match="inside the transaction"):
        publish("orders_paid", number="1", amount=1)
    assert db.session.scalars(db.select(Job)).all() == []
