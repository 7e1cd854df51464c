"""The two links of a mail that asks whether a ticket is solved: each a page with one button."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request
from flask_babel import gettext as _

from helpdesk.core import workflow
from helpdesk.core.extensions import csrf
from helpdesk.core.models.ticket import SOLVED
from helpdesk.web.portal.blueprint import check_form, portal
from helpdesk.web.portal.following import Door, door_for, door_onward

_LONGEST = 1_000_000


@portal.get("/t/<token>/solved")
@portal.get("/tickets/<int:number>/solved")
def solved(token: str | None = None, number: int | None = None) -> Any:
    """The button. Opening the address alone changes nothing: scanners of mails open every link."""
    return _page(door_onward(door_for(token, number)), "solved")


@portal.post("/t/<token>/solved")
@portal.post("/tickets/<int:number>/solved")
@csrf.exempt
def confirm(token: str | None = None, number: int | None = None) -> Any:
    """It is solved: the ticket closes. The second time changes nothing more."""
    door = door_onward(door_for(token, number))
    try:
        check_form()
        workflow.confirm_solved(door.ticket, door.user)
    except workflow.WorkflowError as problem:
        return _page(door_onward(door_for(token, number)), "solved", str(problem))
    flash(_("Thank you for telling us. The ticket is closed."))
    return redirect(door.url("ticket"), 303)


@portal.get("/t/<token>/unsolved")
@portal.get("/tickets/<int:number>/unsolved")
def unsolved(token: str | None = None, number: int | None = None) -> Any:
    """The button, with room for what is still wrong."""
    return _page(door_onward(door_for(token, number)), "unsolved")


@portal.post("/t/<token>/unsolved")
@portal.post("/tickets/<int:number>/unsolved")
@csrf.exempt
def deny(token: str | None = None, number: int | None = None) -> Any:
    """It is not solved: the ticket opens again, with the reason if one was written."""
    door = door_onward(door_for(token, number))
    text = request.form.get("text", "").replace("\r\n", "\n")
    try:
        check_form()
        workflow.deny_solved(door.ticket, door.user, text, door.proved)
    except workflow.WorkflowError as problem:
        return _page(door_onward(door_for(token, number)), "unsolved", str(problem), text)
    flash(_("The ticket is open again. We look at it once more."))
    return redirect(door.url("ticket"), 303)


def _page(door: Door, what: str, error: str = "", text: str = "") -> Any:
    ticket = door.ticket
    page = render_template(
        "portal/confirm.html",
        door=door,
        ticket=ticket,
        what=what,
        waits=ticket.category == SOLVED,
        may_deny=workflow.may_deny(ticket),
        error=error,
        text=text[:_LONGEST],
    )
    return make_response(page, 422 if error else 200)
