"""Rows for what goes out, written in the transaction of its cause. Sending is core/channels/outbox.py."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from flask import current_app
from sqlalchemy import select, update

from helpdesk.core.abreast import FLUSH, Ask, Way, alone
from helpdesk.core.drafts import StoredFile
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Delivery, Follower, Message, Ticket, User
from helpdesk.core.models.delivery import AT_REST, CANCELLED, WAITING
from helpdesk.core.models.user import REQUESTER
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Channel

JOB = "core.deliver"
# The channel that carries everything for which a ticket's own channel has no way out.
DEFAULT_CHANNEL = "email"
# What agents are told, and what nobody asked for: surveys, offers, reminders.
AGENT, CARE = "agent", "care"
# What a person has arranged with us: an appointment, its change. No message of a ticket.
LETTER = "letter"
# What else staff are told, several things in one mail.
NOTICES = "notices"
# Whether it is solved; ``ASKS`` in the data of a reply: the requester is asked in it.
SOLVED, ASKS = "solved", "asks"


def queue_message(ticket: Ticket, message: Message, asks: bool = False) -> list[Delivery]:
    """One delivery of a public message for the requester and each follower among the customers.

    ``asks``: the requester is asked in it whether the ticket is solved.
    """
    followers = (
        select(User)
        .join(Follower, Follower.user_id == User.id)
        .where(Follower.ticket_id == ticket.id, User.role == REQUESTER)
    )
    people = {
        ticket.requester.id: ticket.requester,
        **{user.id: user for user in db.session.scalars(followers)},
    }
    return queue("reply", people.values(), ticket=ticket, message=message, data={ASKS: True} if asks else None)


def write_care(
    user: User,
    subject: str,
    text: str,
    *,
    ticket: Ticket | None = None,
    link: str = "",
    link_label: str = "",
) -> Delivery | None:
    """Write a mail that the person has not asked for (a survey, an offer), with a way to want no more of them.

    None, and nothing is written, for somebody who wants none or whose address does not work. Texts are in the
    person's language already. Joins or opens the transaction.
    """
    if not takes_care(user):
        return None
    data = {"subject": subject, "text": text, "link": link, "link_label": link_label}
    with transaction():
        return next(iter(queue(CARE, [user], ticket=ticket, data=data)), None)


def write_letter(
    user: User,
    subject: str,
    text: str,
    *,
    ticket: Ticket | None = None,
    files: Sequence[StoredFile] = (),
    link: str = "",
    link_label: str = "",
) -> Delivery | None:
    """Write a mail about something that the person has arranged with us, such as an appointment, with files.

    It stands in no conversation: it is no answer to the ticket and keeps no promise; an answer to it joins ``ticket``.
    What nobody asked for goes by :func:`write_care`. None, and nothing is written, for somebody whose account is off,
    who has no address, or whose address does not work. Texts are in the person's language already. Joins or opens the
    transaction.
    """
    if not user.active or user.bounced_at is not None:
        return None
    data = {"subject": subject, "text": text, "link": link, "link_label": link_label}
    with transaction():
        stored = {"files": [asdict(file) for file in files]} if files else {}
        return next(iter(queue(LETTER, [user], ticket=ticket, data={**data, **stored})), None)


def files_of(delivery: Delivery) -> list[StoredFile]:
    """The files that go out with a letter."""
    return [StoredFile(**file) for file in delivery.data.get("files", ())]


def letters_with_files() -> list[Delivery]:
    """The letters that may still be sent, of which some have files. One query."""
    query = select(Delivery).where(Delivery.state.in_((WAITING, *AT_REST)), Delivery.kind == LETTER)
    return list(db.session.scalars(query))


def takes_care(user: User) -> bool:
    """Whether care mail may be sent to a person."""
    return user.active and user.care_mail and user.bounced_at is None


def stop_care(user: User) -> None:
    """The person wants no more care mail; what waits is not sent. Once is enough. Joins or opens the transaction."""
    with transaction():
        user.care_mail = False


def take_back(kind: str, user: User) -> None:
    """Do not send what waits of a kind for a person. Joins the open transaction."""
    mine = (Delivery.kind == kind, Delivery.user_id == user.id, Delivery.state == WAITING)
    db.session.execute(update(Delivery).where(*mine).values(state=CANCELLED, next_at=None))


def queue(
    kind: str,
    people: Iterable[User],
    *,
    ticket: Ticket | None = None,
    message: Message | None = None,
    data: dict[str, Any] | None = None,
) -> list[Delivery]:
    """Write one delivery per person with an address, and ask a worker to send it. Joins the open transaction."""
    return alone(queueing(kind, people, ticket=ticket, message=message, data=data))


def queueing(
    kind: str,
    people: Iterable[User],
    *,
    ticket: Ticket | None = None,
    message: Message | None = None,
    data: dict[str, Any] | None = None,
) -> Way[list[Delivery]]:
    """:func:`queue` as a way that may go beside others."""
    # Colleagues are reached by mail, whatever way the customer came; so is who asked for nothing.
    channel = channel_for(None if kind in (AGENT, CARE) else ticket)
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
    if rows:
        yield FLUSH
        yield Ask(_ask_workers, rows)
    return rows


def _ask_workers(every: list[list[Delivery]]) -> list[None]:
    rows = [row for some in every for row in some]
    jobs = ledger.schedule_many(JOB, [{"delivery_id": row.id} for row in rows])
    for row, job in zip(rows, jobs, strict=True):
        row.job_id = job.id
    return [None] * len(every)


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
