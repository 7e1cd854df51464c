"""The tables that reports answer: typed cells as people read them, and as CSV."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import islice
from typing import Any

from babel.numbers import format_percent
from babel.units import format_unit
from flask_babel import get_locale, to_user_timezone
from flask_babel import gettext as _

from helpdesk.core.direction import unmarked
from helpdesk.core.spreadsheets import harmless
from helpdesk.plugins.contributions import Column, Table
from helpdesk.web.look import local_path
from helpdesk.web.render import day, moment, number

# A page shows so many rows, a file has so many; what is beyond is said.
SHOWN, KEPT = 500, 50_000
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True)
class Line:
    """A row with its cells in words, and the address on this desk where it leads."""

    cells: Sequence[str]
    url: str | None = None


@dataclass(frozen=True)
class Sheet:
    """A report that was made: plain data, nothing of the plugin is called any more."""

    labels: Sequence[str]
    # Which columns are figures: they stand at the end of their cells.
    figures: Sequence[bool]
    lines: Sequence[Line]
    note: str
    # There are more rows than are shown, and more than are kept at all.
    total: int
    cut: bool


def sheet(table: Any) -> Sheet:
    """A table as people read it. Raises what is wrong with it (TypeError, ValueError, what the plugin's rows raise)."""
    columns, rows, cut = _checked(table)
    lines = [_line(columns, row) for row in rows[:SHOWN]]
    # Every row is looked at, so that the page and the file agree on whether the report is whole.
    for row in rows[SHOWN:]:
        _values(columns, row)
    figures = [column.kind in ("number", "percent", "duration") for column in columns]
    note = "" if table.note is None else str(table.note)
    return Sheet([str(column.label) for column in columns], figures, lines, note, len(rows), cut)


def comma_separated(table: Any) -> str:
    """A table as a file for spreadsheets: with a byte-order mark, plain numbers, and no cell that is a formula."""
    columns, rows, _cut = _checked(table)
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([harmless(unmarked(_head(column))) for column in columns])
    for row in rows:
        cells = zip(columns, _values(columns, row), strict=True)
        writer.writerow(["" if value is None else _RAW[column.kind](value) for column, value in cells])
    return "\ufeff" + out.getvalue()


# ---- what a plugin has made


def _checked(table: Any) -> tuple[list[Column], list[Sequence[Any]], bool]:
    if not isinstance(table, Table):
        raise TypeError(f"a report must return Table, not {type(table).__name__}")
    columns = list(table.columns)
    for column in columns:
        if not isinstance(column, Column) or column.kind not in _WORDS:
            raise ValueError(f"{column!r} is no column; its kind is one of {', '.join(_WORDS)}.")
    rows = list(islice(_iterated(table.rows), KEPT + 1))
    return columns, rows[:KEPT], len(rows) > KEPT


def _iterated(rows: Any) -> Iterable[Any]:
    if isinstance(rows, str | bytes):
        raise TypeError("the rows of a report must be a list of rows, not text")
    return iter(rows)


def _values(columns: Sequence[Column], row: Any) -> Sequence[Any]:
    if isinstance(row, str | bytes) or len(row) not in (len(columns), len(columns) + 1):
        raise ValueError(f"A row must have {len(columns)} cells, or one address more; {row!r} has not.")
    values = list(row[: len(columns)])
    for column, value in zip(columns, values, strict=True):
        if value is not None and not isinstance(value, _TYPES[column.kind]) or isinstance(value, bool):
            raise TypeError(f"A cell of the kind {column.kind} cannot be {value!r}.")
        if column.kind == "moment" and value is not None and value.tzinfo is None:
            raise ValueError(f"A moment must know its time zone; {value!r} does not.")
    return values


def _line(columns: Sequence[Column], row: Any) -> Line:
    cells = [
        "–" if value is None or value == "" else _WORDS[column.kind](value)
        for column, value in zip(columns, _values(columns, row), strict=True)
    ]
    address = row[len(columns)] if len(row) > len(columns) else None
    return Line(cells, local_path(address) if isinstance(address, str) else None)


# ---- cells


def duration(seconds: float | Decimal) -> str:
    """A length of time by its two largest units: 2 hr 5 min."""
    rest: int = round(abs(seconds))  # type: ignore[call-overload]
    parts: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count or (unit == "second" and not parts):
            parts.append(format_unit(count, f"duration-{unit}", length="short", locale=get_locale()))
        elif parts:
            # Two units that do not stand beside each other ("1 day 5 sec") say more than is known.
            break
    words = " ".join(parts[:2])
    return f"-{words}" if seconds < 0 else words


def _percent(value: Any) -> str:
    rounded = Decimal(str(round(value, 3)))
    return str(format_percent(rounded, locale=get_locale(), decimal_quantization=False))


def _number(value: Any) -> str:
    return number(round(value, 2))


def _head(column: Column) -> str:
    label = str(column.label)
    return _("%(column)s (seconds)", column=label) if column.kind == "duration" else label


def _iso(value: datetime) -> str:
    return to_user_timezone(value).isoformat(sep=" ", timespec="seconds")


def _iso_day(value: date) -> str:
    return (to_user_timezone(value).date() if isinstance(value, datetime) else value).isoformat()


_NUMBERS = (int, float, Decimal)
_TYPES: dict[str, Any] = {
    "text": object,
    "number": _NUMBERS,
    "percent": _NUMBERS,
    "duration": _NUMBERS,
    "moment": datetime,
    "date": date,
}
_WORDS: dict[str, Callable[[Any], str]] = {
    "text": str,
    "number": _number,
    "percent": _percent,
    "duration": duration,
    "moment": moment,
    "date": day,
}
_RAW: dict[str, Callable[[Any], str]] = {
    "text": lambda value: harmless(str(value)),
    "number": str,
    "percent": str,
    "duration": str,
    "moment": _iso,
    "date": _iso_day,
}
