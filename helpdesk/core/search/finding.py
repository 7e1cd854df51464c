"""Finds tickets and people in the index."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, false, func, select
from sqlalchemy.orm import joinedload

from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Message, SearchMessage, Ticket, User
from helpdesk.core.models.search import MESSAGE, TICKET
from helpdesk.core.permissions import allowed, visible_tickets
from helpdesk.core.search import conditions
from helpdesk.core.search.marking import Part, around, marked
from helpdesk.core.search.matching import (
    MOST_NAMES,
    MOST_PLACES,
    beginnings,
    matching,
    people_criterion,
    tickets_with,
    tickets_with_all,
)
from helpdesk.core.search.query import Query, Term, parse

# Characters of a message in which its words are marked.
_MARKED_LENGTH = 20_000


def ticket_ids_criterion(text: str, user: User) -> ColumnElement[bool]:
    """The tickets that a search finds, as ``user`` reads it ("me", "today"). Goes on top of ``visible_tickets``.

    All words must stand in the ticket (its subject, who asks, its messages and names of files), all in one message or
    some here, some there. Of a word that stands in more than :data:`MOST_PLACES` messages the newest count. An empty
    search finds nothing. Notes are searched as well: for members of staff only. One query at most, for names.
    """
    return criterion_of(parse(text), user)


def criterion_of(query: Query, user: User) -> ColumnElement[bool]:
    """:func:`ticket_ids_criterion` of a search that has been read."""
    if query.is_empty or not user.is_staff:
        return false()
    found: list[ColumnElement[bool]] = [conditions.criterion(one, user) for one in query.conditions]
    if query.terms:
        found.append(Ticket.id.in_(tickets_with_all(query.terms)))
    found += [Ticket.id.not_in(tickets_with([term], None)) for term in query.without]
    return and_(*found)


def people_found(text: str, user: User, limit: int = 5) -> list[User]:
    """People by a part of their name, address or telephone number; none unless ``user`` may see people. One query."""
    criterion = people_criterion(text)
    if criterion is None or not allowed(user, "person.read"):
        return []
    query = select(User).where(criterion, User.active).options(joinedload(User.organization))
    return list(db.session.scalars(query.order_by(User.id.desc()).limit(limit)))


def tickets_named(text: str, user: User, limit: int = 6) -> list[Ticket]:
    """Tickets by their number, or by words of their subject and of who asks, the last being typed. One query each."""
    found: list[Ticket] = []
    options = [joinedload(Ticket.status), joinedload(Ticket.requester).load_only(User.name, User.email)]
    digits = text.strip().removeprefix("#")
    if digits.isascii() and digits.isdigit() and 0 < len(digits) < 19:
        found += db.session.scalars(visible_tickets(user).where(Ticket.id == int(digits)).options(*options))
    if terms := beginnings(text):
        named = visible_tickets(user).where(Ticket.id.in_(matching(TICKET, terms, MOST_NAMES)))
        named = named.where(Ticket.merged_into_id.is_(None)).order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        found += [one for one in db.session.scalars(named.options(*options).limit(limit)) if one not in found]
    return found[:limit]


# ---- excerpts


@dataclass(frozen=True)
class Excerpt:
    """Where the words stand in a message of a ticket."""

    message_id: int
    parts: Sequence[Part]
    author: User | None
    is_note: bool
    at: datetime
    # Names of files that have the words.
    files: Sequence[Sequence[Part]] = ()


def excerpts_of(query: Query, ticket_ids: Iterable[int]) -> dict[int, Excerpt]:
    """The newest message of each ticket that has one of the words, cut and marked, by the ticket. At most two queries.

    The tickets must be those that the reader may see.
    """
    ids = list(ticket_ids)
    if not ids or not query.terms:
        return {}
    places = matching(MESSAGE, query.terms, MOST_PLACES, any_of_them=True).subquery()
    newest = (
        select(func.max(SearchMessage.id))
        .join(places, places.c.id == SearchMessage.id)
        .where(SearchMessage.ticket_id.in_(ids))
        .group_by(SearchMessage.ticket_id)
    )
    wanted = (
        select(
            Message.id,
            Message.ticket_id,
            Message.visibility,
            Message.created_at,
            func.substr(Message.text, 1, _MARKED_LENGTH).label("text"),
            User,
        )
        .outerjoin(User, User.id == Message.author_id)
        .where(Message.id.in_(newest))
    )
    rows = db.session.execute(wanted).all()
    texts = {row.id: around(row.text, query.terms) for row in rows}
    files = _files([number for number, parts in texts.items() if not any(part.marked for part in parts)], query.terms)
    return {
        row.ticket_id: Excerpt(
            row.id, texts[row.id], row.User, row.visibility == "internal", row.created_at, files.get(row.id, ())
        )
        for row in rows
    }


def _files(message_ids: Sequence[int], terms: Sequence[Term]) -> dict[int, list[Sequence[Part]]]:
    found: dict[int, list[Sequence[Part]]] = {}
    if not message_ids:
        return found
    query = select(Attachment.message_id, Attachment.name).where(Attachment.message_id.in_(message_ids))
    for number, name in db.session.execute(query.order_by(Attachment.id)):
        parts = marked(name, terms)
        if any(part.marked for part in parts):
            found.setdefault(number, []).append(parts)
    return found
