"""Writes the files of a new theme."""

import json
import os
import shutil
from pathlib import Path
from string import Template
from typing import Any

from flask_babel import lazy_gettext as _l

from helpdesk.core.theming.finding import Themes, find
from helpdesk.core.theming.sheet import palette
from helpdesk.core.theming.theme import ThemeError, check_name

_SCAFFOLD = Path(__file__).parent / "scaffold"


def make_theme(themes: Themes, home: Path, name: str, title: str = "", extends: str = "") -> Path:
    """Write a theme that works at once into ``home``; its colours are those of ``extends``, as comments.

    The folder appears whole or not at all. Raises :class:`ThemeError`.
    """
    check_name(name)
    if extends:
        find(themes, extends)
        if extends == name:
            sentence = _l(
                "There is a theme “%(name)s” already, and a theme cannot extend itself; choose another name.", name=name
            )
            raise ThemeError(sentence)
    title = title.strip() or name.replace("-", " ").replace("_", " ").capitalize()
    if len(title) > 60 or not title.isprintable():
        raise ThemeError(_l("A theme's title is text on one line, with 60 characters at most."))
    target, aside = home / name, home / f".{name}.{os.getpid()}"
    try:
        if os.path.lexists(target):
            raise ThemeError(_l("%(folder)s is there already; choose another name.", folder=str(target)))
        _write(aside, _words(themes, name, title, extends))
        # Two at once: the second finds a folder that is not empty.
        aside.rename(target)
    except OSError as error:
        raise ThemeError(
            _l("%(folder)s cannot be written (%(error)s).", folder=str(target), error=error.strerror or "")
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _words(themes: Themes, name: str, title: str, extends: str) -> dict[str, str]:
    colors = palette(themes, extends)
    tables = ["\n".join(f'# {token} = "{pair[mode]}"' for token, pair in colors.items()) for mode in (0, 1)]
    line = f"extends = {_quoted(extends)}" if extends else '# extends = "default"'
    return {"name": name, "title": _quoted(title), "extends": line, "light": tables[0], "dark": tables[1]}


def _quoted(text: Any) -> str:
    # What JSON writes for printable text is a string of TOML as well.
    return json.dumps(text, ensure_ascii=False)


def _write(folder: Path, words: dict[str, str]) -> None:
    for path in sorted(_SCAFFOLD.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            target = folder / path.relative_to(_SCAFFOLD)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(Template(path.read_text(encoding="utf-8")).substitute(words), encoding="utf-8")
