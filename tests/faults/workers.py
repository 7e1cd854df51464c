"""Worker processes that are killed, and the look at what they leave behind."""

import random
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError

from helpdesk.testing.served import wait_for
from tests.faults.desk import PATIENCE, Desk


class Workers:
    """Several `helpdesk worker` processes; each that ends is replaced, as `helpdesk serve` would."""

    def __init__(self, desk: Desk, count: int) -> None:
        self.desk = desk
        self.running = [desk.start("worker") for _number in range(count)]

    def wait_until_they_beat(self) -> None:
        """Until each has told the desk that it is there."""
        wait_for(lambda: self._beating() >= {process.pid for process in self.running}, PATIENCE)

    def _beating(self) -> set[int]:
        return {pid for (pid,) in self.desk.rows("SELECT pid FROM worker")}

    def kill_one(self, chance: random.Random) -> int:
        """SIGKILL to one of them; answers its number. :meth:`replace` starts another."""
        victim = self.running.pop(chance.randrange(len(self.running)))
        victim.kill()
        victim.wait(PATIENCE)
        return victim.pid

    def one_at_work(self, first: int) -> subprocess.Popen[bytes]:
        """One that has written a step of a job from ``first`` on and is not done: it waits at the job's gate."""
        query = "SELECT pid FROM effects_row WHERE number >= :first"

        def look() -> subprocess.Popen[bytes] | None:
            wrote = {pid for (pid,) in self.desk.rows(query, first=first)}
            return next((process for process in self.running if process.pid in wrote), None)

        wait_for(look, PATIENCE)
        found = look()
        assert found is not None and running_of(self.desk, found.pid)
        return found

    def replace(self) -> None:
        """Start one more."""
        self.running.append(self.desk.start("worker"))

    def dead(self) -> list[subprocess.Popen[bytes]]:
        """Those that have ended, taken off the list."""
        found = [process for process in self.running if process.poll() is not None]
        self.running = [process for process in self.running if process not in found]
        return found

    def stop_one(self, number: int) -> float:
        """Ask the one that runs longest to end; answers the seconds that it took. It must end in peace."""
        process, begun = self.running.pop(0), time.monotonic()
        process.send_signal(number)
        status = process.wait(PATIENCE)
        # One that is asked before it has begun to work simply ends.
        assert status in (0, -number), f"a worker ended with {status} after {signal.Signals(number).name}"
        return time.monotonic() - begun


def running_of(desk: Desk, pid: int) -> list[tuple[int, str]]:
    """The jobs that a worker is running, each with its token."""
    running = desk.rows("SELECT id, token, worker FROM job WHERE state = 'running'")
    return [(job, token) for job, token, worker in running if f":{pid}:" in worker]


class Orphans:
    """How long the jobs of killed workers wait for another one."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._left: dict[tuple[int, str], float] = {}
        self._lock = threading.Lock()
        self.waits: list[float] = []
        # Killed twice with their worker: the ledger suspects them, and lets others go before them.
        self.paused = 0

    @contextmanager
    def watched(self) -> Iterator["Orphans"]:
        """Look at them until the block ends; with nothing wrong, it does when all are taken up."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,))
        thread.start()
        try:
            yield self
            wait_for(lambda: not self._left, PATIENCE)
        finally:
            ended.set()
            thread.join()

    def left_by(self, pid: int) -> int:
        """Note what a killed worker was running; answers how many jobs."""
        at = time.monotonic()
        mine = running_of(self._desk, pid)
        with self._lock:
            self._left |= dict.fromkeys(mine, at)
        return len(mine)

    @property
    def waiting(self) -> int:
        """How many nobody has taken up yet."""
        return len(self._left)

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(0.1):
            if self._left:
                try:
                    self._look()
                except OperationalError:
                    continue  # the database is busy; the next look tells

    def _look(self) -> None:
        rows = self._desk.rows("SELECT id, token, state, deaths FROM job")
        now, current = time.monotonic(), {row.id: row for row in rows}
        with self._lock:
            for (job, token), since in list(self._left.items()):
                row = current[job]
                if row.state == "waiting" and row.deaths > 1:
                    self.paused += 1
                elif row.state == "waiting" or row.token == token and row.state == "running":
                    continue
                else:
                    self.waits.append(now - since)
                del self._left[job, token]
