"""Taking in what another program has kept."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import click

from helpdesk.cli.frame import Impossible, in_app, json_option, print_rows
from helpdesk.core import importing
from helpdesk.core.importing import Imported


@click.command("import")
@click.argument("source", required=False)
@click.argument("file", required=False)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and undo all of it.")
@json_option
@in_app
def import_command(source: str | None, file: str | None, dry_run: bool, as_json: bool) -> None:
    """Take in FILE ("-": standard input) from SOURCE; without them list the sources.

    It ends with status 1 when some item could not be taken; the others are. The same file may be taken in again.

    Example: helpdesk import orders orders.csv
    """
    if source is None:
        rows = [
            {"name": found.name, "label": str(found.label), "hint": str(found.hint)} for found in importing.sources()
        ]
        empty = "No plugin that is on takes anything in."
        return print_rows(rows, ("name", "label", "hint"), as_json, empty)
    found = importing.source_named(source)
    if file is None:
        raise Impossible(f"Name the file as well: 'helpdesk import {source} FILE' (“-” reads standard input).")
    with _opened(file) as stream:
        result = importing.take_in(found, stream, dry_run)
    if as_json:
        click.echo(json.dumps(_row(source, result, dry_run), ensure_ascii=False))
    else:
        _tell(result, dry_run)
    if result.failed or result.stopped:
        sys.exit(1)


@contextmanager
def _opened(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")
    except OSError as error:
        raise Impossible(f"{name} cannot be read: {error.strerror}.") from error
    with file:
        yield file


def _row(source: str, result: Imported, dry_run: bool) -> dict[str, object]:
    return {
        "source": source,
        "dry_run": dry_run,
        "counts": dict(result.counts),
        "failed": result.failed,
        "bad": [{"item": number, "error": sentence} for number, sentence in result.bad],
        "stopped": result.stopped or None,
    }


def _tell(result: Imported, dry_run: bool) -> None:
    counts = ", ".join(f"{count} {word}" for word, count in sorted(result.counts.items())) or "nothing taken"
    failed = f", {result.failed} failed" if result.failed else ""
    click.echo(f"{counts}{failed}.{' Nothing was kept: this was a dry run.' if dry_run else ''}")
    for number, sentence in result.bad:
        click.echo(f"Item {number}: {sentence}", err=True)
    if result.failed > len(result.bad):
        click.echo(f"... and {result.failed - len(result.bad)} more.", err=True)
    if result.stopped:
        click.echo(f"The file could not be read on after item {result.read}: {result.stopped}", err=True)
