"""B5: a database of each earlier release, full of data, is upgraded and killed at every step of it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, inspect, make_url, text

from helpdesk.cli.rules.databases import throw_away
from helpdesk.testing.served import wait_for
from tests.faults import figures
from tests.faults.desk import PATIENCE, Desk, closing
from tests.faults.form import FORM

# From the first one it goes through all that came since.
RELEASES = ("0001", "0002") if FORM == "long" else ("0001",)
# Before which statements it is killed in the short form; in the long one before each.
FEW = (10, 40, 70)


class Migrator:
    """A program that upgrades in forks of itself, so that the thousandth upgrade begins as fast as the first."""

    def __init__(self, desk: Desk) -> None:
        command = [sys.executable, str(Path(__file__).with_name("migrator.py"))]
        self._process = subprocess.Popen(
            command, env=desk.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._answer()

    def run(self, nth: int, desk: Desk) -> str:
        """Upgrade; "killed" before statement ``nth``, or "done"."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{nth}\t{desk.home}\t{'' if desk.is_sqlite else desk.database_url}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        self._process.communicate()


@pytest.mark.parametrize("release", RELEASES)
def test_b5_an_upgrade_is_killed(
    home: Path, engines: dict[str, str], engine: str, release: str, tmp_path: Path
) -> None:
    with closing(Desk(home, **engines)) as old:
        fill(old)
        old.run("db", "downgrade", release, "--yes")
        before, told = shape_of(old), rows_of(old)
        migrator, kills, between = Migrator(old), 0, []
        try:
            with copied(old, tmp_path / "whole") as whole:
                assert migrator.run(0, whole) == "done"
                after = shape_of(whole)
                assert rows_of(whole) == told
            for nth in FEW if FORM != "long" else range(1, 10_000):
                with copied(old, tmp_path / str(nth)) as desk:
                    if migrator.run(nth, desk) == "done":
                        break
                    kills += 1
                    if shape_of(desk) not in (before, after):
                        between.append(nth)
                    desk.check_integrity()
                    # The next start completes it.
                    assert migrator.run(0, desk) == "done"
                    assert shape_of(desk) == after
                    assert rows_of(desk) == told
        finally:
            migrator.end()
    rows = sum(len(found) for found in told.values())
    figures.keep(
        "B5", f"{engine}, from {release}", kills=kills, neither_old_nor_new=len(between), rows=rows, rows_lost=0
    )
    assert kills and between == []


def fill(desk: Desk) -> None:
    """Sample data, and a table of a plugin's that points to tickets."""
    desk.run("demo")
    desk.write(
        "CREATE TABLE parcels_row (id INTEGER PRIMARY KEY, ticket_id INTEGER REFERENCES ticket ON DELETE CASCADE)"
    )
    desk.write("INSERT INTO parcels_row (id, ticket_id) SELECT id, id FROM ticket")


@contextmanager
def copied(desk: Desk, place: Path) -> Iterator[Desk]:
    """A copy of home and database, which goes with the block."""
    copytree(desk.home, place)
    if desk.is_sqlite:
        with closing(Desk(place)) as copy:
            yield copy
        return
    url = make_url(desk.database_url)
    admin = url.set(database="postgres").render_as_string(hide_password=False)
    # The server notices a little later that who was connected has gone, and copies nothing until then.
    wait_for(lambda: not connections(admin, str(url.database)), PATIENCE)
    with throw_away(admin, str(url.database)) as copied_url, closing(Desk(place, copied_url)) as copy:
        yield copy


def connections(admin: str, database: str) -> int:
    """How many there are to a database."""
    query = text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name")
    with create_engine(admin, poolclass=NullPool).connect() as connection:
        return int(connection.execute(query, {"name": database}).scalar_one())


def shape_of(desk: Desk) -> dict[str, list[str]]:
    """The revision, and all tables with their columns and indexes."""
    found = {"revision": [desk.value("SELECT version_num FROM alembic_version")]}
    with desk.reading() as connection:
        look = inspect(connection)
        for name in look.get_table_names():
            found[name] = [column["name"] for column in look.get_columns(name)]
            found[f"{name} by"] = sorted(str(index["name"]) for index in look.get_indexes(name))
    return found


def rows_of(desk: Desk) -> dict[str, list[Any]]:
    """What must be the same before and after: the columns that every release has."""
    first = {
        "ticket": "id, subject, requester_id, created_at",
        "message": "id, ticket_id, text, visibility, author_id",
        "user": "id, email, name, role",
        "event": "id, kind, ticket_id",
        "job": "id, name, args, state, run_at",
        "attachment": "id, message_id, name, sha256",
        "delivery": "id, address, state",
        "parcels_row": "id, ticket_id",
    }
    return {
        name: [tuple(map(str, row)) for row in desk.rows(f'SELECT {columns} FROM "{name}" ORDER BY id')]
        for name, columns in first.items()
    }
