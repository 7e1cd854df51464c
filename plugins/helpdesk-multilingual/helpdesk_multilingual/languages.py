"""Codes of languages: their names, their direction, and what is tried when one is missing."""

from collections.abc import Sequence
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from flask_babel import get_locale

from helpdesk.api import locales

RIGHT_TO_LEFT = {"ar", "fa", "he", "ur", "yi", "ps", "sd", "ug", "ckb", "dv"}
_HANT = ("TW", "HK", "MO")
# What detection and people can name, beside the languages of the screen.
COMMON = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko lo "
    "lt lv mk ml mn mr ms my nb ne nl pa pl pt pt_BR ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi "
    "zh_Hans zh_Hant"
).split()


def tidy(code: str | None) -> str | None:
    """``code`` in the desk's form (``zh-cn`` becomes ``zh_Hans``, ``pt-br`` ``pt_BR``), or None for no language."""
    if not code or len(code) > 20:
        return None
    try:
        locale = Locale.parse(code.strip().replace("-", "_"))
    except (ValueError, UnknownLocaleError, TypeError):
        return None
    if locale.language == "zh":
        return "zh_Hant" if locale.script == "Hant" or locale.territory in _HANT else "zh_Hans"
    return str(locale)


def base(code: str | None) -> str:
    """The language without region and script: ``pt`` of ``pt_BR``."""
    return (code or "").replace("-", "_").partition("_")[0].lower()


def same(first: str | None, second: str | None) -> bool:
    """Whether somebody who reads one reads the other: the same language, in the same script."""
    if not first or not second:
        return False
    if base(first) != base(second):
        return False
    return base(first) != "zh" or (tidy(first) or first) == (tidy(second) or second)


def chain(code: str | None) -> list[str]:
    """What is tried for ``code``, the best first: ``zh_TW``, ``zh_Hant``, ``zh``."""
    if not code:
        return []
    code = code.replace("-", "_")
    found = [code, tidy(code) or code, base(code)]
    return list(dict.fromkeys(found))


def direction(code: str | None) -> str:
    """``rtl`` or ``ltr``: how a text in it runs."""
    return "rtl" if base(code) in RIGHT_TO_LEFT else "ltr"


def html_lang(code: str | None) -> str:
    """The form that HTML wants: ``zh-Hans``; "" for none."""
    return (code or "").replace("_", "-")


def name_of(code: str | None) -> str:
    """What the language is called in the reader's language; the code itself where nobody knows it, "" for none."""
    return _name(code or "", str(get_locale() or "en"))


def own_name(code: str | None) -> str:
    """What the language is called by those who speak it."""
    return _name(code or "", code or "")


def choices() -> Sequence[tuple[str, str]]:
    """Languages for a form, by their names in the reader's language; those of the screen are among them."""
    codes = dict.fromkeys([*COMMON, *(code for code, _own in locales())])
    return sorted(((code, name_of(code)) for code in codes), key=lambda one: one[1].casefold())


def known(code: str | None) -> bool:
    """Whether it is a language that can be chosen."""
    return bool(code) and tidy(code) == code


@lru_cache(maxsize=4096)
def _name(code: str, reader: str) -> str:
    try:
        locale = Locale.parse(code.replace("-", "_"))
        return locale.get_display_name(Locale.parse(reader)) or code
    except (ValueError, UnknownLocaleError, TypeError):
        return code
