"""A desk of its own for each test, on SQLite or PostgreSQL."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known where ``--strict-markers`` asks for it."""
    config.addinivalue_line("markers", "db: runs on SQLite and, where it is found, on PostgreSQL")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the mark ``db`` runs on each database; with ``HELPDESK_TEST_DATABASE`` all run on that one."""
    own = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "database_url" not in metafunc.fixturenames or any("database_url" in names for names in own):
        return
    if only := os.environ.get("HELPDESK_TEST_DATABASE"):
        metafunc.parametrize("database_url", [only], indirect=True)
    elif metafunc.definition.get_closest_marker("db"):
        metafunc.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated home that is copied for each test."""
    from helpdesk.app import create_app
    from helpdesk.core import schema
    from helpdesk.core.config import Config
    from helpdesk.core.extensions import db

    home = tmp_path_factory.mktemp("template")
    app = create_app(Config(home=home, testing=True))
    with app.app_context():
        schema.upgrade()
        db.session.remove()
        with db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        db.engine.dispose()
    for leftover in home.glob("*-wal"):
        assert leftover.stat().st_size == 0
    return home


@pytest.fixture
def home(template_home: Path, tmp_path: Path) -> Path:
    """A migrated home of this test's own."""
    target = tmp_path / "home"
    shutil.copytree(template_home, target, ignore=shutil.ignore_patterns("*-wal", "*-shm", "queue.sqlite3"))
    return target


@pytest.fixture
def database_url(request: pytest.FixtureRequest) -> str:
    """Where the desk's data is: "" for SQLite in the home, or the URL of a PostgreSQL database, empty or migrated."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return ""
    return str(request.getfixturevalue("postgresql_migrated_url"))


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own.

    ``HELPDESK_TEST_POSTGRESQL`` is the URL of a server on which databases may be made
    (``postgresql://user@host/postgres``). A project's own fixture of this name takes precedence.
    """
    from helpdesk.cli.rules.databases import SERVER, throw_away

    server = os.environ.get(SERVER)
    if not server:
        pytest.skip(f"needs PostgreSQL: set {SERVER} to the URL of a server for tests")
    with throw_away(server) as url:
        yield url


@pytest.fixture
def postgresql_migrated_url(postgresql_url: str) -> str:
    """What a test's desk on PostgreSQL begins with. A project may have a copy of a migrated database here."""
    return postgresql_url


@pytest.fixture(scope="session")
def compiled_catalogs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the desks of a process keep catalogs: the name of a file says of which texts it was made."""
    return tmp_path_factory.mktemp("catalogs")


@pytest.fixture
def make_app(home: Path, database_url: str, compiled_catalogs: Path) -> Iterator[Callable[..., Flask]]:
    """Make an application on the test's home: ``make_app(plugins={...}, **configuration)``.

    Without ``plugins`` the installed ones are loaded. No app context is open.
    """
    from helpdesk.app import create_app
    from helpdesk.core import catalogs, schema
    from helpdesk.core.config import Config
    from helpdesk.core.extensions import db

    made: list[Flask] = []

    def make(plugins: dict[str, Any] | None = None, **values: Any) -> Flask:
        options = {"home": home, "testing": True, "database_url": database_url, "public_url": "http://desk.example"}
        app = create_app(Config(**{**options, **values}), plugins=plugins)
        app.extensions[catalogs.EXTENSION].cache = compiled_catalogs
        prepare(app)
        made.append(app)
        with app.app_context():
            schema.upgrade()
            _set_what_tests_want()
            db.session.remove()
        return app

    yield make
    for app in made:
        _tell_calls(app)
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def app(make_app: Callable[..., Flask], desk_plugins: dict[str, Any] | None) -> Iterator[Flask]:
    """A desk of this test's own; its app context is open, so that verbs of the core can be called."""
    app = make_app(desk_plugins)
    context = app.app_context()
    context.push()
    yield app
    context.pop()


def prepare(app: Flask) -> None:
    """Let a desk be used by tests, and use what others of this process have compiled. ``make_app`` does it.

    All desks of a process read the same templates and ask the same: to compile them takes most of a page's test.
    """
    from helpdesk.core.extensions import db
    from helpdesk.core.jobs import ledger
    from helpdesk.testing.browsers import client_class

    app.config["WTF_CSRF_ENABLED"] = False
    # Tests run jobs when they want to (run_jobs); nobody is there to be woken.
    app.extensions[ledger.NUDGE] = None
    app.test_client_class = client_class()
    app.jinja_env.bytecode_cache = _compiled()
    with app.app_context():
        _without_waiting_for_the_disk(db.engine)
        db.engine.update_execution_options(compiled_cache=_statements())
    base: Any = db.Model
    for mapper in base.registry.mappers:
        # What a flush writes has a place of its own in each.
        mapper._compiled_cache = _statements()


@cache
def _compiled() -> Any:
    from helpdesk.core.theming.loader import Compiled

    return Compiled()


class _Statements(dict[Any, Any]):
    """SQL that was compiled. SQLAlchemy asks by the dialect object, of which each desk has one: its name is enough."""

    MOST = 6000

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__((key[0].name, *key[1:]))

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get((key[0].name, *key[1:]), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:
        if len(self) >= self.MOST:
            self.clear()
        super().__setitem__((key[0].name, *key[1:]), compiled)


@cache
def _statements() -> _Statements:
    return _Statements()


def _tell_calls(app: Flask) -> None:
    """Say which hooks were called, to `helpdesk plugin check` when that runs the tests."""
    from helpdesk.cli.rules.trying import CALLS
    from helpdesk.plugins.manager import EXTENSION

    if CALLS not in os.environ:
        return
    with Path(os.environ[CALLS]).open("a", encoding="utf-8") as file:
        for plugin in app.extensions[EXTENSION].plugins.values():
            for hook, health in plugin.health.items():
                file.write(json.dumps([plugin.name, hook, health.calls]) + "\n")


# A reply is there as soon as it was sent; the backup of a night that a test travels over is not restored for a trial.
_SET: dict[tuple[str, str], Any] = {("desk", "undo_seconds"): 0, ("backup", "verify"): False}


def _set_what_tests_want() -> None:
    """What a desk of tests does otherwise than one of an owner, unless something else was set."""
    from helpdesk.core import generation
    from helpdesk.core.extensions import db
    from helpdesk.core.models import Setting
    from helpdesk.core.transaction import transaction

    wanted = [
        Setting(group=group, key=key, value=value)
        for (group, key), value in _SET.items()
        if db.session.get(Setting, (group, key)) is None
    ]
    if wanted:
        with transaction():
            db.session.add_all(wanted)
        # A plugin with a ticket field has had the settings read already.
        generation.forget()


def _without_waiting_for_the_disk(engine: Any) -> None:
    """What a test writes need not survive a power cut."""
    from sqlalchemy import event

    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _careless(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")
