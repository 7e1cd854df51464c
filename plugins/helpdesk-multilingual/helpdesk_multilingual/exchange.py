"""CSV files in and out: read line by line, each that cannot be used with a sentence."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from helpdesk.api import gettext as _
from helpdesk.api import harmless

# A file with more mistakes than that is another kind of file.
_SHOWN = 50


@dataclass
class Outcome:
    """What came of a file; ``skipped``: the number of the line, and why."""

    added: int = 0
    changed: int = 0
    skipped: list[tuple[int, str]] = field(default_factory=list)

    def skip(self, line: int, sentence: str) -> None:
        """Leave a line out; what is beyond fifty is not said."""
        if len(self.skipped) < _SHOWN:
            self.skipped.append((line, sentence))


def lines(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A file line by line, as UTF-8 with a mark that spreadsheets know it by."""
    yield "\ufeff" + _line(columns)
    for row in rows:
        yield _line([harmless(cell) for cell in row])


def read(data: bytes, columns: Sequence[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows of a file with the number of their line. Raises ValueError for a file without these columns."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(_("This file is no text in UTF-8. Save it as “CSV UTF-8”, and choose it again.")) from None
    first = text.split("\n", 1)[0]
    mark = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(text.replace("\0", ""), newline=""), delimiter=mark)
    try:
        names = [(name or "").strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in columns if name not in names]
        if missing:
            raise ValueError(_("The first line must name the columns: %(names)s.", names=", ".join(columns)))
        reader.fieldnames = names
        for row in reader:
            yield reader.line_num, {name: _typed(str(row.get(name) or "")) for name in names if name}
    except csv.Error:
        raise ValueError(_("This file cannot be read as CSV after line %(number)s.", number=reader.line_num)) from None


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()


def _typed(cell: str) -> str:
    """A cell as it was before it was made harmless."""
    return cell[1:] if cell.startswith("'") and harmless(cell[1:]) == cell else cell
