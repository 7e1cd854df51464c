"""A drill: a backup is restored into a throw-away place and opened with this code, and what came of it is noted."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy.engine import Connection

from helpdesk.core.backups import archive, databases, notes
from helpdesk.core.backups.errors import BackupError, Unusable, WrongPassphrase
from helpdesk.core.backups.manifest import POSTGRESQL, SQLITE, WHOLE, Manifest
from helpdesk.core.backups.restoring import check_known, check_rows
from helpdesk.core.config import Config
from helpdesk.core.paths import Home

_SCRATCH = ".verifying-"


def verify(
    path: Path,
    config: Config,
    *,
    passphrase: str = "",
    database_url: str = "",
    progress: archive.Progress = lambda _done, _total: None,
) -> Manifest:
    """Restore a backup into a throw-away place, check all of it, migrate it there, and throw it away.

    One of PostgreSQL is loaded into ``database_url``, which must be empty, or else into a database of its own on the
    desk's server. The note of the backup says afterwards that it is good, or why not; one of another desk gets
    none. Without a transaction; needs as much room as the whole desk. Raises :class:`BackupError`: :class:`Unusable`
    when the backup is at fault.
    """
    home = config.paths
    parent = home.backups if home.backups.is_dir() else path.resolve().parent
    for left in parent.glob(f"{_SCRATCH}*"):
        if not _runs(left):
            shutil.rmtree(left, ignore_errors=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{_SCRATCH}{os.getpid()}-", dir=parent))
    try:
        manifest = archive.unpack(path, folder, passphrase, progress)
        _try(folder, manifest, config, database_url)
    except WrongPassphrase:
        raise
    except Unusable as error:
        notes.remember(path, home.backups, str(error))
        raise
    except OSError as error:
        raise BackupError(f"The backup could not be tried: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    notes.remember(path, home.backups, "", manifest)
    return manifest


def _runs(left: Path) -> bool:
    """Whether the process that made a throw-away place is still there."""
    number = left.name.removeprefix(_SCRATCH).partition("-")[0]
    return number.isdigit() and Path("/proc", number).exists()


def _try(folder: Path, manifest: Manifest, config: Config, database_url: str) -> None:
    check_known(manifest)
    # It may name another database.
    (folder / archive.CONFIG).unlink(missing_ok=True)
    with ExitStack() as stack:
        if manifest.database == SQLITE:
            database = Home(folder).database
            (folder / archive.DATABASES[SQLITE]).rename(database)
            databases.check_sqlite(database)
            url = f"sqlite:///{database}"
            connection = stack.enter_context(databases.opened_sqlite(database))
        else:
            url = _somewhere(stack, config, database_url)
            databases.load_postgresql(folder / archive.DATABASES[POSTGRESQL], url)
            connection = stack.enter_context(databases.opened_postgresql(url))
        check_rows(connection, manifest)
        if manifest.kind == WHOLE:
            _check_files(connection, manifest, Home(folder))
        connection.close()
        _migrate(folder, url)
        if manifest.database == SQLITE:
            databases.check_sqlite(Home(folder).database)


def _somewhere(stack: ExitStack, config: Config, database_url: str) -> str:
    if database_url:
        databases.check_empty(database_url)
        return database_url
    if config.is_sqlite:
        raise BackupError("This backup is of a desk on PostgreSQL; name an empty database to try it in by --database.")
    return stack.enter_context(databases.throw_away_postgresql(config.sqlalchemy_url))


def _check_files(connection: Connection, manifest: Manifest, home: Home) -> None:
    """Each file that a row names is there, but for those that were missing when the backup was made."""
    missing = sum(not (home.files / sha256[:2] / sha256).is_file() for sha256 in databases.named_files(connection))
    connection.rollback()
    if missing != manifest.files.missing:
        raise Unusable(f"This backup lacks {missing} files that its database names; use another backup.")


def _migrate(folder: Path, url: str) -> None:
    """Open it with this code, plugins and all, in a process of its own: nothing of it touches the running desk."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
    environ |= {"HELPDESK_HOME": str(folder), "HELPDESK_DATABASE_URL": url}
    command = [sys.executable, "-m", "helpdesk.cli", "db", "upgrade", "--no-backup"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise Unusable(f"The database in this backup cannot be brought up to date: {said[:300]}")
