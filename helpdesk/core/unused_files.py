"""Files on disk that no row names: a person was erased, or whoever had stored them ended before a row did."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app
from sqlalchemy import Text, cast, select

from helpdesk.core import deliveries, files, locks
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Attachment, Intake, ReplyDraft
from helpdesk.plugins import manager

JOB, SWEEP_JOB = "core.remove_files", "core.sweep_files"
IN_USE = "stored_files_in_use"
_BATCH = 200
_PAUSE = timedelta(minutes=1)
# A form that comes back to be corrected names its files only in the end.
_STILL_WANTED = timedelta(days=2)


def remove_later(hashes: Iterable[str]) -> None:
    """Ask for those files to be removed once the open transaction has committed, each if nothing names it then."""
    wanted = sorted(set(hashes))
    for first in range(0, len(wanted), _BATCH):
        ledger.schedule(JOB, hashes=wanted[first : first + _BATCH], asked_at=now().isoformat())


def remove(hashes: list[str], asked_at: str) -> None:
    """Remove files that no attachment, no incoming item and no plugin names (a job).

    One that came anew meanwhile stays. While a backup is made nothing goes: its copy of the database may still name it.
    While a plugin cannot be asked the files are left to :func:`sweep`.
    """
    with _no_backup():
        _remove([files.path_of(sha256) for sha256 in set(hashes)], datetime.fromisoformat(asked_at))


def sweep(work: Work) -> dict[str, int]:
    """Remove what has lain for two days without being named (a job, once a day); answers how many files.

    Such a file is left when a process is killed between a file and its row. Nothing goes while a backup is made, and
    nothing while a plugin cannot be asked, but what was never written to its end.
    """
    folder, before, removed = _config().paths.files, now() - _STILL_WANTED, 0
    for aside in folder.glob(f"{files.ASIDE}*"):
        removed += _remove_old(aside, before)
    for place in sorted(found for found in folder.iterdir() if found.is_dir()):
        work.heed()
        with _no_backup():
            removed += _remove(list(place.iterdir()), before)
        db.session.rollback()
    return {"files": removed}


@contextmanager
def _no_backup() -> Iterator[None]:
    try:
        with locks.held(_config().paths.backup_lock, shared=True):
            yield
    except locks.Taken:
        raise ledger.NotYet("A backup is being made; files stay until it is done.", _PAUSE, counts=False) from None


def _remove(paths: Sequence[Path], before: datetime) -> int:
    """Remove those that nothing names and that are older; answers how many."""
    removed = 0
    if not _plugins_answer():
        return removed
    for first in range(0, len(paths), _BATCH):
        batch = paths[first : first + _BATCH]
        hashes = [path.name for path in batch]
        named = set(db.session.scalars(select(Attachment.sha256).where(Attachment.sha256.in_(hashes))))
        named |= set(db.session.scalars(select(Intake.sha256).where(Intake.sha256.in_(hashes))))
        named |= _in_drafts() | _in_letters() | _in_plugins(hashes)
        removed += sum(_remove_old(path, before) for path in batch if path.name not in named)
    return removed


def _in_drafts() -> set[str]:
    """What replies that are being written have attached."""
    query = select(ReplyDraft.files).where(cast(ReplyDraft.files, Text) != "[]")
    return {str(file.get("sha256")) for files in db.session.scalars(query) for file in files}


def _in_letters() -> set[str]:
    """What goes out with mails that are no messages."""
    return {file.sha256 for letter in deliveries.letters_with_files() for file in deliveries.files_of(letter)}


def _plugins_answer() -> bool:
    """Whether plugins can be asked what they keep: not without plugins, nor with one that could not be loaded."""
    return not _config().safe_mode and all(plugin.loaded for plugin in manager.current().plugins.values())


def _in_plugins(hashes: Sequence[str]) -> set[str]:
    """What plugins keep. Raises when one of them does not answer: nothing is removed then."""
    answers = manager.current().require_each(IN_USE, hashes=hashes)
    return {sha256 for answer in answers for sha256 in answer or ()}


def _remove_old(path: Path, before: datetime) -> bool:
    try:
        if path.stat().st_mtime > before.timestamp():
            return False
        path.unlink()
    except FileNotFoundError:
        return False
    return True


def _config() -> Config:
    config: Config = current_app.config["HELPDESK"]
    return config
