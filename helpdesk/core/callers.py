"""Who calls: found by whatever they say of themselves, or made while they are on the phone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, and_, case, or_, select
from sqlalchemy.orm import joinedload

from helpdesk.core import accounts
from helpdesk.core.account_errors import AccountError
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, TicketField, TicketFieldValue, User
from helpdesk.core.models.columns import storable
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.permissions import require, visible_tickets
from helpdesk.core.phones import phone_key, searched_key
from helpdesk.core.transaction import transaction

# So many people are offered, with so many of their open tickets each.
PEOPLE, TICKETS = 8, 5
NAME_LENGTH, PHONE_LENGTH = 200, 64
_WORDS = 5
# The beginning of a number that is worth comparing with the whole of another: shorter ones are extensions.
_SHORTEST_BEGINNING = 6


@dataclass
class Candidate:
    """Somebody who may be meant, with what is still open for them and the ticket that led here, if one did."""

    user: User
    by_ticket: Ticket | None = None
    open_tickets: list[Ticket] = field(default_factory=list)


def find_callers(text: str, reader: User) -> list[Candidate]:
    """The people whom ``text`` may mean, the likeliest first: part of a name or an address, a phone number however it
    is written, the number of a ticket, the value of one of its fields (an order), words of its subject.

    Only tickets that ``reader`` may see are looked at and shown. At most seven queries. Raises NotAllowed.
    """
    require(reader, "person.read")
    wanted = " ".join(storable(text).split())[:200]
    if not wanted:
        return []
    found: dict[int, Candidate] = {}
    for user in _by_phone(wanted) or _by_name(wanted):
        found.setdefault(user.id, Candidate(user))
    if len(found) < PEOPLE:
        for ticket in _by_ticket(wanted, reader, deep=not found):
            found.setdefault(ticket.requester_id, Candidate(ticket.requester, ticket))
    return with_open_tickets(list(found.values())[:PEOPLE], reader)


def candidate(user_id: int, reader: User) -> Candidate | None:
    """The person of that number as :func:`find_callers` answers people; None where nobody can be a requester.

    Raises NotAllowed.
    """
    require(reader, "person.read")
    user = db.session.scalar(select(User).where(User.id == user_id, _can_ask()))
    return with_open_tickets([Candidate(user)], reader)[0] if user is not None else None


def with_open_tickets(candidates: Sequence[Candidate], reader: User) -> list[Candidate]:
    """Fill in what is still open for each, newest first, of what ``reader`` may see. One query."""
    people = {one.user.id: one for one in candidates}
    if people:
        query = (
            visible_tickets(reader)
            .where(Ticket.requester_id.in_(people), Ticket.category.in_(UNSOLVED))
            .options(joinedload(Ticket.status))
            .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        )
        for ticket in db.session.scalars(query.limit(PEOPLE * TICKETS * 2)):
            if len(people[ticket.requester_id].open_tickets) < TICKETS:
                people[ticket.requester_id].open_tickets.append(ticket)
    return list(candidates)


def make_caller(name: str, phone: str, actor: User | None) -> User:
    """Make a customer without an address: whoever calls has a name or a number. Joins or opens the transaction.

    Raises :class:`AccountError` for neither of both, or one that is too long; NotAllowed.
    """
    require(actor, "person.edit")
    clean, number = _line(name), _line(phone)
    if not clean and not number:
        raise AccountError("name", _("Write the name, the phone number or the e-mail address of whoever is asking."))
    if len(clean) > NAME_LENGTH:
        raise AccountError("name", _("This name is too long; %(number)s characters fit.", number=NAME_LENGTH))
    _check_phone(number)
    with transaction():
        user = User(name=clean, phone=number or None)
        db.session.add(user)
        db.session.flush()
    return user


def caller_with(email: str, name: str, phone: str, actor: User | None) -> User:
    """The customer with that address, made if there is none; a name and a number that are missing are filled in.

    Joins or opens the transaction. Raises :class:`AccountError` and NotAllowed.
    """
    require(actor, "person.edit")
    number = _line(phone)
    _check_phone(number)
    with transaction():
        user = accounts.requester_for(email, name)
        if number and not user.phone and not user.is_staff:
            user.phone = number
    return user


def unmake_caller(user: User) -> None:
    """Take back somebody whom :func:`make_caller` has just made, for a form that had arrived already.

    Joins or opens the transaction. Whoever has a ticket by now stays.
    """
    with transaction():
        if db.session.scalar(select(Ticket.id).where(Ticket.requester_id == user.id).limit(1)) is None:
            db.session.delete(user)


def kind_of(text: str) -> str:
    """What somebody typed of a person that nobody knows: "email", "phone" or "name"."""
    if "@" in text:
        return "email"
    return "phone" if searched_key(text) is not None else "name"


# ---- how people are found, one query each


def _can_ask() -> ColumnElement[bool]:
    return and_(User.active, ~User.is_service)


def _by_phone(text: str) -> Sequence[User]:
    key = searched_key(text)
    if key is None:
        return []
    # The longer one of both may begin with the prefix of the country, which ends the key.
    beginnings = [key[:length] for length in range(_SHORTEST_BEGINNING, len(key) + 1)]
    longer = and_(User.phone_key >= key, User.phone_key <= key + "9" * 20)
    # Found by an index; only a number that is still being typed is looked for within all.
    for meant in (or_(longer, User.phone_key.in_(beginnings)), User.phone_key.contains(key)):
        # A merged record's number is that of who has its tickets now.
        merged = select(User.merged_into_id).where(User.merged_into_id.is_not(None), meant)
        query = select(User).where(_can_ask(), or_(meant, User.id.in_(merged))).order_by(User.id.desc())
        if found := db.session.scalars(query.limit(PEOPLE)).all():
            return found
    return []


def _by_name(text: str) -> Sequence[User]:
    if text.startswith("#"):
        return []
    words = text.split()[:_WORDS]
    meant = and_(
        *(
            or_(User.name.icontains(word, autoescape=True), User.email.icontains(word, autoescape=True))
            for word in words
        )
    )
    begins = or_(User.name.istartswith(text, autoescape=True), User.email.istartswith(text, autoescape=True))
    query = select(User).where(_can_ask(), meant).order_by(case((begins, 0), else_=1), User.id.desc())
    return db.session.scalars(query.limit(PEOPLE)).all()


def _by_ticket(text: str, reader: User, deep: bool) -> Sequence[Ticket]:
    """By number or the value of a field; ``deep``: by words of the subject as well, which reads more."""
    usable = select(TicketField.id).where(TicketField.active)
    orders = select(TicketFieldValue.ticket_id).where(
        TicketFieldValue.field_id.in_(usable), TicketFieldValue.text.in_({text, text.upper(), text.lower()})
    )
    meant: list[ColumnElement[bool]] = [Ticket.id.in_(orders)]
    if (number := re.fullmatch(r"#?([0-9]{1,9})", text)) is not None:
        meant.append(Ticket.id == int(number[1]))
    found = _tickets(reader, or_(*meant))
    if not found and deep and len(text) > 1:
        found = _tickets(
            reader, and_(*(Ticket.subject.icontains(word, autoescape=True) for word in text.split()[:_WORDS]))
        )
    return found


def _tickets(reader: User, meant: ColumnElement[bool]) -> Sequence[Ticket]:
    query = (
        visible_tickets(reader)
        .join(User, User.id == Ticket.requester_id)
        .where(meant, _can_ask())
        .options(joinedload(Ticket.requester))
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
    )
    return db.session.scalars(query.limit(PEOPLE)).all()


def _check_phone(number: str) -> None:
    if len(number) > PHONE_LENGTH:
        raise AccountError("phone", _("This is too long; %(number)s characters fit.", number=PHONE_LENGTH))
    if number and phone_key(number) is None:
        raise AccountError("phone", _("“%(phone)s” is no phone number.", phone=number))


def _line(text: str) -> str:
    return " ".join(storable(text).split())
