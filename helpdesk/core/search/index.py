"""Keeps the index of the search up to date.

Whoever writes leaves a mark in the transaction of the change (``search_due``); a worker that looks for jobs reads what
is marked a moment later and takes the texts apart outside of the writer's lock. So a mail with a megabyte of text costs
its sender and everybody else no more than a row, and a change that is undone leaves nothing. What is deleted leaves the
index in its own transaction, by the keys of the tables.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from time import monotonic
from typing import Any

from flask_sqlalchemy.session import Session
from sqlalchemy import Select, delete, event, func, insert, inspect, literal, select, text

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import (
    Attachment,
    Message,
    SearchDue,
    SearchMessage,
    SearchPerson,
    SearchTicket,
    Ticket,
    User,
)
from helpdesk.core.models.search import MESSAGE, PERSON, TICKET
from helpdesk.core.search.words import MOST, words_of
from helpdesk.core.transaction import after_commit, before_commit, count_rows, in_transaction, transaction

log = logging.getLogger(__name__)

# Characters of a message that are read. More than MOST words seldom stand in them.
TEXT_LENGTH = 200_000
_BATCH = 200
# Seconds that a worker reads before it looks for jobs again.
_LONGEST = 0.5
ROWS: Mapping[str, Any] = {TICKET: SearchTicket, MESSAGE: SearchMessage, PERSON: SearchPerson}
OWNERS: Mapping[str, Any] = {TICKET: Ticket, MESSAGE: Message, PERSON: User}
# Columns whose change is a change of what is found.
_OF_TICKET, _OF_MESSAGE, _OF_PERSON = ("subject", "requester_id"), ("text", "ticket_id"), ("name", "email", "phone")


# ---- marks


def mark(kind: str, target_ids: Iterable[int]) -> None:
    """Say that tickets, messages or people (their ids) are to be read anew. Joins the open transaction.

    What the ORM writes marks itself; this is for what is changed by statements.
    """
    rows = [{"kind": kind, "target_id": number} for number in target_ids]
    if rows:
        db.session.execute(insert(SearchDue), rows)
        before_commit(_ask)


def mark_messages(which: Select[Any]) -> None:
    """:func:`mark` for the messages whose ids a query gives. Joins the open transaction."""
    _mark_all(MESSAGE, which)


def mark_tickets(which: Select[Any]) -> None:
    """:func:`mark` for the tickets whose ids a query gives. Joins the open transaction."""
    _mark_all(TICKET, which)


def mark_people(which: Select[Any]) -> None:
    """:func:`mark` for the people whose ids a query gives. Joins the open transaction."""
    _mark_all(PERSON, which)


def _mark_all(kind: str, which: Select[Any]) -> None:
    found = which.subquery()
    db.session.execute(insert(SearchDue).from_select(["kind", "target_id"], select(literal(kind), next(iter(found.c)))))
    before_commit(_ask)


def forget(kind: str, which: Select[Any]) -> None:
    """Take what a query names out of the index now, and mark it: for texts that are to be gone at once.

    Joins the open transaction.
    """
    rows = ROWS[kind]
    db.session.execute(delete(rows).where(rows.id.in_(which)).execution_options(synchronize_session=False))
    _mark_all(kind, which)


def _ask() -> None:
    after_commit(_wake)


def _wake() -> None:
    ledger.nudge(now())


@event.listens_for(Session, "after_flush")
def _mark_written(session: Session, _context: Any) -> None:
    """Mark what the ORM has just written."""
    due = {
        mark
        for objects, is_new in ((session.new, True), (session.dirty, False), (session.deleted, True))
        for one in objects
        for mark in _marks_of(one, is_new)
    }
    if not due:
        return
    connection = session.connection()
    connection.execute(insert(SearchDue), [{"kind": kind, "target_id": target} for kind, target in sorted(due)])
    if people := [target for kind, target in due if kind == PERSON]:
        # Their tickets are found by their names.
        theirs = select(literal(TICKET), Ticket.id).where(Ticket.requester_id.in_(people))
        connection.execute(insert(SearchDue).from_select(["kind", "target_id"], theirs))
    if in_transaction():
        before_commit(_ask)


def _marks_of(one: Any, is_new: bool) -> list[tuple[str, int]]:
    if isinstance(one, Ticket):
        return [(TICKET, one.id)] if is_new or _has_changed(one, _OF_TICKET) else []
    if isinstance(one, Message):
        return [(MESSAGE, one.id)] if is_new or _has_changed(one, _OF_MESSAGE) else []
    if isinstance(one, Attachment):
        return [(MESSAGE, one.message_id)] if one.message_id is not None else []
    if isinstance(one, User):
        return [(PERSON, one.id)] if is_new or _has_changed(one, _OF_PERSON) else []
    return []


def _has_changed(one: Any, names: Sequence[str]) -> bool:
    attributes = inspect(one).attrs
    return any(attributes[name].history.has_changes() for name in names)


# ---- reading


class _Overtaken(Exception):
    """Another worker reads the same; what it has read may be newer."""


def look() -> bool:
    """Read what is marked, the newest first, for half a second; answer whether more is left. Outside transactions.

    A worker is woken for the rest.
    """
    deadline = monotonic() + _LONGEST
    while read_some():
        if monotonic() > deadline:
            ledger.nudge(now())
            return True
    return False


def read_some(limit: int = _BATCH) -> int:
    """Read up to ``limit`` marks and bring the index up to date; answer how many. A transaction of its own.

    Of two workers that read the same, the later one writes nothing: what it has read may be older.
    """
    query = select(SearchDue.id, SearchDue.kind, SearchDue.target_id).order_by(SearchDue.id.desc()).limit(limit)
    due = db.session.execute(query).all()
    if not due:
        return 0
    form = _vector if db.engine.dialect.name == "postgresql" else " ".join
    read = {
        # Not kept as lists, which take many times the room.
        kind: {
            number: form(words) for number, words in _READERS[kind]([row.target_id for row in due if row.kind == kind])
        }
        for kind in {row.kind for row in due} & _READERS.keys()
    }
    db.session.rollback()
    try:
        with transaction():
            if count_rows(delete(SearchDue).where(SearchDue.id.in_([row.id for row in due]))) != len(due):
                raise _Overtaken
            for kind, words in read.items():
                _write(kind, {row.target_id for row in due if row.kind == kind}, words)
    except _Overtaken:
        log.info("Another worker keeps the search up to date as well.")
    return len(due)


def _write(kind: str, targets: set[int], words: Mapping[int, str]) -> None:
    rows = ROWS[kind]
    # Their words go with them.
    db.session.execute(delete(rows).where(rows.id.in_(targets)).execution_options(synchronize_session=False))
    if not words:
        return
    # Only what is there now: it may have been deleted since it was read.
    owner = OWNERS[kind]
    names = ["id", "ticket_id"] if kind == MESSAGE else ["id"]
    there = select(*(getattr(owner, name) for name in names)).where(owner.id.in_(words))
    db.session.execute(insert(rows).from_select(names, there))
    kept = db.session.scalars(select(rows.id).where(rows.id.in_(words)).order_by(rows.id)).all()
    if not kept:
        return
    key, value = ("id", "CAST(:words AS tsvector)") if db.engine.dialect.name == "postgresql" else ("rowid", ":words")
    # Plain values: before each INSERT ... SELECT, FTS5 writes out what it has gathered, which takes ten times as long.
    statement = text(f"INSERT INTO search_{kind}_words ({key}, words) VALUES (:id, {value})")  # nosec B608 # our own names
    db.session.execute(statement, [{"id": number, "words": words[number]} for number in kept])


def _vector(words: Sequence[str]) -> str:
    """Words as PostgreSQL reads a tsvector; they hold letters, digits and marks only."""
    places: dict[str, list[int]] = {}
    for place, word in enumerate(words, 1):
        found = places.setdefault(word, [])
        # More of them are not kept.
        if len(found) < 255:
            found.append(place)
    return " ".join(f"'{word}':{','.join(map(str, found))}" for word, found in places.items())


def _of_tickets(ids: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    query = select(Ticket.id, Ticket.subject, User.name, User.email).join(Ticket.requester).where(Ticket.id.in_(ids))
    for row in db.session.execute(query):
        yield row.id, words_of(f"{row.subject} | {row.name} | {row.email or ''}")


def _of_messages(ids: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    files: dict[int, list[str]] = {}
    named = select(Attachment.message_id, Attachment.name).where(Attachment.message_id.in_(ids)).order_by(Attachment.id)
    for number, name in db.session.execute(named):
        files.setdefault(number, []).append(name)
    query = select(Message.id, func.substr(Message.text, 1, TEXT_LENGTH)).where(Message.id.in_(ids))
    for number, words in db.session.execute(query):
        # Names of files first: long texts are cut.
        yield number, (words_of(" | ".join(files.get(number, ()))) + words_of(words))[:MOST]


def _of_people(ids: Sequence[int]) -> Iterator[tuple[int, list[str]]]:
    query = select(User.id, User.name, User.email, User.phone, User.phone_key)
    # A merged record is found no more: the one that it went into is.
    whole = (User.is_service.is_(False), User.merged_into_id.is_(None))
    for row in db.session.execute(query.where(User.id.in_(ids), *whole)):
        yield row.id, words_of(" | ".join(part for part in (row.name, row.email, row.phone, row.phone_key) if part))


_READERS = {TICKET: _of_tickets, MESSAGE: _of_messages, PERSON: _of_people}
