"""The worker processes, and what was found in their queue."""

from typing import Any

import click
from sqlalchemy import func, select

from helpdesk.cli.frame import in_app, json_option, print_result, print_rows
from helpdesk.core import repairs
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs.workers import SILENT
from helpdesk.core.models import Job, QuarantinedMessage, Worker
from helpdesk.core.models.job import RUNNING

_COLUMNS = ("host", "pid", "state", "version", "queue", "started_at", "beat_at", "runs")
_QUARANTINED = ("id", "found_at", "queue", "size", "reason")


@click.group("workers")
def workers_command() -> None:
    """See who does the work ('helpdesk worker' starts one more)."""


@workers_command.command("list")
@json_option
@in_app
def list_workers(as_json: bool) -> None:
    """List the workers with what each runs now; one that has been silent for 45 seconds is taken for dead.

    Example: helpdesk workers list
    """
    running: dict[str, list[int]] = {}
    for worker, number in db.session.execute(select(Job.worker, Job.id).where(Job.state == RUNNING).limit(1000)):
        running.setdefault(worker or "", []).append(number)
    found = db.session.scalars(select(Worker).order_by(Worker.started_at, Worker.id))
    rows = (_row(worker, running.get(worker.label, [])) for worker in found)
    print_rows(rows, _COLUMNS, as_json, "No worker is there; 'helpdesk serve' or 'helpdesk worker' starts one.")


@workers_command.command()
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@click.option("--clear", is_flag=True, help="Forget all of them instead.")
@json_option
@in_app
def quarantine(limit: int, clear: bool, as_json: bool) -> None:
    """List messages in the queue that the desk did not write, newest first; --json has their bytes in base 64.

    Example: helpdesk workers quarantine
    """
    if clear:
        newest = db.session.scalar(select(func.max(QuarantinedMessage.id))) or 0
        gone = repairs.clear_quarantine(newest, None)
        print_result({"cleared": gone}, f"Messages forgotten: {gone}.", as_json)
        return
    query = select(QuarantinedMessage).order_by(QuarantinedMessage.id.desc()).limit(limit)
    rows = ({name: getattr(row, name) for name in (*_QUARANTINED, "data")} for row in db.session.scalars(query))
    print_rows(rows, _QUARANTINED, as_json, "Nothing is in quarantine.")


def _row(worker: Worker, jobs: list[int]) -> dict[str, Any]:
    columns = ("id", "host", "pid", "version", "queue", "threads", "started_at", "beat_at")
    return {
        **{name: getattr(worker, name) for name in columns},
        "state": "at work" if worker.beat_at >= now() - SILENT else "silent",
        "runs": ", ".join(map(str, jobs)),
        "jobs": jobs,
    }
