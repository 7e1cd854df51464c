"""The job that makes a backup by itself: made, tried once a week, old ones taken away."""

import os
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import exists, select

from helpdesk.core import settings
from helpdesk.core.backups import making, notes, rotation, verifying
from helpdesk.core.backups.errors import BackupError, Unusable
from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import ScheduleRun
from helpdesk.core.settings import BackupSettings
from helpdesk.core.transaction import Busy

JOB = "core.backup"
PASSPHRASE = "HELPDESK_BACKUP_PASSPHRASE"
TIME_LIMIT = timedelta(hours=12)
# A disk that is full now may not be later.
FIRST_PAUSE = timedelta(minutes=15)
_MB = 1 << 20
# A step is a write: so often at most.
_STEP_SECONDS = 2.0
_WEEK = timedelta(days=7)


def back_up(work: Work) -> None:
    """Make a backup of the whole desk into the home, try it where that is due, take old ones away (a job in steps).

    Encrypted when the worker's environment has a passphrase. One that a person has asked for is never taken away;
    old ones of the schedule go only after a new one is there. Raises :class:`BackupError` with a sentence.
    """
    config: Config = current_app.config["HELPDESK"]
    passphrase = os.environ.get(PASSPHRASE, "")
    made = (work.checkpoint or {}).get("made")
    if made is None or not Path(made).is_file():
        made = str(making.make(passphrase=passphrase, why=_why(work), progress=Steps(work)).path)
        with work.step(checkpoint={"made": made}):
            pass
    result: dict[str, Any] = {"made": Path(made).name}
    wanted = settings.get(BackupSettings)
    if _is_due(wanted, config.paths.backups):
        result["verified"] = _try(Path(made), config, passphrase, work)
    result["removed"] = [backup.name for backup in rotation.remove_old(config.paths.backups, wanted)]
    with work.last_step(result=result):
        pass


def _why(work: Work) -> str:
    """Only what a due time has asked for is the schedule's; people ask for the same job."""
    by_itself = db.session.scalar(select(exists().where(ScheduleRun.job_id == work.job_id)))
    db.session.rollback()
    return notes.SCHEDULED if by_itself else notes.ASKED


def _is_due(wanted: BackupSettings, folder: Path) -> bool:
    if not wanted.verify:
        return False
    # One that failed is no reason to wait: the job fails until a backup can be restored.
    good = [backup.verified_at for backup in notes.listed(folder) if backup.verified and backup.verified_at is not None]
    return not good or now() - max(good) >= _WEEK - timedelta(hours=1)


def _try(path: Path, config: Config, passphrase: str, work: Work) -> str:
    """How the drill went; one for which there is no room now does not undo the backup."""
    try:
        verifying.verify(path, config, passphrase=passphrase, progress=Steps(work))
    except Unusable:
        raise
    except BackupError as error:
        return str(error)
    return "good"


class Steps:
    """Shows how far a job is, in megabytes, and hears of its cancellation."""

    def __init__(self, work: Work) -> None:
        self._work, self._last = work, 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._last < _STEP_SECONDS:
            return
        self._last = time.monotonic()
        # One that cannot be shown is no reason to begin anew.
        with suppress(Busy), self._work.step(done=done // _MB, total=max(1, total // _MB)):
            pass
