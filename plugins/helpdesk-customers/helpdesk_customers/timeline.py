"""Every contact with a customer in one line, page by page: tickets, messages, calls, orders, consents, and what other
plugins put in.

A page is a keyset: each source is asked for what comes behind one place, by moment, kind and number, and for no more
rows than a page has. So a page costs the same however long the line is, and nothing stands on two pages.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, exists, or_, select, true
from sqlalchemy.orm import aliased, joinedload, selectinload

from helpdesk.api import Message, Organization, Ticket, User, collect, db, ngettext, pgettext, snippet, visible_tickets
from helpdesk.api import gettext as _
from helpdesk_customers.consents import purposes
from helpdesk_customers.models import GIVEN, Consent, Order
from helpdesk_customers.money import show_amount
from helpdesk_customers.subjects import Subject, is_of

TICKET, MESSAGE, CALL, ORDER, CONSENT, OTHER = "ticket", "message", "call", "order", "consent", "other"
OWN = (TICKET, MESSAGE, CALL, ORDER, CONSENT)
SIZE, LONGEST = 20, 200
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_CURSOR = re.compile(r"(-?[0-9]{1,17})-([a-z][a-z0-9_]{0,39})-([0-9]{1,18})")


@dataclass(frozen=True)
class Place:
    """Where a page begins: behind the entry of this moment, kind and number."""

    at: datetime
    kind: str
    number: int


@dataclass(frozen=True)
class Entry:
    """One thing that happened. ``kind`` and ``id`` together are its own; ``url`` leads to it, "" nowhere."""

    kind: str
    id: int
    at: datetime
    title: str
    text: str = ""
    url: str = ""
    icon: str = ""
    tone: str = ""
    by: str = ""
    # The number of the ticket that it belongs to.
    ticket: int | None = None

    @property
    def order(self) -> tuple[datetime, str, int]:
        """By this the line is sorted, the newest first."""
        return self.at, self.kind, self.id


class Asked:
    """One page that is asked for; sources put their entries into it."""

    def __init__(
        self,
        person_ids: Sequence[int],
        organization_id: int | None,
        viewer: User,
        place: Place | None,
        limit: int,
        kinds: Sequence[str] = (),
        known: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        self.person_ids = tuple(person_ids)
        self.organization_id = organization_id
        self.viewer = viewer
        self.limit = limit
        self._place = place
        self._kinds = kinds
        self._known = known or {}

    def wants(self, kind: str) -> bool:
        """Whether entries of that kind stand on the page."""
        return not self._kinds or kind in self._kinds

    def behind(self, kind: str, at: Any, number: Any) -> Any:
        """That a row of that kind comes behind the place where the page begins."""
        return _behind(self._place, kind, at, number) if self._place is not None else true()

    def newest(self, kind: str, query: Select[Any], at: Any, number: Any) -> Sequence[Any]:
        """The rows of ``query`` that belong on this page; ``at`` and ``number`` are its columns to sort by.

        One query. The first column of each row, as the database is asked for entities.
        """
        if kind in self._known and self._place is None:
            return self._known[kind][: self.limit + 1]
        query = query.where(self.behind(kind, at, number))
        query = query.order_by(at.desc(), number.desc()).limit(self.limit + 1)
        return db.session.scalars(query).unique().all()

    def entry(self, kind: str, id: int, at: datetime, title: str, **more: Any) -> Entry:
        """An entry of that kind: ``text``, ``url``, ``icon``, ``tone``, ``by``, ``ticket`` say more of it."""
        return Entry(kind, id, at, title, **more)

    def takes(self, entry: Any) -> bool:
        """Whether it is an entry that comes behind the place where the page begins."""
        if not isinstance(entry, Entry):
            return False
        place = self._place
        return place is None or entry.order < (place.at, place.kind, place.number)


@dataclass(frozen=True)
class TimelinePage:
    """Entries, the newest first, and where the next page begins; "" where there is none."""

    entries: Sequence[Entry]
    next_cursor: str = ""


def kinds() -> list[tuple[str, str]]:
    """What a timeline can be narrowed to; what plugins put in is one of them."""
    return [
        (TICKET, _("Tickets")),
        (MESSAGE, _("Messages")),
        (CALL, pgettext("customer", "Calls")),
        (ORDER, _("Orders")),
        (CONSENT, _("Consents")),
        (OTHER, _("Other")),
    ]


def page(
    subject: Subject,
    viewer: User,
    cursor: str = "",
    limit: int = SIZE,
    kinds: Sequence[str] = (),
    known: Mapping[str, Sequence[Any]] | None = None,
) -> TimelinePage:
    """One page of the line of a person or an organization, as far as ``viewer`` may see the tickets.

    ``kinds`` narrows it; nothing is all. Five queries at most, and one of each plugin. A cursor that cannot be read
    begins at the start. ``known`` are the newest orders or consents, one more than ``limit`` if there are as many,
    where the caller has them already.
    """
    limit = max(1, min(limit, LONGEST))
    people = [subject.id] if isinstance(subject, User) else []
    firm = subject.id if isinstance(subject, Organization) else None
    asked = Asked(people, firm, viewer, read_cursor(cursor), limit, kinds, known)
    found: list[Entry] = []
    for source, wanted in _SOURCES:
        if any(asked.wants(kind) for kind in wanted):
            found += source(asked, subject)
    found = sorted({entry.order: entry for entry in found if asked.takes(entry)}.values(), key=_order, reverse=True)
    last = found[limit - 1] if len(found) > limit else None
    return TimelinePage(found[:limit], write_cursor(last) if last is not None else "")


def write_cursor(entry: Entry) -> str:
    """The place behind an entry, for an address."""
    return f"{(entry.at - _EPOCH) // _MICROSECOND}-{entry.kind}-{entry.id}"


def read_cursor(text: str) -> Place | None:
    """The place again; None for what is none."""
    found = _CURSOR.fullmatch(text)
    if found is None:
        return None
    try:
        return Place(_EPOCH + int(found[1]) * _MICROSECOND, found[2], int(found[3]))
    except OverflowError:
        return None


def _order(entry: Entry) -> tuple[datetime, str, int]:
    return entry.order


def _behind(place: Place, kind: str, at: Any, number: Any) -> Any:
    """That a row of that kind comes behind the place, where all kinds lie in one line."""
    if kind < place.kind:
        return at <= place.at
    if kind > place.kind:
        return at < place.at
    return or_(at < place.at, and_(at == place.at, number < place.number))


# ---- the sources


def _seen(asked: Asked, subject: Subject) -> Select[Any]:
    """The tickets of somebody that the viewer may see."""
    mine = Ticket.requester_id == subject.id if isinstance(subject, User) else Ticket.organization_id == subject.id
    return visible_tickets(asked.viewer).where(mine)


def _tickets(asked: Asked, subject: Subject) -> list[Entry]:
    query = _seen(asked, subject).options(joinedload(Ticket.requester))
    return [
        Entry(TICKET, ticket.id, ticket.created_at, ticket.subject, icon="inbox", ticket=ticket.id,
              by=ticket.requester.display_name, text=_("Ticket #%(number)s was opened.", number=ticket.id))
        for ticket in asked.newest(TICKET, query, Ticket.created_at, Ticket.id)
    ]  # fmt: skip


def _said(asked: Asked, subject: Subject) -> list[Entry]:
    """Messages and calls. One query: calls are messages that took a while on the telephone."""
    tickets = _seen(asked, subject).with_only_columns(Ticket.id)
    is_call, earlier = Message.call_seconds.is_not(None), aliased(Message)
    which = []
    if asked.wants(CALL):
        which.append(and_(is_call, asked.behind(CALL, Message.created_at, Message.id)))
    if asked.wants(MESSAGE):
        # Notes are no contact; what opened the ticket stands there as the ticket.
        before = exists().where(earlier.ticket_id == Message.ticket_id, earlier.created_at < Message.created_at)
        is_said = and_(~is_call, Message.visibility == "public", before)
        which.append(and_(is_said, asked.behind(MESSAGE, Message.created_at, Message.id)))
    query = select(Message).where(Message.ticket_id.in_(tickets), or_(*which))
    query = query.options(joinedload(Message.author), joinedload(Message.ticket))
    # Of the same moment messages come before calls, as the line is sorted.
    query = query.order_by(Message.created_at.desc(), is_call, Message.id.desc()).limit(asked.limit + 1)
    return [_call(one) if one.call_seconds is not None else _message(one) for one in db.session.scalars(query).unique()]


def _message(message: Message) -> Entry:
    is_ours = message.author is not None and message.author.is_staff
    title = _("We answered: %(subject)s", subject=message.ticket.subject) if is_ours else message.ticket.subject
    icon = "send" if is_ours else "mail"
    return _entry(MESSAGE, message, title, icon)


def _call(message: Message) -> Entry:
    minutes = max(1, round((message.call_seconds or 0) / 60))
    return _entry(CALL, message, ngettext("Call of %(num)s minute", "Call of %(num)s minutes", minutes), "phone")


def _entry(kind: str, message: Message, title: str, icon: str) -> Entry:
    by = message.author.display_name if message.author is not None else ""
    return Entry(kind, message.id, message.created_at, title, text=snippet(message.text), ticket=message.ticket_id,
                 icon=icon, by=by)  # fmt: skip


def _orders(asked: Asked, subject: Subject) -> list[Entry]:
    query = select(Order).where(is_of(subject, Order)).options(selectinload(Order.lines), joinedload(Order.person))
    found = []
    for order in asked.newest(ORDER, query, Order.placed_at, Order.id):
        title = _("Order %(number)s: %(amount)s", number=order.number, amount=show_amount(order.amount, order.currency))
        names = [line.name or line.sku for line in order.lines]
        text = ", ".join(names[:5]) + (" …" if len(names) > 5 else "")
        tone = "" if order.state in ("placed", "paid") else "amber"
        by = order.person.display_name if order.person is not None else ""
        found.append(Entry(ORDER, order.id, order.placed_at, title, text, icon="shopping-bag", tone=tone, by=by))
    return found


def _consents(asked: Asked, subject: Subject) -> list[Entry]:
    if not isinstance(subject, User):
        return []
    names = dict(purposes())
    query = select(Consent).where(Consent.user_id == subject.id).options(joinedload(Consent.actor))
    found = []
    for row in asked.newest(CONSENT, query, Consent.at, Consent.id):
        name, given = names.get(row.purpose, row.purpose), row.state == GIVEN
        title = _("Agreed to: %(purpose)s", purpose=name) if given else _("Withdrew: %(purpose)s", purpose=name)
        by = row.actor.display_name if row.actor is not None else ""
        tone = "green" if given else "amber"
        found.append(
            Entry(CONSENT, row.id, row.at, title, row.words, icon="check" if given else "x", tone=tone, by=by,
                  ticket=row.ticket_id)
        )  # fmt: skip
    return found


def _others(asked: Asked, subject: Subject) -> list[Entry]:
    return [entry for entry in collect("customers_timeline", page=asked) if _is_of_plugin(entry)]


def _is_of_plugin(entry: Any) -> bool:
    return (
        isinstance(entry, Entry) and entry.kind not in OWN and bool(re.fullmatch(r"[a-z][a-z0-9_]{0,39}", entry.kind))
    )


_SOURCES = (
    (_tickets, (TICKET,)),
    (_said, (MESSAGE, CALL)),
    (_orders, (ORDER,)),
    (_consents, (CONSENT,)),
    (_others, (OTHER,)),
)
