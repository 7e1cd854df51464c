"""The people of an incoming item: who wrote it, and who of those it was copied to may follow the ticket."""

from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import Select, inspect, select

from helpdesk.core import accounts, settings
from helpdesk.core.abreast import Ask, Way
from helpdesk.core.channels import automatic
from helpdesk.core.drafts import IntakeDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, User
from helpdesk.core.settings import IntakeSettings

# More are a list, and no circle of people who want to follow a ticket.
MOST_FOLLOWERS = 10
# So many of the people in Cc are looked at to find them.
_LOOKED_AT = 50


def known_requesters(drafts: Sequence[IntakeDraft]) -> list[User | None]:
    """Who asks, found by the address; None for somebody who is new or lacks the name that the item has."""
    addresses = [draft.sender_address.strip().lower() for draft in drafts]
    there = accounts.having(addresses)
    found = (there.get(address) for address in addresses)
    return [
        user if user is not None and (user.name or not _name(draft)) else None
        for user, draft in zip(found, drafts, strict=True)
    ]


def new_requester(draft: IntakeDraft) -> Way[User]:
    """Who asks, made or given a name, in the open transaction. Raises AccountError for what is no address."""
    accounts.clean_email(draft.sender_address)
    user: User = yield Ask(_make, draft)
    return user


def _make(drafts: Sequence[IntakeDraft]) -> list[User]:
    found: dict[str, User] = {}
    for locale, some in groupby(sorted(drafts, key=_locale), _locale):
        named = [(draft.sender_address, _name(draft)) for draft in some]
        users = accounts.requesters_for(named, locale or None)
        # By the address that was written from: of a merged person's it is not the one that the answer has.
        addresses = dict.fromkeys(accounts.clean_email(address) for address, _name in named)
        found |= dict(zip(addresses, users, strict=True))
    return [found[accounts.clean_email(draft.sender_address)] for draft in drafts]


def read_anew(people: Sequence[User]) -> list[User]:
    """People as they are now, with one query for all."""
    return _read(people, select(User))


def lock(people: Sequence[User]) -> list[User]:
    """:func:`read_anew` for one worker at a time; rows that only name them do not wait. In the open transaction."""
    return _read(people, select(User).order_by(User.id).with_for_update(of=User, key_share=True))


def _read(people: Sequence[User], query: Select[User]) -> list[User]:
    # Asked for its id, somebody who is no longer known would be read alone.
    numbers = [int(inspect(person, raiseerr=True).identity[0]) for person in people]
    rows = db.session.scalars(query.where(User.id.in_(numbers)).execution_options(populate_existing=True))
    found = {person.id: person for person in rows}
    return [found[number] for number in numbers]


def _locale(draft: IntakeDraft) -> str:
    return "" if draft.verified is False else draft.locale or ""


def _name(draft: IntakeDraft) -> str:
    """A disproved sender gives nobody a name, nor a language."""
    return "" if draft.verified is False else draft.sender_name


def copied(draft: IntakeDraft, author: User, ticket: Ticket | None = None) -> list[User]:
    """The people in Cc who may follow the (new) ticket, made where there are none. Joins the open transaction.

    A proved or undoubted requester may let others read on, and so may staff whom the channel has proved; a robot's
    circle follows nothing. Staff in Cc have their own ways in, which a customer's mail does not widen.
    """
    if not draft.copies or draft.machine or draft.verified is False or not settings.get(IntakeSettings).copies_follow:
        return []
    if ticket is not None and not author.is_staff and author.id != ticket.requester_id:
        return []
    if author.is_staff and draft.verified is not True:
        return []
    named = _usable(draft, author)
    if not named:
        return []
    found = accounts.requesters_for(named.items(), draft.locale)
    return [person for person in found if person.active and not person.is_staff and person.id != author.id]


def _usable(draft: IntakeDraft, author: User) -> dict[str, str]:
    """The addresses in Cc with their names, without the sender, robots and ourselves."""
    named: dict[str, str] = {}
    for address, name in draft.copies[:_LOOKED_AT]:
        try:
            address = accounts.clean_email(address)
        except accounts.AccountError:
            continue
        if address != author.email and not automatic.is_robot(address):
            named.setdefault(address, name)
    for own in automatic.ours(draft, list(named)):
        del named[own]
    return dict(list(named.items())[:MOST_FOLLOWERS])
