"""Mail in and out, as a mail server and an operator see it."""

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from helpdesk.cli import mbox
from helpdesk.cli.frame import Impossible, desk, in_app, json_option, print_result, print_rows
from helpdesk.core import holding, repairs
from helpdesk.core.channels import intake
from helpdesk.core.channels.items import Outcome
from helpdesk.core.events.reasons import decision_text, reason_text
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Intake
from helpdesk.core.models.delivery import STATES as DELIVERY_STATES
from helpdesk.core.models.intake import QUARANTINED
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel, CheckStep

CHANNEL = "email"
# sysexits.h: what mail servers understand as "try again later" and "this cannot be taken".
TRY_AGAIN, UNUSABLE = 75, 65
# So many mails, or bytes of them, are taken in together.
_HANDFUL, _HEAVY = 50, 8 * 1024 * 1024
_file = click.Path(exists=True, dir_okay=False, allow_dash=True)


@click.group("mail")
def mail_command() -> None:
    """Take mail in, look at what came and went, try again."""


class _Patient(click.Command):
    """A command of a mail server: whatever is wrong with its words, the mail is to be tried again."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Understand the words of the command; a usage error ends with TRY_AGAIN."""
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as error:
            error.exit_code = TRY_AGAIN  # type: ignore[misc]  # click itself reads it of the instance
            raise


@mail_command.command(cls=_Patient)
@click.argument("files", nargs=-1, type=_file)
@click.option("--account", default="", metavar="ADDRESS", help="Which of our addresses they were sent to.")
@click.option("--mbox", "boxes", multiple=True, type=_file, help="A file with many mails, as mail programs keep them.")
@json_option
@click.pass_context
def receive(
    context: click.Context, files: tuple[str, ...], account: str, boxes: tuple[str, ...], as_json: bool
) -> None:
    """Take raw mails from FILES or standard input ("-"): kept first, then made a ticket or a message.

    Ends with 0 once every mail is kept, even while the e-mail plugin is off; 65 when a mail is larger than
    35 MB; 75 when the desk cannot keep it now, whatever the reason (a wrong option, too), so that a mail server
    tries again. The same mail given again is kept once.

    Example: helpdesk mail receive < message.eml
    """
    try:
        with desk():
            mails = chain(_raw(files or (() if boxes else ("-",))), mbox.mails(boxes))
            status = _receive(mails, _account(account), as_json)
    except Exception as error:  # noqa: BLE001 - a mail server gives a mail back to its sender for any other status
        if context.find_root().params.get("debug"):
            raise
        click.echo(f"The mail could not be kept now, try again later: {' '.join(str(error).split())}", err=True)
        status = TRY_AGAIN
    sys.exit(status)


def _account(typed: str) -> str:
    """An address of ours as mailboxes have it: in small letters, without the detail behind a plus (RFC 5233)."""
    local, _at, domain = typed.strip().lower().rpartition("@")
    name = local.partition("+")[0]
    if name and domain and not any(sign.isspace() for sign in local + domain):
        return f"{name}@{domain}"
    if typed.strip():
        click.echo(f"“{typed.strip()}” is no e-mail address; --account was left out.", err=True)
    return ""


def _receive(mails: Iterable[tuple[str, bytes]], account: str, as_json: bool) -> int:
    status = 0
    for some in _handfuls(mails):
        fitting = [(name, raw) for name, raw in some if len(raw) <= intake.MAX_SIZE]
        for name, _raw in some[len(fitting) :]:
            click.echo(f"{name}: {intake.TooLarge()}", err=True)
            status = UNUSABLE
        outcomes = intake.receive_many(CHANNEL, [raw for _name, raw in fitting], account)
        for (name, _raw), outcome in zip(fitting, outcomes, strict=True):
            _print_outcome(name, outcome, as_json)
    return status


def _handfuls(mails: Iterable[tuple[str, bytes]]) -> Iterator[list[tuple[str, bytes]]]:
    """As many at a time as are taken in together; one that is too large ends its handful."""
    some: list[tuple[str, bytes]] = []
    for name, raw in mails:
        some.append((name, raw))
        if len(some) == _HANDFUL or sum(len(raw) for _name, raw in some) > _HEAVY:
            yield some
            some = []
    if some:
        yield some


def _print_outcome(name: str, outcome: Outcome, as_json: bool) -> None:
    row = {
        "file": name,
        "outcome": outcome.outcome,
        "reason": outcome.reason,
        "ticket": outcome.ticket_id,
        "message": outcome.message_id,
        "machine": outcome.machine,
    }
    print_result(row, f"{name}: {_became(outcome)}", as_json)


def _became(outcome: Outcome) -> str:
    return decision_text(outcome.outcome, outcome.ticket_id, outcome.reason) or outcome.outcome


@mail_command.command()
@click.argument("address", required=False, default="")
@json_option
@in_app
def poll(address: str, as_json: bool) -> None:
    """Fetch mail at once from every mailbox, or from that of ADDRESS, and say how it went.

    Ends with 1 when one of them failed, or ADDRESS is no mailbox.

    Example: helpdesk mail poll support@shop.example
    """
    if since := holding.held_since():
        raise Impossible(f"The desk is held since {since}; 'helpdesk release' lets it fetch mail again.")
    channel: Channel | None = manager.current().find("register_channels", CHANNEL)
    if channel is None or channel.fetch is None:
        raise Impossible("The e-mail plugin is off or not installed; 'helpdesk plugin list' shows what is.")
    found = channel.fetch(address) if address else channel.fetch()
    steps = [CheckStep("", True, one) if isinstance(one, str) else one for one in found]
    for step in steps:
        sentence = ": ".join(filter(None, (step.label, step.detail)))
        print_result({"said": sentence, "ok": step.ok is not False}, sentence, as_json)
    if not steps and not as_json:
        click.echo("There is no mailbox that mail is fetched from.")
    if any(step.ok is False for step in steps):
        sys.exit(1)


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
    columns = ("id", "state", "kind", "address", "ticket", "attempts", "created_at", "next_at", "error")
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
    if not as_json:
        rows = ({**row, "reason": reason_text(row["reason"])} for row in rows)
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
        delivery = _delivery(number)
        if not repairs.retry_outgoing(delivery, None):
            raise Impossible(f"Message {number} is {delivery.state}; it is only sent again after it failed.")
        print_result({"id": number, "state": delivery.state}, f"{number} waits to be sent.", as_json)
        return
    item = db.session.get(Intake, number)
    if item is None:
        raise Impossible(f"There is no incoming item {number}; 'helpdesk mail quarantine' lists them.")
    outcome = repairs.retry_incoming(item, None)
    if outcome is None:
        raise Impossible(f"Incoming item {number} is {item.state}; only what was put aside is tried again.")
    row = {"id": number, "outcome": outcome.outcome, "reason": outcome.reason, "ticket": outcome.ticket_id}
    print_result(row, f"{number}: {_became(outcome)}", as_json)


@mail_command.command()
@click.argument("number", type=int)
@json_option
@in_app
def hold(number: int, as_json: bool) -> None:
    """Hold a waiting outgoing message (of 'mail outbox') back: it is not sent.

    Example: helpdesk mail hold 7
    """
    delivery = _delivery(number)
    if not repairs.cancel_outgoing(delivery, None):
        raise Impossible(f"Message {number} is {delivery.state} or is being sent; only what waits can be held back.")
    print_result({"id": number, "state": delivery.state}, f"{number} is held back.", as_json)


def _delivery(number: int) -> Delivery:
    found = db.session.get(Delivery, number) if 0 < number < 2**63 else None
    if found is None:
        raise Impossible(f"There is no outgoing message {number}; 'helpdesk mail outbox' lists them.")
    return found


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
