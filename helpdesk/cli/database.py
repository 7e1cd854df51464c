"""Migrations."""

import click

from helpdesk.cli.frame import back_up_first, json_option, make_app, no_backup_option, opened, print_rows
from helpdesk.core import schema

_plugin = click.option("--plugin", help="Only this plugin's history (default: the core, then every plugin).")


@click.group("db")
def db_command() -> None:
    """Bring the database up to date, or see where it stands."""


@db_command.command()
@_plugin
@no_backup_option
def upgrade(plugin: str | None, no_backup: bool) -> None:
    """Migrate to the newest schema, after a backup of a database that holds data.

    Killed in between it leaves the old schema; run it again.

    Example: helpdesk db upgrade
    """
    with opened(make_app()):
        back_up_first(no_backup, plugin)
        moved = schema.upgrade(plugin)
    for revision in moved:
        click.echo(f"{revision.owner}: {revision.database or 'nothing'} -> {revision.code}")
    if not moved:
        click.echo("The database is up to date.")


@db_command.command()
@click.argument("revision")
@_plugin
@click.confirmation_option(prompt="Data in what goes away is lost. Go on?")
def downgrade(revision: str, plugin: str | None) -> None:
    """Go back to REVISION ("base": before the first).

    Example: helpdesk db downgrade base --plugin surveys
    """
    with opened(make_app()):
        schema.downgrade(revision, plugin or "core")
    click.echo(f"{plugin or 'core'} is at {revision}.")


@db_command.command()
@json_option
def current(as_json: bool) -> None:
    """Say where every history stands.

    Example: helpdesk db current --json
    """
    with opened(make_app()):
        rows = [
            {
                "owner": revision.owner,
                "database": revision.database,
                "code": revision.code,
                "current": revision.is_current,
            }
            for revision in schema.revisions()
        ]
    print_rows(rows, ("owner", "database", "code", "current"), as_json, "There is no history.")
