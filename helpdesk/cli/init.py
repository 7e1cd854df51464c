"""Make a home."""

import click

from helpdesk.cli.frame import make_app
from helpdesk.cli.serve import welcome
from helpdesk.core import schema
from helpdesk.core.config import load


@click.command("init")
def init_command() -> None:
    """Make the home and its database, and print the setup link. Safe to repeat.

    Example: HELPDESK_HOME=/srv/helpdesk helpdesk init
    """
    config = load()
    with make_app().app_context():
        schema.upgrade()
        click.echo(f"The home is {config.home}")
        click.echo(welcome(config.address))
