"""A plugin that never finishes loading, or that ends its process, must not keep the desk from going on.

What a process is doing with a plugin is written into a file that it holds locked. When the process is gone without
having taken it away, the next one finds it, and leaves out what has ended two of them.
"""

import fcntl
import json
import os
import signal
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

from helpdesk.plugins.watch import Watch

PATIENCE = 20.0
_EXIT = 75  # EX_TEMPFAIL of <sysexits.h>: starting again helps
# A machine that is switched off at the wrong moment looks the same as a plugin that ends its process: one death
# is nobody's fault, and neither are two that lie far apart.
DEATHS: Final = 2
_WITHIN = 3600.0

# The words that start this process anew, where it was started by them alone: set by the command line. A process that
# another one keeps (gunicorn's) just ends.
again: list[str] = []


def left_out(file: Path) -> dict[str, tuple[str, str]]:
    """The plugins that have held up or ended processes: to each the version that did, and a sentence."""
    found = {}
    for name, row in _read(file).items():
        if row["deaths"] == 0:
            found[name] = (row["stamp"], "It held up the start and was left out")
        elif row["deaths"] >= DEATHS:
            found[name] = (
                row["stamp"],
                f"It ended the process {row['deaths']} times in {row['hook']} and was left out",
            )
    return found


def leave_out(file: Path, name: str, stamp: str) -> None:
    """Remember that this version of a plugin has held up the start."""
    with _alone(file):
        _write(file, {**_read(file), name: {"stamp": stamp, "deaths": 0, "hook": "", "at": time.time()}})


def let_in(file: Path, name: str) -> bool:
    """Let a plugin be tried again at the next start; whether it had been left out."""
    with _alone(file):
        rows = _read(file)
        was = name in left_out(file)
        if rows.pop(name, None) is not None:
            _write(file, rows)
    return was


class Marks:
    """What the processes of this home are doing with plugins, one locked file for each thing.

    ``file`` is where deaths are counted. What goes well clears the count: only deaths in a row tell something.
    """

    def __init__(self, folder: Path, file: Path) -> None:
        self._folder = folder
        self._file = file
        self._mine: set[Path] = set()
        self._suspects: dict[str, str] = {}
        self._ending = False

    @contextmanager
    def doing(self, plugin: str, stamp: str, hook: str) -> Iterator[None]:
        """While the block runs it is known who would be to blame if this process ended."""
        with self.file() as mark, self.named(mark, plugin, stamp, hook):
            yield

    @contextmanager
    def file(self) -> Iterator[IO[str] | None]:
        """A locked file for what is done one after the other in this thread; None when there can be none."""
        if self._ending:
            yield None
            return
        path = self._folder / uuid.uuid4().hex
        mark = None
        try:
            mark = path.open("w", encoding="utf-8")
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            # A full disk, or one without locks, is no reason not to go on.
            path.unlink(missing_ok=True)
        self._mine.add(path)
        try:
            yield mark
        finally:
            path.unlink(missing_ok=True)
            self._mine.discard(path)
            if mark is not None:
                with suppress(OSError):
                    mark.close()

    @contextmanager
    def named(self, mark: IO[str] | None, plugin: str, stamp: str, hook: str) -> Iterator[None]:
        """While the block runs a file of :meth:`file` names the plugin that is called, in place of the one before."""
        if mark is not None:
            with suppress(OSError):
                mark.seek(0)
                mark.truncate()
                mark.write(json.dumps([plugin, stamp, hook]))
                mark.flush()
        yield
        if self._suspects.get(plugin) == hook:
            del self._suspects[plugin]
            let_in(self._file, plugin)

    def take_away(self) -> None:
        """This process is ended on purpose: nobody is to blame for it, whatever it still does."""
        self._ending = True
        for path in list(self._mine):
            path.unlink(missing_ok=True)

    def bury(self) -> None:
        """Count what processes that are gone were doing."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for path in self._folder.iterdir():
            try:
                with path.open(encoding="utf-8") as mark:
                    fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    plugin, stamp, hook = json.load(mark)
                    path.unlink()
            except (OSError, ValueError, TypeError):
                # Its process lives, or has only just begun to write it.
                continue
            _count(self._file, str(plugin), str(stamp), str(hook))
        rows = _read(self._file)
        self._suspects = {name: row["hook"] for name, row in rows.items() if 0 < row["deaths"] < DEATHS}


def heed_term(marks: Marks) -> None:
    """Take the marks away when TERM arrives, and go on as before: who is asked to end may be killed while it does.

    To be called again when something else has taken the signal over. Another thread than the main one cannot.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    before = signal.getsignal(signal.SIGTERM)
    if isinstance(before, _Heed):
        before = before.before
    if callable(before) or before is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _Heed(marks, before))


class _Heed:
    """The handler of TERM, around the one that was there before."""

    def __init__(self, marks: Marks, before: Callable[[int, FrameType | None], Any] | int) -> None:
        self.before = before
        self._marks = marks

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._marks.take_away()
        if callable(self.before):
            self.before(number, frame)
            return
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Only one process at a time reads, changes and writes the file."""
    lock = None
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        lock = file.with_name(f"{file.name}.lock").open("w", encoding="utf-8")
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:
        # Where there are no locks, a count may be lost.
        pass
    try:
        yield
    finally:
        if lock is not None:
            lock.close()


def _count(file: Path, name: str, stamp: str, hook: str) -> None:
    with _alone(file):
        _add_death(file, name, stamp, hook)


def _add_death(file: Path, name: str, stamp: str, hook: str) -> None:
    rows = _read(file)
    row = rows.get(name)
    deaths = 1
    if row is not None and row["stamp"] == stamp:
        if row["deaths"] == 0:
            return
        if row["deaths"] >= DEATHS or time.time() - row["at"] < _WITHIN:
            deaths = row["deaths"] + 1
    _write(file, {**rows, name: {"stamp": stamp, "deaths": deaths, "hook": hook, "at": time.time()}})


def _read(file: Path) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    empty = {"stamp": "", "deaths": 0, "hook": "", "at": 0.0}
    return {str(name): {**empty, **row} for name, row in found.items() if isinstance(row, dict)}


def _write(file: Path, rows: dict[str, dict[str, Any]]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f"{file.name}.{os.getpid()}")
    aside.write_text(json.dumps(rows), encoding="utf-8")
    aside.replace(file)


@contextmanager
def impatiently(watch: Watch, file: Path, versions: dict[str, str], patience: float = PATIENCE) -> Iterator[None]:
    """End this process when one plugin loads for longer than ``patience``: the next start leaves it out."""
    done = threading.Event()

    def look() -> None:
        while not done.wait(0.25):
            for plugin, _hook, started, _writes in list(watch.running.values()):
                if time.perf_counter() - started < patience:
                    continue
                leave_out(file, plugin, versions.get(plugin, ""))
                print(
                    f"The plugin {plugin} held up the start for {patience:.0f} s; the next start leaves it out.",
                    file=sys.stderr,
                    flush=True,
                )
                if again:
                    # Takes this process along, whatever its other threads are stuck in.
                    os.execv(again[0], again)
                os._exit(_EXIT)

    threading.Thread(target=look, name="start", daemon=True).start()
    try:
        yield
    finally:
        done.set()
