"""The first page of the administration: every room, and what needs attention."""

from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Intake, Job
from helpdesk.core.models import delivery as deliveries
from helpdesk.core.models import intake as intakes
from helpdesk.core.models import job as jobs
from helpdesk.core.permissions import allowed
from helpdesk.web.admin.blueprint import admin
from helpdesk.web.session import reader


@dataclass(frozen=True)
class Room:
    """One page of the administration; ``attention`` counts what waits for a person there."""

    title: str
    about: str
    icon: str
    url: str
    attention: int = 0


@admin.get("/")
def home() -> Any:
    """Every room that the reader may enter."""
    return render_template("admin/home.html", rooms=rooms())


def rooms() -> list[Room]:
    """The rooms in their order, without those that the reader may not enter. One query."""
    waiting = _attention()
    found = [
        ("setting.edit", "settings", "settings", _("All settings"), _("Name, languages, mail, look")),
        ("user.edit", "people", "users", _("People"), _("Who may come in, and what they may do")),
        ("team.edit", "teams", "users-group", _("Teams"), _("Queues and who works on them")),
        ("user.edit", "organizations", "building", _("Organizations"), _("The companies of your customers")),
        ("field.edit", "fields", "notes", _("Ticket fields"), _("What every ticket should say of itself")),
        ("status.edit", "status_list", "s-open", _("Statuses"), _("What they are called")),
        ("plugin.edit", "plugins", "puzzle", _("Plugins"), _("What this desk can do, each with a switch")),
        ("theme.edit", "themes", "palette", _("Themes"), _("The look of all pages")),
        ("intake.read", "mail", "inbox", _("Incoming mail"), _("What came in, and what needs attention")),
        ("delivery.read", "mail_out", "send", _("Outgoing mail"), _("What went out, and what could not")),
        ("job.read", "jobs", "clock", _("Jobs"), _("Work for later: waiting, running, failed")),
        ("audit.read", "audit", "list", _("Record"), _("Who did what in the administration")),
    ]
    return [
        Room(title, about, icon, url_for(f"admin.{page}"), waiting.get(page, 0))
        for permission, page, icon, title, about in found
        if allowed(reader(), permission)
    ]


def _attention() -> dict[str, int]:
    """Failed outgoing messages, items in quarantine, failed jobs."""
    counts = {
        "mail_out": select(func.count(Delivery.id)).where(Delivery.state == deliveries.FAILED),
        "mail": select(func.count(Intake.id)).where(Intake.state == intakes.QUARANTINED),
        "jobs": select(func.count(Job.id)).where(Job.state == jobs.FAILED),
    }
    row = db.session.execute(select(*(query.scalar_subquery() for query in counts.values()))).one()
    return dict(zip(counts, row, strict=True))
