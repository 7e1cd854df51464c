"""A desk of its own for each test, on SQLite or PostgreSQL."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flask import Flask


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test with the mark ``db`` runs on each database."""
    if metafunc.definition.get_closest_marker("db") and "database_url" in metafunc.fixturenames:
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
    """Where the desk's data is: "" for SQLite in the home, or the URL of an empty PostgreSQL database."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return ""
    return str(request.getfixturevalue("postgresql_url"))


@pytest.fixture
def postgresql_url() -> Iterator[str]:
    """The URL of an empty PostgreSQL database of this test's own.

    ``HELPDESK_TEST_POSTGRESQL`` is the URL of a server on which databases may be made
    (``postgresql://user@host/postgres``). A project's own fixture of this name takes precedence.
    """
    server = os.environ.get("HELPDESK_TEST_POSTGRESQL")
    if not server:
        pytest.skip("needs PostgreSQL: set HELPDESK_TEST_POSTGRESQL to the URL of a server for tests")
    from sqlalchemy import create_engine, make_url

    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"helpdesk_test_{worker}_{time.monotonic_ns()}"
    engine = create_engine(make_url(server), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as admin:
            admin.exec_driver_sql(f"CREATE DATABASE {name}")
            yield make_url(server).set(database=name).render_as_string(hide_password=False)
            admin.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()


@pytest.fixture
def make_app(home: Path, database_url: str) -> Iterator[Callable[..., Flask]]:
    """Make an application on the test's home: ``make_app(plugins={...}, **configuration)``.

    Without ``plugins`` the installed ones are loaded. No app context is open.
    """
    from helpdesk.app import create_app
    from helpdesk.core import schema
    from helpdesk.core.config import Config
    from helpdesk.core.extensions import db
    from helpdesk.core.jobs import ledger
    from helpdesk.testing.browsers import client_class

    made: list[Flask] = []

    def make(plugins: dict[str, Any] | None = None, **values: Any) -> Flask:
        options = {"home": home, "testing": True, "database_url": database_url, "public_url": "http://desk.example"}
        app = create_app(Config(**{**options, **values}), plugins=plugins)
        app.config["WTF_CSRF_ENABLED"] = False
        # Tests run jobs when they want to (run_jobs); nobody is there to be woken.
        app.extensions[ledger.NUDGE] = None
        app.test_client_class = client_class()
        made.append(app)
        with app.app_context():
            _without_waiting_for_the_disk(db.engine)
            schema.upgrade()
            db.session.remove()
        return app

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def desk_plugins() -> dict[str, Any] | None:
    """Which plugins ``app`` loads, by name; None: those that are installed. Override it where others are wanted."""
    return None


@pytest.fixture
def app(make_app: Callable[..., Flask], desk_plugins: dict[str, Any] | None) -> Iterator[Flask]:
    """A desk of this test's own; its app context is open, so that verbs of the core can be called."""
    app = make_app(desk_plugins)
    context = app.app_context()
    context.push()
    yield app
    context.pop()


def _without_waiting_for_the_disk(engine: Any) -> None:
    """What a test writes need not survive a power cut."""
    from sqlalchemy import event

    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _careless(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous = OFF")
