"""The places of a home: what was there goes aside and what was restored goes in, and no desk starts in between."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from helpdesk.core.backups import archive
from helpdesk.core.backups.errors import BackupError, Refused
from helpdesk.core.backups.manifest import DATABASE, SQLITE, Manifest
from helpdesk.core.clock import now
from helpdesk.core.files import sync_folder
from helpdesk.core.paths import BEFORE_RESTORE, Home

_WAL = ("", "-wal", "-shm")
_Move = tuple[Path, Path]


def has_something(path: Path) -> bool:
    """Whether there is a file, or a folder that is not empty."""
    return any(path.iterdir()) if path.is_dir() else path.exists()


def places_of(home: Home) -> list[Path]:
    """What a backup of a whole desk puts in its place, except the configuration."""
    files = [home.database.with_name(home.database.name + end) for end in _WAL]
    queue = [home.queue.with_name(home.queue.name + end) for end in _WAL]
    return [*files, *queue, home.secret_file, home.files, home.plugins, home.themes, home.translations]


@contextmanager
def barred(home: Home, manifest: Manifest) -> Iterator[Path]:
    """Let no desk start while the block puts things in their places, nor later should it be killed meanwhile.

    Answers the folder for what was there before, which may not be there yet: after a restore that was cut short the
    folder of that one. A :class:`BackupError` of the block means that everything is where it was. Raises
    :class:`Refused` when the database alone is to be restored where a whole desk was cut short.
    """
    anew = not home.half_restored.exists()
    cut = home.before_restore
    if cut and manifest.kind == DATABASE and (cut / home.secret_file.name).exists():
        raise Refused(f"{home.cut_restore()} That was one of the whole desk, this backup has the database alone.")
    kept = cut or home.root / f"{BEFORE_RESTORE}{now():%Y%m%d-%H%M%S}"
    if kept != cut:
        _write(home.half_restored, kept.name)
    try:
        yield kept
    except BackupError:
        if anew:
            home.half_restored.unlink()
        raise
    sync_folder(home.root)
    home.half_restored.unlink()
    sync_folder(home.root)


def put_in_place(folder: Path, manifest: Manifest, home: Home, kept: Path) -> None:
    """Move the old desk into ``kept`` and the new one from ``folder`` in; renames only, so that all of both is there.

    Raises :class:`BackupError` when something could not be moved and all is back where it was; OSError when it could
    not even be moved back.
    """
    done: list[_Move] = []
    try:
        moves = [*_aside(manifest, home, kept), *_in(folder, manifest, home)]
        for source, target in moves:
            source.rename(target)
            done.append((source, target))
    except OSError as error:
        for source, target in reversed(done):
            target.rename(source)
        with suppress(OSError):
            kept.rmdir()
        raise BackupError(
            f"The backup could not be restored ({error.strerror or error}: {error.filename or home.root}); everything "
            "is where it was."
        ) from error


def _places_for(manifest: Manifest, home: Home) -> list[Path]:
    if manifest.kind != DATABASE:
        return places_of(home)
    return [place for place in places_of(home) if place.name.startswith((home.database.name, home.queue.name))]


def _aside(manifest: Manifest, home: Home, kept: Path) -> list[_Move]:
    old = [place for place in _places_for(manifest, home) if place.exists()]
    names_files = manifest.kind == DATABASE and has_something(home.files)
    if not names_files and not any(has_something(place) for place in old):
        return []
    kept.mkdir(mode=0o700, exist_ok=True)
    if names_files:
        _keep_files(home.files, kept / home.files.name)
    return [(place, _free(kept / place.name)) for place in old]


def _free(target: Path) -> Path:
    """The name under which something is kept; what a restore that was cut short had put in comes under another."""
    return target.with_name(f"{target.name}-cut-{now():%Y%m%d-%H%M%S-%f}") if target.exists() else target


def _in(folder: Path, manifest: Manifest, home: Home) -> Iterator[_Move]:
    for place in _places_for(manifest, home):
        came = folder / (archive.DATABASES[SQLITE] if place == home.database else place.name)
        if came.exists():
            yield came, place


def _keep_files(folder: Path, kept: Path) -> None:
    """Keep what the old database names under a second name: the desk removes in time what the new one does not."""

    def keep(source: str, target: str) -> None:
        try:
            os.link(source, target)
        except OSError:
            if not (os.path.exists(target) and os.path.samefile(source, target)):
                shutil.copy2(source, target)

    shutil.copytree(folder, kept, copy_function=keep, ignore=shutil.ignore_patterns(".*"), dirs_exist_ok=True)


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
