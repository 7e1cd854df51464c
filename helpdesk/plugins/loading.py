"""Finds plugins, puts them in order, and says in one sentence why one cannot be used."""

import functools
import importlib
import importlib.metadata
import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from flask import Blueprint
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import NormalizedName, canonicalize_name
from packaging.version import Version

from helpdesk import __version__
from helpdesk.plugins import contributions, installed
from helpdesk.plugins.health import Health
from helpdesk.plugins.jobs import wrong_call

ENTRY_POINTS = "helpdesk.plugins"
CORE = "helpdesk"
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
# What the desk has taken: parts of its addresses and of its command line.
_RESERVED = frozenset(
    "core helpdesk desk admin portal auth static api setup theme_css "
    "serve web worker init demo doctor db backup restore user team ticket mail job schedule plugin theme translation "
    "audit token import export".split()
)


class PluginError(Exception):
    """A plugin cannot be used; the text is a sentence that says what to change."""


@dataclass
class Plugin:
    """One plugin that was found. ``error`` says why it was left out, if it was."""

    name: str
    module: Any = None
    distribution: str = ""
    version: str = ""
    summary: str = ""
    author: str = ""
    home_page: str = ""
    # What its wheel says that it will use (helpdesk.plugins.manifest); empty when it has none.
    manifest: str = ""
    path: Path | None = None
    error: str = ""
    # What does not keep it from working but should be mended: uses of what is going to go.
    notes: list[str] = field(default_factory=list)
    # Requirements as its distribution states them, and the names of the plugins among them.
    requirements: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    contributions: dict[str, list[Any]] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)

    @property
    def loaded(self) -> bool:
        return self.module is not None and not self.error

    @property
    def stamp(self) -> str:
        """What changes when its code does: a new version, or a file written anew."""
        return f"{self.version}:{self.path.stat().st_mtime_ns if self.path and self.path.exists() else ''}"


@dataclass(frozen=True)
class Found:
    """A plugin and how its module is imported."""

    plugin: Plugin
    load: Callable[[], Any]


def check_name(name: str) -> None:
    """Raise :class:`PluginError` unless ``name`` may prefix tables, URLs and templates."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise PluginError(
            f"“{name}” cannot be a plugin's name; use 2 to 40 small letters, digits and underscores that no "
            "part of the desk has taken."
        )


def find(folder: Path | None) -> list[Found]:
    """Every installed distribution with our entry point, then the single files in ``folder``; nothing is imported."""
    found = [
        Found(_described(Plugin(entry.name), entry.dist), entry.load) for entry in installed.entry_points(ENTRY_POINTS)
    ]
    for path in sorted(folder.glob("*.py")) if folder else ():
        if path.name.startswith((".", "_")):
            # What an editor or another system has put beside a plugin, or what somebody has set aside.
            continue
        plugin = Plugin(path.stem, path=path, summary=f"Single file {path.name}")
        found.append(Found(plugin, functools.partial(_import_file, path)))
    return in_order(found)


def in_order(found: Iterable[Found]) -> list[Found]:
    """Those that others need come first. What one needs and is not there, or a circle, is its ``error``."""
    found = list(found)
    names = {canonicalize_name(one.plugin.distribution): one.plugin.name for one in found if one.plugin.distribution}
    by_name = {one.plugin.name: one for one in reversed(found)}
    for one in found:
        _understand(one.plugin, names)
    ordered: dict[int, Found] = {}

    def place(one: Found, path: tuple[str, ...]) -> None:
        if id(one) in ordered:
            return
        if one.plugin.name in path:
            circle = " → ".join((*path[path.index(one.plugin.name) :], one.plugin.name))
            one.plugin.error = one.plugin.error or f"These plugins need one another: {circle}; remove an arrow."
            return
        for need in one.plugin.needs:
            place(by_name[need], (*path, one.plugin.name))
        ordered[id(one)] = one

    for one in found:
        place(one, ())
    return list(ordered.values())


def _understand(plugin: Plugin, names: Mapping[NormalizedName, str]) -> None:
    """Read its requirements: the range of the desk, and the plugins that it builds on."""
    for text in plugin.requirements:
        try:
            requirement = Requirement(text)
        except InvalidRequirement:
            continue
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = canonicalize_name(requirement.name)
        if name == CORE:
            plugin.error = plugin.error or range_problem(requirement)
        elif name in names:
            plugin.needs.append(names[name])
        elif name.startswith(f"{CORE}-"):
            plugin.error = plugin.error or f"It needs the plugin {name}, which is not installed; install it first."


def range_problem(requirement: Requirement) -> str:
    """A sentence when ``helpdesk<spec>`` does not admit this version of the desk, else an empty text."""
    # What comes before 1.0 is read as 1.0: the range speaks of the interface.
    if requirement.specifier.contains(Version(__version__).base_version, prereleases=True):
        return ""
    return (
        f"It is made for helpdesk{requirement.specifier} and this is helpdesk {__version__}; "
        "install a version of the plugin that fits."
    )


def missing_library(plugin: Plugin) -> str:
    """The requirement that is not installed, or an empty text: asked when an import has failed."""
    for text in plugin.requirements:
        try:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                importlib.metadata.version(requirement.name)
        except InvalidRequirement:
            continue
        except importlib.metadata.PackageNotFoundError:
            return text
    return ""


# ---- what a plugin contributes

# The type of each contribution, and what its name must look like.
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "register_settings": contributions.SettingsGroup,
    "register_permissions": contributions.Permission,
    "register_channels": contributions.Channel,
    "register_jobs": contributions.Job,
    "register_commands": contributions.Command,
    "register_blueprints": Blueprint,
    "register_ticket_fields": contributions.Field,
    "register_schedules": contributions.Schedule,
    "register_services": contributions.Service,
    "register_reports": contributions.Report,
    "register_importers": contributions.Importer,
    "register_acts": contributions.Act,
}
_LONGEST_SERVICE = 80
# Channels have the words of the field (email, phone, chat), whoever brings them.
_UNPREFIXED = ("register_channels",)
_DOTTED = (
    "register_permissions",
    "register_jobs",
    "register_schedules",
    "register_services",
    "register_reports",
    "register_acts",
)
SLOT_TYPES: Mapping[str, type] = {
    "nav_items": contributions.NavItem,
    "admin_rooms": contributions.Room,
    "ticket_panels": contributions.Panel,
    "message_blocks": contributions.MessageBlock,
    "ticket_actions": contributions.Action,
    "composer_tools": contributions.ComposerTool,
    "reply_suggestions": contributions.Suggestion,
    "user_panels": contributions.Panel,
    "team_panels": contributions.Panel,
    "dashboard_widgets": contributions.Panel,
    "portal_blocks": contributions.Panel,
}


def checked(plugin: str, hook: str, result: Any, taken: Mapping[str, str]) -> list[Any]:
    """What a ``register_*`` hook returned, as a list of the right type with names of the plugin's own.

    ``taken`` maps names of the same kind to the plugins that have them. Raises :class:`PluginError`.
    """
    if isinstance(result, str | bytes | Mapping) or not isinstance(result, Iterable):
        raise PluginError(f"{plugin}.{hook} must return a list of contributions.")
    items = list(result)
    wanted = _TYPES.get(hook)
    seen: set[str] = set()
    for item in items:
        if wanted is not None and not isinstance(item, wanted):
            raise PluginError(f"{plugin}.{hook} must return {_words(wanted)}, not {type(item).__name__}.")
        name = getattr(item, "name", None)
        if wanted is None or name is None or hook == "register_blueprints":
            continue
        if hook not in _UNPREFIXED and not _is_own(plugin, hook, str(name)):
            raise PluginError(f"{plugin}.{hook} has the name “{name}”; begin it with “{_prefix(plugin, hook)}”.")
        if name in seen or name in taken:
            other = f"the plugin {taken[name]}" if name in taken else "it twice"
            raise PluginError(f"{plugin}.{hook} has the name “{name}”, which {other} has already; choose another.")
        seen.add(name)
    return items


def check_schedules(plugin: Plugin) -> None:
    """Raise :class:`PluginError` when a schedule names a job that the plugin has not, or args that do not fit it."""
    jobs = {job.name: job for job in plugin.contributions.get("register_jobs", ())}
    for schedule in plugin.contributions.get("register_schedules", ()):
        job = jobs.get(schedule.job)
        if job is None:
            raise PluginError(f"The schedule {schedule.name} names the job “{schedule.job}”; register that as well.")
        if wrong := wrong_call(job, schedule.args):
            raise PluginError(f"The schedule {schedule.name} cannot run {job.name} with its args: {wrong}.")


def check_services(plugin: Plugin) -> None:
    """Raise :class:`PluginError` when a service has a name that does not fit, or nothing to run."""
    for service in plugin.contributions.get("register_services", ()):
        if len(service.name) > _LONGEST_SERVICE:
            raise PluginError(f"The service {service.name} has a name that is too long; {_LONGEST_SERVICE} fit.")
        if not callable(service.run):
            raise PluginError(f"The service {service.name} has nothing to run; give it a function of one argument.")


def _is_own(plugin: str, hook: str, name: str) -> bool:
    if hook in _DOTTED:
        return name.startswith(f"{plugin}.") and len(name) > len(plugin) + 1
    return name == plugin or name.startswith((f"{plugin}_", f"{plugin}-"))


def _prefix(plugin: str, hook: str) -> str:
    return f"{plugin}." if hook in _DOTTED else f"{plugin}_"


def _words(wanted: type | tuple[type, ...]) -> str:
    return " or ".join(one.__name__ for one in (wanted if isinstance(wanted, tuple) else (wanted,)))


def specs(plugin: str, items: Iterable[Any]) -> Iterator[tuple[str, str, Any]]:
    """Name, kind and function of the hooks that a plugin offers. Raises :class:`PluginError`."""
    for function in items:
        name, kind = getattr(function, "__name__", ""), getattr(function, "helpdesk_kind", None)
        if kind is None:
            raise PluginError(f"{plugin}.register_hookspecs must return functions marked with hookspec(kind).")
        if not name.startswith(f"{plugin}_"):
            raise PluginError(f"{plugin} offers the hook “{name}”; begin its name with “{plugin}_”.")
        yield name, kind, function


# ---- importing


def _described(plugin: Plugin, dist: importlib.metadata.Distribution | None) -> Plugin:
    """The plugin with what its distribution says of itself; nothing is written twice."""
    if dist is not None:
        # Read once: each of the distribution's own properties reads the file anew.
        meta = dist.metadata
        urls = meta.get_all("Project-URL") or []
        plugin.distribution, plugin.version = meta["Name"] or "", meta["Version"] or ""
        plugin.summary = meta["Summary"] or ""
        plugin.author = meta["Author"] or meta["Author-email"] or ""
        plugin.home_page = next((url.split(",", 1)[1].strip() for url in urls), "")
        plugin.requirements = meta.get_all("Requires-Dist") or list(dist.requires or ())
        plugin.manifest = _manifest_of(dist)
    return plugin


def _manifest_of(dist: importlib.metadata.Distribution) -> str:
    try:
        return dist.read_text("helpdesk-plugin.json") or ""
    except ValueError:
        # Not empty and no manifest: whoever compares it says so.
        return "-"


def _import_file(path: Path) -> ModuleType:
    name = f"helpdesk_local_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path.name} cannot be read as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        # As Python does itself: what could not be loaded is not there.
        sys.modules.pop(name, None)
        raise
    return module
