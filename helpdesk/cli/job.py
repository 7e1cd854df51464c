"""Work for later: what waits, runs, is done and has failed."""

from typing import Any

import click
from sqlalchemy import select

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger, runner
from helpdesk.core.models import Job
from helpdesk.core.models.job import STATES

_COLUMNS = ("id", "name", "state", "attempts", "run_at", "error")


@click.group("job")
def job_command() -> None:
    """See, run, repeat and cancel jobs."""


@job_command.command("list")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@in_app
def list_jobs(state: tuple[str, ...], limit: int, as_json: bool) -> None:
    """List jobs, newest first.

    Example: helpdesk job list --state failed
    """
    query = select(Job).order_by(Job.id.desc()).limit(limit)
    if state:
        query = query.where(Job.state.in_(state))
    print_rows((_row(job) for job in db.session.scalars(query)), _COLUMNS, as_json, "There are no such jobs.")


@job_command.command()
@click.argument("number", type=int)
@json_option
@in_app
def show(number: int, as_json: bool) -> None:
    """Show one job with its arguments and its last error.

    Example: helpdesk job show 7
    """
    row = _row(_job(number))
    print_result(row, "\n".join(f"{key}: {value}" for key, value in row.items() if value not in (None, "")), as_json)


@job_command.command("run-due")
@click.option("--limit", default=10_000, show_default=True, type=click.IntRange(1))
@json_option
@in_app
def run_due(limit: int, as_json: bool) -> None:
    """Run what is due now, as a worker would; a worker may run at the same time.

    Example: helpdesk job run-due
    """
    ran = runner.run_due(limit)
    print_result({"ran": ran}, "Nothing was due." if ran == 0 else f"Jobs run: {ran}.", as_json)


@job_command.command()
@click.argument("number", type=int)
@json_option
@in_app
def retry(number: int, as_json: bool) -> None:
    """Run a failed or cancelled job again.

    Example: helpdesk job retry 7
    """
    job = _job(number)
    if not ledger.retry(job):
        raise Impossible(f"Job {number} is {job.state}; only failed and cancelled ones are run again.")
    print_result(_row(job), f"Job {number} runs again.", as_json)


@job_command.command()
@click.argument("number", type=int)
@json_option
@in_app
def cancel(number: int, as_json: bool) -> None:
    """Cancel a job that has not begun.

    Example: helpdesk job cancel 7
    """
    job = _job(number)
    if not ledger.cancel(job):
        raise Impossible(f"Job {number} is {job.state}; only waiting and failed ones can be cancelled.")
    print_result(_row(job), f"Job {number} is cancelled.", as_json)


def _job(number: int) -> Job:
    job = db.session.get(Job, number)
    if job is None:
        raise Impossible(f"There is no job {number}; 'helpdesk job list' shows what there is.")
    return job


def _row(job: Job) -> dict[str, Any]:
    return {
        "id": job.id,
        "name": job.name,
        "state": job.state,
        "attempts": job.attempts,
        "max_attempts": job.max_attempts,
        "key": job.key,
        "args": job.args,
        "run_at": job.run_at,
        "finished_at": job.finished_at,
        "error": job.error,
    }
