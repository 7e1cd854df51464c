"""A desk as an operator runs it: real processes on a home of their own, killed and started again."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, NullPool, create_engine, text

from helpdesk.testing.served import wait_for
from tests.faults.form import FORM

# Seconds: for a machine that is busy with other tests. Some things wait for the next minute besides.
PATIENCE = 180.0
LEASE_SECONDS = 4
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
# Found here: a new process, forked beside other threads, had better not ask the loader.
_PRCTL = ctypes.CDLL(None).prctl if sys.platform == "linux" else None


@dataclass
class Said:
    """What a command said and how it ended (negative: the signal that ended it)."""

    status: int
    out: str
    err: str


class Desk:
    """One installation. What was started through it is ended by :meth:`close`."""

    def __init__(self, home: Path, database_url: str = "", queue_url: str = "", **environ: str) -> None:
        self.home = home
        self.log = home.parent / f"{home.name}.log"
        self.database_url = database_url or f"sqlite:///{home / 'helpdesk.sqlite3'}"
        self.is_sqlite = not database_url
        told = {"HOME": str(home), "DATABASE_URL": database_url, "QUEUE_URL": queue_url, **environ}
        told.setdefault("LEASE_SECONDS", str(LEASE_SECONDS))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPDESK_")}
        self.environ = kept | {f"HELPDESK_{name}": value for name, value in told.items() if value}
        self.environ |= {"PYTHONUNBUFFERED": "1", "LANG": "C.UTF-8"}
        self.processes: list[subprocess.Popen[bytes]] = []
        self._engine = create_engine(self.database_url, poolclass=NullPool)

    def add_plugin(self, source: Path) -> None:
        """Put a plugin of one file into the home."""
        folder = self.home / "plugins"
        folder.mkdir(exist_ok=True)
        (folder / source.name).write_text(source.read_text())

    def be_patient(self) -> None:
        """In the short form a slow disk is no fault: writers wait for each other as long as it takes."""
        if FORM == "short":
            self.add_plugin(Path(__file__).with_name("plugins") / "patient.py")

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "helpdesk.cli", *words]

    def start(self, *words: str, **environ: str) -> subprocess.Popen[bytes]:
        """Start a command that stays, in a session of its own; what it prints goes to the log."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command(*words),
                env=self.environ | environ,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_end_with_the_tests,
            )
        self.processes.append(process)
        return process

    def try_to(self, *words: str, feed: bytes = b"", through: Iterable[str] = ()) -> Said:
        """Run a command to its end, ``through`` another program if one is named."""
        done = subprocess.run(
            [*through, *self.command(*words)],
            env=self.environ,
            cwd="/",
            input=feed,
            capture_output=True,
            timeout=PATIENCE * 2,
            check=False,
        )
        return Said(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

    def run(self, *words: str, feed: bytes = b"") -> str:
        """Run a command that must succeed; answers what it printed."""
        said = self.try_to(*words, feed=feed)
        assert said.status == 0, f"{words}: {said.err}"
        return said.out

    def rows(self, query: str, **values: Any) -> list[Any]:
        """What the database answers to a query, read by a connection of its own."""
        with self._engine.connect() as connection:
            return list(connection.execute(text(query), values))

    def value(self, query: str, **values: Any) -> Any:
        """The one value that a query answers."""
        return self.rows(query, **values)[0][0]

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection that reads."""
        return self._engine.connect()

    def write(self, statement: str, **values: Any) -> None:
        """Change the database behind the desk's back (tables of the tests' own, old data)."""
        with self._engine.begin() as connection:
            connection.execute(text(statement), values)

    def send_at_once(self) -> None:
        """What agents answer is there when they are told so, and does not wait to be taken back."""
        self.write("INSERT INTO setting (\"group\", key, value) VALUES ('desk', 'undo_seconds', '0')")

    def check_integrity(self) -> None:
        """Fail unless the database is whole; PostgreSQL sees to that by itself."""
        if not self.is_sqlite:
            return
        assert self.value("PRAGMA integrity_check") == "ok"
        assert self.rows("PRAGMA foreign_key_check") == []

    def open_work(self) -> int:
        """Jobs that are still to be done, those that wait for a mail server left out, and mails not acted on."""
        jobs = "SELECT count(*) FROM job WHERE state IN ('waiting', 'running') AND name <> 'core.deliver'"
        return int(self.value(jobs)) + int(self.value("SELECT count(*) FROM intake WHERE state = 'received'"))

    def said(self) -> str:
        """What all its processes have printed so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def close(self) -> None:
        """End whatever still runs."""
        with ExitStack() as ends:
            ends.callback(self._engine.dispose)
            for process in self.processes:
                ends.callback(kill_all, process)


def _end_with_the_tests() -> None:
    """Run by a new process: whatever ends the tests ends it too, where the system can do that."""
    if _PRCTL is not None:
        _PRCTL(_PR_SET_PDEATHSIG, signal.SIGKILL)


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a process and all that it has started. Stopped first, none starts another meanwhile."""
    family: list[int] = []
    while process.poll() is None and (new := [pid for pid in _family(process.pid) if pid not in family]):
        for pid in new:
            _signal(pid, signal.SIGSTOP)
            wait_for(lambda pid=pid: _state(pid) in "TtZX", PATIENCE)
        family += new
    for pid in family:
        _signal(pid, signal.SIGKILL)
    process.wait(PATIENCE)
    for pid in family:
        wait_for(lambda pid=pid: _state(pid) in "ZX", PATIENCE)


def _family(parent: int) -> list[int]:
    return [parent, *descendants(parent)]


def descendants(parent: int) -> list[int]:
    """The processes below one, parents before children."""
    children: dict[int, list[int]] = {}
    for pid, above in _parents():
        children.setdefault(above, []).append(pid)
    found, look = [], [parent]
    while look:
        below = children.get(look.pop(0), [])
        found += below
        look += below
    return found


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                yield int(folder.name), int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue


def _state(pid: int) -> str:
    """The letter of proc(5): T is stopped, Z has ended; X is gone."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "X"


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


@contextmanager
def closing(desk: Desk) -> Iterator[Desk]:
    """A desk whose processes end with the block; what they printed is shown when the test fails."""
    try:
        yield desk
    finally:
        desk.close()
        print(desk.said()[-20_000:])
