"""Calls on tickets that are there already: a note with the length of the call."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.idempotency import Repeated, Reused
from helpdesk.core.models import Ticket
from helpdesk.core.models.message import INTERNAL
from helpdesk.core.permissions import require
from helpdesk.web import once
from helpdesk.web.desk import call_length
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.tickets import ticket_or_404
from helpdesk.web.session import reader

_CHANNEL = "phone"


@desk.get("/tickets/<int:number>/calls")
def call_form(number: int) -> Any:
    """The form for the note of a call."""
    ticket = ticket_or_404(number)
    require(reader(), "ticket.note", ticket)
    return _form(ticket, {"timed": "1"}, {})


@desk.post("/tickets/<int:number>/calls")
def log_call(number: int) -> Any:
    """Keep what was said as a note, once; whatever is wrong, the form comes back as it was typed."""
    ticket, user = ticket_or_404(number), reader()
    form = request.form
    text = form.get("text", "").replace("\r\n", "\n")
    sent = once.of_form(f"call:{ticket.id}", user, [text, form.get("call", "")])
    try:
        seconds = call_length.read_length(form.get("call", ""))
        if not text.strip():
            raise workflow.Invalid("text", _("Write what was said."))
        draft = MessageDraft(text, visibility=INTERNAL, channel=_CHANNEL, call_seconds=seconds)
        message_id = once.write_message(sent, ticket, draft, user).id
    except Repeated as first:
        message_id = first.result_id
    except workflow.Invalid as problem:
        return _form(ticket_or_404(number), form.to_dict(), {problem.field: str(problem)})
    except (Reused, workflow.WorkflowError) as problem:
        return _form(ticket_or_404(number), form.to_dict(), {"form": str(problem)})
    flash(_("The call was noted."))
    return redirect(url_for("desk.ticket", number=number, _anchor=f"m{message_id}"), 303)


def _form(ticket: Ticket, values: dict[str, str], errors: dict[str, str]) -> Any:
    page = render_template("desk/call.html", ticket=ticket, values=values, errors=errors)
    return make_response(page, 422 if errors else 200)


@desk.app_template_filter("call_length")
def written(seconds: int | None) -> str:
    """The length of a call: 3:20."""
    return call_length.written(seconds)
