"""Looks ahead: calls at times at which nobody works any more, or whose agent will be away."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, select

from helpdesk.api import Ticket, User, Work, db, now, visible_tickets
from helpdesk.api import gettext as _
from helpdesk_callbacks import cells, mails, slots, words
from helpdesk_callbacks.booking import put
from helpdesk_callbacks.calls import changed, locked, note_event
from helpdesk_callbacks.models import AWAY, BOOKED, CALL, CLOSED, RULE, Call
from helpdesk_callbacks.slots import Slot
from helpdesk_callbacks.watch import Watch, watch_over

BATCH = 200
# What is further away is looked at later.
_AHEAD = timedelta(days=21)
# For the furthest of them a time is looked for two weeks further on.
_SEARCHED = _AHEAD + timedelta(days=14)
# A time that is chosen for the customer leaves them some to read of it.
_NOTICE = timedelta(hours=2)
# So many free times are tried: others may be quicker.
_TRIES = 20


def look_ahead(work: Work) -> None:
    """Find booked calls that could not be kept, and see to each (a job in steps).

    Closed by then (a holiday that was added, other hours): the call goes to the next free time and the customer is
    told; where none is free it keeps its time, is marked, and staff are told. The agent away, or without sight of the
    ticket: the team gets it, if there is one, else it is marked and supervisors are told. Once each: what is marked is
    not told of again.
    """
    seen, last, unseen = 0, 0, _unseen()
    while ids := _ahead(last):
        with work.step(done=seen):
            seen += _see_to(ids, now(), unseen)
        last = ids[-1]
    with work.last_step(result={"calls": seen}):
        pass


def _ahead(last: int) -> Sequence[int]:
    db.session.rollback()
    query = select(Call.id).where(_is_ahead(now()), Call.id > last)
    return db.session.scalars(query.order_by(Call.id).limit(BATCH)).all()


def _is_ahead(at: datetime) -> ColumnElement[bool]:
    return and_(Call.state == BOOKED, Call.kind == CALL, Call.starts_at > at, Call.starts_at < at + _AHEAD)


def _unseen() -> set[tuple[int, int | None]]:
    """The calls with their agents, where these do not see the ticket any more. A query for each agent who has calls."""
    db.session.rollback()
    ahead, found = _is_ahead(now()), set[tuple[int, int | None]]()
    agents = select(User).where(User.active, User.id.in_(select(Call.agent_id).where(ahead)))
    for agent in db.session.scalars(agents).all():
        sees = visible_tickets(agent).where(Ticket.id == Call.ticket_id).correlate(Call).exists()
        mine = select(Call.id).where(ahead, Call.agent_id == agent.id, ~sees)
        found.update((number, agent.id) for number in db.session.scalars(mine))
    return found


def _see_to(ids: Sequence[int], at: datetime, unseen: Collection[tuple[int, int | None]]) -> int:
    calls = locked(ids, Call.state == BOOKED)
    watch, free, met = watch_over(calls, at, at + _AHEAD + timedelta(days=1)), _Free(), 0
    for call in calls:
        is_unseen = (call.id, call.agent_id) in unseen
        problem = _problem(call, watch) or (AWAY if is_unseen else "")
        if problem == call.problem and not problem:
            continue
        met += bool(problem)
        if problem == CLOSED:
            _closed(call, watch, free)
        elif problem == AWAY:
            _away(call, watch, is_unseen)
        else:
            call.problem = ""
            changed(call)
    return met


def _problem(call: Call, watch: Watch) -> str:
    if call.anyway:
        return ""
    if not watch.attendance.is_open(call.starts_at, call.ends_at, call.team_id):
        return CLOSED
    agent = call.agent
    if agent is None:
        return ""
    stays = watch.attendance.stays(agent.id, call.starts_at, call.ends_at, call.team_id)
    return "" if agent.active and stays else AWAY


class _Free:
    """The free times of a team or agent, looked up once for all their calls; each is given once."""

    def __init__(self) -> None:
        self._found: dict[tuple[int | None, int | None], list[Slot]] = {}

    def next(self, call: Call) -> Slot | None:
        key = (call.team_id, call.agent_id)
        if key not in self._found:
            self._found[key] = list(slots.all_free(*key, now() + _NOTICE, _SEARCHED))
        free = self._found[key]
        # A later one than was promised: who has time then may not have it sooner. What is earlier is left to others.
        slot = next((slot for slot in free if slot.start > call.starts_at), None)
        if slot is not None:
            free.remove(slot)
        return slot


def _closed(call: Call, watch: Watch, free: _Free) -> None:
    for _number in range(_TRIES):
        slot = free.next(call)
        if slot is None:
            break
        before = (call.starts_at, call.ends_at)
        call.starts_at, call.ends_at = slot.start, slot.end
        try:
            cells.take(call)
        except cells.Full:
            call.starts_at, call.ends_at = before
            continue
        _moved(call, watch, slot)
        return
    if call.problem == CLOSED:
        return
    call.problem = CLOSED
    note_event(call, "closed", None, _("Nobody works at the time of the promised call, and no other is free."))
    changed(call)
    name = call.person.display_name
    people = [*watch.makers(call), *watch.supervisors(call)]
    watch.tell(
        call,
        people,
        lambda _clock: _("Nobody works when %(name)s is to be called. Choose another time.", name=name),
    )


def _moved(call: Call, watch: Watch, slot: Slot) -> None:
    put(call, slot.start, slot.end)
    if call.kept is None:
        call.promised_from, call.promised_until = slot.start, slot.end
    call.sequence += 1
    when = words.window(slot.start, slot.end, call.zone)
    note_event(call, "moved", None, _("Nobody works then any more: moved the promised call to %(when)s", when=when))
    changed(call)
    if call.agent is not None:
        name = call.person.display_name
        watch.tell(
            call, [call.agent], lambda _clock: _("The call to %(name)s was moved: nobody works then.", name=name)
        )
    if call.source != RULE:
        mails.told_moved(call)


def _away(call: Call, watch: Watch, is_unseen: bool) -> None:
    gone = call.agent.display_name if call.agent is not None else ""
    if call.team is not None:
        call.agent, call.agent_id, call.problem = None, None, ""
        cells.free_agents(call.id)
        text = _("The promised call went to the team: %(name)s is away then.", name=gone)
        if is_unseen:
            text = _("Handed the promised call to %(name)s", name=call.team.name)
        note_event(call, "handed_over", None, text)
        changed(call)
        return
    if call.problem == AWAY:
        return
    call.problem = AWAY
    changed(call)
    name = call.person.display_name
    watch.tell(
        call,
        watch.supervisors(call),
        lambda _clock: (
            _("This person cannot make the call: they do not see the ticket. Choose another.")
            if is_unseen
            else _("%(agent)s is away and should call %(name)s. Hand the call over.", agent=gone, name=name)
        ),
    )
