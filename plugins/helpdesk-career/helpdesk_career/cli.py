"""``helpdesk career``: begin the ladder, measure, place somebody, see to those who left."""

from datetime import datetime

import click
from sqlalchemy import select

from helpdesk.api import Command, Invalid, Refused, User, db, hookimpl
from helpdesk_career import keeping, ladder, measuring, records, words
from helpdesk_career.models import Level


@click.command("begin")
def begin() -> None:
    """Make the first track with its four levels, unless there is one."""
    track = ladder.begin(None)
    names = ", ".join(words.level_name(level) for level in track.levels)
    click.echo(f"{words.track_name(track)}: {names}")


@click.command("measure")
def measure() -> None:
    """Measure everybody now, as is done each night."""
    count = measuring.measure()
    click.echo(f"Measured {count} {'person' if count == 1 else 'people'}.")


@click.command("place")
@click.argument("email")
@click.argument("level")
@click.option("--why", required=True, help="What is written into the history.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="The day from which it holds.")
def place(email: str, level: str, why: str, since: datetime | None) -> None:
    """Give somebody a level, named by its number, its key (junior ...) or its name."""
    user = db.session.scalar(select(User).where(User.email == email.strip().lower()))
    if user is None:
        raise click.ClickException(f"Nobody has the address {email}.")
    found = _level(level)
    try:
        records.place(user, found, why, None, since.date() if since else None)
    except (Invalid, Refused) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{user.display_name}: {words.full_name(found)}")


def _level(text: str) -> Level:
    every = ladder.levels()
    found = [one for one in every if text in (str(one.id), one.key) or text == words.level_name(one)]
    if len(found) != 1:
        names = ", ".join(f"{one.id} ({words.full_name(one)})" for one in every)
        raise click.ClickException(f"Name one level by its number: {names or 'there are none yet'}.")
    return found[0]


@click.command("keep")
def keep() -> None:
    """Take those who left off the ladder, and forget those who left long ago."""
    click.echo(f"Ended {keeping.end_those_who_left()}, forgot {keeping.forget_those_who_left()}.")


@hookimpl
def register_commands() -> list[Command]:
    """``helpdesk career begin``, ``measure``, ``place`` and ``keep``."""
    return [Command(begin), Command(measure), Command(place), Command(keep)]
