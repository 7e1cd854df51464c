"""What people see of merges: which tickets may be one, what went into a ticket, and by which way back."""

import re
from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import case, or_, select
from sqlalchemy.orm import joinedload

from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, TicketLink, TicketMerge, User
from helpdesk.core.models.ticket import CLOSED, UNSOLVED
from helpdesk.core.permissions import ticket_criterion, visible_tickets

SUGGESTED = 8
# Of so many of a person's newest tickets the subjects are compared.
_COMPARED = 30
# Share of the shorter subject's words that the longer one has as well.
_ALIKE = 0.6
_ANSWERS = re.compile(r"^\s*(?:(?:re|fwd?|aw|wg|sv|antw|回复|转发|答复)\s*[:：]\s*)+", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+")


def alike(subject: str, other: str) -> bool:
    """Whether two subjects may be about the same: most words of the shorter one stand in the other. No query."""
    return _alike(_words(subject), _words(other))


def looks_like(ticket: Ticket, other: Ticket) -> bool:
    """Whether another ticket is open and its subject is like this one's. No query."""
    open_still = other.category in UNSOLVED and other.merged_into_id is None
    return open_still and alike(ticket.subject, other.subject)


def suggestions(ticket: Ticket, user: User, text: str = "") -> list[Ticket]:
    """Tickets that ``ticket`` may be merged with: those of the same person, the likeliest first; or by number or words.

    A number ("123", "#123") finds that ticket whoever asked. Words are looked for in subjects of the same person.
    """
    number = text.strip().removeprefix("#")
    if number.isascii() and number.isdecimal() and len(number) < 19:
        query = visible_tickets(user).where(Ticket.id == int(number), Ticket.id != ticket.id)
        return list(db.session.scalars(query.where(Ticket.merged_into_id.is_(None)).options(*_SHOWN)))
    wanted = _words(text or ticket.subject)
    found = _open_tickets(ticket.requester_id, user, ticket)
    if text.strip():
        return [other for other in found if wanted <= _words(other.subject)][:SUGGESTED]
    return sorted(found, key=lambda other: not _alike(wanted, _words(other.subject)))[:SUGGESTED]


def chosen(numbers: Collection[int], user: User) -> list[Ticket]:
    """The tickets of these numbers that ``user`` may see, the oldest first, without what went into another."""
    query = visible_tickets(user).where(Ticket.id.in_(numbers), Ticket.merged_into_id.is_(None)).options(*_SHOWN)
    return list(db.session.scalars(query.order_by(Ticket.created_at, Ticket.id)))


def best_survivor(tickets: Sequence[Ticket]) -> Ticket | None:
    """In which of them the others go on, unless somebody chooses: the oldest that is not closed."""
    return next((ticket for ticket in tickets if ticket.category != CLOSED), None)


def merged_here(ticket: Ticket, user: User) -> Sequence[TicketMerge]:
    """The merges that took others into this ticket and can be undone, as far as ``user`` may see those; newest first.

    One query.
    """
    query = select(TicketMerge).where(TicketMerge.survivor_id == ticket.id, TicketMerge.undone_at.is_(None))
    if (criterion := ticket_criterion(user)) is not None:
        query = query.where(TicketMerge.merged_id.in_(select(Ticket.id).where(criterion)))
    loaded = (joinedload(TicketMerge.merged).joinedload(Ticket.requester), joinedload(TicketMerge.actor))
    return db.session.scalars(query.options(*loaded).order_by(TicketMerge.id.desc()).limit(100)).all()


def merge_of(ticket: Ticket) -> TicketMerge | None:
    """The merge by which a ticket went into another, or None."""
    query = select(TicketMerge).where(TicketMerge.merged_id == ticket.id, TicketMerge.undone_at.is_(None))
    loaded = (joinedload(TicketMerge.survivor), joinedload(TicketMerge.actor))
    return db.session.scalar(query.options(*loaded).order_by(TicketMerge.id.desc()).limit(1))


def links_of(ticket: Ticket, user: User) -> list[tuple[TicketLink, Ticket]]:
    """The links of a ticket with the other one of each, as far as ``user`` may see that. One query."""
    other = case((TicketLink.ticket_id == ticket.id, TicketLink.other_id), else_=TicketLink.ticket_id)
    query = select(TicketLink, Ticket).join(Ticket, Ticket.id == other).options(joinedload(Ticket.status))
    query = query.where(or_(TicketLink.ticket_id == ticket.id, TicketLink.other_id == ticket.id))
    if (criterion := ticket_criterion(user)) is not None:
        query = query.where(criterion)
    return [(link, found) for link, found in db.session.execute(query.order_by(TicketLink.id).limit(100))]


def seen_by(user: User, numbers: Collection[int]) -> set[int]:
    """Which of the tickets of these numbers ``user`` may see. No query without any."""
    if not numbers:
        return set()
    return set(db.session.scalars(visible_tickets(user).where(Ticket.id.in_(numbers)).with_only_columns(Ticket.id)))


def origins(merge_ids: Collection[int], user: User) -> Mapping[int, int]:
    """From which ticket each of these merges brought its messages, of those that ``user`` sees. One query at most."""
    if not merge_ids:
        return {}
    query = select(TicketMerge.id, TicketMerge.merged_id).where(TicketMerge.id.in_(merge_ids))
    if (criterion := ticket_criterion(user)) is not None:
        query = query.where(TicketMerge.merged_id.in_(select(Ticket.id).where(criterion)))
    rows = db.session.execute(query)
    return {number: merged for number, merged in rows}


_SHOWN = (joinedload(Ticket.status), joinedload(Ticket.requester), joinedload(Ticket.assignee), joinedload(Ticket.team))


def _open_tickets(requester_id: int, user: User, but: Ticket | None) -> Sequence[Ticket]:
    query = visible_tickets(user).where(
        Ticket.requester_id == requester_id,
        Ticket.category.in_(UNSOLVED),
        Ticket.merged_into_id.is_(None),
    )
    if but is not None:
        query = query.where(Ticket.id != but.id)
    return db.session.scalars(
        query.options(*_SHOWN).order_by(Ticket.updated_at.desc(), Ticket.id.desc()).limit(_COMPARED)
    ).all()


def _words(text: str) -> frozenset[str]:
    """Words without case; of scripts that write no spaces, each two characters that stand together."""
    line = _ANSWERS.sub("", text).casefold()
    pairs = [run[start : start + 2] for run in _CJK.findall(line) for start in range(max(1, len(run) - 1))]
    return frozenset([*_WORD.findall(_CJK.sub(" ", line)), *pairs])


def _alike(one: frozenset[str], other: frozenset[str]) -> bool:
    shorter = min(len(one), len(other))
    return shorter > 0 and len(one & other) >= _ALIKE * shorter
