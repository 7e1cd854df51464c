"""Work for later: what runs, waits, failed and is done; run again, cancelled."""

import json
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from helpdesk.core import repairs
from helpdesk.core.extensions import db
from helpdesk.core.jobs import lookup
from helpdesk.core.models import Job, ScheduleRun, User
from helpdesk.core.models import job as states
from helpdesk.core.permissions import allowed
from helpdesk.web.admin import job_words
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.confirm import ask
from helpdesk.web.admin.listing import counts, slice_of, text_asked_for
from helpdesk.web.session import reader

_COUNTED_STATES = (states.RUNNING, states.WAITING, states.FAILED)


@dataclass(frozen=True)
class Filter:
    """What the list is narrowed down to; a state that is none counts as none chosen."""

    state: str
    name: str
    text: str

    @classmethod
    def asked_for(cls) -> "Filter":
        state = request.args.get("state", "")
        name = text_asked_for("name")
        return cls(state if state in states.STATES else "", name, text_asked_for())

    @property
    def address(self) -> dict[str, Any]:
        """As it stands in an address."""
        return {key: value for key, value in vars(self).items() if value}


@admin.get("/jobs")
@needs("job.read")
def jobs() -> Any:
    """Jobs, newest first; ``state``, ``name`` (of a job or a plugin) and ``text`` narrow them down."""
    wanted = Filter.asked_for()
    query = lookup.matching(states=[wanted.state] if wanted.state else (), name=wanted.name, text=wanted.text)
    page = slice_of(query, Job.id)
    return render_template(
        "admin/jobs.html",
        page=page,
        wanted=wanted,
        moves=any(job.state == states.RUNNING for job in page.rows),
        counts=counts({one: select(Job.id).where(Job.state == one) for one in _COUNTED_STATES}),
        choices=job_words.choices(wanted.name),
        **_words(),
    )


@admin.get("/jobs/<int:job_id>")
@needs("job.read")
def job(job_id: int) -> Any:
    """One job: what it does, for whom, how far it is, and what became of it."""
    found = _job(job_id)
    return render_template(
        "admin/job.html",
        job=found,
        asked_by=db.session.get(User, found.asked_by_id) if found.asked_by_id else None,
        schedule=db.session.scalar(select(ScheduleRun.schedule_key).where(ScheduleRun.job_id == found.id)),
        **_words(),
    )


@admin.post("/jobs/<int:job_id>/<any(retry, cancel):act>")
@needs("job.edit")
def settle_job(job_id: int, act: str) -> Any:
    """Run a failed job again, cancel one that has not begun, or ask one that runs in steps to stop."""
    found = _job(job_id)
    if act == "retry" and repairs.retry_job(found, reader()):
        flash(_("The job is run again."))
    elif act == "cancel" and repairs.cancel_job(found, reader()):
        db.session.refresh(found)
        asked = found.state == states.RUNNING
        flash(_("The job is being cancelled; it stops after its step.") if asked else _("The job was cancelled."))
    else:
        flash(_("The job has begun already, or is done; nothing was changed."), "warn")
    if request.args.get("from") == "list":
        return redirect(url_for("admin.jobs", **Filter.asked_for().address), 303)
    return redirect(url_for("admin.job", job_id=job_id), 303)


@admin.get("/jobs/retry-failed")
@needs("job.edit")
def confirm_retry_failed() -> Any:
    """Ask whether all failed jobs of one name are to be run again."""
    name = text_asked_for("name")
    count = min(repairs.count_failed(name), repairs.AT_ONCE)
    if not count:
        flash(_("No such job has failed."), "warn")
        return redirect(url_for("admin.jobs"), 303)
    return ask(
        heading=ngettext("Run %(num)s failed job again?", "Run %(num)s failed jobs again?", count),
        code=name,
        lead=_("Each is tried anew, with fresh attempts. Look first whether what made them fail is mended."),
        button=_("Run again"),
        action=url_for("admin.retry_failed", name=name),
        back=url_for("admin.jobs", state=states.FAILED, name=name),
    )


@admin.post("/jobs/retry-failed")
@needs("job.edit")
def retry_failed() -> Any:
    """Run the failed jobs of one name again, so many at once."""
    name = text_asked_for("name")
    count = repairs.retry_failed(name, reader())
    flash(ngettext("%(num)s job is run again.", "%(num)s jobs are run again.", count))
    return redirect(url_for("admin.jobs", name=name or None), 303)


def _words() -> dict[str, Any]:
    return {
        "states": job_words.states(),
        "priorities": job_words.priorities(),
        "title": job_words.title,
        "readable": _readable,
        "may_cancel": repairs.may_cancel,
        "may_edit": allowed(reader(), "job.edit"),
    }


def _readable(value: Any) -> str:
    """JSON as a person reads it: letters of every language as they are."""
    return json.dumps(value, ensure_ascii=False)


def _job(job_id: int) -> Job:
    found = db.session.get(Job, job_id) if job_id < 2**63 else None
    if found is None:
        abort(404)
    return found
