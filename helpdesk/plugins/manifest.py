"""What a plugin will use, written into its wheel when it is built, and compared when it loads."""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import Table

from helpdesk.plugins.loading import Plugin, PluginError

FILE: Final = "helpdesk-plugin.json"
# Grows when the way of reading changes: what was written in another way is read anew.
FORMAT: Final = 1
_LONGEST = 1_000_000

# What a plugin may use, in the order in which people are shown it.
USES: Final = (
    "permissions",
    "hooks",
    "tables",
    "schedules",
    "jobs",
    "services",
    "fields",
    "channels",
    "pages",
    "commands",
    "settings",
    "reports",
    "importers",
)


@dataclass(frozen=True)
class Manifest:
    """What a plugin says of itself and what it will use, read from its code without running it."""

    name: str
    distribution: str
    version: str
    summary: str = ""
    author: str = ""
    requires: tuple[str, ...] = ()
    hooks: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    pages: tuple[str, ...] = ()
    commands: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    reports: tuple[str, ...] = ()
    importers: tuple[str, ...] = ()

    def uses(self) -> dict[str, tuple[str, ...]]:
        """The names of what it will use, by kind."""
        return {kind: getattr(self, kind) for kind in USES}

    def dump(self) -> str:
        """As it is written into the wheel."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def parse(text: str | bytes) -> Manifest | None:
    """The manifest in ``text``; None when it is of another format. Raises :class:`PluginError` when it is broken."""
    if len(text) > _LONGEST:
        raise PluginError(f"Its {FILE} is too long; build it again with 'helpdesk plugin build'.")
    try:
        found = json.loads(text)
        number = found.pop("format")
        if number != FORMAT:
            return None
        values: dict[str, Any] = {key: _value(key, found[key]) for key in found}
        return Manifest(**values)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise PluginError(f"Its {FILE} cannot be read; build it again with 'helpdesk plugin build'.") from error


def _value(key: str, value: Any) -> str | tuple[str, ...]:
    plain = key in ("name", "distribution", "version", "summary", "author")
    if plain and isinstance(value, str):
        return value
    if not plain and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    raise ValueError(key)


def differences(said: Manifest, read: Manifest) -> list[str]:
    """Where a manifest says something else than the code, each as a few words; empty when they agree."""
    found = []
    for field in fields(Manifest):
        ours, theirs = getattr(said, field.name), getattr(read, field.name)
        if isinstance(ours, str):
            if ours != theirs:
                found.append(f"{field.name}: it says “{ours}”, the wheel has “{theirs}”")
            continue
        hidden, false = sorted(set(theirs) - set(ours)), sorted(set(ours) - set(theirs))
        if hidden:
            found.append(f"{field.name}: {', '.join(hidden)} is not in it")
        if false:
            found.append(f"{field.name}: {', '.join(false)} is not in the code")
    return found


def check_kept(plugin: Plugin, hooks: Iterable[str]) -> None:
    """Raise :class:`PluginError` when a plugin that was loaded uses more than the manifest that its owner was shown.

    ``hooks`` are those that were registered. A plugin without a manifest (a single file, a folder that is worked on)
    is not asked.
    """
    if not plugin.manifest:
        return
    said = parse(plugin.manifest)
    if said is None:
        return
    named = {
        "hooks": hooks,
        "permissions": _names(plugin, "register_permissions"),
        "schedules": _names(plugin, "register_schedules"),
        "services": _names(plugin, "register_services"),
        "tables": _tables(plugin),
    }
    for kind, found in named.items():
        if more := sorted(set(found) - set(getattr(said, kind))):
            raise PluginError(
                f"It uses more than it said when it was installed ({kind}: {', '.join(more)}); "
                "install a version that names them."
            )


def owner_of(name: str, owners: Iterable[str]) -> str | None:
    """The plugin to which a table or a group of settings belongs by its name.

    “order” and “order_notes”: what begins with both belongs to the longer one.
    """
    fitting = [owner for owner in owners if name == owner or name.startswith((f"{owner}_", f"{owner}-"))]
    return max(fitting, key=len, default=None)


def mix_up(name: str, tables: Iterable[str], others: Mapping[str, Iterable[str]]) -> str:
    """A sentence when a table of this plugin, or of one of the ``others``, could be taken for the other one's."""
    for other, theirs in sorted(others.items()):
        for table in sorted(theirs):
            if other != name and owner_of(table, (name, other)) == name:
                return f"“{name}” cannot be a plugin's name: the plugin “{other}” has a table {table}; choose another."
    for table in sorted(tables):
        if (other := owner_of(table, {name, *others}) or name) != name:
            return f"Its table {table} would belong to the plugin “{other}”; begin its name with “{name}_”."
    return ""


def mixed_up(plugins: Iterable[Plugin]) -> Iterator[tuple[str, str]]:
    """Of the loaded plugins, in this order, the names of those that are to be left out for it, and why."""
    loaded = [plugin for plugin in plugins if plugin.loaded]
    tops = {getattr(plugin.module, "__name__", "").partition(".")[0] for plugin in loaded}
    # At every start: the modules of all others are looked through once and not for each plugin.
    modules = [name for name in list(sys.modules) if name.partition(".")[0] in tops]
    found: dict[str, set[str]] = {}
    for plugin in loaded:
        if not plugin.loaded:
            continue
        tables = tables_of(plugin, modules)
        if sentence := mix_up(plugin.name, tables, found):
            yield plugin.name, sentence
        else:
            found[plugin.name] = tables


def tables_of(plugin: Plugin, modules: Iterable[str] | None = None) -> set[str]:
    """The tables of a plugin that is here: those of its models (in ``modules``), and those that its manifest names."""
    try:
        said = parse(plugin.manifest) if plugin.manifest else None
    except PluginError:
        said = None
    return {*(said.tables if said is not None else ()), *(_tables(plugin, modules) if plugin.loaded else ())}


def _names(plugin: Plugin, hook: str) -> list[str]:
    return [str(item.name) for item in plugin.contributions.get(hook, ())]


def _tables(plugin: Plugin, modules: Iterable[str] | None = None) -> Iterator[str]:
    """The tables of the models in the plugin's modules."""
    package = getattr(plugin.module, "__name__", "")
    for name in list(sys.modules) if modules is None else modules:
        if name != package and not name.startswith(f"{package}."):
            continue
        for value in list(vars(sys.modules[name]).values()):
            if isinstance(value, Table):
                yield value.name
            elif isinstance(value, type) and value.__module__ == name:
                table = getattr(value, "__table__", None)
                if isinstance(table, Table):
                    yield table.name


def in_words(uses: Mapping[str, Iterable[str]]) -> list[str]:
    """One line for each kind of thing that a plugin will use, for the command line."""
    return [f"{kind}: {', '.join(names)}" for kind, names in uses.items() if names]
