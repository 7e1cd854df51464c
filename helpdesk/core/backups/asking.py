"""A drill that a person asks for: the job that tries one backup now."""

import os

from flask import current_app

from helpdesk.core import audit
from helpdesk.core.backups import notes, verifying
from helpdesk.core.backups.notes import Backup
from helpdesk.core.backups.scheduled import PASSPHRASE, Steps
from helpdesk.core.config import Config
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import Job, User
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction

JOB = "core.verify_backup"


class NoBackup(Exception):
    """There is no such backup; the text is a sentence."""


class NoPassphrase(Exception):
    """The backup is encrypted and the desk was started without a passphrase; the text is a sentence."""


def can_try(backup: Backup) -> bool:
    """Whether the desk could open a backup: it is not encrypted, or the desk was started with a passphrase."""
    return not backup.sealed or bool(os.environ.get(PASSPHRASE))


def verify(name: str, actor: User | None) -> Job:
    """Ask for a drill with the backup of that name: a job, at most one of each at a time.

    One transaction; audited. Raises :class:`NoBackup`, :class:`NoPassphrase` and NotAllowed.
    """
    require(actor, "job.edit")
    if not can_try(_find(name)):
        raise NoPassphrase(f"“{name}” is encrypted, and the desk has no passphrase ({PASSPHRASE}).")
    with transaction():
        job = ledger.schedule(JOB, key=f"{JOB}:{name}"[:200], asked_by=actor, max_attempts=1, backup=name)
        audit.record("backup.tried", actor, name)
    return job


def run(work: Work, backup: str) -> None:
    """Try to restore a backup (the job); its note says how it went. Raises BackupError with a sentence."""
    config: Config = current_app.config["HELPDESK"]
    passphrase = os.environ.get(PASSPHRASE, "")
    verifying.verify(_find(backup).path, config, passphrase=passphrase, progress=Steps(work))
    with work.last_step(result={"verified": backup}):
        pass


def _find(name: str) -> Backup:
    config: Config = current_app.config["HELPDESK"]
    found = next((backup for backup in notes.listed(config.paths.backups) if backup.name == name), None)
    if found is None:
        raise NoBackup(f"There is no backup “{name}”.")
    return found
