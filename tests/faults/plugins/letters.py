"""A plugin of one file that writes to many people, and is impatient: what failed is tried again after a second."""

from datetime import timedelta

import click

from helpdesk.api import Command, MessageDraft, TicketDraft, hookimpl, open_ticket, reply, requester_for, transaction
from helpdesk.core.channels import outbox

outbox.PAUSES = (timedelta(seconds=1),)


@click.command("write")
@click.argument("first", type=int)
@click.argument("number", type=int)
def write(first, number):
    """The desk writes to NUMBER people, each on a ticket of their own; they are counted from FIRST."""
    with transaction():
        for place in range(first, first + number):
            person = requester_for(f"c{place}@customer.example")
            ticket = open_ticket(TicketDraft(f"Letter {place}", person.id, "May I ask?", prepared=True), None)
            reply(ticket, MessageDraft("You may.", prepared=True), None)


@hookimpl
def register_commands():
    return [Command(write)]
