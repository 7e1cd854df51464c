"""A ticket as its customer follows it: by the signed link of a mail, or signed in."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import abort, flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.core import i18n, links, workflow
from helpdesk.core.drafts import MessageDraft, StoredFile
from helpdesk.core.extensions import csrf, db
from helpdesk.core.idempotency import Repeated, Reused
from helpdesk.core.models import Attachment, Follower, Message, Ticket, User
from helpdesk.core.models.message import PUBLIC
from helpdesk.core.permissions import allowed, find_ticket
from helpdesk.web import once, uploads
from helpdesk.web.downloads import stored_file
from helpdesk.web.message_html import html_of
from helpdesk.web.portal.blueprint import check_form, portal
from helpdesk.web.session import reader, require_sign_in

# A page shows this many messages at most; the oldest of longer conversations are in the mails.
_MOST = 500


@dataclass(frozen=True)
class Door:
    """Who came in to which ticket, and how: a link's token, or the number for somebody who is signed in."""

    ticket: Ticket
    user: User
    by: dict[str, Any]
    # Whether it is certain who came: a mailed link or a sign-in, not the link shown after a form.
    proved: bool = True

    def url(self, endpoint: str, **values: Any) -> str:
        """The address of a page of this ticket, by the same door."""
        return url_for(f"portal.{endpoint}", **self.by, **values)


@dataclass
class Answer:
    """What the customer has typed so far."""

    text: str = ""
    kept: list[tuple[str, StoredFile]] = field(default_factory=list)
    error: str = ""


@portal.get("/t/<token>")
@portal.get("/tickets/<int:number>")
def ticket(token: str | None = None, number: int | None = None) -> Any:
    """The conversation, and what the customer can do. Where it goes on in another ticket of theirs, that one."""
    door = door_for(token, number)
    onward = door_onward(door)
    return redirect(onward.url("ticket"), 303) if onward.ticket is not door.ticket else _page(door, Answer())


@portal.post("/t/<token>/reply")
@portal.post("/tickets/<int:number>/reply")
@csrf.exempt
def reply(token: str | None = None, number: int | None = None) -> Any:
    """Add a message, once; the ticket opens again if it was solved. A stale form comes back with its text."""
    door = door_for(token, number)
    # What answers a ticket that was merged lands where it goes on.
    door = _onward(door) or door
    text = request.form.get("text", "").replace("\r\n", "\n")
    answer = Answer(text, [(uploads.keep(file, door.user), file) for file in _kept(door.user)])
    try:
        check_form()
        stored = uploads.store_all(request.files.getlist("files"))
        answer.kept += [(uploads.keep(file, door.user), file) for file in stored]
        _reply(door, answer)
    except Repeated:
        # It is there already: whoever sent it is told the same.
        pass
    except Reused as problem:
        answer.error = str(problem)
        return _page(_newest(door), answer, 409)
    except uploads.NotTaken as problem:
        answer.error = str(problem)
        return _page(_newest(door), answer, 413)
    except workflow.Merged:
        # Into which one is not theirs to know.
        answer.error = _("This ticket is closed. Open a new one to go on.")
        return _page(_newest(door), answer, 422)
    except workflow.WorkflowError as problem:
        answer.error = str(problem)
        return _page(_newest(door), answer, 422)
    flash(_("Your message was added."))
    return redirect(door.url("ticket"), 303)


def _reply(door: Door, answer: Answer) -> None:
    stored = [file for _note, file in answer.kept]
    sent = once.of_form(f"reply:{door.ticket.id}", door.user, [answer.text, once.of_files(stored)])
    draft = MessageDraft(text=answer.text, files=stored, channel="web", verified=door.proved)
    once.write_message(sent, door.ticket, draft, door.user)


@portal.post("/t/<token>/status")
@portal.post("/tickets/<int:number>/status")
def set_status(token: str | None = None, number: int | None = None) -> Any:
    """The customer says that it is solved, or that it is not."""
    door = door_onward(door_for(token, number))
    verbs = {"solved": workflow.solve, "open": workflow.reopen}
    verb = verbs.get(request.form.get("status", ""))
    if verb is None:
        abort(422)
    try:
        verb(door.ticket, door.user)
    except workflow.WorkflowError as problem:
        return _page(_newest(door), Answer(error=str(problem)), 422)
    if verb is workflow.solve:
        flash(_("Thank you for telling us. The ticket is solved."))
    else:
        flash(_("The ticket is open again. Tell us below what is still wrong."))
    return redirect(door.url("ticket"), 303)


@portal.get("/t/<token>/files/<int:attachment_id>")
@portal.get("/tickets/<int:number>/files/<int:attachment_id>")
def file(attachment_id: int, token: str | None = None, number: int | None = None) -> Any:
    """A file of a message that the customer may read."""
    door = door_for(token, number)
    query = select(Attachment).join(Attachment.message).where(Attachment.id == attachment_id, *_readable(door))
    found = db.session.scalar(query)
    if found is None:
        abort(404)
    return stored_file(found.sha256, found.name, found.content_type, inline="show" in request.args)


def door_for(token: str | None, number: int | None) -> Door:
    """Who may come in; forged, dead and foreign look like not there."""
    g.no_store = True
    if token is not None:
        found, proved = links.redeem(links.FOLLOW, token), True
        if found is None:
            found, proved = links.redeem(links.OPENED, token), False
        if found is None:
            abort(404)
        own, user = found
        if proved:
            _speak(user)
        return Door(own, user, {"token": token}, proved)
    if (answer := require_sign_in()) is not None:
        abort(answer)
    own_ticket = find_ticket(reader(), number or 0)
    if own_ticket is None:
        abort(404)
    return Door(own_ticket, reader(), {"number": number})


def door_onward(door: Door) -> Door:
    """The same door, or where a ticket was merged into another of the same person that one's.

    Whether somebody else's ticket is solved is not theirs to say.
    """
    onward = _onward(door)
    theirs = onward is not None and onward.ticket.requester_id == door.ticket.requester_id == door.user.id
    return onward if onward is not None and theirs else door


def _onward(door: Door) -> Door | None:
    """The way into the ticket in which a merged one goes on, for a customer who may write there; else None.

    Not for the link that is shown after a form: anybody can send that under the address of somebody else, and would
    read what they wrote us.
    """
    if door.ticket.merged_into_id is None or not door.proved:
        return None
    survivor = workflow.survivor_of(door.ticket)
    if not allowed(door.user, "ticket.reply", survivor):
        return None
    if "token" not in door.by:
        return Door(survivor, door.user, {"number": survivor.id}, door.proved)
    return Door(survivor, door.user, {"token": links.token(links.FOLLOW, survivor, door.user)})


def _newest(door: Door) -> Door:
    """The same door after a transaction that was rolled back: its rows as they are now."""
    db.session.refresh(door.ticket)
    return door


def _speak(user: User) -> None:
    """The customer's own language, unless this browser or account chose another."""
    chosen = request.cookies.get(i18n.cookie_name()) or (current_user.is_authenticated and current_user.locale)
    if not chosen and i18n.known_locale(user.locale):
        i18n.use_locale(str(user.locale))


def _page(door: Door, answer: Answer, code: int = 200) -> Any:
    def address_of(number: int) -> str:
        return door.url("file", attachment_id=number, show=1)

    may_write = not door.ticket.is_closed and allowed(door.user, "ticket.reply", door.ticket)
    page = render_template(
        "portal/ticket.html",
        door=door,
        ticket=door.ticket,
        messages=[(message, html_of(message, address_of)) for message in _messages(door)],
        answer=answer,
        may_write=may_write,
        onward=_onward(door),
    )
    return make_response(page, code)


def _messages(door: Door) -> Sequence[Message]:
    query = (
        select(Message)
        .where(*_readable(door))
        .options(joinedload(Message.author), selectinload(Message.attachments))
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(_MOST)
    )
    return list(reversed(db.session.scalars(query).all()))


def _readable(door: Door) -> list[Any]:
    """Public messages of this ticket; somebody who was added later sees what came later, and nobody what was merged

    into it from a ticket that is not theirs to read."""
    criteria: list[Any] = [workflow.readable_by(door.user, door.ticket), Message.visibility == PUBLIC]
    if door.user.is_staff or door.user.id == door.ticket.requester_id:
        return criteria
    followed = db.session.get(Follower, (door.ticket.id, door.user.id))
    shared = door.ticket.organization is not None and door.ticket.organization.shares_tickets
    if shared and door.user.organization_id == door.ticket.organization_id:
        return criteria
    if followed is None:
        abort(404)
    return [*criteria, Message.created_at >= followed.since]


def _kept(user: User) -> list[StoredFile]:
    return uploads.kept(request.form.getlist("kept"), user)
