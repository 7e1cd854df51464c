"""Colours as numbers: how they contrast, how they mix, and the nearest that can be read.

Contrast is that of WCAG 2.2: success criterion 1.4.3 asks 4.5 for text, 1.4.11 asks 3 for edges.
"""

import re
from collections.abc import Sequence

READABLE = 4.5
VISIBLE = 3.0
_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")

Rgb = tuple[int, int, int]


def as_hex(text: str) -> str | None:
    """``text`` as ``#rrggbb`` in small letters when it is a colour (``#rgb`` or ``#rrggbb``), else None."""
    if not _HEX.fullmatch(text):
        return None
    digits = text[1:].lower()
    return f"#{digits}" if len(digits) == 6 else "#" + "".join(digit * 2 for digit in digits)


def contrast(one: str, other: str) -> float:
    """The contrast between two colours (``#rrggbb``), from 1 to 21."""
    first, second = sorted((_luminance(to_rgb(one)), _luminance(to_rgb(other))), reverse=True)
    return (first + 0.05) / (second + 0.05)


def readable_on(color: str, ground: str, against: str) -> str:
    """``color``, moved towards ``against`` as little as is needed to be read on ``ground``."""
    for step in range(0, 101, 2):
        candidate = mix(color, against, step / 100)
        if contrast(candidate, ground) >= READABLE:
            return candidate
    return against


def nearest(color: str, grounds: Sequence[str], wanted: float) -> str | None:
    """The colour nearest to ``color``, darker or lighter, that has the contrast ``wanted`` on all ``grounds``."""
    for step in range(0, 101):
        for against in ("#000000", "#ffffff"):
            candidate = mix(color, against, step / 100)
            if all(contrast(candidate, ground) >= wanted for ground in grounds):
                return candidate
    return None


def mix(color: str, other: str, share: float) -> str:
    """``share`` (0 to 1) of ``other`` in ``color``."""
    return from_rgb(tuple(round(a + (b - a) * share) for a, b in zip(to_rgb(color), to_rgb(other), strict=True)))  # type: ignore[arg-type]


def to_rgb(color: str) -> Rgb:
    """Red, green and blue of ``#rrggbb``, each from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def from_rgb(rgb: Rgb) -> str:
    """``#rrggbb`` of red, green and blue."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _luminance(rgb: Rgb) -> float:
    red, green, blue = (
        (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4) for part in (v / 255 for v in rgb)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
