"""Texts as databases take them and people type them."""

from helpdesk.api import Invalid
from helpdesk.api import gettext as _


def storable(text: str) -> str:
    """Text without NUL and halves of characters, its lines ended alike."""
    clean = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return clean.replace("\r\n", "\n").strip()


def line(text: str, field: str, most: int) -> str:
    """One line of at most so many characters. Raises :class:`Invalid` naming ``field``."""
    if text.isascii() and text.isprintable() and "  " not in text and len(text) <= most:
        return text.strip()
    return _short(" ".join(storable(text).split()), field, most)


def block(text: str, field: str, most: int) -> str:
    """Several lines of at most so many characters. Raises :class:`Invalid` naming ``field``."""
    return _short(storable(text), field, most)


def _short(clean: str, field: str, most: int) -> str:
    if len(clean) > most:
        raise Invalid(field, _("This is too long; %(number)s characters fit.", number=most))
    return clean
