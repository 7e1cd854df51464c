"""What can be taken in from a file: its columns, how a row is read, and how rows are stored. Plugins add their own."""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpdesk.api import User, collect
from helpdesk.api import gettext as _


class BadRow(Exception):
    """A row cannot be taken; the text is a sentence for whoever made the file."""


@dataclass(frozen=True)
class ImportColumn:
    """Something that a row says. ``names`` are names of columns in files that mean it, beside key and label."""

    key: str
    label: Any
    required: bool = False
    hint: Any = ""
    names: Sequence[str] = ()


@dataclass(frozen=True)
class Item:
    """What was read of one row: its number in the file, what ``ImportKind.read`` made of it, and its group."""

    row: int
    value: Any
    group: str = ""


@dataclass
class Batch:
    """How a batch is stored. ``actor`` has asked for it; ``overwrite``: what is there becomes what the file says.

    ``seen`` are the groups of this batch that earlier batches of the file have brought already: their rows stand apart.
    """

    actor: User | None
    overwrite: bool = False
    seen: frozenset[str] = frozenset()
    # What ``store`` leaves for ``ImportKind.finish``: texts of at most a hundred characters, kept with the rows.
    later: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class ImportKind:
    """One kind of thing that is taken in.

    ``read(values)`` gets the cells of a row by the keys of the columns (those that are mapped, stripped) and answers
    anything, or raises :class:`BadRow`; it reads no database. ``store(items, batch)`` gets some of what was read and
    writes it inside the open transaction, in as few statements as it can; it answers by the row what was done
    ("created", "changed", "same"), or a :class:`BadRow`. It is called again with fewer items when it raises. The same
    item stored twice must be there once.

    ``group(values)`` answers a key where rows that follow one another are one thing, such as the lines of an order:
    they come in one batch, up to a thousand, and none of them where one cannot be read. ``columns`` may be a function:
    fields of the owner's own are asked for when a file is looked at. ``finish(texts)`` gets, after the last row, what
    ``store`` put into ``Batch.later``, each text once and 500 at a time: sums that are counted once instead of in each
    batch. It writes inside the open transaction.
    """

    name: str
    label: Any
    columns: Sequence[ImportColumn] | Callable[[], Sequence[ImportColumn]]
    read: Callable[[Mapping[str, str]], Any]
    store: Callable[[Sequence[Item], Batch], Mapping[int, str | BadRow]]
    permission: str = "customers.import"
    hint: Any = ""
    group: Callable[[Mapping[str, str]], str] | None = None
    finish: Callable[[Sequence[str]], None] | None = None

    def all_columns(self) -> Sequence[ImportColumn]:
        """Its columns as they are now."""
        return self.columns() if callable(self.columns) else self.columns


def kinds() -> list[ImportKind]:
    """All kinds, those of plugins that are on included, by name."""
    found = {kind.name: kind for kind in collect("customers_import_kinds") if isinstance(kind, ImportKind)}
    return [found[name] for name in sorted(found)]


def kind_named(name: str) -> ImportKind | None:
    """The kind of that name; None when the plugin that has it is off."""
    return next((kind for kind in kinds() if kind.name == name), None)


def guess_mapping(kind: ImportKind, header: Sequence[str]) -> dict[str, int]:
    """Which column of a file is what, by its name; each at most once."""
    plain = [_plain(name) for name in header]
    found: dict[str, int] = {}
    for column in kind.all_columns():
        wanted = [_plain(name) for name in (column.key, str(column.label), *column.names)]
        for name in wanted:
            place = next((at for at, one in enumerate(plain) if one == name and at not in found.values()), None)
            if place is not None:
                found[column.key] = place
                break
    return found


def missing_columns(kind: ImportKind, mapping: Mapping[str, int]) -> list[str]:
    """The labels of columns that a file of this kind must have and nobody has chosen."""
    return [str(column.label) for column in kind.all_columns() if column.required and column.key not in mapping]


def values_of(cells: Sequence[str], mapping: Mapping[str, int]) -> dict[str, str]:
    """The cells of a row by the keys of its columns; a row may be shorter than the first one."""
    return {key: cells[place].strip() if place < len(cells) else "" for key, place in mapping.items()}


class RowReader:
    """Reads the rows of a file; which columns its kind has is asked once."""

    def __init__(self, kind: ImportKind) -> None:
        self._read = kind.read
        self._required = [(one.key, str(one.label)) for one in kind.all_columns() if one.required]

    def read(self, values: Mapping[str, str]) -> Any:
        """What a row says, of its cells by their columns. Raises :class:`BadRow`."""
        for key, label in self._required:
            if not values.get(key):
                raise BadRow(_("“%(column)s” is empty.", column=label))
        return self._read(values)


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in folded if sign.isalnum() or sign == ":")
