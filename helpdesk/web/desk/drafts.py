"""Drafts of replies: kept while somebody types, taken back while they are held, listed."""

from typing import Any

from flask import flash, jsonify, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from helpdesk.core import reply_drafts
from helpdesk.core.idempotency import Repeated, Reused
from helpdesk.core.transaction import transaction
from helpdesk.web import uploads
from helpdesk.web.desk import composer
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.tickets import ticket_or_404, ticket_response
from helpdesk.web.desk.writing import composer_page, sent_by, typed
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@desk.get("/drafts")
def drafts() -> str:
    """What the reader has begun to write, on all tickets."""
    found = reply_drafts.mine(reader(), request.args.get("before", type=row_number))
    older = found[-1][0].id if len(found) == reply_drafts.PAGE else None
    return render_template("desk/drafts.html", found=found, older=older)


@desk.post("/tickets/<int:number>/draft")
def save_draft(number: int) -> Any:
    """Keep what is being written. A script asks for JSON: the draft's number, null where nothing is kept."""
    ticket, user = ticket_or_404(number), reader()
    written = typed(user)
    quiet = request.accept_mimetypes.best == "application/json"
    try:
        if not quiet:
            written.files = [*written.files, *uploads.store_all(request.files.getlist("files"))]
        with transaction():
            # What comes after the form was sent is late: the message is there.
            sent_by(ticket, user, written).check()
            draft = reply_drafts.keep(ticket, written, user)
    except (Repeated, Reused):
        draft = None
    except (reply_drafts.TooMany, uploads.NotTaken) as problem:
        if quiet:
            return make_response(jsonify(draft=None, problem=str(problem)), 422)
        state = composer.again(ticket, user, written)
        state.errors = [str(problem)]
        return composer_page(ticket, state, 422)
    if quiet:
        return jsonify(draft=draft.id if draft is not None else None)
    flash(_("The draft is kept.") if draft is not None else _("There is nothing to keep."))
    return ticket_response(ticket, "composer")


@desk.post("/tickets/<int:number>/drafts/<int:draft_id>/undo")
def undo_send(number: int, draft_id: int) -> Any:
    """Take a reply back that has not left yet: its text is in the composer again."""
    ticket = ticket_or_404(number)
    draft = reply_drafts.take_back(ticket, draft_id, reader())
    if draft is None:
        flash(_("It was too late: the reply is sent."), "warn")
        return ticket_response(ticket, "latest")
    flash(_("The reply was not sent. It is in the composer again."))
    return redirect(url_for("desk.ticket", number=ticket.id, draft=draft.id, _anchor="composer"), 303)


@desk.post("/tickets/<int:number>/drafts/<int:draft_id>/discard")
def discard_draft(number: int, draft_id: int) -> Any:
    """Throw one's own draft away."""
    ticket = ticket_or_404(number)
    if reply_drafts.discard(ticket, reader(), draft_id):
        flash(_("The draft was discarded."))
    else:
        flash(_("There was no such draft of yours any more."), "warn")
    return ticket_response(ticket, "composer")
