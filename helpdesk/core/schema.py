"""The database's shape: the core's history first, then each plugin's, all or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.engine import Connection

from helpdesk.core.extensions import db
from helpdesk.core.models import Event, PluginState
from helpdesk.core.transaction import WRITE, add_or_find, transaction
from helpdesk.plugins import manager, migrations

CORE = Path(__file__).parent / "migrations"
CORE_VERSION = "alembic_version"
_MIGRATION_LOCK = 0x68656C70


@dataclass(frozen=True)
class History:
    """One history of revisions: the core's or a plugin's."""

    owner: str
    folder: Path
    version_table: str


@dataclass(frozen=True)
class Revision:
    """Where one history stands in this database, and where the code is."""

    owner: str
    database: str | None
    code: str | None

    @property
    def is_current(self) -> bool:
        return self.database == self.code


def histories() -> list[History]:
    """The core's history, then those of the loaded plugins that have one."""
    found = [History("core", CORE, CORE_VERSION)]
    for plugin in manager.current().plugins.values():
        file = getattr(plugin.module, "__file__", None)
        folder = Path(file).parent / "migrations" if file and plugin.loaded else None
        if folder is not None and (folder / "versions").is_dir():
            found.append(History(plugin.name, folder, f"alembic_version_{plugin.name}"))
    return found


def upgrade(owner: str | None = None) -> list[Revision]:
    """Bring the core and the plugins (or one) up to date; one transaction each. Answers what was moved.

    Raises NewerDatabase, with a sentence.
    """
    moved = []
    for history in histories():
        if owner not in (None, history.owner):
            continue
        code = migrations.heads(history.folder)
        with _migrating() as connection:
            before = migrations.current(connection, history.version_table)
            if before == code:
                continue
            migrations.upgrade(connection, history.folder, history.version_table, db.metadata)
            moved.append(Revision(history.owner, before, code))
    if owner is None:
        _welcome_plugins()
    return moved


def _welcome_plugins() -> None:
    """A plugin that has just come hears of what happens from now on: its cursor is set before anything happens."""
    known = set(db.session.scalars(select(PluginState.name)))
    new = sorted(
        plugin.name for plugin in manager.current().plugins.values() if plugin.loaded and plugin.name not in known
    )
    if not new:
        return
    with transaction():
        newest = db.session.scalar(select(func.max(Event.id))) or 0
        for name in new:
            add_or_find(PluginState(name=name, cursor=newest), partial(db.session.get, PluginState, name))


def downgrade(target: str, owner: str = "core") -> None:
    """Take one history down to a revision ("base": before the first)."""
    for history in histories():
        if history.owner == owner:
            with _migrating() as connection:
                migrations.downgrade(connection, history.folder, history.version_table, db.metadata, target)


def revisions() -> list[Revision]:
    """Where every history stands. Raises NewerDatabase, with a sentence."""
    with db.engine.connect() as connection:
        for history in histories():
            migrations.check_known(connection, history.folder, history.version_table)
        return [
            Revision(
                history.owner,
                migrations.current(connection, history.version_table),
                migrations.heads(history.folder),
            )
            for history in histories()
        ]


def is_current() -> bool:
    """Whether nothing is left to migrate."""
    return all(revision.is_current for revision in revisions())


@contextmanager
def _migrating() -> Iterator[Connection]:
    """A write transaction for DDL. On SQLite foreign keys are off from before it begins and checked before it ends:
    rebuilding a table would cascade into others otherwise."""
    db.session.rollback()
    sqlite = db.engine.dialect.name == "sqlite"
    with db.engine.connect() as connection:
        if sqlite:
            raw = connection.connection.dbapi_connection
            assert raw is not None
            raw.execute("PRAGMA foreign_keys = OFF")
        connection = connection.execution_options(**{WRITE: True})
        try:
            with connection.begin():
                if not sqlite:
                    # On SQLite the writer's lock does it: of several that start at once, one migrates.
                    connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})")
                yield connection
                if sqlite and (broken := connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()):
                    raise RuntimeError(f"The migration left {len(broken)} rows that point to nothing; it was undone.")
        finally:
            if sqlite:
                assert raw is not None
                raw.execute("PRAGMA foreign_keys = ON")
