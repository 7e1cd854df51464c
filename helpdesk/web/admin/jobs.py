"""Work for later: what waits, what failed."""

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import pgettext
from sqlalchemy import select

from helpdesk.core import repairs
from helpdesk.core.extensions import db
from helpdesk.core.models import Job
from helpdesk.core.models import job as states
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of
from helpdesk.web.session import reader


@admin.get("/jobs")
@needs("job.read")
def jobs() -> Any:
    """Jobs, newest first."""
    state = request.args.get("state", "")
    query = select(Job)
    if state in states.STATES:
        query = query.where(Job.state == state)
    return render_template(
        "admin/jobs.html",
        page=slice_of(query, Job.id),
        state=state,
        states=_names(),
        title=_title,
        is_own=repairs.is_own,
    )


@admin.post("/jobs/<int:job_id>/<any(retry, cancel):act>")
@needs("job.edit")
def settle_job(job_id: int, act: str) -> Any:
    """Run a failed job again, or cancel one that has not begun."""
    job = db.session.get(Job, job_id) if job_id < 2**63 else None
    if job is None:
        abort(404)
    if act == "retry" and repairs.retry_job(job, reader()):
        flash(_("The job is run again."))
    elif act == "cancel" and repairs.cancel_job(job, reader()):
        flash(_("The job was cancelled."))
    else:
        flash(_("The job has begun already, or is done; nothing was changed."), "warn")
    return redirect(url_for("admin.jobs"), 303)


def _title(job: Job) -> str:
    """What a job of the desk does; a plugin's is called by its name."""
    titles = {
        "core.deliver": _("Send a message"),
        "core.intake": _("Take in a message"),
        "core.facts": _("Tell plugins what happened"),
        "core.fact": _("Tell a plugin once more"),
    }
    return titles.get(job.name, job.name)


def _names() -> list[tuple[str, str]]:
    return [
        (states.WAITING, pgettext("job", "Waiting")),
        (states.RUNNING, pgettext("job", "Running")),
        (states.DONE, pgettext("job", "Done")),
        (states.FAILED, pgettext("job", "Failed")),
        (states.CANCELLED, pgettext("job", "Cancelled")),
    ]
