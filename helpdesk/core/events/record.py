"""Writes an event beside the change it tells of."""

from typing import Any

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
FACTS = frozenset(name for name, kind in hookspecs.KINDS.items() if kind == "fact")


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
    if manager.current().listeners(facts()):
        before_commit(_ask_for_dispatch)
    if kind in NEWS:
        before_commit(_ask_for_notices)
    return event


def _ask_for_dispatch() -> None:
    ledger.schedule(DISPATCH, key=DISPATCH)


def _ask_for_notices() -> None:
    ledger.schedule(NOTIFY, key=NOTIFY)
