"""The start page with the form that opens a ticket; no account is needed."""

from dataclasses import dataclass, field
from typing import Any

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import accounts, files, links, workflow
from helpdesk.core.accounts import AccountError
from helpdesk.core.drafts import StoredFile, TicketDraft
from helpdesk.core.extensions import csrf, db
from helpdesk.core.models import Ticket, TicketField, User
from helpdesk.core.throttle import TooMany, count_request
from helpdesk.core.transaction import transaction
from helpdesk.web import uploads
from helpdesk.web.portal.blueprint import check_form, portal, visitor
from helpdesk.web.portal.mine import newest_tickets

# A field that people do not see and robots fill in.
TRAP = "website"


@dataclass
class Question:
    """What somebody has typed so far, and what is wrong with it by field."""

    subject: str = ""
    text: str = ""
    name: str = ""
    email: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    kept: list[tuple[str, StoredFile]] = field(default_factory=list)
    errors: dict[str, str] = field(default_factory=dict)


@portal.get("/")
def home() -> Any:
    """What can we help you with?"""
    if not accounts.has_admin():
        return make_response(render_template("portal/waiting.html"), 503)
    return _page(Question())


@portal.post("/ask")
@csrf.exempt
def ask() -> Any:
    """Open a ticket. Whatever is wrong, the form comes back with all that was typed.

    The form's token is checked here and not by the framework, so that a stale one loses nothing.
    """
    user = visitor()
    question = _read(user)
    if request.form.get(TRAP):
        # A robot: it is told what it wants to hear, and nothing is written.
        return redirect(url_for("portal.home"), 303)
    code = 422
    try:
        check_form()
        question.kept += [
            (uploads.keep(file, user), file) for file in uploads.store_all(request.files.getlist("files"))
        ]
        count_request("ask", request.remote_addr or "")
        ticket, requester = _open(question, user)
    except files.TooLarge as problem:
        question.errors["files"] = _("“%(name)s” is too large; leave it out or send a link to it.", name=str(problem))
        code = 413
    except TooMany as problem:
        question.errors["form"], code = str(problem), 429
    except (AccountError, workflow.Invalid) as problem:
        question.errors[problem.field] = str(problem)
    except workflow.WorkflowError as problem:
        question.errors["form"] = str(problem)
    if question.errors:
        return _page(question, code)
    flash(_("We have received your message. Keep this page's address: with it you follow your ticket."))
    if user is not None:
        return redirect(url_for("portal.ticket", number=ticket.id), 303)
    return redirect(url_for("portal.ticket", token=links.token(links.OPENED, ticket, requester)), 303)


def _read(user: User | None) -> Question:
    form = request.form
    return Question(
        subject=form.get("subject", ""),
        text=form.get("text", "").replace("\r\n", "\n"),
        name=form.get("name", ""),
        email=form.get("email", ""),
        fields={name.removeprefix("field:"): value for name, value in form.items() if name.startswith("field:")},
        kept=[(uploads.keep(file, user), file) for file in uploads.kept(form.getlist("kept"), user)],
    )


def _open(question: Question, user: User | None) -> tuple[Ticket, User]:
    """One transaction makes the requester, if there is none, and the ticket."""
    if not question.subject.strip():
        raise workflow.Invalid("subject", _("Say in a few words what it is about."))
    if not question.text.strip():
        raise workflow.Invalid("text", _("Tell us a little more, so that we can help."))
    if user is None:
        accounts.clean_email(question.email)
    public = {found.key for found in public_fields()}
    with transaction():
        requester = user or accounts.requester_for(question.email, question.name, str(get_locale()))
        draft = TicketDraft(
            subject=question.subject,
            requester_id=requester.id,
            text=question.text,
            files=[file for _note, file in question.kept],
            fields={key: value for key, value in question.fields.items() if key in public},
            locale=str(get_locale()),
            # Whoever types an address proves nothing.
            verified=user is not None,
            notice=True,
        )
        # A typed address gives nobody its owner's rights: as with mail, the desk itself opens the ticket.
        return workflow.open_ticket(draft, user), requester


def public_fields() -> list[TicketField]:
    """The custom fields that customers fill in."""
    query = select(TicketField).where(TicketField.active, TicketField.public)
    return list(db.session.scalars(query.order_by(TicketField.position, TicketField.id)))


def _page(question: Question, code: int = 200) -> Any:
    g.no_store = True
    user = visitor()
    tickets = newest_tickets(user) if user is not None else []
    page = render_template(
        "portal/home.html", question=question, fields=public_fields(), tickets=tickets, visitor=user, trap=TRAP
    )
    return make_response(page, code)
