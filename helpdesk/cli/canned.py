"""Canned responses."""

import sys
from typing import BinaryIO

import click

from helpdesk.cli.frame import in_app, json_option, print_result, print_rows, user_named
from helpdesk.core import canned, canned_exchange
from helpdesk.core.models.view import EVERYBODY, MINE


@click.group("canned")
def canned_command() -> None:
    """List canned responses, and move them between desks."""


@canned_command.command("list")
@click.argument("email")
@json_option
@in_app
def list_canned(email: str, as_json: bool) -> None:
    """List what somebody of the staff has.

    Example: helpdesk canned list sam@shop.example
    """
    rows = (
        {
            "id": row.id,
            "folder": row.folder,
            "name": row.name,
            "languages": ", ".join(text.locale for text in row.texts),
            "shared_with": row.shared_with,
            "used": row.used,
        }
        for row in canned.listed(user_named(email), limit=canned_exchange.MOST)
    )
    columns = ("id", "folder", "name", "languages", "shared_with", "used")
    print_rows(rows, columns, as_json, "There is no canned response yet; 'helpdesk canned import' takes a file.")


@canned_command.command("export")
@click.argument("email")
@click.option("--format", "form", type=click.Choice(("json", "csv")), default="json", help="Default: json.")
@in_app
def export_canned(email: str, form: str) -> None:
    """Write what somebody of the staff has to standard output.

    Example: helpdesk canned export sam@shop.example --format csv > answers.csv
    """
    write = canned_exchange.as_csv if form == "csv" else canned_exchange.as_json
    sys.stdout.write(write(user_named(email)))


@canned_command.command("import")
@click.argument("email")
@click.argument("file", type=click.File("rb"))
@click.option("--everybody", is_flag=True, help="New ones are for everybody; without it for this person alone.")
@json_option
@in_app
def import_canned(email: str, file: BinaryIO, everybody: bool, as_json: bool) -> None:
    """Take in a file that was exported, in the name of somebody of the staff: all of it or nothing.

    One of the same folder and name is changed.

    Example: helpdesk canned import sam@shop.example answers.csv --everybody
    """
    try:
        data = file.read(canned_exchange.SIZE + 1)
        taken = canned_exchange.take_in(data, user_named(email), EVERYBODY if everybody else MINE)
    except canned_exchange.NotTaken as problem:
        raise click.ClickException(str(problem)) from problem
    row = {"made": taken.made, "changed": taken.changed}
    print_result(row, f"{taken.made} made, {taken.changed} changed.", as_json)
