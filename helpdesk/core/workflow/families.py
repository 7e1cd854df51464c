"""Which tickets went into which: where a conversation goes on, and who reads what of it.

A merged ticket's messages lie with its survivor, each with the merge that brought it. What a reader sees of a ticket
is a criterion over messages, so that nothing is read twice and nothing in a loop.
"""

from collections.abc import Collection
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, and_, or_, select

from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Organization, Ticket, TicketMerge, User
from helpdesk.core.workflow.errors import Invalid


def survivor_of(ticket: Ticket) -> Ticket:
    """The ticket in which this one goes on, over any number of merges; itself when it was not merged. Reads only."""
    if ticket.merged_into_id is None:
        return ticket
    number = db.session.scalar(survivor_number(ticket.id))
    return (db.session.get(Ticket, number) if number is not None else None) or ticket


def survivor_number(number: int) -> Select[int]:
    """A query for the number of the last ticket of the chain that begins with ``number``."""
    chain = select(Ticket.id, Ticket.merged_into_id).where(Ticket.id == number).cte("chain", recursive=True)
    chain = chain.union(select(Ticket.id, Ticket.merged_into_id).join(chain, Ticket.id == chain.c.merged_into_id))
    return select(chain.c.id).where(chain.c.merged_into_id.is_(None))


def absorbed(number: int) -> Select[int]:
    """A query for the numbers of a ticket and of all that went into it, directly or by way of another."""
    family = select(Ticket.id).where(Ticket.id == number).cte("family", recursive=True)
    family = family.union(select(Ticket.id).join(family, Ticket.merged_into_id == family.c.id))
    return select(family.c.id)


def merges_within(number: int) -> Select[int]:
    """A query for the merges that took a ticket, or what had gone into it, into another and were not undone."""
    return select(TicketMerge.id).where(TicketMerge.undone_at.is_(None), TicketMerge.merged_id.in_(absorbed(number)))


def conversation(ticket: Ticket) -> ColumnElement[bool]:
    """The messages that are read under a ticket's number: its own; of a merged one those that it brought along."""
    here = Message.ticket_id == ticket.id
    if ticket.merged_into_id is None:
        return here
    return or_(here, Message.merge_id.in_(merges_within(ticket.id)))


def readable_by(user: User, ticket: Ticket) -> ColumnElement[bool]:
    """What ``user`` may read of :func:`conversation`, merges considered: staff all; a customer what was written under

    this number, and what came from a ticket of their own or of an organization whose people see each other's.
    """
    if user.is_staff:
        return conversation(ticket)
    shared = select(Organization.id).where(Organization.id == user.organization_id, Organization.shares_tickets)
    theirs: list[Any] = [Ticket.requester_id == user.id, Ticket.organization_id.in_(shared), Ticket.id == ticket.id]
    origins = select(TicketMerge.id).join(Ticket, Ticket.id == TicketMerge.merged_id).where(or_(*theirs))
    return and_(conversation(ticket), or_(Message.merge_id.is_(None), Message.merge_id.in_(origins)))


def locked(numbers: Collection[int]) -> dict[int, Ticket]:
    """The tickets of these numbers as they are now, locked in order, inside the open transaction.

    Raises :class:`Invalid` when one is gone.
    """
    query = select(Ticket).where(Ticket.id.in_(numbers)).order_by(Ticket.id).with_for_update(of=Ticket)
    found = {row.id: row for row in db.session.scalars(query.execution_options(populate_existing=True))}
    for number in sorted(numbers):
        if number not in found:
            raise Invalid("others", _("Ticket #%(number)s is no longer there.", number=number))
    return found
