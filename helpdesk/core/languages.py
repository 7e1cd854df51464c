"""Codes of languages that customers may speak, whether or not the screen speaks them."""

from collections.abc import Sequence
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from flask_babel import get_locale

# What a form offers. Any other code that Babel knows may be kept all the same.
COMMON = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko lo "
    "lt lv mk ml mn mr ms my nb ne nl pa pl pt pt_BR ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi "
    "zh_Hans zh_Hant"
).split()
LENGTH = 20
_TRADITIONAL = ("TW", "HK", "MO")


def tidy(code: str | None) -> str | None:
    """``code`` in the desk's form (``zh-cn`` becomes ``zh_Hans``, ``pt-br`` ``pt_BR``); None for no language."""
    if not code or len(code) > LENGTH:
        return None
    try:
        locale = Locale.parse(code.strip().replace("-", "_"))
    except (ValueError, UnknownLocaleError, TypeError):
        return None
    if locale.language == "zh":
        return "zh_Hant" if locale.script == "Hant" or locale.territory in _TRADITIONAL else "zh_Hans"
    return str(locale)


def base(code: str | None) -> str:
    """The language without region and script: ``pt`` of ``pt_BR``."""
    return (code or "").replace("-", "_").partition("_")[0].lower()


def chain(code: str | None) -> list[str]:
    """What is tried for ``code``, the nearest first: ``zh_TW``, ``zh_Hant``, ``zh``."""
    if not code:
        return []
    code = code.replace("-", "_")
    return list(dict.fromkeys((code, tidy(code) or code, base(code))))


def name_of(code: str | None) -> str:
    """What a language is called in the reader's language; the code itself where nobody knows it, "" for none."""
    return _name(code or "", str(get_locale() or "en"))


def choices(more: Sequence[str] = ()) -> list[tuple[str, str]]:
    """Languages for a form, by their names in the reader's language; ``more`` are codes beside the common ones."""
    codes = dict.fromkeys([*COMMON, *more])
    return sorted(((code, name_of(code)) for code in codes), key=lambda one: one[1].casefold())


@lru_cache(maxsize=4096)
def _name(code: str, reader: str) -> str:
    try:
        name = Locale.parse(code.replace("-", "_")).get_display_name(Locale.parse(reader))
    except (ValueError, UnknownLocaleError, TypeError):
        return code
    return str(name or code)
