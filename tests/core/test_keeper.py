"""The keeper acts on what hangs: it pauses, replaces, and hands over what it cannot write itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from helpdesk.core import generation
from helpdesk.core.extensions import db
from helpdesk.core.keeper import Keeper
from helpdesk.core.models import PluginState
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager
from helpdesk.plugins.watch import HUNG, SLOW, STUCK, Alarm
from helpdesk.testing.served import wait_for


@pytest.fixture
def replaced() -> list[bool]:
    return []


@pytest.fixture
def keeper(app: Any, plug: Any, replaced: list[bool]) -> Keeper:
    plug("probe", nav_items=lambda: [])
    return Keeper(app, lambda: replaced.append(True))


def alarm(limit: float, writes: bool = False) -> Alarm:
    return Alarm(limit, "probe", "nav_items", limit, "probe.py, line 1, in nav_items", writes)


def is_paused() -> bool:
    db.session.remove()
    state = db.session.get(PluginState, "probe")
    return state is not None and state.paused_at is not None


@contextmanager
def writing(keeper: Keeper) -> Iterator[Any]:
    """Its part that writes, running; it has ended before its database goes."""
    clerk = keeper._clerk
    clerk.start()
    try:
        yield clerk
    finally:
        clerk.stops.set()
        clerk.join(60)
        assert not clerk.is_alive()


@pytest.fixture
def clerk(keeper: Keeper) -> Iterator[Any]:
    with writing(keeper) as clerk:
        yield clerk


def test_slow_is_only_said(keeper: Keeper, replaced: list[bool]) -> None:
    keeper._act(alarm(SLOW))
    assert replaced == [] and keeper._clerk.pauses.waiting() == {}


def test_hung_is_paused_and_stuck_replaced(keeper: Keeper, clerk: Any, replaced: list[bool]) -> None:
    keeper._act(alarm(HUNG))
    assert replaced == []
    wait_for(is_paused)
    reason = db.session.get_one(PluginState, "probe").paused_reason
    assert "probe has been in nav_items for 10 s (probe.py, line 1" in reason
    keeper._act(alarm(STUCK))
    keeper._act(alarm(STUCK))
    assert replaced == [True], "once"


def test_hung_in_a_transaction_is_replaced_at_once_and_paused_by_another_process(
    app: Any, keeper: Keeper, replaced: list[bool]
) -> None:
    with transaction():
        # Whoever hangs holds the writer's lock: the keeper itself must not wait for it.
        keeper._act(alarm(HUNG, writes=True))
    assert replaced == [True] and keeper._clerk.stops.is_set() and not is_paused()
    other = Keeper(app, lambda: None)
    with writing(other) as clerk:
        wait_for(is_paused)
        wait_for(lambda: clerk.pauses.waiting() == {})


def test_a_restart_that_is_asked_for_is_heard(app: Any, clerk: Any, replaced: list[bool]) -> None:
    wait_for(lambda: clerk._began_with is not None)
    with transaction():
        generation.ask_restart()
    wait_for(lambda: replaced == [True])


def test_one_that_was_asked_for_while_plugins_were_imported_is_heard(app: Any, plug: Any, replaced: list[bool]) -> None:
    generation.note_beginning()
    with transaction():
        generation.ask_restart()
    keeper = Keeper(app, lambda: replaced.append(True))
    with writing(keeper):
        wait_for(lambda: replaced == [True])


def test_a_full_disk_does_not_end_the_watch(
    keeper: Keeper, replaced: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_alarm: Alarm) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(keeper._clerk.pauses, "leave", full)
    monkeypatch.setattr(keeper._plugins, "look", lambda: [alarm(HUNG), alarm(STUCK)])
    keeper._look()
    assert replaced == [True]


def test_one_that_cannot_have_itself_replaced_goes_all_the_same(app: Any, plug: Any) -> None:
    def gone() -> None:
        raise ProcessLookupError

    keeper = Keeper(app, gone)
    keeper._act(alarm(STUCK))
    assert keeper._ends_at is not None and keeper._clerk.stops.is_set()
    with pytest.raises(ProcessLookupError):
        # A restart is asked for again then.
        Keeper(app, gone).leave()


def test_health_of_this_process_is_added_up(app: Any, keeper: Keeper, monkeypatch: pytest.MonkeyPatch) -> None:
    from helpdesk.core import keeper as module
    from helpdesk.core.models import PluginHealth

    monkeypatch.setattr(module, "_COUNT", 0.0)
    manager.current().slot("nav_items", user=None)

    def counted() -> bool:
        db.session.remove()
        return db.session.scalar(db.select(PluginHealth.calls).where(PluginHealth.plugin == "probe")) == 1

    with writing(keeper):
        wait_for(counted)
