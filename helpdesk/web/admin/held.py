"""The desk after a restore: what is held back, and the word that lets it go."""

from typing import Any

from flask import flash, redirect, render_template, url_for
from flask_babel import gettext as _

from helpdesk.core import holding
from helpdesk.core.extensions import db
from helpdesk.core.permissions import allowed
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.session import reader


@admin.get("/held")
@needs("job.read")
def held() -> Any:
    """What waits while the desk is held, and what will happen when it is let go."""
    since = holding.held_since()
    return render_template(
        "admin/held.html",
        waiting=holding.waiting(db.session.connection()) if since else None,
        may_edit=allowed(reader(), "job.edit"),
    )


@admin.post("/held/release")
@needs("job.edit")
def release() -> Any:
    """Let what was held back go on; the page with the form has said how much that is."""
    if holding.release(reader()):
        flash(_("The desk is let go: messages are sent, schedules run."))
    else:
        flash(_("Nothing is held back."), "warn")
    return redirect(url_for("admin.home"), 303)
