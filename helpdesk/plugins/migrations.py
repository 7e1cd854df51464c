"""Runs one folder of revisions against one version table: the core's history, or one plugin's."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import MetaData
from sqlalchemy.engine import Connection


class NewerDatabase(Exception):
    """The database was made by a newer version than this code knows."""


def check_known(connection: Connection, folder: Path, version_table: str) -> None:
    """Raise :class:`NewerDatabase` when the database is at a revision that the folder does not have."""
    _check_known(connection, _script(folder), version_table)


def knows(folder: Path, revision: str) -> bool:
    """Whether the folder has that revision."""
    try:
        _script(folder).get_revision(revision)
    except CommandError:
        return False
    return True


def heads(folder: Path) -> str | None:
    """The newest revision in a folder."""
    return _script(folder).get_current_head()


def current(connection: Connection, version_table: str) -> str | None:
    """The revision that a database is at."""
    return MigrationContext.configure(connection, opts={"version_table": version_table}).get_current_revision()


def upgrade(connection: Connection, folder: Path, version_table: str, metadata: MetaData, target: str = "head") -> None:
    """Bring a database up to ``target``; the caller's transaction decides whether it counts.

    Raises :class:`NewerDatabase` when the database is at a revision that the folder does not have.
    """
    script = _script(folder)
    _check_known(connection, script, version_table)
    _run(
        connection,
        script,
        version_table,
        metadata,
        lambda rev, _context: script._upgrade_revs(target, rev),
        target,
    )


def downgrade(connection: Connection, folder: Path, version_table: str, metadata: MetaData, target: str) -> None:
    """Take a database down to ``target`` ("base": before the first revision)."""
    script = _script(folder)
    _check_known(connection, script, version_table)
    _run(
        connection,
        script,
        version_table,
        metadata,
        lambda rev, _context: script._downgrade_revs(target, rev),
        target,
    )


def differences(connection: Connection, metadata: MetaData, owned: frozenset[str], version_table: str) -> list[Any]:
    """What the tables ``owned`` lack or have too much compared with the models (empty when they agree)."""

    def ours(thing: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        return (name if kind == "table" else thing.table.name) in owned

    options = {"version_table": version_table, "include_object": ours, "compare_type": False}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


def _check_known(connection: Connection, script: ScriptDirectory, version_table: str) -> None:
    revision = current(connection, version_table)
    if revision is None:
        return
    try:
        script.get_revision(revision)
    except CommandError as error:
        raise NewerDatabase(
            f"The database is at revision {revision}, which this version does not know; it was made by a newer one. "
            "Install that version again, or restore the backup from before the upgrade."
        ) from error


def _run(
    connection: Connection,
    script: ScriptDirectory,
    version_table: str,
    metadata: MetaData,
    steps: Any,
    target: str,
) -> None:
    environment = EnvironmentContext(script.env_config if hasattr(script, "env_config") else Config(), script)
    environment.configure(
        connection=connection,
        target_metadata=metadata,
        version_table=version_table,
        transactional_ddl=False,
        render_as_batch=True,
        fn=steps,
        destination_rev=target,
    )
    context = environment.get_context()
    with Operations.context(context):
        context.run_migrations()


def _script(folder: Path) -> ScriptDirectory:
    files = [(path.name, path.stat()) for path in (folder / "versions").glob("*.py")]
    return _read(folder, frozenset((name, found.st_mtime_ns, found.st_size) for name, found in files))


@lru_cache(maxsize=64)
def _read(folder: Path, _stamps: frozenset[tuple[str, int, int]]) -> ScriptDirectory:
    """A start asks each history several times where it ends; its files are read and run once, until one changes."""
    return ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
