"""The worker: Huey's consumer, woken by the queue and by the minute, running what the ledger says is due."""

import logging
import os
import signal
import sys
import threading
import time
from typing import Any

from flask import Flask
from huey.consumer import Consumer, Scheduler
from huey.consumer import Worker as Looking

from helpdesk.core import schema
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import alarm, heartbeat, huey, ledger, messages, runner, workers
from helpdesk.core.jobs.alarm import AlarmClock
from helpdesk.core.jobs.heartbeat import Heartbeat
from helpdesk.core.jobs.messages import Unverified
from helpdesk.core.keeper import Keeper
from helpdesk.core.services import Services
from helpdesk.plugins import manager, start

log = logging.getLogger(__name__)

# A wake-up is found within this many seconds; the queue's own file is all that an idle worker reads.
_FIRST_LOOK, _SLOWEST_LOOK = 0.02, 0.08
# While the queue is away, the ledger is asked so often.
_WITHOUT_QUEUE = 2.0
# Less than whoever keeps this process allows it: what is cut off is put back in order.
_DRAIN = 17


def run(app: Flask, threads: int = 2) -> None:
    """Run jobs until TERM or INT; what is running is finished first (17 s at most), the rest is put back.

    Asked to start anew (new code, a hook or a job that hangs), the process turns into a fresh one when it has stopped.
    """
    logging.getLogger("huey.consumer").setLevel(logging.WARNING)
    consumer = _Consumer(app, threads)
    anew = threading.Event()

    def replace() -> None:
        anew.set()
        os.kill(os.getpid(), signal.SIGTERM)

    marks = app.extensions[manager.EXTENSION].marks
    if marks is not None:
        _heed_term(consumer, marks)
    # Before there is anything to leave behind: whoever ends the process from now on ends it in order.
    consumer._set_signal_handlers()
    with app.app_context():
        schema.welcome_plugins()
        workers.bury()
        row = workers.sign_on(threads, huey.kind(app.config["HELPDESK"]))
        db.session.remove()
    keeper = Keeper(app, replace)
    keeper.start()
    heart = app.extensions[heartbeat.EXTENSION] = Heartbeat(app, row, lambda: keeper.leave(_DRAIN + 8.0))
    clock = app.extensions[alarm.EXTENSION] = AlarmClock(lambda: _ring(app))
    services = Services(app, row, consumer.stop_flag)
    heart.start()
    clock.start()
    services.start()
    consumer.run()
    # They heard of the end when the consumer did, and have what is left of the same time.
    services.join(max(0.0, consumer.ends_at - time.monotonic()))
    _sign_off(app, heart)
    with app.app_context():
        # The last one that lets go of an SQLite database writes its log back: a copy of the file is whole then.
        db.engine.dispose()
    if marks is not None:
        # What is still running now is cut off, and not to blame for it.
        marks.take_away()
    if anew.is_set():
        sys.stdout.flush()
        sys.stderr.flush()
        # The threads that hang are gone with the old image.
        os.execv(sys.executable, [sys.executable, "-m", "helpdesk.cli", "worker"])


class _Minutes(Scheduler):
    """The thread that keeps the minute. We put nothing into Huey's timetable: what is there goes the queue's way."""

    def loop(self, _now: Any = None) -> None:
        storage = self.huey.storage
        try:
            for data in storage.read_schedule(now().replace(tzinfo=None)):
                storage.enqueue(data)
        except Exception:  # noqa: BLE001 - a queue that is away comes back; the others say so
            log.debug("The queue's timetable cannot be read.", exc_info=True)
        super().loop()


class _Consumer(Consumer):
    """Huey's consumer, with threads of our own kind; the runner hears of the end as soon as it does."""

    scheduler_class = _Minutes

    def __init__(self, app: Flask, threads: int) -> None:
        self._app = app
        # When all has to be finished, once it was asked to stop.
        self.ends_at = 0.0
        super().__init__(
            app.extensions[huey.EXTENSION],
            workers=threads,
            periodic=True,
            initial_delay=_FIRST_LOOK,
            backoff=1.3,
            max_delay=_SLOWEST_LOOK,
            graceful_signal="TERM",
            shutdown_timeout=_DRAIN,
        )
        app.extensions[runner.STOPPING] = self.stop_flag

    def stop(self, graceful: bool = False) -> None:
        self.ends_at = time.monotonic() + _DRAIN
        super().stop(graceful)

    def _create_worker(self) -> Looking:
        return _Looking(self._app, self.huey, self.stop_flag, self.default_delay, self.max_delay, self.backoff)


class _Looking(Looking):
    """A thread that looks into the queue. What it finds there that we did not write is put aside, and it goes on."""

    def __init__(self, app: Flask, *rest: Any) -> None:
        super().__init__(*rest)
        self._app = app
        self._away_since: float | None = None

    def loop(self, _now: Any = None) -> None:
        try:
            data = self.huey.storage.dequeue()
        except Exception as error:  # noqa: BLE001 - a queue that is away comes back
            self._go_without(error)
            return
        if self._away_since is not None:
            log.warning("The queue is back after %.0f s.", time.monotonic() - self._away_since)
            self._away_since = None
        if data is not None:
            self.delay = self.default_delay
            self._wake(bytes(data))
        elif not self.huey.storage.blocking:
            self.sleep()

    def _wake(self, data: bytes) -> None:
        try:
            task = self.huey.deserialize_task(data)
        except Exception as error:  # noqa: BLE001 - whatever is in there
            reason = str(error) if isinstance(error, Unverified) else "It is no task that this version has."
            with self._app.app_context():
                messages.put_aside(huey.kind(self._app.config["HELPDESK"]), data, reason)
                db.session.remove()
            # Somebody may have seen it waiting, and have left it at that.
            self._look()
            return
        self.huey.execute(task)

    def _go_without(self, error: Exception) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            log.warning("The queue cannot be read (%s); the ledger is asked every %.0f s.", error, _WITHOUT_QUEUE)
        if not self.stop_flag.wait(_WITHOUT_QUEUE):
            self._look()

    def _look(self) -> None:
        try:
            self._app.extensions[huey.WAKE]()
        except Exception:
            log.exception("What is due could not be run; it is tried again.")


def _ring(app: Flask) -> None:
    """Wake one worker for what is due now; where the queue is away, its threads look by themselves."""
    with app.app_context():
        ledger.nudge(now())


def _sign_off(app: Flask, heart: Heartbeat) -> None:
    heart.stop()
    try:
        with app.app_context():
            assert heart.worker is not None
            workers.sign_off(heart.worker)
            db.session.remove()
    except Exception:
        # Its leases run out, and its row is taken away by the next worker.
        log.warning("The worker could not put back what it held.", exc_info=True)


def _heed_term(consumer: Consumer, marks: start.Marks) -> None:
    """Whoever asks the worker to end may kill it before a long fact has ended: its plugin is not to blame."""
    set_handlers = consumer._set_signal_handlers

    def handlers() -> None:
        set_handlers()
        start.heed_term(marks)

    consumer._set_signal_handlers = handlers
