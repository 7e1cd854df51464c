"""Writes an event beside the change it tells of."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert

from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Event, Message, Ticket, User
from helpdesk.core.transaction import before_commit, in_transaction
from helpdesk.plugins import hookspecs, manager

# The job that hands new events to the plugins.
DISPATCH = "core.facts"
# Somebody is told something in a plugin's own words.
PEOPLE_TOLD = "people_told"
# The job that tells people, the one that sends them mails of it, and the events of which they may be told.
NOTIFY, NOTICE_MAIL = "core.notify", "core.notice_mail"
NEWS = frozenset(
    {
        "ticket_opened",
        "ticket_assigned",
        "ticket_moved",
        "message_added",
        "ticket_due_soon",
        "ticket_overdue",
        "promise_due_soon",
        "promise_broken",
        PEOPLE_TOLD,
    }
)
# Facts of the desk's that are about no ticket: told with what their event holds, as those of plugins are.
OF_PEOPLE = frozenset({"people_merged", "people_unmerged"})
FACTS = frozenset(name for name, kind in hookspecs.KINDS.items() if kind == "fact") - OF_PEOPLE


def facts() -> frozenset[str]:
    """The names of all facts: the desk's own, and those that plugins offer to one another."""
    return frozenset(name for name, spec in manager.current().specs.items() if spec.kind == "fact")


def record(
    kind: str,
    ticket: Ticket | None,
    actor: User | None,
    data: dict[str, Any] | None = None,
    message: Message | None = None,
) -> Event:
    """Add an event to the open transaction: history and fact at once; a worker is asked to hand it out.

    Raises outside a transaction.
    """
    if not in_transaction():
        raise RuntimeError("An event is written inside the transaction of its change.")
    event = Event(
        kind=kind,
        ticket_id=ticket.id if ticket is not None else None,
        version=ticket.version if ticket is not None else None,
        actor_id=actor.id if actor is not None else None,
        message_id=message.id if message is not None else None,
        data=data or {},
    )
    db.session.add(event)
    _ask(kind)
    return event


def record_all(kind: str, tickets: Sequence[Ticket], actor: User | None, data: dict[str, Any]) -> None:
    """:func:`record` the same of many tickets, in one statement. Each one's version is the one that it has now."""
    if not in_transaction():
        raise RuntimeError("An event is written inside the transaction of its change.")
    who = actor.id if actor is not None else None
    rows = [
        {"kind": kind, "ticket_id": ticket.id, "version": ticket.version, "actor_id": who, "data": data}
        for ticket in tickets
    ]
    if rows:
        db.session.execute(insert(Event), rows)
        _ask(kind)


def _ask(kind: str) -> None:
    if manager.current().listeners(facts()):
        before_commit(_ask_for_dispatch)
    if kind in NEWS:
        before_commit(_ask_for_notices)


def _ask_for_dispatch() -> None:
    ledger.schedule(DISPATCH, key=DISPATCH)


def _ask_for_notices() -> None:
    ledger.schedule(NOTIFY, key=NOTIFY)
