"""Administrative acts in the reader's words."""

import dataclasses
from typing import Any

from babel.lists import format_list
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from helpdesk.core import settings
from helpdesk.core.models import AuditEntry

# Plugins record acts of their own; those are shown by their code.
_NAMES: dict[str, Any] = {
    "user.signed_in": _l("Signed in"),
    "user.sign_in_failed": _l("Sign-in failed"),
    "user.created": _l("Account made"),
    "user.changed": _l("Account changed"),
    "user.role_changed": _l("Role changed"),
    "user.enabled": _l("Account switched on"),
    "user.disabled": _l("Account switched off"),
    "user.password_changed": _l("Password changed"),
    "user.link_sent": _l("Password link sent"),
    "user.link_made": _l("Invitation link made"),
    "team.created": _l("Team made"),
    "team.changed": _l("Team changed"),
    "organization.created": _l("Organization added"),
    "organization.changed": _l("Organization changed"),
    "field.created": _l("Ticket field made"),
    "field.changed": _l("Ticket field changed"),
    "field.moved": _l("Ticket field moved"),
    "status.created": _l("Status added"),
    "status.changed": _l("Status changed"),
    "status.moved": _l("Status moved"),
    "settings.changed": _l("Settings changed"),
    "plugin.switched_on": _l("Plugin switched on"),
    "plugin.switched_off": _l("Plugin switched off"),
    "incoming.retried": _l("Incoming message tried again"),
    "incoming.discarded": _l("Incoming message put aside"),
    "outgoing.retried": _l("Outgoing message sent again"),
    "job.retried": _l("Job run again"),
    "job.cancelled": _l("Job cancelled"),
}


def act_names() -> list[tuple[str, str]]:
    """Every act that the core records, by its name in the reader's language."""
    return sorted(((code, str(name)) for code, name in _NAMES.items()), key=lambda pair: pair[1].casefold())


def act_name(code: str) -> str:
    """What an act is called; a code that is not the core's stays as it is."""
    return str(_NAMES.get(code, code))


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
    return _("%(group)s: %(names)s", group=group.title, names=format_list(changed, style="unit", locale=get_locale()))
