"""A file that is taken in: kept, looked at, started, stopped, taken away; what it could not bring as a file again."""

import csv
import io
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from flask import current_app
from sqlalchemy import delete, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Invalid, User, audit, db, harmless, in_json, now, require, schedule, settings, transaction
from helpdesk.api import gettext as _
from helpdesk_customers.import_models import (
    CANCELLED,
    DRAFT,
    STOPPED,
    UNDER_WAY,
    WAITING,
    FailedRow,
    Import,
    ImportKey,
)
from helpdesk_customers.imports.encodings import ENCODINGS, Watch, mark_length
from helpdesk_customers.imports.kinds import (
    BadRow,
    ImportKind,
    RowReader,
    guess_mapping,
    kind_named,
    missing_columns,
    values_of,
)
from helpdesk_customers.imports.lines import line_end
from helpdesk_customers.imports.rows import DELIMITERS, Row, announced_delimiter, find_delimiter, read_rows
from helpdesk_customers.settings import CustomerSettings

TAKE = "customers.take_in"
PREVIEWED = 20
# Files, and the rows that failed, are kept so long.
KEPT = timedelta(days=30)
_PIECE, _SAMPLE = 1 << 18, 65_536
_MOST_COLUMNS = 500


@dataclass(frozen=True)
class Previewed:
    """A row of the preview: its cells, and why it could not be taken ("": it could)."""

    number: int
    cells: Sequence[str]
    problem: str = ""


def begin(stream: BinaryIO, name: str, kind: ImportKind, actor: User | None) -> Import:
    """Keep a file and find out how it is written. Nothing of it is in memory but a piece. One transaction.

    Raises :class:`Invalid` (file: empty, too large, without rows) and NotAllowed; nothing is kept then.
    """
    require(actor, kind.permission)
    place = secrets.token_hex(16)
    path = folder() / place
    try:
        size, watch = _keep(stream, path)
        encoding, mark = watch.found()
        made = Import(kind=kind.name, name=_file_name(name), place=place, size=size, encoding=encoding, offset=mark)
        made.made_by_id = actor.id if actor is not None else None
        _look_at(made, kind)
        with transaction():
            db.session.add(made)
            db.session.flush()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return made


def describe(
    run: Import, actor: User | None, *, encoding: str, delimiter: str, mapping: Mapping[str, int], overwrite: bool
) -> Import:
    """Say how a file is written and which column is what, before it is started. One transaction.

    With another encoding or delimiter the columns are read anew, and ``mapping`` counts only where they are the same.
    Raises :class:`Invalid` (encoding, delimiter, mapping.<key>, form) and NotAllowed.
    """
    kind = kind_of(run)
    require(actor, kind.permission)
    if encoding not in ENCODINGS:
        raise Invalid("encoding", _("Choose one of the list."))
    if delimiter not in DELIMITERS:
        raise Invalid("delimiter", _("Choose one of the list."))
    with transaction():
        db.session.refresh(run, with_for_update={"of": Import})
        if run.state != DRAFT:
            raise Invalid("form", _("This file was started already."))
        before = list(run.header)
        if (encoding, delimiter) != (run.encoding, run.delimiter):
            run.encoding, run.delimiter = encoding, delimiter
            _read_header(run)
        run.overwrite = overwrite
        if run.header == before:
            run.mapping = _checked(kind, mapping, len(run.header))
        else:
            run.mapping = guess_mapping(kind, run.header)
    return run


def preview(run: Import) -> list[Previewed]:
    """The first rows, each with what is wrong with it. Reads the beginning of the file only."""
    reader, found = RowReader(kind_of(run)), []
    with path_of(run).open("rb") as file:
        for row in _rows(run, file):
            found.append(Previewed(row.number, row.cells, row.problem or _problem(reader, row, run.mapping)))
            if len(found) == PREVIEWED:
                break
    return found


def start(run: Import, actor: User | None) -> Import:
    """Have a worker take a file in, or go on where it stopped. One transaction; audited.

    Raises :class:`Invalid` (mapping.<key>: a column is missing; form: it runs or is over) and NotAllowed.
    """
    kind = kind_of(run)
    require(actor, kind.permission)
    with transaction():
        ready(run, kind)
        schedule(TAKE, key=f"{TAKE}:{run.id}", import_id=run.id)
        audit("customers.imported", actor, run.name, {"import": run.id, "kind": run.kind})
    return run


def ready(run: Import, kind: ImportKind) -> None:
    """Let a file wait to be taken in. Inside the transaction. Raises :class:`Invalid`."""
    # What :func:`describe` has changed in the same transaction is not thrown away.
    db.session.flush()
    db.session.refresh(run, with_for_update={"of": Import})
    if run.state not in (DRAFT, STOPPED, CANCELLED) or not run.place:
        raise Invalid("form", _("This file runs already, or is over."))
    if missing := missing_columns(kind, run.mapping):
        raise Invalid("mapping", _("Say which column is “%(column)s”.", column=missing[0]))
    run.state, run.note, run.done_at = WAITING, "", None
    run.started_at = run.started_at or now()


def cancel(run: Import, actor: User | None) -> Import:
    """Stop a file that is taken in; what it has brought stays, and it may go on later. One transaction; audited."""
    require(actor, permission_of(run))
    with transaction():
        db.session.refresh(run, with_for_update={"of": Import})
        if run.state in UNDER_WAY:
            run.state, run.done_at = CANCELLED, now()
            # What it has brought is counted by a worker.
            schedule(TAKE, key=f"{TAKE}:{run.id}", import_id=run.id)
            audit("customers.import_cancelled", actor, run.name, {"import": run.id})
    return run


def discard(run: Import, actor: User | None) -> None:
    """Forget a file with the rows that failed; what it has brought stays. One transaction.

    Raises :class:`Invalid` (form) while it runs, and NotAllowed.
    """
    require(actor, permission_of(run))
    with transaction():
        db.session.refresh(run, with_for_update={"of": Import})
        if run.state in UNDER_WAY:
            raise Invalid("form", _("This file is being taken in; stop it first."))
        place = run.place
        db.session.delete(run)
    remove(place)


def listed(after: int | None = None, limit: int = 50) -> Sequence[Import]:
    """The files, the newest first; ``after`` is the number of the last one of the page before. One query."""
    query = select(Import).options(joinedload(Import.made_by)).order_by(Import.id.desc())
    if after is not None:
        query = query.where(Import.id < after)
    return db.session.scalars(query.limit(limit)).all()


def failed_rows(run: Import, limit: int = 20) -> Sequence[FailedRow]:
    """The first rows that could not be taken. One query."""
    query = select(FailedRow).where(FailedRow.import_id == run.id).order_by(FailedRow.row, FailedRow.id)
    return db.session.scalars(query.limit(limit)).all()


def error_file(run: Import) -> Iterator[str]:
    """The rows that could not be taken as a file, piece by piece: as they stood, with the reason behind.

    Corrected, it can be taken in again. No cell of it is calculated by a spreadsheet.
    """
    columns = [*run.header, _("Row"), _("What is wrong")]
    yield "\ufeff" + _csv_line(columns, run.delimiter)
    last = (0, 0)
    while True:
        query = select(FailedRow).where(
            FailedRow.import_id == run.id,
            (FailedRow.row > last[0]) | ((FailedRow.row == last[0]) & (FailedRow.id > last[1])),
        )
        rows = db.session.scalars(query.order_by(FailedRow.row, FailedRow.id).limit(500)).all()
        if not rows:
            return
        for row in rows:
            cells = [*row.cells, *[""] * (len(run.header) - len(row.cells))]
            yield _csv_line([*cells, str(row.row), row.reason], run.delimiter)
        last = (rows[-1].row, rows[-1].id)
        db.session.expunge_all()


def tidy() -> int:
    """Forget files that are older than thirty days (each night); answers how many."""
    old = select(Import).where(Import.created_at < now() - KEPT, Import.state.not_in(UNDER_WAY)).limit(500)
    places = []
    with transaction():
        for run in db.session.scalars(old).all():
            places.append(run.place)
            db.session.delete(run)
    for place in places:
        remove(place)
    _sweep()
    return len(places)


def forget(person: User) -> None:
    """Take a person out of the rows that failed. Inside the transaction."""
    if not person.email:
        return
    named = delete(FailedRow).where(in_json(FailedRow.cells, person.email))
    db.session.execute(named.execution_options(synchronize_session=False))


def kind_of(run: Import) -> ImportKind:
    """What a file brings. Raises :class:`Invalid` when the plugin that knows is off."""
    kind = kind_named(run.kind)
    if kind is None:
        raise Invalid("form", _("The plugin that takes in such files is off. Switch it on first."))
    return kind


def permission_of(run: Import) -> str:
    """What somebody needs to read a file and to take it in: that of its kind."""
    kind = kind_named(run.kind)
    return kind.permission if kind is not None else "customers.import"


def rows_from(run: Import, file: BinaryIO) -> Iterator[Row]:
    """The rows of a file that were not taken yet."""
    return read_rows(file, run.encoding, run.delimiter, run.offset, run.rows + 1, _end_of(run, file))


def path_of(run: Import) -> Path:
    """Where a file lies. Raises :class:`Invalid` when it is gone."""
    path = folder() / run.place
    if not run.place or not path.is_file():
        raise Invalid("file", _("This file is no longer there; choose it again."))
    return path


def folder() -> Path:
    """Where files lie that are taken in; nobody else reads them."""
    path = Path(current_app.config["HELPDESK"].home) / "imports"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def largest() -> int:
    """How many bytes a file may have."""
    return settings(CustomerSettings).most_bytes


def let_go(run: Import) -> str:
    """A file is over: its bytes go after the commit, by :func:`remove`. Inside the transaction; answers their place."""
    place, run.place = run.place, ""
    db.session.execute(
        delete(ImportKey).where(ImportKey.import_id == run.id).execution_options(synchronize_session=False)
    )
    return place


def remove(place: str) -> None:
    """Remove the bytes of a file; "" is none."""
    if place:
        (folder() / place).unlink(missing_ok=True)


# ---- how a file is written


def _keep(stream: BinaryIO, path: Path) -> tuple[int, Watch]:
    most, size, watch = largest(), 0, Watch()
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        while piece := stream.read(_PIECE):
            size += len(piece)
            if size > most:
                raise Invalid("file", _("This file is too large; %(number)s MB are taken.", number=most >> 20))
            watch.feed(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    if not size:
        raise Invalid("file", _("This file is empty."))
    return size, watch


def _look_at(run: Import, kind: ImportKind) -> None:
    text = _beginning(run)
    said, _length = announced_delimiter(text)
    run.delimiter = said or find_delimiter(text)
    _read_header(run)
    run.mapping = guess_mapping(kind, run.header)


def _read_header(run: Import) -> None:
    """The names of the columns, and where the rows begin."""
    with path_of(run).open("rb") as file:
        head = file.read(_SAMPLE)
        run.offset = mark_length(head, run.encoding)
        said, length = announced_delimiter(_beginning(run))
        if said:
            run.offset += len(_beginning(run)[:length].encode(run.encoding))
        first = next(read_rows(file, run.encoding, run.delimiter, run.offset, 0, _end_of(run, file)), None)
    if first is None:
        raise Invalid("file", _("This file has no rows."))
    if first.problem or len(first.cells) > _MOST_COLUMNS:
        raise Invalid("encoding", _("The first row cannot be read. Choose another encoding, or look at the file."))
    run.header = [" ".join(cell.replace("\ufeff", "").split())[:100] for cell in first.cells]
    run.offset, run.rows = first.end, 0


def _beginning(run: Import) -> str:
    with path_of(run).open("rb") as file:
        head = file.read(_SAMPLE)
    return head[mark_length(head, run.encoding) :].decode(run.encoding, "replace")


def _end_of(run: Import, file: BinaryIO) -> str:
    file.seek(0)
    head = file.read(_SAMPLE)
    return line_end(head.decode(run.encoding, "replace"))


def _rows(run: Import, file: BinaryIO) -> Iterator[Row]:
    return read_rows(file, run.encoding, run.delimiter, run.offset, 1, _end_of(run, file))


def _problem(reader: RowReader, row: Row, mapping: Mapping[str, int]) -> str:
    try:
        reader.read(values_of(row.cells, mapping))
    except BadRow as problem:
        return str(problem)
    return ""


def _checked(kind: ImportKind, mapping: Mapping[str, int], width: int) -> dict[str, int]:
    known = {column.key: str(column.label) for column in kind.all_columns()}
    found: dict[str, int] = {}
    for key, place in mapping.items():
        if key not in known or not 0 <= place < width:
            raise Invalid(f"mapping.{key}", _("Choose one of the list."))
        if place in found.values():
            raise Invalid(f"mapping.{key}", _("One column of the file cannot be two things."))
        found[key] = place
    return found


def _file_name(name: str) -> str:
    base = name.replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(sign for sign in base if sign.isprintable()).strip()[:200] or "file.csv"


def _csv_line(cells: Sequence[str], delimiter: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerow([harmless(cell) for cell in cells])
    return out.getvalue()


def _sweep() -> None:
    """Files of which no row knows: somebody was ended while they were written."""
    known = set(db.session.scalars(select(Import.place)))
    before = (now() - timedelta(days=1)).timestamp()
    for path in folder().iterdir():
        with suppress(FileNotFoundError):
            if path.name not in known and path.stat().st_mtime < before:
                path.unlink()
