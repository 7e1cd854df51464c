"""The facts of a ticket as plain data, and the way back to what they were."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from helpdesk.core import workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import Status, Team, Ticket, TicketType, Topic, User
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.locking import lock


def read_facts(ticket: Ticket) -> dict[str, Any]:
    """Every fact that actions change, as JSON."""
    return {
        "status": _status_key(ticket),
        "team": ticket.team_id,
        "assignee": ticket.assignee_id,
        "priority": ticket.priority,
        "type": ticket.type_id,
        "topic": ticket.topic_id,
        "tags": sorted(tag.name for tag in ticket.tags),
        "due": _written(ticket.due_at),
        "snooze": _written(ticket.snoozed_until),
    }


def restore_facts(ticket: Ticket, changes: Mapping[str, list[Any]], actor: User) -> list[str]:
    """Give a ticket back what it had, where nobody changed it since; answer the names of what stays as it is.

    ``changes`` are of the form that ``actions.carry_out`` answers. Joins or opens the transaction. Raises NotAllowed
    and what verbs raise; then nothing is restored.
    """
    left = []
    with transaction():
        lock(ticket)
        current = read_facts(ticket)
        # A status first: what is solved takes no snooze.
        for name in _VERBS:
            if name not in changes:
                continue
            before, after = changes[name]
            if name == "tags":
                _restore_tags(ticket, before, after, actor)
            elif current[name] == before:
                continue
            elif current[name] != after or not _give_back(name, ticket, before, actor):
                left.append(name)
    return left


def _give_back(name: str, ticket: Ticket, value: Any, actor: User) -> bool:
    try:
        _VERBS[name](ticket, value, actor)
        # The next verb reads the ticket anew.
        db.session.flush()
    except (workflow.Invalid, LookupError):
        # The team was switched off, the snooze is over: there is no way back to it.
        return False
    return True


def _restore_tags(ticket: Ticket, before: list[str], after: list[str], actor: User) -> None:
    now_there = {tag.name for tag in ticket.tags}
    wanted = (now_there - (set(after) - set(before))) | (set(before) - set(after))
    if wanted != now_there:
        workflow.set_tags(ticket, wanted, actor)


def _status_key(ticket: Ticket) -> str:
    status = ticket.status if ticket.status.id == ticket.status_id else db.session.get(Status, ticket.status_id)
    return status.key if status is not None else ""


def _row(model: Any, number: int | None) -> Any:
    if number is None:
        return None
    row = db.session.get(model, number)
    if row is None:
        raise LookupError(number)
    return row


def _snooze(ticket: Ticket, value: str | None, actor: User) -> None:
    if value is None:
        workflow.wake(ticket, actor)
    else:
        workflow.snooze(ticket, datetime.fromisoformat(value), actor)


_VERBS: Mapping[str, Callable[[Ticket, Any, User], Any]] = {
    "status": workflow.restore_status,
    "team": lambda ticket, value, actor: workflow.move(ticket, _row(Team, value), actor),
    "assignee": lambda ticket, value, actor: workflow.assign(ticket, _row(User, value), actor),
    "priority": workflow.set_priority,
    "type": lambda ticket, value, actor: workflow.set_type(ticket, _row(TicketType, value), actor),
    "topic": lambda ticket, value, actor: workflow.set_topic(ticket, _row(Topic, value), actor),
    "tags": workflow.set_tags,
    "due": lambda ticket, value, actor: workflow.set_due(
        ticket, datetime.fromisoformat(value) if value else None, actor
    ),
    "snooze": _snooze,
}


def _written(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment is not None else None
