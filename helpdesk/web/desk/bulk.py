"""Many tickets at once: what is to be done with them, how far it is, and the way back."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy import func, select

from helpdesk.core import actions, bulk, macros
from helpdesk.core.actions import InvalidAction
from helpdesk.core.extensions import db
from helpdesk.core.filter_criteria import criteria
from helpdesk.core.filters import InvalidFilter, TicketFilter
from helpdesk.core.models import BulkAct, Ticket
from helpdesk.core.permissions import visible_tickets
from helpdesk.web.desk import action_form
from helpdesk.web.desk.blueprint import desk, sent
from helpdesk.web.desk.filter_form import wanted_filter
from helpdesk.web.errors import error_page
from helpdesk.web.numbers import row_number
from helpdesk.web.session import reader

_SHOWN = 10


@desk.get("/bulk")
def bulk_form() -> Any:
    """What can be done with the tickets that were chosen (``?ids=``), or with all that a filter finds (``?all=1``)."""
    return _form({}, {}, 200)


@desk.post("/bulk")
def start_bulk() -> Any:
    """Do it. A mistake in the form comes back with what was chosen."""
    user = reader()
    try:
        wanted = _wanted_actions()
        act = bulk.begin(_which(), wanted, user)
    except InvalidAction as problem:
        return _form({problem.field: str(problem)}, request.form, 422)
    except (bulk.NothingChosen, InvalidFilter) as problem:
        return _form({"do": str(problem)}, request.form, 422)
    sums = bulk.sums(act)
    if act.state != bulk.DONE or sums.skipped:
        return redirect(url_for("desk.bulk_act", act_id=act.id), 303)
    words = ngettext("%(num)s ticket was changed.", "%(num)s tickets were changed.", sums.done)
    notice = render_template("desk/parts/bulk_undo.html", words=words, act=act, can_undo=bulk.can_undo(act))
    flash(Markup(notice))  # nosec B704 # the template escapes what it is given
    return redirect(_back(), 303)


@desk.get("/bulk/<int:act_id>")
def bulk_act(act_id: int) -> str:
    """How far an act is, what was left out and why, and the button that undoes it."""
    act = _or_404(act_id)
    sums, told = bulk.sums(act), bulk.told_of(act)
    numbers = [item.ticket_id for item in told]
    query = visible_tickets(reader()).where(Ticket.id.in_(numbers)).with_only_columns(Ticket.id, Ticket.subject)
    subjects = {number: subject for number, subject in db.session.execute(query)}
    return render_template(
        "desk/bulk_act.html",
        act=act,
        sums=sums,
        told=told,
        subjects=subjects,
        lines=actions.summary(actions.readable(act.actions, reader()), reader()),
        can_undo=bulk.can_undo(act),
        moving=act.state in (bulk.RUNNING, bulk.UNDOING),
    )


@desk.post("/bulk/<int:act_id>/undo")
def undo_bulk(act_id: int) -> Any:
    """Give every ticket back what it had, where nobody changed it since."""
    act = bulk.undo(_or_404(act_id), reader())
    if act.state == bulk.UNDONE and not bulk.told_of(act, 1):
        flash(_("It is undone."))
        return redirect(_back(), 303)
    return redirect(url_for("desk.bulk_act", act_id=act.id), 303)


def _form(errors: Mapping[str, str], typed: Mapping[str, str], code: int) -> Any:
    user = reader()
    try:
        which = _which()
        total, shown = _look_at(which)
    except InvalidFilter as problem:
        return error_page(400, str(problem))
    page = render_template(
        "desk/bulk.html",
        total=total,
        shown=shown,
        ids=[] if isinstance(which, TicketFilter) else which,
        filter=which.as_dict() if isinstance(which, TicketFilter) else {},
        errors=errors,
        typed=typed,
        options=action_form.options(user),
        labels=action_form.labels(),
        macros=macros.listed(user, only_active=True),
        back=_back(),
        most=bulk.MOST,
    )
    return make_response(page, code)


def _which() -> list[int] | TicketFilter:
    """The tickets that the request is about."""
    if sent().get("all"):
        return wanted_filter(sent())
    found = []
    for text in sent().getlist("ids"):
        for part in text.split(","):
            if part.isascii() and part.isdigit() and len(part) < 19:
                found.append(int(part))
    return list(dict.fromkeys(found))[: bulk.MOST + 1]


def _look_at(which: Sequence[int] | TicketFilter) -> tuple[int, Sequence[Ticket]]:
    user = reader()
    query = visible_tickets(user)
    limits = criteria(which, user) if isinstance(which, TicketFilter) else [Ticket.id.in_(which)]
    query = query.where(*limits)
    counted = query.with_only_columns(Ticket.id).limit(bulk.MOST + 1).subquery()
    total = db.session.scalar(select(func.count()).select_from(counted)) or 0
    return total, db.session.scalars(query.order_by(Ticket.id.desc()).limit(_SHOWN)).all()


def _wanted_actions() -> list[actions.Action]:
    """The macro that was chosen with what the fields say besides: a field counts more than the macro."""
    user = reader()
    raw = actions.from_form(request.form)
    number = request.form.get("macro", type=row_number)
    if number:
        macro = macros.find(number, user)
        if macro is None:
            raise InvalidAction("macro", _("This macro is no longer there; choose another."))
        raw = [*macro.actions, *raw]
    return actions.parse(raw, user)


def _back() -> str:
    """The list that the tickets were chosen in; of this desk alone."""
    back = sent().get("back", "")
    return back if back.startswith("/desk/views/") and "\\" not in back else url_for("desk.home")


def _or_404(act_id: int) -> BulkAct:
    act = bulk.find_act(act_id, reader())
    if act is None:
        abort(404)
    return act
