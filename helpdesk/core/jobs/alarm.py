"""An alarm clock in each worker: what is asked for at a time starts at that time, not with the next minute."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, literal_column, select

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Job, Schedule
from helpdesk.core.models.job import PRIORITIES

log = logging.getLogger(__name__)

EXTENSION = "helpdesk.alarm"
# What is due later than this is found by the sweep of every minute.
AHEAD = timedelta(seconds=60)
_PAUSE = timedelta(milliseconds=200)


def next_moment() -> datetime | None:
    """When something is due next, if that is within :data:`AHEAD`. In an app context; reads only.

    That may be a job, a schedule, or what a worker held that is not heard of until its lease ends.
    """
    moment = now()
    coming = (Job.state == literal_column("'waiting'"), Job.run_at > moment, Job.run_at <= moment + AHEAD)
    jobs = [select(func.min(Job.run_at)).where(Job.priority == one, *coming) for one in PRIORITIES]
    schedules = select(func.min(Schedule.next_due_at)).where(
        Schedule.enabled, Schedule.next_due_at > moment, Schedule.next_due_at <= moment + AHEAD
    )
    leases = select(func.min(Job.lease_until)).where(
        Job.state == literal_column("'running'"), Job.lease_until <= moment + AHEAD
    )
    found = db.session.execute(select(*(query.scalar_subquery() for query in [*jobs, schedules, leases]))).one()
    # Not at once: one whose lease has ended may be locked by somebody who takes it just now.
    return min((max(at, moment + _PAUSE) for at in found if at is not None), default=None)


class AlarmClock(threading.Thread):
    """Calls ``ring()`` at the moment it is set to, once. Every look for work sets it anew."""

    def __init__(self, ring: Callable[[], None]) -> None:
        super().__init__(name="alarm", daemon=True)
        self._ring = ring
        self._at: datetime | None = None
        self._changed = threading.Condition()

    def set(self, moment: datetime | None) -> None:
        """Ring at ``moment``; an earlier one that it is set to stays. None changes nothing."""
        if moment is None:
            return
        with self._changed:
            if self._at is None or moment < self._at:
                self._at = moment
                self._changed.notify()

    def run(self) -> None:
        while True:
            self._wait()
            try:
                self._ring()
            except Exception:
                # The minute's sweep finds what is due.
                log.warning("A worker could not be woken at the time.", exc_info=True)

    def _wait(self) -> None:
        with self._changed:
            while self._at is None or (left := (self._at - now()).total_seconds()) > 0:
                # Not for long at once: the clock may be changed meanwhile.
                self._changed.wait(None if self._at is None else min(left, AHEAD.total_seconds()))
            self._at = None
