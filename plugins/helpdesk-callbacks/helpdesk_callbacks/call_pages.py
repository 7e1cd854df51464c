"""Calls as agents book, move, hand over and make them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from flask import abort, flash, redirect, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.api import (
    PRIORITIES,
    Invalid,
    Message,
    Refused,
    Stale,
    Team,
    Ticket,
    User,
    db,
    find_ticket,
    now,
    number_in,
    permission_required,
    reader,
    settings,
    speaking,
    visible_tickets,
)
from helpdesk.api import (
    gettext as _,
)
from helpdesk_callbacks import choosing, words
from helpdesk_callbacks.blueprint import pages, show
from helpdesk_callbacks.booking import CallDraft, book, book_for_person, cancel, hand_over, move
from helpdesk_callbacks.calls import find_call
from helpdesk_callbacks.drafts import usual_maker
from helpdesk_callbacks.links import customer_url
from helpdesk_callbacks.listing import ALL, Wanted
from helpdesk_callbacks.listing import page as page_of
from helpdesk_callbacks.models import BOOKED, RULE, Attempt, Call, Reason
from helpdesk_callbacks.outcomes import record_outcome
from helpdesk_callbacks.people import makers, zone_of
from helpdesk_callbacks.permissions import USE
from helpdesk_callbacks.settings import CallbackSettings
from helpdesk_callbacks.zones import Twice, read_local

_MESSAGES = 6
_NOBODY = ""


# ---- book


@pages.get("/tickets/<int:number>/new")
@permission_required(USE)
def new_call(number: int) -> Any:
    """The form of a new call on a ticket."""
    ticket = _ticket(number)
    return _booking(ticket.requester, ticket, _usual(ticket.requester, ticket))


@pages.post("/tickets/<int:number>/new")
@permission_required(USE)
def add_call(number: int) -> Any:
    """Book a call on a ticket, or show other times."""
    ticket = _ticket(number)
    return _book(ticket.requester, ticket)


@pages.get("/people/<int:user_id>/new")
@permission_required(USE)
def new_call_to(user_id: int) -> Any:
    """The form of a call to a person; a ticket is opened for it."""
    person = _person(user_id)
    return _booking(person, None, _usual(person, None))


@pages.post("/people/<int:user_id>/new")
@permission_required(USE)
def add_call_to(user_id: int) -> Any:
    """Book a call to a person, or show other times."""
    return _book(_person(user_id), None)


def _book(person: User, ticket: Ticket | None) -> Any:
    typed = choosing.flat(request.form)
    if choosing.asks_for_times(typed):
        return _booking(person, ticket, typed)
    try:
        draft = _draft(typed, zone_of(person, ticket))
    except Invalid as problem:
        return _booking(person, ticket, typed, problem)
    try:
        call = _sent_before(person, ticket, draft) or (
            book(ticket, draft, reader()) if ticket is not None else book_for_person(person, draft, reader())
        )
    except (Invalid, Refused) as problem:
        found = _sent_before(person, ticket, draft)
        if found is None:
            return _booking(person, ticket, typed, problem)
        call = found
    flash(_("The call is booked for %(when)s.", when=_when(call)))
    return redirect(url_for("callbacks.call", call_id=call.id), 303)


def _sent_before(person: User, ticket: Ticket | None, draft: CallDraft) -> Call | None:
    """The same call, booked by the reader already: a form that was sent twice promises once."""
    query = select(Call).where(
        Call.person_id == person.id,
        Call.created_by_id == reader().id,
        Call.starts_at == draft.start,
        Call.state == BOOKED,
        Call.reason == draft.reason,
        Call.phone == (" ".join(draft.phone.split()) or person.phone),
    )
    if ticket is not None:
        query = query.where(Call.ticket_id == ticket.id)
    if draft.agent_id is not None:
        query = query.where(Call.agent_id == draft.agent_id)
    return db.session.scalar(query.order_by(Call.id).limit(1))


def _draft(typed: dict[str, str], zone: str) -> CallDraft:
    agent_id, team_id = _maker(typed)
    zone = typed.get("zone") or zone
    return CallDraft(
        start=choosing.read_start(typed, zone),
        phone=typed.get("phone", "").strip(),
        reason_id=number_in(typed.get("reason_id")),
        reason=typed.get("reason", "").strip(),
        priority=typed.get("priority", "normal"),
        agent_id=agent_id,
        team_id=team_id,
        zone=zone,
        anyway="anyway" in typed,
    )


def _usual(person: User, ticket: Ticket | None) -> dict[str, str]:
    if ticket is None or (ticket.team_id is None and ticket.assignee_id is None):
        who = f"agent:{reader().id}"
    else:
        who = f"agent:{ticket.assignee_id}" if ticket.assignee_id else f"team:{ticket.team_id}"
    return {
        "who": who,
        "phone": person.phone or "",
        "priority": ticket.priority if ticket is not None else "normal",
        "from": request.args.get("from", ""),
    }


def _booking(person: User, ticket: Ticket | None, typed: dict[str, str], problem: Exception | None = None) -> Any:
    agent_id, team_id = _maker(typed)
    usual = zone_of(person, ticket)
    errors = _errors(problem)
    times = choosing.times(typed, usual, team_id=team_id, agent_id=agent_id)
    return show(
        "book.html",
        422 if problem is not None else 200,
        person=person,
        ticket=ticket,
        typed=typed,
        errors=errors,
        times=choosing.with_twice(times, problem if isinstance(problem, Invalid) else None),
        makers=makers(ticket.team_id if ticket is not None else None),
        reasons=reasons(),
        priorities=PRIORITIES,
        stamp=choosing.stamp,
    )


def reasons() -> list[tuple[Any, str]]:
    """The reasons that can be chosen."""
    found = db.session.execute(select(Reason.id, Reason.name).where(Reason.active).order_by(Reason.position, Reason.id))
    return [("", _("None of these")), *((row.id, row.name) for row in found)]


# ---- one call


@pages.get("/calls/<int:call_id>")
@permission_required(USE)
def call(call_id: int) -> Any:
    """All that is needed to make it, and the form for what came of it."""
    return _call_page(_call(call_id), {})


@pages.post("/calls/<int:call_id>/done")
@permission_required(USE)
def done(call_id: int) -> Any:
    """What came of a try. Somebody else was quicker: their words are shown, and what was typed is still there."""
    found, typed = _call(call_id), request.form.to_dict()
    try:
        attempt = record_outcome(
            found,
            typed.get("outcome", ""),
            typed.get("note", "").replace("\r\n", "\n").strip(),
            reader(),
            next_step=typed.get("next_step", "").replace("\r\n", "\n").strip(),
            next_at=_next_at(typed),
            version=number_in(typed.get("version")),
        )
    except Stale as problem:
        return _call_page(_again(call_id), typed, {"form": str(problem)}, 409)
    except (Invalid, Refused) as problem:
        return _call_page(_again(call_id), typed, _errors(problem), 422)
    if attempt.next_at is not None:
        zone = words.reader_zone()
        when = f"{words.day(attempt.next_at, zone)}, {words.clock(attempt.next_at, zone)}"
        flash(_("Noted. The next try comes %(when)s.", when=when))
    else:
        flash(_("Noted. The call is done."))
    return redirect(url_for("callbacks.call", call_id=call_id), 303)


def _next_at(typed: dict[str, str]) -> datetime | None:
    """When the next try is wanted, in the reader's clock; None: as the rule says. Raises Invalid."""
    day, clock = typed.get("day", "").strip(), typed.get("time", "").strip()
    if not day and not clock:
        return None
    try:
        return read_local(f"{day}T{clock}", words.reader_zone())
    except Twice as twice:
        return twice.earlier
    except Invalid as problem:
        raise Invalid("next_at", str(problem)) from problem


def _call_page(found: Call, typed: dict[str, str], errors: dict[str, str] | None = None, code: int = 200) -> Any:
    user = reader()
    return show(
        "call.html",
        code,
        call=found,
        typed=typed,
        errors=errors or {},
        messages=_last_messages(found.ticket),
        attempts=_attempts(found),
        promised=_promised(user, found),
        others=_others(user, found),
        questions=_questions(found),
        makers=makers(found.team_id or found.ticket.team_id),
        tel=tel(found.phone),
        zone=words.reader_zone(),
    )


def _last_messages(ticket: Ticket) -> Sequence[Message]:
    query = select(Message).where(Message.ticket_id == ticket.id).options(joinedload(Message.author))
    found = db.session.scalars(query.order_by(Message.created_at.desc(), Message.id.desc()).limit(_MESSAGES)).all()
    return found[::-1]


def _attempts(found: Call) -> Sequence[Attempt]:
    query = select(Attempt).where(Attempt.call_id == found.id).options(joinedload(Attempt.agent))
    return db.session.scalars(query.order_by(Attempt.number)).all()


def _promised(user: User, found: Call) -> Sequence[Ticket]:
    """The person's tickets on which an answer is promised, this one's first."""
    query = visible_tickets(user).where(
        Ticket.requester_id == found.person_id, Ticket.promised_at.is_not(None), Ticket.category != "closed"
    )
    tickets = db.session.scalars(query.order_by(Ticket.promised_at, Ticket.id).limit(5)).all()
    return sorted(tickets, key=lambda ticket: ticket.id != found.ticket_id)


def _others(user: User, found: Call) -> Sequence[Call]:
    """Other calls that the person was promised."""
    wanted = Wanted(who=ALL, person=found.person_id)
    return [one for one in page_of(user, wanted, words.reader_zone(), size=5).calls if one.id != found.id]


def _questions(found: Call) -> list[str]:
    lines = found.reason_row.questions.splitlines() if found.reason_row is not None else []
    return [line.strip() for line in lines if line.strip()]


def tel(phone: str) -> str:
    """The number as a link dials it (RFC 3966); "" for what is no number."""
    is_international = phone.strip().startswith("+")
    # +49 (0)30 901820: the zero is dialled only within the country.
    dialled = phone.replace("(0)", "") if is_international else phone
    digits = "".join(mark for mark in dialled if mark.isdigit() and mark.isascii())
    if len(digits) < 3:
        return ""
    return f"tel:{'+' if is_international else ''}{digits}"


# ---- change


@pages.get("/calls/<int:call_id>/move")
@permission_required(USE)
def move_form(call_id: int) -> Any:
    """The form of another time."""
    found = _open_call(call_id)
    return _moving(found, {"from": request.args.get("from", "")})


@pages.post("/calls/<int:call_id>/move")
@permission_required(USE)
def move_call(call_id: int) -> Any:
    """Make it at another time; the customer is told."""
    found, typed = _open_call(call_id), choosing.flat(request.form)
    if choosing.asks_for_times(typed):
        return _moving(found, typed)
    try:
        start = choosing.read_start(typed, typed.get("zone") or found.zone)
        moved = move(found, start, reader(), version=number_in(typed.get("version")), anyway="anyway" in typed)
    except Stale as problem:
        return _moving(_again(call_id), typed, problem, 409)
    except (Invalid, Refused) as problem:
        return _moving(_again(call_id), typed, problem)
    if moved.source == RULE:
        flash(_("The call is now on %(when)s.", when=_when(moved)))
    else:
        flash(_("The call is now on %(when)s. The customer is told by mail.", when=_when(moved)))
    return redirect(url_for("callbacks.call", call_id=call_id), 303)


def _moving(found: Call, typed: dict[str, str], problem: Exception | None = None, code: int = 422) -> Any:
    times = choosing.times(typed, found.zone, team_id=found.team_id, agent_id=found.agent_id, but=found.id)
    return show(
        "move.html",
        code if problem is not None else 200,
        call=found,
        typed=typed,
        errors=_errors(problem),
        times=choosing.with_twice(times, problem if isinstance(problem, Invalid) else None),
        stamp=choosing.stamp,
        zone=words.reader_zone(),
    )


@pages.get("/calls/<int:call_id>/cancel")
@permission_required(USE)
def cancel_form(call_id: int) -> Any:
    """Ask why, and whether it is meant."""
    return show("cancel.html", call=_open_call(call_id), typed={}, errors={}, zone=words.reader_zone())


@pages.post("/calls/<int:call_id>/cancel")
@permission_required(USE)
def cancel_call(call_id: int) -> Any:
    """There will be no call; the customer is told."""
    found, typed = _open_call(call_id), request.form.to_dict()
    why = typed.get("why", "").strip()[:500]
    try:
        cancel(found, reader(), why, version=number_in(typed.get("version")))
    except (Stale, Invalid, Refused) as problem:
        code = 409 if isinstance(problem, Stale) else 422
        return show(
            "cancel.html", code, call=_again(call_id), typed=typed, errors=_errors(problem), zone=words.reader_zone()
        )
    if found.source == RULE:
        flash(_("The call is cancelled."))
    else:
        flash(_("The call is cancelled. The customer is told by mail."))
    return redirect(url_for("callbacks.call", call_id=call_id), 303)


@pages.post("/calls/<int:call_id>/hand-over")
@permission_required(USE)
def hand_call_over(call_id: int) -> Any:
    """Give it to somebody else, or to a team."""
    found, typed = _open_call(call_id), request.form.to_dict()
    agent_id, team_id = _maker(typed)
    try:
        to: User | Team | None = db.session.get(User, agent_id) if agent_id is not None else None
        if team_id is not None:
            to = db.session.get(Team, team_id)
        if to is None:
            raise Invalid("who", _("Choose who makes the call."))
        hand_over(found, to, reader())
    except (Stale, Invalid, Refused) as problem:
        code = 409 if isinstance(problem, Stale) else 422
        return _call_page(_again(call_id), typed, {"who": str(problem)}, code)
    flash(_("The call was handed over."))
    return redirect(url_for("callbacks.call", call_id=call_id), 303)


@pages.get("/tickets/<int:number>/offer")
@permission_required(USE)
def offer(number: int) -> Any:
    """Beside the composer: the customer's link and some free times, to be put into a reply."""
    ticket = _ticket(number)
    zone = zone_of(ticket.requester, ticket)
    team_id, agent_id = usual_maker(ticket)
    earliest = now() + timedelta(hours=1)
    times = choosing.times({}, zone, team_id=team_id, agent_id=agent_id, earliest=earliest, days=4)
    free = [slot for _day, slots in times.days[:3] for slot in slots[:3]]
    # The agent reads the page, the customer what is put into the answer.
    with speaking(ticket.requester.locale or ticket.locale):
        url = customer_url(ticket, ticket.requester)
        invite = _("Choose a time at which we call you: %(url)s", url=url)
        inserts = [f"{words.window(slot.start, slot.end, zone)} ({zone.replace('_', ' ')})" for slot in free]
    return show(
        "offer.html",
        ticket=ticket,
        zone=zone,
        invite=invite if settings(CallbackSettings).customers_book else "",
        offered=[(words.window(slot.start, slot.end, zone), text) for slot, text in zip(free, inserts, strict=True)],
    )


# ---- what is asked for


def _ticket(number: int) -> Ticket:
    found = find_ticket(reader(), number) if number < 2**31 else None
    if found is None:
        abort(404)
    return found


def _person(user_id: int) -> User:
    found = db.session.get(User, user_id) if user_id < 2**31 else None
    if found is None or not found.active or found.is_service:
        abort(404)
    return found


def _call(call_id: int) -> Call:
    found = find_call(reader(), call_id) if call_id < 2**31 else None
    if found is None:
        abort(404)
    return found


def _open_call(call_id: int) -> Call:
    found = _call(call_id)
    if not found.is_open:
        flash(_("This call is done; there is nothing to change any more."), "warn")
        abort(redirect(url_for("callbacks.call", call_id=call_id), 303))
    return found


def _again(call_id: int) -> Call:
    """The call as it is after a transaction that was rolled back."""
    db.session.expire_all()
    return _call(call_id)


def _maker(typed: dict[str, str]) -> tuple[int | None, int | None]:
    """Agent and team of ``who``: "agent:7", "team:3", or nobody in particular."""
    kind, _colon, text = typed.get("who", _NOBODY).partition(":")
    number = number_in(text)
    return (number if kind == "agent" else None, number if kind == "team" else None)


def _errors(problem: Exception | None) -> dict[str, str]:
    if problem is None:
        return {}
    name = problem.field if isinstance(problem, Invalid) else "form"
    known = {"agent_id": "who", "team_id": "who", "ticket": "form"}
    return {known.get(name, name): str(problem)}


def _when(call: Call) -> str:
    return words.window(call.starts_at, call.ends_at, words.reader_zone())
