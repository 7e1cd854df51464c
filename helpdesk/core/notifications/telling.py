"""Turns events into notices: who is told of what, once, and only of what they may see."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, or_, select, update
from sqlalchemy.orm import joinedload

from helpdesk.core.clock import now
from helpdesk.core.events import horizon
from helpdesk.core.events.record import NEWS, NOTIFY, PEOPLE_TOLD
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.work import Work
from helpdesk.core.models import (
    Event,
    Follower,
    Intake,
    Message,
    Notification,
    NotificationCursor,
    Promise,
    TeamMember,
    Ticket,
    TicketRead,
    User,
)
from helpdesk.core.models.message import PUBLIC
from helpdesk.core.models.notification import (
    ANSWERED,
    ASSIGNED,
    DUE_SOON,
    KINDS,
    MENTIONED,
    NEW_IN_TEAM,
    OVERDUE,
    TOLD,
)
from helpdesk.core.models.user import STAFF
from helpdesk.core.notifications import choices, mailing
from helpdesk.core.notifications.rights import visible
from helpdesk.core.workflow.messages import speaks_for_desk

_BATCH = 100
# Not the key under which changes ask: whoever writes the missing event may hold that one until it is committed.
_GAP = f"{NOTIFY}:gap"
_LATENESS = {
    "ticket_due_soon": DUE_SOON,
    "promise_due_soon": DUE_SOON,
    "ticket_overdue": OVERDUE,
    "promise_broken": OVERDUE,
}


def tell(work: Work) -> None:
    """Write the notices of all new events (a job, outside transactions).

    A batch is one transaction: its notices, and the cursor. So nobody is told twice, killed or not; of two workers one
    finds that the other was quicker.
    """
    while True:
        cursor = _cursor()
        until, gap = horizon.settled_after(cursor)
        events = _events(cursor, until)
        rows, taken = _planned(events) if events else ([], {})
        reached = events[-1].id if len(events) == _BATCH else until
        with work.step():
            if reached > cursor and not _write(cursor, reached, rows, taken):
                continue
        if len(events) < _BATCH:
            break
    if gap:
        ledger.schedule(NOTIFY, at=now() + horizon.PAUSE, key=_GAP)


def _cursor() -> int:
    db.session.rollback()
    return db.session.scalar(select(NotificationCursor.event_id).where(NotificationCursor.id == 1)) or 0


def _write(cursor: int, reached: int, rows: Sequence[dict[str, Any]], taken: Mapping[int, int]) -> bool:
    """Keep the notices and move the cursor; False when another worker has moved it. Inside the transaction."""
    place = db.session.get(NotificationCursor, 1, with_for_update=True)
    if place is None:
        place = NotificationCursor(id=1, event_id=0)
        db.session.add(place)
    if place.event_id != cursor:
        return False
    place.event_id = reached
    if rows:
        db.session.execute(insert(Notification), list(rows))
    if taken:
        _settle(taken)
    if rows:
        mailing.ask()
    return True


def _settle(taken: Mapping[int, int]) -> None:
    """That a ticket is new is nobody's matter any more once somebody has taken or answered it."""
    before = (and_(Notification.ticket_id == ticket, Notification.event_id < event) for ticket, event in taken.items())
    mine = (Notification.kind == NEW_IN_TEAM, Notification.read_at.is_(None), or_(*before))
    db.session.execute(update(Notification).where(*mine).values(read_at=now(), mail_at=None))


def _events(cursor: int, until: int) -> Sequence[Event]:
    query = select(Event).where(Event.id > cursor, Event.id <= until, Event.kind.in_(NEWS))
    message = joinedload(Event.message).load_only(Message.author_id, Message.visibility, Message.intake_id)
    author = joinedload(Event.message).joinedload(Message.author).load_only(User.role)
    return db.session.scalars(query.options(message, author).order_by(Event.id).limit(_BATCH)).all()


# ---- who is told of what


@dataclass
class _Facts:
    """What is known about the tickets of a batch."""

    tickets: Mapping[int, Ticket] = field(default_factory=dict)
    staff: Mapping[int, User] = field(default_factory=dict)
    followers: Mapping[int, set[int]] = field(default_factory=dict)
    members: Mapping[int, set[int]] = field(default_factory=dict)
    # Who keeps what was promised on a ticket.
    keepers: Mapping[int, int] = field(default_factory=dict)
    # The messages that began a ticket, and those that a program wrote.
    first: Collection[int] = ()
    automatic: Collection[int] = ()
    # Each time since the first event of the batch that a ticket was given to somebody, or to a team.
    changes: Sequence[Event] = ()

    def at(self, event: Event, ticket: Ticket) -> tuple[int | None, int | None]:
        """Who had the ticket when the event had happened, and which team: what came next says what was before."""
        found = {"ticket_assigned": ticket.assignee_id, "ticket_moved": ticket.team_id}
        for kind in found:
            later = (one for one in self.changes if one.kind == kind and one.ticket_id == ticket.id)
            after = next((one for one in later if one.id > event.id), None)
            if after is not None:
                found[kind] = after.data.get("from")
        return found["ticket_assigned"], found["ticket_moved"]


# An event, a person, and every kind that applies.
_Wanted = dict[tuple[Event, int], set[str]]


def _planned(events: Sequence[Event]) -> tuple[list[dict[str, Any]], Mapping[int, int]]:
    """The rows of a batch, and the tickets that somebody has taken or answered, with the event by which.

    A number of queries that does not grow with the batch; plugins are asked who may see what.
    """
    facts = _facts(events)
    wanted: _Wanted = {}
    for event in events:
        ticket = facts.tickets.get(event.ticket_id or 0)
        if ticket is None:
            continue
        told: dict[int, set[str]] = defaultdict(set)
        for kind, people in _kinds(event, ticket, facts):
            for user_id in people:
                told[user_id].add(kind)
        for user_id, kinds in told.items():
            if user_id in facts.staff and user_id != event.actor_id:
                wanted[event, user_id] = kinds
    people = {user_id for _event, user_id in wanted}
    seen = visible([facts.staff[user_id] for user_id in sorted(people)], facts.tickets)
    wanted = {key: kinds for key, kinds in wanted.items() if (key[1], key[0].ticket_id) in seen}
    wishes, looked = choices.choices_of(people), _looked(people, facts.tickets)
    rows = (_row(event, facts.staff[user_id], kinds, wishes, looked) for (event, user_id), kinds in wanted.items())
    return [row for row in rows if row is not None], _taken(events, facts)


def _taken(events: Sequence[Event], facts: _Facts) -> Mapping[int, int]:
    found = {}
    for event in events:
        ticket = facts.tickets.get(event.ticket_id or 0)
        if ticket is not None and _is_taking(event, ticket, facts):
            found[ticket.id] = event.id
    return found


def _is_taking(event: Event, ticket: Ticket, facts: _Facts) -> bool:
    """Whether by it somebody gets the ticket, or a colleague answers the customer."""
    if event.kind == "ticket_assigned":
        return bool(event.data.get("to"))
    message = event.message
    if event.kind != "message_added" or message is None or message.id in facts.first:
        return False
    return message.visibility == PUBLIC and speaks_for_desk(message.author, ticket)


def _kinds(event: Event, ticket: Ticket, facts: _Facts) -> Iterable[tuple[str, Collection[int]]]:
    """Each kind that an event is of, with the people whom it concerns."""
    assignee_id, team_id = facts.at(event, ticket)
    assignee = {assignee_id} if assignee_id else set()
    if event.kind in _LATENESS:
        keeper = {facts.keepers[ticket.id]} if ticket.id in facts.keepers and event.kind.startswith("promise_") else ()
        yield _LATENESS[event.kind], {*assignee, *keeper} or _team(team_id, facts)
    elif event.kind == PEOPLE_TOLD:
        yield TOLD, [found for found in event.data.get("people", ()) if isinstance(found, int)]
    elif event.kind == "ticket_opened":
        yield ASSIGNED, assignee
        yield ANSWERED, assignee if _is_customers(event, ticket, facts) else ()
        yield NEW_IN_TEAM, () if assignee else _team(team_id, facts)
    elif event.kind == "ticket_assigned":
        yield ASSIGNED, assignee
    elif event.kind == "ticket_moved":
        yield NEW_IN_TEAM, () if assignee or not team_id else _team(team_id, facts)
    elif event.kind == "message_added":
        yield MENTIONED, [found for found in event.data.get("mentions", ()) if isinstance(found, int)]
        if _is_customers(event, ticket, facts):
            # Whoever has the new ticket is told of that.
            theirs = () if event.message_id in facts.first else assignee
            yield ANSWERED, {*theirs, *facts.followers.get(ticket.id, ())}


def _is_customers(event: Event, ticket: Ticket, facts: _Facts) -> bool:
    """Whether a customer wrote the message, for all to read, and no program did."""
    message = event.message
    if message is None or message.visibility != PUBLIC or message.intake_id in facts.automatic:
        return False
    return not speaks_for_desk(message.author, ticket)


def _team(team_id: int | None, facts: _Facts) -> Collection[int]:
    """The members of a team; what has no team is everybody's: it would be nobody's otherwise."""
    return facts.staff.keys() if team_id is None else facts.members.get(team_id, ())


# ---- what is asked


def _facts(events: Sequence[Event]) -> _Facts:
    ids = {event.ticket_id for event in events if event.ticket_id}
    tickets = {found.id: found for found in db.session.scalars(select(Ticket).where(Ticket.id.in_(ids)))}
    people = select(User).where(User.role.in_(STAFF), User.active, ~User.is_service)
    messages = {event.message_id for event in events if event.message_id}
    items = {event.message.intake_id for event in events if event.message is not None and event.message.intake_id}
    opened = select(Event.message_id).where(Event.message_id.in_(messages), Event.kind == "ticket_opened")
    machines = select(Intake.id).where(Intake.id.in_(items), Intake.machine)
    promises = select(Promise.ticket_id, Promise.owner_id).where(Promise.ticket_id.in_(ids)).order_by(Promise.id)
    promised = any(event.kind.startswith("promise_") for event in events)
    changed = select(Event).where(Event.ticket_id.in_(ids), Event.kind.in_(("ticket_assigned", "ticket_moved")))
    changes = db.session.scalars(changed.where(Event.id >= events[0].id).order_by(Event.id)).all()
    moved = {found.data.get(key) for found in changes if found.kind == "ticket_moved" for key in ("from", "to")}
    teams = {found.team_id for found in tickets.values()} | moved
    return _Facts(
        tickets,
        {user.id: user for user in db.session.scalars(people)},
        _grouped(select(Follower.ticket_id, Follower.user_id).where(Follower.ticket_id.in_(ids))),
        _grouped(select(TeamMember.team_id, TeamMember.user_id).where(TeamMember.team_id.in_(teams))),
        {ticket: owner for ticket, owner in db.session.execute(promises) if owner} if promised else {},
        set(db.session.scalars(opened)) if messages else (),
        set(db.session.scalars(machines)) if items else (),
        changes,
    )


def _grouped(query: Any) -> Mapping[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for key, value in db.session.execute(query):
        found[key].add(value)
    return found


def _looked(people: Collection[int], tickets: Collection[int]) -> Mapping[tuple[int, int], datetime]:
    """When each of the people last looked at each of the tickets."""
    query = select(TicketRead).where(TicketRead.user_id.in_(people), TicketRead.ticket_id.in_(tickets))
    return {(row.user_id, row.ticket_id): row.read_at for row in db.session.scalars(query)}


def _row(
    event: Event,
    user: User,
    kinds: set[str],
    wishes: Mapping[int, choices.Choices],
    looked: Mapping[tuple[int, int], datetime],
) -> dict[str, Any] | None:
    """The notice, or None when the person wants none: of the weightiest kind, in every way that any kind asks for."""
    wanted = [kind for kind in KINDS if kind in kinds and wishes[user.id][kind].is_any]
    if not wanted or event.ticket_id is None:
        return None
    choice, moment = choices.joined(wishes[user.id], wanted), now()
    last = looked.get((user.id, event.ticket_id))
    # It was on the screen before the notice was written.
    is_read = last is not None and last >= event.created_at
    return {
        "user_id": user.id,
        "event_id": event.id,
        "ticket_id": event.ticket_id,
        "kind": wanted[0],
        "created_at": moment,
        "read_at": moment if is_read else None,
        "on_page": choice.page,
        "in_browser": choice.browser and not is_read,
        "mail_at": None if is_read else choices.mail_moment(user, choice.mail, moment),
    }
