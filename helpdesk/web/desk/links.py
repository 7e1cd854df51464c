"""Tickets that belong together: linked, and one made out of a part of another."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Ticket
from helpdesk.core.permissions import find_ticket, require
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.side import side_answer
from helpdesk.web.desk.tickets import ticket_or_404, ticket_response
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@desk.post("/tickets/<int:number>/links")
def add_link(number: int) -> Any:
    """Link the ticket with another one, by its number."""
    found, text = ticket_or_404(number), request.form.get("other", "")[:20]
    try:
        other = find_ticket(reader(), row_number(text.strip().removeprefix("#")))
    except ValueError:
        other = None
    if other is None:
        return side_answer(found, [(_("There is no ticket of this number."), "")], 422, link=text)
    try:
        workflow.link(found, other, reader(), request.form.get("kind", ""))
    except workflow.WorkflowError as problem:
        return side_answer(ticket_or_404(number), [(str(problem), "")], 422, link=text)
    return _changed(number)


@desk.post("/tickets/<int:number>/links/remove")
def remove_link(number: int) -> Any:
    """Take the link with another ticket away."""
    found, linked = ticket_or_404(number), find_ticket(reader(), request.form.get("other", 0, type=row_number))
    if linked is None:
        return side_answer(found, [(_("There is no ticket of this number."), "")], 422, link="")
    workflow.unlink(found, linked, reader())
    return _changed(number)


@desk.get("/tickets/<int:number>/split")
def split_form(number: int) -> Any:
    """From which message on (``?from=``), and what the new ticket is called."""
    found = ticket_or_404(number)
    require(reader(), "ticket.edit", found)
    return _split_page(found, request.args.get("from", 0, type=row_number), found.subject)


@desk.post("/tickets/<int:number>/split")
def split(number: int) -> Any:
    """Make a ticket out of a message, or of it and what follows."""
    found, subject = ticket_or_404(number), request.form.get("subject", "")
    message_id, onwards = request.form.get("from", 0, type=row_number), request.form.get("how") != "one"
    message = _message(found, message_id)
    if message is None:
        return _split_page(found, message_id, subject, _("Choose a message that is on this ticket."), 422, onwards)
    try:
        new = workflow.split(found, message, subject, reader(), onwards)
    except workflow.WorkflowError as problem:
        return _split_page(ticket_or_404(number), message_id, subject, str(problem), 422, onwards)
    flash(_("This is the new ticket. Merging it into #%(number)s again undoes it.", number=number))
    return redirect(url_for("desk.ticket", number=new.id), 303)


def _message(ticket: Ticket, message_id: int) -> Message | None:
    message = db.session.get(Message, message_id) if message_id else None
    return message if message is not None and message.ticket_id == ticket.id else None


def _split_page(
    ticket: Ticket, message_id: int, subject: str, problem: str = "", code: int = 200, onwards: bool = True
) -> Any:
    message = _message(ticket, message_id)
    if message is None:
        problem = problem or _("Choose a message that is on this ticket.")
    page = render_template(
        "desk/split.html", ticket=ticket, message=message, subject=subject[:300], problem=problem, onwards=onwards
    )
    return make_response(page, code)


def _changed(number: int) -> Any:
    return side_answer(ticket_or_404(number)) if wants_part() else ticket_response(ticket_or_404(number))
