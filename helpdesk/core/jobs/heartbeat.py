"""One thread for each process that runs jobs: it lengthens their leases, and stops what takes too long."""

import ctypes
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from flask import Flask

from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import alarm, claims, workers
from helpdesk.core.jobs.alarm import AlarmClock
from helpdesk.core.jobs.claims import Claim
from helpdesk.core.models import Worker

log = logging.getLogger(__name__)

EXTENSION = "helpdesk.heartbeat"
_SLOWEST_BEAT = 15.0
_LOOK = 0.5
# One that was told to stop has so long to do it; then its process is replaced.
_PATIENCE = 20.0


class TookTooLong(BaseException):
    """Raised in the thread of a job that passed its time limit; nothing that means errors catches it."""


@dataclass
class _Running:
    claim: Claim
    limit: timedelta
    thread: int
    began: float = field(default_factory=time.monotonic)
    told_at: float | None = None

    @property
    def is_late(self) -> bool:
        return time.monotonic() - self.began > self.limit.total_seconds()


class Heartbeat(threading.Thread):
    """Keeps the jobs of this process its own until they end, or have had their time.

    ``worker`` is the row that it beats in; none for a command that runs jobs once. ``leave`` asks for a fresh process
    in place of this one, where a job cannot be stopped otherwise.
    """

    def __init__(self, app: Flask, worker: Worker | None = None, leave: Callable[[], None] | None = None) -> None:
        super().__init__(name="heartbeat", daemon=True)
        config: Config = app.config["HELPDESK"]
        self._app = app
        self.worker = worker
        self._leave = leave
        self._every = min(_SLOWEST_BEAT, config.lease_seconds / 3)
        self._lock = threading.Lock()
        self._held: dict[int, Claim] = {}
        self._running: dict[int, _Running] = {}
        self._stops = threading.Event()

    def stop(self) -> None:
        """End the thread. What is still held loses its lease in time."""
        self._stops.set()

    def run(self) -> None:
        beaten = time.monotonic()
        while not self._stops.wait(min(_LOOK, self._every)):
            try:
                self._look()
                if time.monotonic() - beaten >= self._every:
                    beaten = time.monotonic()
                    self._beat()
            except Exception:
                # A database that is away must not end the thread: it tries again.
                log.warning("The leases of running jobs could not be lengthened; it is tried again.", exc_info=True)

    # ---- called by the threads that run jobs

    @contextmanager
    def holding(self, batch: Collection[Claim]) -> Iterator[None]:
        """Lengthen the leases of a batch for as long as the block runs."""
        with self._lock:
            self._held.update({one.id: one for one in batch})
        try:
            yield
        finally:
            self.drop([one.id for one in batch])

    def held(self) -> list[Claim]:
        """What this process has in hands, without what should have ended."""
        with self._lock:
            late = {number for number, running in self._running.items() if running.is_late}
            return [one for number, one in self._held.items() if number not in late]

    def drop(self, ids: Collection[int]) -> None:
        """These are held no longer."""
        with self._lock:
            for number in ids:
                self._held.pop(number, None)

    @contextmanager
    def timing(self, claim: Claim, limit: timedelta) -> Iterator[None]:
        """Run one job in the block, in this thread. Raises :class:`TookTooLong` in it after ``limit``."""
        with self._lock:
            self._running[claim.id] = _Running(claim, limit, threading.get_ident())
        try:
            yield
        finally:
            self._end(claim)

    def _end(self, claim: Claim) -> None:
        try:
            self._forget(claim)
        except TookTooLong:
            # It came while this was being done; there is only one for each job.
            self._forget(claim)
            raise

    def _forget(self, claim: Claim) -> None:
        with self._lock:
            running = self._running.pop(claim.id, None)
            if running is not None and running.told_at is not None:
                # If it has not come by now, it must not come later, into something else.
                _raise_in(running.thread, None)

    # ---- its own thread

    def _look(self) -> None:
        with self._lock:
            late = [running for running in self._running.values() if running.is_late]
            for running in late:
                if running.told_at is None:
                    running.told_at = time.monotonic()
                    _raise_in(running.thread, TookTooLong)
        for running in late:
            if running.told_at is not None and time.monotonic() - running.told_at > _PATIENCE:
                self._abandon(running)

    def _abandon(self, running: _Running) -> None:
        """A job hears nothing: it is settled from here, so that its own end changes nothing, and the process goes."""
        running.told_at = float("inf")
        log.error("Job %s (%s) could not be stopped; this process is replaced.", running.claim.id, running.claim.name)
        try:
            with self._app.app_context():
                claims.retry_later(running.claim, too_long(running.limit))
        except Exception:
            # It may hold the writer's lock: its lease runs out then.
            log.warning("It could not be written down.", exc_info=True)
        if self._leave is not None:
            self._leave()

    def _beat(self) -> None:
        with self._app.app_context():
            try:
                claims.extend(self.held())
                if self.worker is not None:
                    workers.beat(self.worker)
                    # An idle worker takes up what another one loses as soon as that may be.
                    self._set_alarm()
            finally:
                db.session.remove()

    def _set_alarm(self) -> None:
        clock: AlarmClock | None = self._app.extensions.get(alarm.EXTENSION)
        if clock is not None:
            clock.set(alarm.next_moment())


def too_long(limit: timedelta) -> str:
    """What is written on a job that was stopped."""
    seconds = int(limit.total_seconds())
    span = f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"
    return f"It took longer than {span} and was stopped."


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    """Raise an exception in another thread, at its next step; None takes one back that has not come yet."""
    argument = None if error is None else ctypes.py_object(error)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), argument)


@contextmanager
def of(app: Flask) -> Iterator[Heartbeat]:
    """The heartbeat of this process; where there is none, one for as long as the block runs."""
    found: Heartbeat | None = app.extensions.get(EXTENSION)
    if found is not None:
        yield found
        return
    own = Heartbeat(app)
    own.start()
    try:
        yield own
    finally:
        own.stop()
        own.join()
