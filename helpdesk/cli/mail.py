"""Mail in and out, as a mail server and an operator see it."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from helpdesk.cli.frame import Impossible, desk, in_app, json_option, print_result, print_rows
from helpdesk.core.channels import intake, outbox
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Intake
from helpdesk.core.models.delivery import STATES as DELIVERY_STATES
from helpdesk.core.models.intake import QUARANTINED
from helpdesk.plugins import manager

CHANNEL = "email"
# sysexits.h: what mail servers understand as "try again later" and "this cannot be taken".
TRY_AGAIN, UNUSABLE = 75, 65
_file = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.group("mail")
def mail_command() -> None:
    """Take mail in, look at what came and went, try again."""


@mail_command.command()
@click.argument("files", nargs=-1, type=_file)
@json_option
@click.pass_context
def receive(context: click.Context, files: tuple[str, ...], as_json: bool) -> None:
    """Take raw mails from FILES or standard input ("-"): kept first, then made a ticket or a message.

    Ends with 0 once every mail is kept, even while the e-mail plugin is off; 65 when a mail is larger than
    35 MB; 75 when the desk cannot keep it now, whatever the reason, so that a mail server tries again. The same
    mail given again is kept once.

    Example: helpdesk mail receive < message.eml
    """
    try:
        with desk():
            status = _receive(files or ("-",), as_json)
    except Exception as error:  # noqa: BLE001 - a mail server gives a mail back to its sender for any other status
        if context.find_root().params.get("debug"):
            raise
        click.echo(f"The mail could not be kept now, try again later: {' '.join(str(error).split())}", err=True)
        status = TRY_AGAIN
    sys.exit(status)


def _receive(files: tuple[str, ...], as_json: bool) -> int:
    status = 0
    for name, raw in _raw(files):
        try:
            outcome = intake.receive(CHANNEL, raw)
        except intake.TooLarge as error:
            click.echo(f"{name}: {error}", err=True)
            status = UNUSABLE
            continue
        row = {
            "file": name,
            "outcome": outcome.outcome,
            "reason": outcome.reason,
            "ticket": outcome.ticket_id,
            "message": outcome.message_id,
            "machine": outcome.machine,
        }
        place = f" #{outcome.ticket_id}" if outcome.ticket_id else ""
        reason = f" ({outcome.reason})" if outcome.reason else ""
        print_result(row, f"{name}: {outcome.outcome}{place}{reason}", as_json)
    return status


@mail_command.command()
@click.argument("files", nargs=-1, required=True, type=_file)
@json_option
def parse(files: tuple[str, ...], as_json: bool) -> None:
    """Show how mails are understood; needs no home and keeps nothing.

    Example: helpdesk mail parse message.eml --json
    """
    read = _parser()
    for name, raw in _raw(files):
        mail = {"file": name, **read(raw)}
        print_result(mail, _shown(mail), as_json)


@mail_command.command("outbox")
@click.option("--state", type=click.Choice(DELIVERY_STATES), help="Only this state.")
@click.option("--limit", default=50, show_default=True)
@json_option
@in_app
def list_outbox(state: str | None, limit: int, as_json: bool) -> None:
    """List outgoing messages, newest first.

    Example: helpdesk mail outbox --state failed
    """
    query = select(Delivery).order_by(Delivery.id.desc()).limit(limit)
    if state:
        query = query.where(Delivery.state == state)
    columns = ("id", "state", "kind", "address", "ticket", "attempts", "created_at", "error")
    rows = (
        {**{name: getattr(row, name) for name in columns if name != "ticket"}, "ticket": row.ticket_id}
        for row in db.session.scalars(query)
    )
    print_rows(rows, columns, as_json, "Nothing goes out.")


@mail_command.command()
@click.option("--limit", default=50, show_default=True)
@json_option
@in_app
def quarantine(limit: int, as_json: bool) -> None:
    """List incoming items that could not be used, newest first.

    Example: helpdesk mail quarantine --json
    """
    query = select(Intake).where(Intake.state == QUARANTINED).order_by(Intake.id.desc()).limit(limit)
    columns = ("id", "received_at", "sender", "subject", "size", "reason")
    rows = ({name: getattr(row, name) for name in columns} for row in db.session.scalars(query))
    print_rows(rows, columns, as_json, "Nothing is in quarantine.")


@mail_command.command()
@click.argument("number", type=int)
@click.option("--outgoing", is_flag=True, help="NUMBER is from 'mail outbox' (default: from 'mail quarantine').")
@json_option
@in_app
def retry(number: int, outgoing: bool, as_json: bool) -> None:
    """Try an incoming item in quarantine, or a failed outgoing message, again.

    Example: helpdesk mail retry 7
    """
    if outgoing:
        delivery = db.session.get(Delivery, number)
        if delivery is None:
            raise Impossible(f"There is no outgoing message {number}; 'helpdesk mail outbox' lists them.")
        outbox.retry(delivery)
        print_result({"id": number, "state": delivery.state}, f"{number} waits to be sent.", as_json)
        return
    item = db.session.get(Intake, number)
    if item is None:
        raise Impossible(f"There is no incoming item {number}; 'helpdesk mail quarantine' lists them.")
    outcome = intake.retry(item)
    row = {"id": number, "outcome": outcome.outcome, "reason": outcome.reason, "ticket": outcome.ticket_id}
    print_result(row, f"{number}: {outcome.outcome} {outcome.reason}".strip(), as_json)


def _raw(files: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for name in files:
        # One byte more than fits: enough to see that it does not, without reading all of it.
        with sys.stdin.buffer if name == "-" else Path(name).open("rb") as stream:
            yield name, stream.read(intake.MAX_SIZE + 1)


def _parser() -> Callable[[bytes], dict[str, Any]]:
    """The channel's own description of a raw item, without a home."""
    loaded = manager.Manager()
    loaded.discover()
    channel = loaded.find("register_channels", CHANNEL)
    if channel is None or channel.describe is None:
        raise Impossible("The e-mail plugin is not installed; 'helpdesk plugin list' shows what is.")
    describe: Callable[[bytes], dict[str, Any]] = channel.describe
    return describe


def _shown(mail: dict[str, Any]) -> str:
    sender = mail.get("from") or {}
    lines = [
        f"{mail['file']}: {mail.get('subject') or ''}",
        f"from {sender.get('name', '')} <{sender.get('email', '')}>",
    ]
    return "\n".join([*lines, "", str(mail.get("text") or "")])
