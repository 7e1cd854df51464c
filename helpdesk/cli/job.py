"""Work for later: what waits, runs, is done and has failed."""

from typing import Any

import click

from helpdesk.cli.frame import Impossible, in_app, json_option, print_result, print_rows
from helpdesk.core import repairs
from helpdesk.core.extensions import db
from helpdesk.core.jobs import lookup, runner
from helpdesk.core.models import Job
from helpdesk.core.models.job import RUNNING, STATES

_COLUMNS = ("id", "name", "state", "attempts", "run_at", "worker", "progress", "error")
# What a database takes as a number.
_LARGEST = 2**63


@click.group("job")
def job_command() -> None:
    """See, run, repeat and cancel jobs."""


@job_command.command("list")
@click.option("--state", multiple=True, type=click.Choice(STATES), help="Only these; may be repeated.")
@click.option("--name", default="", help="Only jobs of this name, or of this plugin ('core': the desk itself).")
@click.option("--text", default="", help="Only those whose error, key or arguments contain this.")
@click.option("--before", type=click.IntRange(1, 2**63 - 1), help="Only those before this job: the next page.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@in_app
def list_jobs(state: tuple[str, ...], name: str, text: str, before: int | None, limit: int, as_json: bool) -> None:
    """List jobs, newest first.

    Example: helpdesk job list --state failed --name orders
    """
    query = lookup.matching(states=state, name=name, text=text).order_by(Job.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Job.id < before)
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
@click.argument("number", type=int, required=False)
@click.option("--failed", "name", metavar="NAME", help="Instead of one: all failed jobs of this name.")
@json_option
@in_app
def retry(number: int | None, name: str | None, as_json: bool) -> None:
    """Run a failed or cancelled job again, or all failed ones of a name (500 at once, the oldest first).

    Example: helpdesk job retry 7
    """
    if (number is None) == (name is None):
        raise Impossible("Say which: a NUMBER, or '--failed NAME' for all failed jobs of that name.")
    if name is not None:
        count = repairs.retry_failed(name, None)
        print_result({"name": name, "retried": count}, f"Jobs that run again: {count}.", as_json)
        return
    job = _job(number or 0)
    if not repairs.retry_job(job, None):
        raise Impossible(f"Job {number} is {job.state}; only failed and cancelled ones are run again.")
    print_result(_row(job), f"Job {number} runs again.", as_json)


@job_command.command()
@click.argument("number", type=int)
@json_option
@in_app
def cancel(number: int, as_json: bool) -> None:
    """Cancel a job that does not run; one that runs in steps stops after its step.

    Example: helpdesk job cancel 7
    """
    job = _job(number)
    if not repairs.cancel_job(job, None):
        raise Impossible(_why_not(job))
    db.session.refresh(job)
    stops = job.state == RUNNING
    print_result(_row(job), f"Job {number} {'stops after its step' if stops else 'is cancelled'}.", as_json)


def _why_not(job: Job) -> str:
    if repairs.is_carrier(job):
        return (
            f"Job {job.id} carries mail or facts, which would wait for ever without it; "
            "hold the message back, or discard the fact, instead."
        )
    if job.state == RUNNING:
        return f"Job {job.id} runs and cannot be stopped; wait for its end."
    return f"Job {job.id} is {job.state}; only waiting and failed ones can be cancelled."


def _job(number: int) -> Job:
    job = db.session.get(Job, number) if 0 < number < _LARGEST else None
    if job is None:
        raise Impossible(f"There is no job {number}; 'helpdesk job list' shows what there is.")
    return job


def _row(job: Job) -> dict[str, Any]:
    columns = (
        *("id", "name", "state", "attempts", "max_attempts", "priority", "key", "args", "worker", "cancel_asked"),
        *("progress_done", "progress_total", "checkpoint", "result", "error"),
        *("asked_by_id", "created_at", "run_at", "started_at", "finished_at"),
    )
    progress = f"{job.progress_done}/{job.progress_total}" if job.progress_total else ""
    return {**{name: getattr(job, name) for name in columns}, "progress": progress}
