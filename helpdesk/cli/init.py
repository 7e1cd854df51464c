"""Make a home."""

import click

from helpdesk.cli.frame import home_option, make_app
from helpdesk.cli.serve import welcome
from helpdesk.core import schema
from helpdesk.core.backups import bond
from helpdesk.core.config import load


@click.command("init")
@home_option
def init_command() -> None:
    """Make the home and its database, and print the setup link. Safe to repeat.

    Example: helpdesk init --home /srv/helpdesk
    """
    config = load()
    with make_app().app_context():
        bond.check()
        schema.upgrade()
        click.echo(f"The home is {config.home}")
        click.echo(welcome(config.address))
