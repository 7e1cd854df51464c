"""``helpdesk surveys``: plan, send, count anew."""

import click

from helpdesk.api import Command, db, hookimpl
from helpdesk_surveys import counting, rhythm, sending
from helpdesk_surveys.models import Survey


@click.command("plan")
def plan() -> None:
    """Plan invitations for everybody whose turn it is."""
    click.echo(f"Planned {rhythm.plan_now()} invitations.")


@click.command("send")
def send() -> None:
    """Send, remind and close what is due."""
    click.echo(f"Saw to {sending.send_now()} invitations.")


@click.command("recount")
def recount() -> None:
    """Make the kept counts anew from all invitations and answers."""
    for survey in db.session.execute(db.select(Survey.id, Survey.name).order_by(Survey.id)).all():
        click.echo(f"{survey.name}: {counting.recount(survey.id)} rows.")


@hookimpl
def register_commands() -> list[Command]:
    """``helpdesk surveys plan``, ``send`` and ``recount``."""
    return [Command(plan), Command(send), Command(recount)]
