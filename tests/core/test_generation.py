"""Cached values are never older than the number that they stand under."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import generation, plugin_states, settings
from helpdesk.core.extensions import db
from helpdesk.core.models import Generation
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.db


@contextmanager
def elsewhere(app: Any) -> Iterator[Any]:
    """A thread with a session of its own, which does one thing after the other when it is told."""
    wanted: list[Any] = []
    answers: list[Any] = []
    told, done = threading.Semaphore(0), threading.Semaphore(0)

    def work() -> None:
        with app.app_context():
            while told.acquire() and wanted:
                try:
                    answers.append(wanted.pop()())
                finally:
                    done.release()
            db.session.remove()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()

    def run(what: Any) -> Any:
        wanted.append(what)
        told.release()
        assert done.acquire(timeout=60)
        return answers.pop()

    try:
        yield run
    finally:
        told.release()
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def no_time_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is, nobody looks because two seconds are over."""
    monkeypatch.setattr(generation, "INTERVAL", 3600.0)


def snapshot() -> int | None:
    return db.session.scalar(select(Generation.number))


def overdue(app: Any) -> None:
    """As if two seconds had passed."""
    app.extensions[generation.EXTENSION].checked -= generation.INTERVAL


def test_what_an_old_snapshot_shows_is_not_kept_under_a_newer_number(app: Any, plug: Any) -> None:
    plug("probe", nav_items=lambda: [])
    with elsewhere(app) as slow, elsewhere(app) as other:
        slow(snapshot)
        plugin_states.switch("probe", False, None)
        other(lambda: settings.get(DeskSettings))
        # On SQLite it still sees the plugin on, and may; nobody else may because of it.
        slow(plugin_states.states)
        assert other(plugin_states.states).off == plugin_states.states().off == {"probe"}


def test_an_old_snapshot_does_not_put_off_the_next_look(app: Any, make_app: Any, plug: Any) -> None:
    """Neither in the process that made the change nor does the number go back."""
    plug("probe", nav_items=lambda: [])
    with elsewhere(app) as slow, elsewhere(app) as other:
        slow(snapshot)
        plugin_states.switch("probe", False, None)
        slow(plugin_states.states)
        assert other(plugin_states.states).off == {"probe"}
        overdue(app)
        slow(plugin_states.states)
        assert other(plugin_states.states).off == {"probe"}


def test_an_old_snapshot_asks_once(app: Any, plug: Any, count_queries: Any, no_time_passes: None) -> None:
    plug("probe", nav_items=lambda: [])
    with elsewhere(app) as slow:
        slow(snapshot)
        plugin_states.switch("probe", False, None)
        with count_queries(clock=True) as statements:
            for _turn in range(5):
                slow(plugin_states.states)
        assert len(statements) == 2, "the number, and the states"


def test_what_is_rolled_back_was_never_cached(app: Any) -> None:
    with pytest.raises(ZeroDivisionError), transaction():
        settings.save(DeskSettings, {"name": "Never"}, None)
        assert generation.cached("probe", lambda: settings._load(DeskSettings).name) == "Never"
        raise ZeroDivisionError
    assert generation.cached("probe", lambda: settings._load(DeskSettings).name) == "Help desk"


def test_an_older_database_in_its_place_is_believed_in_the_end(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "_OLDEST_SNAPSHOT", 3600.0)
    with transaction():
        generation.bump()
    before = settings.get(DeskSettings)
    with transaction():
        db.session.execute(db.update(Generation).values(number=1))
    overdue(app)
    assert settings.get(DeskSettings) is before
    monkeypatch.setattr(generation, "_OLDEST_SNAPSHOT", 0.0)
    assert settings.get(DeskSettings) is not before


def test_many_values_cost_the_number_once(app: Any, count_queries: Any, no_time_passes: None) -> None:
    generation.forget()
    db.session.rollback()
    with count_queries(clock=True) as statements:
        for key in ("one", "two", "three"):
            generation.cached(key, snapshot)
    assert len(statements) == 4
