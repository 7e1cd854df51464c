"""Tickets opened, answered and changed by programs, through the verbs that people's pages call."""

from typing import Any

from flask import make_response, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import workflow
from helpdesk.core.accounts import AccountError, requester_for
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.idempotency import Once, Repeated
from helpdesk.core.models import Message, Team, Ticket, TicketType, Topic, User
from helpdesk.core.models.message import INTERNAL, PUBLIC
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import Invalid
from helpdesk.web import once
from helpdesk.web.access import token_page
from helpdesk.web.api.blueprint import api, ticket_or_404
from helpdesk.web.api.bodies import message_body, ticket_body
from helpdesk.web.api.forms import sent
from helpdesk.web.session import reader

_CHANNEL = "api"


@api.post("/tickets")
@token_page("ticket.open")
def open_ticket() -> Any:
    """Open a ticket in the name of whoever asks; they are told that it was received if ``notify`` says so."""
    form = sent(
        {
            "subject": str,
            "text": str,
            "requester": dict,
            "team": int,
            "priority": str,
            "type": int,
            "topic": int,
            "tags": list,
            "notify": bool,
        },
        needed=("subject", "text", "requester"),
    )
    person = sent({"email": str, "name": str}, needed=("email",), of=form["requester"], within="requester.")
    require(reader(), "ticket.open")
    try:
        ticket = _open(form, person, once.of_program("ticket", reader(), form))
    except Repeated as first:
        ticket = ticket_or_404(first.result_id)
    answer = make_response(ticket_body(ticket), 201)
    answer.headers["Location"] = url_for("api.ticket", number=ticket.number)
    return answer


def _open(form: dict[str, Any], person: dict[str, Any], key: Once) -> Ticket:
    key.check()
    team = _team(form.get("team"))
    draft = TicketDraft(
        subject=form["subject"],
        requester_id=0,
        text=form["text"],
        channel=_CHANNEL,
        team_id=team.id if team is not None else None,
        priority=form.get("priority", "normal"),
        type_id=_sorted(TicketType, "type", form.get("type")),
        topic_id=_sorted(Topic, "topic", form.get("topic")),
        tags=_tags(form.get("tags", [])),
        notice=form.get("notify", False),
    )
    try:
        draft.requester_id = requester_for(person["email"], person.get("name", "")).id
    except AccountError as wrong:
        raise Invalid(f"requester.{wrong.field}", str(wrong)) from wrong
    # Plugins are asked before the transaction that uses the key up.
    prepared = workflow.prepare_ticket(draft, reader())
    return key.run(lambda: workflow.open_ticket(prepared, reader()))


@api.post("/tickets/<int:number>/messages")
@token_page("ticket.read")
def write_message(number: int) -> Any:
    """Answer the customer, or write a note: the one takes the scope ``ticket.reply``, the other ``ticket.note``."""
    ticket = ticket_or_404(number)
    form = sent({"text": str, "visibility": str, "status": str, "version": int}, needed=("text",))
    visibility = form.get("visibility", PUBLIC)
    if visibility not in (PUBLIC, INTERNAL):
        raise Invalid("visibility", _("This is “public” or “internal”."))
    draft = MessageDraft(form["text"], visibility=visibility, channel=_CHANNEL, status=form.get("status"))
    try:
        key = once.of_program(f"message:{number}", reader(), form)
        message = once.write_message(key, ticket, draft, reader(), form.get("version"))
    except Repeated as first:
        message = db.session.get_one(Message, first.result_id)
    return make_response(message_body(message), 201)


@api.patch("/tickets/<int:number>")
@token_page("ticket.edit")
def change_ticket(number: int) -> Any:
    """Change status, priority, team, assignee and tags; fields that are not sent stay.

    The status goes first, since plugins are asked about it outside any transaction; the others are one transaction.
    """
    ticket, user = ticket_or_404(number), reader()
    form = sent(
        {
            "status": str,
            "priority": str,
            "team": int,
            "assignee": int,
            "type": int,
            "topic": int,
            "tags": list,
            "version": int,
        }
    )
    version = form.pop("version", None)
    if not form:
        raise Invalid("status", _("Send at least one field to change."))
    require(user, "ticket.edit", ticket)
    # Looked up before anything is written, so that a wrong number changes nothing.
    team, assignee, tags = _team(form.get("team")), _agent(form.get("assignee")), _tags(form.get("tags") or [])
    kind, topic = _sorted(TicketType, "type", form.get("type")), _sorted(Topic, "topic", form.get("topic"))
    if form.get("status") is not None:
        workflow.set_status(ticket, form["status"], user, version)
    with transaction():
        if "priority" in form:
            workflow.set_priority(ticket, form["priority"], user, version)
        if "team" in form:
            workflow.move(ticket, team, user, version)
        if "assignee" in form:
            workflow.assign(ticket, assignee, user, version)
        if "type" in form:
            workflow.set_type(ticket, db.session.get(TicketType, kind) if kind else None, user, version)
        if "topic" in form:
            workflow.set_topic(ticket, db.session.get(Topic, topic) if topic else None, user, version)
        if "tags" in form:
            workflow.set_tags(ticket, tags, user, version)
    return ticket_body(ticket)


def _tags(names: list[Any]) -> list[str]:
    if not all(isinstance(name, str) for name in names):
        raise Invalid("tags", _("This takes a list of texts."))
    return names


def _sorted(model: type[TicketType | Topic], name: str, number: int | None) -> int | None:
    found = db.session.scalar(select(model.active).where(model.id == number)) if number is not None else True
    if not found:
        raise Invalid(name, _("There is none with this number."))
    return number


def _team(number: int | None) -> Team | None:
    if number is None:
        return None
    found = db.session.get(Team, number)
    if found is None or not found.active:
        raise Invalid("team", _("There is no team with this number."))
    return found


def _agent(number: int | None) -> User | None:
    if number is None:
        return None
    found = db.session.get(User, number)
    if found is None or not found.is_staff or not found.active or found.is_service:
        raise Invalid("assignee", _("There is nobody with this number who takes tickets."))
    return found
