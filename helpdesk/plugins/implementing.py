"""Whether what a plugin wrote for a hook can be called, said before it is: in one sentence that names both."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from operator import itemgetter
from types import ModuleType, NoneType
from typing import Any

import pluggy

from helpdesk.plugins import deprecation, hookspecs
from helpdesk.plugins.loading import PluginError

# A function and what its mark says.
Implementation = tuple[Callable[..., Any], Mapping[str, Any]]
# What cannot be a hook, by far the most that stands in a module.
_UNMARKED = frozenset({type, ModuleType, str, dict, NoneType})
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True)
class Spec:
    """A hook: its kind, and the arguments that it gives."""

    kind: str
    arguments: tuple[str, ...]


class Marked(pluggy.PluginManager):
    """Pluggy's, which asks for every name of a module; classes and other modules among them are passed over at once."""

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> Any:
        if isinstance(plugin, ModuleType) and type(vars(plugin).get(name)) in _UNMARKED:
            return None
        return super().parse_hookimpl_opts(plugin, name)


def core_specs() -> dict[str, Spec]:
    """The desk's own hooks."""
    return {name: spec_of(kind, getattr(hookspecs, name)) for name, kind in hookspecs.KINDS.items()}


def spec_of(kind: str, function: Callable[..., Any]) -> Spec:
    """The hook that a function describes."""
    return Spec(kind, tuple(inspect.signature(function).parameters))


def implementations(
    module: Any, marks: pluggy.PluginManager
) -> dict[str, tuple[Callable[..., Any], Mapping[str, Any]]]:
    """What a module implements: hook to function and what its mark says."""
    found: dict[str, tuple[Callable[..., Any], Mapping[str, Any]]] = {}
    for name in dir(module):
        options = marks.parse_hookimpl_opts(module, name)
        if options is not None:
            found[options.get("specname") or name] = (getattr(module, name), options)
    return found


def check(plugin: str, found: Mapping[str, Implementation], specs: Mapping[str, Spec]) -> list[str]:
    """Raise :class:`PluginError` for the first implementation that could not be called as it is.

    Answers sentences for what is deprecated. A hook of another plugin's that is not there is passed over when it is
    marked as optional.
    """
    notes = []
    for hook, (function, options) in found.items():
        if options.get("wrapper") or options.get("hookwrapper"):
            raise PluginError(f"{plugin}.{hook} is a hook wrapper; write it as a plain hook.")
        renamed = deprecation.HOOKS.get(hook)
        if renamed is not None:
            notes.append(f"{plugin} implements “{hook}”, {renamed}.")
        current = renamed.new if renamed is not None else hook
        if current in specs:
            notes += _check_one(plugin, current, function, specs[current])
        elif not options.get("optionalhook"):
            raise PluginError(f"{plugin} implements “{hook}”, which is no hook; {_nearest(hook, specs)}.")
    return notes


def _check_one(plugin: str, hook: str, function: Callable[..., Any], spec: Spec) -> list[str]:
    notes = []
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise PluginError(f"{plugin}.{hook} is async and would never run; write it with a plain def.")
    if inspect.isgeneratorfunction(function) and spec.kind not in ("slot", "registration"):
        raise PluginError(f"{plugin}.{hook} has a yield in it and would never run; write it without.")
    for name, parameter in _parameters(function).items():
        renamed = deprecation.ARGUMENTS.get((hook, name))
        if renamed is not None:
            notes.append(f"{plugin}.{hook} takes “{name}”, {renamed}.")
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            raise PluginError(f"{plugin}.{hook} takes “{name}” by its place; hooks get their arguments by name.")
        if parameter.kind in _NAMED and parameter.default is parameter.empty and name not in spec.arguments:
            gives = ", ".join(spec.arguments) or "nothing"
            raise PluginError(f"{plugin}.{hook} takes “{name}”, which this hook does not give; it gives {gives}.")
    return notes


def caller(function: Callable[..., Any], hook: str, spec: Spec) -> Callable[[Mapping[str, Any]], Any]:
    """What calls a function with those of the hook's arguments that it wants; made once, since pages call a hundred.

    One with a default value is given too where the hook has it, so that a plugin can work with an older desk.
    """
    # Its own names for them, each with the hook's.
    wanted: dict[str, str] = {}
    by_place = True
    for name, parameter in _parameters(function).items():
        renamed = deprecation.ARGUMENTS.get((hook, name))
        if parameter.kind is parameter.VAR_KEYWORD:
            wanted = {**{one: one for one in spec.arguments}, **wanted}
            by_place = False
        elif parameter.kind in _NAMED and (renamed is not None or name in spec.arguments):
            wanted[name] = renamed.new if renamed is not None else name
            by_place = by_place and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        else:
            # What comes behind one that is not given has no place any more.
            by_place = False
    if not wanted:
        return lambda arguments: function()
    if not by_place:
        return lambda arguments: function(**{own: arguments[name] for own, name in wanted.items()})
    if len(wanted) == 1:
        (only,) = wanted.values()
        return lambda arguments: function(arguments[only])
    pick = itemgetter(*wanted.values())
    return lambda arguments: function(*pick(arguments))


def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        # A builtin that says nothing of its arguments gets none.
        return {}


def _nearest(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"perhaps “{close[0]}” is meant" if close else "correct its name"
