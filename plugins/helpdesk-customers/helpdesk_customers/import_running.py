"""Taking a file in: batch after batch, each one transaction with the place where the next one begins.

Whoever is killed in between leaves whole batches, and the next run goes on behind the last one: each row is taken once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from helpdesk.api import Invalid, User, Work, db, now, transaction
from helpdesk.api import gettext as _
from helpdesk_customers import importing
from helpdesk_customers.import_models import DONE, RUNNING, STOPPED, UNDER_WAY, FailedRow, Import, ImportKey
from helpdesk_customers.imports.kinds import BadRow, Batch, ImportKind, Item, RowReader, missing_columns, values_of
from helpdesk_customers.imports.rows import Row

BATCH, MOST_GROUPED = 2_000, 1_000
# A file of which more rows fail is of another kind: it stops.
MOST_FAILED = 50_000
# What is noted with a file while it runs: groups that have come, and what is left for the end.
_GROUP, _LATER, _FINISHED = "g", "l", 500

Step = Callable[..., AbstractContextManager[None]]


class _Over(Exception):
    """Somebody has stopped the file, or another worker has it."""


def take_in(work: Work, import_id: int) -> dict[str, int]:
    """Take a file in, in steps (a job). What is wrong with a row is kept with it; the others are taken."""
    return run(import_id, work.step)


def run_here(import_id: int) -> dict[str, int]:
    """:func:`take_in` without a worker, for the command line."""

    def step(**_progress: Any) -> AbstractContextManager[None]:
        return transaction()

    return run(import_id, step)


def run(import_id: int, step: Step) -> dict[str, int]:
    """Take a file in, or the rest of it; answers what became of its rows."""
    file = db.session.get(Import, import_id)
    if file is None:
        return {}
    kind = None
    try:
        kind = importing.kind_of(file)
        if file.state not in UNDER_WAY:
            # It was stopped: what it has brought is counted all the same.
            _finish(import_id, kind, step)
            return {}
        if missing := missing_columns(kind, file.mapping):
            raise Invalid("mapping", _("Say which column is “%(column)s”.", column=missing[0]))
        _take_all(file, kind, step)
    except _Over:
        db.session.rollback()
        _finish(import_id, kind, step)
    except Invalid as problem:
        db.session.rollback()
        _stop(import_id, str(problem), step)
        _finish(import_id, kind, step)
    left = db.session.get(Import, import_id)
    return {**left.counts, "failed": left.failed} if left is not None else {}


def _take_all(file: Import, kind: ImportKind, step: Step) -> None:
    import_id, size, offset = file.id, file.size, file.offset
    actor_id, overwrite = file.made_by_id, file.overwrite
    reader = _Reader(kind, dict(file.mapping))
    with importing.path_of(file).open("rb") as stream:
        for part in reader.batches(importing.rows_from(file, stream)):
            last = part[-1].row
            with step(done=last.end, total=size):
                row = _locked(import_id, offset)
                actor = db.session.get(User, actor_id) if actor_id is not None else None
                _store(kind, import_id, part, Batch(actor, overwrite), row)
                row.state, row.offset, row.rows = RUNNING, last.end, last.number - 1
            offset = last.end
    _finish(import_id, kind, step)
    with step(done=size, total=size):
        row = _locked(import_id, offset)
        row.state, row.done_at = DONE, now()
        place = importing.let_go(row)
    importing.remove(place)


def _finish(import_id: int, kind: ImportKind | None, step: Step) -> None:
    """Hand what batches have left for the end to the kind, 500 at a time; each is forgotten as it is done."""
    if kind is None or kind.finish is None:
        return
    query = select(ImportKey.key).where(ImportKey.import_id == import_id, ImportKey.key.startswith(_LATER))
    while True:
        with step():
            keys = db.session.scalars(query.order_by(ImportKey.key).limit(_FINISHED).with_for_update()).all()
            if not keys:
                return
            kind.finish([key.removeprefix(_LATER) for key in keys])
            done = delete(ImportKey).where(ImportKey.import_id == import_id, ImportKey.key.in_(keys))
            db.session.execute(done.execution_options(synchronize_session=False))


def _locked(import_id: int, offset: int) -> Import:
    """The row as it is now. Raises :class:`_Over` when it was stopped, or somebody else has gone on from there."""
    query = select(Import).where(Import.id == import_id).with_for_update(of=Import)
    row = db.session.scalar(query.execution_options(populate_existing=True))
    if row is None or row.state not in UNDER_WAY or row.offset != offset:
        raise _Over
    if row.failed > MOST_FAILED:
        raise Invalid(
            "file", _("More than %(number)s rows could not be taken: look at the columns.", number=MOST_FAILED)
        )
    return row


def _stop(import_id: int, sentence: str, step: Step) -> None:
    with step():
        row = db.session.get(Import, import_id, with_for_update=True)
        if row is not None and row.state in UNDER_WAY:
            row.state, row.note, row.done_at = STOPPED, sentence, now()


@dataclass
class _Found:
    """A row, what was read of it or why not, and its group ("": none)."""

    row: Row
    value: Any = None
    problem: str = ""
    group: str = ""


class _Reader:
    """Reads rows by a kind, and gathers them into batches that cut no group."""

    def __init__(self, kind: ImportKind, mapping: dict[str, int]) -> None:
        self._kind, self._mapping = kind, mapping
        self._rows = RowReader(kind)

    def batches(self, rows: Iterable[Row]) -> Iterator[list[_Found]]:
        """Some rows of the file after the other."""
        source = iter(rows)
        held: list[_Found] = []
        while True:
            part = held + [self._read(row) for row in islice(source, BATCH - len(held))]
            if not part:
                return
            held = self._complete(part, source)
            yield part

    def _complete(self, part: list[_Found], source: Iterator[Row]) -> list[_Found]:
        """Add what belongs to the last group; answers the first row of the next one, which was read by then."""
        group = part[-1].group
        while group and (row := next(source, None)) is not None:
            found = self._read(row)
            if found.group != group or len(part) >= BATCH + MOST_GROUPED:
                return [found]
            part.append(found)
        return []

    def _read(self, row: Row) -> _Found:
        if row.problem:
            return _Found(row, problem=row.problem)
        values = values_of(row.cells, self._mapping)
        found = _Found(row, group=self._kind.group(values)[:119] if self._kind.group is not None else "")
        try:
            found.value = self._rows.read(values)
        except BadRow as problem:
            found.problem = str(problem)
        return found


def _store(kind: ImportKind, import_id: int, part: Sequence[_Found], batch: Batch, row: Import) -> None:
    """Store what can be, count it, and keep what cannot, as it stands in the file."""
    broken = {found.group for found in part if found.problem and found.group}
    for found in part:
        if not found.problem and found.group in broken:
            found.problem = _("Another row that belongs to this one cannot be taken.")
    items = [Item(found.row.number, found.value, found.group) for found in part if not found.problem]
    batch.seen = _note_groups(import_id, part)
    said = _stored(kind, items, batch) if items else {}
    _keep_later(import_id, batch.later)
    counts, failed = dict(row.counts), []
    for found in part:
        what = BadRow(found.problem) if found.problem else said.get(found.row.number, "same")
        if isinstance(what, BadRow):
            cells = list(found.row.cells)
            failed.append({"import_id": import_id, "row": found.row.number, "reason": str(what), "cells": cells})
        else:
            counts[what] = counts.get(what, 0) + 1
    if failed:
        db.session.execute(insert(FailedRow), failed)
    row.counts, row.failed = counts, row.failed + len(failed)


def _keep_later(import_id: int, later: Collection[str]) -> None:
    if later:
        dialect: Any = postgresql if db.engine.dialect.name == "postgresql" else sqlite
        rows = [{"import_id": import_id, "key": _LATER + text[:119]} for text in sorted(later)]
        db.session.execute(dialect.insert(ImportKey.__table__).on_conflict_do_nothing(), rows)


def _note_groups(import_id: int, part: Sequence[_Found]) -> frozenset[str]:
    """Which groups came before in this file; the new ones are noted."""
    keys = {_GROUP + found.group for found in part if found.group}
    if not keys:
        return frozenset()
    query = select(ImportKey.key).where(ImportKey.import_id == import_id, ImportKey.key.in_(keys))
    seen = frozenset(db.session.scalars(query))
    if new := sorted(keys - seen):
        db.session.execute(insert(ImportKey.__table__), [{"import_id": import_id, "key": key} for key in new])
    return frozenset(key.removeprefix(_GROUP) for key in seen)


def _stored(kind: ImportKind, items: Sequence[Item], batch: Batch) -> dict[int, str | BadRow]:
    """Store a batch; when it raises, each half, until the row is found that cannot be stored."""
    try:
        with db.session.begin_nested():
            said = dict(kind.store(items, batch))
            db.session.flush()
        return said
    except (OperationalError, OSError, MemoryError):
        # It is not the row: the job is tried again.
        raise
    except (Exception, SystemExit) as error:  # a plugin's; the other rows are taken
        sentence = _sentence(error)
    cuts = [at for at in range(1, len(items)) if not items[at].group or items[at].group != items[at - 1].group]
    if not cuts:
        return {item.row: BadRow(sentence) for item in items}
    middle = min(cuts, key=lambda at: abs(at - len(items) // 2))
    return {**_stored(kind, items[:middle], batch), **_stored(kind, items[middle:], batch)}


def _sentence(error: BaseException) -> str:
    if isinstance(error, Invalid | BadRow):
        return str(error)
    if isinstance(error, SQLAlchemyError):
        return _("This row could not be stored.")
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
