"""Where catalogs lie - the desk's, the plugins', language packs, the home - and what each of them has.

A pack is an installed distribution with an entry point of the group ``helpdesk.translations``; its value names a
package with ``<language>/LC_MESSAGES/<domain>.po``. The domain is ``messages`` for the desk itself, else a plugin's
name. A home has the same in ``translations/``. None of a pack's code is run.
"""

import hashlib
import importlib.util
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from babel import Locale, UnknownLocaleError
from flask_babel import get_locale
from flask_babel import gettext as _

from helpdesk.core import pofiles
from helpdesk.core.pofiles import Entry, Key, Problem
from helpdesk.plugins.installed import entry_points

ENTRY_POINTS = "helpdesk.translations"
CORE, PLUGIN, HOME, PACK = "core", "plugin", "home", "pack"
DOMAIN, TEMPLATE = "messages", "messages.pot"
Stamp = tuple[int, int, int]
# A catalog that is not used, and why in one word.
LeftOut = tuple[Path, str]

# Changes when the same files would be compiled to something else.
_FORMAT = b"3"
_CODE = re.compile(r"[a-z]{2,3}(_[A-Z][a-z]{3})?(_([A-Z]{2}|\d{3}))?")
_HAS_WORDS = re.compile(rb'^msgstr(?:\[\d+\])? (?:"[^"\n]|""\s*\n\s*")', re.MULTILINE)


@lru_cache(maxsize=1000)
def is_code(code: str) -> bool:
    """Whether ``code`` is a language as it is written here (``de``, ``pt_BR``, ``zh_Hans``): safe in a path."""
    if not _CODE.fullmatch(code):
        return False
    try:
        return str(Locale.parse(code)) == code
    except (ValueError, UnknownLocaleError, TypeError):
        return False


def check_code(code: str) -> None:
    """Raise ValueError with a sentence unless ``code`` is a language as it is written here."""
    if is_code(code):
        return
    try:
        better = str(Locale.parse(code.replace("-", "_"))) if len(code) <= 20 else ""
    except (ValueError, UnknownLocaleError, TypeError):
        better = ""
    if is_code(better):
        raise ValueError(_("“%(code)s” is written “%(better)s” here.", code=code, better=better))
    raise ValueError(_("“%(code)s” is no language; write a code such as de, pt_BR or zh_Hans.", code=code[:40]))


def locale_name(code: str) -> str:
    """A language by its own name, e.g. “Deutsch”."""
    locale = Locale.parse(code)
    name = locale.get_display_name(locale) or code
    return name[:1].upper() + name[1:]


@dataclass(frozen=True)
class Place:
    """A folder with ``<language>/LC_MESSAGES/<domain>.po``: the desk's, a plugin's, a pack's or the home's."""

    kind: str
    name: str
    folder: Path
    version: str = ""

    @property
    def template(self) -> Path:
        return self.folder / TEMPLATE


@dataclass(frozen=True)
class Source:
    """One catalog. ``owner`` is whose texts it has: the core's or a plugin's; ``stamp`` changes when the file does."""

    weight: int
    code: str
    owner: str
    place: Place
    path: Path
    stamp: Stamp


@dataclass(frozen=True)
class English:
    """The templates of the desk and of its plugins, the desk's first: what every translation is held against.

    ``whole``: each of them has one, so that a text which is in none is nobody's.
    """

    templates: tuple[tuple[Path, Stamp], ...] = ()
    whole: bool = False

    def of(self, entry: Entry) -> Entry | None:
        """The English text of an entry, whatever its own file says of it; None when there is no such text."""
        return _texts_of(self).get(entry.key) or (None if self.whole else pofiles.alone(entry))


@lru_cache(maxsize=8)
def _texts_of(english: English) -> Mapping[Key, Entry]:
    found: dict[Key, Entry] = {}
    for path, stamp in english.templates:
        for entry in parsed(path, stamp, "en").entries:
            found.setdefault(entry.key, entry)
    return found


def english_of(places: Iterable[Place]) -> English:
    """The templates as they are now."""
    found = [(place.template, stamp_of(place.template)) for place in places if place.kind in (CORE, PLUGIN)]
    return English(tuple((path, stamp) for path, stamp in found if stamp), all(stamp for _path, stamp in found))


@lru_cache(maxsize=400)
def parsed(path: Path, stamp: Stamp, code: str) -> pofiles.PoFile:
    """A catalog, read once for each state of its file; plural forms in the order of ``code``."""
    try:
        found = pofiles.read(path.read_bytes())
    except OSError as error:
        sentence = _("The file cannot be read: %(reason)s.", reason=error.strerror)
        return pofiles.PoFile(problems=[Problem("file", sentence)])
    found.entries = found.for_language(code)
    return found


@lru_cache(maxsize=400)
def _usable_of(path: Path, stamp: Stamp, code: str, english: English) -> tuple[Entry, ...]:
    whole = (entry for entry in parsed(path, stamp, code).entries if entry.full and not entry.fuzzy)
    return tuple(fitting(code, whole, english))


def fitting(code: str, entries: Iterable[Entry], english: English) -> Iterator[Entry]:
    """Those that a page can show, each under its English text as the template has it."""
    forms = pofiles.plural_forms(code)
    for entry in entries:
        source = english.of(entry)
        if source is not None and pofiles.breaking(entry, forms, source) is None:
            yield replace(source, texts=entry.texts)


def usable(source: Source, english: English) -> tuple[Entry, ...]:
    """The entries of a catalog that are shown; read and checked once for each state of the files."""
    return _usable_of(source.path, source.stamp, source.code, english)


def report(path: Path, stamp: Stamp, code: str, english: English | None = None) -> list[Problem]:
    """What is wrong in one catalog, in the reader's language; without ``english`` its own English is believed."""
    return _report(path, stamp, code, str(get_locale() or ""), english)


@lru_cache(maxsize=400)
def _report(path: Path, stamp: Stamp, code: str, _reader: str, english: English | None) -> list[Problem]:
    try:
        found = pofiles.read(path.read_bytes())
    except OSError as error:
        return [Problem("file", _("The file cannot be read: %(reason)s.", reason=error.strerror))]
    problems, forms = list(found.problems), pofiles.plural_forms(code)
    for entry in found.for_language(code):
        if entry.fuzzy:
            sentence = _("“%(text)s” is marked fuzzy and not shown.", text=pofiles.quoted(entry.id))
            problems.append(Problem("fuzzy", sentence, entry.line))
        elif any(entry.texts):
            source = (english.of(entry) or pofiles.alone(entry)) if english else None
            problems += pofiles.faults(entry, forms, source)
    return problems[: pofiles.MOST_PROBLEMS]


def stamp_of(path: Path) -> Stamp | None:
    """What changes when a file does; None when it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def are_unchanged(sources: Iterable[Source], english: English) -> bool:
    """Whether all that a language is compiled from still lies there as it was when it was looked at."""
    files = [*english.templates, *((source.path, source.stamp) for source in sources)]
    return all(stamp_of(path) == stamp for path, stamp in files)


def digest(code: str, sources: Iterable[Source], english: English) -> str:
    """What changes when a language would be compiled to something else: a catalog, or what it is held against."""
    digest = hashlib.sha256(_FORMAT + code.encode() + bytes([english.whole]))
    files = [("", path) for path, _stamp in english.templates] + [(source.owner, source.path) for source in sources]
    for owner, path in files:
        try:
            data = path.read_bytes()
        except OSError:
            data = b""
        digest.update(owner.encode() + b"\0" + len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()[:24]


@lru_cache(maxsize=400)
def _has_words(path: Path, stamp: Stamp) -> bool:
    """Whether a catalog has a translated text beside its head; it is looked at, not read."""
    try:
        data = path.read_bytes()[: pofiles.MOST_BYTES]
    except OSError:
        return False
    return sum(1 for _found, _two in zip(_HAS_WORDS.finditer(data), range(2), strict=False)) == 2


def is_begun(source: Source) -> bool:
    return source.owner == CORE and _has_words(source.path, source.stamp)


def weights_of(places: Iterable[Place]) -> dict[tuple[str, str], int]:
    """The order of (kind of place, owner of the texts): the first that has a text wins."""
    plugins = [place.name for place in places if place.kind == PLUGIN]
    order = [(HOME, CORE), (CORE, CORE)]
    order += [pair for name in plugins for pair in ((HOME, name), (PLUGIN, name))]
    order += [(PACK, name) for name in (CORE, *plugins)]
    return {pair: weight for weight, pair in enumerate(order)}


def catalogs_in(place: Place, weights: Mapping[tuple[str, str], int], left_out: list[LeftOut]) -> Iterator[Source]:
    """The catalogs of a place; those that lie where they cannot be used are put into ``left_out``."""
    for path in sorted(place.folder.glob("*/LC_MESSAGES/*.po")):
        code = path.parent.parent.name
        owner = place.name if place.kind == PLUGIN else CORE if path.stem == DOMAIN else path.stem
        weight, stamp = weights.get((place.kind, owner)), stamp_of(path)
        if not is_code(code):
            left_out.append((path, "code"))
        elif place.kind == HOME and not path.resolve().is_relative_to(place.folder.resolve()):
            left_out.append((path, "outside"))
        elif place.kind == HOME and weight is None:
            left_out.append((path, "owner"))
        elif weight is not None and stamp is not None and (place.kind in (HOME, PACK) or path.stem == DOMAIN):
            yield Source(weight, code, owner, place, path, stamp)


def why_left_out(path: Path, reason: str) -> Problem:
    """What is wrong with the place of a catalog, in the reader's language."""
    if reason == "code":
        name = path.parent.parent.name[:40]
        sentence = _("“%(name)s” is no language; name the folder like de, pt_BR or zh_Hans.", name=name)
    elif reason == "outside":
        sentence = _("The catalog lies outside the home and is left out.")
    else:
        sentence = _("There is no plugin “%(name)s” for this catalog; it is left out.", name=path.stem[:40])
    return Problem("folder", sentence)


def installed() -> Iterator[Place]:
    """Installed distributions with an entry point of the group: its value names a package, which is not imported."""
    for point in entry_points(ENTRY_POINTS):
        first, _dot, rest = point.value.partition(":")[0].partition(".")
        try:
            spec = importlib.util.find_spec(first)
        except (ImportError, ValueError):
            spec = None
        folders = list(spec.submodule_search_locations or ()) if spec else []
        if folders:
            folder = Path(folders[0]).joinpath(*rest.split(".")) if rest else Path(folders[0])
            dist = point.dist
            yield Place(PACK, dist.name if dist else point.name, folder, dist.version if dist else "")
