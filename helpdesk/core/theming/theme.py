"""One theme: what its theme.toml says, checked, and its files, none of them from outside its folder."""

import difflib
import re
import stat
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flask_babel import force_locale
from flask_babel import lazy_gettext as _l

from helpdesk.core import colors
from helpdesk.core.theming.palette import MODES, Colors, Pair

FILE = "theme.toml"
SHEET = "theme.css"
# Where a theme comes from.
HOME, SHIPPED, PACKAGE = "home", "shipped", "package"

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
_TEXTS: Mapping[str, int] = {"name": 40, "title": 60, "version": 40, "extends": 40, "description": 300, "author": 100}
_COLORS = "colours"
_BIGGEST_FILE = 64 * 1024
BIGGEST_SHEET = 256 * 1024
BIGGEST_TEMPLATE = 256 * 1024


class ThemeError(Exception):
    """A theme, or a file of it, cannot be used; the text is a sentence that says what to change."""

    def __init__(self, sentence: Any) -> None:
        super().__init__(sentence)
        # Put into words when it is shown: a theme is read once for readers of all languages.
        self.sentence = sentence

    def __str__(self) -> str:
        return str(self.sentence)


@dataclass(frozen=True)
class Theme:
    """One theme that can be used. ``colors`` are those that it sets itself: token to (light, dark), each may be ""."""

    name: str
    title: str
    version: str
    folder: Path
    origin: str = HOME
    extends: str = ""
    description: str = ""
    author: str = ""
    colors: Mapping[str, Pair] = field(default_factory=dict)

    @cached_property
    def templates(self) -> Path:
        return self.folder / "templates"

    @cached_property
    def static(self) -> Path:
        return self.folder / "static"

    def stylesheet(self) -> str:
        """Its own rules, without those of the theme that it extends. Raises :class:`ThemeError`."""
        return read_file(self.static, SHEET, BIGGEST_SHEET) if (self.static / SHEET).exists() else ""

    def static_file(self, name: str) -> Path | None:
        """The file of that name in static/, or None; nothing outside is ever answered."""
        try:
            return file_inside(self.static, name) if name else None
        except ThemeError:
            return None


def in_english(sentence: Any) -> str:
    """A sentence for the log, whoever reads the page that it is about."""
    with force_locale("en"):
        return str(sentence)


def check_name(name: str) -> None:
    """Raise :class:`ThemeError` unless ``name`` may become a folder."""
    if not _NAME.fullmatch(name):
        raise ThemeError(
            _l(
                "“%(name)s” cannot be a theme's name; use up to 40 small letters, digits, hyphens and underscores, "
                "a letter first.",
                name=name[:60],
            )
        )


def read(folder: Path, name: str, origin: str, base: Colors) -> Theme:
    """The theme in ``folder``. ``base`` has the colours that a theme may set. Raises :class:`ThemeError`."""
    check_name(name)
    try:
        about = tomllib.loads(read_file(folder, FILE, _BIGGEST_FILE))
    except tomllib.TOMLDecodeError as error:
        raise ThemeError(_l("theme.toml is not valid TOML: %(error)s.", error=str(error))) from error
    for key in about:
        if key not in _TEXTS and key != _COLORS:
            raise ThemeError(_unknown(key, (*_TEXTS, _COLORS)))
    texts = {key: _text(about, key, longest) for key, longest in _TEXTS.items()}
    if texts["name"] not in ("", name):
        raise ThemeError(
            _l(
                "theme.toml has the name “%(other)s” and its folder “%(name)s”; make them the same.",
                other=texts["name"],
                name=name,
            )
        )
    if texts["extends"]:
        check_name(texts["extends"])
    texts["name"], texts["title"] = name, texts["title"] or name
    return Theme(**texts, folder=folder, origin=origin, colors=_colors(about.get(_COLORS, {}), base))


def _text(about: Mapping[str, Any], key: str, longest: int) -> str:
    text = about.get(key, "")
    if not isinstance(text, str) or len(text) > longest or not text.isprintable():
        raise ThemeError(
            _l(
                "“%(key)s” in theme.toml must be text on one line, with %(number)s characters at most.",
                key=key,
                number=longest,
            )
        )
    return text.strip()


def _colors(table: Any, base: Colors) -> dict[str, Pair]:
    if not isinstance(table, dict):
        raise ThemeError(_l("“colours” in theme.toml must be the tables [colours.light] and [colours.dark]."))
    found: dict[str, list[str]] = {}
    for mode, tokens in table.items():
        if mode not in MODES:
            raise ThemeError(_unknown(f"{_COLORS}.{mode}", [f"{_COLORS}.{one}" for one in MODES]))
        if not isinstance(tokens, dict):
            raise ThemeError(_l("“colours” in theme.toml must be the tables [colours.light] and [colours.dark]."))
        for token, value in tokens.items():
            if token not in base:
                raise ThemeError(_unknown(f"{_COLORS}.{mode}.{token}", [f"{_COLORS}.{mode}.{one}" for one in base]))
            color = colors.as_hex(value) if isinstance(value, str) else None
            if color is None:
                raise ThemeError(
                    _l(
                        "%(key)s in theme.toml is no colour (%(value)s); write it as #rrggbb.",
                        key=f"{_COLORS}.{mode}.{token}",
                        value=str(value)[:40],
                    )
                )
            found.setdefault(token, ["", ""])[MODES.index(mode)] = color
    return {token: (light, dark) for token, (light, dark) in found.items()}


def _unknown(key: str, known: Iterable[str]) -> Any:
    close = difflib.get_close_matches(key, list(known), 1)
    if close:
        return _l("theme.toml has no “%(key)s”; did you mean “%(close)s”?", key=key[:60], close=close[0])
    return _l("theme.toml has no “%(key)s”; leave it out.", key=key[:60])


# ---- files


def read_file(folder: Path, name: str, biggest: int) -> str:
    """The text of a file in ``folder``. Raises :class:`ThemeError`."""
    path = file_inside(folder, name)
    try:
        if path.stat().st_size > biggest:
            raise ThemeError(
                _l("%(file)s is too big; %(number)s KB are enough for it.", file=path.name, number=biggest // 1024)
            )
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ThemeError(_l("%(file)s is not UTF-8; save it in that encoding.", file=path.name)) from error
    except OSError as error:
        raise ThemeError(_cannot(path.name, error)) from error


def file_inside(folder: Path, name: str) -> Path:
    """The ordinary file ``name`` in ``folder``. Raises :class:`ThemeError` when there is none, or it leads outside."""
    try:
        path = (folder / name).resolve(strict=True)
        if not path.is_relative_to(folder.resolve()):
            raise ThemeError(_l("%(file)s leads out of the theme's folder; put the file itself there.", file=name))
        if not stat.S_ISREG(path.stat().st_mode):
            raise ThemeError(_l("%(file)s is not a file.", file=name))
    except OSError as error:
        raise ThemeError(_cannot(name, error)) from error
    except (ValueError, RuntimeError) as error:
        # A zero byte in the name; links in a circle.
        raise ThemeError(_l("%(file)s is not a file.", file=name.replace("\0", "?"))) from error
    return path


def _cannot(name: str, error: OSError) -> Any:
    return _l("%(file)s cannot be read (%(error)s).", file=name, error=error.strerror or type(error).__name__)
