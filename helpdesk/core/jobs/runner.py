"""Runs due jobs. Called by a worker when it is woken, every minute, and by `helpdesk job run-due`."""

import logging
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

from helpdesk.core.channels import intake, outbox
from helpdesk.core.deliveries import JOB as DELIVER
from helpdesk.core.events import dispatch
from helpdesk.core.events.record import DISPATCH
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Job
from helpdesk.plugins import manager

log = logging.getLogger(__name__)

WORKER = f"{socket.gethostname()}:{os.getpid()}"

CORE_JOBS: Mapping[str, Callable[..., Any]] = {
    DELIVER: outbox.deliver,
    intake.JOB: intake.act,
    DISPATCH: dispatch.dispatch,
    dispatch.RETRY_JOB: dispatch.retry,
}


def run_due(limit: int = 10_000) -> int:
    """Claim and run due jobs until none is due (or ``limit``); answer how many ran. In an app context."""
    ran = 0
    while ran < limit and (jobs := ledger.claim(WORKER, min(20, limit - ran))):
        for job in jobs:
            run(job)
            ran += 1
    return ran


def run(job: Job) -> None:
    """Run one claimed job and settle it: done, retried later with a growing pause, or failed."""
    job_id, token, name, args = job.id, job.token or "", job.name, dict(job.args)
    function = _function(name)
    if function is None:
        # Its plugin is off or gone: parked with its arguments, and run when somebody retries it.
        ledger.give_up(job, f"There is no job “{name}” now; switch its plugin on and retry.")
        return
    if not ledger.extend(job_id, token):
        return
    try:
        function(**args)
    except Exception as error:  # noqa: BLE001 - kept with the job, retried, shown
        db.session.rollback()
        _failed(job, error)
        return
    ledger.finish(job_id, token)


def _failed(job: Job, error: Exception) -> None:
    expected = isinstance(error, ledger.NotYet)
    log.log(logging.WARNING if expected else logging.ERROR, "Job %s (%s) failed: %s", job.id, job.name, error,
            exc_info=None if expected else error)  # fmt: skip
    ledger.retry_later(job, str(error) if expected else f"{type(error).__name__}: {error}")
    if job.name == DELIVER and job.attempts >= job.max_attempts:
        outbox.given_up(job.args["delivery_id"], str(error))


def _function(name: str) -> Callable[..., Any] | None:
    if name in CORE_JOBS:
        return CORE_JOBS[name]
    job = manager.current().find("register_jobs", name)
    return job.run if job is not None else None
