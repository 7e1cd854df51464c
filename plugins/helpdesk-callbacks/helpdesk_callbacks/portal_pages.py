"""What customers do by the signed link of a mail, without an account and without a script: book, move, cancel."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import force_locale
from flask_login import current_user
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import (
    Invalid,
    Refused,
    Stale,
    Ticket,
    User,
    db,
    locales,
    now,
    number_in,
    public_page,
    settings,
    speaking,
)
from helpdesk.api import gettext as _
from helpdesk_callbacks import choosing, links
from helpdesk_callbacks.blueprint import pages, show
from helpdesk_callbacks.booking import CallDraft, book, cancel, move
from helpdesk_callbacks.call_pages import reasons
from helpdesk_callbacks.choosing import Times
from helpdesk_callbacks.drafts import usual_maker
from helpdesk_callbacks.invitations import invitation
from helpdesk_callbacks.merged import is_on
from helpdesk_callbacks.models import CALL, CUSTOMER, OPEN, Call
from helpdesk_callbacks.people import zone_of
from helpdesk_callbacks.settings import CallbackSettings

_MOST = 20
_View = Callable[..., Any]


def _by_link(view: _View) -> _View:
    """The view of whoever has a link: it is given the ticket and the person, and speaks the person's language.

    Unless this browser, or the account of who has signed in, chose another. Forged, dead and foreign links look like
    not there.
    """

    @wraps(view)
    def given(token: str, **values: Any) -> Any:
        found = links.redeem(token)
        if found is None:
            abort(404)
        ticket, person = found
        with _language(person):
            return view(token, ticket, person, **values)

    return given


def _language(person: User) -> AbstractContextManager[Any]:
    chosen = any(name in request.cookies for name in ("locale", "__Host-locale"))
    chosen = chosen or bool(current_user.is_authenticated and current_user.locale)
    known = person.locale in dict(locales())
    return force_locale(str(person.locale)) if known and not chosen else nullcontext()


@pages.get("/c/<token>")
@public_page
@_by_link
def customer(token: str, ticket: Ticket, person: User) -> Any:
    """The calls that are promised to the bearer on that ticket; the form of a new one where there is none."""
    return _page(token, ticket, person, request.args.to_dict())


@pages.post("/c/<token>")
@public_page
@_by_link
def customer_books(token: str, ticket: Ticket, person: User) -> Any:
    """Book a call, or show other times."""
    typed = choosing.flat(request.form)
    if choosing.asks_for_times(typed):
        return _page(token, ticket, person, typed)
    try:
        zone = typed.get("zone") or zone_of(person, ticket)
        team_id, agent_id = usual_maker(ticket)
        draft = CallDraft(
            start=_start(typed, zone),
            phone=typed.get("phone", "").strip(),
            reason_id=number_in(typed.get("reason_id")),
            reason=typed.get("reason", "").strip(),
            priority=ticket.priority,
            agent_id=agent_id,
            team_id=team_id,
            zone=zone,
            source=CUSTOMER,
        )
        found = book(ticket, draft, person)
    except (Invalid, Refused) as problem:
        sent = _sent_before(ticket, person, typed)
        if sent is None:
            return _page(token, ticket, person, typed, problem)
        found = sent
    flash(_("Your call is booked. We have sent you a mail."))
    return redirect(url_for("callbacks.customer_call", token=token, call_id=found.id), 303)


@pages.get("/c/<token>/<int:call_id>")
@public_page
@_by_link
def customer_call(token: str, ticket: Ticket, person: User, call_id: int) -> Any:
    """One promised call: when, at which number, and what can be changed."""
    return _call_page(token, _call(ticket, person, call_id), request.args.to_dict())


@pages.post("/c/<token>/<int:call_id>/move")
@public_page
@_by_link
def customer_moves(token: str, ticket: Ticket, person: User, call_id: int) -> Any:
    """Choose another time for it, or show other times."""
    found, typed = _call(ticket, person, call_id), choosing.flat(request.form)
    if choosing.asks_for_times(typed):
        return _call_page(token, found, typed)
    try:
        zone = choosing.known_zone(typed.get("zone", "")) or found.zone
        move(found, _start(typed, zone), person, version=number_in(typed.get("version")), zone=zone)
    except (Invalid, Refused, Stale) as problem:
        db.session.expire_all()
        return _call_page(token, _call(ticket, person, call_id), typed, problem)
    flash(_("Your call has a new time. We have sent you a mail."))
    return redirect(url_for("callbacks.customer_call", token=token, call_id=call_id), 303)


@pages.post("/c/<token>/<int:call_id>/cancel")
@public_page
@_by_link
def customer_cancels(token: str, ticket: Ticket, person: User, call_id: int) -> Any:
    """They want no call any more."""
    found = _call(ticket, person, call_id)
    try:
        cancel(found, person, version=number_in(request.form.get("version")))
    except (Invalid, Refused, Stale) as problem:
        db.session.expire_all()
        return _call_page(token, _call(ticket, person, call_id), {}, problem)
    flash(_("Your call is cancelled."))
    return redirect(url_for("callbacks.customer", token=token), 303)


@pages.get("/c/<token>/<int:call_id>/call.ics")
@public_page
@_by_link
def customer_calendar(token: str, ticket: Ticket, person: User, call_id: int) -> Any:
    """The call for the customer's own calendar."""
    found = _call(ticket, person, call_id)
    with speaking(person.locale or ticket.locale):
        data = invitation(found, links.customer_url(ticket, person))
    answer = Response(data, mimetype="text/calendar")
    answer.headers["Content-Disposition"] = 'attachment; filename="call.ics"'
    return answer


# ---- what is shown


def _page(token: str, ticket: Ticket, person: User, typed: dict[str, str], problem: Exception | None = None) -> Any:
    chosen = settings(CallbackSettings)
    calls = _calls(ticket, person)
    may_book = chosen.customers_book and not ticket.is_closed and not any(call.is_open for call in calls)
    shown = _times(typed, zone_of(person, ticket), *usual_maker(ticket)) if may_book else None
    return show(
        "customer.html",
        422 if problem is not None else 200,
        token=token,
        ticket=ticket,
        person=person,
        calls=[call for call in calls if call.is_open],
        may_book=may_book,
        times=shown,
        typed={"phone": person.phone or "", **typed},
        errors=_errors(problem),
        reasons=reasons(),
        stamp=choosing.stamp,
        guess=person.time_zone is None,
    )


def _call_page(token: str, found: Call, typed: dict[str, str], problem: Exception | None = None) -> Any:
    # It can be moved until somebody dials.
    may_change = found.is_open and settings(CallbackSettings).customers_book
    shown = _times(typed, found.zone, found.team_id, found.agent_id, found.id) if may_change else None
    code = 200 if problem is None else 409 if isinstance(problem, Stale) else 422
    return show(
        "customer_call.html",
        code,
        token=token,
        call=found,
        ticket=found.ticket,
        times=shown,
        may_book=settings(CallbackSettings).customers_book and not found.ticket.is_closed,
        typed=typed,
        errors=_errors(problem),
        stamp=choosing.stamp,
    )


def _times(
    typed: dict[str, str], zone: str, team_id: int | None, agent_id: int | None, but: int | None = None
) -> Times:
    chosen = settings(CallbackSettings)
    zone = choosing.known_zone(typed.get("zone", "")) or zone
    latest = now().astimezone(ZoneInfo(zone)).date() + timedelta(days=chosen.horizon_days)
    earliest = now() + timedelta(minutes=chosen.notice_minutes)
    return choosing.times(typed, zone, team_id=team_id, agent_id=agent_id, earliest=earliest, latest=latest, but=but)


def _start(typed: dict[str, str], zone: str) -> datetime:
    """The slot that was chosen: customers type no times. Raises Invalid."""
    start = typed.get("start", "")
    if not start or start == choosing.OTHER:
        raise Invalid("start", _("Choose one of the times."))
    return choosing.read_start({"start": start}, zone)


def _errors(problem: Exception | None) -> dict[str, str]:
    if problem is None:
        return {}
    if isinstance(problem, Stale):
        return {"form": _("This call was changed meanwhile. Look at it, then choose again.")}
    name = problem.field if isinstance(problem, Invalid) else "form"
    return {name if name in ("start", "phone", "zone", "reason", "reason_id") else "form": str(problem)}


# ---- whose call


def _call(ticket: Ticket, person: User, call_id: int) -> Call:
    """A call of that person on that ticket."""
    query = select(Call).where(Call.id == call_id, is_on(ticket), Call.person_id == person.id)
    found = db.session.scalar(_whole(query.where(Call.kind == CALL))) if call_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _calls(ticket: Ticket, person: User) -> Sequence[Call]:
    query = select(Call).where(is_on(ticket), Call.person_id == person.id, Call.kind == CALL, Call.state.in_(OPEN))
    return db.session.scalars(_whole(query).order_by(Call.starts_at, Call.id).limit(_MOST)).all()


def _sent_before(ticket: Ticket, person: User, typed: dict[str, str]) -> Call | None:
    """The same call, booked already: a form that was sent twice is no mistake."""
    wanted = (typed.get("start", ""), " ".join(typed.get("phone", "").split()) or person.phone)
    return next((c for c in _calls(ticket, person) if (choosing.stamp(c.starts_at), c.phone) == wanted), None)


def _whole(query: Any) -> Any:
    return query.options(joinedload(Call.ticket), joinedload(Call.reason_row), joinedload(Call.person))
