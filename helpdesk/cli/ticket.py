"""Tickets, for operators and scripts. What is not done as somebody (--as) is done by the desk itself."""

import sys
from collections.abc import Callable
from typing import Any

import click
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.cli.frame import Impossible, desk, in_app, json_option, print_result, print_rows, user_named
from helpdesk.core import accounts, statuses, workflow
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.filter_criteria import criteria
from helpdesk.core.filters import parse_filter
from helpdesk.core.models import Message, Team, Ticket, User
from helpdesk.core.models.ticket import CATEGORIES, PRIORITIES
from helpdesk.core.permissions import find_ticket, require, visible_tickets

_as = click.option("--as", "email", metavar="EMAIL", help="As this person (default: the desk itself).")
_text = click.option("--text", help="What to write (default: read from standard input).")


@click.group("ticket")
def ticket_command() -> None:
    """Read, open and answer tickets."""


@ticket_command.command("list")
@click.option("--category", multiple=True, type=click.Choice(CATEGORIES), help="Only these; may be repeated.")
@click.option("--priority", multiple=True, type=click.Choice(PRIORITIES), help="Only these; may be repeated.")
@click.option("--tag", multiple=True, help="Only with all of these; may be repeated.")
@click.option("--text", help="Words of subject, requester or number.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@_as
@json_option
@in_app
def list_tickets(email: str | None, limit: int, as_json: bool, **wanted: Any) -> None:
    """List tickets, those that changed last first.

    Example: helpdesk ticket list --category open --tag warranty
    """
    actor = _actor(email)
    query = visible_tickets(actor) if actor is not None else select(Ticket)
    found = parse_filter({key: list(value) if isinstance(value, tuple) else value for key, value in wanted.items()})
    query = query.where(*criteria(found, actor or User())).order_by(Ticket.updated_at.desc(), Ticket.id.desc())
    people = [joinedload(Ticket.requester), joinedload(Ticket.assignee), joinedload(Ticket.team)]
    rows = [_row(ticket) for ticket in db.session.scalars(query.options(*people, *_rest()).limit(limit))]
    columns = ("number", "status", "priority", "subject", "requester", "team", "assignee", "updated_at")
    print_rows(rows, columns, as_json, "There are no such tickets.")


@ticket_command.command()
@click.argument("number", type=int)
@_as
@json_option
@in_app
def show(number: int, email: str | None, as_json: bool) -> None:
    """Show a ticket with its conversation.

    Example: helpdesk ticket show 42
    """
    actor = _actor(email)
    require(actor, "desk.use")
    ticket = _ticket(number, actor)
    query = (
        select(Message)
        .where(Message.ticket_id == ticket.id)
        .options(joinedload(Message.author), selectinload(Message.attachments))
        .order_by(Message.created_at, Message.id)
    )
    messages = [_message(message) for message in db.session.scalars(query)]
    print_result({**_row(ticket), "messages": messages}, _shown(ticket, messages), as_json)


@ticket_command.command("open")
@click.option("--from", "sender", required=True, metavar="EMAIL", help="Who asks; made a customer if unknown.")
@click.option("--name", default="", help="Their name.")
@click.option("--subject", required=True)
@_text
@click.option("--team", help="Name of the team that gets it.")
@click.option("--priority", type=click.Choice(PRIORITIES), default="normal", show_default=True)
@click.option("--tag", "tags", multiple=True, help="May be repeated.")
@click.option("--channel", default="api", show_default=True, help="How it came, e.g. phone.")
@_as
@json_option
def open_ticket(sender: str, name: str, text: str | None, email: str | None, as_json: bool, **draft: Any) -> None:
    """Open a ticket for a customer.

    Example: helpdesk ticket open --from tom@post.example --subject "Lock jammed" --text "It does not turn."
    """
    words = _words(text)
    with desk():
        actor, team = _actor(email), _team(draft.pop("team"))
        requester = accounts.requester_for(sender, name)
        ticket = workflow.open_ticket(
            TicketDraft(
                requester_id=requester.id,
                text=words,
                team_id=team.id if team else None,
                **{**draft, "tags": list(draft["tags"])},
            ),
            actor,
        )
        print_result(_row(ticket), f"#{ticket.number} is open.", as_json)


@ticket_command.command()
@click.argument("number", type=int)
@_text
@click.option("--status", help="Key of the status to set with it.")
@_as
@json_option
def reply(number: int, text: str | None, status: str | None, email: str | None, as_json: bool) -> None:
    """Answer the customer; the message is sent.

    Example: helpdesk ticket reply 42 --as jonas@shop.example --text "Come on Thursday." --status pending
    """
    _write(workflow.reply, number, text, status, email, as_json, "The reply is written and will be sent.")


@ticket_command.command()
@click.argument("number", type=int)
@_text
@_as
@json_option
def note(number: int, text: str | None, email: str | None, as_json: bool) -> None:
    """Add an internal note, which no customer sees.

    Example: helpdesk ticket note 42 --text "Two discs are in drawer 9."
    """
    _write(workflow.note, number, text, None, email, as_json, "The note is written.")


@ticket_command.command()
@click.argument("number", type=int)
@click.argument("key")
@_as
@json_option
@in_app
def status(number: int, key: str, email: str | None, as_json: bool) -> None:
    """Set the status with that KEY, e.g. open, pending, solved.

    Example: helpdesk ticket status 42 solved
    """
    actor = _actor(email)
    if statuses.by_key(key) is None:
        known = ", ".join(found.key for found in statuses.active())
        raise Impossible(f"There is no status “{key}”; there are {known}.")
    ticket = workflow.set_status(_ticket(number, actor), key, actor)
    print_result(_row(ticket), f"#{ticket.number} is {ticket.status.key}.", as_json)


def _write(
    verb: Callable[..., Message],
    number: int,
    text: str | None,
    status: str | None,
    email: str | None,
    as_json: bool,
    sentence: str,
) -> None:
    words = _words(text)
    with desk():
        actor = _actor(email)
        message = verb(_ticket(number, actor), MessageDraft(text=words, status=status), actor)
        print_result({"ticket": message.ticket_id, "message": message.id}, sentence, as_json)


def _words(text: str | None) -> str:
    """The text of the option, or standard input (asked for at a terminal)."""
    if text is not None:
        return text
    if sys.stdin.isatty():
        click.echo("Write the text; end it with Ctrl+D on a line of its own.", err=True)
    return sys.stdin.buffer.read().decode("utf-8", "replace")


def _actor(email: str | None) -> User | None:
    return user_named(email) if email else None


def _ticket(number: int, actor: User | None) -> Ticket:
    ticket = find_ticket(actor, number) if actor is not None else db.session.get(Ticket, number)
    if ticket is None:
        raise Impossible(f"There is no ticket #{number}; 'helpdesk ticket list' shows what there is.")
    return ticket


def _team(name: str | None) -> Team | None:
    if name is None:
        return None
    team = db.session.scalar(select(Team).where(Team.name == name))
    if team is None:
        raise Impossible(f"There is no team “{name}”; 'helpdesk team list' shows which there are.")
    return team


def _rest() -> list[Any]:
    return [joinedload(Ticket.status), selectinload(Ticket.tags)]


def _row(ticket: Ticket) -> dict[str, Any]:
    return {
        "number": ticket.number,
        "subject": ticket.subject,
        "status": ticket.status.key,
        "category": ticket.category,
        "priority": ticket.priority,
        "requester": ticket.requester.display_name,
        "email": ticket.requester.email,
        "team": ticket.team.name if ticket.team else None,
        "assignee": ticket.assignee.display_name if ticket.assignee else None,
        "tags": [tag.name for tag in ticket.tags],
        "channel": ticket.channel,
        "created_at": ticket.created_at,
        "updated_at": ticket.updated_at,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "at": message.created_at,
        "author": message.author.display_name if message.author else None,
        "visibility": message.visibility,
        "text": message.text,
        "attachments": [file.name for file in message.attachments],
    }


def _shown(ticket: Ticket, messages: list[dict[str, Any]]) -> str:
    about = [ticket.status.key, ticket.priority]
    about += [ticket.team.name] if ticket.team else []
    about += [ticket.assignee.display_name] if ticket.assignee else []
    about += [f"#{tag.name}" for tag in ticket.tags]
    parts = [f"#{ticket.number} {ticket.subject}\n{', '.join(about)}"]
    for message in messages:
        kind = " (note)" if message["visibility"] == "internal" else ""
        files = f"\n[{', '.join(message['attachments'])}]" if message["attachments"] else ""
        when = message["at"].strftime("%Y-%m-%d %H:%M")
        parts.append(f"{message['author'] or 'The desk'}, {when}{kind}\n{message['text'].rstrip()}{files}")
    return "\n\n".join(parts)
