"""A number in the database that tells every process, within two seconds, that cached data is old."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from helpdesk.core.extensions import db
from helpdesk.core.models import Generation
from helpdesk.core.transaction import after_commit

EXTENSION = "helpdesk.generation"
BEGAN_WITH = "helpdesk.began_with"
INTERVAL = 2.0
_SEEN = "helpdesk_generation"
# A smaller number comes from a request that began before the change. One that is never outgrown is believed after so
# long: somebody has put an older database in its place.
_OLDEST_SNAPSHOT = 60.0
_T = TypeVar("_T")


@dataclass
class _Seen:
    """The number as one database transaction sees it, and what was built from its snapshot if others have another.

    No number: the transaction itself has changed what is cached, which nobody else may see before it is committed.
    """

    transaction: Any
    number: int | None
    at: float
    values: dict[str, Any] = field(default_factory=dict)


class _Cache:
    def __init__(self) -> None:
        # Together, so that no thread puts the values of one number under another.
        self.state: tuple[int, dict[str, Any]] = (0, {})
        self.checked = self.confirmed = float("-inf")
        self._lock = threading.Lock()

    def hear(self, seen: _Seen) -> None:
        """Drop what is old when somebody has seen a newer number."""
        if seen.number is None:
            return
        with self._lock:
            number = self.state[0]
            if seen.number < number and time.monotonic() - self.confirmed < _OLDEST_SNAPSHOT:
                return
            if seen.number != number:
                self.state = (seen.number, {})
            self.checked = max(self.checked, seen.at)
            self.confirmed = max(self.confirmed, seen.at)

    def drop(self, number: int | None = None) -> None:
        """Forget all values; ``number`` is the newest, where it is known."""
        with self._lock:
            if number is not None:
                self.confirmed = time.monotonic()
            self.state = (max(number or 0, self.state[0]), {})
            self.checked = float("-inf")


def _cache() -> _Cache:
    extensions = current_app.extensions
    cache: _Cache | None = extensions.get(EXTENSION)
    if cache is None:
        cache = extensions.setdefault(EXTENSION, _Cache())
    return cache


def cached(key: str, build: Callable[[], _T]) -> _T:
    """The value under ``key``, built when the generation changed. Plain data only: it outlives sessions.

    A transaction that began before a change still reads what was; what it builds is kept for itself alone.
    """
    cache = _cache()
    number, values = cache.state
    if time.monotonic() - cache.checked >= INTERVAL or key not in values:
        # Read before the value is built: what is read later in the transaction is at least as new.
        seen = _see()
        cache.hear(seen)
        number, values = cache.state
        if key not in values:
            if seen.number != number:
                values = seen.values
            if key not in values:
                values[key] = build()
    value: _T = values[key]
    return value


def bump() -> None:
    """Tell every process that something cached changed. Joins the open transaction; this process sees it at once."""
    db.session.execute(update(Generation).values(number=Generation.number + 1))
    number = _read()
    session = db.session()
    session.info[_SEEN] = _Seen(session.get_transaction(), None, time.monotonic())
    cache = _cache()
    after_commit(lambda: cache.drop(number))


def ask_restart() -> None:
    """Ask every web server and worker to start anew within seconds: new code was installed. Joins the transaction."""
    db.session.execute(update(Generation).values(restart=Generation.restart + 1))


def restarts() -> int:
    """How often a restart has been asked for; a process that began with another number starts anew."""
    return db.session.scalar(select(Generation.restart)) or 0


def note_beginning() -> None:
    """Remember how often a restart had been asked for before this process read any code of plugins."""
    try:
        current_app.extensions[BEGAN_WITH] = restarts()
    except SQLAlchemyError:
        # There is no such table yet: whoever needs it says so. The first look is the beginning then.
        current_app.extensions[BEGAN_WITH] = None
    finally:
        db.session.remove()


def forget() -> None:
    """Drop what this process has cached."""
    db.session().info.pop(_SEEN, None)
    _cache().drop()


def _see() -> _Seen:
    """The number in the snapshot from which this thread reads; asked for once in a transaction, and in two seconds."""
    session = db.session()
    seen: _Seen | None = session.info.get(_SEEN)
    moment = time.monotonic()
    if seen is not None and seen.transaction is session.get_transaction():
        if seen.number is None or moment - seen.at < INTERVAL:
            return seen
    number = _read()
    seen = session.info[_SEEN] = _Seen(session.get_transaction(), number, moment)
    return seen


def _read() -> int:
    return db.session.scalar(select(Generation.number)) or 0
