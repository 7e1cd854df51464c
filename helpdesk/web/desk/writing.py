"""Replies and notes."""

import json
from collections.abc import Callable
from typing import Any

from flask import Response, abort, flash, make_response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from helpdesk.core import canned, colleagues, holding, markup, repairs, reply_drafts, workflow
from helpdesk.core.drafts import StoredFile
from helpdesk.core.extensions import db
from helpdesk.core.idempotency import Once, Repeated, Reused
from helpdesk.core.models import Message, ReplyDraft, Ticket, User
from helpdesk.core.models.message import INTERNAL, PUBLIC
from helpdesk.core.permissions import find_ticket, require
from helpdesk.core.reply_drafts import Written
from helpdesk.core.transaction import transaction
from helpdesk.web import once, uploads
from helpdesk.web.desk import composer, lateness
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.history import what_changed
from helpdesk.web.desk.tickets import ticket_or_404, ticket_page, ticket_response
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

# What the composer asks for together with a message: chosen words, read when it is sent.
_MOMENTS = ("promise_by", "snooze_until")


@desk.post("/tickets/<int:number>/messages")
def write(number: int) -> Any:
    """Send a reply or add a note, once. Whatever goes wrong, the text and the files come back with the reason.

    A reply is held for some seconds, in which it can be taken back.
    """
    ticket, user = ticket_or_404(number), reader()
    written = typed(user)

    def back(problem: str = "", code: int = 422, changes: Any = ()) -> Any:
        state = composer.again(ticket_or_404(number), user, written)
        state.errors = [problem] if problem else []
        state.conflict = list(changes)
        return composer_page(ticket_or_404(number), state, code)

    try:
        written.files = [*written.files, *uploads.store_all(request.files.getlist("files"))]
    except uploads.NotTaken as problem:
        return back(str(problem))
    sent = sent_by(ticket, user, written)
    try:
        if written.is_empty:
            raise workflow.Invalid("text", _("Write something first."))
        written.data = {**written.data, "together": lateness.together(request.form, ticket)}
        made = _send(sent, ticket, written, user)
    except Repeated as repeated:
        # It is there already: whoever sent it gets the same answer.
        held = reply_drafts.find(ticket_or_404(number), repeated.result_id) if _is_held(written) else None
        return _done(ticket_or_404(number), user, written, held)
    except Reused as problem:
        return back(str(problem), 409)
    except workflow.Stale as stale:
        return back(code=409, changes=what_changed(stale.events))
    except workflow.Merged as gone:
        # The text goes where the conversation went; its writer looks at that before sending.
        survivor = find_ticket(user, workflow.survivor_of(gone.ticket).id)
        state = composer.again(survivor or ticket_or_404(number), user, written)
        state.errors = [str(gone)]
        return composer_page(ticket_or_404(survivor.id if survivor else number), state, 422)
    except (workflow.WorkflowError, reply_drafts.TooMany) as problem:
        return back(str(problem))
    return _done(ticket_or_404(number), user, written, made if isinstance(made, ReplyDraft) else None)


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


def typed(user: User) -> Written:
    """What stands in the composer's form, without files that are sent anew."""
    as_note = request.form.get("mode") == composer.NOTE
    html = markup.clean_html(request.form.get("html", ""))
    if html.strip():
        text = markup.html_to_text(html)
    else:
        text, html = request.form.get("text", "").replace("\r\n", "\n"), ""
    return Written(
        text,
        html,
        visibility=INTERNAL if as_note else PUBLIC,
        files=uploads.kept(request.form.getlist("kept"), user),
        data={"status": request.form.get("note_status" if as_note else "status", ""), **_moments()},
        version=request.form.get("version", type=row_number),
        number=request.form.get("draft", type=row_number),
        key=request.form.get("once", ""),
    )


def _moments() -> dict[str, str]:
    """What was chosen beside the text, as it was chosen."""
    return {name: chosen for name in _MOMENTS if (chosen := request.form.get(name, "")[:100])}


def sent_by(ticket: Ticket, user: User, written: Written) -> Once:
    """The key of the composer's form."""
    mode = composer.NOTE if written.visibility == INTERNAL else composer.REPLY
    files: list[StoredFile] = list(written.files)
    content = [
        mode,
        {key: written.data[key] for key in sorted(written.data)},
        written.text,
        written.html,
        once.of_files(files),
    ]
    return once.of_form(f"message:{ticket.id}", user, content)


def composer_page(ticket: Ticket, state: composer.Composer, code: int = 200) -> Any:
    """The composer as it is now, in its page or alone."""
    if not wants_part():
        return ticket_page(ticket, state, code)
    return make_response(render_template("desk/parts/composer.html", ticket=ticket, composer=state), code)


def _is_held(written: Written) -> bool:
    """Whether it waits to be taken back. While the desk is held nothing leaves it anyway."""
    return written.visibility == PUBLIC and reply_drafts.undo_seconds() > 0 and not holding.held_since()


def _send(sent: Once, ticket: Ticket, written: Written, user: User) -> Message | ReplyDraft:
    """Write it, or hold it; in one transaction with its key and the end of its draft."""
    as_note = written.visibility == INTERNAL
    require(user, "ticket.note" if as_note else "ticket.reply", ticket)
    sent.check()
    if _is_held(written):
        reply_drafts.check(ticket, written, user)
        return sent.run(lambda: _with_uses(user, lambda: reply_drafts.hold(ticket, written, user)))
    message = reply_drafts.message_of(written, user)
    if as_note:
        message.mentions = colleagues.named_in(written.text)
    # Plugins are asked before the transaction that uses the key up.
    prepared = workflow.prepare_message(ticket, message, user)
    verb = workflow.note if as_note else workflow.reply

    def act() -> Message:
        made = verb(ticket, prepared, user, written.version)
        workflow.after_reply(ticket, written.data["together"], user)
        reply_drafts.discard(ticket, user, written.number, written.key)
        return made

    return sent.run(lambda: _with_uses(user, act))


def _with_uses(user: User, act: Callable[[], Any]) -> Any:
    """Act, and count the canned responses that were put in."""
    with transaction():
        made = act()
        for number in dict.fromkeys(request.form.getlist("canned", type=row_number)[:20]):
            if (response := canned.find(number, user)) is not None:
                canned.count_use(response)
    return made


def _done(ticket: Ticket, user: User, written: Written, held: ReplyDraft | None) -> Any:
    name = ticket.requester.display_name
    if written.visibility == INTERNAL:
        words = _("The note was added.")
    elif holding.held_since():
        words = _("Your reply to %(name)s is kept; it is sent when the desk is let go.", name=name)
    elif held is not None and held.send_at is not None:
        words = _("Your reply to %(name)s leaves in a moment. You can still take it back.", name=name)
    else:
        words = _("Your reply to %(name)s is on its way.", name=name)
    if not wants_part():
        flash(words)
        return ticket_response(ticket, f"d{held.id}" if held is not None else "latest")
    state = composer.fresh(ticket, user)
    answer: Response = make_response(render_template("desk/parts/composer.html", ticket=ticket, composer=state))
    tell: dict[str, Any] = {"message-sent": "", "ticket-changed": "", "list-changed": "", "toast": words}
    if held is not None and held.send_at is not None:
        # The toast has the button that stands in the conversation as well.
        del tell["toast"]
        undo = url_for("desk.undo_send", number=ticket.id, draft_id=held.id)
        tell["toast-undo"] = {"text": words, "url": undo, "label": _("Undo")}
    answer.headers["HX-Trigger"] = json.dumps(tell)
    return answer
