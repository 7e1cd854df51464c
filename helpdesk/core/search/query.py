"""What people type into the search box, read: words, phrases, and who, when, which. Any text is a search."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from helpdesk.core.models.columns import storable
from helpdesk.core.search.words import words_asked

# Characters of a search, and how many parts of it are read.
LENGTH, PARTS = 300, 16
# What may stand before a colon. Others are words like any other.
FIELDS = (
    *("from", "to", "status", "tag", "team", "assignee", "priority"),
    *("before", "after", "has", "is"),
)
# From so many letters on, a word also finds those that begin with it.
_BEGINNING = 3
_QUOTES = {ord(sign): '"' for sign in "“”„‟«»「」『』＂"} | {ord("："): ":"}
_PART = re.compile(r'(-?)(?:([a-z]+):(?=["\S]))?("[^"]*"?|[^\s"]+)', re.IGNORECASE)


@dataclass(frozen=True)
class Term:
    """Words that must follow one another. ``begins``: the last of them is only the beginning of one."""

    words: tuple[str, ...]
    begins: bool = False


@dataclass(frozen=True)
class Condition:
    """Something that a ticket must be (``without``: must not be) beside having the words."""

    field: str
    value: str
    without: bool = False


@dataclass(frozen=True)
class Query:
    """A search as it was read."""

    text: str
    terms: tuple[Term, ...] = ()
    without: tuple[Term, ...] = ()
    conditions: tuple[Condition, ...] = ()
    # What was typed before any field, as words: names and numbers are looked for with it.
    plain: str = field(default="", compare=False)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to be found by."""
        return not (self.terms or self.without or self.conditions)


def parse(text: str) -> Query:
    """Read a search. Never raises: what cannot be a field is a word, and what has no words is left out."""
    text = " ".join(storable(text).split())[:LENGTH]
    terms: list[Term] = []
    without: list[Term] = []
    conditions: list[Condition] = []
    plain: list[str] = []
    for minus, name, value in _parts(text):
        if name:
            conditions.append(Condition(name, value.strip('"').strip(), bool(minus)))
            continue
        if (term := _term(value)) is None:
            continue
        (without if minus else terms).append(term)
        if not minus:
            plain.append(value.strip('"*'))
    return Query(text, tuple(terms), tuple(without), tuple(conditions), " ".join(plain))


def _parts(text: str) -> Iterator[tuple[str, str, str]]:
    parts = 0
    for match in _PART.finditer(text.translate(_QUOTES)):
        minus, name, value = match[1], (match[2] or "").lower(), match[3]
        if name and name not in FIELDS:
            name, value = "", f"{match[2]}:{value}"
        if name and not value.strip('"').strip():
            continue
        yield minus, name, value
        parts += 1
        if parts == PARTS:
            return


def _term(value: str) -> Term | None:
    quoted = value.startswith('"')
    words, begins = words_asked(value)
    if not words:
        return None
    if not quoted:
        # A single letter begins half of all words.
        begins = begins or len(words[-1]) >= (2 if value.endswith("*") else _BEGINNING)
    return Term(tuple(words), begins)
