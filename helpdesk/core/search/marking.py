"""Where the words of a search stand in a text: cut to what is around them, and marked."""

from collections.abc import Sequence
from dataclasses import dataclass

from helpdesk.core.search.query import Term
from helpdesk.core.search.words import places_of, plain

# Characters before the first word, and in all.
_BEFORE, _LENGTH = 60, 240
# A text that is longer is looked through around the first word only.
_SHORT = 1_500


@dataclass(frozen=True)
class Part:
    """A piece of a text."""

    text: str
    marked: bool = False


def marked(text: str, terms: Sequence[Term]) -> list[Part]:
    """The whole text in pieces, those that have words of the search marked."""
    found: list[Part] = []
    place = 0
    for begin, end in _spans(text, terms):
        if end <= place:
            continue
        begin = max(begin, place)
        if begin > place:
            found.append(Part(text[place:begin]))
        found.append(Part(text[begin:end], True))
        place = end
    if place < len(text):
        found.append(Part(text[place:]))
    return found


def around(text: str, terms: Sequence[Term]) -> list[Part]:
    """What stands around the first words of the search, in one line; else how the text begins."""
    text = " ".join(_near(text, terms).split())
    spans = _spans(text, terms)
    first = spans[0][0] if spans else 0
    begin = 0 if first <= _BEFORE else text.find(" ", first - _BEFORE, first) + 1 or first - _BEFORE // 2
    cut = text[begin : begin + _LENGTH]
    parts = marked(cut, terms)
    if begin:
        parts.insert(0, Part("…"))
    if begin + _LENGTH < len(text):
        parts.append(Part("…"))
    return parts


def _near(text: str, terms: Sequence[Term]) -> str:
    if len(text) <= _SHORT:
        return text
    folded = plain(text)
    words = [place for term in terms if (place := folded.find(_first(term))) >= 0]
    place = max(min(words, default=0) - _SHORT // 3, 0)
    return text[place : place + _SHORT]


def _first(term: Term) -> str:
    return term.words[0]


def _spans(text: str, terms: Sequence[Term]) -> list[tuple[int, int]]:
    """Where the terms stand, in order. Those that begin at the same place: the longest first."""
    places = places_of(text)
    found = []
    for index in range(len(places)):
        for term in terms:
            some = places[index : index + len(term.words)]
            if len(some) == len(term.words) and _fits([place.word for place in some], term):
                found.append((some[0].begin, max(place.end for place in some)))
    return sorted(found, key=lambda span: (span[0], -span[1]))


def _fits(words: Sequence[str], term: Term) -> bool:
    last = len(words) - 1
    return all(
        word.startswith(wanted) if term.begins and place == last else word == wanted
        for place, (word, wanted) in enumerate(zip(words, term.words, strict=True))
    )
