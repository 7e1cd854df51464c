"""The owner's colour, made readable: its ink, its tint and its counterpart on dark ground."""

import colorsys
import re

from helpdesk.core.colors import READABLE, contrast, from_rgb, mix, readable_on, to_rgb

_LIGHT_GROUND = "#f6f5f1"
_DARK_GROUND = "#22282d"
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


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
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in to_rgb(color)))
    red, green, blue = colorsys.hls_to_rgb(hue, max(lightness, 0.66), saturation * 0.75)
    return from_rgb((round(red * 255), round(green * 255), round(blue * 255)))
