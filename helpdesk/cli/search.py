"""The index of the search."""

import click

from helpdesk.cli.frame import in_app, json_option, print_result
from helpdesk.core.jobs.runner import run_due
from helpdesk.core.search import rebuilding


@click.group("search")
def search_command() -> None:
    """Look at the index of the search, and make it anew."""


@search_command.command("status")
@json_option
@in_app
def status(as_json: bool) -> None:
    """Say how much waits to be read, and what is wrong.

    Example: helpdesk search status
    """
    waiting, problems = rebuilding.count_due(), rebuilding.problems()
    words = " ".join(problems) or ("All is read." if not waiting else f"{waiting} things wait to be read.")
    print_result({"waiting": waiting, "problems": problems}, words, as_json)


@search_command.command("rebuild")
@click.option("--now", "at_once", is_flag=True, help="Do it here, rather than ask a worker.")
@json_option
@in_app
def rebuild(at_once: bool, as_json: bool) -> None:
    """Empty the index and read everything again, the newest first. The desk goes on meanwhile.

    A worker does it, in steps that 'helpdesk job show' tells of; what is not read yet is not found.

    Example: helpdesk search rebuild
    """
    job = rebuilding.ask()
    number = job.id
    if at_once:
        run_due()
        left = rebuilding.count_due()
        words = "The index is new." if not left else f"{left} things wait to be read."
        print_result({"job": number, "waiting": left}, words, as_json)
        return
    print_result(
        {"job": number}, f"Job {number} makes the index anew; 'helpdesk job show {number}' tells how far.", as_json
    )
