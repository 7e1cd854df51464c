"""The desk's colour tokens: their names, what they are without a theme, and which must stand out from which."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from helpdesk.core import colors

Pair = tuple[str, str]
Colors = Mapping[str, Pair]
MODES = ("light", "dark")

_ROOT = re.compile(r":root\s*\{([^{}]*)\}")
_TOKEN = re.compile(
    r"--hd-([a-z0-9-]+)\s*:\s*(?:light-dark\(\s*(#[0-9a-fA-F]+)\s*,\s*(#[0-9a-fA-F]+)\s*\)|(#[0-9a-fA-F]+))\s*(?:;|$)"
)
VARIABLE = re.compile(r"(--hd-[a-z0-9-]+)\s*:")
COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.DOTALL)

# Text, and the grounds it is read on.
_TEXT: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("ink", "ink-2", "ink-3"), ("canvas", "surface", "sunken", "raised", "hover", "agent", "note", "accent-tint")
    ),
    "accent": ("canvas", "surface", "raised", "hover", "agent", "accent-tint"),
    "accent-strong": ("canvas", "surface", "raised"),
    "accent-ink": ("accent", "accent-strong"),
    "note-ink": ("note",),
    "note-fill-ink": ("note-fill",),
    **{name: ("canvas", "surface", f"{name}-tint") for name in ("blue", "orange", "violet", "green", "amber", "red")},
    "grey": ("canvas", "surface", "grey-tint"),
    "brand": ("canvas", "surface", "brand-tint"),
    "brand-ink": ("brand",),
    "spine-ink": ("spine",),
    "spine-on": ("spine", "spine-tint"),
    "surface": ("ink",),
    "toast-act": ("ink",),
}
# The edge of what can be operated, and the mark of what has the keyboard.
_EDGES: Mapping[str, tuple[str, ...]] = {
    "line-firm": ("canvas", "surface", "raised"),
    "focus": ("canvas", "surface", "raised"),
    "spine-mark": ("spine",),
}


@dataclass(frozen=True)
class Faint:
    """A colour that does not stand out enough from one of its grounds."""

    token: str
    color: str
    ground: str
    ground_color: str
    # "light" or "dark".
    mode: str
    contrast: float
    wanted: float
    # The nearest colour that would pass on all its grounds, if there is one.
    better: str | None

    @property
    def is_text(self) -> bool:
        return self.wanted == colors.READABLE


def read_tokens(sheet: str, first_only: bool = False) -> dict[str, Pair]:
    """The colours that ``:root { --hd-...: }`` blocks of a style sheet set, as (light, dark)."""
    found: dict[str, Pair] = {}
    for number, block in enumerate(_ROOT.findall(COMMENT.sub(" ", sheet))):
        if number and first_only:
            break
        for name, light, dark, both in _TOKEN.findall(block):
            pair = colors.as_hex(light or both), colors.as_hex(dark or both)
            if pair[0] and pair[1]:
                found[name] = pair[0], pair[1]
    return found


def variables(sheet: str) -> frozenset[str]:
    """The names of all variables of the desk that a style sheet sets (``--hd-...``)."""
    return frozenset(VARIABLE.findall(COMMENT.sub(" ", sheet)))


def faint(palette: Colors) -> Iterator[Faint]:
    """What cannot be read or seen well enough in a palette; each token once a mode, on its worst ground."""
    for pairs, wanted in ((_TEXT, colors.READABLE), (_EDGES, colors.VISIBLE)):
        for token, grounds in pairs.items():
            for mode, name in enumerate(MODES):
                color = palette[token][mode]
                on = {ground: palette[ground][mode] for ground in grounds}
                worst = min(on, key=lambda ground, color=color, on=on: colors.contrast(color, on[ground]))  # type: ignore[misc]
                figure = colors.contrast(color, on[worst])
                if figure < wanted:
                    better = colors.nearest(color, tuple(on.values()), wanted)
                    yield Faint(token, color, worst, on[worst], name, figure, wanted, better)
