"""The ways to call hooks: each implementation alone, watched, timed and counted, and at rest when it keeps failing."""

import copy
import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from threading import get_ident
from time import perf_counter
from typing import Any, TypeVar

from helpdesk.plugins import deprecation, hookspecs
from helpdesk.plugins.contributions import Reject
from helpdesk.plugins.health import Count, Health
from helpdesk.plugins.implementing import Marked, Spec, caller, core_specs
from helpdesk.plugins.loading import SLOT_TYPES, Plugin, PluginError
from helpdesk.plugins.start import Marks
from helpdesk.plugins.watch import HUNG, SLOW, Alarm, Watch

log = logging.getLogger(__name__)
_T = TypeVar("_T")
Around = Callable[[], AbstractContextManager[Any]]

# What a hook may raise: it may even ask Python to exit.
ANYTHING = (Exception, SystemExit)
# Kinds whose hooks never rest: what guards must not be passed over, and the ledger retries facts.
_TIRELESS = frozenset({"guard", "fact", "all"})


@dataclass(frozen=True)
class Contribution:
    """One thing a hook returned, or the plugin whose hook failed (``item`` is None)."""

    plugin: str
    item: Any


@dataclass(frozen=True)
class States:
    """The plugins that are off, and those that the desk itself has paused."""

    off: frozenset[str] = frozenset()
    paused: frozenset[str] = frozenset()


ALL_ON = States()


class Impl:
    """One implementation of one hook, ready to be called."""

    __slots__ = ("call", "function", "health", "hook", "plugin", "plugin_name", "rests")

    def __init__(self, function: Callable[..., Any], hook: str, spec: Spec, plugin: Plugin) -> None:
        self.plugin = plugin
        self.plugin_name = plugin.name
        self.hook = hook
        self.function = function
        self.call = caller(function, hook, spec)
        self.health = plugin.health.setdefault(hook, Health())
        self.rests = spec.kind not in _TIRELESS


class Calls:
    """Who implements what, and the ways to call it.

    ``states()`` says which plugins are off or paused, and answers the same object for as long as nothing changes;
    ``on_error(plugin, hook, error)`` is told of each failure; ``around()`` gives what makes a context around each
    call of a hook, or None. All are handed in by the application.
    """

    def __init__(
        self,
        states: Callable[[], States],
        on_error: Callable[[str, str, BaseException], None],
        around: Callable[[], Around | None],
    ) -> None:
        self.plugins: dict[str, Plugin] = {}
        self.specs: dict[str, Spec] = core_specs()
        self.kinds: dict[str, str] = dict(hookspecs.KINDS)
        self.watch = Watch()
        self.marks: Marks | None = None
        self._states = states
        self._on_error = on_error
        self._around = around
        # pluggy reads the marks and keeps the order; it calls nothing: one that raises would silence the others.
        self._pm = Marked(hookspecs.PROJECT)
        self._table: dict[str, tuple[Impl, ...]] = {}
        # Those to be called, by hook, as long as the states are these.
        self._awake: tuple[States | None, dict[str, tuple[Impl, ...]]] = (None, {})
        # Hooks that have held up this process: a guard among them denies without being asked again.
        self._hung: set[tuple[str, str]] = set()
        self._hung_plugins: frozenset[str] = frozenset()

    # ---- calling

    def before(self, hook: str, changing: str | None = None, /, **arguments: Any) -> Any:
        """Call a ``before_*`` hook of every plugin; return the draft as they left it.

        ``changing`` names the argument that may be changed: each plugin works on a copy, which counts only
        when it returns. Raises :class:`Reject` when a plugin refuses; any other error is logged and skipped.
        """
        impls = self._active(hook)
        around = self._around() if impls else None
        for impl in impls:
            try:
                attempt = dict(arguments)
                if changing is not None:
                    attempt[changing] = copy.deepcopy(arguments[changing])
                result = self._call(impl, attempt, around, _nothing)
                if isinstance(result, Reject):
                    raise result
                if changing is not None:
                    attempt[changing] = _still_whole(arguments[changing], attempt[changing])
            except Reject as rejection:
                impl.health.streak = 0
                if changing is not None:
                    rejection.draft = _left(arguments[changing], attempt.get(changing))
                raise
            except ANYTHING as error:  # isolated and told
                self._failed(impl, error)
                continue
            arguments = attempt
        return arguments[changing] if changing is not None else None

    def answer(self, hook: str, wanted: type | tuple[type, ...] | None = None, /, **arguments: Any) -> Any:
        """Ask the plugins one after the other; the first answer that is not None.

        One that is no ``wanted`` is that plugin's error, and the next is asked.
        """
        impls = self._active(hook)
        around = self._around() if impls else None
        made = None if wanted is None else partial(_typed, hook, wanted)
        for impl in impls:
            try:
                result = self._call(impl, arguments, around, made)
            except ANYTHING as error:  # isolated and told
                self._failed(impl, error)
                continue
            if result is not None:
                return result
        return None

    def denied(self, hook: str, **arguments: Any) -> bool:
        """Whether any guard says False. An error denies as well, and so does one that has held up the process."""
        impls = self._active(hook)
        around = self._around() if impls else None
        for impl in impls:
            try:
                if self._is_hung(impl) or self._call(impl, arguments, around, _verdict) is False:
                    return True
            except ANYTHING as error:  # a guard that fails denies
                self._failed(impl, error)
                return True
        return False

    def limits(
        self, hook: str, /, deny: Any, wanted: type | tuple[type, ...] | None = None, **arguments: Any
    ) -> list[Any]:
        """The SQL criteria that guards ask for; ``deny`` stands in for one that failed or is no ``wanted``."""
        made = None if wanted is None else partial(_typed, hook, wanted)
        return self._limits(hook, deny, made, arguments)

    def opened(self, hook: str, **arguments: Any) -> frozenset[str]:
        """The names that guards open. One that fails, is paused or has held up the process opens nothing."""
        names: frozenset[str] = frozenset()
        impls = self._active(hook)
        around = self._around() if impls else None
        for impl in impls:
            try:
                if not self._is_quiet(impl):
                    names |= self._call(impl, arguments, around, _names)
            except ANYTHING as error:  # a guard that fails opens nothing
                self._failed(impl, error)
        return names

    def chosen(self, hook: str, keys: Iterable[int], **arguments: Any) -> dict[int, frozenset[int]]:
        """For each of ``keys`` what all guards that say something of it leave; one that fails leaves nothing of any."""
        left: dict[int, frozenset[int]] = {}
        every = frozenset(keys)
        for found in self._limits(hook, dict.fromkeys(every, frozenset()), _numbers, arguments):
            for key in every & found.keys():
                left[key] = left[key] & found[key] if key in left else found[key]
        return left

    def slot(self, hook: str, **arguments: Any) -> list[Contribution]:
        """What the plugins put in a place on a page; a failed one is a Contribution without an item."""
        found: list[Contribution] = []
        impls = self._active(hook)
        if not impls:
            return found
        around = self._around()
        made = partial(_items, hook, SLOT_TYPES.get(hook))
        for impl in impls:
            streak = impl.health.streak
            try:
                items = self._call(impl, arguments, around, made)
            except ANYTHING as error:  # isolated and told
                self._failed(impl, error)
                found.append(Contribution(impl.plugin_name, None))
                continue
            if streak and items and hook in SLOT_TYPES:
                # Whether it does well is known when they are shown.
                impl.health.streak = streak
            found.extend([Contribution(impl.plugin_name, item) for item in items])
        return found

    def finish(self, plugin: str, hook: str, work: Callable[[], _T], otherwise: _T) -> _T:
        """Do what a hook's answer asks for (show its template, call its functions) as a part of that hook.

        It is watched, timed and isolated like the hook itself; ``otherwise`` is the result when it raises.
        """
        impl = next((impl for impl in self._impls(hook) if impl.plugin_name == plugin), None)
        if impl is None:
            return otherwise
        outer = self.watch.begin(plugin, hook)
        begun = perf_counter()
        try:
            done = work()
            impl.health.streak = 0
            return done
        except ANYTHING as error:  # isolated and told
            self._failed(impl, error)
            return otherwise
        finally:
            self.watch.end(outer)
            impl.health.seconds += perf_counter() - begun

    def each(self, hook: str, include_off: bool = False, **arguments: Any) -> list[Contribution]:
        """What each plugin answers, as it is; a failed one is a Contribution without an item."""
        found: list[Contribution] = []
        impls = self._impls(hook) if include_off else self._active(hook)
        around = self._around() if impls else None
        for impl in impls:
            try:
                found.append(Contribution(impl.plugin_name, self._call(impl, arguments, around)))
            except ANYTHING as error:  # isolated and told
                self._failed(impl, error)
                found.append(Contribution(impl.plugin_name, None))
        return found

    def require_each(self, hook: str, **arguments: Any) -> list[Any]:
        """What every loaded plugin answers, off or on. Raises :class:`PluginError` that names the first that fails."""
        around, found = self._around(), []
        for impl in self._impls(hook):
            try:
                found.append(self._call(impl, arguments, around))
            except ANYTHING as error:
                self._failed(impl, error)
                raise PluginError(f"The plugin {impl.plugin_name} failed in {hook}: {error}") from error
        return found

    def listeners(self, hooks: Iterable[str]) -> set[str]:
        """The plugins that are on and implement at least one of ``hooks``."""
        return {impl.plugin_name for hook in hooks for impl in self._active(hook)}

    def tell(self, plugin: str, hook: str, **arguments: Any) -> None:
        """Hand one fact to one plugin. Raises what it raises: the ledger retries."""
        for impl in self._active(hook):
            if impl.plugin_name != plugin:
                continue
            try:
                if self.marks is None:
                    self._call(impl, arguments, self._around())
                else:
                    with self.marks.doing(plugin, impl.plugin.stamp, hook):
                        self._call(impl, arguments, self._around())
            except ANYTHING as error:
                self._failed(impl, error)
                if isinstance(error, SystemExit):
                    raise PluginError(f"{plugin} asked Python to exit in {hook}.") from error
                raise

    # ---- health

    def look(self) -> list[Alarm]:
        """Calls that have just passed a limit of time; a hook over HUNG is not called again in this process."""
        alarms = self.watch.look()
        for alarm in alarms:
            if alarm.limit == SLOW:
                self.plugins[alarm.plugin].health.setdefault(alarm.hook, Health()).slow += 1
            if alarm.limit == HUNG:
                self._hung.add((alarm.plugin, alarm.hook))
                self._hung_plugins |= {alarm.plugin}
                self._awake = (None, {})
        return alarms

    def kept(self, name: str) -> None:
        """That the plugin is paused stands in the database now, for every process."""
        self._hung_plugins -= {name}
        self._awake = (None, {})

    def forgive_resumed(self) -> None:
        """Those that held up this process and have been switched on again since are called as if nothing had been."""
        paused = self._states().paused | self._hung_plugins
        # A copy: the thread that watches may add to it.
        for name in {plugin for plugin, _hook in list(self._hung)} - paused:
            self.forgive(name)

    def forgive(self, name: str) -> None:
        """Somebody has switched the plugin on again: its hooks are called as if nothing had been."""
        self._hung = {(plugin, hook) for plugin, hook in list(self._hung) if plugin != name}
        self._hung_plugins -= {name}
        self._awake = (None, {})
        self._refresh(name)

    def _refresh(self, name: str) -> None:
        plugin = self.plugins.get(name)
        for health in plugin.health.values() if plugin is not None else ():
            health.streak = 0

    def counts(self) -> list[Count]:
        """What every hook did since the last call of this function: for the table that all processes add to."""
        every = [
            health.since_told(plugin.name, hook, self.kinds.get(hook) not in _TIRELESS)
            for plugin in self.plugins.values()
            for hook, health in list(plugin.health.items())
        ]
        return [count for count in every if count is not None]

    # ---- who is called, and how

    def _impls(self, hook: str) -> tuple[Impl, ...]:
        found = self._table.get(hook)
        if found is None:
            found = self._table[hook] = self._find(hook)
        return found

    def _find(self, hook: str) -> tuple[Impl, ...]:
        spec = self.specs.get(hook)
        if spec is None:
            return ()
        found = []
        for name in (hook, *deprecation.old_hooks(hook)):
            caller = getattr(self._pm.hook, name, None)
            # pluggy keeps the last registered last and calls it first; we call in that order too.
            for impl in reversed(caller.get_hookimpls() if caller is not None else ()):
                found.append(Impl(impl.function, hook, spec, self.plugins[impl.plugin_name]))
        return tuple(found)

    def _changed(self) -> None:
        """Plugins have come or gone."""
        self._table.clear()
        self._awake = (None, {})

    def _active(self, hook: str) -> Iterable[Impl]:
        """Those to be called now. Without an implementation nothing is asked, the database least of all."""
        impls = self._table.get(hook)
        if impls is None:
            impls = self._impls(hook)
        if not impls:
            return impls
        states = self._states()
        seen, awake = self._awake
        if seen is not states:
            awake = {}
            self._awake = (states, awake)
            for name in (seen.off if seen is not None else frozenset()) - states.off:
                # Switched on again, with something mended perhaps.
                self._refresh(name)
        found = awake.get(hook)
        if found is None:
            found = awake[hook] = self._on(impls, states)
        for impl in found:
            if impl.health.streak and impl.rests and impl.health.resting:
                return [impl for impl in found if not (impl.rests and impl.health.resting)]
        return found

    def _on(self, impls: tuple[Impl, ...], states: States) -> tuple[Impl, ...]:
        off = self._off(states.off)
        quiet = states.paused | self._hung_plugins
        return tuple(
            impl
            for impl in impls
            if impl.plugin_name not in off and (impl.plugin_name not in quiet or self.specs[impl.hook].kind == "guard")
        )

    def _off(self, off: frozenset[str]) -> frozenset[str]:
        """Those that are off, and those that need one that is."""
        if not off:
            return off
        added = set(off)
        # Plugins stand in the order of their needs, so once through is enough.
        for plugin in self.plugins.values():
            if not added.isdisjoint(plugin.needs):
                added.add(plugin.name)
        return frozenset(added)

    def _limits(
        self, hook: str, deny: Any, made: Callable[[Any], Any] | None, arguments: Mapping[str, Any]
    ) -> list[Any]:
        """What guards answer; ``deny`` stands in for one that failed or has held up the process."""
        found = []
        impls = self._active(hook)
        around = self._around() if impls else None
        for impl in impls:
            try:
                result = deny if self._is_hung(impl) else self._call(impl, arguments, around, made)
            except ANYTHING as error:  # a guard that fails denies
                self._failed(impl, error)
                result = deny
            if result is not None:
                found.append(result)
        return found

    def _is_hung(self, impl: Impl) -> bool:
        return bool(self._hung) and (impl.plugin_name, impl.hook) in self._hung

    def _is_quiet(self, impl: Impl) -> bool:
        """Whether the desk itself has paused the plugin, or the hook has held up this process."""
        return self._is_hung(impl) or impl.plugin_name in self._states().paused | self._hung_plugins

    def _call(
        self,
        impl: Impl,
        arguments: Mapping[str, Any],
        around: Around | None,
        made: Callable[[Any], Any] | None = None,
    ) -> Any:
        """Call one implementation; ``made`` makes what it returned into what counts, as a part of the call."""
        running, thread, health = self.watch.running, get_ident(), impl.health
        outer = running.get(thread)
        begun = perf_counter()
        running[thread] = (impl.plugin_name, impl.hook, begun, around is not None)
        try:
            if around is None:
                result = impl.call(arguments)
            else:
                with around():
                    result = impl.call(arguments)
            if made is not None:
                result = made(result)
            health.streak = 0
            return result
        finally:
            if outer is None:
                running.pop(thread, None)
            else:
                running[thread] = outer
            health.calls += 1
            health.seconds += perf_counter() - begun

    def _failed(self, impl: Impl, error: BaseException) -> None:
        resting = impl.health.failed(error)
        log.error("Plugin %s failed in %s", impl.plugin_name, impl.hook, exc_info=error)
        if resting and impl.rests:
            log.error("Plugin %s: %s keeps failing and rests for a while.", impl.plugin_name, impl.hook)
        self._on_error(impl.plugin_name, impl.hook, error)


# ---- what an answer must be


def _nothing(result: Any) -> Any:
    if result is None or isinstance(result, Reject):
        return result
    raise TypeError(f"a before hook changes its draft in place and returns nothing, not {type(result).__name__}")


def _verdict(result: Any) -> Any:
    if result is None or isinstance(result, bool):
        return result
    raise TypeError(f"a guard returns False, True or None, not {type(result).__name__}")


def _names(result: Any) -> frozenset[str]:
    if result is None:
        return frozenset()
    names = frozenset(result) if isinstance(result, list | tuple | set | frozenset) else None
    if names is None or not all(isinstance(name, str) for name in names):
        raise TypeError("opened_permissions returns a list or set of names, or None")
    return names


def _numbers(result: Any) -> Mapping[int, frozenset[int]]:
    if result is None:
        return {}
    if not isinstance(result, Mapping):
        raise TypeError(f"limit_assignees returns a mapping or None, not {type(result).__name__}")
    return {key: frozenset(numbers) for key, numbers in result.items()}


def _typed(hook: str, wanted: type | tuple[type, ...], result: Any) -> Any:
    if result is None or isinstance(result, wanted):
        return result
    words = " or ".join(one.__name__ for one in (wanted if isinstance(wanted, tuple) else (wanted,)))
    raise TypeError(f"{hook} must return {words} or None, not {type(result).__name__}")


def _items(hook: str, wanted: type | None, result: Any) -> list[Any]:
    if result is None:
        return []
    if isinstance(result, str | bytes | Mapping):
        raise TypeError(f"{hook} must return a list, not {type(result).__name__}")
    items = list(result)
    if wanted is not None:
        for item in items:
            if not isinstance(item, wanted):
                raise TypeError(f"{hook} must return {wanted.__name__}, not {type(item).__name__}")
    return items


def _left(before: Any, after: Any) -> Any:
    """The draft as a plugin left it that refused the action, or as it was before where that cannot be used."""
    try:
        return _still_whole(before, after)
    except ANYTHING:
        return before


def _still_whole(before: Any, after: Any) -> Any:
    """A copy of a draft that a plugin has changed. Raises TypeError when a field is of another type than it was."""
    for name, value in vars(before).items():
        new = getattr(after, name)
        if value is not None and not isinstance(new, type(value)):
            raise TypeError(f"{name} must be {type(value).__name__}, not {type(new).__name__}")
    # What cannot be copied (a lock, a connection) would fail the next plugin instead of this one.
    return copy.deepcopy(after)
