"""Finds themes while the desk runs: shipped, installed as packages, and in the home."""

import importlib
import importlib.util
import logging
import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask_babel import lazy_gettext as _l

from helpdesk.core.theming.palette import Colors, read_tokens, variables
from helpdesk.core.theming.theme import FILE, HOME, PACKAGE, SHIPPED, Theme, ThemeError, check_name, in_english, read
from helpdesk.plugins import installed

log = logging.getLogger(__name__)

ENTRY_POINTS = "helpdesk.themes"
# How old what is known of the folders may be.
INTERVAL = 1.0


@dataclass(frozen=True)
class LeftOut:
    """A theme that cannot be used, and why (a sentence)."""

    name: str
    folder: str
    origin: str
    problem: Any


@dataclass(frozen=True)
class _Place:
    """A folder that is said to hold a theme."""

    name: str
    folder: Path
    origin: str
    problem: Any = field(default=None, compare=False)


class Themes(Mapping[str, Theme]):
    """The themes that can be used, by name; looked for again while the desk runs. ``tokens`` is the desk's own sheet.

    Of two with one name that in the home wins, then the shipped one, then an installed one.
    """

    def __init__(self, home: Path, shipped: Path, tokens: Path, interval: float = INTERVAL) -> None:
        sheet = tokens.read_text(encoding="utf-8")
        # What the desk itself has: its colours, and the names of all its variables.
        self.base: Colors = read_tokens(sheet, first_only=True)
        self.variables = variables(sheet)
        self._home, self._shipped, self.interval = home, shipped, interval
        self._lock = threading.Lock()
        self._looked = float("-inf")
        self._signature: object = None
        self._state: object = None
        self._packages: list[_Place] = []
        self._found: dict[str, Theme] = {}
        self._left_out: list[LeftOut] = []

    def __getitem__(self, name: str) -> Theme:
        return self._current()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    @property
    def left_out(self) -> list[LeftOut]:
        """Themes that were found and cannot be used."""
        self._current()
        return self._left_out

    def chain(self, name: str) -> list[Theme]:
        """The theme, the one that it extends, and so on; nothing when there is no theme of that name."""
        found, chain = self._current(), []
        theme = found.get(name)
        while theme is not None and theme not in chain:
            chain.append(theme)
            theme = found.get(theme.extends)
        return chain

    def looked(self) -> float:
        """When the folders were looked at, by the monotonic clock: now, unless that was less than ``interval`` ago."""
        self._current()
        return self._looked

    def look_again(self) -> None:
        """Forget what is known of the folders."""
        self._looked = float("-inf")

    def _current(self) -> dict[str, Theme]:
        if self._is_fresh():
            return self._found
        with self._lock:
            # Another thread may have looked while this one waited.
            if self._is_fresh():
                return self._found
            moment = time.monotonic()
            places = list(self._places())
            signature = [(place, _stamp(place.folder / FILE)) for place in places]
            if signature != self._signature:
                self._found, self._left_out = _usable(places, self.base)
                for one in self._left_out:
                    log.warning("The theme %s (%s) was left out: %s", one.name, one.folder, in_english(one.problem))
                self._signature = signature
            self._looked = moment
        return self._found

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._looked < self.interval

    def _places(self) -> Iterator[_Place]:
        yield from _below(self._home, HOME)
        yield from _below(self._shipped, SHIPPED)
        # Something was installed or removed when one of these folders has changed: the only sign that costs little.
        state = installed.state()
        if state != self._state:
            self._state = state
            self._packages = list(_installed())
        yield from self._packages


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size


def _below(folder: Path, origin: str) -> Iterator[_Place]:
    """The folders in ``folder`` with a theme.toml; what begins with a dot is being written."""
    try:
        entries = sorted(entry.name for entry in os.scandir(folder) if not entry.name.startswith("."))
    except OSError:
        return
    for name in entries:
        if os.path.lexists(folder / name / FILE):
            yield _Place(name, folder / name, origin)


def _installed() -> Iterator[_Place]:
    """Themes of installed packages; none of them is imported."""
    importlib.invalidate_caches()
    for entry in installed.entry_points(ENTRY_POINTS):
        folders = _folders(entry.value)
        places = [place for folder in folders for place in _in_package(entry.name, folder)]
        if places:
            yield from places
            continue
        dist = entry.dist.name if entry.dist is not None else entry.value
        problem = _l(
            "The package “%(package)s” of %(distribution)s holds no theme.toml; reinstall it, or tell its author.",
            package=entry.value,
            distribution=dist,
        )
        yield _Place(entry.name, Path(folders[0] if folders else entry.value), PACKAGE, problem)


def _in_package(name: str, folder: Path) -> Iterator[_Place]:
    """A package is a theme, under the name of its entry point, or it contains some."""
    if (folder / FILE).is_file():
        yield _Place(name, folder, PACKAGE)
    else:
        yield from _below(folder, PACKAGE)


def _folders(package: str) -> list[Path]:
    """Where a package lies. Only the finder of its top level is asked: asking for what is below would import it."""
    top, *below = package.partition(":")[0].strip().split(".")
    if not all(part.isidentifier() for part in (top, *below)):
        return []
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return []
    return [Path(place, *below) for place in (spec.submodule_search_locations or ()) if spec] if spec else []


# ---- which of them can be used


def _usable(places: Sequence[_Place], base: Colors) -> tuple[dict[str, Theme], list[LeftOut]]:
    themes: list[Theme] = []
    left_out: list[LeftOut] = []
    for place in places:
        try:
            if place.problem is not None:
                raise ThemeError(place.problem)
            themes.append(read(place.folder, place.name, place.origin, base))
        except ThemeError as error:
            left_out.append(LeftOut(place.name, str(place.folder), place.origin, error.sentence))
    while True:
        found = _first_of_each(themes)
        wrong = [(theme, sentence) for theme in found.values() if (sentence := _lineage_problem(theme, found))]
        if not wrong:
            break
        # Without these, others of the same name may be used, and those that extend them may not.
        for theme, sentence in wrong:
            themes.remove(theme)
            left_out.append(LeftOut(theme.name, str(theme.folder), theme.origin, sentence))
    left_out += [_taken(theme, found[theme.name]) for theme in themes if _is_in_the_way(theme, found[theme.name])]
    return found, left_out


def _first_of_each(themes: Iterable[Theme]) -> dict[str, Theme]:
    found: dict[str, Theme] = {}
    for theme in themes:
        found.setdefault(theme.name, theme)
    return found


def _lineage_problem(theme: Theme, found: Mapping[str, Theme]) -> Any:
    """Why the theme that it extends cannot be had, or None."""
    if theme.extends and theme.extends not in found:
        return _l(
            "It extends “%(name)s”, and there is no such theme that can be used; install that one, or leave "
            "“extends” out.",
            name=theme.extends,
        )
    names = [theme.name]
    parent = found.get(theme.extends)
    while parent is not None and parent.name not in names:
        names.append(parent.name)
        parent = found.get(parent.extends)
    if parent is not None and parent.name == theme.name:
        circle = " → ".join((*names, theme.name))
        return _l("These themes extend one another: %(circle)s; remove one “extends”.", circle=circle)
    return None


def _is_in_the_way(theme: Theme, winner: Theme) -> bool:
    """A home's theme may stand in for another; of two others of one name the second was not meant to be hidden."""
    return theme is not winner and winner.origin != HOME


def _taken(theme: Theme, winner: Theme) -> LeftOut:
    problem = _l("Another theme has the name already: %(folder)s; rename one of them.", folder=str(winner.folder))
    return LeftOut(theme.name, str(theme.folder), theme.origin, problem)


def find(themes: Themes, name: str) -> Theme:
    """The theme of that name. Raises :class:`ThemeError` with why there is none."""
    check_name(name)
    theme = themes.get(name)
    if theme is not None:
        return theme
    for one in themes.left_out:
        if one.name == name:
            raise ThemeError(_l("The theme “%(name)s” cannot be used: %(problem)s", name=name, problem=one.problem))
    known = ", ".join(sorted(themes))
    raise ThemeError(_l("There is no theme “%(name)s”; there are %(names)s.", name=name, names=known))
