"""The first page of the administration: every room, and what needs attention."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template, url_for
from flask_babel import gettext as _
from sqlalchemy import func, select

from helpdesk.core.audit import checking
from helpdesk.core.events import held
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Intake, Job
from helpdesk.core.models import delivery as deliveries
from helpdesk.core.models import intake as intakes
from helpdesk.core.models import job as jobs
from helpdesk.core.permissions import allowed
from helpdesk.web import places
from helpdesk.web.admin.blueprint import admin
from helpdesk.web.admin.plugins import Card, cards
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
    """Every room that the reader may enter, the plugins' behind the desk's own."""
    waiting = _attention() | {"audit": int(_record_is_open(checking.last()))}
    return render_template(
        "admin/home.html",
        rooms=[*rooms(waiting), *_plugin_rooms()],
        troubled=_troubled_plugins(),
        sends_mail=bool(waiting["sent"]),
    )


def _record_is_open(found: Mapping[str, Any]) -> bool:
    """Whether the last look has found that the record was changed, or can be."""
    return bool(found.get("broken") or found.get("unguarded"))


def _plugin_rooms() -> list[Room]:
    found = places.admin_rooms(reader())
    return [Room(entry.label, entry.about, entry.icon, entry.url, entry.attention) for entry in found]


def _troubled_plugins() -> list[Card]:
    """The plugins that were left out, are paused or rest: for whoever may do something about it."""
    return [card for card in cards() if card.trouble] if allowed(reader(), "plugin.edit") else []


def rooms(waiting: Mapping[str, int]) -> list[Room]:
    """The rooms in their order, without those that the reader may not enter, with what waits in each."""
    found = [
        ("setting.edit", "settings", "settings", _("All settings"), _("Name, languages, mail, look")),
        ("user.edit", "people", "users", _("People"), _("Who may come in, and what they may do")),
        ("user.edit", "services", "plug", _("Programs"), _("Accounts and tokens for what works with this desk")),
        ("team.edit", "teams", "users-group", _("Teams"), _("Queues and who works on them")),
        ("team.edit", "hours_list", "clock", _("Business hours"), _("When teams work, holidays, days that differ")),
        ("user.edit", "organizations", "building", _("Organizations"), _("The companies of your customers")),
        ("field.edit", "fields", "notes", _("Ticket fields"), _("What every ticket should say of itself")),
        ("field.edit", "type_list", "bookmark", _("Ticket types"), _("Question, problem, return: what kind of thing")),
        ("field.edit", "topic_list", "route", _("Topics"), _("What tickets are about, as a tree")),
        ("status.edit", "status_list", "s-open", _("Statuses"), _("What they are called")),
        ("plugin.edit", "plugins", "puzzle", _("Plugins"), _("What this desk can do, each with a switch")),
        ("language.edit", "languages", "language", _("Languages"), _("What is translated, and words of your own")),
        ("theme.edit", "themes", "palette", _("Themes"), _("The look of all pages")),
        ("intake.read", "mail", "inbox", _("Incoming mail"), _("What came in, and what needs attention")),
        ("delivery.read", "mail_out", "send", _("Outgoing mail"), _("What went out, and what could not")),
        ("job.read", "jobs", "clock", _("Jobs"), _("Work for later: waiting, running, failed")),
        ("job.read", "schedule_list", "calendar-event", _("Schedules"), _("What comes again, and how it went")),
        ("job.read", "facts", "history", _("Facts and events"), _("What happened, and what plugins have not taken in")),
        ("job.read", "workers", "server", _("Workers"), _("The processes that do the work")),
        ("job.read", "backups", "database", _("Backups"), _("The last ones, and one more now")),
        ("audit.read", "audit", "list", _("Record"), _("Who did what in the administration")),
    ]
    return [
        Room(title, about, icon, url_for(f"admin.{page}"), waiting.get(page, 0))
        for permission, page, icon, title, about in found
        if allowed(reader(), permission)
    ]


def _attention() -> dict[str, int]:
    """Failed outgoing messages, items in quarantine, failed jobs, facts that are not told again; and whether any mail
    was sent. One query.
    """
    counts = {
        "mail_out": select(func.count(Delivery.id)).where(Delivery.state == deliveries.FAILED),
        "mail": select(func.count(Intake.id)).where(Intake.state == intakes.QUARANTINED),
        "jobs": select(func.count(Job.id)).where(Job.state == jobs.FAILED),
        "facts": select(func.count(Job.id)).where(Job.state == jobs.FAILED, Job.name == held.RETRY_JOB),
    }
    sent = select(Delivery.id).where(Delivery.state == deliveries.SENT).exists()
    row = db.session.execute(select(*(query.scalar_subquery() for query in counts.values()), sent)).one()
    return dict(zip((*counts, "sent"), row, strict=True))
