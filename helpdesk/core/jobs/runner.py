"""Runs due jobs. Called by a worker when it is woken, every minute, and by `helpdesk job run-due`."""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from flask import Flask, current_app
from sqlalchemy.exc import InterfaceError, OperationalError

from helpdesk.core import account_mail, bulk, handover, holding, reply_drafts, schedules, token_expiry, unused_files
from helpdesk.core.audit import checking
from helpdesk.core.backups import asking, scheduled
from helpdesk.core.backups.errors import BackupError
from helpdesk.core.channels import intake, outbox
from helpdesk.core.clock import now
from helpdesk.core.deliveries import JOB as DELIVER
from helpdesk.core.events import dispatch, held
from helpdesk.core.events.record import DISPATCH, NOTICE_MAIL, NOTIFY
from helpdesk.core.extensions import db
from helpdesk.core.jobs import claims, given_up, heartbeat, known, ledger, retention, workers
from helpdesk.core.jobs.claims import BATCH, Claim, LeaseLost
from helpdesk.core.jobs.heartbeat import Heartbeat, TookTooLong
from helpdesk.core.jobs.work import Cancelled, Work
from helpdesk.core.notifications import mailing, telling
from helpdesk.core.search import index, rebuilding
from helpdesk.core.transaction import Busy, transaction
from helpdesk.core.workflow import alarms, confirming, giving
from helpdesk.plugins.calls import ANYTHING
from helpdesk.plugins.jobs import LATER, SOON, Job

log = logging.getLogger(__name__)

# Set (threading.Event) when this process is to end: nothing new is begun then.
STOPPING = "helpdesk.stopping"
# Whoever waits for the writer's lock in vain comes back soon.
_BUSY_PAUSE = timedelta(seconds=5)
# Seconds: how an end that cannot be written down is tried again, and for how long.
_PAUSE, _PATIENCE = 1.0, 600.0
_T = TypeVar("_T")


def _hand_out_facts(work: Work) -> None:
    dispatch.dispatch()


_BACKUP_TIMES: dict[str, Any] = {"time_limit": scheduled.TIME_LIMIT, "first_pause": scheduled.FIRST_PAUSE}
CORE_JOBS: dict[str, Job] = {
    job.name: job
    for job in (
        Job(DELIVER, outbox.deliver, max_attempts=outbox.ATTEMPTS, given_up=outbox.given_up),
        Job(intake.JOB, intake.act, priority=SOON, given_up=intake.given_up),
        Job(intake.LEFT_JOB, intake.act_on_left),
        Job(DISPATCH, _hand_out_facts, priority=SOON),
        Job(held.RETRY_JOB, held.retry),
        Job(NOTIFY, telling.tell, priority=SOON),
        Job(NOTICE_MAIL, mailing.send, priority=SOON),
        Job(bulk.JOB, bulk.run),
        Job(bulk.UNDO_JOB, bulk.run_undo),
        Job(handover.JOB, handover.run),
        Job(unused_files.JOB, unused_files.remove),
        Job(unused_files.SWEEP_JOB, unused_files.sweep, priority=LATER),
        Job(scheduled.JOB, scheduled.back_up, max_attempts=4, at_once=1, priority=LATER, **_BACKUP_TIMES),
        Job(asking.JOB, asking.run, at_once=1, priority=LATER, **_BACKUP_TIMES),
        Job(given_up.JOB, given_up.tell, priority=SOON, time_limit=given_up.TIME_LIMIT),
        Job(account_mail.RESET_JOB, account_mail.send_reset, priority=SOON),
        Job(account_mail.REGISTER_JOB, account_mail.send_registration, priority=SOON),
        Job(retention.JOB, retention.purge_old, priority=LATER),
        Job(checking.JOB, checking.check, at_once=1, priority=LATER, time_limit=checking.TIME_LIMIT),
        Job(token_expiry.JOB, token_expiry.warn),
        Job(reply_drafts.JOB, reply_drafts.send, priority=SOON, given_up=reply_drafts.given_up),
        Job(alarms.JOB, alarms.ring, priority=SOON),
        Job(giving.JOB, giving.give_out_waiting),
        Job(confirming.JOB, confirming.close_silent, priority=LATER),
        Job(rebuilding.JOB, rebuilding.rebuild, at_once=1, priority=LATER, time_limit=rebuilding.TIME_LIMIT),
    )
}
known.OWN.update(CORE_JOBS)


def run_due(limit: int = 10_000) -> int:
    """Claim and run due jobs until none is due (or ``limit``); answer how many ran. In an app context.

    Those of schedules whose time has come are asked for first.
    """
    _look_at_schedules()
    _look_at_alarms()
    _read_for_search()
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    ran = 0
    with heartbeat.of(app) as heart:
        while ran < limit and not _stops(app) and (batch := _claim(heart, min(BATCH, limit - ran))):
            if len(batch) == BATCH or _is_in_steps(batch[-1]):
                # There may be more than this thread has taken.
                ledger.nudge(now())
            ran += _Batch(app, heart, batch).run()
    return ran


def _look_at_schedules() -> None:
    try:
        schedules.look()
    except Exception:  # what waits in the ledger runs all the same
        db.session.rollback()
        log.exception("The schedules could not be looked at; they are tried again.")


def _look_at_alarms() -> None:
    try:
        alarms.look()
    except Exception:
        db.session.rollback()
        log.exception("The tickets' moments could not be looked at; they are tried again.")


def _read_for_search() -> None:
    try:
        index.look()
    except Exception:  # what waits in the ledger runs all the same
        db.session.rollback()
        log.exception("The search could not read what was written; it is tried again.")


def _claim(heart: Heartbeat, limit: int) -> list[Claim]:
    worker = heart.worker.label if heart.worker is not None else f"{workers.HOST[:80]}:{os.getpid()}"
    return claims.claim(worker, limit, holding.SAFE_JOBS if holding.held_since() else None, heart.held())


def _is_in_steps(claim: Claim) -> bool:
    job = known.find(claim.name)
    return job is not None and job.takes_work


def _stops(app: Flask) -> bool:
    stopping: threading.Event | None = app.extensions.get(STOPPING)
    return stopping is not None and stopping.is_set()


class _Batch:
    """The jobs of one claim, run one after the other. The transaction that ends one begins the next."""

    def __init__(self, app: Flask, heart: Heartbeat, batch: list[Claim]) -> None:
        self._app = app
        self._heart = heart
        self._waiting = deque(batch)

    def run(self) -> int:
        """Answer how many ran. Where this process is to end, the rest is put back."""
        ran = 0
        with self._heart.holding(list(self._waiting)):
            # Whoever waited for the writer's lock may come too late.
            begun = not _stops(self._app)
            while self._waiting:
                if not begun and _stops(self._app):
                    claims.put_back(self._waiting)
                    break
                one = self._waiting.popleft()
                if begun:
                    begun = self._run(one)
                    ran += 1
                else:
                    # It was lost to another worker before it began.
                    begun = self._begin_next()
                self._heart.drop([one.id])
        return ran

    def _next(self) -> Claim | None:
        return self._waiting[0] if self._waiting and not _stops(self._app) else None

    def _begin_next(self) -> bool:
        following = self._next()
        return following is not None and self._write(lambda: claims.begin(following))

    def _write(self, call: Callable[[], _T]) -> _T:
        """Write down how a job has ended; where the database takes nothing, again until it does.

        Nothing else could begin meanwhile, and the job stays held: to let go of it would look like a death. What the
        database says is raised on after ten minutes, and when this process is to end.
        """
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                return call()
            except (Busy, OperationalError, InterfaceError) as error:
                db.session.rollback()
                if _stops(self._app) or time.monotonic() > deadline:
                    raise
                said = getattr(error, "orig", None) or error
                log.warning("It cannot be written down how a job has ended; it is tried again: %s", said)
            time.sleep(_PAUSE)

    def _run(self, claim: Claim) -> bool:
        """Run a job that has begun, and settle it; answer whether the next has begun."""
        job = known.find(claim.name)
        if job is None:
            # Its plugin is off or gone: parked with its arguments, and run when somebody retries it.
            error = f"There is no job “{claim.name}” now; switch its plugin on and retry."
            return self._write(lambda: claims.give_up(claim, error, self._next()))
        try:
            with self._heart.timing(claim, job.time_limit):
                return self._in_steps(job, claim) if job.takes_work else self._at_once(job, claim)
        except LeaseLost:
            log.warning("Job %s (%s) was lost to another worker; nothing was written.", claim.id, claim.name)
        except Cancelled:
            self._write(lambda: claims.cancelled(claim))
        except TookTooLong:
            # It may have come in the middle of anything that has to do with the database.
            db.session().invalidate()
            db.session.remove()
            return self._failed(claim, heartbeat.too_long(job.time_limit))
        except Busy as error:
            return self._later(claim, ledger.NotYet(str(error), _BUSY_PAUSE, counts=False))
        except ledger.NotYet as error:
            return self._later(claim, error)
        except ANYTHING as error:  # kept with the job, retried, shown
            return self._failed(claim, _said(error), error)
        return self._begin_next()

    def _at_once(self, job: Job, claim: Claim) -> bool:
        """A short job: its effects, that it is done, and the beginning of the next are one transaction."""
        with transaction():
            result = job.run(**claim.args)
            return claims.finish(claim, _kept(result), self._next())

    def _in_steps(self, job: Job, claim: Claim) -> bool:
        work = Work(claim)
        result = job.run(**claim.args, work=work)
        if work.ended:
            return self._begin_next()
        with transaction():
            return claims.finish(claim, _kept(result), self._next())

    def _later(self, claim: Claim, error: ledger.NotYet) -> bool:
        db.session.rollback()
        log.info("Job %s (%s) waits: %s", claim.id, claim.name, error)
        how: dict[str, Any] = {"after": error.after, "counts": error.counts}
        return self._write(lambda: claims.retry_later(claim, str(error), **how, following=self._next()))

    def _failed(self, claim: Claim, reason: str, error: BaseException | None = None) -> bool:
        db.session.rollback()
        log.error("Job %s (%s) failed: %s", claim.id, claim.name, reason, exc_info=error)
        return self._write(lambda: claims.retry_later(claim, reason, following=self._next()))


def _said(error: BaseException) -> str:
    """What is kept with the job. An error of backups is a sentence for owners; others name what they are."""
    return str(error) if isinstance(error, BackupError) else f"{type(error).__name__}: {error}"


def _kept(result: Any) -> dict[str, Any] | None:
    return result if isinstance(result, dict) else None
