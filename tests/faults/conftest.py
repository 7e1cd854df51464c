"""Desks for the tests that kill processes, on SQLite and on PostgreSQL with Redis."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.desk import Desk, closing

PLUGINS = Path(__file__).parent / "plugins"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here is a test of faults."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("faults")
            item.add_marker("slow")


@pytest.fixture(params=["SQLite", "PostgreSQL with Redis"])
def engines(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where data and queue are: files of the home, or servers of this test's own."""
    if request.param == "SQLite":
        return {}
    urls = ("postgresql_migrated_url", "redis_url")
    return {"database_url": request.getfixturevalue(urls[0]), "queue_url": request.getfixturevalue(urls[1])}


@pytest.fixture
def desk(home: Path, engines: dict[str, str]) -> Iterator[Desk]:
    """A desk whose jobs leave rows to be counted; nothing of it outlives the test."""
    with closing(Desk(home, **engines)) as made:
        made.add_plugin(PLUGINS / "effects.py")
        made.write("CREATE TABLE effects_row (number INTEGER, step INTEGER, pid INTEGER)")
        made.write("CREATE TABLE effects_counter (id INTEGER PRIMARY KEY, value INTEGER)")
        made.write("INSERT INTO effects_counter (id, value) VALUES (1, 0)")
        yield made


@pytest.fixture
def sqlite_desk(home: Path) -> Iterator[Desk]:
    """A desk on SQLite as it comes."""
    with closing(Desk(home)) as made:
        yield made


@pytest.fixture
def several(home: Path, postgresql_migrated_url: str, redis_url: str) -> Iterator[Desk]:
    """A desk of which any number of processes may run, on several machines too."""
    with closing(Desk(home, postgresql_migrated_url, redis_url)) as made:
        yield made


@pytest.fixture
def engine(engines: dict[str, str]) -> str:
    """The name of the database and the queue, as it stands in the table of figures."""
    return "PostgreSQL with Redis" if engines else "SQLite"
