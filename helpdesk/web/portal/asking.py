"""The start page with the form that opens a ticket; no account is needed."""

from dataclasses import dataclass, field
from typing import Any

from flask import flash, g, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import accounts, links, rush, topics, workflow
from helpdesk.core.accounts import AccountError
from helpdesk.core.drafts import StoredFile, TicketDraft
from helpdesk.core.extensions import csrf, db
from helpdesk.core.idempotency import Once, Repeated, Reused
from helpdesk.core.models import Ticket, TicketField, User
from helpdesk.core.plugin_fields import usable
from helpdesk.core.throttle import TooMany, count_request
from helpdesk.core.transaction import transaction
from helpdesk.web import once, places, uploads
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
    topic: str = ""
    fields: dict[str, str] = field(default_factory=dict)
    kept: list[tuple[str, StoredFile]] = field(default_factory=list)
    # Of the pause that strangers make when many write at once.
    waited: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@portal.get("/")
def home() -> Any:
    """What can we help you with?"""
    if visitor() is None and not accounts.has_admin():
        return make_response(render_template("portal/waiting.html"), 503)
    return _page(Question())


@portal.post("/ask")
@csrf.exempt
def ask() -> Any:
    """Open a ticket, once. Whatever is wrong, the form comes back with all that was typed.

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
        sent = _sent(question, user)
        sent.check()
        count_request("ask", request.remote_addr or "")
        ticket: Ticket | None = _open(question, user, sent)
    except Repeated as first:
        ticket = db.session.get(Ticket, first.result_id)
    except Reused as problem:
        question.errors["form"], code = str(problem), 409
    except uploads.NotTaken as problem:
        question.errors["files"], code = str(problem), 413
    except TooMany as problem:
        question.errors["form"], code = str(problem), 429
    except rush.Wait as problem:
        question.errors["form"], question.waited, code = str(problem), problem.note, 429
    except (AccountError, workflow.Invalid) as problem:
        question.errors[problem.field] = str(problem)
    except workflow.WorkflowError as problem:
        question.errors["form"] = str(problem)
    if question.errors:
        return _page(question, code)
    if ticket is None:
        # It was opened, and is no longer there.
        return redirect(url_for("portal.home"), 303)
    flash(_("We have received your message. Keep this page's address: with it you follow your ticket."))
    if user is not None:
        return redirect(url_for("portal.ticket", number=ticket.id), 303)
    return redirect(url_for("portal.ticket", token=links.token(links.OPENED, ticket, ticket.requester)), 303)


def _read(user: User | None) -> Question:
    form = request.form
    return Question(
        subject=form.get("subject", ""),
        text=form.get("text", "").replace("\r\n", "\n"),
        name=form.get("name", ""),
        email=form.get("email", ""),
        topic=form.get("topic", ""),
        fields={name.removeprefix("field:"): value for name, value in form.items() if name.startswith("field:")},
        waited=form.get("waited", ""),
        kept=[(uploads.keep(file, user), file) for file in uploads.kept(form.getlist("kept"), user)],
    )


def _sent(question: Question, user: User | None) -> Once:
    stored = once.of_files([file for _note, file in question.kept])
    content = [question.subject, question.text, question.name, question.email, question.topic, question.fields, stored]
    return once.of_form("ask", user, content)


def _open(question: Question, user: User | None, sent: Once) -> Ticket:
    if not question.subject.strip():
        raise workflow.Invalid("subject", _("Say in a few words what it is about."))
    if not question.text.strip():
        raise workflow.Invalid("text", _("Tell us a little more, so that we can help."))
    if user is None:
        accounts.clean_reachable_email(question.email)
        rush.admit(question.waited)
    return sent.run(lambda: _write(question, user))


def _write(question: Question, user: User | None) -> Ticket:
    """One transaction makes the requester, if there is none, and the ticket."""
    public = {found.key for found in public_fields()}
    with transaction():
        requester = user or accounts.requester_for(question.email, question.name, str(get_locale()))
        draft = TicketDraft(
            subject=question.subject,
            requester_id=requester.id,
            text=question.text,
            files=[file for _note, file in question.kept],
            fields={key: value for key, value in question.fields.items() if key in public},
            topic_id=_topic(question.topic),
            locale=str(get_locale()),
            # Whoever types an address proves nothing.
            verified=user is not None,
            notice=True,
        )
        # A typed address gives nobody its owner's rights: as with mail, the desk itself opens the ticket.
        return workflow.open_ticket(draft, user)


def _topic(number: str) -> int | None:
    """The topic that was chosen, if customers may still choose it: the question is worth more than its topic."""
    return next((one.id for one in topics.offered(public=True) if str(one.id) == number), None)


def public_fields() -> list[TicketField]:
    """The custom fields that customers fill in."""
    query = select(TicketField).where(usable(), TicketField.public)
    return list(db.session.scalars(query.order_by(TicketField.position, TicketField.id)))


def _page(question: Question, code: int = 200) -> Any:
    g.no_store = True
    user = visitor()
    tickets = newest_tickets(user) if user is not None else []
    page = render_template(
        "portal/home.html",
        question=question,
        fields=public_fields(),
        topics=topics.options(public=True),
        tickets=tickets,
        visitor=user,
        trap=TRAP,
        blocks=places.portal_blocks(user),
    )
    return make_response(page, code)
