"""Jobs as rows. The database is the truth; Huey is only told to look."""

import json
import random
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import or_, select, update

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Job
from helpdesk.core.models.job import CANCELLED, DONE, FAILED, RUNNING, WAITING
from helpdesk.core.transaction import add_or_find, after_commit, count_rows, transaction

LEASE = timedelta(seconds=120)
NUDGE = "helpdesk.nudge"
_FIRST_RETRY, _LAST_RETRY = timedelta(seconds=10), timedelta(hours=6)


class NotYet(Exception):
    """Raised by a job that cannot do its work now and is to be tried later. The text says why."""


def schedule(
    name: str,
    *,
    at: datetime | None = None,
    key: str | None = None,
    max_attempts: int | None = None,
    **args: Any,
) -> Job:
    """Ask for a job: ``name`` as registered, JSON arguments, run at ``at`` (aware; None: now).

    Joins the open transaction, or opens one; a worker is woken after the commit. With a ``key`` there is at
    most one such job waiting: a second call moves it to ``at`` with the new arguments. A job that has begun
    has given its key back, so that what comes in while it runs is not passed over.

    Raises :class:`ValueError` for arguments that are not JSON, or a naive time.
    """
    try:
        json.dumps(args)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The arguments of job {name} must be JSON: {error}") from error
    run_at = at or now()
    if run_at.tzinfo is None:
        raise ValueError(f"The time of job {name} must carry a time zone.")
    with transaction():
        new = Job(name=name, args=args, key=key, run_at=run_at)
        job = _waiting(key) or add_or_find(new, lambda: _waiting(key))
        job.run_at, job.args = run_at, args
        if max_attempts is not None:
            job.max_attempts = max_attempts
        db.session.flush()
        after_commit(lambda: nudge(run_at))
    return job


def _waiting(key: str | None) -> Job | None:
    return db.session.scalar(select(Job).where(Job.key == key)) if key is not None else None


def nudge(at: datetime) -> None:
    """Wake a worker at a time. Never raises: the sweep of every minute finds what was not told."""
    call: Callable[[datetime], None] | None = current_app.extensions.get(NUDGE)
    if call is None:
        return
    try:
        call(at)
    except Exception:  # noqa: BLE001 - a queue that is away must not undo a committed change
        current_app.logger.warning(
            "The queue could not be told of a job; the minute's sweep will find it.", exc_info=True
        )


def claim(worker: str, limit: int = 20) -> list[Job]:
    """Take due jobs, and those whose worker's lease ran out. Opens a transaction of its own."""
    moment = now()
    # Looked at without the writer's lock first: an idle desk does not write.
    due = or_(
        (Job.state == WAITING) & (Job.run_at <= moment),
        (Job.state == RUNNING) & (Job.lease_until < moment),
    )
    query = select(Job).where(due).order_by(Job.run_at, Job.id)
    if db.session.scalar(query.with_only_columns(Job.id).limit(1)) is None:
        return []
    with transaction():
        found = list(db.session.scalars(query.limit(limit).with_for_update(skip_locked=True)))
        jobs = [job for job in found if not _park_if_deadly(job, moment)]
        for job in jobs:
            job.state = RUNNING
            job.key = None
            job.worker = worker
            job.token = secrets.token_hex(16)
            job.lease_until = moment + LEASE
            job.attempts += 1
    return jobs


def _park_if_deadly(job: Job, moment: datetime) -> bool:
    """Give up a job whose workers were all lost while they ran it: it may be what kills them."""
    if job.state != RUNNING or job.attempts < job.max_attempts:
        return False
    job.state, job.finished_at, job.lease_until = FAILED, moment, None
    job.error = f"Its worker ended {job.attempts} times without finishing it."
    return True


def extend(job_id: int, token: str) -> bool:
    """Lengthen a lease; False when it was lost. Opens a transaction of its own."""
    return _settle(job_id, token, lease_until=now() + LEASE)


def finish(job_id: int, token: str) -> bool:
    """Mark a job done; False when another worker has it by now. Joins the open transaction."""
    return _settle(job_id, token, state=DONE, error="", finished_at=now(), lease_until=None)


def retry_later(job: Job, error: str) -> bool:
    """Put a failed job back with a growing pause, or give it up after its last attempt."""
    if job.attempts >= job.max_attempts:
        return _settle(job.id, job.token or "", state=FAILED, error=error, finished_at=now(), lease_until=None)
    # The exponent is capped: a job that waits for weeks must not overflow a timedelta.
    pause = min(_FIRST_RETRY * 4 ** min(job.attempts - 1, 10), _LAST_RETRY) * random.uniform(0.8, 1.2)
    run_at = now() + pause
    done = _settle(job.id, job.token or "", state=WAITING, error=error, run_at=run_at, lease_until=None)
    nudge(run_at)
    return done


def give_up(job: Job, error: str) -> bool:
    """Mark a job failed at once; a person decides what to do with it."""
    return _settle(job.id, job.token or "", state=FAILED, error=error, finished_at=now(), lease_until=None)


def retry(job: Job) -> bool:
    """Run a failed or cancelled job again, with fresh attempts; False when it is neither. Opens a transaction."""
    moment = now()
    with transaction():
        changed = count_rows(
            update(Job)
            .where(Job.id == job.id, Job.state.in_((FAILED, CANCELLED)))
            .values(state=WAITING, attempts=0, run_at=moment, finished_at=None)
        )
        after_commit(lambda: nudge(moment))
    return bool(changed)


def cancel(job: Job) -> bool:
    """Cancel a job that has not begun; False when it has. Opens a transaction of its own."""
    with transaction():
        changed = count_rows(
            update(Job)
            .where(Job.id == job.id, Job.state.in_((WAITING, FAILED)))
            .values(state=CANCELLED, key=None, finished_at=now())
        )
    return bool(changed)


def _settle(job_id: int, token: str, **values: Any) -> bool:
    with transaction():
        changed = count_rows(
            update(Job).where(Job.id == job_id, Job.token == token, Job.state == RUNNING).values(**values)
        )
    return bool(changed)
