"""What came of a try to make a call, and what comes next."""

from datetime import UTC, datetime, timedelta

from helpdesk.api import Invalid, User, db, hours_of, now, require, settings, snippet, transaction
from helpdesk.api import gettext as _
from helpdesk_callbacks import cells, mails, slots, words
from helpdesk_callbacks.booking import put
from helpdesk_callbacks.calls import changed, check_open, lock, note_event
from helpdesk_callbacks.drafts import FURTHEST
from helpdesk_callbacks.models import (
    DONE,
    IN_VAIN,
    OUTCOMES,
    RULE,
    WRONG_NUMBER,
    Attempt,
    Call,
)
from helpdesk_callbacks.offering import tell_plugins
from helpdesk_callbacks.permissions import USE
from helpdesk_callbacks.settings import CallbackSettings, Step
from helpdesk_callbacks.zones import day_begins, quarter_up, zone_named

NOTE_LENGTH, STEP_LENGTH = 10_000, 500


def record_outcome(
    call: Call,
    outcome: str,
    note: str,
    actor: User | None,
    next_step: str = "",
    next_at: datetime | None = None,
    version: int | None = None,
) -> Attempt:
    """Write down a try (one of OUTCOMES) with its note and, in words, what comes next; records ``callbacks.tried``.

    Reached, refused and a wrong number end the call; so does the last try in vain. Otherwise the next try is booked by
    the rule of the settings, or for ``next_at`` (aware), as much as the time allows: a try without a free time is made
    all the same. In vain before the time that the customer was told: that stands, and the next try comes then. Who has
    the right makes anybody's call; a team's call is theirs from the first try on. One transaction, joined or opened.

    Raises :class:`Invalid` (outcome, note, next_step, next_at), :class:`Outrun` (a Stale) when the call has ended or
    was changed since ``version``, and :class:`NotAllowed`.
    """
    _check(outcome, note, next_step, next_at)
    with transaction():
        ticket = lock(call)
        require(actor, USE, ticket)
        check_open(call, version)
        moment = now()
        call.tries += 1
        call.outcome = outcome
        stands = _still_stands(call, outcome, next_at, moment)
        if call.kept is None and not stands:
            call.kept = moment <= call.promised_until
        if call.agent_id is None and actor is not None:
            call.agent, call.agent_id = actor, actor.id
        attempt = Attempt(
            call=call,
            number=call.tries,
            agent=actor if actor is not None else call.agent,
            at=moment,
            outcome=outcome,
            note=note.strip(),
            next_step=next_step.strip(),
        )
        db.session.add(attempt)
        writes = not stands and _go_on(call, outcome, next_at, moment)
        attempt.next_at = call.starts_at if call.is_open else None
        note_event(call, "tried", actor, _sentence(call, attempt), outcome=outcome, number=attempt.number)
        changed(call)
        if not call.is_open:
            tell_plugins("done", call, outcome=call.outcome, tries=call.tries)
        if writes and call.source != RULE:
            mails.told_unreached(call)
    return attempt


def _end(call: Call) -> None:
    """Nothing is to be done any more. Inside the transaction; the caller counts the change."""
    call.state, call.done_at, call.problem = DONE, now(), ""
    cells.free(call.id)


def _still_stands(call: Call, outcome: str, next_at: datetime | None, moment: datetime) -> bool:
    """Whether it was tried in vain too early: the customer was told of a time that is still to come, and waits then."""
    early = outcome in IN_VAIN and next_at is None and call.kept is None and call.source != RULE
    return early and moment < call.promised_from == call.starts_at


def _go_on(call: Call, outcome: str, next_at: datetime | None, moment: datetime) -> bool:
    """Book the next try or end the call; whether the customer is written to because of it."""
    if outcome not in IN_VAIN:
        _end(call)
        return outcome == WRONG_NUMBER
    step = _step(call.tries)
    if next_at is None and (step is None or step.is_mail):
        _end(call)
        return step is not None
    length = timedelta(minutes=settings(CallbackSettings).slot)
    cells.free(call.id)
    if next_at is not None:
        starts = quarter_up(next_at.astimezone(UTC))
        put(call, starts, starts + length)
        call.anyway = True
    else:
        earliest = _earliest(call, step or Step(), moment)
        slot = slots.first_free(call.team_id, call.agent_id, earliest)
        starts = slot.start if slot is not None else quarter_up(earliest)
        put(call, starts, slot.end if slot is not None else starts + length)
    try:
        cells.take(call)
    except cells.Full:
        # Better two calls at a time than one that nobody thinks of.
        cells.free(call.id)
    return False


def _step(tries: int) -> Step | None:
    """What the rule says after so many tries in vain. A mail at its end is written however many there were."""
    steps = settings(CallbackSettings).steps
    if tries <= len(steps):
        return steps[tries - 1]
    return steps[-1] if steps and steps[-1].is_mail else None


def _earliest(call: Call, step: Step, moment: datetime) -> datetime:
    """When the next try may be: after the pause, or the beginning of a working day some days later."""
    if step.after is not None:
        return moment + step.after
    hours = hours_of(call.team_id)
    place = zone_named(hours.zone)
    day, left = moment.astimezone(place).date(), max(1, step.days)
    # A year of closed days is none.
    for _number in range(366):
        day += timedelta(days=1)
        left -= bool(hours.spans_on(day))
        if left <= 0:
            return day_begins(day, place)
    return moment + timedelta(days=max(1, step.days))


def _check(outcome: str, note: str, next_step: str, next_at: datetime | None) -> None:
    if outcome not in OUTCOMES:
        raise Invalid("outcome", _("Choose what came of the call."))
    if len(note) > NOTE_LENGTH:
        raise Invalid("note", _("This is too long; %(number)s characters fit.", number=NOTE_LENGTH))
    if len(next_step) > STEP_LENGTH:
        raise Invalid("next_step", _("This is too long; %(number)s characters fit.", number=STEP_LENGTH))
    if next_at is None:
        return
    if outcome not in IN_VAIN:
        raise Invalid("next_at", _("Only a call that reached nobody is tried again. Promise a new one instead."))
    if next_at.tzinfo is None or next_at <= now():
        raise Invalid("next_at", _("This time has passed. Choose one that is still to come."))
    if next_at > now() + FURTHEST:
        raise Invalid("next_at", _("This is more than a year away. Look at the year once more."))


def _sentence(call: Call, attempt: Attempt) -> str:
    text = _("Try %(number)s: %(outcome)s", number=attempt.number, outcome=words.outcome(attempt.outcome))
    if attempt.note:
        text = f"{text} – {snippet(attempt.note)}"
    if call.is_open:
        when = words.window(call.starts_at, call.ends_at, call.zone)
        return f"{text}. {_('Next try: %(when)s', when=when)}"
    return text
