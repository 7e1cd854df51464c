"""Promise a call, move it, hand it to somebody else, take it back."""

from datetime import UTC, datetime

from helpdesk.api import (
    PRIORITIES,
    DeskSettings,
    Invalid,
    Team,
    Ticket,
    TicketDraft,
    User,
    db,
    now,
    open_ticket,
    require,
    settings,
    tell,
    transaction,
)
from helpdesk.api import gettext as _
from helpdesk_callbacks import cells, mails, slots, words
from helpdesk_callbacks.calls import (
    changed,
    check_open,
    is_customer,
    lazily,
    lock,
    note_event,
    require_use,
)
from helpdesk_callbacks.drafts import (
    CallDraft,
    agent_for,
    check_choices,
    check_customer,
    clean_phone,
    clean_reason,
    source_of,
    team_for,
    usual_maker,
    window,
)
from helpdesk_callbacks.links import onward
from helpdesk_callbacks.models import BOOKED, CALL, CANCELLED, RULE, Call
from helpdesk_callbacks.offering import tell_plugins
from helpdesk_callbacks.permissions import USE
from helpdesk_callbacks.watch import watch_over

WHY_LENGTH = 500


def book(ticket: Ticket, draft: CallDraft, actor: User | None) -> Call:
    """Promise the person of a ticket a call: one transaction, joined or opened; records ``callbacks.booked``.

    On a merged ticket it is booked where that goes on. Staff need ``callbacks.use``; a customer books for themselves,
    one call at a time, in a free slot within the hours. The time is taken: nobody else gets it. The customer is told
    by mail (not of a call that a rule makes), the agent by a notice.

    Raises :class:`Invalid` naming start, phone, reason_id, reason, agent_id, team_id, zone or priority, and
    :class:`NotAllowed`.
    """
    with transaction():
        ticket = db.session.get_one(Ticket, onward(ticket).id, with_for_update={"of": Ticket, "key_share": True})
        is_customers = is_customer(actor)
        person = actor if actor is not None and is_customers else ticket.requester
        require_use(actor, ticket, person)
        starts, ends = window(draft.start, None if is_customers else draft.end)
        check_choices(draft)
        if is_customers:
            check_customer(starts, ticket, person)
        agent = agent_for(draft.agent_id, ticket)
        team = team_for(draft.team_id if draft.team_id is not None or agent else usual_maker(ticket)[0])
        team_id = team.id if team is not None else None
        if is_customers:
            slots.check_free(starts, ends, team_id, draft.agent_id, None)
        elif draft.kind == CALL:
            slots.check_time(starts, ends, team_id, draft.agent_id, draft.anyway)
        call = Call(
            ticket=ticket,
            person=person,
            agent=agent,
            team=team,
            phone=clean_phone(draft.phone, person, draft.kind),
            reason_id=draft.reason_id,
            reason=clean_reason(draft.reason),
            priority=draft.priority,
            priority_rank=PRIORITIES.index(draft.priority),
            kind=draft.kind,
            source=source_of(draft, actor),
            rule_id=draft.rule_id,
            starts_at=starts,
            ends_at=ends,
            promised_from=starts,
            promised_until=ends,
            zone=draft.zone or person.time_zone or settings(DeskSettings).time_zone,
            state=BOOKED,
            anyway=draft.anyway and not is_customers,
            created_by_id=actor.id if actor is not None else None,
            tries=0,
            sequence=0,
        )
        # Together or not at all, also for a caller that goes on without the call.
        with db.session.begin_nested():
            db.session.add(call)
            db.session.flush()
            if call.kind == CALL:
                _take(call, "start")
        changed(call)
        when = _window(call)
        is_call = call.kind == CALL
        text = _("Promised a call: %(when)s", when=when) if is_call else _("Asks by mail: %(when)s", when=when)
        note_event(call, "booked", actor, text, starts_at=call.starts_at.isoformat(), source=call.source)
        tell_plugins("booked", call)
        _tell_agent(call, actor)
        if is_call and call.source != RULE:
            mails.told_booked(call)
    return call


def book_for_person(person: User, draft: CallDraft, actor: User | None, subject: str = "") -> Call:
    """Promise a call to somebody without a ticket: one is opened for it. One transaction, joined or opened.

    Raises as :func:`book` does, and :class:`Refused` when a plugin wants no such ticket.
    """
    require(actor, USE)
    if not person.active or person.is_service:
        raise Invalid("person", _("This person is not there any more."))
    title = " ".join(subject.split())[:200] or _("Call for %(name)s", name=person.display_name)
    about = clean_reason(draft.reason) or title
    opening = TicketDraft(
        title,
        person.id,
        about,
        author_id=actor.id if actor is not None else None,
        visibility="internal",
        channel="phone",
        team_id=draft.team_id,
        priority=draft.priority,
    )
    with transaction():
        return book(open_ticket(opening, actor), draft, actor)


def move(
    call: Call,
    start: datetime,
    actor: User | None,
    version: int | None = None,
    *,
    end: datetime | None = None,
    anyway: bool = False,
    zone: str = "",
) -> Call:
    """Promise another time for a call that is open; records ``callbacks.moved``. The customer is told.

    ``zone`` (IANA): in which the customer reads it from now on; "": as before.

    One transaction, joined or opened. The old time is free again. What had been broken stays broken in the figures.
    Raises :class:`Invalid`, :class:`Outrun` (a Stale: it has ended, or changed since ``version``), :class:`NotAllowed`.
    """
    with transaction():
        ticket = lock(call)
        require_use(actor, ticket, call.person)
        check_open(call, version)
        is_customers = is_customer(actor)
        usual = None if is_customers else start.astimezone(UTC) + (call.ends_at - call.starts_at)
        starts, ends = window(start, usual if is_customers else end or usual)
        if (starts, ends) == (call.starts_at, call.ends_at):
            return call
        if is_customers:
            check_customer(starts, ticket, call.person, call)
            slots.check_free(starts, ends, call.team_id, call.agent_id, call.id)
        else:
            slots.check_time(starts, ends, call.team_id, call.agent_id, anyway)
        call.anyway = anyway and not is_customers
        call.zone = zone or call.zone
        put(call, starts, ends)
        if call.kept is None:
            call.promised_from, call.promised_until = starts, ends
        _take(call, "start")
        note_event(call, "moved", actor, _("Moved the promised call: %(when)s", when=_window(call)))
        changed(call)
        _tell_agent(call, actor)
        call.sequence += 1
        if call.source != RULE or is_customers:
            mails.told_moved(call)
    return call


def cancel(call: Call, actor: User | None, why: str = "", version: int | None = None) -> Call:
    """Take a call back; records ``callbacks.cancelled`` with the reason. The customer is told, unless a rule made it.

    One transaction, joined or opened. Raises :class:`Outrun`, :class:`Invalid` (why), :class:`NotAllowed`.
    """
    words_of_it = " ".join(why.split())
    if len(words_of_it) > WHY_LENGTH:
        raise Invalid("why", _("This is too long; %(number)s characters fit.", number=WHY_LENGTH))
    with transaction():
        ticket = lock(call)
        require_use(actor, ticket, call.person)
        check_open(call, version)
        agent = call.agent
        call.state, call.done_at, call.problem = CANCELLED, now(), ""
        call.sequence += 1
        cells.free(call.id)
        text = _("Cancelled the promised call: %(when)s", when=_window(call))
        note_event(call, "cancelled", actor, f"{text} ({words_of_it})" if words_of_it else text, why=words_of_it)
        changed(call)
        if agent is not None:
            name = call.person.display_name
            tell([agent], lazily(lambda: _("The call to %(name)s is cancelled.", name=name)), ticket, actor)
        if call.source != RULE:
            mails.told_cancelled(call)
    return call


def hand_over(call: Call, to: User | Team, actor: User | None, version: int | None = None) -> Call:
    """Let another agent make a call, or whoever of a team; records ``callbacks.handed_over``; they are told.

    One transaction, joined or opened. Raises :class:`Invalid` (agent_id, team_id: does not see the ticket, is away,
    has another call then), :class:`Outrun`, :class:`NotAllowed`.
    """
    require(actor, USE)
    with transaction():
        ticket = lock(call)
        require(actor, USE, ticket)
        check_open(call, version)
        give(call, to)
        field = "team_id" if isinstance(to, Team) else "agent_id"
        if call.ends_at > now() and call.kind == CALL:
            if call.state == BOOKED:
                _check_there(call, field)
            _take(call, field)
        name = to.name if isinstance(to, Team) else to.display_name
        note_event(call, "handed_over", actor, _("Handed the promised call to %(name)s", name=name))
        changed(call)
        _tell_agent(call, actor)
        if call.agent is None and call.state != BOOKED and call.kind == CALL:
            _tell_team(call)
    return call


def give(call: Call, to: User | Team) -> None:
    """Write down whose call it is. Inside the transaction. Raises :class:`Invalid`."""
    if isinstance(to, Team):
        call.team, call.agent = team_for(to.id), None
        call.team_id, call.agent_id = to.id, None
    else:
        call.agent = agent_for(to.id, call.ticket)
        call.agent_id = to.id
    call.problem = ""


def put(call: Call, starts: datetime, ends: datetime) -> None:
    """Set the window of the next try, as if nobody had been told yet. Inside the transaction."""
    call.starts_at, call.ends_at = starts, ends
    call.state, call.problem = BOOKED, ""
    call.reminded_at = call.told_at = call.escalated_at = None


def _take(call: Call, field: str) -> None:
    try:
        cells.take(call)
    except cells.Full:
        raise Invalid(field, _("Somebody else has that time by now. Choose another.")) from None


def _check_there(call: Call, field: str) -> None:
    try:
        slots.check_time(call.starts_at, call.ends_at, call.team_id, call.agent_id, call.anyway)
    except Invalid as error:
        raise Invalid(field, str(error)) from error


def _tell_agent(call: Call, actor: User | None) -> None:
    if call.agent is None or call.kind != CALL:
        return
    name, starts, ends = call.person.display_name, call.starts_at, call.ends_at
    zone = call.agent.time_zone or settings(DeskSettings).time_zone
    told = lazily(lambda: _("You call %(name)s: %(when)s", name=name, when=words.window(starts, ends, zone)))
    tell([call.agent], told, call.ticket, actor)


def _tell_team(call: Call) -> None:
    """Its time has come already: nothing else would tell the team of it."""
    watch, name, phone = watch_over([call], now()), call.person.display_name, call.phone
    watch.tell(call, watch.makers(call), lambda _clock: _("Call %(name)s now: %(phone)s", name=name, phone=phone))


def _window(call: Call) -> str:
    return words.window(call.starts_at, call.ends_at, call.zone)
