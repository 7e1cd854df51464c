"""Replies and notes."""

import json
from typing import Any

from flask import Response, abort, flash, make_response, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.core import holding, markup, repairs, workflow
from helpdesk.core.drafts import MessageDraft, StoredFile
from helpdesk.core.extensions import db
from helpdesk.core.idempotency import Repeated, Reused
from helpdesk.core.models import Message, Ticket, User
from helpdesk.core.models.message import INTERNAL, PUBLIC
from helpdesk.web import once, uploads
from helpdesk.web.desk import composer
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.history import what_changed
from helpdesk.web.desk.tickets import ticket_or_404, ticket_page, ticket_response
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@desk.post("/tickets/<int:number>/messages")
def write(number: int) -> Any:
    """Send a reply or add a note, once. Whatever goes wrong, the text and the files come back with the reason."""
    ticket, user = ticket_or_404(number), reader()
    as_note = request.form.get("mode") == composer.NOTE
    mode = composer.NOTE if as_note else composer.REPLY
    status = request.form.get("note_status" if as_note else "status", "")
    text, html = _typed()
    stored = uploads.kept(request.form.getlist("kept"), user)

    def back(problem: str = "", code: int = 422, changes: Any = ()) -> Any:
        state = composer.again(ticket_or_404(number), user, mode, text, html, stored, status)
        state.errors = [problem] if problem else []
        state.conflict = list(changes)
        return _again(ticket_or_404(number), state, code)

    try:
        stored += uploads.store_all(request.files.getlist("files"))
    except uploads.NotTaken as problem:
        return back(str(problem))
    sent = once.of_form(f"message:{ticket.id}", user, [mode, status, text, html, once.of_files(stored)])
    try:
        if not text.strip() and not stored:
            raise workflow.Invalid("text", _("Write something first."))
        draft = _draft(text, html, stored, status, user, as_note)
        once.write_message(sent, ticket, draft, user, request.form.get("version", type=row_number))
    except Repeated:
        # It is there already: whoever sent it gets the same answer.
        return _done(ticket_or_404(number), user, mode)
    except Reused as problem:
        return back(str(problem), 409)
    except workflow.Stale as stale:
        return back(code=409, changes=what_changed(stale.events))
    except workflow.WorkflowError as problem:
        return back(str(problem))
    return _done(ticket_or_404(number), user, mode)


@desk.post("/tickets/<int:number>/messages/<int:message_id>/again")
def send_again(number: int, message_id: int) -> Any:
    """Send the copies of a message again that failed or came back."""
    ticket = ticket_or_404(number)
    message = db.session.get(Message, message_id) if message_id < 2**63 else None
    if message is None or message.ticket_id != ticket.id:
        abort(404)
    count = repairs.resend(message, reader())
    if count:
        flash(ngettext("%(num)s copy is sent again.", "%(num)s copies are sent again.", count))
    else:
        flash(_("Somebody was quicker; this is how it stands now."), "warn")
    return ticket_response(ticket, f"m{message.id}")


def _typed() -> tuple[str, str]:
    """The text, and its HTML when it was written in the rich editor."""
    html = markup.clean_html(request.form.get("html", ""))
    if html.strip():
        return markup.html_to_text(html), html
    return request.form.get("text", "").replace("\r\n", "\n"), ""


def _draft(text: str, html: str, stored: list[StoredFile], status: str, user: User, as_note: bool) -> MessageDraft:
    signature = "" if as_note else user.signature.strip()
    if signature:
        text = f"{text.rstrip()}\n\n{signature}"
        html = html and f"{html}<br>{markup.text_to_html(signature)}"
    visibility = INTERNAL if as_note else PUBLIC
    return MessageDraft(text, html, files=stored, visibility=visibility, channel="desk", status=status or None)


def _again(ticket: Ticket, state: composer.Composer, code: int) -> Any:
    if not wants_part():
        return ticket_page(ticket, state, code)
    return make_response(render_template("desk/parts/composer.html", ticket=ticket, composer=state), code)


def _done(ticket: Ticket, user: User, mode: str) -> Any:
    if mode == composer.NOTE:
        words = _("The note was added.")
    elif holding.held_since():
        words = _(
            "Your reply to %(name)s is kept; it is sent when the desk is let go.", name=ticket.requester.display_name
        )
    else:
        words = _("Your reply to %(name)s is on its way.", name=ticket.requester.display_name)
    if not wants_part():
        flash(words)
        return ticket_response(ticket, "latest")
    state = composer.fresh(ticket, user)
    answer: Response = make_response(render_template("desk/parts/composer.html", ticket=ticket, composer=state))
    answer.headers["HX-Trigger"] = json.dumps(
        {"message-sent": "", "ticket-changed": "", "list-changed": "", "toast": words}
    )
    return answer
