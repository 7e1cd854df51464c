"""Tells a story through the workflow's verbs, then sets its rows back to when it would have happened.

Only samples may set rows back: their tickets are said to be samples, and no real one ever goes through here.
"""

import struct
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, select, update

from helpdesk.core import accounts, files, workflow
from helpdesk.core.clock import now
from helpdesk.core.deliveries import JOB as DELIVER
from helpdesk.core.drafts import MessageDraft, StoredFile, TicketDraft
from helpdesk.core.events.record import NEWS, NOTIFY
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Event, Follower, Job, Message, NotificationCursor, Team, Ticket, User
from helpdesk.core.models.delivery import SENT, WAITING
from helpdesk.core.samples.story import CUSTOMER, Line, Picture, Story
from helpdesk.core.transaction import transaction

_WIDTH, _HEIGHT = 64, 48


def tell(story: Story, cast: Mapping[str, User], team: Team | None, latest: datetime) -> Ticket:
    """Make one ticket with all that happened to it, nothing later than ``latest``. Opens a transaction.

    ``cast`` are the members of staff by the keys that the story uses. Raises what the verbs raise; nothing is
    written then.
    """
    pictures = {picture: _draw(picture) for picture in _pictures(story)}
    with transaction():
        before = db.session.scalar(select(func.max(Event.id))) or 0
        requester = accounts.requester_for(story.email, story.name, story.locale)
        moment = min(latest, now() - timedelta(days=story.days))
        _set_back_person(requester, moment)
        ticket = workflow.open_ticket(_draft(story, requester, team, pictures), None)
        _set_back(ticket, moment, latest)
        for key in story.followers:
            workflow.follow(ticket, cast[key], None)
            _set_back(ticket, moment, latest)
        if story.assignee is not None:
            agent = cast[story.assignee]
            workflow.assign(ticket, agent, agent)
            _set_back(ticket, min(latest, moment + timedelta(hours=story.taken_after)), latest)
        for line in story.lines:
            moment = min(latest, moment + timedelta(hours=line.hours))
            _tell_line(ticket, line, requester if line.who == CUSTOMER else cast[line.who], pictures)
            _set_back(ticket, moment, latest)
        _pass_over(ticket, before)
    return ticket


def hush() -> None:
    """Take back the job that would tell people of the samples, unless something real is to be told. One transaction."""
    with transaction():
        if not _is_news_after(_cursor().event_id):
            db.session.execute(delete(Job).where(Job.name == NOTIFY, Job.state == "waiting"))


def _draft(story: Story, requester: User, team: Team | None, pictures: Mapping[Picture, StoredFile]) -> TicketDraft:
    return TicketDraft(
        subject=story.subject,
        requester_id=requester.id,
        text=story.text,
        files=[pictures[picture] for picture in story.files],
        channel=story.channel,
        team_id=team.id if team is not None else None,
        priority=story.priority,
        tags=list(story.tags),
        fields=dict(story.fields),
        locale=story.locale,
    )


def _tell_line(ticket: Ticket, line: Line, who: User, pictures: Mapping[Picture, StoredFile]) -> None:
    if not line.text:
        workflow.set_status(ticket, line.status or "", who)
        return
    verb = workflow.note if line.note else workflow.reply
    attached = [pictures[picture] for picture in line.files]
    verb(ticket, MessageDraft(text=line.text, files=attached, status=line.status, channel=ticket.channel), who)


def _set_back(ticket: Ticket, moment: datetime, latest: datetime) -> None:
    """Give ``moment`` to what was written just now (after ``latest``), and let nothing of it be sent."""
    db.session.flush()
    deliveries = db.session.scalars(
        select(Delivery).where(Delivery.ticket_id == ticket.id, Delivery.state == WAITING)
    ).all()
    for delivery in deliveries:
        delivery.state, delivery.created_at, delivery.sent_at = SENT, moment, moment
    _forget_jobs({delivery.id for delivery in deliveries})
    fresh: Any
    for fresh in (Event, Message):
        db.session.execute(
            update(fresh).where(fresh.ticket_id == ticket.id, fresh.created_at > latest).values(created_at=moment)
        )
    db.session.execute(
        update(Follower).where(Follower.ticket_id == ticket.id, Follower.since > latest).values(since=moment)
    )
    for name in ("created_at", "updated_at", "last_message_at", "first_response_at", "solved_at", "closed_at"):
        written: datetime | None = getattr(ticket, name)
        if written is not None and written > latest:
            setattr(ticket, name, moment)
    db.session.flush()


def _forget_jobs(deliveries: set[int]) -> None:
    waiting = db.session.execute(select(Job.id, Job.args).where(Job.name == DELIVER, Job.state == "waiting"))
    ids = [job_id for job_id, args in waiting if args.get("delivery_id") in deliveries]
    if ids:
        db.session.execute(delete(Job).where(Job.id.in_(ids)))


def _pass_over(ticket: Ticket, before: int) -> None:
    """Tell nobody of a sample. Where real events up to ``before`` still wait, all are told: none may be lost."""
    place = _cursor()
    if not _is_news_after(place.event_id, before):
        place.event_id = db.session.scalars(select(func.max(Event.id)).where(Event.ticket_id == ticket.id)).one()


def _cursor() -> NotificationCursor:
    place = db.session.get(NotificationCursor, 1, with_for_update=True)
    if place is None:
        place = NotificationCursor(id=1, event_id=0)
        db.session.add(place)
    return place


def _is_news_after(number: int, until: int | None = None) -> bool:
    query = select(Event.id).where(Event.id > number, Event.kind.in_(NEWS)).limit(1)
    return db.session.scalar(query if until is None else query.where(Event.id <= until)) is not None


def _set_back_person(person: User, moment: datetime) -> None:
    person.created_at = min(person.created_at, moment)


def _pictures(story: Story) -> list[Picture]:
    return [*story.files, *(picture for line in story.lines for picture in line.files)]


def _draw(picture: Picture) -> StoredFile:
    """A small PNG (ISO/IEC 15948): a tint that gets lighter from top to bottom, with a dark ring for a wheel."""
    rows = bytearray()
    for y in range(_HEIGHT):
        rows.append(0)
        for x in range(_WIDTH):
            ring = 14 <= ((x - _WIDTH / 2) ** 2 + (y - _HEIGHT / 2) ** 2) ** 0.5 <= 18
            light = 40 if ring else 100 + y * 2
            rows += bytes(min(255, tone * light // 100) for tone in picture.tint)
    head = struct.pack(">IIBBBBB", _WIDTH, _HEIGHT, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")
    return files.store_bytes(b"\x89PNG\r\n\x1a\n" + body, picture.name, "image/png")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
