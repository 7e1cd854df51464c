"""Administrative acts in the reader's words."""

import dataclasses
from typing import Any

from babel.lists import format_list
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from helpdesk.core import settings
from helpdesk.core.models import AuditEntry
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Act

# What is tried from outside: an entry without an actor is not the desk's own.
BY_STRANGERS = frozenset({"user.sign_in_failed", "token.refused"})
NAMES: dict[str, Any] = {
    "user.signed_in": _l("Signed in"),
    "user.signed_out": _l("Signed out"),
    "user.sign_in_failed": _l("Sign-in failed"),
    "user.code_wrong": _l("Wrong code typed"),
    "user.second_factor_on": _l("Second step switched on"),
    "user.second_factor_off": _l("Second step switched off"),
    "user.second_factor_reset": _l("Second step taken away"),
    "user.recovery_code_used": _l("Recovery code used"),
    "user.recovery_codes_made": _l("Recovery codes made"),
    "user.sessions_ended": _l("Signed out everywhere"),
    "user.session_ended": _l("Browser signed out"),
    "user.device_forgotten": _l("Remembered browser forgotten"),
    "user.created": _l("Account made"),
    "user.changed": _l("Account changed"),
    "user.role_changed": _l("Role changed"),
    "user.enabled": _l("Account switched on"),
    "user.merged": _l("Two records of a customer merged"),
    "user.unmerged": _l("Merged records parted"),
    "user.disabled": _l("Account switched off"),
    "user.password_changed": _l("Password changed"),
    "user.exported": _l("Personal data handed out"),
    "user.erased": _l("Person erased"),
    "user.address_works": _l("Address marked as working again"),
    "user.care_wanted": _l("Care mail wanted again"),
    "user.link_sent": _l("Password link sent"),
    "user.link_made": _l("Invitation link made"),
    "audit.exported": _l("Record handed out"),
    "token.made": _l("Token made"),
    "token.revoked": _l("Token revoked"),
    "token.first_used": _l("Token used for the first time"),
    "token.refused": _l("Token refused"),
    "service.created": _l("Program added"),
    "service.changed": _l("Program changed"),
    "team.created": _l("Team made"),
    "tickets.exported": _l("List of tickets downloaded"),
    "team.changed": _l("Team changed"),
    "hours.created": _l("Business hours made"),
    "hours.changed": _l("Business hours changed"),
    "hours.deleted": _l("Business hours deleted"),
    "roster.shift_added": _l("Shift added"),
    "roster.shift_changed": _l("Shift changed"),
    "roster.shift_removed": _l("Shift removed"),
    "roster.absence_added": _l("Absence noted"),
    "roster.absence_removed": _l("Absence removed"),
    "organization.created": _l("Organization added"),
    "organization.changed": _l("Organization changed"),
    "field.created": _l("Ticket field made"),
    "field.changed": _l("Ticket field changed"),
    "field.moved": _l("Ticket field moved"),
    "language.corrected": _l("Texts corrected"),
    "language.restored": _l("Corrections taken back"),
    "language.file_kept": _l("Translation added"),
    "type.created": _l("Ticket type added"),
    "type.changed": _l("Ticket type changed"),
    "type.moved": _l("Ticket type moved"),
    "topic.created": _l("Topic added"),
    "topic.changed": _l("Topic changed"),
    "topic.moved": _l("Topic moved"),
    "topic.deleted": _l("Topic deleted"),
    "user.handed_over": _l("Work handed over"),
    "status.created": _l("Status added"),
    "status.changed": _l("Status changed"),
    "status.moved": _l("Status moved"),
    "settings.changed": _l("Settings changed"),
    "plugin.switched_on": _l("Plugin switched on"),
    "plugin.switched_off": _l("Plugin switched off"),
    "plugin.installed": _l("Plugin installed"),
    "plugin.upgraded": _l("Plugin upgraded"),
    "plugin.install_failed": _l("Plugin could not be installed"),
    "plugin.uninstalled": _l("Plugin uninstalled"),
    "plugin.purged": _l("Data of a plugin taken out"),
    "desk.restarted": _l("Desk started anew"),
    "user.password_wrong": _l("Wrong password typed"),
    "plugin.paused": _l("Plugin paused"),
    "schedule.switched_on": _l("Schedule switched on"),
    "schedule.switched_off": _l("Schedule switched off"),
    "schedule.run": _l("Schedule run at once"),
    "incoming.retried": _l("Incoming message tried again"),
    "incoming.accepted": _l("Held message let in"),
    "incoming.discarded": _l("Incoming message put aside"),
    "outgoing.retried": _l("Outgoing message sent again"),
    "outgoing.tried": _l("Waiting message tried at once"),
    "job.retried": _l("Job run again"),
    "job.cancelled": _l("Job cancelled"),
    "outgoing.cancelled": _l("Outgoing message held back"),
    "fact.replayed": _l("Fact told again"),
    "fact.discarded": _l("Fact discarded"),
    "queue.cleared": _l("Messages of the queue forgotten"),
    "backup.made": _l("Backup made by hand"),
    "backup.tried": _l("Backup tried"),
    "desk.restored": _l("Desk restored from a backup"),
    "desk.imported": _l("Data of another program taken in"),
    "theme.made": _l("Theme made"),
    "desk.released": _l("Desk let go after a restore"),
}


def act_names() -> list[tuple[str, str]]:
    """Every act that the core and the plugins that are on record, by its name in the reader's language."""
    theirs = (found.item for found in manager.current().contributions("register_acts"))
    named = {**NAMES, **{act.name: act.label for act in theirs}}
    return sorted(((code, str(name)) for code, name in named.items()), key=lambda pair: pair[1].casefold())


def act_name(code: str) -> str:
    """What an act is called; the plugin of one may be off. A code that nobody has a name for stays as it is."""
    theirs: Act | None = manager.current().find("register_acts", code, include_off=True)
    return str(theirs.label if theirs is not None else NAMES.get(code, code))


def subject_of(entry: AuditEntry) -> str:
    """What an act was done to: an address, a name, or the settings that changed."""
    if entry.action != "settings.changed":
        return entry.subject
    group = settings.group(entry.subject)
    if group is None:
        return entry.subject
    labels = {item.name: item.metadata.get("label", item.name) for item in dataclasses.fields(group.model)}
    changed = [str(labels[key]) for key in entry.data if key in labels]
    if not changed:
        return str(group.title)
    return _("%(group)s: %(names)s", group=group.title, names=format_list(changed, "standard", locale=get_locale()))
