"""Gettext catalogs as text: read without trust, checked, written. What is broken is left out and named.

Anybody may have written a catalog, and templates put translations on pages unescaped (``_("<b>%(name)s</b>")``), so
that a text with other tags, quotation marks or placeholders than the English one could break a page or do worse.
What a catalog says of English is believed no more: its translations are held against the desk's own templates.
"""

import codecs
import gettext
import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.plurals import get_plural
from babel.messages.pofile import write_po
from flask_babel import gettext as _

Key = tuple[str | None, str]
# What would break a page, or show nothing where a text should be: such a text is not used.
BREAKING = frozenset({"placeholder", "plural", "html", "quotes", "characters"})
# Reading takes about four seconds for each megabyte, and all of the desk in one language is a fifth of one.
MOST_BYTES, MOST_PROBLEMS = 1_000_000, 200

_CHARSET = re.compile(rb"charset=([A-Za-z0-9_.:-]{1,30})")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r'\\([\\ntr"])')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_PLURALS = re.compile(r"nplurals\s*=\s*(\d{1,2})\s*;\s*plural\s*=\s*([^;]{1,400})")
_PLACEHOLDER = re.compile(r"%\((\w+)\)")
# With how it is written: "%(name) u" is a number with a space in front where "%(name)s" is text.
_SPECIFIED = re.compile(r"%\(\w+\)[#0 +-]*[\d.]*[A-Za-z]?")
_IN_BRACES = re.compile(r"\{\w+\}")
_TAG = re.compile(r"<[^<>]*>?")
# No text has them; a compiled catalog divides singular and plural by one of them, and context and text by another.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
# A button has room for so many characters of a short text, or for a little more than twice as many as in English.
_SHORT, _ROOM, _TIMES = 24, 30, 2.2
# So much of a text is quoted where something is said of it.
_QUOTE = 60


@dataclass(frozen=True)
class Entry:
    """One text of a catalog. ``texts`` are its translations: one, or one for each plural form; "" is missing."""

    context: str | None
    id: str
    plural: str | None = None
    texts: tuple[str, ...] = ("",)
    fuzzy: bool = False
    line: int = 0

    @property
    def key(self) -> Key:
        return self.context, self.id

    @property
    def sources(self) -> tuple[str, ...]:
        """The English text, and its plural if it has one."""
        return (self.id,) if self.plural is None else (self.id, self.plural)

    @property
    def full(self) -> bool:
        """Whether every form of it is translated."""
        return all(self.texts)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a text or a catalog, as a sentence in the reader's language."""

    kind: str
    sentence: str
    line: int | None = None


@dataclass
class PoFile:
    """What could be read of a catalog, and what could not. ``rule`` answers the form of a number, if it says one."""

    entries: list[Entry] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    forms: int | None = None
    rule: Callable[[int], int] | None = None

    def for_language(self, code: str) -> list[Entry]:
        """Its entries with their plural forms in the order that ``code`` has here: other tools count otherwise."""
        if self.rule is None or self.forms is None:
            return self.entries
        order = _order(self.forms, self.rule, code)
        if order is None or order == list(range(self.forms)):
            return self.entries
        return [_arranged(entry, order) for entry in self.entries]


def plural_forms(code: str) -> int:
    """How many plural forms a language has."""
    return int(get_plural(code).num_plurals)


def digits(code: str) -> list[str]:
    """Numbers for which each plural form of a language stands, to show beside its field."""
    rule = gettext.c2py(get_plural(code).plural_expr)
    found: dict[int, list[str]] = {}
    for number in range(0, 130):
        found.setdefault(rule(number), []).append(str(number))
    return [", ".join(found.get(form, ["…"])[:4]) for form in range(plural_forms(code))]


# ---- reading


def read(data: bytes) -> PoFile:
    """Read a catalog. Never raises: what cannot be read becomes a problem with its line."""
    found = PoFile()
    if len(data) > MOST_BYTES:
        found.problems.append(Problem("file", _("The file cannot be read: it is larger than 1 MB.")))
        return found
    lines = _decoded(data, found).split("\n")
    seen: dict[Key, int] = {}
    for entry in _Reader(found).entries(lines):
        if entry.key == (None, ""):
            _read_head(entry.texts[0], found)
            continue
        if entry.key in seen:
            sentence = _("“%(text)s” stands here twice; line %(number)s is used.")
            found.problems.append(_problem("duplicate", sentence, entry, number=seen[entry.key]))
            continue
        seen[entry.key] = entry.line
        found.entries.append(entry)
    del found.problems[MOST_PROBLEMS:]
    return found


def _decoded(data: bytes, found: PoFile) -> str:
    said = _CHARSET.search(data[:4000])
    charset = said[1].decode() if said else "utf-8"
    if charset == "CHARSET":
        charset = "utf-8"
    try:
        if codecs.lookup(charset).name in ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "utf-7"):
            raise LookupError(charset)
        return data.decode(charset).removeprefix("\ufeff")
    except LookupError:
        found.problems.append(
            Problem("file", _("The file cannot be read as “%(name)s”; save it as UTF-8.", name=charset))
        )
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        sentence = _("The file cannot be read in whole: its letters are not those of %(name)s; save it as UTF-8.")
        found.problems.append(Problem("file", sentence % {"name": charset}, line))
    return data.decode("utf-8", "replace").removeprefix("\ufeff")


class _Reader:
    """Goes through the lines; an entry that is written wrong is left out, and the next one is read again."""

    def __init__(self, found: PoFile) -> None:
        self.found = found
        self._begin()

    def _begin(self) -> None:
        self.parts: dict[str, list[str]] = {}
        self.part: list[str] | None = None
        self.line, self.fuzzy, self.broken = 0, False, False

    def entries(self, lines: Iterable[str]) -> Iterator[Entry]:
        for number, raw in enumerate(lines, 1):
            line = raw.strip()
            if not line or line.startswith("#~"):
                continue
            word, _space, rest = line.partition(" ")
            if self._ended_by(line, word):
                if entry := self._entry():
                    yield entry
                self._begin()
            if line.startswith("#"):
                self.fuzzy |= line.startswith("#,") and "fuzzy" in line
            elif not self.broken:
                self._take(number, line, word, rest)
        if entry := self._entry():
            yield entry

    def _ended_by(self, line: str, word: str) -> bool:
        """Whether this line belongs to the next entry: after a translation, or after what was written wrong."""
        begun = any(part.startswith("msgstr") for part in self.parts) or self.broken
        if line.startswith("#") or word == "msgctxt":
            return begun
        return word == "msgid" and (begun or "msgid" in self.parts)

    def _take(self, number: int, line: str, word: str, rest: str) -> None:
        if line.startswith('"'):
            text = line
        elif re.fullmatch(r"msgctxt|msgid|msgid_plural|msgstr(\[\d{1,2}\])?", word):
            self.line = number if word == "msgid" or not self.line else self.line
            self.part, text = self.parts.setdefault(word, []), rest.strip()
        else:
            return self._break(number, line)
        quoted = _QUOTED.fullmatch(text)
        if quoted is None or self.part is None:
            return self._break(number, line)
        self.part.append(_ESCAPED.sub(lambda found: _ESCAPES[found[1]], quoted[1]))

    def _break(self, number: int, line: str) -> None:
        self.broken = True
        sentence = _("The file cannot be read here: “%(text)s”. This entry is left out.", text=quoted(line))
        self.found.problems.append(Problem("file", sentence, number))

    def _entry(self) -> Entry | None:
        if self.broken or not self.parts:
            return None
        words = {part: "".join(texts) for part, texts in self.parts.items()}
        if "msgid" not in words:
            self._break(self.line, next(iter(words)))
            return None
        forms = [part for part in words if part.startswith("msgstr")]
        plural = words.get("msgid_plural")
        if plural is None:
            texts: tuple[str, ...] = (words.get("msgstr", words.get("msgstr[0]", "")),)
        else:
            count = max((int(part[7:-1]) for part in forms if part != "msgstr"), default=0) + 1
            texts = tuple(words.get(f"msgstr[{form}]", "") for form in range(count))
        return Entry(words.get("msgctxt") or None, words["msgid"], plural, texts, self.fuzzy, self.line)


def _read_head(head: str, found: PoFile) -> None:
    line = next((line for line in head.split("\n") if line.lower().startswith("plural-forms:")), "")
    said = _PLURALS.search(line)
    if said is None:
        if line and "INTEGER" not in line:
            found.problems.append(Problem("head", _("The line “Plural-Forms” of the head cannot be read.")))
        return
    try:
        rule = gettext.c2py(said[2].strip())
        forms = int(said[1])
        if not all(0 <= rule(number) < forms for number in range(200)):
            raise ValueError
    except (ValueError, ArithmeticError, RecursionError):
        found.problems.append(Problem("head", _("The line “Plural-Forms” of the head is wrong.")))
        return
    found.forms, found.rule = forms, rule


def _order(forms: int, rule: Callable[[int], int], code: str) -> list[int] | None:
    """For each plural form that ``code`` has here, the form of the file that stands for the same numbers."""
    plural = get_plural(code)
    wanted = gettext.c2py(plural.plural_expr)
    order: list[int | None] = [None] * int(plural.num_plurals)
    for number in range(1000):
        form = wanted(number)
        if order[form] is None:
            order[form] = rule(number)
    return [form if form is not None else forms - 1 for form in order]


def _arranged(entry: Entry, order: list[int]) -> Entry:
    if entry.plural is None or not entry.full:
        return entry
    texts = tuple(entry.texts[form] if form < len(entry.texts) else "" for form in order)
    return Entry(entry.context, entry.id, entry.plural, texts, entry.fuzzy, entry.line)


# ---- checking


def alone(entry: Entry) -> Entry | None:
    """The English of an entry that is in no template: its id also for its plural, since a file can say any; or None."""
    if not entry.id or _CONTROL.search(entry.id) or _CONTROL.search(entry.context or ""):
        return None
    return replace(entry, plural=None if entry.plural is None else entry.id)


def faults(entry: Entry, forms: int, english: Entry | None = None) -> Iterator[Problem]:
    """What is wrong with a translated entry; ``forms`` is how many plural forms its language has.

    ``english`` is what the template has, which is believed instead of the entry. Without it nothing that comes from
    elsewhere may be used.
    """
    if english is not None and (english.plural is None) != (entry.plural is None):
        has, wanted = (0, forms) if entry.plural is None else (len(entry.texts), 0)
        yield _problem("plural", _plural_sentence(), entry, number=has, total=wanted)
        return
    if english is not None:
        entry = replace(english, texts=entry.texts, line=entry.line)
    yield from _faults(entry, forms)


def _faults(entry: Entry, forms: int) -> Iterator[Problem]:
    texts = [text for text in entry.texts if text]
    if entry.plural is not None and (len(entry.texts) != forms or len(texts) != forms):
        yield _problem("plural", _plural_sentence(), entry, number=len(texts), total=forms)
    yield from _placeholder_faults(entry, texts)
    wanted = [Counter(_TAG.findall(source)) for source in entry.sources]
    for text in texts:
        if Counter(_TAG.findall(text)) not in wanted:
            sentence = _("The translation of “%(text)s” has other HTML than the English text; keep each <…> as it is.")
            yield _problem("html", sentence, entry)
        elif '"' in text and not any('"' in source for source in entry.sources):
            sentence = _(
                "The translation of “%(text)s” has straight quotation marks; write “ ” or those of your language."
            )
            yield _problem("quotes", sentence, entry)
        elif _CONTROL.search(text) or "\ufffd" in text:
            yield _problem("characters", _("The translation of “%(text)s” has characters that cannot be read."), entry)
    yield from _look_faults(entry, texts)


def breaking(entry: Entry, forms: int, english: Entry) -> Problem | None:
    """The first fault for which a text is not used, or None."""
    return next((fault for fault in faults(entry, forms, english) if fault.kind in BREAKING), None)


def _plural_sentence() -> str:
    return _("“%(text)s” has %(number)s of %(total)s plural forms.")


def _placeholder_faults(entry: Entry, texts: list[str]) -> Iterator[Problem]:
    asked = {name for source in entry.sources for name in _PLACEHOLDER.findall(source)}
    braces = {name for source in entry.sources for name in _IN_BRACES.findall(source)}
    if not _can_format(entry.id, asked):
        return
    written = {spec for source in entry.sources for spec in _SPECIFIED.findall(source)}
    for text in texts:
        used, in_braces = set(_PLACEHOLDER.findall(text)), set(_IN_BRACES.findall(text))
        if unknown := [f"%({name})s" for name in sorted(used - asked)] + sorted(in_braces - braces):
            sentence = _("%(name)s is not in the English text “%(text)s”.")
            yield _problem("placeholder", sentence, entry, name=unknown[0])
        elif set(_SPECIFIED.findall(text)) - written or not _can_format(text, asked):
            sentence = _(
                "The translation of “%(text)s” has a broken placeholder or a single %%; write %%%% for the sign."
            )
            yield _problem("placeholder", sentence, entry)
        elif entry.plural is None and (
            missing := [f"%({name})s" for name in sorted(asked - used)] + sorted(braces - in_braces)
        ):
            sentence = _("The translation of “%(text)s” leaves out %(names)s.")
            yield _problem("incomplete", sentence, entry, names=", ".join(missing))


def _look_faults(entry: Entry, texts: list[str]) -> Iterator[Problem]:
    for text in texts:
        if (text[:1].isspace(), text[-1:].isspace()) != (entry.id[:1].isspace(), entry.id[-1:].isspace()):
            sentence = _(
                "The translation of “%(text)s” begins or ends with a space or a new line where English does not."
            )
            yield _problem("space", sentence, entry)
        if len(entry.id) <= _SHORT and len(text) > _ROOM and len(text) > _TIMES * len(entry.id):
            sentence = _("The translation of “%(text)s” is too long for a button: %(number)s characters.")
            yield _problem("long", sentence, entry, number=len(text))


def _can_format(text: str, names: set[str]) -> bool:
    """Whether a page can put values in: templates format every string, so that a single % breaks them."""
    try:
        text % dict.fromkeys(names, 1)
    except (TypeError, ValueError, KeyError, OverflowError, MemoryError):
        return False
    return True


def quoted(text: str) -> str:
    """The beginning of a text to stand in quotation marks in a sentence: cut between words, with no marks like them."""
    line = " ".join(_CONTROL.sub("\ufffd", text).split()).replace("“", "‘").replace("”", "’")
    if len(line) <= _QUOTE:
        return line
    start, space, _rest = line[: _QUOTE + 1].rpartition(" ")
    return f"{start if space and len(start) > _QUOTE // 2 else line[:_QUOTE]}…"


def _problem(kind: str, sentence: str, entry: Entry, **values: Any) -> Problem:
    text = quoted(entry.id)
    return Problem(kind, sentence % {"text": text, **values}, entry.line or None)


# ---- writing


def compiled(code: str, entries: Iterable[Entry]) -> bytes:
    """The binary catalog of complete entries, with the plural rule that ``code`` has here."""
    buffer = io.BytesIO()
    # Babel sorts by a function in Python, which takes most of the time; what is in order already it asks of once each.
    ordered = sorted(entries, key=lambda entry: (entry.id, entry.context or ""))
    write_mo(buffer, _catalog(code, ordered))
    return buffer.getvalue()


def written(code: str, entries: Iterable[Entry]) -> bytes:
    """An ordinary ``.po`` file for a translator."""
    buffer = io.BytesIO()
    write_po(buffer, _catalog(code, entries), width=110, omit_header=False, sort_output=False)
    return buffer.getvalue()


def _catalog(code: str, entries: Iterable[Entry]) -> Catalog:
    catalog = Catalog(locale=code, project="Help desk", fuzzy=False)
    for entry in entries:
        one = entry.id if entry.plural is None else (entry.id, entry.plural)
        catalog.add(one, entry.texts[0] if entry.plural is None else entry.texts, context=entry.context)
    return catalog
