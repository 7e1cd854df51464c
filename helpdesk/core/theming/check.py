"""What is wrong with a theme, and what could be better, in sentences."""

import difflib
import math
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _l

from helpdesk.core.theming.finding import Themes
from helpdesk.core.theming.loader import ThemeLoader, checked_source
from helpdesk.core.theming.palette import Faint, faint
from helpdesk.core.theming.sheet import palette, remarks
from helpdesk.core.theming.theme import Theme, ThemeError

# A theme with more files than this is looked through in part only.
_MOST = 300


@dataclass(frozen=True)
class Finding:
    """One remark. ``bad``: something of the theme is not used because of it."""

    bad: bool
    sentence: Any


def check(themes: Themes, theme: Theme) -> list[Finding]:
    """Everything to say of a theme; an empty list when all is well. Its templates are compiled, not run."""
    return [*_templates(theme), *_static(themes, theme), *_contrast(themes, theme)]


def _templates(theme: Theme) -> Iterator[Finding]:
    loader = current_app.jinja_loader
    if not isinstance(loader, ThemeLoader):
        return
    known = loader.list_templates()
    for name in _files(theme.templates):
        if not name.endswith((".html", ".txt")):
            continue
        try:
            checked_source(current_app.jinja_env, theme, name)
        except ThemeError as error:
            yield Finding(True, _in_place_of(name, error.sentence))
            continue
        close = difflib.get_close_matches(name, known, 1, cutoff=0.9)
        if name not in known and close:
            yield Finding(
                False,
                _l("templates/%(file)s replaces nothing; did you mean %(close)s?", file=name, close=close[0]),
            )
    for failure in loader.failures(theme.name):
        if failure.until != float("inf"):
            yield Finding(True, _in_place_of(failure.found.name, failure.problem))


def _in_place_of(name: str, problem: Any) -> Any:
    return _l(
        "templates/%(file)s cannot be used, and the desk's own takes its place. %(problem)s", file=name, problem=problem
    )


def _static(themes: Themes, theme: Theme) -> Iterator[Finding]:
    try:
        rules = theme.stylesheet()
    except ThemeError as error:
        yield Finding(True, error.sentence)
    else:
        yield from (Finding(False, sentence) for sentence in remarks(rules, themes.variables))
    for name in _files(theme.static):
        if theme.static_file(name) is None:
            yield Finding(
                True, _l("static/%(file)s leads out of the theme's folder, or is no file; it is not sent.", file=name)
            )


def _contrast(themes: Themes, theme: Theme) -> Iterator[Finding]:
    for one in faint(palette(themes, theme.name)):
        yield Finding(False, faint_sentence(one))


def faint_sentence(one: Faint) -> Any:
    """The figure, what is needed, and the nearest colour that passes."""
    words = {
        "key": f"colours.{one.mode}.{one.token}",
        "color": one.color,
        "ground": one.ground,
        "ground_color": one.ground_color,
        # Never rounded up to what it does not reach.
        "figure": f"{math.floor(one.contrast * 100) / 100:.2f}",
        "better": one.better,
    }
    if one.better is None:
        return _l(
            "%(key)s %(color)s has a contrast of %(figure)s on %(ground)s %(ground_color)s, and no colour would pass "
            "on all that it stands on; change these grounds.",
            **words,
        )
    if one.is_text:
        return _l(
            "%(key)s %(color)s has a contrast of %(figure)s on %(ground)s %(ground_color)s; text needs 4.5. "
            "The nearest colour that passes is %(better)s.",
            **words,
        )
    return _l(
        "%(key)s %(color)s has a contrast of %(figure)s on %(ground)s %(ground_color)s; an edge needs 3. "
        "The nearest colour that passes is %(better)s.",
        **words,
    )


def _files(folder: Path) -> Iterator[str]:
    """The files below a folder, by their path in it; links to folders are named, not followed."""
    count = 0
    for parent, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in sorted([*files, *links]):
            count += 1
            if count > _MOST:
                return
            if not name.startswith("."):
                yield (Path(parent) / name).relative_to(folder).as_posix()
