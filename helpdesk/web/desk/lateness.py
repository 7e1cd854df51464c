"""When a ticket must be done, what its customer was promised, and until when it rests."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from babel.dates import format_time
from flask import make_response, redirect, render_template, request, url_for
from flask_babel import get_locale, to_user_timezone
from flask_babel import gettext as _
from markupsafe import Markup

from helpdesk.core import i18n, lateness, moments, promise_list, settings, workflow
from helpdesk.core.clock import now
from helpdesk.core.direction import as_written_in
from helpdesk.core.models import Ticket
from helpdesk.core.moments import EVENING, MORNING, Choice, NotAMoment
from helpdesk.core.permissions import allowed, require
from helpdesk.core.promise_list import KINDS, OPEN
from helpdesk.core.settings import LatenessSettings
from helpdesk.core.working_time import hours_of
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.history import what_changed
from helpdesk.web.desk.tickets import ticket_or_404
from helpdesk.web.numbers import row_number
from helpdesk.web.render import day_of
from helpdesk.web.session import reader

DUE, PROMISE, SNOOZE = "due", "promise", "snooze"
_MENUS = (DUE, PROMISE, SNOOZE)
_ENDS = ("today", "tomorrow", "workday", "week")


@dataclass
class Menu:
    """One menu of the ticket's header: its choices, what was typed, and what was wrong with it."""

    what: str
    ticket: Ticket
    at: str = ""
    words: str = ""
    error: str = ""
    changes: Sequence[tuple[Markup, str]] = field(default_factory=tuple)

    @property
    def choices(self) -> list[Choice]:
        return choices_for(self.what, self.ticket)

    @property
    def set_at(self) -> datetime | None:
        """What is set now."""
        columns = {DUE: self.ticket.due_at, PROMISE: self.ticket.promised_at, SNOOZE: self.ticket.snoozed_until}
        return columns[self.what]

    @property
    def typed(self) -> str:
        """What stands in the field: what was typed, or what is set and still to come."""
        return self.at or (for_input(self.set_at) if self.set_at is not None and self.set_at > now() else "")


@desk.get("/tickets/<int:number>/times")
def ticket_times(number: int) -> str:
    """All three on one page, for readers without a script; with ``?what=`` one menu of the header."""
    found = ticket_or_404(number)
    require(reader(), "ticket.edit", found)
    what = request.args.get("what", "")
    if wants_part() and what in _MENUS:
        return render_template("desk/parts/late_menu.html", menu=Menu(what, found), ticket=found)
    return _whole_page(found)


@desk.get("/promises")
def promises() -> str:
    """What customers were promised. Agents see their own at first, who looks after a team everybody's."""
    user, kind = reader(), request.args.get("kind", OPEN)
    kind = kind if kind in KINDS else OPEN
    whose = request.args.get("who", "all" if allowed(user, "team.read") else "me")
    page = promise_list.promises(user, kind, whose == "me", request.args.get("after"))
    return render_template("desk/promises.html", page=page, kind=kind, whose=whose)


@desk.post("/tickets/<int:number>/times/<any(due, promise, snooze):what>")
def set_time(number: int, what: str) -> Any:
    """Set or take away one of them. Whatever goes wrong, what was typed comes back with the reason beside it."""
    found, form = ticket_or_404(number), request.form
    menu = Menu(what, found, form.get("at", ""), form.get("words", ""))
    try:
        _change(found, what, form)
    except workflow.Stale as stale:
        menu.changes = what_changed(stale.events)
        return _again(number, menu, 409)
    except workflow.WorkflowError as problem:
        menu.error = str(problem)
        return _again(number, menu, 422)
    if not wants_part():
        return redirect(url_for("desk.ticket", number=number), 303)
    answer = make_response("", 204)
    answer.headers["HX-Trigger"] = json.dumps({"ticket-changed": "", "list-changed": ""})
    return answer


def _change(ticket: Ticket, what: str, form: Mapping[str, str]) -> None:
    user, version = reader(), request.form.get("version", type=row_number)
    if form.get("choice") == "none":
        if what == SNOOZE:
            workflow.wake(ticket, user)
        elif what == PROMISE:
            workflow.withdraw_promise(ticket, user, version)
        else:
            workflow.set_due(ticket, None, user, version)
        return
    moment = _moment(what, form.get("choice") or form.get("at", ""), ticket)
    if what == SNOOZE:
        workflow.snooze(ticket, moment, user, version)
    elif what == PROMISE:
        workflow.promise_answer(ticket, moment, user, form.get("words", ""), version)
    else:
        workflow.set_due(ticket, moment, user, version)


def _moment(what: str, text: str, ticket: Ticket) -> datetime:
    """What a form means. Raises :class:`Invalid`."""
    if not text.strip():
        raise workflow.Invalid(what, _("Choose a moment."))
    try:
        return moments.parse(
            text, zone=i18n.select_zone(), hours=hours_of(ticket.team_id), day_at=MORNING if what == SNOOZE else EVENING
        )
    except NotAMoment as problem:
        raise workflow.Invalid(what, str(problem)) from None


def choices_for(what: str, ticket: Ticket) -> list[Choice]:
    """The moments that a menu offers, as the reader's clock has them."""
    hours, zone = hours_of(ticket.team_id), i18n.select_zone()
    if what != SNOOZE:
        return moments.offered(_ENDS, zone=zone, hours=hours, day_at=EVENING)
    keys = settings.get(LatenessSettings).snooze_choices.split(",")
    return moments.offered([key.strip() for key in keys], zone=zone, hours=hours)


def together(form: Mapping[str, str], ticket: Ticket) -> dict[str, str]:
    """What a form asks for beside its message, as :func:`workflow.after_reply` takes it. Raises :class:`Invalid`."""
    asked: dict[str, str] = {}
    if text := (form.get("promise_by") or form.get("promise_at") or "").strip():
        asked["promise_at"] = _moment(PROMISE, text, ticket).isoformat()
        asked["promise_words"] = form.get("promise_words", "")[:300]
    if text := (form.get("snooze_until") or form.get("snooze_at") or "").strip():
        asked["snooze_until"] = _moment(SNOOZE, text, ticket).isoformat()
    return asked


def _again(number: int, menu: Menu, code: int) -> Any:
    found = menu.ticket = ticket_or_404(number)
    if wants_part():
        return make_response(render_template("desk/parts/late_menu.html", menu=menu, ticket=found), code)
    return make_response(_whole_page(found, menu), code)


def _whole_page(ticket: Ticket, menu: Menu | None = None) -> str:
    menus = [menu if menu is not None and menu.what == what else Menu(what, ticket) for what in _MENUS]
    return render_template("desk/times.html", ticket=ticket, menus=menus)


@desk.app_template_global("late_choices")
def late_choices(what: str, ticket: Ticket) -> list[Choice]:
    """For forms that ask for a moment beside something else."""
    return choices_for(what, ticket)


@desk.app_template_filter("late_marks")
def late_marks(ticket: Ticket) -> lateness.Marks:
    """The marks of a ticket in a list or a header."""
    return lateness.marks_of(ticket)


@desk.app_template_filter("by_when")
def by_when(moment: datetime | None) -> str:
    """A moment near now, short: the time today, with the weekday within six days, else the date."""
    if moment is None:
        return ""
    locale = get_locale()
    local, today = to_user_timezone(moment), to_user_timezone(now()).date()
    clock = format_time(local.time(), "short", locale=locale)
    if local.date() == today:
        words = clock
    elif abs(local.date() - today) < timedelta(days=7):
        words = _("%(day)s %(time)s", day=day_of(local.date(), "EEE"), time=clock)
    else:
        words = day_of(local.date(), "MMMd" if local.year == today.year else "yMMMd")
    return as_written_in(str(locale or ""), words)


@desk.app_template_filter("for_input")
def for_input(moment: datetime | None) -> str:
    """A moment as a field of a date and time takes it, in the reader's zone (HTML, "local date and time")."""
    return to_user_timezone(moment).strftime("%Y-%m-%dT%H:%M") if moment is not None else ""
