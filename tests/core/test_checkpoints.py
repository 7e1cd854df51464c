"""The log of SQLite is written back by one process, and does not grow without end."""

import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from helpdesk.core import locks
from helpdesk.core.checkpoints import SAFETY_NET, Checkpointer
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.transaction import transaction


def log_of(home: Path) -> int:
    return (home / "helpdesk.sqlite3-wal").stat().st_size


def fill(times: int) -> None:
    for _time in range(times):
        with transaction():
            db.session.execute(text("INSERT INTO filler SELECT zeroblob(1000000)"))


@pytest.mark.sqlite
def test_a_log_that_is_long_is_written_back_and_begins_anew(app: Any, home: Path) -> None:
    with transaction():
        db.session.execute(text("CREATE TABLE filler (data BLOB)"))
    checkpointer = Checkpointer(Config(home=home), str(home / "helpdesk.sqlite3"))
    # A desk that runs has its database open; the last one to close it would write the log back.
    with closing(checkpointer) as at_work, db.engine.connect() as kept:
        kept.execute(text("SELECT 1 FROM ticket"))
        kept.rollback()
        fill(6)
        before = log_of(home)
        assert before > 5_000_000
        for _round in range(5):
            at_work.look()
            fill(3)
        # Nobody else has done it, and it is no longer than one round made it.
        assert log_of(home) <= before * 2
        assert kept.execute(text("PRAGMA wal_autocheckpoint")).scalar() == SAFETY_NET
    with transaction():
        db.session.execute(text("DROP TABLE filler"))


HOLDER = """
import sys
from pathlib import Path
from helpdesk.core import locks
locks.take(Path(sys.argv[1]))
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_lock_goes_with_the_process_that_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    command = [sys.executable, "-c", HOLDER, str(path)]
    # It lasts until it is killed, or its input ends with this block.
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == b"taken\n"
        try:
            locks.take(path)
            raise AssertionError("two hold the lock")
        except locks.Taken:
            pass
        holder.kill()
        holder.wait()
        locks.take(path, wait=5)()
