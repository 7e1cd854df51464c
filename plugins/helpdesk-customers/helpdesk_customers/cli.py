"""``helpdesk customers``: count anew."""

import click

from helpdesk.api import Command, db, hookimpl, transaction
from helpdesk_customers import segments, worth
from helpdesk_customers.import_cli import listing, take_in
from helpdesk_customers.models import Record

_STEP = 500


@click.command("recount")
def recount() -> None:
    """Count the value of all customers and the members of all segments anew."""
    last = done = 0
    while numbers := db.session.scalars(
        db.select(Record.id).where(Record.id > last).order_by(Record.id).limit(_STEP)
    ).all():
        with transaction():
            worth.recount_records(numbers)
        last, done = numbers[-1], done + len(numbers)
    worth.rank()
    click.echo(f"Counted {done} records and {segments.count_all()} segments.")


@hookimpl
def register_commands() -> list[Command]:
    """``helpdesk customers recount``, ``import`` and ``imports``."""
    return [Command(recount), Command(take_in), Command(listing)]
