"""The database's shape: the core's history first, then each plugin's, all or nothing."""

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from helpdesk.core import plugin_fields
from helpdesk.core.backups import making, rotation
from helpdesk.core.events.record import facts
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, PluginState
from helpdesk.core.transaction import WRITE, add_or_find, transaction
from helpdesk.plugins import manager, migrations

CORE = Path(__file__).parent / "migrations"
CORE_VERSION = "alembic_version"
_MIGRATION_LOCK = 0x68656C70


log = logging.getLogger(__name__)


class MigrationFailed(Exception):
    """A plugin's migration failed and was undone; the text is a sentence."""


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

    A plugin whose migration fails is left out, with the reason in its ``error``; asked for alone, it raises
    :class:`MigrationFailed`. Raises NewerDatabase, with a sentence, for the core.
    """
    moved = []
    for history in histories():
        if owner not in (None, history.owner):
            continue
        try:
            moved.extend(_upgrade(history))
        except Exception as error:
            if history.owner == "core":
                raise
            sentence = _failed_sentence(history.owner, error)
            log.error("%s", sentence, exc_info=error)
            if owner is not None:
                raise MigrationFailed(sentence) from error
            manager.current().leave_out(history.owner, sentence)
            _keep_failure(history.owner, sentence)
    if owner is None:
        welcome_plugins()
    return moved


def back_up_first(owner: str | None = None) -> Path | None:
    """Back up a database that is about to be migrated and holds data: the database alone, which is quick.

    ``owner``: when only that history is about to be.

    Answers where it is; None when there is nothing to migrate or nothing to lose. Raises BackupError and
    NewerDatabase, each with a sentence; then nothing should be migrated.
    """
    is_due = partial(_would_migrate, owner)
    made = making.make_before_upgrade(is_due) if is_due() else None
    if made is None:
        return None
    rotation.remove_old_upgrades(made.path.parent)
    return made.path


def _would_migrate(owner: str | None) -> bool:
    return any(_changes(history) for history in histories() if owner in (None, history.owner))


def _changes(history: History) -> bool:
    """Whether its migration would change tables that are there; first tables change nothing."""
    try:
        found = revision(history)
    except Exception:  # noqa: BLE001 - a history that cannot be read is left out when it is to be migrated
        if history.owner == "core":
            raise
        return False
    return found.database is not None and not found.is_current


def _upgrade(history: History) -> list[Revision]:
    code = migrations.heads(history.folder)
    # Nearly every start finds nothing to do: it neither waits for a writer nor has all rows checked.
    with db.engine.connect() as connection:
        if migrations.current(connection, history.version_table) == code:
            return []
    with _migrating() as connection:
        before = migrations.current(connection, history.version_table)
        if before == code:
            return []
        migrations.upgrade(connection, history.folder, history.version_table, db.metadata)
    return [Revision(history.owner, before, code)]


def _failed_sentence(owner: str, error: Exception) -> str:
    if isinstance(error, migrations.NewerDatabase):
        return str(error)
    first = (str(error).strip().splitlines() or [""])[0]
    return f"The migration of the plugin {owner} failed and was undone: {type(error).__name__}: {first}"


def _keep_failure(owner: str, sentence: str) -> None:
    with transaction():
        state = db.session.get(PluginState, owner)
        if state is None:
            newest = db.session.scalar(select(func.max(Event.id))) or 0
            state = add_or_find(PluginState(name=owner, cursor=newest), partial(db.session.get, PluginState, owner))
        state.migration_error = sentence


def leave_out_unready() -> None:
    """Leave out the plugins whose tables are not as their code wants them: their migration has failed or not run.

    For every process that does not migrate itself, before it serves.
    """
    plugins = manager.current()
    for history in histories():
        if history.owner == "core" or not plugins.plugins[history.owner].loaded:
            continue
        try:
            ready = revision(history).is_current
        except Exception as error:  # noqa: BLE001 - a history that cannot be read is not ready
            plugins.leave_out(history.owner, _failed_sentence(history.owner, error))
            continue
        if not ready:
            state = db.session.get(PluginState, history.owner)
            told = (state.migration_error if state is not None else "") or "Its tables are not up to date."
            plugins.leave_out(history.owner, f"{told} Run 'helpdesk db upgrade --plugin {history.owner}' to try again.")
    plugin_fields.leave_out_taken()


def welcome_plugins() -> None:
    """What every process that serves does for plugins at its start: it may be the first that has loaded one.

    One that has just come, or has just got its first hook for facts, hears of what happens from now on: its cursor is
    set before anything happens. The ticket fields that it needs are made. Opens transactions of its own.
    """
    plugins = manager.current()
    listening = plugins.listeners(facts())
    known = {state.name: state for state in db.session.scalars(select(PluginState))}
    here = [name for name, plugin in plugins.plugins.items() if plugin.loaded and plugins.is_on(name)]
    if any(name not in known or known[name].listens != (name in listening) for name in here):
        with transaction():
            newest = db.session.scalar(select(func.max(Event.id))) or 0
            for name in here:
                _welcome(name, name in listening, newest)
    plugin_fields.make_missing()


def _welcome(name: str, listens: bool, newest: int) -> None:
    find = partial(db.session.get, PluginState, name, with_for_update=True)
    state = find() or add_or_find(PluginState(name=name, cursor=newest, listens=listens), find)
    if listens and not state.listens:
        state.cursor = newest
    state.listens = listens


def downgrade(target: str, owner: str = "core") -> None:
    """Take one history down to a revision ("base": before the first). Plugins' tables, which point to the core's, go
    before those of the core do."""
    if (owner, target) == ("core", "base"):
        for history in histories():
            if history.owner != "core":
                downgrade(target, history.owner)
    for history in histories():
        if history.owner == owner:
            with _migrating() as connection:
                migrations.downgrade(connection, history.folder, history.version_table, db.metadata, target)


def drop(tables: Iterable[str]) -> None:
    """Drop tables that a plugin has left behind, all or none. Raises RuntimeError when others point to them."""
    with _migrating() as connection:
        quoted = [connection.dialect.identifier_preparer.quote(name) for name in tables]
        if connection.dialect.name == "sqlite":
            for name in quoted:
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {name}")
        elif quoted:
            try:
                # In one statement: they may point to one another.
                connection.exec_driver_sql(f"DROP TABLE IF EXISTS {', '.join(quoted)}")
            except DBAPIError as error:
                raise RuntimeError("Other tables point to them; nothing was dropped.") from error


def revisions() -> list[Revision]:
    """Where every history stands. Raises NewerDatabase, with a sentence."""
    return [revision(history) for history in histories()]


def revision(history: History) -> Revision:
    """Where one history stands. Raises NewerDatabase, with a sentence."""
    with db.engine.connect() as connection:
        migrations.check_known(connection, history.folder, history.version_table)
        database = migrations.current(connection, history.version_table)
    return Revision(history.owner, database, migrations.heads(history.folder))


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
