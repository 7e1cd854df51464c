"""What happens to calls by itself: reminded, handed out at their time, escalated, missed. Each once, killed or not."""

import logging
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update

from helpdesk.api import Invalid, Refused, Work, db, now, settings
from helpdesk.api import gettext as _
from helpdesk_callbacks import cells, mails
from helpdesk_callbacks.calls import ask_at, locked, moments, next_alarm, note_event
from helpdesk_callbacks.merged import follow_merges, out_of_place
from helpdesk_callbacks.models import (
    AWAY,
    BOOKED,
    DONE,
    DUE,
    MAIL,
    MISSED,
    RULE,
    UNWANTED,
    WRITTEN,
    Call,
)
from helpdesk_callbacks.offering import tell_plugins
from helpdesk_callbacks.settings import CallbackSettings
from helpdesk_callbacks.watch import Watch, watch_over
from helpdesk_callbacks.zones import minute_up

# So many calls are seen to in one transaction; then whoever else waits to write has a turn (seconds): SQLite does not
# queue its writers, and one that asks again at once would get every turn.
BATCH, TURN = 100, 0.1
# What one call may raise that all others do not: a zone that is no longer known, a file that a plugin refuses.
_BROKEN = (LookupError, ValueError, TypeError, Invalid, Refused)
_AGAIN = timedelta(minutes=10)
log = logging.getLogger(__name__)


def ring(work: Work) -> None:
    """See to every call whose moment has come (a job in steps, one at a time).

    A batch is one transaction: the states, the events and the next moments are written together, so that each call is
    handed out once, however often a worker dies. What came while no worker ran is seen to late.
    """
    seen = 0
    if out_of_place():
        with work.step():
            follow_merges()
    while ids := _come(now()):
        try:
            with work.step(done=seen + len(ids)):
                found = _see_to(ids, now())
        except _BROKEN:
            found = _one_by_one(work, ids)
        seen += found
        if len(ids) == BATCH:
            time.sleep(TURN)
    with work.last_step(result={"calls": seen}):
        pass


def _one_by_one(work: Work, ids: Sequence[int]) -> int:
    """See to each of them alone. What cannot be seen to holds up no other: it is tried again in a while."""
    seen = 0
    for number in ids:
        try:
            with work.step():
                found = _see_to([number], now())
            seen += found
        except _BROKEN:
            log.exception("The promised call %s cannot be seen to; it is tried again.", number)
            with work.step():
                db.session.execute(update(Call).where(Call.id == number).values(alarm_at=now() + _AGAIN))
    return seen


def _come(at: datetime) -> Sequence[int]:
    db.session.rollback()
    query = select(Call.id).where(Call.alarm_at <= at).order_by(Call.alarm_at, Call.id)
    return db.session.scalars(query.limit(BATCH)).all()


def _see_to(ids: Collection[int], at: datetime) -> int:
    """Lock those of the calls that still wait, in the order of their numbers, and do what has come."""
    calls = locked(ids, Call.alarm_at <= at)
    chosen, watch = settings(CallbackSettings), watch_over(calls, at)
    left: list[int] = []
    ended: list[int] = []
    for call in calls:
        had = call.agent_id
        _do(call, at, chosen, watch)
        call.version += 1
        call.alarm_at = next_alarm(call, chosen)
        if had is not None and call.agent_id is None:
            left.append(call.id)
        if call.state in (MISSED, DONE):
            ended.append(call.id)
    cells.free_agents(*left)
    cells.free(*ended)
    # Few minutes, however many calls.
    for minute in sorted({minute_up(call.alarm_at) for call in calls if call.alarm_at is not None}):
        ask_at(minute)
    return len(calls)


def _do(call: Call, at: datetime, chosen: CallbackSettings, watch: Watch) -> None:
    come = {what for moment, what in moments(call, chosen) if moment <= at}
    if call.state == BOOKED:
        if DUE not in come:
            if "remind" in come:
                _remind(call, at, watch)
            return
        _hand_out(call, at, watch)
        # A worker that was away for long comes too late for the rest of the window as well.
        come = {what for moment, what in moments(call, chosen) if moment <= at}
    if call.state != DUE:
        return
    if MISSED in come:
        _miss(call, watch)
    elif "escalate" in come:
        _escalate(call, at, watch)


def _remind(call: Call, at: datetime, watch: Watch) -> None:
    call.reminded_at = at
    _replace_the_absent(call, watch)
    name, starts = call.person.display_name, call.starts_at
    watch.tell(
        call, watch.makers(call), lambda clock: _("You call %(name)s at %(time)s.", name=name, time=clock(starts))
    )


def _hand_out(call: Call, at: datetime, watch: Watch) -> None:
    """The time has come: the call is somebody's to make, or the mail of a follow-up goes out."""
    call.told_at = at
    call.first_due_at = call.first_due_at or at
    if call.kind == MAIL:
        _write(call, at)
        return
    call.state = DUE
    _replace_the_absent(call, watch)
    note_event(call, "due", None, _("The promised call is due."))
    tell_plugins("due", call)
    name, phone = call.person.display_name, call.phone
    watch.tell(call, watch.makers(call), lambda _clock: _("Call %(name)s now: %(phone)s", name=name, phone=phone))


def _write(call: Call, at: datetime) -> None:
    asked = call.person.active and mails.ask_how_it_is(call)
    call.state, call.done_at, call.outcome = DONE, at, WRITTEN if asked else UNWANTED
    text = _("Asked by mail how it is.") if asked else _("Nothing was asked by mail: the customer wants no such mail.")
    note_event(call, "done", None, text)
    tell_plugins("done", call, outcome=call.outcome, tries=0)


def _escalate(call: Call, at: datetime, watch: Watch) -> None:
    """Nobody has tried yet, and little time is left: supervisors hear of it while it can still be kept."""
    call.escalated_at = at
    note_event(call, "escalated", None, _("Supervisors were told that the promised call has not been made yet."))
    name, ends = call.person.display_name, call.ends_at
    watch.tell(
        call,
        watch.supervisors(call),
        lambda clock: _("Nobody has called %(name)s yet, as was promised until %(time)s.", name=name, time=clock(ends)),
    )


def _miss(call: Call, watch: Watch) -> None:
    """The window has passed without a try. The call stays to be made; the customer hears that it is late."""
    call.state = MISSED
    was_promised = call.tries == 0
    if call.kept is None:
        call.kept = False
    note_event(call, "missed", None, _("The time of the promised call has passed without a try."))
    tell_plugins("missed", call)
    name = call.person.display_name
    people = [*watch.makers(call), *watch.supervisors(call)]
    watch.tell(call, people, lambda _clock: _("The call to %(name)s is late. Call as soon as you can.", name=name))
    if was_promised and call.source != RULE and call.person.active:
        mails.told_delayed(call)


def _replace_the_absent(call: Call, watch: Watch) -> None:
    """An agent who is away gives the call to the team; without one, supervisors see to it."""
    if call.agent is None or watch.can_call(call):
        return
    gone = call.agent.display_name
    if call.team_id is not None:
        call.agent, call.agent_id = None, None
        note_event(
            call,
            "handed_over",
            None,
            _("The promised call went to the team: %(name)s is away.", name=gone),
        )
        return
    if call.problem == AWAY:
        return
    call.problem = AWAY
    name = call.person.display_name
    watch.tell(
        call,
        watch.supervisors(call),
        lambda _clock: _("%(agent)s is away and should call %(name)s. Hand the call over.", agent=gone, name=name),
    )
