"""Rows of a file with separated values (RFC 4180, and what programs make of it), each with the place where it ends."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from helpdesk.api import gettext as _
from helpdesk_customers.imports.encodings import ENCODINGS
from helpdesk_customers.imports.lines import Lines, LineTooLong

DELIMITERS = (",", ";", "\t", "|", "，")
# A row of more lines than these is a quotation mark that nobody closed.
MOST_LINES = 1_000
_SAMPLE_ROWS = 50


@dataclass(frozen=True)
class Row:
    """A row as it stands in the file, or why it cannot be read; ``end`` is where the next one begins."""

    number: int
    cells: Sequence[str]
    end: int
    problem: str = ""


class _Feed:
    """Hands lines to the reader of rows, and remembers those of the row that is being read."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self.ends: list[int] = []
        self.texts: list[str] = []
        self.at_end = False

    def begin(self) -> None:
        self.ends, self.texts = [], []

    def __iter__(self) -> "_Feed":
        return self

    def __next__(self) -> str:
        if len(self.texts) >= MOST_LINES:
            raise csv.Error
        try:
            text = next(self._lines)
        except StopIteration:
            self.at_end = True
            raise
        except (UnicodeDecodeError, LineTooLong):
            self.ends.append(self._lines.offset)
            raise
        self.ends.append(self._lines.offset)
        # NUL ends no text for us; the reader would stop at it.
        self.texts.append(text.replace("\x00", ""))
        return self.texts[-1]


def read_rows(
    file: BinaryIO, encoding: str, delimiter: str, offset: int = 0, number: int = 0, end: str = "\n"
) -> Iterator[Row]:
    """The rows from ``offset`` on, blank ones left out; ``number`` is that of the row before.

    A row that cannot be read is answered with its problem, and reading goes on in the line after the one where it
    began. Never more than one row is in memory.
    """
    lines = Lines(file, encoding, offset, end)
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter)
    while True:
        feed.begin()
        problem, cells = "", []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except UnicodeDecodeError:
            problem = _("This row is not written in %(encoding)s.", encoding=ENCODINGS.get(encoding, encoding))
        except LineTooLong:
            problem = _("This row is longer than a megabyte.")
        except csv.Error:
            problem = _("This row does not end: a quotation mark is open.")
        if not problem and feed.at_end and len(feed.texts) > 1 and "".join(feed.texts).count('"') % 2:
            problem = _("This row does not end: a quotation mark is open.")
        number += 1
        if not problem:
            if any(cell.strip() for cell in cells):
                yield Row(number, cells, feed.ends[-1])
            continue
        # Behind its first line: those after it may be whole rows.
        place = feed.ends[0]
        lines.seek(place)
        feed.at_end = False
        reader = csv.reader(feed, delimiter=delimiter)
        first = feed.texts[0].rstrip("\r\n") if feed.texts else ""
        yield Row(number, [first[:500]] if first else [], place, problem)


def find_delimiter(text: str) -> str:
    """What separates the cells in the beginning of a file: what cuts most rows into the same number, and most of it."""
    return max(DELIMITERS, key=lambda one: (_fits(text, one), -DELIMITERS.index(one)))


def announced_delimiter(text: str) -> tuple[str, int]:
    """What a first line such as “sep=;” says, and its length; ("", 0) where there is none."""
    first = text.splitlines()[0] if text else ""
    if first.lower().startswith("sep=") and len(first) == 5 and first[4] in DELIMITERS:
        return first[4], len(text) - len(text[5:].lstrip("\r\n"))
    return "", 0


def _fits(text: str, delimiter: str) -> float:
    rows = []
    try:
        for cells in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            if any(cells):
                rows.append(len(cells))
            if len(rows) == _SAMPLE_ROWS:
                break
    except csv.Error:
        return 0.0
    if not rows or rows[0] < 2:
        return 0.0
    # The last one may be cut off.
    whole = rows[:-1] or rows
    return sum(size == rows[0] for size in whole) / len(whole) * min(rows[0], 30)
