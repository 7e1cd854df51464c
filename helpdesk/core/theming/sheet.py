"""What a theme adds to the desk's style sheets: its colours as variables, then its own rules."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from helpdesk.core.theming.finding import Themes
from helpdesk.core.theming.palette import VARIABLE, Colors, Pair, read_tokens
from helpdesk.core.theming.theme import SHEET, Theme, ThemeError

# A comment, a text in quotes, or a brace: read from left to right, as a browser does.
_PIECE = re.compile(r"/\*.*?(?:\*/|\Z)|\"(?:\\.|[^\"\\\n])*\"?|'(?:\\.|[^'\\\n])*'?|[{}]", re.DOTALL)
_URL = re.compile(r"url\(\s*[\"']?\s*([^\"')]*)", re.IGNORECASE)
_ELSEWHERE = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//|^https?:", re.IGNORECASE)
_IMPORT = re.compile(r"@import\b", re.IGNORECASE)
_PHYSICAL = re.compile(r"(?<![-\w])((?:margin|padding|border)-(?:left|right)|left|right)\s*:", re.IGNORECASE)


@dataclass(frozen=True)
class Level:
    """What one theme of a chain adds."""

    theme: Theme
    colors: Colors
    rules: str


def levels(themes: Themes, name: str) -> Iterator[Level]:
    """What each theme of the chain adds, the one that is extended first. A sheet that cannot be read adds nothing."""
    so_far = dict(themes.base)
    for theme in reversed(themes.chain(name)):
        own: dict[str, Pair] = {}
        for token, (light, dark) in theme.colors.items():
            own[token] = light or so_far[token][0], dark or so_far[token][1]
        try:
            rules = theme.stylesheet()
        except ThemeError:
            rules = ""
        so_far |= own | read_tokens(rules)
        yield Level(theme, own, rules)


def palette(themes: Themes, name: str) -> dict[str, Pair]:
    """Every colour of the desk as it is with a theme."""
    found = dict(themes.base)
    for level in levels(themes, name):
        found |= dict(level.colors) | {
            token: pair for token, pair in read_tokens(level.rules).items() if token in themes.base
        }
    return found


def stylesheet(themes: Themes, name: str) -> str:
    """The rules of a theme and of those that it extends; empty for the desk's own look."""
    parts = []
    for level in levels(themes, name):
        if level.colors:
            lines = "".join(f"  --hd-{token}: {_value(pair)};\n" for token, pair in level.colors.items())
            parts.append(f":root {{\n{lines}}}\n")
        if level.rules:
            parts.append(closed(level.rules))
    return "".join(parts)


def _value(pair: Pair) -> str:
    return pair[0] if pair[0] == pair[1] else f"light-dark({pair[0]}, {pair[1]})"


def closed(rules: str) -> str:
    """Rules whose open comments and blocks are closed, so that what follows them counts."""
    return f"{rules}{_missing(rules)}\n"


def _missing(rules: str) -> str:
    """What closes the comment and the blocks that are open at the end."""
    depth, end = 0, ""
    for piece in _PIECE.findall(rules):
        if piece == "{":
            depth += 1
        elif piece == "}":
            depth = max(depth - 1, 0)
        elif piece.startswith("/*") and (len(piece) < 4 or not piece.endswith("*/")):
            end = "*/"
    return end + "}" * depth


def _bare(rules: str, strings: bool) -> str:
    """Rules without comments, and without what is in quotes unless ``strings``."""

    def shown(found: re.Match[str]) -> str:
        piece = found[0]
        if piece.startswith("/*"):
            return " "
        return piece if strings or piece in "{}" else "''"

    return _PIECE.sub(shown, rules)


def remarks(rules: str, known: frozenset[str]) -> Iterator[Any]:
    """What in a theme's rules will not do what its author thinks, as sentences. ``known``: the desk's variables."""
    bare = _bare(rules, strings=True)
    if _IMPORT.search(bare):
        yield _l("%(file)s has an @import, which does not work there; put those rules into the file.", file=SHEET)
    for address in dict.fromkeys(_URL.findall(bare)):
        if _ELSEWHERE.match(address.strip()):
            yield _l(
                "%(file)s loads %(address)s from another host, which the desk refuses; put the file into static/.",
                file=SHEET,
                address=address.strip()[:80],
            )
    if "</style" in bare.lower():
        yield _l("%(file)s holds “%(text)s”; it is a style sheet, not a page.", file=SHEET, text="</style")
    if _missing(rules):
        yield _l("%(file)s ends inside a block or a comment; close it.", file=SHEET)
    # Without what all have in common, which would make any two names alike.
    tokens = {variable.removeprefix("--hd-") for variable in known}
    for variable in dict.fromkeys(VARIABLE.findall(bare)):
        close = difflib.get_close_matches(variable.removeprefix("--hd-"), tokens, 1, cutoff=0.8)
        if variable not in known and close:
            yield _l(
                "%(file)s sets %(name)s, which the desk does not have; did you mean %(close)s?",
                file=SHEET,
                name=variable,
                close=f"--hd-{close[0]}",
            )
    for side in dict.fromkeys(_PHYSICAL.findall(_bare(rules, strings=False))):
        yield _l(
            "%(file)s uses “%(name)s”, which is wrong for languages from right to left; use the logical property.",
            file=SHEET,
            name=side,
        )
