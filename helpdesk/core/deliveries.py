"""Rows for what goes out, written in the transaction of its cause. Sending is core/channels/outbox.py."""

import uuid
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select

from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Delivery, Follower, Message, Ticket, User
from helpdesk.core.models.user import REQUESTER
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel

JOB = "core.deliver"
# The channel that carries everything for which a ticket's own channel has no way out.
DEFAULT_CHANNEL = "email"


def queue_message(ticket: Ticket, message: Message) -> list[Delivery]:
    """One delivery of a public message for the requester and each follower among the customers."""
    followers = (
        select(User)
        .join(Follower, Follower.user_id == User.id)
        .where(Follower.ticket_id == ticket.id, User.role == REQUESTER)
    )
    people = {
        ticket.requester.id: ticket.requester,
        **{user.id: user for user in db.session.scalars(followers)},
    }
    return queue("reply", people.values(), ticket=ticket, message=message)


def queue(
    kind: str,
    people: Iterable[User],
    *,
    ticket: Ticket | None = None,
    message: Message | None = None,
    data: dict[str, Any] | None = None,
) -> list[Delivery]:
    """Write one delivery per person with an address, and ask a worker to send it. Joins the open transaction."""
    channel = channel_for(ticket)
    rows = []
    for user in people:
        if not user.email or (message is not None and user.id == message.author_id):
            continue
        row = Delivery(
            channel=channel.name if channel else DEFAULT_CHANNEL,
            kind=kind,
            ticket_id=ticket.id if ticket else None,
            message_id=message.id if message else None,
            user_id=user.id,
            address=user.email,
            identity=_identity(channel),
            data=data or {},
        )
        db.session.add(row)
        rows.append(row)
    db.session.flush()
    for row in rows:
        ledger.schedule(JOB, delivery_id=row.id)
    return rows


def channel_for(ticket: Ticket | None) -> Channel | None:
    """The channel that a ticket's answers leave by: its own when that can send, else the default, if it is on."""
    for name in (ticket.channel if ticket else DEFAULT_CHANNEL, DEFAULT_CHANNEL):
        channel: Channel | None = manager.current().find("register_channels", name)
        if channel is not None and channel.send is not None:
            return channel
    return None


def _identity(channel: Channel | None) -> str:
    if channel is not None and channel.new_identity is not None:
        try:
            return channel.new_identity()
        except Exception:  # noqa: BLE001 - a channel that fails here must not lose the reply
            current_app.logger.exception("Channel %s gave no identity.", channel.name)
    host = urlsplit(current_app.config["HELPDESK"].address).hostname or "localhost"
    return f"{uuid.uuid4().hex}@{host}"
