"""A new ticket from the desk."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import workflow
from helpdesk.core.accounts import AccountError, clean_email, requester_for
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.idempotency import Repeated, Reused
from helpdesk.core.models import Team
from helpdesk.core.permissions import require
from helpdesk.web import once, uploads
from helpdesk.web.desk import choices
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

# Who wrote the first message, and who reads it.
FROM_US, FROM_CUSTOMER, AS_NOTE = "us", "customer", "note"
_FIELDS = ("email", "name", "subject", "written_by", "text", "team", "priority", "take")


@desk.get("/tickets/new")
def new_ticket() -> Any:
    """The form for a ticket that somebody asked for by phone, over the counter, or that the desk begins."""
    require(reader(), "ticket.open")
    return _form({"written_by": FROM_US, "email": request.args.get("email", "")}, {})


@desk.post("/tickets/new")
def add_ticket() -> Any:
    """Open the ticket, once; whatever is wrong, the form comes back as it was typed."""
    user = reader()
    require(user, "ticket.open")
    form = request.form
    kept = uploads.kept(form.getlist("kept"), user)
    errors = _check(form.to_dict())
    try:
        kept += uploads.store_all(request.files.getlist("files"))
    except uploads.NotTaken as problem:
        errors["files"] = str(problem)
    if errors:
        return _form(form.to_dict(), errors, kept)
    sent = once.of_form("ticket", user, [[form.get(name) for name in _FIELDS], once.of_files(kept)])
    try:
        sent.check()
        requester = requester_for(form["email"], form.get("name", ""))
        draft = TicketDraft(
            subject=form["subject"],
            requester_id=requester.id,
            text=form["text"].replace("\r\n", "\n"),
            files=kept,
            author_id=requester.id if form.get("written_by") == FROM_CUSTOMER else user.id,
            visibility="internal" if form.get("written_by") == AS_NOTE else "public",
            channel="desk",
            team_id=_team_id(form.get("team", type=row_number)),
            assignee_id=user.id if form.get("take") else None,
            priority=form.get("priority", "normal"),
        )
        # Plugins are asked before the transaction that uses up the form's key.
        prepared = workflow.prepare_ticket(draft, user)
        number = sent.run(lambda: workflow.open_ticket(prepared, user)).number
    except Repeated as first:
        number = first.result_id
    except Reused as problem:
        return _form(form.to_dict(), {"form": str(problem)}, kept)
    except (AccountError, workflow.Invalid) as problem:
        return _form(form.to_dict(), {problem.field: str(problem)}, kept)
    except workflow.WorkflowError as problem:
        return _form(form.to_dict(), {"form": str(problem)}, kept)
    flash(_("Ticket #%(number)s was opened.", number=number))
    return redirect(url_for("desk.ticket", number=number), 303)


def _check(form: dict[str, str]) -> dict[str, str]:
    errors = {}
    try:
        clean_email(form.get("email", ""))
    except AccountError as problem:
        errors["email"] = str(problem)
    if not form.get("subject", "").strip():
        errors["subject"] = _("Say in a few words what it is about.")
    if not form.get("text", "").strip():
        errors["text"] = _("Write what it is about.")
    if form.get("written_by") not in (FROM_US, FROM_CUSTOMER, AS_NOTE):
        errors["written_by"] = _("Choose who wrote this.")
    return errors


def _team_id(number: int | None) -> int | None:
    return db.session.scalar(select(Team.id).where(Team.id == number, Team.active)) if number is not None else None


def _form(values: dict[str, str], errors: dict[str, str], kept: Any = ()) -> Any:
    user = reader()
    page = render_template(
        "desk/new.html",
        values=values,
        errors=errors,
        teams=choices.teams(),
        kept=[(uploads.keep(file, user), file) for file in kept],
    )
    return make_response(page, 422 if errors else 200)
