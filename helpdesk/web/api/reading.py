"""Tickets and their messages, for reading."""

from dataclasses import fields
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.core.extensions import db
from helpdesk.core.filters import TicketFilter, parse_filter
from helpdesk.core.models import Message, Ticket
from helpdesk.core.models.message import PUBLIC
from helpdesk.core.pages import SIZE, ticket_page
from helpdesk.core.permissions import allowed
from helpdesk.core.workflow import Invalid
from helpdesk.web.access import token_page
from helpdesk.web.api.blueprint import api, ticket_or_404
from helpdesk.web.api.bodies import message_body, ticket_body
from helpdesk.web.session import reader

# A search for words would find addresses, too, which not every token may see.
_FILTERS = frozenset(field.name for field in fields(TicketFilter)) - {"text"}
_MESSAGES = 100


@api.get("/tickets")
@token_page("ticket.read")
def tickets() -> Any:
    """The tickets that the account may see, by filter and order, fifty at a time. ``next`` goes on."""
    _refuse_unknown(_FILTERS | {"sort", "after"})
    wanted = parse_filter({name: request.args.getlist(name) for name in _FILTERS})
    page = ticket_page(reader(), wanted, request.args.get("sort") or "-updated", after=request.args.get("after"))
    return {"tickets": [ticket_body(row.ticket) for row in page.rows], "next": page.after, "size": SIZE}


@api.get("/tickets/<int:number>")
@token_page("ticket.read")
def ticket(number: int) -> Any:
    """One ticket with its messages, oldest first, a hundred at a time. ``next`` goes on, as ``?after=``."""
    _refuse_unknown({"after"})
    found = ticket_or_404(number)
    rows = _messages(found, _number("after"))
    messages = [message_body(message) for message in rows[:_MESSAGES]]
    return {**ticket_body(found), "messages": messages, "next": messages[-1]["id"] if len(rows) > _MESSAGES else None}


def _messages(ticket: Ticket, after: int) -> list[Message]:
    query = (
        select(Message)
        .where(Message.ticket_id == ticket.id, Message.id > after)
        .options(joinedload(Message.author), selectinload(Message.attachments))
        .order_by(Message.id)
        .limit(_MESSAGES + 1)
    )
    if not allowed(reader(), "ticket.note", ticket):
        query = query.where(Message.visibility == PUBLIC)
    return list(db.session.scalars(query))


def _number(name: str) -> int:
    text = request.args.get(name, "0")
    if not text.isdecimal() or not text.isascii() or len(text) > 9:
        raise Invalid(name, _("This takes a number."))
    return int(text)


def _refuse_unknown(known: frozenset[str] | set[str]) -> None:
    for name in request.args:
        if name not in known:
            raise Invalid(name[:80], _("There is no such parameter."))
