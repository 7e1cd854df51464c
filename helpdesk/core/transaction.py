"""``with transaction():`` - the only place that commits."""

import errno
import logging
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from flask_babel import gettext as _
from sqlalchemy import Delete, Engine, Update, event
from sqlalchemy.engine import Connection, CursorResult
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from helpdesk.core.checkpoints import SAFETY_NET
from helpdesk.core.extensions import db

log = logging.getLogger(__name__)

WRITE = "helpdesk_write"
_DEPTH = "helpdesk_depth"
_BEFORE = "helpdesk_before_commit"
_AFTER = "helpdesk_after_commit"
# So often a row is added anew whose key was taken and is free again.
_TURNS = 5
# SQLite's own words; PostgreSQL has codes for it.
_FULL, _READ_ONLY = "database or disk is full", "attempt to write a readonly database"
_Row = TypeVar("_Row")


class Busy(Exception):
    """The database is saturated; nothing was written and the request may be sent again."""


class CannotWrite(Busy):
    """The disk takes nothing more (full, or mounted to be read only); nothing was written. It heals by itself."""


@contextmanager
def transaction() -> Iterator[None]:
    """Open the write transaction, or join the one that is open.

    Only the outermost block commits; an exception rolls everything back and is raised on. Before it
    begins, the read transaction ends and every loaded object is expired, so that what the block reads
    is the newest state (on SQLite ``BEGIN IMMEDIATE``: a session that has read fails at once on its first
    write otherwise). Keep it short: no network, no rendering, no plugin code but facts.

    Raises :class:`Busy` when the writer's lock was not to be had in time, and :class:`CannotWrite` when the disk is
    full or can only be read.
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
        _call_before_commit(session)
        session.commit()
    except BaseException as error:
        session.rollback()
        session.info.pop(_BEFORE, None)
        session.info.pop(_AFTER, None)
        if isinstance(error, DBAPIError | OSError) and (sentence := disk_sentence(error)):
            raise CannotWrite(sentence) from error
        raise
    finally:
        session.info[_DEPTH] = 0
    for call in session.info.pop(_AFTER, ()):
        call()


def in_transaction() -> bool:
    """Whether a write transaction is open in this context."""
    # Asked before each hook: by the registry, which is a call less.
    return bool(db.session.registry().info.get(_DEPTH, 0))


def before_commit(call: Callable[[], Any]) -> None:
    """Run ``call`` once, as the last thing that the open transaction does before it commits.

    For a row that everybody writes or locks: whoever holds it waits for nothing else then, so that nobody waits in a
    circle, and it is held for a moment only. Given again, the same call runs once. Raises outside a transaction.
    """
    if not in_transaction():
        raise RuntimeError("There is no transaction that could commit.")
    db.session().info.setdefault(_BEFORE, {})[call] = None


def after_commit(call: Callable[[], Any]) -> None:
    """Run ``call`` once the outermost transaction has committed (at once when none is open).

    For wake-ups and cache drops only: what must not be lost is a row, not a call. Given again, the same call runs once.
    """
    session = db.session()
    if not session.info.get(_DEPTH, 0):
        call()
        return
    session.info.setdefault(_AFTER, {})[call] = None


def add_or_find(row: _Row, find: Callable[[], _Row | None]) -> _Row:
    """Add a row that must be the only one of its key to the open transaction, or answer the one that ``find`` finds.

    On PostgreSQL somebody else may have written it a moment ago: the savepoint keeps the rest of the transaction. It
    may be gone again before it is found, so that the key is free after all. Raises :class:`IntegrityError` when a few
    turns do not help: then it is not the key.
    """
    turn = 1
    while True:
        try:
            with db.session.begin_nested():
                db.session.add(row)
            return row
        except IntegrityError:
            if (found := find()) is not None:
                return found
            if turn == _TURNS:
                raise
        turn += 1


def count_rows(statement: Update | Delete) -> int:
    """Execute an UPDATE or DELETE in the open transaction and answer how many rows it met."""
    result = cast("CursorResult[Any]", db.session.execute(statement))
    return result.rowcount


def disk_sentence(error: BaseException) -> str:
    """What to tell people about an error of the database or of a file whose cause is the disk; else an empty text."""
    cause = getattr(error, "orig", None) or error
    said, state = str(cause), getattr(cause, "sqlstate", None)
    number = cause.errno if isinstance(cause, OSError) else None
    if _FULL in said or state == "53100" or number in (errno.ENOSPC, errno.EDQUOT):
        return _("The disk of this desk is full, so nothing was kept. Please try again later.")
    if _READ_ONLY in said or state == "25006" or number == errno.EROFS:
        return _("The disk of this desk can only be read now, so nothing was kept. Please try again later.")
    return ""


def _call_before_commit(session: Any) -> None:
    # What was added so far takes its locks first; it may ask for calls itself.
    session.flush()
    for call in session.info.pop(_BEFORE, ()):
        call()


def _begin(session: Any) -> None:
    try:
        session.connection(execution_options={WRITE: True})
    except OperationalError as error:
        if "locked" in str(error.orig) or "busy" in str(error.orig):
            raise Busy("The desk is busy; please send it again in a moment.") from error
        raise


def listen(engine: Engine) -> None:
    """Make an SQLite engine honour :func:`transaction`: WAL, foreign keys, immediate writers.

    One of PostgreSQL gets text that it takes: what somebody searches for may hold a NUL as well as what is kept.
    """
    if engine.dialect.name != "sqlite":
        event.listen(engine, "connect", _without_nul)
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
        cursor.execute(f"PRAGMA wal_autocheckpoint = {SAFETY_NET}")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    event.listen(engine, "invalidate", _roll_back)
    event.listen(engine, "close", _roll_back)

    @event.listens_for(engine, "begin")
    def _begin_transaction(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITE, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _roll_back(connection: Any, *_rest: Any) -> None:
    """Before a connection is closed: SQLite keeps its transaction for as long as somebody holds a cursor of it."""
    try:
        connection.rollback()
    except sqlite3.Error:
        # It is closed already, or its transaction is over.
        log.debug("A connection could not be rolled back.", exc_info=True)


def _without_nul(connection: Any, _record: Any) -> None:
    from psycopg.types.string import StrDumperUnknown

    class Dumper(StrDumperUnknown):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "\ufffd") if "\0" in obj else obj)

    connection.adapters.register_dumper(str, Dumper)
