"""Wheels that administrators upload: kept aside until somebody has read what they will use and said yes."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from flask import current_app
from flask_babel import gettext as _

from helpdesk.core import plugin_packages
from helpdesk.core.config import Config
from helpdesk.core.models import User
from helpdesk.core.permissions import NotAllowed, require
from helpdesk.core.plugin_packages import CannotInstall
from helpdesk.plugins.candidates import Candidate
from helpdesk.plugins.wheels import LARGEST

_ID = re.compile(r"[0-9a-f]{32}")
_KEPT_SECONDS = 24 * 3600
_GIVEN_UP_SECONDS = 15 * 60
_CHUNK = 64 * 1024

WAITING, RUNNING, DONE, FAILED = "waiting", "running", "done", "failed"


class NoUpload(Exception):
    """There is no such upload of this person's."""


@dataclass(frozen=True)
class Upload:
    """One uploaded wheel: ``state`` is WAITING (for a yes), RUNNING, DONE or FAILED (with the ``sentence``)."""

    id: str
    state: str
    sentence: str = ""
    name: str = ""
    version: str = ""


def keep(stream: BinaryIO, actor: User) -> str:
    """Write an uploaded wheel aside and check it; answers its id. None of its code runs, its name is never used.

    Raises :class:`CannotInstall` with a sentence (nothing is kept then), NotAllowed.
    """
    _require(actor)
    _sweep()
    key = secrets.token_hex(16)
    folder = _uploads() / key
    folder.mkdir(mode=0o700)
    try:
        _write(stream, folder / "plugin.whl")
        with plugin_packages.staged_wheel(folder / "plugin.whl") as candidate:
            note = {"user": actor.id, "sha256": candidate.sha256}
            note |= {"name": candidate.manifest.name, "version": candidate.manifest.version}
            (folder / "note.json").write_text(json.dumps(note), encoding="utf-8")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return key


def largest() -> int:
    """How many MB a wheel may have: a desk that takes in smaller files takes in no larger form."""
    form: int = current_app.config["MAX_CONTENT_LENGTH"] // 1024 // 1024
    # The form around the file takes a little of it.
    return min(LARGEST // 1024 // 1024, form - 1)


def _write(stream: BinaryIO, target: Path) -> None:
    written = 0
    with target.open("wb") as file:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > LARGEST:
                raise CannotInstall(_("The file is larger than %(size)s MB.", size=largest()))
            file.write(chunk)
    if not written:
        raise CannotInstall(_("Choose the wheel of a plugin: a file that ends in .whl."))


@contextmanager
def candidate(key: str, actor: User) -> Iterator[Candidate]:
    """What was uploaded, read again. Raises :class:`NoUpload`, :class:`CannotInstall`, NotAllowed."""
    folder, _note = _find(key, actor)
    with plugin_packages.staged_wheel(folder / "plugin.whl") as found:
        yield found


def start(key: str, actor: User) -> None:
    """Install what was uploaded, in a process of its own that outlives this one: the desk starts anew at its end.

    Raises :class:`NoUpload`, NotAllowed, and :class:`CannotInstall` when no process can be started.
    """
    _require(actor)
    folder, note = _find(key, actor)
    try:
        # Made once: a second yes, or a form that is sent twice, starts nothing.
        marker = os.open(folder / "started", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    config = _config()
    environ = {**os.environ, "HELPDESK_HOME": str(config.home)}
    if config.database_url:
        environ["HELPDESK_DATABASE_URL"] = config.database_url
    words = [sys.executable, "-m", "helpdesk.cli", "plugin", "install", str(folder / "plugin.whl"), "--yes", "--json"]
    words += ["--hash", f"sha256:{note['sha256']}", "--by", str(actor.id)]
    try:
        with os.fdopen(marker, "w") as file, (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            process = subprocess.Popen(
                words, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
            file.write(str(process.pid))
    except OSError as error:
        # It can be tried again.
        (folder / "started").unlink(missing_ok=True)
        raise CannotInstall(_("The installation could not be started; try again.")) from error
    # Nobody waits for it here; its end must only be heard, so that it does not stay as a dead entry.
    threading.Thread(target=process.wait, name="install", daemon=True).start()


def look(key: str, actor: User) -> Upload:
    """How far an upload is. Raises :class:`NoUpload`, NotAllowed."""
    _require(actor)
    folder, note = _find(key, actor)
    name, version = str(note["name"]), str(note["version"])
    if not (folder / "started").exists():
        return Upload(key, WAITING, "", name, version)
    if _text(folder / "out").strip():
        return Upload(key, DONE, "", name, version)
    if _runs(folder / "started"):
        return Upload(key, RUNNING, "", name, version)
    lines = [line.strip() for line in _text(folder / "err").splitlines() if line.strip()]
    # It may have ended between the two looks.
    if _text(folder / "out").strip():
        return Upload(key, DONE, "", name, version)
    sentence = lines[-1] if lines else _("The installation was cut short; upload the file again.")
    return Upload(key, FAILED, sentence, name, version)


def _runs(started: Path) -> bool:
    try:
        if time.time() - started.stat().st_mtime > _GIVEN_UP_SECONDS:
            return False
        os.kill(int(started.read_text() or "0") or os.getpid(), 0)
    except (OSError, ValueError):
        return False
    return True


def _find(key: str, actor: User) -> tuple[Path, dict[str, Any]]:
    if not _ID.fullmatch(key):
        raise NoUpload
    folder = _uploads() / key
    try:
        note: dict[str, Any] = json.loads(_text(folder / "note.json"))
    except ValueError:
        raise NoUpload from None
    if note.get("user") != actor.id:
        raise NoUpload
    return folder, note


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _sweep() -> None:
    """Uploads that nobody said yes to go after a day."""
    for folder in _uploads().iterdir():
        try:
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:
            continue


def _require(actor: User) -> None:
    require(actor, "plugin.edit")
    if not _config().install_plugins:
        raise NotAllowed("plugin.edit")


def _uploads() -> Path:
    folder = _config().paths.uploads
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def _config() -> Config:
    config: Config = current_app.config["HELPDESK"]
    return config
