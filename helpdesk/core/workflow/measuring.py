"""How long customers waited, in the working time of the team that has the ticket then."""

from datetime import datetime

from helpdesk.core.clock import now
from helpdesk.core.models import Ticket
from helpdesk.core.models.ticket import CLOSED, SOLVED
from helpdesk.core.working_time import hours_of

_DONE = (SOLVED, CLOSED)


def first_response(ticket: Ticket, at: datetime) -> None:
    """The desk has answered for the first time. Inside the open transaction."""
    ticket.response_minutes = _minutes(ticket, at)


def status_changed(ticket: Ticket, before: str) -> None:
    """Measure a solution, or count that it was none. Inside the open transaction, after the change from ``before``."""
    if ticket.category in _DONE and before not in _DONE:
        ticket.solve_minutes = _minutes(ticket, ticket.solved_at or now())
    elif ticket.category not in _DONE and before in _DONE:
        ticket.solve_minutes = None
        ticket.reopened += 1


def _minutes(ticket: Ticket, until: datetime) -> int:
    return hours_of(ticket.team_id).minutes_between(ticket.created_at, until)
