"""The processes that do the work, and what was found in their queue that the desk did not write."""

from collections import defaultdict
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import ngettext
from sqlalchemy import select

import helpdesk
from helpdesk.core import repairs
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs.workers import SILENT
from helpdesk.core.models import Job, QuarantinedMessage, Worker
from helpdesk.core.models.job import RUNNING
from helpdesk.core.permissions import allowed
from helpdesk.web.admin import job_words
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of
from helpdesk.web.session import reader

# More than a desk has: rows of workers that were killed are cleared away.
_SHOWN = 200


@admin.get("/workers")
@needs("job.read")
def workers() -> Any:
    """Who beats and what it runs now; below, messages of the queue that were put aside."""
    found = db.session.scalars(select(Worker).order_by(Worker.beat_at.desc()).limit(_SHOWN)).all()
    running: dict[str, list[Job]] = defaultdict(list)
    for job in db.session.scalars(select(Job).where(Job.state == RUNNING).order_by(Job.id).limit(_SHOWN)):
        running[job.worker or ""].append(job)
    return render_template(
        "admin/workers.html",
        workers=found,
        silent_before=now() - SILENT,
        running=running,
        version=helpdesk.__version__,
        page=slice_of(select(QuarantinedMessage), QuarantinedMessage.id),
        title=job_words.title,
        may_edit=allowed(reader(), "job.edit"),
    )


@admin.post("/workers/quarantine")
@needs("job.edit")
def clear_quarantine() -> Any:
    """Forget the messages that were put aside, up to the newest that the page showed."""
    newest = request.form.get("up_to", "")
    gone = repairs.clear_quarantine(int(newest), reader()) if newest.isdecimal() and len(newest) < 19 else 0
    flash(ngettext("%(num)s message is forgotten.", "%(num)s messages are forgotten.", gone))
    return redirect(url_for("admin.workers"), 303)
