"""``helpdesk multilingual``: which language a text is in, how engines do, the memory as a file."""

import json
import sys
from typing import Any

import click

from helpdesk.api import Command, hookimpl
from helpdesk_multilingual import detection, engines, memory_exchange


@click.group("multilingual")
def group() -> None:
    """Languages: detect them, look at the engines, take translations in and out."""


@group.command("detect")
@click.argument("text", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def detect_command(text: str | None, as_json: bool) -> None:
    """Say in which language TEXT is written (standard input if there is none)."""
    guess = detection.detect(text if text is not None else sys.stdin.read())
    if as_json:
        click.echo(json.dumps({"language": guess.language, "score": guess.score}))
        return
    click.echo(f"{guess.language or 'unknown'} {guess.score:.2f}")


@group.command("engines")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def engines_command(as_json: bool) -> None:
    """Say which engines there are and how they do."""
    rows = engines.listed()
    if as_json:
        click.echo(json.dumps([{"key": row.key, "available": row.available, "problem": row.problem} for row in rows]))
        return
    for row in rows:
        click.echo(f"{row.key}: {row.problem or 'ready'}")


@group.group("memory")
def memory_group() -> None:
    """Translations that were confirmed."""


@memory_group.command("export")
@click.argument("file", type=click.File("w", encoding="utf-8"))
def export_command(file: Any) -> None:
    """Write all of them into FILE (- for standard output), as CSV."""
    for line in memory_exchange.rows():
        file.write(line)


@memory_group.command("import")
@click.argument("file", type=click.File("rb"))
def import_command(file: Any) -> None:
    """Keep those of FILE (CSV: source, target, text, translation); the same text is changed."""
    try:
        outcome = memory_exchange.read(file.read(), None)
    except ValueError as problem:
        raise click.ClickException(str(problem)) from problem
    for line, sentence in outcome.skipped:
        click.echo(f"line {line}: {sentence}", err=True)
    click.echo(f"{outcome.added} added, {outcome.changed} changed, {len(outcome.skipped)} left out.")


@hookimpl
def register_commands() -> list[Command]:
    """One group."""
    return [Command(group)]
