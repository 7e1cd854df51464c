"""Gettext catalogs on disk: where they are, how complete, what is broken, and Babel's commands on them."""

import importlib.metadata
import re
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import ExtractMessages, InitCatalog, UpdateCatalog
from babel.messages.pofile import read_po

from helpdesk.app import PACKAGE, shipped
from helpdesk.core.config import Config
from helpdesk.plugins import manager

CORE, HOME = "core", "home"
TEMPLATE = "messages.pot"
_CATALOG = "LC_MESSAGES/messages.po"
_PLACEHOLDER = re.compile(r"%\((\w+)\)")
# With how it is written: "%(name) u" is a number with a space in front where "%(name)s" is text.
_SPECIFIED = re.compile(r"%\(\w+\)[#0 +-]*[\d.]*[A-Za-z]?")
_DATE = re.compile(r'^"POT-Creation-Date: .*$', re.MULTILINE)
_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True)
class Pack:
    """The catalogs of the core, of one plugin, or of the home. ``source``: the checkout whose setup.cfg says how."""

    owner: str
    folder: Path
    source: Path | None = None

    @property
    def template(self) -> Path:
        return self.folder / TEMPLATE

    def catalog(self, code: str) -> Path:
        """Where a language's catalog is, or would be."""
        return self.folder / code / _CATALOG

    def languages(self) -> list[str]:
        """The languages that it has a catalog for."""
        return sorted(path.parent.parent.name for path in self.folder.glob(f"*/{_CATALOG}"))


@dataclass(frozen=True)
class Coverage:
    """How far a catalog is."""

    total: int
    translated: int
    fuzzy: int

    @property
    def percent(self) -> int:
        """Whole percents, rounded down: 100 means all of them."""
        return self.translated * 100 // self.total if self.total else 100


@dataclass(frozen=True)
class Problem:
    """Something in a catalog that would show wrong or break a page."""

    file: Path
    line: int | None
    kind: str
    sentence: str


def packs(config: Config) -> list[Pack]:
    """Every place that catalogs come from, the core's first. In an app context."""
    found = [Pack(CORE, shipped("translations"), _checkout(PACKAGE))]
    for plugin in manager.current().plugins.values():
        file = getattr(plugin.module, "__file__", None)
        if plugin.loaded and file and Path(file).name == "__init__.py":
            package = Path(file).parent
            found.append(Pack(plugin.name, package / "translations", _checkout(package)))
    return [*found, Pack(HOME, config.paths.translations)]


def locale_of(code: str) -> Locale:
    """The language of a code such as ``de`` or ``zh_Hans``. Raises ValueError with a sentence."""
    try:
        return Locale.parse(code)
    except (ValueError, UnknownLocaleError, TypeError):
        raise ValueError(f"“{code}” is no language; write a code such as de, pt_BR or zh_Hans.") from None


def read(path: Path, code: str | None = None) -> Catalog:
    """A catalog from its file."""
    with path.open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def coverage(pack: Pack, code: str) -> Coverage:
    """How many of the template's strings (without one: of the catalog's own) are translated."""
    catalog = read(pack.catalog(code), code)
    wanted = read(pack.template) if pack.template.exists() else catalog
    messages = [catalog.get(message.id, message.context) for message in wanted if message.id]
    fuzzy = sum(1 for message in messages if message is not None and message.fuzzy)
    translated = sum(1 for message in messages if message is not None and not message.fuzzy and _is_full(message))
    return Coverage(len(messages), translated, fuzzy)


def strings(pack: Pack) -> int:
    """How many strings there are to translate in all."""
    if pack.template.exists():
        return sum(1 for message in read(pack.template) if message.id)
    return max((coverage(pack, code).total for code in pack.languages()), default=0)


def problems(path: Path, code: str) -> Iterator[Problem]:
    """What is wrong in one catalog: placeholders, plural forms, fuzzy entries, or the file itself."""
    try:
        catalog = read(path, code)
    except (ValueError, UnicodeDecodeError) as error:
        yield Problem(path, None, "file", f"cannot be read: {error}")
        return
    for message in catalog:
        if not message.id:
            continue
        if message.fuzzy:
            yield Problem(path, message.lineno, "fuzzy", f"“{_first(message)}” is marked fuzzy and not shown")
        elif any(_strings(message)):
            for kind, sentence in _faults(message, catalog.num_plurals):
                yield Problem(path, message.lineno, kind, sentence)


def extract(pack: Pack) -> int:
    """Collect a checkout's strings into its template; answer how many. Left alone when only the date differs."""
    assert pack.source is not None
    pack.folder.mkdir(parents=True, exist_ok=True)
    before = pack.template.read_text("utf-8") if pack.template.exists() else ""
    name = _settings(pack.source).get("extract_messages", "project")
    _babel(ExtractMessages, pack.source, "extract_messages", version=importlib.metadata.version(name))
    after = pack.template.read_text("utf-8")
    if _DATE.sub("", before) == _DATE.sub("", after):
        pack.template.write_text(before, "utf-8")
    return strings(pack)


def update(pack: Pack) -> list[str]:
    """Bring a checkout's catalogs in line with its template; answer which."""
    assert pack.source is not None
    languages = pack.languages()
    if languages and pack.template.exists():
        _babel(UpdateCatalog, pack.source, "update_catalog", input_file=pack.template, output_dir=pack.folder)
    return languages


def begin(pack: Pack, code: str) -> Path:
    """Make an empty catalog from a template, with the plural forms of its language. Raises FileExistsError."""
    target = pack.catalog(code)
    if target.exists():
        raise FileExistsError(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = pack.source or pack.folder
    _babel(InitCatalog, folder, "init_catalog", input_file=pack.template, output_file=target, locale=code)
    return target


def _checkout(package: Path) -> Path | None:
    """The folder whose setup.cfg has Babel's settings, when the package lies in a checkout."""
    for folder in (package.parent, package.parent.parent):
        if _settings(folder).has_section("extract_messages"):
            return folder
    return None


def _settings(folder: Path) -> ConfigParser:
    settings = ConfigParser(interpolation=None)
    settings.read(folder / "setup.cfg", "utf-8")
    return settings


def _babel(command_type: type, folder: Path, section: str, **options: Any) -> None:
    """Run one of Babel's commands with the settings that setuptools would give it."""
    settings = _settings(folder)
    command: Any = command_type()
    flags = {name.replace("-", "_") for name in command.boolean_options}
    for name, value in settings.items(section) if settings.has_section(section) else ():
        setattr(command, name, value.lower() in _TRUE if name in flags else value)
    for name, value in options.items():
        setattr(command, name, str(value))
    with chdir(folder):
        command.finalize_options()
        command.run()


def _faults(message: Message, plurals: int) -> Iterator[tuple[str, str]]:
    strings, name = _strings(message), _first(message)
    if message.pluralizable and (len(strings) != plurals or not all(strings)):
        filled = sum(1 for string in strings if string)
        yield "plural", f"“{name}” has {filled} of {plurals} plural forms"
    asked = {key for text in _ids(message) for key in _PLACEHOLDER.findall(text)}
    if not _can_format(_ids(message)[0], asked):
        return
    written = {spec for text in _ids(message) for spec in _SPECIFIED.findall(text)}
    for string in filter(None, strings):
        used = set(_PLACEHOLDER.findall(string))
        if unknown := used - asked:
            yield "placeholder", f"“{name}” has no {_names(unknown)}"
        elif set(_SPECIFIED.findall(string)) - written or not _can_format(string, asked):
            yield "placeholder", f"the translation of “{name}” has a broken placeholder or a single %"
        elif (missing := asked - used) and not message.pluralizable:
            yield "placeholder", f"the translation of “{name}” leaves out {_names(missing)}"


def _can_format(text: str, names: set[str]) -> bool:
    """Whether a page can put values in: templates format every string, so that a single % breaks them."""
    try:
        text % dict.fromkeys(names, 1)
    except (TypeError, ValueError, KeyError):
        return False
    return True


def _names(names: set[str]) -> str:
    return ", ".join(f"%({name})s" for name in sorted(names))


def _ids(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, list | tuple) else (str(message.id),)


def _strings(message: Message) -> tuple[str, ...]:
    return tuple(message.string) if isinstance(message.string, list | tuple) else (str(message.string or ""),)


def _first(message: Message) -> str:
    return " ".join(_ids(message)[0].split())[:60]


def _is_full(message: Message) -> bool:
    return all(_strings(message))
