"""Take a person out of the tickets: what they wrote, and their name where the history says it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Text, and_, cast, delete, func, or_, select, update

from helpdesk.core import search
from helpdesk.core.events.record import PEOPLE_TOLD, record
from helpdesk.core.extensions import db
from helpdesk.core.mentions import Mentions, in_json
from helpdesk.core.models import (
    Absence,
    Attachment,
    Event,
    Follower,
    Message,
    Promise,
    Shift,
    Ticket,
    TicketField,
    TicketFieldValue,
    TicketMerge,
    TicketRead,
    User,
)
from helpdesk.core.models.field import TEXT
from helpdesk.core.workflow.editing import KIND
from helpdesk.core.workflow.handing_over import REQUESTER

ERASED = "erased"
ASSIGNED = "ticket_assigned"
PROMISED = "promise_made"
_CHUNK = 200


@dataclass(frozen=True)
class Traces:
    """What the tickets have of a person: numbers to show, and the messages and files it is about."""

    tickets: int
    messages: list[int]
    intakes: list[int]
    files: list[str]
    attachments: int


def traces_of(user: User) -> Traces:
    """What :func:`erase_traces` would take out. Reads only."""
    query = select(Message.id, Message.intake_id).join(Ticket, Ticket.id == Message.ticket_id)
    rows = db.session.execute(query.where(_is_own(user))).all()
    messages = [row.id for row in rows]
    files = list(db.session.scalars(select(Attachment.sha256).where(Attachment.message_id.in_(_own(user)))))
    return Traces(
        tickets=db.session.scalar(select(func.count(Ticket.id)).where(Ticket.requester_id == user.id)) or 0,
        messages=messages,
        intakes=[row.intake_id for row in rows if row.intake_id is not None],
        files=sorted(set(files)),
        attachments=len(files),
    )


def erase_traces(
    user: User, actor: User | None, instead: str, others: tuple[tuple[str | None, str], ...] = ()
) -> Traces:
    """Blank the texts of a person's messages, drop their files, and call them ``instead`` in the history.

    Subjects and texts in fields of the tickets that they asked for go as well; those tickets get a
    ``ticket_updated`` with the field "erased". ``others`` are addresses and names of records that were merged into the
    person's: what is written on the tickets may say those. What members of staff wrote to others stays: it is the
    desk's word. Joins the open transaction; the permission is the caller's matter.
    """
    found, own = traces_of(user), _own(user)
    db.session.execute(delete(Attachment).where(Attachment.message_id.in_(own)))
    blank = {"text": _("(erased)"), "html": "", "quoted": "", "external_id": None}
    ids = select(own.subquery().c.id)
    db.session.execute(update(Message).where(Message.id.in_(ids)).values(blank).execution_options(**_FETCH))
    asked = select(Ticket.id).where(Ticket.requester_id == user.id)
    words = update(Promise).where(Promise.ticket_id.in_(asked), Promise.words != "").values(words="")
    db.session.execute(words.execution_options(**_FETCH))
    texts = select(TicketField.id).where(TicketField.kind == TEXT)
    values = delete(TicketFieldValue).where(TicketFieldValue.ticket_id.in_(asked), TicketFieldValue.field_id.in_(texts))
    db.session.execute(values.execution_options(**_FETCH))
    db.session.execute(delete(Follower).where(Follower.user_id == user.id))
    db.session.execute(delete(Shift).where(Shift.user_id == user.id))
    db.session.execute(delete(Absence).where(Absence.user_id == user.id))
    db.session.execute(delete(TicketRead).where(TicketRead.user_id == user.id))
    if not user.is_staff:
        last = update(Ticket).where(Ticket.last_author_id == user.id)
        db.session.execute(last.values(snippet="").execution_options(**_FETCH))
    mentions = Mentions(user.email, user.name, instead, others)
    _rewrite_history(user, mentions)
    _rewrite_answers(user, mentions)
    _forget_notices(user, asked)
    for ticket in _tickets(user):
        ticket.subject = _("(erased)")
        ticket.snippet = "" if ticket.last_author_id == user.id else mentions.without(ticket.snippet)
        # Its place in lists stays: nothing has happened that somebody must look at.
        ticket.version += 1
        record(KIND, ticket, actor, {"field": ERASED})
    # What others wrote there is read anew as well.
    search.forget("message", select(Message.id).where(or_(Message.id.in_(ids), Message.ticket_id.in_(asked))))
    search.forget("ticket", asked)
    return found


_FETCH: dict[str, Any] = {"synchronize_session": "fetch"}


def _forget_notices(user: User, asked: Any) -> None:
    """What plugins told staff in their own words: on the person's tickets, and wherever it names them."""
    named = [Event.ticket_id.in_(asked), *([in_json(Event.data, user.name)] if user.name else [])]
    told = update(Event).where(Event.kind == PEOPLE_TOLD, or_(*named)).values(data={})
    db.session.execute(told.execution_options(**_FETCH))


def _is_own(user: User) -> ColumnElement[bool]:
    """Messages that are the person's own: a customer's all, of staff those on tickets that they asked for."""
    mine = Message.author_id == user.id
    return and_(mine, Ticket.requester_id == user.id) if user.is_staff else mine


def _own(user: User) -> Any:
    return select(Message.id).join(Ticket, Ticket.id == Message.ticket_id).where(_is_own(user))


def _tickets(user: User) -> Iterator[Ticket]:
    last = 0
    while True:
        query = select(Ticket).where(Ticket.requester_id == user.id, Ticket.id > last).order_by(Ticket.id)
        rows = list(db.session.scalars(query.limit(_CHUNK).with_for_update(of=Ticket)))
        if not rows:
            return
        yield from rows
        last = rows[-1].id


# ---- where others name the person


def _rewrite_answers(user: User, mentions: Mentions) -> None:
    """What others wrote on the person's tickets stays without address and whole name, and without what it quotes."""
    asked = select(Ticket.id).where(Ticket.requester_id == user.id)
    # What was written on a ticket of theirs is theirs, too, where it was merged into somebody else's.
    brought = select(TicketMerge.id).where(TicketMerge.merged_id.in_(asked), TicketMerge.undone_at.is_(None))
    theirs = or_(Message.ticket_id.in_(asked), Message.merge_id.in_(brought))
    quotes = update(Message).where(theirs, Message.quoted != "").values(quoted="")
    db.session.execute(quotes.execution_options(**_FETCH))
    last = 0
    while True:
        # The person's own are blank by now. Databases do not agree on capital letters, so all others are read.
        others = or_(Message.author_id != user.id, Message.author_id.is_(None))
        query = select(Message).where(theirs, Message.id > last, others).order_by(Message.id)
        rows = list(db.session.scalars(query.limit(_CHUNK)))
        if not rows:
            return
        for row in rows:
            row.text, row.html = mentions.without(row.text), mentions.without_in_html(row.html)
        last = rows[-1].id
        db.session.flush()


def _rewrite_history(user: User, mentions: Mentions) -> None:
    """The address goes wherever it stands; the name only where an event says that it is a person's name."""
    asked = select(Ticket.id).where(Ticket.requester_id == user.id)
    data = cast(Event.data, Text)
    followed = and_(data.contains('"followers"'), in_json(Event.data, user.display_name))
    numbers = [f'"{key}": {user.id}{end}' for key in ("from", "to") for end in ",}"]
    handed = [f'"{key}_id": {user.id}{end}' for key in ("from", "to") for end in ",}"]
    found = or_(
        and_(Event.kind == KIND, or_(*(data.contains(number) for number in handed))),
        and_(Event.kind == PROMISED, Event.ticket_id.in_(asked)),
        and_(Event.kind == KIND, or_(Event.ticket_id.in_(asked), followed)),
        and_(Event.kind == ASSIGNED, or_(*(data.contains(number) for number in numbers))),
        *([in_json(Event.data, user.email)] if user.email else []),
    )
    alone, last = _has_no_namesake(user), 0
    while True:
        query = select(Event, Ticket.requester_id).outerjoin(Ticket, Ticket.id == Event.ticket_id)
        rows = db.session.execute(query.where(Event.id > last, found).order_by(Event.id).limit(_CHUNK)).all()
        if not rows:
            return
        for event, requester_id in rows:
            told = _without_texts(event.data) if requester_id == user.id else event.data
            event.data = mentions.without_address(_without_name(event.kind, told, user, mentions.instead, alone))
        last = rows[-1][0].id
        db.session.flush()


def _has_no_namesake(user: User) -> bool:
    other = select(User.id).where(User.name == user.name, User.id != user.id).limit(1)
    return db.session.scalar(other) is None


def _without_texts(data: dict[str, Any]) -> dict[str, Any]:
    """What a field or the subject was and became says what the person wrote; what was promised, what it is about."""
    if data.get("words"):
        return {**data, "words": ""}
    kind = str(data.get("field", ""))
    if kind != "subject" and not kind.startswith("field:"):
        return data
    return {**data, **{key: _("(erased)") for key in ("from", "to") if data.get(key) is not None}}


def _without_name(kind: str, data: dict[str, Any], user: User, instead: str, alone: bool) -> dict[str, Any]:
    """Who was responsible, by number; who followed, by name: left when somebody else has the same."""
    if kind == ASSIGNED:
        return {**data, **{f"{key}_name": instead for key in ("from", "to") if data.get(key) == user.id}}
    if kind == KIND and data.get("field") == REQUESTER:
        return {**data, **{key: instead for key in ("from", "to") if data.get(f"{key}_id") == user.id}}
    if kind != KIND or data.get("field") != "followers" or not alone:
        return data
    return {**data, **{key: instead for key in ("from", "to") if data.get(key) == user.display_name}}
