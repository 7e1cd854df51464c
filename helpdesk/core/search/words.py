"""Texts taken apart into words, the same for what is kept and for what is asked, and the same for both databases.

Letters are compared without case, width and accents (Unicode NFKC and case folding). Scripts that are written without
blanks - Chinese, Japanese, Korean, Thai and their neighbours - become overlapping pairs of characters, so that any two
that follow one another are found; the last character stands alone too, so that each begins a word. Everything else that
is neither letter nor digit parts words: an order number or an address is a row of words that follow one another.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

# Longer ones are cut: nobody types them, and PostgreSQL takes no more than 2 kB.
LONGEST = 64
# Of one text; what follows is not found. PostgreSQL tells no positions beyond 16,383 apart.
MOST = 16_000


def _marks() -> str:
    """What stands upon letters: no letter to ``\\w``, but part of the word."""
    ranges = (range(0x300, 0x1E00), range(0x20D0, 0x2100), range(0xA000, 0xAC00))
    return "".join(chr(code) for some in ranges for code in some if unicodedata.category(chr(code)) in ("Mn", "Mc"))


def _plain() -> dict[int, str]:
    """Latin, Greek and Cyrillic letters without what stands upon them."""
    found: dict[int, str] = {}
    for code in (*range(0xC0, 0x530), *range(0x1E00, 0x2000)):
        parts = unicodedata.normalize("NFD", chr(code))
        if len(parts) > 1 and (base := "".join(part for part in parts if not unicodedata.combining(part))):
            found[code] = base
    # In these the letter itself is another one.
    return found | {ord("đ"): "d", ord("ø"): "o", ord("ł"): "l", ord("ı"): "i"}


_PLAIN = _plain()
_ASCII = re.compile("[a-z0-9]+")
_WORD = re.compile(rf"[^\W_]+(?:[{_marks()}]+[^\W_]*)*")
# Written without blanks: kana, Han, Hangul; Thai, Lao, Burmese, Khmer.
_DENSE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3041-\u30ff"
    "\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff]+"
)


def plain(text: str) -> str:
    """``text`` as it is compared."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()).translate(_PLAIN)


def words_of(text: str) -> list[str]:
    """The words of a text in their order, as they are kept."""
    if text.isascii():
        # Most texts, in a tenth of the time.
        return [word[:LONGEST] for word in islice(_ASCII.findall(text.lower()), MOST)]
    found: list[str] = []
    for run, dense in _runs(plain(text)):
        if dense:
            found += [run[place : place + 2] for place in range(len(run))]
        else:
            found.append(run[:LONGEST])
        if len(found) >= MOST:
            return found[:MOST]
    return found


def words_asked(text: str) -> tuple[list[str], bool]:
    """The words that must follow one another where ``text`` stands, and whether the last is the beginning of one."""
    runs = list(_runs(plain(text)))
    found = words_of(text)
    if not runs or not runs[-1][1]:
        return found, False
    # The last character of such a run stands alone only at the end of one.
    return (found[:-1], False) if len(runs[-1][0]) > 1 else (found, True)


@dataclass(frozen=True)
class Place:
    """Where a word stands in a text, as it is compared."""

    word: str
    begin: int
    end: int


def places_of(text: str) -> list[Place]:
    """The words of a text as :func:`words_of` has them, with where they stand in it. For short texts."""
    found = []
    for match in _WORD.finditer(text):
        word, place = match[0], match.start()
        for dense in _DENSE.finditer(word):
            if dense.start() > place - match.start():
                found.append(_place(word[place - match.start() : dense.start()], place))
            run, first = dense[0], match.start() + dense.start()
            found += [_place(run[index : index + 2], first + index) for index in range(len(run))]
            place = match.start() + dense.end()
        if place < match.end():
            found.append(_place(word[place - match.start() :], place))
    return found


def _place(word: str, begin: int) -> Place:
    return Place(plain(word)[:LONGEST], begin, begin + len(word))


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """Runs of letters and digits, and whether they are of a script without blanks."""
    for match in _WORD.finditer(text):
        word, place = match[0], 0
        if word.isascii():
            yield word, False
            continue
        for dense in _DENSE.finditer(word):
            if dense.start() > place:
                yield word[place : dense.start()], False
            yield dense[0], True
            place = dense.end()
        if place < len(word):
            yield word[place:], False
