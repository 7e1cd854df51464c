"""One merged catalog for each language, made from ``.po`` files and the owner's corrections, live within two seconds.

Weight, the first that has a text wins: the owner's corrections; ``<home>/translations`` for the desk itself; what the
desk ships; then for each plugin ``<home>/translations`` and its own (plugins only add); then language packs, which
fill what is missing. Only ``.po`` files are kept; what they compile to lies in the cache under the hash of its content.
Each text is held against the English one of the templates (``messages.pot``), also the owner's corrections: English
may have changed since.
"""

import hashlib
import importlib
import io
import os
import secrets
import shutil
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from babel.support import NullTranslations, Translations
from flask import current_app, g
from flask_babel import Babel, Domain, get_locale
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.core import direction, packs, pofiles, words
from helpdesk.core.extensions import db
from helpdesk.core.packs import CORE, PLUGIN, Place, Source
from helpdesk.core.pofiles import Entry, Key, Problem
from helpdesk.core.settings import LOCALES
from helpdesk.core.transaction import in_transaction
from helpdesk.core.words import Correction

EXTENSION = "helpdesk.catalogs"
_CODE = "helpdesk_code"
SOURCE_LOCALE = "en"
INTERVAL = 1.0
_STALE = 60.0


@dataclass(frozen=True)
class Text:
    """One text of the desk in one language. ``own`` is its translation without the owner's correction."""

    owner: str
    entry: Entry
    own: tuple[str, ...] | None
    corrected: tuple[str, ...] | None = None

    @property
    def texts(self) -> tuple[str, ...] | None:
        """What is shown; None: the English text."""
        return self.corrected if self.corrected is not None else self.own

    @property
    def digest(self) -> str:
        return digest_of(self.entry.key)


@dataclass
class _Snapshot:
    """What was found at one moment; threads read the one that is current while another is made."""

    sources: Mapping[str, tuple[Source, ...]]
    left_out: tuple[packs.LeftOut, ...]
    corrections: Mapping[str, tuple[Correction, ...]]
    english: packs.English
    languages: list[tuple[str, str]]
    base: dict[str, Translations] = field(default_factory=dict)
    spoken: dict[str, Any] = field(default_factory=dict)
    own: dict[str, dict[Key, Entry]] = field(default_factory=dict)
    corrected: dict[str, dict[Key, Entry]] = field(default_factory=dict)


class Catalogs:
    """The catalogs of one application in this process."""

    def __init__(self, places: Iterable[Place], cache: Path) -> None:
        self.fixed = list(places)
        self.cache = cache / "translations"
        self._lock = threading.RLock()
        self._making = threading.local()
        self._checked = float("-inf")
        self._packs: tuple[Any, list[Place]] = (None, [])
        self._now = self._look({})

    # -- what is spoken

    @property
    def languages(self) -> list[tuple[str, str]]:
        """The languages in which at least one text of the desk itself is translated, English first."""
        return self._now.languages

    def translations(self, code: str) -> NullTranslations:
        """What flask-babel asks: the merged catalog with the owner's corrections above it."""
        now = self._now
        found = now.spoken.get(code)
        if found is None:
            if getattr(self._making, "busy", False):
                # What is said about a broken catalog while it is read must not ask for that catalog.
                return NullTranslations()
            with self._lock:
                found = now.spoken.get(code) or self._make(now, code)
        return found

    def _make(self, now: _Snapshot, code: str) -> Translations:
        self._making.busy = True
        try:
            found = now.spoken[code] = self._spoken(now, code)
        finally:
            self._making.busy = False
        return found

    def refresh(self) -> None:
        """See what has changed: files at most once a second, corrections by the generation. Never raises for data."""
        corrections = _corrections(self._now.corrections)
        due = time.monotonic() - self._checked >= INTERVAL
        if not due and corrections == self._now.corrections:
            return
        # Who comes while another thread looks goes on with what there is.
        if not self._lock.acquire(blocking=corrections != self._now.corrections):
            return
        try:
            self._checked = time.monotonic()
            self._now = self._look(corrections)
        finally:
            self._lock.release()

    def look_again(self) -> None:
        """Look at the files at the next question: this process has just written one."""
        self._checked = float("-inf")

    # -- what the owner's page and the command line ask

    def places(self) -> list[Place]:
        """Every folder that catalogs come from now."""
        return [*self.fixed, *self._packs[1]]

    def owners(self) -> list[str]:
        """Whose texts there are: the core's, then each plugin's."""
        return [place.name for place in self.fixed if place.kind in (CORE, PLUGIN)]

    def sources(self, code: str | None = None) -> list[Source]:
        """The catalogs in order of their weight, of one language or of all."""
        found = self._now.sources
        return [source for one in ([code] if code else sorted(found)) for source in found.get(one, ())]

    def is_corrected(self, code: str) -> bool:
        """Whether the owner has corrected a text of a language."""
        return bool(self._now.corrections.get(code))

    def folder_problems(self) -> list[tuple[Path, Problem]]:
        """Catalogs that are left out because of where they lie."""
        return [(path, packs.why_left_out(path, reason)) for path, reason in self._now.left_out]

    def problems(self, code: str) -> list[tuple[Path, Problem]]:
        """What is wrong with a language, file by file."""
        found: list[tuple[Path, Problem]] = []
        for source in self.sources(code):
            problems = packs.report(source.path, source.stamp, source.code, self._now.english)
            found += [(source.path, problem) for problem in problems]
        return found

    def texts(self, code: str, owner: str | None = None) -> list[Text]:
        """Every text of the desk (of one owner), with what stands for it in ``code``."""
        now = self._now
        own, corrected = _texts(self._own(now, code)), _texts(self._corrected(now, code))
        found, seen = [], set()
        for name in self.owners():
            for entry in self.template(name):
                if entry.key not in seen and owner in (None, name):
                    found.append(Text(name, entry, own.get(entry.key), corrected.get(entry.key)))
                seen.add(entry.key)
        return found

    def template(self, owner: str) -> list[Entry]:
        """The English texts of the core or of a plugin; without a template the ids of its catalogs."""
        place = next(place for place in self.fixed if place.kind in (CORE, PLUGIN) and place.name == owner)
        if (stamp := packs.stamp_of(place.template)) is not None:
            return packs.parsed(place.template, stamp, SOURCE_LOCALE).entries
        found: dict[Key, Entry] = {}
        for source in self.sources():
            if source.owner == owner:
                for entry in packs.parsed(source.path, source.stamp, source.code).entries:
                    if (english := self._now.english.of(entry)) is not None:
                        found.setdefault(entry.key, english)
        return list(found.values())

    def english(self) -> packs.English:
        """What a text that comes from elsewhere is held against."""
        return self._now.english

    # -- looking

    def _look(self, corrections: Mapping[str, tuple[Correction, ...]]) -> _Snapshot:
        sources: dict[str, list[Source]] = {}
        left_out: list[packs.LeftOut] = []
        self._find_packs()
        weights = packs.weights_of(self.fixed)
        for place in self.places():
            for source in packs.catalogs_in(place, weights, left_out):
                sources.setdefault(source.code, []).append(source)
        ordered = {code: tuple(sorted(found, key=lambda one: one.weight)) for code, found in sources.items()}
        spoken = {code for code, found in ordered.items() if any(packs.is_begun(source) for source in found)}
        codes = [SOURCE_LOCALE, *sorted((spoken | set(corrections)) - {SOURCE_LOCALE})]
        english = packs.english_of(self.fixed)
        names = [(code, packs.locale_name(code)) for code in codes]
        new = _Snapshot(ordered, tuple(left_out), corrections, english, names)
        before = getattr(self, "_now", None)
        if before is None or before.english != english:
            return new
        if before.sources == new.sources and before.corrections == corrections and before.left_out == new.left_out:
            return before
        for code, found in ordered.items():
            if before.sources.get(code) == found and code in before.base:
                new.base[code] = before.base[code]
        return new

    def _find_packs(self) -> None:
        """Packs that are installed, without running any of their code; looked for anew when something is installed."""
        state = tuple((entry, packs.stamp_of(Path(entry))) for entry in sys.path)
        if self._packs[0] != state:
            if self._packs[0] is not None:
                importlib.invalidate_caches()
            self._packs = (state, list(packs.installed()))

    # -- merging

    def _spoken(self, now: _Snapshot, code: str) -> Translations:
        base = now.base.get(code)
        if base is None:
            base = self._base(now, code)
            if direction.text_direction(code) == "rtl":
                base.add_fallback(direction.EnglishInside())
            now.base[code] = base
        corrections = self._corrected(now, code)
        if not corrections:
            return base
        above = Translations(io.BytesIO(pofiles.compiled(code, corrections.values())))
        above.add_fallback(base)
        return above

    def _base(self, now: _Snapshot, code: str) -> Translations:
        sources = now.sources.get(code, ())
        file = self.cache / f"{code}-{packs.digest(code, sources, now.english)}.mo"
        try:
            return Translations(io.BytesIO(file.read_bytes()))
        except Exception:  # noqa: BLE001 - not there, or cut off by a full disk: it is made anew
            pass
        data = pofiles.compiled(code, self._own(now, code).values())
        # A file replaced since it was looked at may be in the name and not yet in the texts: that is not kept.
        if packs.are_unchanged(sources, now.english):
            self._keep(file, data)
        return Translations(io.BytesIO(data))

    def _own(self, now: _Snapshot, code: str) -> dict[Key, Entry]:
        found = now.own.get(code)
        if found is None:
            found = {}
            for source in now.sources.get(code, ()):
                for entry in packs.usable(source, now.english):
                    found.setdefault(entry.key, entry)
            now.own[code] = found
        return found

    def _corrected(self, now: _Snapshot, code: str) -> dict[Key, Entry]:
        found = now.corrected.get(code)
        if found is None:
            entries = [Entry(one.context, one.message, one.plural, one.texts) for one in now.corrections.get(code, ())]
            found = {entry.key: entry for entry in packs.fitting(code, entries, now.english)}
            now.corrected[code] = found
        return found

    def _keep(self, file: Path, data: bytes) -> None:
        """Written aside and renamed, so that nobody reads half of it; a cache that cannot be written is no problem."""
        aside = file.with_name(f".{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            self.cache.mkdir(parents=True, exist_ok=True)
            aside.write_bytes(data)
            aside.replace(file)
            self._clean(file)
        except OSError as error:
            current_app.logger.warning("The compiled catalog %s cannot be kept: %s", file, error.strerror)

    def _clean(self, kept: Path) -> None:
        """Remove what older files compiled to. Each process has read its own into memory."""
        language = kept.name.rpartition("-")[0]
        for other in self.cache.iterdir():
            stamp = packs.stamp_of(other)
            if stamp is None:
                continue  # Another process has renamed or removed it meanwhile.
            old = time.time() - stamp[0] / 1e9 > _STALE
            if other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
            elif old and other != kept and (other.name.startswith((f"{language}-", "."))):
                other.unlink(missing_ok=True)


class LiveDomain(Domain):
    """flask-babel's own keeps a language for ever once it has read it; this one asks the catalogs each time."""

    def get_translations(self) -> Any:
        return spoken()


def spoken() -> NullTranslations:
    """The catalog of the reader's language, as it is now."""
    return current().translations(code())


def code() -> str:
    """The code of the reader's language, kept beside it: every text of a page asks for it, and Babel puts it together
    each time.
    """
    try:
        # What get_locale has kept; it goes to the context four times for it.
        locale = g._flask_babel.babel_locale or get_locale()
    except (AttributeError, RuntimeError):
        locale = get_locale()
    if locale is None:
        return SOURCE_LOCALE
    found: str | None = locale.__dict__.get(_CODE)
    if found is None:
        found = locale.__dict__[_CODE] = str(locale)
    return found


class LiveBabel(Babel):
    domain_instance = LiveDomain()


def current() -> Catalogs:
    """The catalogs of the current application."""
    found: Catalogs = current_app.extensions[EXTENSION]
    return found


def refresh() -> None:
    """Bring the languages of the current application up to date (see :meth:`Catalogs.refresh`)."""
    catalogs = current()
    catalogs.refresh()
    current_app.extensions[LOCALES] = catalogs.languages


def digest_of(key: Key) -> str:
    """A short name of a text for the database and for addresses."""
    return hashlib.sha256(f"{key[0] or ''}\0{key[1]}".encode("utf-8", "replace")).hexdigest()


def _texts(entries: Mapping[Key, Entry]) -> dict[Key, tuple[str, ...]]:
    return {key: entry.texts for key, entry in entries.items()}


def _corrections(before: Mapping[str, tuple[Correction, ...]]) -> Mapping[str, tuple[Correction, ...]]:
    """Those of the database, at most two seconds old; what was known when it cannot be asked (it is not made yet)."""
    try:
        found = words.current().corrections
    except SQLAlchemyError:
        if not in_transaction():
            db.session.rollback()
        return before
    return {code: rows for code, rows in found.items() if packs.is_code(code)}
