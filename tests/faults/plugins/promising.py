"""Promised calls that fall due within seconds. They are handed out slowly, so that workers die in the middle of it."""

import time
from datetime import timedelta

import click
from helpdesk_callbacks import keeping
from helpdesk_callbacks.calls import RING
from helpdesk_callbacks.models import Call
from sqlalchemy import event

from helpdesk.api import (
    Command,
    TicketDraft,
    User,
    db,
    hookimpl,
    now,
    open_ticket,
    requester_for,
    schedule,
    transaction,
)

# So many calls are one transaction, and each of them takes so long.
BATCH, SECONDS = 10, 0.02


def slow_down(*_arguments):
    time.sleep(SECONDS)


keeping.BATCH = BATCH
event.listen(Call, "before_update", slow_down)


@click.command("book")
@click.argument("count", type=int)
@click.option("--over", type=float, default=0.0, help="Seconds over which they fall due.")
def book(count, over):
    """Promise COUNT calls to one customer, made by one agent."""
    with transaction():
        customer = requester_for("anna@customer.example", "Anna")
        ticket = open_ticket(TicketDraft("Call me", customer.id, "Please."), None)
        agent = User(email="abe@desk.example", name="Abe", role="agent")
        db.session.add(agent)
        db.session.flush()
        begin = now() + timedelta(seconds=5)
        moments = [begin + timedelta(seconds=over * number / count) for number in range(count)]
        for at in moments:
            until = at + timedelta(hours=2)
            times = {"starts_at": at, "ends_at": until, "promised_from": at, "promised_until": until, "alarm_at": at}
            db.session.add(
                Call(
                    ticket_id=ticket.id, person_id=customer.id, agent_id=agent.id, phone="1234", reminded_at=at, **times
                )
            )
        # As a booking asks for its minute: for each second here.
        for second in sorted({at.replace(microsecond=0) + timedelta(seconds=1) for at in moments}):
            schedule(RING, at=second, key=f"{RING}:{second:%H%M%S}")


@hookimpl
def register_commands():
    return [Command(book)]
