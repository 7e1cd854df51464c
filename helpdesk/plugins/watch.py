"""Which hook runs in which thread, and for how long: a loop inside a process cannot be ended, but it can be named."""

import sys
import threading
import time
from dataclasses import dataclass
from types import FrameType
from typing import Final

# Seconds after which a call is named, its plugin rests, and its process is replaced.
SLOW, HUNG, STUCK = 2.0, 10.0, 30.0
_LIMITS: Final = (SLOW, HUNG, STUCK)

# Plugin, hook, when it began (perf_counter), and whether that was inside a write transaction. A tuple, so that another
# thread never reads half of it.
Call = tuple[str, str, float, bool]


@dataclass(frozen=True)
class Alarm:
    """A call has passed a limit (SLOW, HUNG or STUCK); ``where`` is the line at which it is.

    One that ``writes`` was called inside a write transaction: while it hangs, others cannot write.
    """

    limit: float
    plugin: str
    hook: str
    seconds: float
    where: str
    writes: bool = False

    def __str__(self) -> str:
        return f"Plugin {self.plugin} has been in {self.hook} for {self.seconds:.0f} s ({self.where})."


class Watch:
    """The calls that run, by thread. Written by the threads that call, read by the one that watches."""

    def __init__(self) -> None:
        self.running: dict[int, Call] = {}
        # How many limits the calls of a thread have passed, as far as they are still going on.
        self._passed: dict[int, dict[Call, int]] = {}

    def begin(self, plugin: str, hook: str) -> Call | None:
        """A call begins in this thread; answers the one that it was made from, for :meth:`end`."""
        thread = threading.get_ident()
        outer = self.running.get(thread)
        self.running[thread] = (plugin, hook, time.perf_counter(), outer is not None and outer[3])
        return outer

    def end(self, outer: Call | None) -> None:
        """The call of this thread has ended."""
        if outer is None:
            self.running.pop(threading.get_ident(), None)
        else:
            self.running[threading.get_ident()] = outer

    def look(self) -> list[Alarm]:
        """The limits that calls have passed since the last look, each once."""
        alarms = []
        moment = time.perf_counter()
        running = dict(self.running)
        self._passed = {thread: passed for thread, passed in self._passed.items() if thread in running}
        for thread, call in running.items():
            plugin, hook, started, writes = call
            seconds = moment - started
            if seconds < SLOW:
                continue
            passed = self._passed.setdefault(thread, {})
            before = passed.get(call, 0)
            now = sum(seconds >= limit for limit in _LIMITS)
            alarms += [Alarm(limit, plugin, hook, seconds, _where(thread), writes) for limit in _LIMITS[before:now]]
            passed[call] = now
        return alarms


def _where(thread: int) -> str:
    frame: FrameType | None = sys._current_frames().get(thread)
    if frame is None:
        return "just ended"
    name = frame.f_code.co_filename.rsplit("/", 1)[-1]
    return f"{name}, line {frame.f_lineno}, in {frame.f_code.co_name}"
