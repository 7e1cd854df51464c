"""``helpdesk training``: take courses in, apply the rules, see to what is due."""

from pathlib import Path

import click

from helpdesk.api import Command, Invalid, Refused, hookimpl
from helpdesk_training import applying, courses, exchange, keeping


@click.command("import")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--publish", is_flag=True, help="Publish it at once.")
def import_folder(folder: Path, publish: bool) -> None:
    """Take a course in from a folder of Markdown; one of the same name is changed."""
    try:
        course = exchange.take(exchange.read_folder(folder), None, publish=publish)
    except (Invalid, Refused) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{course.name}: {len(course.draft['lessons'])} lessons, {len(course.draft['questions'])} questions, "
               f"{len(course.draft['tasks'])} tasks. {course.state.capitalize()}.")  # fmt: skip
    for problem in courses.problems(course):
        click.echo(f"- {problem}", err=True)


@click.command("assign")
def assign() -> None:
    """Give everybody what the rules say."""
    click.echo(f"Gave {applying.apply_now()} courses.")


@click.command("look")
def look() -> None:
    """Remind, tell of what is late, renew and end certificates, where it is due."""
    click.echo(f"Saw to {keeping.look_now()} assignments and certificates.")


@hookimpl
def register_commands() -> list[Command]:
    """``helpdesk training import``, ``assign`` and ``look``."""
    return [Command(import_folder), Command(assign), Command(look)]
