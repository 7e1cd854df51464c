"""What follows from a job that was given up is a job of its own: with a limit, attempts and an error of its own.

Whoever gives a job up holds the writer's lock and, for the jobs of a lost worker, many rows: no plugin runs there.
"""

from datetime import timedelta

from helpdesk.core.extensions import db
from helpdesk.core.jobs import known, ledger
from helpdesk.core.models import Job
from helpdesk.core.models.job import FAILED

JOB = "core.given_up"
TIME_LIMIT = timedelta(seconds=30)


def ask(job_id: int, name: str) -> None:
    """Ask for what is to follow, where something is. Inside the transaction that gives the job up."""
    declared = known.declared(name)
    if declared is not None and declared.given_up is not None:
        ledger.schedule(JOB, job_id=job_id)


def tell(job_id: int) -> None:
    """Call ``given_up`` of the job (a job, in one transaction); nothing when somebody has retried it meanwhile."""
    job = db.session.get(Job, job_id)
    declared = known.declared(job.name) if job is not None and job.state == FAILED else None
    if job is not None and declared is not None and declared.given_up is not None:
        declared.given_up(reason=job.error, **job.args)
