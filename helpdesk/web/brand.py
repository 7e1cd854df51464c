"""The owner's colour, made readable: its ink, its tint and its counterpart on dark ground.

Contrast is that of WCAG 2.2 (relative luminance, success criterion 1.4.3: 4.5:1 for text).
"""

import colorsys
import re

READABLE = 4.5
_LIGHT_GROUND = "#f6f5f1"
_DARK_GROUND = "#22282d"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")

Rgb = tuple[int, int, int]


def contrast(one: str, other: str) -> float:
    """The contrast between two colours (``#rrggbb``), from 1 to 21."""
    first, second = sorted((_luminance(_rgb(one)), _luminance(_rgb(other))), reverse=True)
    return (first + 0.05) / (second + 0.05)


def readable_on(color: str, ground: str, against: str) -> str:
    """``color``, moved towards ``against`` as little as is needed to be read on ``ground``."""
    for step in range(0, 101, 2):
        candidate = mix(color, against, step / 100)
        if contrast(candidate, ground) >= READABLE:
            return candidate
    return against


def mix(color: str, other: str, share: float) -> str:
    """``share`` (0 to 1) of ``other`` in ``color``."""
    return _hex(tuple(round(a + (b - a) * share) for a, b in zip(_rgb(color), _rgb(other), strict=True)))  # type: ignore[arg-type]


def stylesheet(color: str) -> str:
    """The CSS variables for the owner's ``color`` (``#rrggbb``), light and dark. Anything else gives no rules."""
    if not _HEX.fullmatch(color):
        return ""
    color = color.lower()
    tint, dark_tint = mix(color, "#ffffff", 0.9), mix(color, "#1a1f23", 0.86)
    light = readable_on(readable_on(color, _LIGHT_GROUND, "#000000"), tint, "#000000")
    dark = readable_on(readable_on(_bright(color), _DARK_GROUND, "#ffffff"), dark_tint, "#ffffff")
    light_ink = "#ffffff" if contrast("#ffffff", light) >= READABLE else "#000000"
    dark_ink = readable_on(mix(color, "#000000", 0.7), dark, "#000000")
    return (
        ":root {\n"
        f"  --hd-brand: light-dark({light}, {dark});\n"
        f"  --hd-brand-ink: light-dark({light_ink}, {dark_ink});\n"
        f"  --hd-brand-tint: light-dark({tint}, {dark_tint});\n"
        "}\n"
    )


def _bright(color: str) -> str:
    """The same hue as it is on dark ground: lighter, a little less saturated."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _rgb(color)))
    red, green, blue = colorsys.hls_to_rgb(hue, max(lightness, 0.66), saturation * 0.75)
    return _hex((round(red * 255), round(green * 255), round(blue * 255)))


def _rgb(color: str) -> Rgb:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _hex(rgb: Rgb) -> str:
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def _luminance(rgb: Rgb) -> float:
    red, green, blue = (
        (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4) for part in (v / 255 for v in rgb)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
