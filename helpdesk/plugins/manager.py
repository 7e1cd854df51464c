"""Loads plugins, and knows which are on and what they contribute; ``calls`` calls their hooks."""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any

from flask import current_app

from helpdesk.plugins import deprecation, hookspecs, manifest, start
from helpdesk.plugins.calls import ALL_ON, ANYTHING, Around, Calls, Contribution, States
from helpdesk.plugins.implementing import Spec, check, implementations, spec_of
from helpdesk.plugins.loading import (
    Found,
    Plugin,
    PluginError,
    check_name,
    check_schedules,
    check_services,
    checked,
    find,
    missing_library,
    specs,
)

__all__ = ["EXTENSION", "Contribution", "Manager", "Plugin", "PluginError", "States", "check_name", "current"]

log = logging.getLogger(__name__)

EXTENSION = "helpdesk.plugins"


class Manager(Calls):
    """The plugins of one application: finds, checks and loads them, and calls their hooks (:class:`Calls`)."""

    def __init__(
        self,
        states: Callable[[], States] = lambda: ALL_ON,
        on_error: Callable[[str, str, BaseException], None] = lambda plugin, hook, error: None,
        around: Callable[[], Around | None] = lambda: None,
    ) -> None:
        super().__init__(states, on_error, around)
        # Those that were left out because another one has their name.
        self.doubles: list[Plugin] = []
        # What find() has looked for: hook, name.
        self._named: dict[str, dict[str, Contribution]] = {}

    # ---- loading

    def discover(self, folder: Path | None = None, slow: Path | None = None) -> None:
        """Load every installed distribution with our entry point, and the single files in ``folder``.

        ``slow`` is the file that remembers which plugins have held up or ended a process; they are left out.
        """
        found = find(folder)
        if slow is None:
            return self.load(found)
        self.marks = start.Marks(slow.parent / "running", slow)
        self.marks.bury()
        start.heed_term(self.marks)
        remembered = start.left_out(slow)
        for plugin in (one.plugin for one in found):
            stamp, sentence = remembered.get(plugin.name, ("", ""))
            if sentence and stamp == plugin.stamp:
                plugin.error = plugin.error or f"{sentence}; 'helpdesk plugin on {plugin.name}' tries it again."
        with start.impatiently(self.watch, slow, {one.plugin.name: one.plugin.stamp for one in found}):
            self.load(found)

    def add(self, name: str, module: Any) -> Plugin:
        """Load a plugin from a module or object (tests, and checks of one plugin)."""
        plugin = Plugin(name)
        self.load([Found(plugin, lambda: module)])
        return plugin

    def load(self, found: Iterable[Found]) -> None:
        """Load plugins in this order. Each that fails is kept with its ``error``, and the others go on."""
        with nullcontext() if self.marks is None else self.marks.file() as mark:
            imported = [one.plugin for one in found if self._try(one.plugin, partial(self._import, one), mark)]
            # Every hook is known before the first implementation is checked against it.
            offered = [
                plugin
                for plugin in imported
                if not _offers(plugin) or self._try(plugin, partial(self._offer, plugin), mark)
            ]
            for plugin in offered:
                self._try(plugin, partial(self._register, plugin), mark)
        for name, sentence in list(manifest.mixed_up(self.plugins.values())):
            log.warning("Plugin %s was left out: %s", name, sentence)
            self.leave_out(name, sentence)

    def leave_out(self, name: str, error: str) -> None:
        """Take a loaded plugin out again, for ``error``: nothing of it is called from now on."""
        plugin = self.plugins[name]
        plugin.error = plugin.error or error
        if self._pm.get_plugin(name) is not None:
            self._pm.unregister(name=name)
        self._changed()
        for other in self.plugins.values():
            if name in other.needs and other.loaded:
                self.leave_out(other.name, f"It needs the plugin {name}, which could not be loaded.")

    def _try(self, plugin: Plugin, step: Callable[[], None], mark: IO[str] | None) -> bool:
        outer = self.watch.begin(plugin.name, "loading")
        doing = nullcontext() if self.marks is None else self.marks.named(mark, plugin.name, plugin.stamp, "loading")
        try:
            with doing, deprecation.told_to(plugin.notes):
                step()
        # A plugin may fail in any way; the desk starts without it. (One may raise what Ctrl+C raises, too.)
        except (*ANYTHING, KeyboardInterrupt) as error:
            sentence = str(error) if isinstance(error, PluginError) else f"{type(error).__name__}: {error}"
            if isinstance(error, ImportError) and (library := missing_library(plugin)):
                sentence = f"It needs {library}, which is not installed."
            log.warning("Plugin %s was left out: %s", plugin.name, sentence, exc_info=error)
            plugin.error = sentence
            if self.plugins.setdefault(plugin.name, plugin) is plugin:
                self.leave_out(plugin.name, sentence)
            else:
                self.doubles.append(plugin)
            return False
        finally:
            self.watch.end(outer)
        return True

    def _import(self, one: Found) -> None:
        plugin = one.plugin
        if plugin.name in self.plugins:
            raise PluginError(f"Two plugins are named “{plugin.name}”; rename one of them.")
        if plugin.error:
            raise PluginError(plugin.error)
        check_name(plugin.name)
        for need in plugin.needs:
            if not (need in self.plugins and self.plugins[need].loaded):
                raise PluginError(f"It needs the plugin {need}, which could not be loaded.")
        plugin.module = one.load()
        self.plugins[plugin.name] = plugin

    def _offer(self, plugin: Plugin) -> None:
        offered: dict[str, Spec] = {}
        returned = checked(plugin.name, "register_hookspecs", plugin.module.register_hookspecs(), {})
        plugin.contributions["register_hookspecs"] = returned
        for name, kind, described in specs(plugin.name, returned):
            if name in self.specs or name in offered:
                raise PluginError(f"{plugin.name} offers the hook “{name}”, which is there already; choose another.")
            offered[name] = spec_of(kind, described)
        self.specs |= offered
        self.kinds |= {name: spec.kind for name, spec in offered.items()}
        self._changed()
        # Those that were loaded before may implement one of them in a way that cannot be called.
        for other in [other for other in self.plugins.values() if self._pm.get_plugin(other.name) is not None]:
            try:
                check(other.name, implementations(other.module, self._pm), self.specs)
            except PluginError as error:
                self.leave_out(other.name, str(error))

    def _register(self, plugin: Plugin) -> None:
        found = implementations(plugin.module, self._pm)
        for sentence in check(plugin.name, found, self.specs):
            deprecation.say(sentence)
        self._pm.register(plugin.module, plugin.name)
        self._changed()
        for hook, kind in hookspecs.KINDS.items():
            # What it offers to others was asked for before.
            if kind == "registration" and hook in found and hook not in plugin.contributions:
                function, _options = found[hook]
                plugin.contributions[hook] = checked(plugin.name, hook, function(), self._taken(hook))
        check_schedules(plugin)
        check_services(plugin)
        self._changed()
        manifest.check_kept(plugin, found)

    def _taken(self, hook: str) -> dict[str, str]:
        return {
            str(getattr(item, "name", "")): plugin.name
            for plugin in self.plugins.values()
            if plugin.loaded
            for item in plugin.contributions.get(hook, ())
        }

    # ---- what they contribute

    def contributions(self, hook: str, include_off: bool = False) -> Iterator[Contribution]:
        """What the plugins that are on returned from a ``register_*`` hook. A paused one's still count."""
        off = frozenset[str]() if include_off else self._off(self._states().off)
        for plugin in self.plugins.values():
            if plugin.loaded and plugin.name not in off:
                for item in plugin.contributions.get(hook, ()):
                    yield Contribution(plugin.name, item)

    def find(self, hook: str, name: str, include_off: bool = False) -> Any:
        """The contribution of that name from a ``register_*`` hook of a plugin that is on (or off), or None."""
        known = self._named.get(hook)
        if known is None:
            found = self.contributions(hook, include_off=True)
            known = self._named[hook] = {entry.item.name: entry for entry in found}
        entry = known.get(name)
        return entry.item if entry is not None and (include_off or self.is_on(entry.plugin)) else None

    def _changed(self) -> None:
        super()._changed()
        self._named.clear()

    def is_on(self, name: str) -> bool:
        """Whether the plugin is loaded and switched on, and so are those that it needs."""
        plugin = self.plugins.get(name)
        return plugin is not None and plugin.loaded and name not in self._off(self._states().off)

    def is_paused(self, name: str) -> bool:
        """Whether the desk itself lets the plugin's hooks rest: it has held up a process."""
        return name in self._states().paused | self._hung_plugins

    def waits_for(self, name: str) -> list[str]:
        """The plugins that this one needs and that are off."""
        off = self._states().off
        return [need for need in self.plugins[name].needs if need in off]


def _offers(plugin: Plugin) -> bool:
    """Whether it has hooks of its own; most have none, and nothing is done for them."""
    return hasattr(getattr(plugin.module, "register_hookspecs", None), f"{hookspecs.PROJECT}_impl")


def current() -> Manager:
    """The manager of the running application."""
    manager: Manager = current_app.extensions[EXTENSION]
    return manager
