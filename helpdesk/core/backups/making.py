"""Making a backup while the desk runs: the database first, then the files, so that each file it names is there."""

import errno
import os
import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO, BinaryIO, cast

from flask import current_app

import helpdesk
from helpdesk.core import locks
from helpdesk.core.backups import archive, databases, notes, sealing
from helpdesk.core.backups.errors import BackupError, NoRoom, Refused
from helpdesk.core.backups.manifest import DATABASE, WHOLE, Manifest, NamedFiles
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.files import sync_folder
from helpdesk.core.paths import Home

_SCRATCH = ".making-"
_WAIT_SECONDS = 10.0
_HASH_NAME = re.compile(r"[0-9a-f]{64}")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)


@dataclass(frozen=True)
class Made:
    """A backup that was made, and what it holds."""

    path: Path
    size: int
    manifest: Manifest


def make(
    target: Path | None = None,
    *,
    passphrase: str = "",
    kind: str = WHOLE,
    why: str = notes.ASKED,
    progress: archive.Progress = lambda _done, _total: None,
) -> Made:
    """Write a backup; ``target`` is a file that is not there yet, or a folder (None: the home's own).

    Others go on working meanwhile; files that nothing names any more stay until it is done. It is written aside and
    named when it is whole. In an app context, outside any transaction; ``progress`` hears of bytes done and all.
    Raises :class:`BackupError` with a sentence.
    """
    home = _home()
    with _alone(home):
        return _make(_target(target, home), home, passphrase, kind, why, progress)


def make_before_upgrade(is_due: Callable[[], bool]) -> Made | None:
    """Write a backup of the database alone into the home's folder, if one ``is_due``: asked when its turn has come.

    Another process may have migrated meanwhile. Called and raises as :func:`make`, and what ``is_due`` raises.
    """
    home = _home()
    with _alone(home):
        if not is_due():
            return None
        return _make(_target(None, home), home, "", DATABASE, notes.UPGRADE, lambda _done, _total: None)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    try:
        with locks.held(home.backup_lock, wait=_WAIT_SECONDS):
            yield
    except locks.Taken:
        raise BackupError("Another backup is being made; wait until it is done.") from None
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise NoRoom("The disk became full while the backup was written; it was taken away again.") from error
        raise BackupError(f"The backup could not be written ({error.strerror or error}).") from error
    except sqlite3.Error as error:
        raise BackupError(f"The database could not be copied ({error}).") from error


def _home() -> Home:
    config: Config = current_app.config["HELPDESK"]
    return config.paths


def _target(target: Path | None, home: Home) -> Path:
    if target is None:
        home.backups.mkdir(exist_ok=True, mode=0o700)
        target = home.backups
    if target.exists() and not target.is_dir():
        raise _taken(target)
    if not target.parent.is_dir():
        raise Refused(f"The folder {target.parent} is not there; make it, or name another file.")
    return target.resolve()


def _taken(path: Path) -> Refused:
    return Refused(f"{path} is there already; name another file, or take it away first.")


def _make(target: Path, home: Home, passphrase: str, kind: str, why: str, progress: archive.Progress) -> Made:
    folder, names = (target, _free_names(why)) if target.is_dir() else (target.parent, iter([target.name]))
    # What a killed process has left; nobody else is at it, we hold the lock.
    for left in folder.glob(f"{_SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)
    sources = list(_sources(home)) if kind == WHOLE else []
    expected = databases.size_of(db.engine)
    total = expected + sum(source.size for source in sources)
    archive.check_room(folder, total + expected)
    scratch = Path(tempfile.mkdtemp(prefix=_SCRATCH, dir=folder))
    try:
        aside = scratch / f"backup{notes.SUFFIX}"
        manifest = _write(aside, scratch, home, sources, passphrase, kind, _Counted(progress, total))
        size = aside.stat().st_size
        path = _publish(aside, folder, names)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    note = notes.Backup(path, now(), size, why=why, sealed=bool(passphrase))
    notes.write(notes.described(note, manifest), home.backups)
    return Made(path, size, manifest)


def _free_names(why: str) -> Iterator[str]:
    begin = f"{'upgrade' if why == notes.UPGRADE else 'helpdesk'}-{now():%Y%m%d-%H%M%S}"
    yield f"{begin}{notes.SUFFIX}"
    for number in count(2):
        yield f"{begin}-{number}{notes.SUFFIX}"


def _publish(aside: Path, folder: Path, names: Iterator[str]) -> Path:
    """Give it the first name that is free; never that of another, which another desk may just have taken."""
    path = aside
    for name in names:
        path = folder / name
        if _moved(aside, path):
            sync_folder(folder)
            return path
    raise _taken(path)


def _moved(aside: Path, path: Path) -> bool:
    try:
        os.link(aside, path)
    except OSError:
        if os.path.lexists(path):
            return False
        # The medium knows no second names, as exFAT.
        aside.rename(path)
    return True


class _Counted:
    """Adds up what is done, for whoever wants to see it."""

    def __init__(self, progress: archive.Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def __call__(self, more: int) -> None:
        self._done += more
        self._progress(min(self._done, self._total), self._total)


@dataclass(frozen=True)
class _Source:
    path: Path
    name: str
    size: int


def _sources(home: Home) -> Iterator[_Source]:
    for folder, name in ((home.plugins, "plugins"), (home.themes, "themes"), (home.translations, "translations")):
        yield from _walk(folder, name)
    for path in (home.secret_file, home.config_file):
        if path.is_file():
            yield _Source(path, path.name, path.stat().st_size)
    # A million of them would be too much for a list: how large they are is asked for again when their turn comes.
    yield _Source(home.files, "files", sum(size for _path, size in _stored(home.files)))


def _walk(folder: Path, name: str, above: tuple[Path, ...] = ()) -> Iterator[_Source]:
    """What is in a folder, and in those that it links to; a link to where we come from is not followed."""
    real = folder.resolve()
    if real in above or not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.is_dir() and path.name != "__pycache__":
            yield from _walk(path, f"{name}/{path.name}", (*above, real))
        elif path.is_file():
            yield _Source(path, archive.checked_name(f"{name}/{path.name}"), path.stat().st_size)


def _stored(folder: Path) -> Iterator[tuple[Path, int]]:
    """The files that are named by their content, in the order of their names."""
    for shelf in sorted(folder.glob("[0-9a-f][0-9a-f]")):
        with os.scandir(shelf) as found:
            for entry in sorted(found, key=lambda one: one.name):
                if _HASH_NAME.fullmatch(entry.name) and entry.is_file():
                    yield Path(entry.path), entry.stat().st_size


def _write(
    aside: Path,
    scratch: Path,
    home: Home,
    sources: list[_Source],
    passphrase: str,
    kind: str,
    progress: Callable[[int], None],
) -> Manifest:
    handle = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w+b") as file, (scratch / archive.SUMS).open("w+b") as sums:
        with (
            _stream(cast(BinaryIO, file), passphrase) as stream,
            databases.copied(db.engine, scratch) as copy,
            archive.Writer(stream, sums, progress) as writer,
        ):
            writer.add(copy.path, copy.path.name)
            for source in sources:
                _add(writer, source, home)
            named = _check_named(copy, home) if kind == WHOLE else NamedFiles()
            described = (databases.revisions(copy.connection), databases.rows(copy.connection))
            manifest = writer.finish(
                lambda digest: Manifest(
                    now().isoformat(),
                    helpdesk.__version__,
                    kind,
                    copy.kind,
                    copy.version,
                    *described,
                    named,
                    writer.members,
                    writer.size,
                    digest,
                    home.identity,
                )
            )
        file.flush()
        os.fsync(file.fileno())
    return manifest


@contextmanager
def _stream(file: BinaryIO, passphrase: str) -> Iterator[IO[bytes]]:
    if not passphrase:
        yield file
        return
    with sealing.sealing(file, passphrase) as stream:
        yield stream


def _add(writer: archive.Writer, source: _Source, home: Home) -> None:
    if source.path != home.files:
        writer.add(source.path, source.name)
        return
    for path, _size in _stored(home.files):
        writer.add(path, f"files/{path.parent.name}/{path.name}")


def _check_named(copy: databases.Copy, home: Home) -> NamedFiles:
    """Look for each file that a row names; one by one, since a list of a million would be too much."""
    found = NamedFiles()
    for sha256 in databases.named_files(copy.connection):
        found = NamedFiles(found.named + 1, found.missing, found.examples)
        if not (home.files / sha256[:2] / sha256).is_file():
            found = found.with_missing(sha256)
    return found
