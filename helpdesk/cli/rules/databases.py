"""Databases that are there for one test or one look."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url

# The URL of a PostgreSQL server on which databases may be made.
SERVER = "HELPDESK_TEST_POSTGRESQL"


@contextmanager
def throw_away(server: str, template: str = "template1") -> Iterator[str]:
    """The URL of a new database on a PostgreSQL server (the URL of one of its databases); it is gone afterwards."""
    name = f"helpdesk_test_{time.monotonic_ns()}"
    engine = create_engine(make_url(server), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as admin:
            admin.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
            try:
                yield make_url(server).set(database=name).render_as_string(hide_password=False)
            finally:
                admin.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
