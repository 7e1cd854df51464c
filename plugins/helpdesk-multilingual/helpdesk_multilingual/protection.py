"""What no engine may change: numbers, links, addresses, code, placeholders and words of the glossary.

Each is replaced by a mark before the text leaves, and put back afterwards; what an engine lost is said.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from helpdesk_multilingual.glossary import KnownTerm


# Codes of sentences about a translation; ``warnings.py`` has the words.
LOST, TWICE, ADDED, CUT = "lost", "twice", "added", "cut"
Warning = list[str]
_MARK = re.compile(r"[\[［]\s?#\s?(\d{1,4})\s?#\s?[\]］]")
_KEPT = re.compile(
    r"""
    ```.*?```                                                # code
    | `[^`\n]{1,200}`
    | \{\{[^{}\n]{1,200}\}\} | %\(\w{1,60}\)[sd] | \{\w{0,60}\}        # placeholders
    | (?:https?://|www\.)[^\s<>"']+[^\s<>"'.,;:!?)\]]        # links
    | [\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}        # addresses
    | [\[［]\s?\#\s?\d{1,4}\s?\#\s?[\]］]                     # what looks like a mark already
    | [\#№]?[A-Za-z0-9]{0,20}(?:[A-Z]{1,6}-)?\d(?:[\w.,:/'-]{0,40}\w)?  # numbers, dates, prices, order numbers
    """,
    re.VERBOSE | re.DOTALL,
)
# Thai, Lao, Burmese, Khmer, Japanese and Chinese: their words stand side by side.
_UNSPACED = re.compile(
    "[\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_LETTER = re.compile(r"[^\W\d_]")


@dataclass(frozen=True)
class Protected:
    """A text with marks in it, and what each of them stands for."""

    text: str
    marks: Sequence[str] = ()
    # What is to be put back in their places: the same, or a term's translation.
    values: Sequence[str] = ()
    terms: Sequence["KnownTerm"] = ()

    @property
    def has_words(self) -> bool:
        """Whether anything is left to be translated."""
        return _LETTER.search(_MARK.sub("", self.text)) is not None

    def restore(self, translated: str) -> tuple[str, list[Warning]]:
        """The translation with everything back in its place, and what is missing, doubled or made up."""
        seen: dict[int, int] = {}
        warnings: list[Warning] = []

        def put(found: re.Match[str]) -> str:
            number = int(found[1])
            if number >= len(self.values):
                warnings.append([ADDED, found[0]])
                return ""
            seen[number] = seen.get(number, 0) + 1
            return self.values[number]

        text = _MARK.sub(put, translated)
        for number, value in enumerate(self.values):
            if number not in seen:
                warnings.append([LOST, self.marks[number]])
            elif seen[number] > 1:
                warnings.append([TWICE, value])
        return text, warnings


def protect(text: str, terms: Iterable["KnownTerm"] = ()) -> Protected:
    """Put marks in the place of what must stay; ``terms`` are those of the pair of languages, the longest first."""
    found: list[tuple[int, int, str, KnownTerm | None]] = [
        (at.start(), at.end(), at[0], None) for at in _KEPT.finditer(text)
    ]
    folded = _folded(text)
    for term in terms:
        if _folded(term.term) not in folded:
            continue
        for at in _of_term(term.term, text):
            found.append((at.start(), at.end(), at[0] if term.keep else _cased(at[0], term.translation), term))
    # Who begins first wins; a term before a number that it holds.
    found.sort(key=lambda one: (one[0], -one[1], one[3] is None))
    pieces: list[str] = []
    marks: list[str] = []
    values: list[str] = []
    used: dict[int, KnownTerm] = {}
    end = 0
    for start, stop, value, known in found:
        if start < end or len(marks) >= 9999:
            continue
        pieces += [text[end:start], f"[#{len(marks)}#]"]
        marks.append(text[start:stop])
        values.append(value)
        if known is not None:
            used[known.id] = known
        end = stop
    return Protected("".join([*pieces, text[end:]]), marks, values, tuple(used.values()))


def _of_term(term: str, text: str) -> Iterable[re.Match[str]]:
    """Where a term stands as a word of its own; in scripts without spaces, anywhere."""
    begin = "" if _UNSPACED.match(term[:1]) else r"(?<!\w)"
    end = "" if _UNSPACED.match(term[-1:]) else r"(?!\w)"
    return re.finditer(f"{begin}{re.escape(term)}{end}", text, re.IGNORECASE)


def _folded(text: str) -> str:
    """A text for a quick look whether a term is in it: no pattern is made for those that are not."""
    return text.replace("\u0130", "i").replace("\u0131", "i").casefold()


def _cased(written: str, translation: str) -> str:
    """A translation that begins as the word did: with a capital where that had one."""
    return translation[:1].upper() + translation[1:] if written[:1].isupper() else translation
