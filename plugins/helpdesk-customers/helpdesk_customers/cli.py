"""``helpdesk customers``: count anew."""

import click

from helpdesk.api import Command, hookimpl, transaction
from helpdesk_customers import segments, worth
from helpdesk_customers.import_cli import listing, take_in


@click.command("recount")
def recount() -> None:
    """Count the value of all customers and the members of all segments anew."""
    done = 0
    for numbers in worth.batches():
        with transaction():
            worth.recount_records(numbers)
        done += len(numbers)
    worth.rank()
    click.echo(f"Counted {done} records and {segments.count_all()} segments.")


@hookimpl
def register_commands() -> list[Command]:
    """``helpdesk customers recount``, ``import`` and ``imports``."""
    return [Command(recount), Command(take_in), Command(listing)]
