"""A copy of the database as it is at one moment, while others go on writing, and the way back from it."""

import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Integer, create_engine, func, inspect, literal, select, text, union, union_all
from sqlalchemy import table as named_table
from sqlalchemy.engine import URL, Connection, Engine, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool
from sqlalchemy.sql import column

from helpdesk.core.backups.archive import DATABASES
from helpdesk.core.backups.errors import BackupError, Refused, Unusable
from helpdesk.core.backups.manifest import POSTGRESQL, SQLITE, Rows
from helpdesk.core.models import Attachment, Intake

VERSION_TABLE = "alembic_version"
_BATCH = 1000
_SQLITE_SECONDS = 30
_KEY_PASSWORD = "sslpassword"


@dataclass(frozen=True)
class Copy:
    """A copy in a file, and a connection that sees the very same rows."""

    path: Path
    kind: str
    version: str
    connection: Connection


def size_of(engine: Engine) -> int:
    """About how many bytes a copy will have."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            pages, free, size = (
                int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
                for name in ("page_count", "freelist_count", "page_size")
            )
            return (pages - free) * size
        # (Indexes are not copied.)
        tables = "SELECT sum(pg_table_size(oid)) FROM pg_class WHERE relkind = 'r' AND pg_table_is_visible(oid)"
        return int(connection.exec_driver_sql(tables).scalar_one() or 0)


@contextmanager
def copied(engine: Engine, folder: Path) -> Iterator[Copy]:
    """Copy the database that an engine is connected to into a folder. Raises :class:`BackupError`."""
    if engine.dialect.name == "sqlite":
        with _copied_sqlite(engine, folder) as copy:
            yield copy
        return
    with _copied_postgresql(engine, folder) as copy:
        yield copy


@contextmanager
def _copied_sqlite(engine: Engine, folder: Path) -> Iterator[Copy]:
    target = folder / DATABASES[SQLITE]
    # One statement sees one state of the database and keeps nobody from writing. The backup interface of SQLite
    # begins anew whenever another process writes, which under load is always.
    with closing(sqlite3.connect(str(engine.url.database), timeout=_SQLITE_SECONDS, isolation_level=None)) as source:
        source.execute("VACUUM INTO ?", (str(target),))
    with opened_sqlite(target) as connection:
        yield Copy(target, SQLITE, sqlite3.sqlite_version, connection)


@contextmanager
def opened_sqlite(path: Path) -> Iterator[Connection]:
    """A connection to a file of SQLite's that no desk has open."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@contextmanager
def _copied_postgresql(engine: Engine, folder: Path) -> Iterator[Copy]:
    target = folder / DATABASES[POSTGRESQL]
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        snapshot = connection.exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
        server = connection.exec_driver_sql("SHOW server_version").scalar_one()
        program = _program("pg_dump", int(re.split(r"\D", server)[0]))
        # Its own connection looks at the rows that this one sees.
        options = ["--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}", f"--file={target}"]
        _run([program, *options], engine.url, "copy")
        yield Copy(target, POSTGRESQL, server, connection)


def _program(name: str, server: int) -> str:
    """Where a program of PostgreSQL is, if it is as new as the server. Raises :class:`BackupError`."""
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed; install PostgreSQL's client programs (version {server} or newer).")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.search(r"(\d+)", said)
    if version is None or int(version[1]) < server:
        raise BackupError(
            f"{name} is too old for the server ({said.strip() or 'unknown'}, server {server}); "
            f"install PostgreSQL's client programs of version {server} or newer."
        )
    return found


def _run(command: list[str], url: URL, verb: str) -> None:
    with _without_secrets(url) as (plain, secrets):
        done = subprocess.run(
            [*command, f"--dbname={plain}"],
            env={**os.environ, **secrets, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        name = Path(command[0]).name
        said = next((line for line in done.stderr.splitlines() if "error:" in line), done.stderr.strip())
        raise BackupError(f"{name} could not {verb} the database: {said.removeprefix(f'{name}: ')[:300]}")


@contextmanager
def _without_secrets(url: URL) -> Iterator[tuple[str, dict[str, str]]]:
    """The URL for a command line, which everybody can see, and the environment, which only the owner can."""
    query = dict(url.query)
    password, key = query.pop("password", url.password), query.pop(_KEY_PASSWORD, None)
    # (`URL.set` cannot take a password away.)
    plain = URL.create("postgresql", url.username, None, url.host, url.port, url.database, query).render_as_string()
    secrets = {"PGPASSWORD": str(password)} if password else {}
    if key is None:
        yield plain, secrets
        return
    if "service" in query:
        raise BackupError(f"database_url names a service and has {_KEY_PASSWORD} too; write it into that service.")
    # There is no variable for it.
    with tempfile.NamedTemporaryFile("w", prefix="helpdesk-") as file:
        file.write(f"[helpdesk]\n{_KEY_PASSWORD}={key}\n")
        file.flush()
        yield plain, {**secrets, "PGSERVICEFILE": file.name, "PGSERVICE": "helpdesk"}


# ---- what is in it


def revisions(connection: Connection) -> dict[str, str]:
    """The revision in each version table, the tables of plugins that are gone too."""
    names = [name for name in inspect(connection).get_table_names() if name.startswith(VERSION_TABLE)]
    if not names:
        return {}
    parts: list[Any] = [
        select(literal(name), column("version_num")).select_from(named_table(name)) for name in sorted(names)
    ]
    return {str(name): str(number) for name, number in connection.execute(union_all(*parts))}


def rows(connection: Connection) -> dict[str, Rows]:
    """How many rows each table has, and the largest ``id`` where that is a number."""
    parts: list[Any] = []
    for (_schema, name), columns in sorted(inspect(connection).get_multi_columns().items()):
        numbered = any(one["name"] == "id" and isinstance(one["type"], Integer) for one in columns)
        newest = func.max(column("id")) if numbered else literal(None, Integer)
        parts.append(select(literal(name), func.count(), newest).select_from(named_table(name)))
    return {str(name): Rows(count, newest) for name, count, newest in connection.execute(union_all(*parts))}


def named_files(connection: Connection) -> Iterator[str]:
    """The hash of each file that a row names, once."""
    query = union(select(Attachment.sha256), select(Intake.sha256))
    for (sha256,) in connection.execution_options(yield_per=_BATCH).execute(query):
        yield str(sha256)


# ---- the way back


def check_sqlite(path: Path) -> None:
    """Raise :class:`Unusable` unless a file of SQLite's is whole and each key in it points to something."""
    try:
        with opened_sqlite(path) as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
            broken = len(connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(1000))
    except SQLAlchemyError as error:
        raise Unusable("The database in this backup cannot be read; use another backup.") from error
    if said != "ok":
        raise Unusable(f"The database in this backup is damaged ({str(said)[:100]}); use another backup.")
    if broken:
        raise Unusable(f"The database in this backup has {broken} rows that point to nothing; use another backup.")


def check_empty(url: str) -> None:
    """Raise :class:`Refused` unless a PostgreSQL database answers and has no table."""
    try:
        with opened_postgresql(url) as connection:
            found = inspect(connection).get_table_names()
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise Refused(f"The PostgreSQL database does not answer: {said}") from error
    if found:
        name = make_url(url).database
        raise Refused(
            f"The database {name} is not empty, and it is never emptied for you. Make another one ('createdb "
            f"{name}_restored'), name it by database_url or --database, and restore again; the old one stays."
        )


@contextmanager
def opened_postgresql(url: str) -> Iterator[Connection]:
    """A connection to a PostgreSQL database that no desk has open."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def load_postgresql(dump: Path, url: str) -> None:
    """Fill an empty PostgreSQL database from a copy, all or nothing. Raises :class:`BackupError`."""
    with opened_postgresql(url) as connection:
        server = connection.exec_driver_sql("SHOW server_version").scalar_one()
    program = _program("pg_restore", int(re.split(r"\D", server)[0]))
    options = ["--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    _run([program, *options, str(dump)], make_url(url), "restore")


@contextmanager
def throw_away_postgresql(url: str) -> Iterator[str]:
    """An empty database on the server of another, dropped afterwards. Raises :class:`BackupError`."""
    name = f"helpdesk_verify_{os.urandom(6).hex()}"
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE template0"))
    except SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise BackupError(
            f"No database could be made to try the backup in ({said}); allow it ('ALTER ROLE ... CREATEDB') or name "
            "an empty one by --database."
        ) from error
    try:
        yield make_url(url).set(database=name).render_as_string(hide_password=False)
    finally:
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        engine.dispose()
