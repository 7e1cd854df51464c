"""Plugins on and off, paused and resting, as every process sees it."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import generation, plugin_states
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Job, PluginState
from helpdesk.core.plugin_states import UnknownPlugin
from helpdesk.plugins import manager
from helpdesk.plugins.health import Count

pytestmark = pytest.mark.db


def test_switched_off_and_on(app: Any, plug: Any) -> None:
    plug("probe", nav_items=lambda: [])
    assert plugin_states.switch("probe", False, None) and not plugin_states.switch("probe", False, None)
    assert not manager.current().is_on("probe")
    assert plugin_states.switch("probe", True, None) and not plugin_states.switch("probe", True, None)
    assert manager.current().is_on("probe")


def test_what_happens_before_every_worker_has_seen_it_is_told_a_little_later(app: Any, plug: Any) -> None:
    plug("probe", nav_items=lambda: [])
    plugin_states.switch("probe", False, None)
    switched = now()
    plugin_states.switch("probe", True, None)
    (due,) = db.session.scalars(select(Job.run_at).where(Job.name == "core.facts", Job.state == "waiting"))
    assert (due - switched).total_seconds() > generation.INTERVAL


def test_what_is_not_there_or_did_not_load_cannot_be_switched(app: Any, plug: Any) -> None:
    plug("broken", ticket_open=lambda: None)
    with pytest.raises(UnknownPlugin, match="There is no plugin “nothing”"):
        plugin_states.switch("nothing", True, None)
    with pytest.raises(UnknownPlugin, match="could not be loaded.*perhaps “ticket_opened” is meant"):
        plugin_states.switch("broken", True, None)


def test_paused_it_rests_in_every_process_until_it_is_switched_on(app: Any, make_app: Any, plug: Any) -> None:
    called: list[int] = []
    plug("probe", nav_items=lambda: called.append(1))
    manager.current().slot("nav_items", user=None)
    plugin_states.pause("probe", "It slept.")
    plugin_states.pause("probe", "It slept again.")
    manager.current().slot("nav_items", user=None)
    state = db.session.get_one(PluginState, "probe")
    assert len(called) == 1 and state.paused_reason == "It slept." and state.enabled
    assert plugin_states.switch("probe", True, None)
    manager.current().slot("nav_items", user=None)
    assert len(called) == 2 and db.session.get_one(PluginState, "probe").paused_at is None


def test_counts_of_all_processes_are_added_and_rests_told(app: Any, plug: Any) -> None:
    plug("probe", nav_items=lambda: 1 / 0)
    plugin_states.add_health([Count("probe", "nav_items", 3, 1, 0, 0.5, "ValueError: x")])
    assert plugin_states.resting() == {}
    for _turn in range(5):
        manager.current().slot("nav_items", user=None)
    plugin_states.add_health(manager.current().counts())
    assert plugin_states.resting().keys() == {"probe"} and plugin_states.resting()["probe"].keys() == {"nav_items"}
    # Switched off and on again it is tried at once, and nobody says that it rests.
    plugin_states.switch("probe", False, None)
    plugin_states.switch("probe", True, None)
    assert plugin_states.resting() == {}


def test_the_states_are_read_once_in_two_seconds(
    app: Any, plug: Any, count_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert generation.INTERVAL == 2
    # They must not pass meanwhile, on a slow machine.
    monkeypatch.setattr(generation, "INTERVAL", 3600.0)
    plug("probe", nav_items=lambda: [])
    generation.forget()
    with count_queries(clock=True) as statements:
        for _turn in range(20):
            manager.current().slot("nav_items", user=None)
            manager.current().slot("dashboard_widgets", user=None)
    assert len(statements) == 2, "the generation, and the states"
    generation.forget()
    with count_queries(clock=True) as statements:
        for _turn in range(20):
            manager.current().slot("dashboard_widgets", user=None)
    assert statements == [], "without an implementation nothing is asked"
