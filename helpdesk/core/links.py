"""Signed links and reply addresses: made for one ticket and one person, and worth nothing to another."""

import hashlib
import hmac
import re

from flask import current_app
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket, User

_TOKEN = re.compile(r"([0-9a-z]{1,13})-([0-9a-z]{1,13})-([0-9a-z]{26})", re.IGNORECASE)
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
# FOLLOW is mailed, and so proves that its bearer reads that mailbox; OPENED is only shown to whoever sent the form.
FOLLOW, REPLY, OPENED = "follow", "reply", "opened"
_UNSUBSCRIBE = "unsubscribe"
_PERSONS_TOKEN = re.compile(r"([0-9a-z]{1,13})-([0-9a-z]{26})", re.IGNORECASE)


def token(purpose: str, ticket: Ticket, user: User) -> str:
    """A token for ``purpose`` (FOLLOW, OPENED: a link; REPLY: part of an address), of letters, digits and hyphens.

    HMAC-SHA-256 cut to 130 bits (RFC 2104, section 5) over purpose, ticket, person and the ticket's access
    key, so that a new access key makes every old token of the ticket dead. Case does not matter: mail servers
    fold it.
    """
    return f"{_base36(ticket.id)}-{_base36(user.id)}-{_signature(purpose, ticket, user.id)}"


def redeem(purpose: str, text: str) -> tuple[Ticket, User] | None:
    """The ticket and the person that a token was made for, or None. Forged and unknown look alike."""
    match = _TOKEN.fullmatch(text)
    if match is None:
        return None
    ticket_id, user_id = int(match[1], 36), int(match[2], 36)
    if max(ticket_id, user_id) >= 2**63:
        return None
    query = select(Ticket).where(Ticket.id == ticket_id).options(joinedload(Ticket.requester))
    ticket, user = db.session.scalar(query), _person(user_id)
    if ticket is None or user is None or not user.active:
        return None
    if not hmac.compare_digest(match[3].lower(), _signature(purpose, ticket, user_id)):
        return None
    return ticket, user


def link_token(purpose: str, ticket: Ticket, user: User) -> str:
    """The last part of a plugin's link that is mailed to one person about one ticket, who needs no account to use it.

    ``purpose`` begins with the plugin's name and a colon ("callbacks:book"): the token is worth nothing for another
    purpose, ticket or person, and dead once the ticket gets a new access key. ValueError for a purpose of the desk's.
    """
    return token(_plugins(purpose), ticket, user)


def redeem_link(purpose: str, text: str) -> tuple[Ticket, User] | None:
    """The ticket and the person that :func:`link_token` made this for, or None. Forged and unknown look alike."""
    return redeem(_plugins(purpose), text)


def _plugins(purpose: str) -> str:
    if ":" not in purpose:
        raise ValueError(f"The purpose of a plugin's link begins with its name and a colon, not {purpose!r}.")
    return purpose


def follow_url(ticket: Ticket, user: User) -> str:
    """Where a customer follows a ticket without an account, on the configured address."""
    return f"{address()}/t/{token(FOLLOW, ticket, user)}"


def solved_url(ticket: Ticket, user: User) -> str:
    """Where a customer says, without an account, that it is solved, on the configured address."""
    return f"{follow_url(ticket, user)}/solved"


def unsolved_url(ticket: Ticket, user: User) -> str:
    """Where a customer says, without an account, that it is not solved, on the configured address."""
    return f"{follow_url(ticket, user)}/unsolved"


def file_url(ticket: Ticket, user: User, attachment_id: int) -> str:
    """Where a customer fetches a file of a ticket without an account, on the configured address."""
    return f"{follow_url(ticket, user)}/files/{attachment_id}"


def unsubscribe_url(user: User) -> str:
    """Where a person says, without an account, that no more care mail is wanted. It never expires."""
    return f"{address()}/unsubscribe/{_base36(user.id)}-{_persons_signature(user.id)}"


def redeem_unsubscribe(text: str) -> User | None:
    """The person that an address of :func:`unsubscribe_url` was made for, or None. Forged and unknown look alike."""
    match = _PERSONS_TOKEN.fullmatch(text)
    if match is None or (user_id := int(match[1], 36)) >= 2**63:
        return None
    if not hmac.compare_digest(match[2].lower(), _persons_signature(user_id)):
        return None
    return _person(user_id)


def _person(user_id: int) -> User | None:
    """The person of that number; of one that was merged, who has the tickets now: old mails stay worth something."""
    user = db.session.get(User, user_id)
    return user.merged_into or user if user is not None else None


def desk_url(ticket: Ticket) -> str:
    """Where an agent opens a ticket, on the configured address."""
    return f"{address()}/desk/tickets/{ticket.id}"


def portal_url(ticket: Ticket) -> str:
    """Where whoever is signed in and may see it follows a ticket, on the configured address: it proves nothing."""
    return f"{address()}/tickets/{ticket.id}"


def address() -> str:
    """The configured address of the desk; never the Host header's."""
    return str(current_app.config["HELPDESK"].address)


def _signature(purpose: str, ticket: Ticket, user_id: int) -> str:
    return _signed(f"{purpose}:{ticket.id}:{user_id}:{ticket.access_key}")


def _persons_signature(user_id: int) -> str:
    return _signed(f"{_UNSUBSCRIBE}:{user_id}")


def _signed(text: str) -> str:
    key = str(current_app.secret_key).encode()
    number = int.from_bytes(hmac.new(key, text.encode(), hashlib.sha256).digest()) >> 126
    return _base36(number).rjust(26, "0")[-26:]


def _base36(number: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 36)
        digits = _DIGITS[rest] + digits
    return digits or "0"
