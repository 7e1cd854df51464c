"""Merging: choose what is one, look at both side by side, one click; and back again."""

from collections.abc import Sequence
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import func, select

from helpdesk.core import merges, workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, TicketMerge
from helpdesk.core.permissions import find_ticket, require
from helpdesk.core.workflow.merging import MOST
from helpdesk.web.desk.blueprint import desk
from helpdesk.web.desk.tickets import ticket_or_404, view_key
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader


@desk.get("/tickets/<int:number>/merge")
def merge_into(number: int) -> Any:
    """What a ticket may be merged with: the same person's, or by number and words."""
    ticket = ticket_or_404(number)
    require(reader(), "ticket.edit", ticket)
    if ticket.merged_into_id is not None:
        return redirect(url_for("desk.ticket", number=ticket.id), 303)
    text = request.args.get("q", "")[:200]
    found = merges.suggestions(ticket, reader(), text)
    return render_template("desk/merge_into.html", ticket=ticket, found=found, text=text)


@desk.get("/merge")
def merge_form() -> Any:
    """The chosen tickets side by side, and in which of them they go on. ``ids``: repeated, or with commas."""
    return _page(_ids(request.args.getlist("ids")), request.args.get("survivor", 0, type=row_number))


@desk.post("/merge")
def merge() -> Any:
    """Merge them. Whatever speaks against it is said beside the choice, which stays."""
    ids, into = _ids(request.form.getlist("ids")), request.form.get("survivor", 0, type=row_number)
    confirmed = "different_people" in request.form
    tickets = {ticket.id: ticket for ticket in merges.chosen(ids, reader())}
    gone = [number for number in ids if number not in tickets]
    survivor = tickets.get(into)
    if gone and "survivor" in request.form:
        return _page(ids, into, _gone(gone), 409, confirmed)
    if "survivor" not in request.form:
        # The choice of a list: first they are looked at.
        return _page(ids, into)
    if survivor is None:
        return _page(ids, into, _("Choose in which ticket they go on."), 422, confirmed)
    others = [tickets[number] for number in ids if number != into]
    try:
        rows = workflow.merge(survivor, others, reader(), confirmed)
    except workflow.WorkflowError as problem:
        return _page(ids, into, str(problem), 422, confirmed)
    words = ngettext(
        "%(num)s ticket was merged into #%(number)s.",
        "%(num)s tickets were merged into #%(number)s.",
        len(rows),
        number=survivor.id,
    )
    flash(words)
    return redirect(url_for("desk.ticket", number=survivor.id, merged=rows[-1].merged_id, view=_view()), 303)


@desk.post("/merges/<int:merge_id>/undo")
def undo_merge(merge_id: int) -> Any:
    """Undo one merge: its messages go back to their ticket, which opens."""
    row = db.session.get(TicketMerge, merge_id)
    if row is None or find_ticket(reader(), row.merged_id) is None or find_ticket(reader(), row.survivor_id) is None:
        abort(404)
    merged_id, survivor_id = row.merged_id, row.survivor_id
    try:
        workflow.unmerge(row, reader())
    except workflow.WorkflowError as problem:
        flash(str(problem), "error")
        return redirect(url_for("desk.ticket", number=survivor_id, view=_view()), 303)
    flash(_("#%(number)s is a ticket of its own again, with the messages that it had.", number=merged_id))
    return redirect(url_for("desk.ticket", number=merged_id, view=_view()), 303)


def _view() -> str | None:
    """The list from which the tickets were chosen, to be shown beside them again."""
    return view_key() if "view" in request.form or "view" in request.args else None


def _ids(values: Sequence[str]) -> list[int]:
    """Numbers of tickets as somebody chose them, each once; what is no number is left out."""
    found: dict[int, None] = {}
    for text in ",".join(values)[:2000].split(","):
        try:
            found[row_number(text.strip().removeprefix("#"))] = None
        except ValueError:
            continue
    return list(found)[: MOST + 1]


def _page(ids: Sequence[int], into: int, problem: str = "", code: int = 200, confirmed: bool = False) -> Any:
    tickets = merges.chosen(ids, reader())
    for ticket in tickets:
        require(reader(), "ticket.edit", ticket)
    there = [ticket.id for ticket in tickets]
    if not problem and (gone := [number for number in ids if number not in there]):
        problem = _gone(gone)
    survivor = next((ticket for ticket in tickets if ticket.id == into), None) or merges.best_survivor(tickets)
    page = render_template(
        "desk/merge.html",
        tickets=tickets,
        survivor=survivor,
        counts=_counts(there),
        different=len({ticket.requester_id for ticket in tickets}) > 1,
        confirmed=confirmed,
        problem=problem,
        view=_view(),
    )
    return make_response(page, code)


def _gone(numbers: Sequence[int]) -> str:
    named = ", ".join(f"#{number}" for number in numbers[:10])
    return ngettext(
        "%(numbers)s is not there any more, or was merged already. It was left out.",
        "%(numbers)s are not there any more, or were merged already. They were left out.",
        len(numbers),
        numbers=named,
    )


def _counts(numbers: Sequence[int]) -> dict[int, int]:
    """How many messages each has. One query."""
    query = select(Message.ticket_id, func.count()).where(Message.ticket_id.in_(numbers)).group_by(Message.ticket_id)
    return {number: count for number, count in db.session.execute(query)}
