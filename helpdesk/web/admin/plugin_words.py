"""What plugins add and use, in the reader's words."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.core.plugin_data import Kept
from helpdesk.plugins import hookspecs
from helpdesk.plugins.manager import Plugin
from helpdesk.plugins.manifest import Manifest
from helpdesk.web.settings_form import shown_fields


@dataclass(frozen=True)
class Use:
    """One kind of thing that a plugin uses: a heading, and the names."""

    title: str
    names: Sequence[str]


def adds(plugin: Plugin) -> list[str]:
    """What a plugin brings, each as a few words."""
    count = {hook: len(items) for hook, items in plugin.contributions.items()}
    settings = sum(len(shown_fields(group.model)) for group in plugin.contributions.get("register_settings", ()))
    words = [
        (count.get("register_channels", 0), lambda n: ngettext("%(num)s channel", "%(num)s channels", n)),
        (_hooked(plugin, "nav_items"), lambda _n: _("Entry in the menu")),
        (_hooked(plugin, "admin_rooms"), lambda _n: _("Rooms of the administration")),
        (_hooked(plugin, "ticket_panels"), lambda _n: _("Panel on tickets")),
        (_hooked(plugin, "message_blocks"), lambda _n: _("Parts of messages")),
        (_hooked(plugin, "ticket_actions"), lambda _n: _("Actions on tickets")),
        (_hooked(plugin, "ticket_badges"), lambda _n: _("Words in lists")),
        (_hooked(plugin, "composer_tools", "reply_suggestions"), lambda _n: _("Help with writing")),
        (_hooked(plugin, "user_panels", "team_panels"), lambda _n: _("Panel on people and teams")),
        (_hooked(plugin, "dashboard_widgets"), lambda _n: _("Box on the dashboard")),
        (_hooked(plugin, "portal_blocks"), lambda _n: _("Box for customers")),
        (count.get("register_blueprints", 0), lambda _n: _("Pages")),
        (count.get("register_ticket_fields", 0), lambda n: ngettext("%(num)s field", "%(num)s fields", n)),
        (count.get("register_reports", 0), lambda n: ngettext("%(num)s report", "%(num)s reports", n)),
        (_hooked(plugin, "before", "answer"), lambda _n: _("Rules for tickets and mail")),
        (_hooked(plugin, "guard"), lambda _n: _("Who may do what")),
        (_hooked(plugin, "fact"), lambda _n: _("Follows what happens")),
        (count.get("register_permissions", 0), lambda n: ngettext("%(num)s permission", "%(num)s permissions", n)),
        (count.get("register_schedules", 0), lambda n: ngettext("%(num)s schedule", "%(num)s schedules", n)),
        (count.get("register_jobs", 0), lambda n: ngettext("%(num)s job", "%(num)s jobs", n)),
        (count.get("register_services", 0), lambda n: ngettext("%(num)s service", "%(num)s services", n)),
        (count.get("register_importers", 0), lambda n: ngettext("%(num)s import", "%(num)s imports", n)),
        (count.get("register_commands", 0), lambda n: ngettext("%(num)s command", "%(num)s commands", n)),
        (settings, lambda n: ngettext("%(num)s setting", "%(num)s settings", n)),
    ]
    return [text(number) for number, text in words if number]


def hooks_of(plugin: Plugin) -> list[str]:
    """The hooks that a loaded plugin implements."""
    return [hook for hook in hookspecs.KINDS if callable(getattr(plugin.module, hook, None))]


def _hooked(plugin: Plugin, *names: str) -> int:
    """How many hooks of these names or kinds it implements."""
    return sum(hook in names or hookspecs.KINDS[hook] in names for hook in hooks_of(plugin))


def uses(manifest: Manifest) -> list[Use]:
    """What a plugin will use: first what it can do to others, then what it adds."""
    kinds = {hook: hookspecs.KINDS.get(hook, "answer") for hook in manifest.hooks}

    def hooks(*wanted: str) -> list[str]:
        return [hook for hook, kind in kinds.items() if kind in wanted]

    found = [
        Use(_("Changes or stops tickets, messages and mail before they are kept"), hooks("before")),
        Use(_("Decides who may see and do what"), hooks("guard")),
        Use(_("Decides in place of the desk"), hooks("answer")),
        Use(_("Hears of everything that happens on tickets"), hooks("fact")),
        Use(_("Shows things on the desk's pages"), hooks("slot")),
        Use(_("Has a part in exporting and erasing personal data"), hooks("all")),
        Use(_("Adds permissions"), manifest.permissions),
        Use(_("Keeps data in tables of its own"), manifest.tables),
        Use(_("Works by the clock"), manifest.schedules),
        Use(_("Does work in the background"), manifest.jobs),
        Use(_("Keeps something running beside the jobs"), manifest.services),
        Use(_("Adds ticket fields"), manifest.fields),
        Use(_("Carries messages in or out"), manifest.channels),
        Use(_("Has pages of its own"), manifest.pages),
        Use(_("Adds reports"), manifest.reports),
        Use(_("Adds settings"), manifest.settings),
        Use(_("Adds commands"), manifest.commands),
        Use(_("Takes in data of other programs"), manifest.importers),
    ]
    return [use for use in found if use.names]


def kept(found: Kept) -> str:
    """Rows of one kind that a plugin has in the database."""
    if found.table:
        return str(
            ngettext(
                "%(num)s row in the table %(table)s",
                "%(num)s rows in the table %(table)s",
                found.rows,
                table=found.table,
            )
        )
    words: dict[str, Any] = {
        "settings": lambda n: ngettext("%(num)s saved setting", "%(num)s saved settings", n),
        "fields": lambda n: ngettext("%(num)s ticket field", "%(num)s ticket fields", n),
        "values": lambda n: ngettext("%(num)s value on tickets", "%(num)s values on tickets", n),
        "schedules": lambda n: ngettext("%(num)s schedule", "%(num)s schedules", n),
        "jobs": lambda n: ngettext("%(num)s job", "%(num)s jobs", n),
        "facts": lambda n: ngettext("%(num)s event it has not taken in", "%(num)s events it has not taken in", n),
        "health": lambda n: ngettext("%(num)s line about its health", "%(num)s lines about its health", n),
    }
    return str(words[found.kind](found.rows))
