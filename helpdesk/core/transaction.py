"""``with transaction():`` - the only place that commits."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from sqlalchemy import Delete, Engine, Update, event
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import IntegrityError, OperationalError

from helpdesk.core.extensions import db

WRITE = "helpdesk_write"
_DEPTH = "helpdesk_depth"
_AFTER = "helpdesk_after_commit"
_Row = TypeVar("_Row")


class Busy(Exception):
    """The database is saturated; nothing was written and the request may be sent again."""


@contextmanager
def transaction() -> Iterator[None]:
    """Open the write transaction, or join the one that is open.

    Only the outermost block commits; an exception rolls everything back and is raised on. Before it
    begins, the read transaction ends and every loaded object is expired, so that what the block reads
    is the newest state (on SQLite ``BEGIN IMMEDIATE``: a session that has read fails at once on its first
    write otherwise). Keep it short: no network, no rendering, no plugin code but facts.

    Raises :class:`Busy` when the writer's lock was not to be had in time.
    """
    session = db.session()
    depth = session.info.get(_DEPTH, 0)
    if depth:
        session.info[_DEPTH] = depth + 1
        try:
            yield
        finally:
            session.info[_DEPTH] = depth
        return
    session.rollback()
    session.info[_DEPTH] = 1
    try:
        _begin(session)
        yield
        session.commit()
    except BaseException:
        session.rollback()
        session.info.pop(_AFTER, None)
        raise
    finally:
        session.info[_DEPTH] = 0
    for call in session.info.pop(_AFTER, []):
        call()


def in_transaction() -> bool:
    """Whether a write transaction is open in this context."""
    return bool(db.session().info.get(_DEPTH, 0))


def after_commit(call: Callable[[], Any]) -> None:
    """Run ``call`` once the outermost transaction has committed (at once when none is open).

    For wake-ups and cache drops only: what must not be lost is a row, not a call.
    """
    session = db.session()
    if not session.info.get(_DEPTH, 0):
        call()
        return
    session.info.setdefault(_AFTER, []).append(call)


def add_or_find(row: _Row, find: Callable[[], _Row | None]) -> _Row:
    """Add a row that must be the only one of its key to the open transaction, or answer the one that ``find`` finds.

    On PostgreSQL somebody else may have written it a moment ago: the savepoint keeps the rest of the transaction.
    """
    try:
        with db.session.begin_nested():
            db.session.add(row)
        return row
    except IntegrityError:
        found = find()
        if found is None:
            raise
        return found


def count_rows(statement: Update | Delete) -> int:
    """Execute an UPDATE or DELETE in the open transaction and answer how many rows it met."""
    result = cast("CursorResult[Any]", db.session.execute(statement))
    return result.rowcount


def _begin(session: Any) -> None:
    try:
        session.connection(execution_options={WRITE: True})
    except OperationalError as error:
        if "locked" in str(error.orig) or "busy" in str(error.orig):
            raise Busy("The desk is busy; please send it again in a moment.") from error
        raise


def listen(engine: Engine) -> None:
    """Make an SQLite engine honour :func:`transaction`: WAL, foreign keys, immediate writers."""
    if engine.dialect.name != "sqlite":
        return
    first = threading.Event()

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA busy_timeout = 10000")
        if not first.is_set():
            cursor.execute("PRAGMA journal_mode = WAL")
            first.set()
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin_transaction(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
