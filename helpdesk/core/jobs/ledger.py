"""Jobs as rows: asking for them, cancelling and repeating them. The database is the truth; Huey is only told to look.

What workers do with the rows stands in ``claims``.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import ColumnElement, select, update

from helpdesk.core.clock import now
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import known
from helpdesk.core.models import Job, User
from helpdesk.core.models.job import CANCELLED, FAILED, PRIORITIES, RUNNING, WAITING
from helpdesk.core.transaction import add_or_find, after_commit, count_rows, transaction

NUDGE = "helpdesk.nudge"


class NotYet(Exception):
    """Raised by a job that cannot do its work now and is to be tried later. The text says why.

    ``after`` is how long it waits (None: as after an error). One that does not count uses up no attempt: it may
    wait for as long as it has to, for something that is switched off.
    """

    def __init__(self, reason: str, after: timedelta | None = None, counts: bool = True) -> None:
        super().__init__(reason)
        self.after = after
        self.counts = counts


def lease() -> timedelta:
    """For how long a worker holds its jobs without being heard of."""
    config: Config = current_app.config["HELPDESK"]
    return timedelta(seconds=config.lease_seconds)


def schedule(
    name: str,
    *,
    at: datetime | None = None,
    key: str | None = None,
    max_attempts: int | None = None,
    priority: int | None = None,
    asked_by: User | None = None,
    **args: Any,
) -> Job:
    """Ask for a job: ``name`` as registered, JSON arguments, run at ``at`` (aware; None: now).

    Joins the open transaction, or opens one; a worker is woken after the commit. With a ``key`` there is at
    most one such job that has not begun: a second call moves it to ``at`` with the new arguments. One that has begun
    has given its key back for good, so that what comes in while it runs is not passed over, and the pause after an
    attempt that failed is not cut short: it may wait beside the next one of its key. ``max_attempts`` and
    ``priority`` (SOON, NORMAL, LATER) are the job's own where they are not given; ``asked_by`` is the person who
    wants it. A name that nobody has is kept: its plugin may be away.

    Raises :class:`ValueError` for arguments that are not JSON or that the job's function does not take, for a naive
    time, and for a priority that there is not.
    """
    run_at = at or now()
    _check(name, run_at, priority, args)
    declared = known.declared(name)
    if declared is not None:
        known.check(declared, args)
    wanted: dict[str, Any] = {"run_at": run_at, "args": args}
    if max_attempts is not None:
        wanted["max_attempts"] = max_attempts
    if priority is not None:
        wanted["priority"] = priority
    if asked_by is not None:
        wanted["asked_by_id"] = asked_by.id
    own = {"max_attempts": declared.max_attempts, "priority": declared.priority} if declared is not None else {}
    with transaction():
        job = _waiting(key, run_at, args)
        if job is None:
            new = Job(**{"name": name, "key": key, **own, **wanted})
            job = add_or_find(new, lambda: _waiting(key, run_at, args))
        if not _says(job, run_at, args):
            job.run_at, job.args = run_at, args
        for column in wanted.keys() - {"run_at", "args"}:
            setattr(job, column, wanted[column])
        db.session.flush()
        after_commit(lambda: nudge(run_at))
    return job


def schedule_many(name: str, every: Sequence[dict[str, Any]]) -> list[Job]:
    """:func:`schedule` for many jobs of one name that are due now, one for each set of arguments, with one statement.

    Joins the open transaction, or opens one. Raises :class:`ValueError` as :func:`schedule` does.
    """
    run_at = now()
    declared = known.declared(name)
    for args in every:
        _check(name, run_at, None, args)
        if declared is not None:
            known.check(declared, args)
    own = {"max_attempts": declared.max_attempts, "priority": declared.priority} if declared is not None else {}
    with transaction():
        jobs = [Job(name=name, run_at=run_at, args=args, **own) for args in every]
        db.session.add_all(jobs)
        db.session.flush()
        after_commit(lambda: nudge(run_at))
    return jobs


def _check(name: str, run_at: datetime, priority: int | None, args: dict[str, Any]) -> None:
    try:
        json.dumps(args)
    except (TypeError, ValueError) as error:
        raise ValueError(f"The arguments of job {name} must be JSON: {error}") from error
    if run_at.tzinfo is None:
        raise ValueError(f"The time of job {name} must carry a time zone.")
    if priority is not None and priority not in PRIORITIES:
        raise ValueError(f"The job {name} has no priority {priority}; use SOON, NORMAL or LATER.")


def _waiting(key: str | None, run_at: datetime, args: dict[str, Any]) -> Job | None:
    """The job that waits under a key, locked, so that no worker takes it before what is asked for is committed.

    Where it stays as it is, the lock is shared: all who record a fact ask for the same job.
    """
    if key is None:
        return None
    query = select(Job).where(Job.key == key)
    job = db.session.scalar(query)
    if job is None:
        return None
    stays = _says(job, run_at, args)
    return db.session.scalar(query.with_for_update(read=stays).execution_options(populate_existing=True))


def _says(job: Job, run_at: datetime, args: dict[str, Any]) -> bool:
    """Whether the job does already what is asked for: the same, as soon."""
    return job.args == args and (job.run_at == run_at or (job.run_at <= run_at <= now()))


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


def retry(job: Job) -> bool:
    """Run a failed or cancelled job again, with fresh attempts; False when it is neither. Joins or opens.

    One in steps goes on at its last checkpoint.
    """
    return bool(_run_again(Job.id == job.id, Job.state.in_((FAILED, CANCELLED))))


def retry_failed(name: str, limit: int) -> int:
    """Run the failed jobs of a name again, the oldest ``limit`` of them; answer how many. Joins or opens."""
    oldest = select(Job.id).where(Job.name == name, Job.state == FAILED).order_by(Job.id).limit(limit)
    return _run_again(Job.id.in_(oldest), Job.state == FAILED)


def _run_again(*which: ColumnElement[bool]) -> int:
    moment = now()
    fresh = {"attempts": 0, "deaths": 0, "cancel_asked": False, "finished_at": None, "started_at": None}
    with transaction():
        changed = count_rows(update(Job).where(*which).values(state=WAITING, run_at=moment, **fresh))
        after_commit(lambda: nudge(moment))
    return changed


def cancel(job: Job) -> bool:
    """Cancel a job; False when it is done, or runs and cannot be stopped. Joins or opens the transaction.

    One that has not begun, or has failed, is cancelled at once. One in steps that runs is asked to stop
    (``cancel_asked``), which it does at its next step.
    """
    declared = known.declared(job.name)
    with transaction():
        not_begun = (Job.state == RUNNING) & Job.started_at.is_(None)
        changed = count_rows(
            update(Job)
            .where(Job.id == job.id, Job.state.in_((WAITING, FAILED)) | not_begun)
            .values(state=CANCELLED, key=None, token=None, lease_until=None, finished_at=now())
        )
        if not changed and declared is not None and declared.takes_work:
            running = (Job.id == job.id, Job.state == RUNNING)
            changed = count_rows(update(Job).where(*running).values(cancel_asked=True))
    return bool(changed)
