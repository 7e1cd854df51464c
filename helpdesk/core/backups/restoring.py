"""Bringing a backup back: unpacked aside and checked first, put in its place by renames, and held until released."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import delete, insert, inspect, update
from sqlalchemy.engine import Connection

from helpdesk.core import holding, locks, migrations
from helpdesk.core.backups import archive, bond, configuration, databases
from helpdesk.core.backups.errors import BackupError, Refused, Unusable
from helpdesk.core.backups.manifest import POSTGRESQL, SQLITE, Manifest
from helpdesk.core.backups.places import barred, has_something, places_of, put_in_place
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.models import AuditEntry, Job, SignInSession, Token, TrustedDevice
from helpdesk.core.models.job import DONE, RUNNING
from helpdesk.core.paths import Home
from helpdesk.plugins.migrations import knows

_SCRATCH = ".restoring-"
# The job that makes backups, of which each that is made by itself has one that runs.
_OWN_JOB = "core.backup"
CORE = Path(migrations.__file__ or "").parent


@dataclass(frozen=True)
class Restored:
    """What came back. ``waiting`` goes out once the desk is released; ``kept`` is where the old desk lies now."""

    manifest: Manifest
    waiting: holding.Waiting
    kept: Path | None = None
    # Sentences about what the operator has to look at.
    remarks: list[str] = field(default_factory=list)
    # What is to be done before the desk is started; empty when it can be.
    before_start: str = ""


def restore(
    path: Path,
    config: Config,
    *,
    passphrase: str = "",
    swap: bool = False,
    even_if_running: bool = False,
    progress: archive.Progress = lambda _done, _total: None,
) -> Restored:
    """Restore a backup into the home (and the PostgreSQL database) of a configuration, and hold the desk.

    Without an app context: there may be no desk yet. ``swap`` keeps what is there in a folder beside it; nothing is
    ever deleted. Raises :class:`BackupError` with a sentence: nothing has changed then, except that a PostgreSQL
    database may be full (and is held), or the sentence says where the old desk is. Killed while it puts things in
    their places, or fills a PostgreSQL database, no desk starts before it was called again.
    """
    home = config.paths
    try:
        with _folders(home), _alone(home, even_if_running):
            _check_place(config, swap)
            for left in home.root.glob(f"{_SCRATCH}*"):
                shutil.rmtree(left, ignore_errors=True)
            with _scratch(home.root) as folder:
                manifest = archive.unpack(path, folder, passphrase, progress)
                return _restore(folder, manifest, config)
    except OSError as error:
        said = f"The backup could not be restored: {error.strerror or error}."
        raise BackupError(f"{said} {home.cut_restore()}".rstrip()) from error


@contextmanager
def _folders(home: Home) -> Iterator[None]:
    """Make the folders of a home; those that were not there go again when the block fails and they are empty."""
    made = [folder for folder in (home.cache, home.root, *home.root.parents) if not folder.exists()]
    home.root.parent.mkdir(parents=True, exist_ok=True)
    home.root.mkdir(mode=0o700, exist_ok=True)
    home.cache.mkdir(exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            if home.cache in made:
                home.serving_lock.unlink(missing_ok=True)
            for folder in made:
                folder.rmdir()
        raise


@contextmanager
def _alone(home: Home, even_if_running: bool) -> Iterator[None]:
    try:
        with nullcontext() if even_if_running else locks.held(home.serving_lock):
            yield
    except locks.Taken:
        raise Refused(
            f"A desk seems to run in {home.root}; stop it first. (If you know that none does: --even-if-running.)"
        ) from None


@contextmanager
def _scratch(parent: Path) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check_place(config: Config, swap: bool) -> None:
    home = config.paths
    if not swap and any(has_something(path) for path in places_of(home)):
        raise Refused(
            f"The home {home.root} is in use; --swap keeps what is there beside it, --home names another folder."
        )
    for path in places_of(home):
        if path.is_symlink() or path.is_mount():
            raise Refused(
                f"{path} is a link or a disk of its own, which cannot be moved; restore into another home (--home) and "
                "copy from there."
            )
    if config.is_sqlite and config.database_url:
        raise Refused(
            "database_url names a database outside the home; take it out of helpdesk.toml or the environment, then "
            "restore: the database will lie in the home."
        )
    if not config.is_sqlite:
        databases.check_empty(config.sqlalchemy_url)


def _restore(folder: Path, manifest: Manifest, config: Config) -> Restored:
    check_kind(manifest, config)
    check_known(manifest)
    with barred(config.paths, manifest) as kept:
        if manifest.database == SQLITE:
            waiting = _prepare_sqlite(folder / archive.DATABASES[SQLITE], manifest)
        else:
            waiting = _load_postgresql(folder / archive.DATABASES[POSTGRESQL], manifest, config.sqlalchemy_url)
        # Before anything points to them.
        os.sync()
        put_in_place(folder, manifest, config.paths, kept)
        bond.tie(config)
    remarks, before_start = configuration.settle(folder, config)
    return Restored(manifest, waiting, kept if kept.exists() else None, remarks, before_start)


def _prepare_sqlite(database: Path, manifest: Manifest) -> holding.Waiting:
    databases.check_sqlite(database)
    with databases.opened_sqlite(database) as connection:
        return _take_over(connection, manifest)


def _load_postgresql(dump: Path, manifest: Manifest, url: str) -> holding.Waiting:
    databases.load_postgresql(dump, url)
    with databases.opened_postgresql(url) as connection:
        return _take_over(connection, manifest)


def _take_over(connection: Connection, manifest: Manifest) -> holding.Waiting:
    try:
        check_rows(connection, manifest)
    finally:
        # One that is not complete sends nothing either.
        holding.hold_closed(connection)
        connection.commit()
    _end_own_job(connection)
    _sign_everybody_out(connection)
    _write_down(connection, manifest)
    waiting = holding.waiting(connection)
    connection.commit()
    return waiting


def _end_own_job(connection: Connection) -> None:
    """The job that made this backup was not done then, and is now. By columns that every version has."""
    mine = (Job.name == _OWN_JOB, Job.state == RUNNING)
    ended = {"state": DONE, "finished_at": now(), "worker": None, "token": None, "lease_until": None}
    connection.execute(update(Job).where(*mine).values(ended))


def _sign_everybody_out(connection: Connection) -> None:
    """What has been ended or used since the backup must not come back: sessions, remembered browsers, links by mail."""
    there = inspect(connection).get_table_names()
    for model in (SignInSession, TrustedDevice, Token):
        if model.__tablename__ in there:
            connection.execute(delete(model))


def _write_down(connection: Connection, manifest: Manifest) -> None:
    """An entry of the record, by columns that every version has; its digest is made when it is linked."""
    data = {"made_at": manifest.made_at, "version": manifest.version}
    entry = {"at": now(), "action": "desk.restored", "subject": "", "data": data}
    connection.execute(insert(AuditEntry), [entry])


def check_kind(manifest: Manifest, config: Config) -> None:
    """Raise :class:`Refused` when a backup is of the other database."""
    if manifest.database == SQLITE and not config.is_sqlite:
        raise Refused(
            "This backup is of a desk on SQLite, and database_url names PostgreSQL; take database_url out of "
            "helpdesk.toml or the environment, and restore."
        )
    if manifest.database == POSTGRESQL and config.is_sqlite:
        raise Refused(
            "This backup is of a desk on PostgreSQL; make an empty database ('createdb helpdesk'), name it by "
            "HELPDESK_DATABASE_URL, helpdesk.toml or --database, and restore."
        )


def check_known(manifest: Manifest) -> None:
    """Raise :class:`Unusable` when this version is too old for a backup."""
    revision = manifest.revisions.get(databases.VERSION_TABLE)
    if revision is None:
        raise Unusable("The database in this backup is empty; use another backup.")
    if not knows(CORE, revision):
        raise Unusable(
            f"This backup was made by a newer version ({manifest.version}, revision {revision}); install that version "
            "and restore again."
        )


def check_rows(connection: Connection, manifest: Manifest) -> None:
    """Raise :class:`Unusable` unless each table has the rows that the manifest tells of."""
    found = databases.rows(connection)
    connection.rollback()
    wrong = sorted(name for name in {*found, *manifest.rows} if found.get(name) != manifest.rows.get(name))
    if wrong:
        raise Unusable(f"The database in this backup is not complete ({', '.join(wrong)[:200]}); use another backup.")
