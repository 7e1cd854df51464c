"""What other plugins may hear of promised calls, and ask of them."""

from typing import Any

from helpdesk.api import hookimpl, hookspec, publish
from helpdesk_callbacks.models import Call


@hookspec("answer")
def callbacks_schedule(
    ticket_id: int,
    start: str,
    phone: str,
    reason: str,
    agent_id: int | None,
    team_id: int | None,
) -> int | None:
    """Promise a call on a ticket: its number; None where it cannot be. ``start`` is a moment in ISO 8601 with its zone.

    This plugin answers it. For those that do not name it in their dependencies; others call ``schedule_callback``.
    """


@hookspec("fact")
def callbacks_booked(
    call_id: int, ticket_id: int, person_id: int, agent_id: int | None, team_id: int | None, starts_at: str
) -> None:
    """A call was promised, by an agent, a customer, a rule or a plugin."""


@hookspec("fact")
def callbacks_due(
    call_id: int, ticket_id: int, person_id: int, agent_id: int | None, team_id: int | None, starts_at: str
) -> None:
    """The time of a call has come: once for each promise, and once for each try after one in vain."""


@hookspec("fact")
def callbacks_done(
    call_id: int,
    ticket_id: int,
    person_id: int,
    agent_id: int | None,
    team_id: int | None,
    starts_at: str,
    outcome: str,
    tries: int,
) -> None:
    """There is nothing to do any more: ``outcome`` is reached, no_answer, busy, wrong_number, refused, written."""


@hookspec("fact")
def callbacks_missed(
    call_id: int, ticket_id: int, person_id: int, agent_id: int | None, team_id: int | None, starts_at: str
) -> None:
    """The time of a call has passed without a try. It stays to be made."""


@hookimpl
def register_hookspecs() -> list[Any]:
    """One answer, four facts."""
    return [callbacks_schedule, callbacks_booked, callbacks_due, callbacks_done, callbacks_missed]


def tell_plugins(fact: str, call: Call, **more: Any) -> None:
    """Publish a fact about a call. Inside the transaction of what it tells."""
    publish(
        f"callbacks_{fact}",
        call_id=call.id,
        ticket_id=call.ticket_id,
        person_id=call.person_id,
        agent_id=call.agent_id,
        team_id=call.team_id,
        starts_at=call.starts_at.isoformat(),
        **more,
    )
