"""One call: found for a reader, locked for a change, its history, its next moment."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import contains_eager, joinedload

from helpdesk.api import (
    Invalid,
    NotAllowed,
    Stale,
    Ticket,
    User,
    allowed,
    db,
    now,
    record,
    require,
    schedule,
    settings,
    visible_tickets,
)
from helpdesk.api import gettext as _
from helpdesk_callbacks.models import BOOKED, CALL, CANCELLED, DUE, MISSED, Attempt, Call
from helpdesk_callbacks.permissions import USE
from helpdesk_callbacks.settings import CallbackSettings
from helpdesk_callbacks.zones import minute_up

# The job that looks at moments that have come, and its key: at most one waits.
RING = "callbacks.ring"


class Outrun(Stale):
    """Somebody else was quicker with the same call; the sentence says with what."""

    def __init__(self, ticket: Ticket, sentence: str) -> None:
        super().__init__(ticket, [])
        self.args = (sentence,)


def find_call(user: User, call_id: int) -> Call | None:
    """The call if ``user`` may see its ticket, with person, agent, team and reason. One query."""
    query = (
        visible_tickets(user)
        .join(Call, Call.ticket_id == Ticket.id)
        .with_only_columns(Call)
        .where(Call.id == call_id)
        .options(contains_eager(Call.ticket), *with_people())
    )
    return db.session.scalar(query)


def with_people() -> Sequence[Any]:
    """The options of a query for calls that loads what a line of them shows."""
    return (
        joinedload(Call.person),
        joinedload(Call.agent),
        joinedload(Call.team),
        joinedload(Call.reason_row),
    )


def is_customer(actor: User | None) -> bool:
    """Whether a customer does it for themselves: neither staff nor the desk."""
    return actor is not None and not actor.is_staff


def require_use(actor: User | None, ticket: Ticket, person: User) -> None:
    """Staff who make calls and see the ticket, or the customer for whom the call is. Raises :class:`NotAllowed`."""
    if actor is None:
        return
    if actor.is_staff:
        require(actor, USE, ticket)
    elif actor.id != person.id or not allowed(actor, "ticket.reply", ticket):
        raise NotAllowed(USE)


def lock(call: Call) -> Ticket:
    """Read a call anew inside the transaction, locked on PostgreSQL; its ticket."""
    found = db.session.scalar(
        select(Call).where(Call.id == call.id).with_for_update(of=Call).execution_options(populate_existing=True)
    )
    if found is None:
        raise Invalid("call", _("This call is no longer there."))
    return call.ticket


def locked(ids: Collection[int], *criteria: Any) -> Sequence[Call]:
    """Those of the calls that still meet the criteria, read anew with their people, locked by their numbers.

    Inside the transaction. One query.
    """
    query = (
        select(Call)
        .where(Call.id.in_(ids), *criteria)
        .order_by(Call.id)
        .options(joinedload(Call.ticket).joinedload(Ticket.assignee), *with_people())
        .with_for_update(of=Call)
        .execution_options(populate_existing=True)
    )
    return db.session.scalars(query).all()


def check_open(call: Call, version: int | None = None) -> None:
    """Raise :class:`Outrun` for a call that has ended, or that somebody has changed since ``version``."""
    if not call.is_open:
        raise Outrun(call.ticket, ended_sentence(call))
    if version is not None and version != call.version:
        raise Outrun(call.ticket, _("Somebody changed this call a moment ago. Look at it as it is now, then go on."))


def ended_sentence(call: Call) -> str:
    """That there is nothing to do any more, and by whom if that is known."""
    if call.state == CANCELLED:
        return _("This call was cancelled meanwhile.")
    # Whoever tried last, which need not be the agent whose call it was.
    query = select(User).join(Attempt, Attempt.agent_id == User.id).where(Attempt.call_id == call.id)
    last = db.session.scalar(query.order_by(Attempt.number.desc()).limit(1))
    if last is not None:
        name = last.display_name
        return _("%(name)s has made this call already; it is done.", name=name)
    return _("This call is done already.")


def changed(call: Call) -> None:
    """Count a change, and work out when something happens by itself. Inside the transaction, after the change."""
    call.version = (call.version or 0) + 1
    set_alarm(call)


def set_alarm(call: Call) -> None:
    """The next moment of the call; a worker is asked to look at it then. Inside the transaction."""
    call.alarm_at = next_alarm(call)
    if call.alarm_at is not None:
        ask_at(call.alarm_at)


def next_alarm(call: Call, chosen: CallbackSettings | None = None) -> datetime | None:
    """The first moment at which something is to happen by itself, come or to come; None: none."""
    return min((at for at, _what in moments(call, chosen or settings(CallbackSettings))), default=None)


def moments(call: Call, chosen: CallbackSettings) -> list[tuple[datetime, str]]:
    """What is still to happen by itself, and when: remind, due, escalate, miss."""
    if call.state == BOOKED:
        found = [(call.starts_at, DUE)]
        if chosen.remind_minutes and call.reminded_at is None and call.kind == CALL:
            found.append((call.starts_at - timedelta(minutes=chosen.remind_minutes), "remind"))
        return found
    if call.state != DUE:
        return []
    found = [(call.ends_at, MISSED)]
    if chosen.escalate_minutes and call.escalated_at is None:
        before = call.ends_at - timedelta(minutes=chosen.escalate_minutes)
        found.append((max(before, call.starts_at + (call.ends_at - call.starts_at) / 2), "escalate"))
    return found


def ask_at(at: datetime) -> None:
    """Have workers look at the moments of calls at ``at``. Joins the open transaction.

    At the full minute, under its key: many calls at the same time ask once, and an earlier one puts off no other. Every
    minute workers look anyway.
    """
    minute = minute_up(at)
    schedule(RING, at=max(minute, now()), key=f"{RING}:{minute:%Y%m%d%H%M}")


def note_event(call: Call, kind: str, actor: User | None, text: str, **data: Any) -> None:
    """Write ``callbacks.<kind>`` into the history of the ticket. Inside the transaction."""
    record(f"callbacks.{kind}", call.ticket, actor, {"call": call.id, "text": text, **data})


def lazily(say: Callable[[], str]) -> Any:
    """A text that is made when it is read, in the language that is spoken then."""
    return _Said(say)


class _Said:
    def __init__(self, say: Callable[[], str]) -> None:
        self._say = say

    def __str__(self) -> str:
        return self._say()
