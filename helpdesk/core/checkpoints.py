"""One process writes the log of SQLite back into the database: two at the same moment can damage it before 3.51.3.

Of the processes that serve a home one holds a lock and does it; if that one ends, the next takes it up. What others do
is a safety net: they begin only when the log is as large as the one at work never lets it become.
"""

import logging
import os
import sqlite3
import threading
import time

from helpdesk.core import locks
from helpdesk.core.config import Config

log = logging.getLogger(__name__)

# Pages of a log at which a connection that commits writes it back itself: 64 MB.
SAFETY_NET = 16_384
_LOOK = 1.0
_SMALL, _LARGE = 4 << 20, 32 << 20
_PAGE = 4096
_PATIENCE = 0.1


class Checkpointer(threading.Thread):
    """Started by a process that serves, after its fork."""

    def __init__(self, config: Config, database: str) -> None:
        super().__init__(name="checkpoints", daemon=True)
        self._lock = config.paths.cache / "checkpoints.lock"
        self._database = database
        self._connection: sqlite3.Connection | None = None

    def run(self) -> None:
        mine = False
        while True:
            time.sleep(_LOOK)
            try:
                if not mine:
                    locks.take(self._lock)
                    mine = True
                self.look()
            except locks.Taken:
                continue
            except Exception:  # noqa: BLE001 - a disk that is full now may not be later
                log.warning("SQLite's log could not be written back; it is tried again.", exc_info=True)

    def look(self) -> None:
        """Write the log back when it is worth it, and have it begin anew; cut the file when readers let it grow."""
        try:
            size = os.stat(f"{self._database}-wal").st_size
        except FileNotFoundError:
            return
        if size < _SMALL:
            return
        if self._connection is None:
            self._connection = sqlite3.connect(self._database, timeout=_PATIENCE, isolation_level=None)
        # Most of it while everybody goes on; then the rest, for which writers wait a moment: without that a log that
        # is always written to would never begin anew.
        _busy, pages, _written = self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        if pages * _PAGE >= _SMALL:
            self._connection.execute(f"PRAGMA wal_checkpoint({'TRUNCATE' if size > _LARGE else 'RESTART'})").fetchone()

    def close(self) -> None:
        """Let go of the database."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
