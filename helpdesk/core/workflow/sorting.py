"""Say what kind of ticket it is, and what it is about."""

from flask_babel import gettext as _
from sqlalchemy import update

from helpdesk.core.events.record import record
from helpdesk.core.models import Event, Ticket, TicketType, Topic, User
from helpdesk.core.permissions import require
from helpdesk.core.transaction import count_rows, transaction
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.locking import check_version, lock, touch

KIND = "ticket_updated"


def set_type(ticket: Ticket, kind: TicketType | None, actor: User | None, version: int | None = None) -> Ticket:
    """Change the type (None: none); record ``ticket_updated``. Same type: nothing happens.

    With ``version``, raises :class:`Stale` when somebody else changed it meanwhile. Joins or opens the transaction.
    Raises :class:`Invalid` for one that was switched off, :class:`NotAllowed`.
    """
    return _set(ticket, "type", kind, actor, version)


def set_topic(ticket: Ticket, topic: Topic | None, actor: User | None, version: int | None = None) -> Ticket:
    """Change the topic (None: none); record ``ticket_updated``. Otherwise like :func:`set_type`."""
    return _set(ticket, "topic", topic, actor, version)


def carry_topics(topic_id: int, into_id: int | None) -> int:
    """Give the tickets of a topic that goes away another one, all at once; answer how many.

    Joins the open transaction. No facts are recorded: nothing of the tickets themselves has changed, and the deletion
    stands in the record of the administration.
    """
    return count_rows(update(Ticket).where(Ticket.topic_id == topic_id).values(topic_id=into_id))


def _set(
    ticket: Ticket, field: str, chosen: TicketType | Topic | None, actor: User | None, version: int | None
) -> Ticket:
    require(actor, "ticket.edit", ticket)
    with transaction():
        lock(ticket)
        check_version(ticket, version, actor, (KIND,), lambda event: _is_about(event, field))
        before: TicketType | Topic | None = getattr(ticket, field)
        target = chosen.id if chosen is not None else None
        if target == (before.id if before is not None else None):
            return ticket
        if chosen is not None and not chosen.active:
            raise Invalid(field, _("“%(name)s” is no longer in use; choose another.", name=chosen.name))
        data = {
            "field": field,
            "from": before.id if before is not None else None,
            "from_name": before.name if before is not None else None,
            "to": target,
            "to_name": chosen.name if chosen is not None else None,
        }
        touch(ticket)
        setattr(ticket, field, chosen)
        setattr(ticket, f"{field}_id", target)
        record(KIND, ticket, actor, data)
    return ticket


def _is_about(event: Event, field: str) -> bool:
    return bool(event.data.get("field") == field)
