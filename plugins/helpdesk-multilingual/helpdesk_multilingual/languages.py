"""Codes of languages: their names, their direction, and what is tried when one is missing."""

from collections.abc import Sequence

from helpdesk.api import default_locale, fallbacks, language_name, locales, text_direction
from helpdesk.api import tidy_language as tidy

__all__ = [
    "base",
    "chain",
    "choices",
    "direction",
    "html_lang",
    "known",
    "name_of",
    "own_name",
    "same",
    "tidy",
]

# What detection tells apart and forms offer, beside the languages of the screen.
COMMON = (
    "af ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko lo "
    "lt lv mk ml mn mr ms my nb ne nl pa pl pt pt_BR ro ru si sk sl sq sr sv sw ta te th tl tr uk ur uz vi "
    "zh_Hans zh_Hant"
).split()


def base(code: str | None) -> str:
    """The language without region and script: ``pt`` of ``pt_BR``."""
    return (code or "").replace("-", "_").partition("_")[0].lower()


def same(first: str | None, second: str | None) -> bool:
    """Whether somebody who reads one reads the other: the same language, Chinese in the same script."""
    if not first or not second or base(first) != base(second):
        return False
    return base(first) != "zh" or tidy(first) == tidy(second)


def chain(code: str | None) -> list[str]:
    """What is tried for ``code``, the best first: ``zh_TW``, ``zh_Hant``, ``zh``, then the desk's language."""
    return fallbacks(code)


def direction(code: str | None) -> str:
    """``rtl`` or ``ltr``: how a text in it runs."""
    return text_direction(code or "")


def html_lang(code: str | None) -> str:
    """The form that HTML wants: ``zh-Hans``; "" for none."""
    return (code or "").replace("_", "-")


def name_of(code: str | None) -> str:
    """What the language is called in the reader's language; the code itself where nobody knows it, "" for none."""
    return language_name(code)


def own_name(code: str | None) -> str:
    """What those who speak it call it, where the screen speaks it; else as :func:`name_of`."""
    return dict(locales()).get(code or "") or name_of(code)


def choices() -> Sequence[tuple[str, str]]:
    """Languages for a form, by their names in the reader's language; those of the screen are among them."""
    codes = dict.fromkeys([*COMMON, *(code for code, _own in locales())])
    return sorted(((code, name_of(code)) for code in codes), key=lambda one: one[1].casefold())


def known(code: str | None) -> bool:
    """Whether it is a language that can be chosen."""
    return bool(code) and tidy(code) == code


def desks() -> str:
    """The desk's own language."""
    return default_locale()
