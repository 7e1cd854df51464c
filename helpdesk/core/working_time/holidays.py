"""Public holidays of a country or a part of it, by the library `holidays`; they are computed once a year and place."""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from types import MappingProxyType

import holidays as library
from babel import Locale

# For years that no calendar knows nothing is asked.
_FIRST, _LAST = 1970, 2100
# Years that the library knows for good: by them it is told which countries announce anew each year.
_KNOWN = range(2015, 2025)


def countries() -> Mapping[str, tuple[str, ...]]:
    """The codes of all countries that the library knows, each with those of its parts."""
    return _countries()


def public_days(country: str, subdivision: str, year: int, language: str = "") -> Mapping[date, str]:
    """The public holidays of a year with their names, in ``language`` (a locale like ``zh_Hans``) where the library
    has it. None for a country or part that this version of the library does not know.
    """
    return _days(country, subdivision, year, _spoken(country, language) if language else None)[0]


def working_weekends(country: str, subdivision: str, year: int) -> frozenset[date]:
    """Days of weekends on which a country works, for days off elsewhere, as its government has announced them."""
    return _days(country, subdivision, year, None)[1]


def is_announced(country: str, subdivision: str, year: int) -> bool:
    """Whether the library has what is to be known of a year.

    It has not when it knows no holiday, but some of the year before, and when the country announces each year which
    weekends are worked in, as China does, and it knows none yet.
    """
    if not public_days(country, subdivision, year):
        return not public_days(country, subdivision, year - 1)
    announces = sum(bool(working_weekends(country, subdivision, known)) for known in _KNOWN) >= len(_KNOWN) - 1
    return not announces or bool(working_weekends(country, subdivision, year))


@lru_cache(maxsize=1)
def _countries() -> Mapping[str, tuple[str, ...]]:
    # Three letters are other spellings of those with two.
    known = library.list_supported_countries(include_aliases=False)
    return MappingProxyType({code: tuple(parts) for code, parts in sorted(known.items()) if len(code) == 2})


@lru_cache(maxsize=512)
def _days(
    country: str, subdivision: str, year: int, language: str | None
) -> tuple[Mapping[date, str], frozenset[date]]:
    if not _FIRST <= year <= _LAST:
        return {}, frozenset()
    try:
        found = library.country_holidays(
            country, subdiv=subdivision or None, years=year, language=language, expand=False
        )
    except (NotImplementedError, KeyError, ValueError):
        return {}, frozenset()
    worked = frozenset(day for day in found.weekend_workdays if day.year == year)
    return MappingProxyType(dict(sorted(found.items()))), worked


@lru_cache(maxsize=512)
def _spoken(country: str, language: str) -> str | None:
    """The library's code of the language that comes nearest to a locale; None: the country's own."""
    try:
        known = library.country_holidays(country).supported_languages
    except (NotImplementedError, KeyError):
        return None
    wanted = Locale.parse(language)
    territory = {"Hans": "CN", "Hant": "TW"}.get(wanted.script or "", wanted.territory or "")
    candidates = [f"{wanted.language}_{territory}", wanted.language]
    candidates += [code for code in known if code.partition("_")[0] == wanted.language]
    # Who reads none of the country's languages reads English sooner than any other.
    candidates += [code for code in known if code.startswith("en")]
    return next((code for code in candidates if code in known), None)
