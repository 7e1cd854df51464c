"""Schedules: what comes again, when it is due, and its switch."""

from typing import Any

import click

from helpdesk.cli.frame import in_app, json_option, print_result, print_rows
from helpdesk.core import schedules
from helpdesk.core.models import Schedule
from helpdesk.core.schedules import runs, words
from helpdesk.core.schedules.runs import Run

_COLUMNS = ("name", "state", "rule", "zone", "catch_up", "next", "last", "result")
_RUN_COLUMNS = ("id", "due_at", "job", "state", "finished_at", "error")


@click.group("schedule")
def schedule_command() -> None:
    """See what comes again; run it now, switch it off and on."""


@schedule_command.command("list")
@json_option
@in_app
def list_schedules(as_json: bool) -> None:
    """List the schedules of the desk and of the plugins: when each is due next and was last (UTC), and how that went.

    Example: helpdesk schedule list
    """
    schedules.sync()
    found = schedules.listed()
    last = runs.last([row.key for row in found])
    print_rows((_row(row, last.get(row.key)) for row in found), _COLUMNS, as_json, "There is no schedule.")


@schedule_command.command("runs")
@click.argument("name")
@click.option("--before", type=click.IntRange(1, 2**63 - 1), help="Only those before this run: the next page.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@in_app
def list_runs(name: str, before: int | None, limit: int, as_json: bool) -> None:
    """List the due times (UTC) of a schedule that were taken, newest first, and what became of their jobs.

    Example: helpdesk schedule runs orders.nightly
    """
    schedules.find(name)
    rows = map(_run, runs.page(name, before=before, limit=limit))
    print_rows(rows, _RUN_COLUMNS, as_json, f"{name} has not been due yet.")


@schedule_command.command("run-now")
@click.argument("name")
@json_option
@in_app
def run_now(name: str, as_json: bool) -> None:
    """Ask for the job of a schedule at once; a worker runs it. When it is due next does not change.

    Example: helpdesk schedule run-now orders.nightly
    """
    job = schedules.run_now(name, None)
    print_result({"name": name, "job": job.id}, f"{name} runs as job {job.id} ('helpdesk job show {job.id}').", as_json)


@schedule_command.command()
@click.argument("name")
@json_option
@in_app
def on(name: str, as_json: bool) -> None:
    """Let a schedule go on, counted from now.

    Example: helpdesk schedule on orders.nightly
    """
    _switch(name, True, as_json)


@schedule_command.command()
@click.argument("name")
@json_option
@in_app
def off(name: str, as_json: bool) -> None:
    """Let a schedule rest until it is switched on again.

    Example: helpdesk schedule off orders.nightly
    """
    _switch(name, False, as_json)


def _switch(name: str, wanted: bool, as_json: bool) -> None:
    changed = schedules.switch(name, wanted, None)
    word = "on" if wanted else "off"
    row = {"name": name, "state": word, "changed": changed}
    print_result(row, f"{name} is {word}{'' if changed else ' already'}.", as_json)


def _row(found: Schedule, last: Run | None) -> dict[str, Any]:
    return {
        "name": found.key,
        "plugin": found.plugin,
        "state": "plugin off" if schedules.rests(found) else ("on" if found.enabled else "off"),
        "rule": words.plain_rule(found.rule),
        "zone": found.zone,
        "next": found.next_due_at,
        "last": found.last_due_at,
        "catch_up": found.catch_up,
        "result": _run(last)["state"] if last is not None else None,
        "last_job": last.job.id if last is not None and last.job is not None else None,
    }


def _run(found: Run) -> dict[str, Any]:
    job = found.job
    return {
        "id": found.id,
        "due_at": found.due_at,
        "job": job.id if job is not None else None,
        # Jobs that are long done are cleared away.
        "state": job.state if job is not None else "done",
        "finished_at": job.finished_at if job is not None else None,
        "error": job.error if job is not None else "",
    }
