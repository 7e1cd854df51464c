"""What this plugin takes in from files: by its own page and command, and by the desk's ``helpdesk import``."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import groupby
from typing import Any, BinaryIO

from helpdesk.api import Importer, Invalid, hookimpl
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_customers.import_orders import orders_kind
from helpdesk_customers.import_people import people_kind
from helpdesk_customers.imports.encodings import Watch
from helpdesk_customers.imports.kinds import (
    BadRow,
    Batch,
    ImportKind,
    Item,
    RowReader,
    guess_mapping,
    missing_columns,
    values_of,
)
from helpdesk_customers.imports.rows import Row, find_delimiter, read_rows

_SAMPLE = 65_536


@hookimpl
def customers_import_kinds() -> list[ImportKind]:
    """Customers and orders."""
    return [people_kind(), orders_kind()]


@hookimpl
def register_importers() -> list[Importer]:
    """The same for ``helpdesk import``: columns are known by their names, and what belongs together is one item."""
    hint = _l("A file with separated values (CSV); its columns are known by their names.")
    return [
        Importer(kind.name, kind.label, _reader(kind), _taker(kind), hint) for kind in (people_kind(), orders_kind())
    ]


@contextmanager
def _seekable(file: BinaryIO) -> Iterator[BinaryIO]:
    """The file, or a copy of it where it comes through a pipe: after a bad row reading goes back."""
    if file.seekable():
        yield file
        return
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(file, copy)
        copy.seek(0)
        yield copy


def _reader(kind: ImportKind) -> Callable[[BinaryIO], Iterator[list[tuple[Row, dict[str, str]]]]]:
    def read(file: BinaryIO) -> Iterator[list[tuple[Row, dict[str, str]]]]:
        with _seekable(file) as whole:
            yield from _groups(kind, whole)

    return read


def _groups(kind: ImportKind, file: BinaryIO) -> Iterator[list[tuple[Row, dict[str, str]]]]:
    watch = Watch()
    head = file.read(_SAMPLE)
    watch.feed(head)
    encoding, mark = watch.found()
    delimiter = find_delimiter(head[mark:].decode(encoding, "replace"))
    rows = read_rows(file, encoding, delimiter, mark)
    first = next(rows, None)
    mapping = guess_mapping(kind, first.cells if first is not None else ())
    if missing := missing_columns(kind, mapping):
        raise Invalid("mapping", _("This file has no column “%(column)s”.", column=missing[0]))
    found = ((row, values_of(row.cells, mapping)) for row in rows)
    for _key, group in groupby(found, lambda one: kind.group(one[1]) if kind.group is not None else one[0].number):
        yield list(group)


def _taker(kind: ImportKind) -> Callable[[Any], str]:
    def take(group: list[tuple[Row, dict[str, str]]]) -> str:
        rows, items = RowReader(kind), []
        for row, values in group:
            try:
                if row.problem:
                    raise BadRow(row.problem)
                items.append(Item(row.number, rows.read(values), "one"))
            except BadRow as problem:
                raise Invalid("row", _("Row %(number)s: %(why)s", number=row.number, why=str(problem))) from None
        batch = Batch(None)
        said = kind.store(items, batch)
        for number, word in said.items():
            if isinstance(word, BadRow):
                raise Invalid("row", _("Row %(number)s: %(why)s", number=number, why=str(word)))
        if kind.finish is not None and batch.later:
            kind.finish(sorted(batch.later))
        return str(next(iter(said.values())))

    return take
