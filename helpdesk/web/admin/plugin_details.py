"""One plugin: what it uses, how each of its hooks does, and how it is taken away."""

from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import plugin_data, plugin_packages, schema
from helpdesk.core.plugin_data import CannotPurge
from helpdesk.core.plugin_health import Sum
from helpdesk.core.plugin_packages import CannotInstall
from helpdesk.plugins import hookspecs, manager, manifest
from helpdesk.plugins.manager import Plugin
from helpdesk.web.admin import plugin_words
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.plugins import cards, may_install, password_problem
from helpdesk.web.session import reader


@dataclass(frozen=True)
class Hook:
    """One hook of a plugin, and how it has done since yesterday."""

    name: str
    health: Sum


@admin.get("/plugins/<name>")
@needs("plugin.edit")
def plugin(name: str) -> Any:
    """What one plugin is, uses, keeps, and how it does."""
    return _page(name)


def _page(name: str, errors: dict[str, str] | None = None) -> Any:
    card = next(iter(cards(name)), None)
    if card is None:
        return _page_of_data(name, errors or {})
    health = card.hooks
    # Those of registration are asked once, at the start: they have no health worth a line.
    more = [hook for hook in plugin_words.hooks_of(card.plugin) if hook not in health]
    hooks = [*health, *(hook for hook in more if hookspecs.KINDS[hook] != "registration")]
    return render_template(
        "admin/plugin.html",
        card=card,
        plugin=card.plugin,
        hooks=[Hook(hook, health.get(hook, Sum())) for hook in hooks],
        said=_manifest(card.plugin),
        uses=_uses(card.plugin),
        kept=_kept(name),
        revision=_revision(card.plugin),
        why_not=plugin_packages.why_not_uninstall(card.plugin),
        may_install=may_install(),
        errors=errors or {},
    )


def _page_of_data(name: str, errors: dict[str, str]) -> Any:
    """A plugin that is gone and has left data."""
    if name not in plugin_data.left_behind():
        abort(404)
    return render_template("admin/plugin_gone.html", name=name, kept=_kept(name), errors=errors)


@admin.post("/plugins/<name>/uninstall")
@needs("plugin.edit")
def uninstall_plugin(name: str) -> Any:
    """Take its package away; the name and the own password must have been typed."""
    if not may_install():
        abort(403)
    if name not in manager.current().plugins:
        abort(404)
    if request.form.get("typed", "").strip() != name:
        return _page(name, {"uninstall": _("Type “%(name)s” to go on.", name=name)}), 422
    if (problem := password_problem()) is not None:
        return _page(name, {"uninstall_password": problem[0]}), problem[1]
    try:
        plugin_packages.uninstall(name, reader())
    except CannotInstall as problem:
        return _page(name, {"uninstall": str(problem)}), 422
    flash(_("“%(name)s” is uninstalled; its data stays. The desk starts anew within seconds.", name=name))
    return redirect(url_for("admin.plugins"), 303)


@admin.post("/plugins/<name>/purge")
@needs("plugin.edit")
def purge_plugin(name: str) -> Any:
    """Take out its data for good; the name and the own password must have been typed."""
    if name not in manager.current().plugins and name not in plugin_data.left_behind():
        abort(404)
    if request.form.get("typed", "").strip() != name:
        return _page(name, {"purge": _("Type “%(name)s” to go on.", name=name)}), 422
    if (problem := password_problem()) is not None:
        return _page(name, {"purge_password": problem[0]}), problem[1]
    try:
        plugin_data.purge(name, reader())
    except CannotPurge as problem:
        return _page(name, {"purge": str(problem)}), 422
    flash(_("The data of “%(name)s” is gone.", name=name))
    return redirect(url_for("admin.plugins"), 303)


def _kept(name: str) -> list[str]:
    return [plugin_words.kept(found) for found in plugin_data.kept(name)]


def _manifest(found: Plugin) -> manifest.Manifest | None:
    try:
        return manifest.parse(found.manifest) if found.manifest else None
    except manager.PluginError:
        return None


def _uses(found: Plugin) -> list[plugin_words.Use]:
    """From its manifest, or from what it has registered."""
    said = _manifest(found)
    if said is None:
        named: dict[str, Any] = {
            kind: tuple(str(item.name) for item in found.contributions.get(hook, ()))
            for kind, hook in (
                ("permissions", "register_permissions"),
                ("schedules", "register_schedules"),
                ("jobs", "register_jobs"),
                ("services", "register_services"),
                ("fields", "register_ticket_fields"),
                ("channels", "register_channels"),
                ("reports", "register_reports"),
                ("importers", "register_importers"),
                ("settings", "register_settings"),
            )
        }
        said = manifest.Manifest(found.name, "", "", hooks=tuple(plugin_words.hooks_of(found)), **named)
    return plugin_words.uses(said)


def _revision(found: Plugin) -> schema.Revision | None:
    for history in schema.histories():
        if history.owner == found.name:
            try:
                return schema.revision(history)
            except Exception:  # noqa: BLE001 - a history that cannot be read is the plugin's trouble, said elsewhere
                return None
    return None
