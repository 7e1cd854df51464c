"""A new ticket from the desk: for whoever calls or comes by, or to write to a customer first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import select

from helpdesk.core import callers, ticket_types, topics, workflow
from helpdesk.core.accounts import AccountError, clean_email
from helpdesk.core.drafts import StoredFile, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.idempotency import Repeated, Reused
from helpdesk.core.models import Team, User
from helpdesk.core.permissions import require
from helpdesk.web import once, uploads
from helpdesk.web.desk import choices
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.call_length import read_length
from helpdesk.web.desk.caller_choice import NEW, CallerChoice, choice_of, choose
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

# Who wrote the first message, and who reads it.
FROM_US, FROM_CUSTOMER, AS_NOTE = "us", "customer", "note"
PHONE, COUNTER, MAIL, DESK = "phone", "counter", "email", "desk"
_FIELDS = (
    "who requester email name phone channel call subject written_by text team priority type topic take notice".split()
)


@dataclass
class _Opened:
    """What the form says, once it has been read: who is asking, and whether they were made for it."""

    requester: User
    call_seconds: int | None
    made: bool


@desk.get("/tickets/new")
def new_ticket() -> Any:
    """The form; with ``?email=`` to write to that person first, with ``?who=`` for whoever that finds."""
    user = reader()
    require(user, "ticket.open")
    address = request.args.get("email", "")[:320]
    teams = [team.id for team in user.teams if team.active]
    values = {
        "who": address or request.args.get("who", "")[:200],
        "channel": DESK if address else PHONE,
        "written_by": FROM_US if address else FROM_CUSTOMER,
        "team": str(teams[0]) if len(teams) == 1 else "",
        # Told by the script: the length is counted by itself until somebody writes it.
        "timed": "1",
    }
    return _form(values, {})


@desk.post("/tickets/new")
def add_ticket() -> Any:
    """Open the ticket, once; whatever is wrong, the form comes back as it was typed.

    ``find`` in it only looks for who is meant: how the box works without a script.
    """
    user = reader()
    require(user, "ticket.open")
    form = request.form
    kept = uploads.kept(form.getlist("kept"), user)
    if "find" in form:
        return _form(form.to_dict(), {}, kept)
    errors = _check(form.to_dict())
    try:
        kept += uploads.store_all(request.files.getlist("files"))
    except uploads.NotTaken as problem:
        errors["files"] = str(problem)
    if errors:
        return _form(form.to_dict(), errors, kept)
    sent = once.of_form("ticket", user, [[form.get(name) for name in _FIELDS], once.of_files(kept)])
    opened: _Opened | None = None
    try:
        sent.check()
        requester, made = choose(form, user)
        opened = _Opened(requester, _call_seconds(form), made)
        # Plugins are asked before the transaction that uses up the form's key.
        prepared = workflow.prepare_ticket(_draft(form, opened, user, kept), user)
        number = sent.run(lambda: workflow.open_ticket(prepared, user)).number
    except Repeated as first:
        if opened is not None and opened.made:
            # The same form was faster, and has made the same person.
            callers.unmake_caller(opened.requester)
        number = first.result_id
    except (AccountError, workflow.Invalid) as problem:
        return _form(_again(form, opened), {problem.field: str(problem)}, kept)
    except (Reused, workflow.WorkflowError) as problem:
        return _form(_again(form, opened), {"form": str(problem)}, kept)
    flash(_("Ticket #%(number)s was opened.", number=number))
    return redirect(url_for("desk.ticket", number=number), 303)


def _draft(form: Mapping[str, str], opened: _Opened, user: User, kept: list[StoredFile]) -> TicketDraft:
    by_us = form.get("written_by") == FROM_US
    return TicketDraft(
        subject=form["subject"],
        requester_id=opened.requester.id,
        text=form["text"].replace("\r\n", "\n"),
        files=kept,
        author_id=opened.requester.id if form.get("written_by") == FROM_CUSTOMER else user.id,
        visibility="internal" if form.get("written_by") == AS_NOTE else "public",
        channel=_channel(form),
        team_id=_team_id(request.form.get("team", type=row_number)),
        assignee_id=user.id if form.get("take") else None,
        priority=form.get("priority", "normal"),
        type_id=request.form.get("type", type=row_number),
        topic_id=request.form.get("topic", type=row_number),
        call_seconds=opened.call_seconds,
        # What we write is sent anyway.
        notice=bool(form.get("notice")) and not by_us and bool(opened.requester.email),
    )


def _channel(form: Mapping[str, str]) -> str:
    return form["channel"] if form.get("channel") in (PHONE, COUNTER, MAIL, DESK) else DESK


def _call_seconds(form: Mapping[str, str]) -> int | None:
    return read_length(form.get("call", "")) if _channel(form) == PHONE else None


def _again(form: Mapping[str, str], opened: _Opened | None) -> dict[str, str]:
    """The form's values; somebody who was made for it is not made a second time."""
    values = dict(form)
    if opened is not None and opened.made:
        values["requester"] = str(opened.requester.id)
    return values


def _check(form: dict[str, str]) -> dict[str, str]:
    errors = {}
    if not any(form.get(name, "").strip() for name in ("who", "requester", "email", "name", "phone")):
        errors["who"] = _("Say who is asking: a name, a phone number or an e-mail address.")
    is_meant = not form.get("who", "").strip() or form.get("requester") == NEW
    if is_meant and form.get("email", "").strip():
        try:
            clean_email(form["email"])
        except AccountError as problem:
            errors["email"] = str(problem)
    if not form.get("subject", "").strip():
        errors["subject"] = _("Say in a few words what it is about.")
    if not form.get("text", "").strip():
        errors["text"] = _("Write what it is about.")
    if form.get("written_by") not in (FROM_US, FROM_CUSTOMER, AS_NOTE):
        errors["written_by"] = _("Choose who wrote this.")
    try:
        _call_seconds(form)
    except workflow.Invalid as problem:
        errors["call"] = str(problem)
    return errors


def _team_id(number: int | None) -> int | None:
    return db.session.scalar(select(Team.id).where(Team.id == number, Team.active)) if number is not None else None


def _channels() -> list[tuple[str, str]]:
    return [(PHONE, _("By phone")), (COUNTER, _("At the counter")), (MAIL, _("By e-mail")), (DESK, _("We begin"))]


def _form(values: dict[str, str], errors: dict[str, str], kept: Any = ()) -> Any:
    user = reader()
    choice: CallerChoice = choice_of(values, user, errors)
    page = render_template(
        "desk/new.html",
        values=values,
        errors=errors,
        choice=choice,
        new=NEW,
        channels=_channels(),
        teams=choices.teams(),
        types=ticket_types.options(),
        topics=topics.options(),
        kept=[(uploads.keep(file, user), file) for file in kept],
    )
    return make_response(page, 422 if errors else 200)
