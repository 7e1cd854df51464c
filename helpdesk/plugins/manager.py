"""Finds plugins, loads them, and calls their hooks one by one so that none can break another."""

import copy
import functools
import importlib
import importlib.metadata
import importlib.util
import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy
from flask import current_app

from helpdesk.plugins import hookspecs
from helpdesk.plugins.contributions import Reject

log = logging.getLogger(__name__)

ENTRY_POINTS = "helpdesk.plugins"
EXTENSION = "helpdesk.plugins"
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")
_RESERVED = {"core", "helpdesk", "desk", "admin", "portal", "auth", "static", "api", "setup"}


class PluginError(Exception):
    """A plugin cannot be used; the text is a sentence that says what to change."""


@dataclass
class Health:
    """Calls, errors and seconds of one hook of one plugin in this process."""

    calls: int = 0
    errors: int = 0
    seconds: float = 0.0


@dataclass
class Plugin:
    """One plugin that was found. ``error`` says why it was left out, if it was."""

    name: str
    module: ModuleType | None = None
    distribution: str = ""
    version: str = ""
    summary: str = ""
    author: str = ""
    home_page: str = ""
    path: Path | None = None
    error: str = ""
    contributions: dict[str, list[Any]] = field(default_factory=dict)
    health: dict[str, Health] = field(default_factory=dict)

    @property
    def loaded(self) -> bool:
        return self.module is not None and not self.error


@dataclass(frozen=True)
class Contribution:
    """One thing a slot returned, or the plugin whose hook failed (``item`` is None)."""

    plugin: str
    item: Any


class Manager:
    """The plugins of one application and the ways to call them.

    ``is_on(name)`` says whether a plugin is switched on; ``on_error(plugin, hook, error)`` is told of each
    failure; ``around()`` stands around each call. All are handed in by the application.
    """

    def __init__(
        self,
        is_on: Callable[[str], bool] = lambda name: True,
        on_error: Callable[[str, str, BaseException], None] = lambda plugin, hook, error: None,
        around: Callable[[], AbstractContextManager[Any]] = nullcontext,
    ) -> None:
        self.plugins: dict[str, Plugin] = {}
        self._is_on = is_on
        self._on_error = on_error
        self._around = around
        self._pm = pluggy.PluginManager(hookspecs.PROJECT)
        self._pm.add_hookspecs(hookspecs)

    # ---- loading

    def discover(self, folder: Path | None = None) -> None:
        """Load every installed distribution with our entry point, and the single files in ``folder``."""
        for entry in sorted(importlib.metadata.entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
            self._load(_described(Plugin(entry.name), entry.dist), entry.load)
        for path in sorted(folder.glob("*.py")) if folder else ():
            plugin = Plugin(path.stem, path=path, summary=f"Single file {path.name}")
            self._load(plugin, functools.partial(_import_file, path))

    def add(self, name: str, module: Any) -> Plugin:
        """Load a plugin from a module or object (tests, and the scaffold's checks)."""
        plugin = Plugin(name)
        self._load(plugin, lambda: module)
        return plugin

    def _load(self, plugin: Plugin, load: Callable[[], Any]) -> None:
        try:
            if plugin.name in self.plugins:
                raise PluginError(f"Two plugins are named “{plugin.name}”; rename one of them.")
            check_name(plugin.name)
            plugin.module = load()
            self._pm.register(plugin.module, plugin.name)
            self._refuse_wrappers(plugin)
            self._check_pending(plugin)
            self._collect(plugin)
        except Exception as error:  # noqa: BLE001 - a plugin may fail in any way; the desk starts without it
            plugin.error = f"{type(error).__name__}: {error}" if not isinstance(error, PluginError) else str(error)
            log.warning("Plugin %s was left out: %s", plugin.name, plugin.error, exc_info=error)
            if self._pm.get_plugin(plugin.name) is not None:
                self._pm.unregister(name=plugin.name)
        if plugin.name not in self.plugins:
            self.plugins[plugin.name] = plugin

    def _refuse_wrappers(self, plugin: Plugin) -> None:
        for caller in self._pm.get_hookcallers(plugin.module) or ():
            for impl in caller.get_hookimpls():
                if impl.plugin is plugin.module and (impl.wrapper or impl.hookwrapper):
                    raise PluginError(f"{plugin.name}.{caller.name} is a hook wrapper; write it as a plain hook.")

    def _check_pending(self, plugin: Plugin) -> None:
        """A misspelt hook is an error that names plugin and hook."""
        for caller in self._pm.get_hookcallers(plugin.module) or ():
            if caller.has_spec():
                continue
            impls = [impl for impl in caller.get_hookimpls() if impl.plugin is plugin.module]
            if any(not impl.optionalhook for impl in impls):
                raise PluginError(f"{plugin.name} implements “{caller.name}”, which is no hook; correct its name.")

    def _collect(self, plugin: Plugin) -> None:
        for hook, kind in hookspecs.KINDS.items():
            if kind != "registration":
                continue
            for impl in self._impls(hook):
                if impl.plugin is plugin.module:
                    result = impl.function()
                    if isinstance(result, str | bytes) or not isinstance(result, Iterable):
                        raise PluginError(f"{plugin.name}.{hook} must return a list of contributions.")
                    plugin.contributions[hook] = list(result)

    # ---- calling

    def contributions(self, hook: str, include_off: bool = False) -> Iterator[Contribution]:
        """What the plugins that are on returned from a ``register_*`` hook."""
        for plugin in self.plugins.values():
            if plugin.loaded and (include_off or self._is_on(plugin.name)):
                for item in plugin.contributions.get(hook, ()):
                    yield Contribution(plugin.name, item)

    def find(self, hook: str, name: str) -> Any:
        """The contribution of that name from a ``register_*`` hook of a plugin that is on, or None."""
        return next((found.item for found in self.contributions(hook) if found.item.name == name), None)

    def before(self, hook: str, changing: str | None = None, /, **arguments: Any) -> Any:
        """Call a ``before_*`` hook of every plugin; return the draft as they left it.

        ``changing`` names the argument that may be changed: each plugin works on a copy, which counts only
        when it returns. Raises :class:`Reject` when a plugin refuses; any other error is logged and skipped.
        """
        for impl in self._active(hook):
            attempt = dict(arguments)
            if changing is not None:
                attempt[changing] = copy.deepcopy(arguments[changing])
            try:
                result = self._call(impl, hook, attempt)
                if isinstance(result, Reject):
                    raise result
            except Reject:
                raise
            except Exception as error:  # noqa: BLE001 - isolated and told
                self._failed(impl, hook, error)
                continue
            arguments = attempt
        return arguments[changing] if changing is not None else None

    def answer(self, hook: str, **arguments: Any) -> Any:
        """Ask the plugins one after the other; the first answer that is not None."""
        for impl in self._active(hook):
            try:
                result = self._call(impl, hook, arguments)
            except Exception as error:  # noqa: BLE001 - isolated and told
                self._failed(impl, hook, error)
                continue
            if result is not None:
                return result
        return None

    def denied(self, hook: str, **arguments: Any) -> bool:
        """Whether any guard says False. An error denies as well."""
        for impl in self._active(hook):
            try:
                if self._call(impl, hook, arguments) is False:
                    return True
            except Exception as error:  # noqa: BLE001 - a guard that fails denies
                self._failed(impl, hook, error)
                return True
        return False

    def limits(self, hook: str, deny: Any, **arguments: Any) -> list[Any]:
        """The SQL criteria that guards ask for; ``deny`` stands in for one that failed."""
        criteria = []
        for impl in self._active(hook):
            try:
                result = self._call(impl, hook, arguments)
            except Exception as error:  # noqa: BLE001 - a guard that fails denies
                self._failed(impl, hook, error)
                result = deny
            if result is not None:
                criteria.append(result)
        return criteria

    def slot(self, hook: str, **arguments: Any) -> list[Contribution]:
        """What the plugins put in a place on a page; a failed one is a Contribution without an item."""
        found: list[Contribution] = []
        for impl in self._active(hook):
            try:
                items = list(self._call(impl, hook, arguments) or ())
                found.extend(Contribution(impl.plugin_name, item) for item in items)
            except Exception as error:  # noqa: BLE001 - isolated and told
                self._failed(impl, hook, error)
                found.append(Contribution(impl.plugin_name, None))
        return found

    def listeners(self, hooks: Iterable[str]) -> set[str]:
        """The plugins that are on and implement at least one of ``hooks``."""
        return {impl.plugin_name for hook in hooks for impl in self._active(hook)}

    def tell(self, plugin: str, hook: str, **arguments: Any) -> None:
        """Hand one fact to one plugin. Raises what it raises: the ledger retries."""
        for impl in self._active(hook):
            if impl.plugin_name == plugin:
                try:
                    self._call(impl, hook, arguments)
                except Exception as error:
                    self._failed(impl, hook, error)
                    raise

    def is_on(self, name: str) -> bool:
        """Whether the plugin is loaded and switched on."""
        plugin = self.plugins.get(name)
        return plugin is not None and plugin.loaded and self._is_on(name)

    def _impls(self, hook: str) -> list[Any]:
        # pluggy keeps the last registered last and calls it first; we call in that order too.
        return list(reversed(getattr(self._pm.hook, hook).get_hookimpls()))

    def _active(self, hook: str) -> Iterator[Any]:
        for impl in self._impls(hook):
            if self._is_on(impl.plugin_name):
                yield impl

    def _call(self, impl: Any, hook: str, arguments: Mapping[str, Any]) -> Any:
        health = self.plugins[impl.plugin_name].health.setdefault(hook, Health())
        started = time.perf_counter()
        try:
            with self._around():
                return impl.function(*(arguments[name] for name in impl.argnames))
        finally:
            health.calls += 1
            health.seconds += time.perf_counter() - started

    def _failed(self, impl: Any, hook: str, error: BaseException) -> None:
        self.plugins[impl.plugin_name].health.setdefault(hook, Health()).errors += 1
        log.error("Plugin %s failed in %s", impl.plugin_name, hook, exc_info=error)
        self._on_error(impl.plugin_name, hook, error)


def current() -> Manager:
    """The manager of the running application."""
    manager: Manager = current_app.extensions[EXTENSION]
    return manager


def check_name(name: str) -> None:
    """Raise :class:`PluginError` unless ``name`` may prefix tables, URLs and templates."""
    if not _NAME.fullmatch(name) or name in _RESERVED:
        raise PluginError(
            f"“{name}” cannot be a plugin's name; use 2 to 40 small letters, digits and underscores that no "
            "part of the desk has taken."
        )


def _described(plugin: Plugin, dist: importlib.metadata.Distribution | None) -> Plugin:
    """The plugin with what its distribution says of itself; nothing is written twice."""
    if dist is not None:
        meta = dist.metadata
        urls = meta.get_all("Project-URL") or []
        plugin.distribution, plugin.version = meta["Name"] or "", dist.version
        plugin.summary = meta["Summary"] or ""
        plugin.author = meta["Author"] or meta["Author-email"] or ""
        plugin.home_page = next((url.split(",", 1)[1].strip() for url in urls), "")
    return plugin


def _import_file(path: Path) -> ModuleType:
    name = f"helpdesk_local_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path.name} cannot be read as Python.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
