"""Gettext catalogs on disk: where they are, how complete, what is broken, and Babel's commands on them."""

import importlib.metadata
import io
import re
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.frontend import ExtractMessages, InitCatalog, UpdateCatalog
from babel.messages.pofile import read_po

from helpdesk.app import PACKAGE
from helpdesk.core import catalogs as live
from helpdesk.core import packs as places
from helpdesk.core.config import Config
from helpdesk.core.packs import CORE, DOMAIN, PLUGIN, TEMPLATE, Place
from helpdesk.core.pofiles import Entry
from helpdesk.plugins import manager

_DATE = re.compile(r'^"POT-Creation-Date: .*$', re.MULTILINE)
_TRUE = ("1", "true", "yes", "on")


@dataclass(frozen=True)
class Pack:
    """The catalogs of the core, of one plugin, of a language pack, or of the home, for one ``domain``.

    ``source``: the checkout whose setup.cfg says how strings are collected.
    """

    owner: str
    folder: Path
    source: Path | None = None
    domain: str = DOMAIN

    @property
    def template(self) -> Path:
        return self.folder / TEMPLATE

    def catalog(self, code: str) -> Path:
        """Where a language's catalog is, or would be."""
        return self.folder / code / "LC_MESSAGES" / f"{self.domain}.po"

    def languages(self) -> list[str]:
        """The languages that it has a catalog for; folders that are no language's are left out."""
        found = (path.parent.parent.name for path in self.folder.glob(f"*/LC_MESSAGES/{self.domain}.po"))
        return sorted(code for code in found if places.is_code(code))


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
    found = []
    for place in live.current().places():
        if place.kind == PLUGIN and not _is_package(place):
            continue
        if place.kind in (CORE, PLUGIN):
            found.append(Pack(place.name, place.folder, _checkout(place)))
        else:
            found += [Pack(place.name, place.folder, None, domain) for domain in _domains(place)]
    return found


def read(path: Path, code: str | None = None) -> Catalog:
    """A catalog from its file, by Babel."""
    with path.open("rb") as file:
        return read_po(file, locale=code, abort_invalid=True)


def coverage(pack: Pack, code: str) -> Coverage:
    """How many of the template's strings (without one: of the catalog's own) are translated."""
    entries = {entry.key: entry for entry in _entries(pack.catalog(code), code)}
    wanted = [entry.key for entry in _entries(pack.template, code)] or list(entries)
    found = [entries[key] for key in wanted if key in entries]
    fuzzy = sum(1 for entry in found if entry.fuzzy)
    translated = sum(1 for entry in found if not entry.fuzzy and entry.full)
    return Coverage(len(wanted), translated, fuzzy)


def strings(pack: Pack) -> int:
    """How many strings there are to translate in all."""
    if pack.template.exists():
        return len(_entries(pack.template, live.SOURCE_LOCALE))
    return max((coverage(pack, code).total for code in pack.languages()), default=0)


def problems(path: Path, code: str) -> Iterator[Problem]:
    """What is wrong in one catalog: placeholders, plural forms, HTML, fuzzy entries, or the file itself."""
    stamp = places.stamp_of(path)
    for problem in places.report(path, stamp, code) if stamp else ():
        yield Problem(path, problem.line, problem.kind, problem.sentence)


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


def begin(pack: Pack, code: str, home: Path | None = None, into_home: bool = False) -> Path:
    """Make an empty catalog from a template, with the plural forms of its language: in a checkout, else in ``home``.

    ``into_home``: in a checkout as well.

    Raises FileExistsError, and ValueError with a sentence when ``code`` is no language or its folder leads elsewhere.
    """
    places.check_code(code)
    in_checkout = pack.source is not None and not into_home
    folder = pack.folder if in_checkout or home is None else home
    domain = DOMAIN if folder == pack.folder or pack.owner == CORE else pack.owner
    target = folder / code / "LC_MESSAGES" / f"{domain}.po"
    if target.exists() or target.is_symlink():
        raise FileExistsError(target)
    if not target.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{folder / code} leads to another place; remove that link first.")
    target.parent.mkdir(parents=True, exist_ok=True)
    settings = pack.source if in_checkout and pack.source else folder
    _babel(InitCatalog, settings, "init_catalog", input_file=pack.template, output_file=target, locale=code)
    return target


def _entries(path: Path, code: str) -> list[Entry]:
    stamp = places.stamp_of(path)
    return places.parsed(path, stamp, code).entries if stamp else []


def _domains(place: Place) -> list[str]:
    found = {path.stem for path in place.folder.glob("*/LC_MESSAGES/*.po")}
    return sorted(found | {DOMAIN}, key=lambda domain: (domain != DOMAIN, domain))


def _is_package(place: Place) -> bool:
    file = getattr(manager.current().plugins[place.name].module, "__file__", None)
    return bool(file) and Path(str(file)).name == "__init__.py"


def _checkout(place: Place) -> Path | None:
    """The folder whose setup.cfg has Babel's settings, when the package lies in a checkout."""
    package = PACKAGE if place.kind == CORE else place.folder.parent
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
    # It prints what it thinks of a template's plural forms in a language that has another number of them.
    with chdir(folder), redirect_stdout(io.StringIO()):
        command.finalize_options()
        command.run()
