"""Work that comes again: when it was and is due and how it went, run at once, paused and let go on."""

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import schedules
from helpdesk.core.models import Schedule
from helpdesk.core.permissions import allowed
from helpdesk.core.schedules import runs as schedule_runs
from helpdesk.core.schedules import words
from helpdesk.core.schedules.runs import Run
from helpdesk.web.admin import job_words
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import SIZE, Slice
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@dataclass(frozen=True)
class ScheduleRow:
    """A schedule as the pages show it; ``rests`` says that its plugin is off."""

    schedule: Schedule
    words: str
    rests: bool
    last: Run | None

    @property
    def runs(self) -> bool:
        """Whether it is due again by itself."""
        return self.schedule.enabled and not self.rests


@admin.get("/schedules")
@needs("job.read")
def schedule_list() -> Any:
    """The schedules of the desk and of the plugins that are installed, with their last runs."""
    rows = schedules.listed()
    last = schedule_runs.last([row.key for row in rows])
    return render_template("admin/schedules.html", rows=[_row(row, last.get(row.key)) for row in rows], **_words())


@admin.get("/schedules/<key>")
@needs("job.read")
def schedule(key: str) -> Any:
    """One schedule with its runs, newest first."""
    found = next((row for row in schedules.listed() if row.key == key), None)
    if found is None:
        abort(404)
    before = request.args.get("after", type=row_number)
    runs = schedule_runs.page(key, before=before, limit=SIZE + 1)
    page = Slice(runs[:SIZE], runs[SIZE - 1].id if len(runs) > SIZE else None)
    newest = page.rows[0] if page.rows and before is None else None
    return render_template("admin/schedule.html", row=_row(found, newest), page=page, **_words())


@admin.post("/schedules/<key>/<any(on, off, run):state>")
@needs("job.edit")
def settle_schedule(key: str, state: str) -> Any:
    """Run a schedule's job at once, let it rest, or let it go on."""
    try:
        if state == "run":
            job = schedules.run_now(key, reader())
            flash(_("The job is run."))
            return redirect(url_for("admin.job", job_id=job.id), 303)
        if schedules.switch(key, state == "on", reader()):
            flash(_("The schedule goes on.") if state == "on" else _("The schedule is paused."))
    except schedules.PluginOff as problem:
        flash(str(problem), "warn")
    except schedules.UnknownSchedule:
        abort(404)
    if request.args.get("from") == "list":
        return redirect(url_for("admin.schedule_list"), 303)
    return redirect(url_for("admin.schedule", key=key), 303)


def _row(row: Schedule, last: Run | None) -> ScheduleRow:
    return ScheduleRow(row, words.rule(row), schedules.rests(row), last)


def _words() -> dict[str, Any]:
    return {
        "states": job_words.states(),
        "catch_up": words.catch_up,
        "title": job_words.title,
        "may_edit": allowed(reader(), "job.edit"),
    }
