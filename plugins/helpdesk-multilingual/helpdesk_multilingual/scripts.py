"""In which script a text is written: what that alone says of its language, and which languages are possible."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from helpdesk_multilingual.han import traditional_share

_LATIN, _CYRILLIC, _ARABIC, _HAN, _KANA, _HANGUL = "latin", "cyrillic", "arabic", "han", "kana", "hangul"
_SCRIPTS: Mapping[str, re.Pattern[str]] = {
    _LATIN: re.compile("[A-Za-z\u00aa\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]"),
    _CYRILLIC: re.compile("[\u0400-\u052f]"),
    _ARABIC: re.compile("[\u0620-\u064a\u066e-\u06d3\u06ee-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]"),
    _HAN: re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"),
    _KANA: re.compile("[\u3041-\u3096\u30a1-\u30fa\u30fc\uff66-\uff9d]"),
    _HANGUL: re.compile("[\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3]"),
    "greek": re.compile("[\u0370-\u03ff\u1f00-\u1fff]"),
    "hebrew": re.compile("[\u05d0-\u05ea]"),
    "thai": re.compile("[\u0e01-\u0e4e]"),
    "devanagari": re.compile("[\u0900-\u097f]"),
    "armenian": re.compile("[\u0531-\u058f]"),
    "georgian": re.compile("[\u10a0-\u10ff]"),
    "bengali": re.compile("[\u0980-\u09ff]"),
    "punjabi": re.compile("[\u0a00-\u0a7f]"),
    "gujarati": re.compile("[\u0a80-\u0aff]"),
    "tamil": re.compile("[\u0b80-\u0bff]"),
    "telugu": re.compile("[\u0c00-\u0c7f]"),
    "kannada": re.compile("[\u0c80-\u0cff]"),
    "malayalam": re.compile("[\u0d00-\u0d7f]"),
    "sinhala": re.compile("[\u0d80-\u0dff]"),
    "lao": re.compile("[\u0e80-\u0eff]"),
    "burmese": re.compile("[\u1000-\u109f]"),
    "khmer": re.compile("[\u1780-\u17ff]"),
}
# Scripts that one language is written in, as far as customers go.
_ALONE: Mapping[str, str] = {
    _HANGUL: "ko",
    "greek": "el",
    "hebrew": "he",
    "thai": "th",
    "armenian": "hy",
    "georgian": "ka",
    "bengali": "bn",
    "tamil": "ta",
    "telugu": "te",
    "gujarati": "gu",
    "kannada": "kn",
    "malayalam": "ml",
    "punjabi": "pa",
    "sinhala": "si",
    "khmer": "km",
    "lao": "lo",
    "burmese": "my",
}
# Which languages a script leaves: the model chooses among these.
_POSSIBLE: Mapping[str, frozenset[str]] = {
    _CYRILLIC: frozenset("ru uk be bg sr mk kk ky mn tg tt".split()),
    _ARABIC: frozenset("ar fa ur ps ug sd ckb".split()),
    "devanagari": frozenset("hi mr ne".split()),
    _LATIN: frozenset(
        "en es fr de it pt nl pl sv tr da nb no fi is cs sk sl hr bs sr hu ro et lv lt ca eu gl cy ga mt sq az uz id "
        "ms tl vi sw af lb eo la".split()
    ),
}
# Letters that only some of those languages have.
_LETTERS: Sequence[tuple[str, re.Pattern[str], frozenset[str]]] = (
    (_CYRILLIC, re.compile("[іїєґІЇЄҐ]"), frozenset(("uk", "be", "kk"))),
    (_CYRILLIC, re.compile("[їєґЇЄҐ]"), frozenset(("uk",))),
    (_CYRILLIC, re.compile("[ўЎ]"), frozenset(("be",))),
    (_CYRILLIC, re.compile("[ыэёЫЭЁ]"), frozenset(("ru", "be", "kk", "ky", "mn", "tg", "tt"))),
    (_CYRILLIC, re.compile("[ђјљњћџЂЈЉЊЋЏ]"), frozenset(("sr", "mk"))),
    (_CYRILLIC, re.compile("[әғқңұһӘҒҚҢҰҺ]"), frozenset(("kk", "tt"))),
    (_ARABIC, re.compile("[پچژگک]"), frozenset(("fa", "ur", "ps", "ug", "sd", "ckb"))),
    (_ARABIC, re.compile("[ٹڈڑںے]"), frozenset(("ur",))),
    (_ARABIC, re.compile("[ةىأإ]"), frozenset(("ar",))),
    (_LATIN, re.compile("[ğışİĞŞ]"), frozenset(("tr", "az"))),
    (_LATIN, re.compile("[ß]"), frozenset(("de",))),
    (_LATIN, re.compile("[ñ¿¡Ñ]"), frozenset(("es", "gl", "eu", "tl"))),
    (_LATIN, re.compile("[ãõÃÕ]"), frozenset(("pt", "gl", "et", "vi"))),
    (_LATIN, re.compile("[ąęłżźśćńĄĘŁŻŹŚĆŃ]"), frozenset(("pl", "lt", "hr", "bs", "sr", "sl"))),
    (_LATIN, re.compile("[łŁ]"), frozenset(("pl",))),
    (_LATIN, re.compile("[åÅ]"), frozenset(("sv", "da", "nb", "no", "fi"))),
    (_LATIN, re.compile("[æøÆØ]"), frozenset(("da", "nb", "no", "is"))),
)


def counts(text: str) -> dict[str, int]:
    """How many letters of each script there are."""
    found: dict[str, int] = {}
    for letter, number in Counter(text).items():
        if name := _script_of(letter):
            found[name] = found.get(name, 0) + number
    return found


def language_of(text: str, letters: Mapping[str, int]) -> tuple[str | None, frozenset[str] | None]:
    """What the scripts say: the language, or those that are possible (None: any)."""
    main = max(letters, key=lambda name: letters[name])
    # Japanese is written in both; a name in Chinese characters makes nothing Chinese of it.
    if letters.get(_KANA, 0) and letters.get(_KANA, 0) * 8 >= letters.get(_HAN, 0) and main in (_KANA, _HAN):
        return "ja", None
    if main in (_HAN, _KANA):
        return ("zh_Hant" if traditional_share(text) > 0.5 else "zh_Hans") if main == _HAN else "ja", None
    if main in _ALONE:
        return _ALONE[main], None
    possible = _POSSIBLE.get(main)
    return None, _narrowed(text, main, possible) if possible is not None else None


@lru_cache(maxsize=20_000)
def _script_of(letter: str) -> str:
    return next((name for name, pattern in _SCRIPTS.items() if pattern.match(letter)), "")


def _narrowed(text: str, script: str, possible: frozenset[str]) -> frozenset[str]:
    """The languages that have all these letters; letters that fit nothing together are foreign names."""
    for name, pattern, those in _LETTERS:
        if name == script and pattern.search(text) and possible & those:
            possible &= those
    return possible
