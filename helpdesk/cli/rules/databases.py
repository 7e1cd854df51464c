"""Databases that are there for one test or one look."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, create_engine, make_url

# The URL of a PostgreSQL server on which databases may be made.
SERVER = "HELPDESK_TEST_POSTGRESQL"
# From this version on PostgreSQL writes what it copies into its journal, unless it is told to copy the files: half
# the time for one that will not be there after a crash anyway.
_COPIES_FILES = (15,)


@contextmanager
def throw_away(server: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database on a PostgreSQL server (the URL of one of its databases); it is gone afterwards."""
    with administering(server) as admin, throw_away_on(admin, template) as url:
        yield url


@contextmanager
def administering(server: str) -> Iterator[Connection]:
    """A line to a PostgreSQL server over which databases can be made."""
    engine = create_engine(make_url(server), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as admin:
            yield admin
    finally:
        engine.dispose()


@contextmanager
def throw_away_on(admin: Connection, template: str = "template1") -> Iterator[str]:
    """The URL of a new database, made over a line that :func:`administering` has opened; it is gone afterwards."""
    name = f"helpdesk_test_{time.monotonic_ns()}"
    strategy = " STRATEGY FILE_COPY" if (admin.dialect.server_version_info or ()) >= _COPIES_FILES else ""
    admin.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}{strategy}")
    try:
        yield admin.engine.url.set(database=name).render_as_string(hide_password=False)
    finally:
        admin.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
