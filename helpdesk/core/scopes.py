"""What a token may be good for: every permission in plain words, in groups, the plugins' own behind the desk's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from helpdesk.core.models import User
from helpdesk.core.permissions import allowed
from helpdesk.plugins import manager

_TICKETS, _PEOPLE, _MACHINERY, _RULES = (
    _l("Tickets"),
    _l("People"),
    _l("How the desk runs"),
    _l("How the desk is set up"),
)
# Every permission of the core; a test compares it with ``permissions.ROLE_PERMISSIONS``.
_WORDS: Mapping[Any, Mapping[str, Any]] = {
    _TICKETS: {
        "ticket.read": _l("Read tickets (everything else with tickets needs it too)"),
        "ticket.open": _l("Open tickets"),
        "ticket.reply": _l("Answer customers"),
        "ticket.note": _l("Write notes"),
        "ticket.edit": _l("Change status, priority, team, assignee, tags and fields"),
        "ticket.close": _l("Close tickets"),
        "ticket.export": _l("Download lists of tickets"),
        "desk.use": _l("Use the pages of the desk"),
        "view.save": _l("Save views"),
        "view.share": _l("Share views"),
        "canned.save": _l("Save canned responses"),
        "canned.share": _l("Share canned responses with everybody"),
    },
    _PEOPLE: {
        "person.read": _l("See customers and their addresses"),
        "person.edit": _l("Change what is known about customers"),
        "person.merge": _l("Make one of two records of the same customer, and take that back"),
        "user.edit": _l("Change accounts and roles"),
        "team.read": _l("See teams"),
        "team.edit": _l("Change teams"),
        "roster.edit": _l("Change the roster"),
    },
    _MACHINERY: {
        "report.read": _l("See reports"),
        "intake.read": _l("See incoming mail"),
        "intake.edit": _l("Decide about incoming mail"),
        "delivery.read": _l("See outgoing mail"),
        "job.read": _l("See jobs"),
        "job.edit": _l("Run and cancel jobs"),
        "audit.read": _l("Read the record"),
    },
    _RULES: {
        "admin.use": _l("Use the pages of the administration"),
        "setting.edit": _l("Change settings"),
        "status.edit": _l("Change statuses"),
        "field.edit": _l("Change ticket fields, types and topics"),
        "plugin.edit": _l("Change plugins"),
        "theme.edit": _l("Change themes"),
        "language.edit": _l("Change languages"),
    },
}


@dataclass(frozen=True)
class Scope:
    """One permission that a token may be given."""

    name: str
    label: str


@dataclass(frozen=True)
class Group:
    """Permissions that belong together."""

    label: str
    scopes: Sequence[Scope]


def known() -> Sequence[Group]:
    """Every permission there is now, those of plugins that are on included, in the reader's language."""
    groups = [
        Group(str(label), [Scope(name, str(words)) for name, words in scopes.items()])
        for label, scopes in _WORDS.items()
    ]
    own = [Scope(found.item.name, str(found.item.label)) for found in _plugins()]
    return [*groups, Group(_("Plugins"), own)] if own else groups


def offered(user: User) -> Sequence[Group]:
    """What a token of ``user`` may be given: what they may do themselves, somewhere at least."""
    groups = [Group(group.label, [one for one in group.scopes if allowed(user, one.name)]) for group in known()]
    return [group for group in groups if group.scopes]


def labels() -> Mapping[str, str]:
    """The words for each permission."""
    return {scope.name: scope.label for group in known() for scope in group.scopes}


def _plugins() -> Sequence[Any]:
    return sorted(manager.current().contributions("register_permissions"), key=lambda found: str(found.item.name))
