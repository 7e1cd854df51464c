"""Backups: which there are, how old the last good one is, one more now, and whether one can be restored."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flask import abort, current_app, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import schedules
from helpdesk.core.backups import asking, notes, scheduled
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.models import Job
from helpdesk.core.models import job as states
from helpdesk.core.permissions import allowed
from helpdesk.web.admin import job_words
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.proving import proof_required
from helpdesk.web.session import reader

# A folder that nobody clears is not read out in full.
_SHOWN = 200


@admin.get("/backups")
@needs("job.read")
def backups() -> Any:
    """The backups that are known, newest first, and the jobs that make or try one now."""
    config: Config = current_app.config["HELPDESK"]
    found = notes.listed(config.paths.backups)
    return render_template(
        "admin/backups.html",
        backups=found[:_SHOWN],
        last_good=next((backup for backup in found if backup.is_good), None),
        folder=config.paths.backups,
        home=config.home,
        program=_program(),
        passphrase=scheduled.PASSPHRASE,
        can_try=asking.can_try,
        jobs=_jobs_now(),
        states=job_words.states(),
        title=job_words.title,
        whys=_whys(),
        may_edit=allowed(reader(), "job.edit"),
        may_set=allowed(reader(), "setting.edit"),
    )


@admin.post("/backups")
@needs("job.edit")
@proof_required
def back_up() -> Any:
    """Ask for a backup at once; the page shows how far it is."""
    schedules.run_now(scheduled.JOB, reader())
    flash(_("The backup is being made."))
    return redirect(url_for("admin.backups"), 303)


@admin.post("/backups/<name>/verify")
@needs("job.edit")
@proof_required
def verify_backup(name: str) -> Any:
    """Ask for a drill: the backup is restored into a throw-away place."""
    try:
        job = asking.verify(name, reader())
    except asking.NoBackup:
        abort(404)
    except asking.NoPassphrase:
        flash(_("This backup is encrypted, and the desk was started without its passphrase."), "warn")
        return redirect(url_for("admin.backups"), 303)
    flash(_("The backup is being tried."))
    return redirect(url_for("admin.job", job_id=job.id), 303)


def _program() -> str:
    """The command of this installation, as it can be typed."""
    found = Path(sys.executable).with_name("helpdesk")
    return str(found) if found.is_file() else found.name


def _jobs_now() -> Sequence[Job]:
    mine = (Job.name.in_((scheduled.JOB, asking.JOB)), Job.state.in_((states.RUNNING, states.WAITING)))
    # By time: in the order of numbers a database would look through all jobs instead of these few.
    return db.session.scalars(select(Job).where(*mine).order_by(Job.created_at.desc()).limit(10)).all()


def _whys() -> dict[str, str]:
    """Why a backup was made."""
    return {
        notes.ASKED: _("By hand"),
        notes.SCHEDULED: _("By the desk"),
        notes.UPGRADE: _("Before an upgrade, the database alone"),
    }
