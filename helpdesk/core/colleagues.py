"""Colleagues named in a note by ``@`` and their name."""

from collections.abc import Sequence

from sqlalchemy import func, select

from helpdesk.core.extensions import db
from helpdesk.core.models import User
from helpdesk.core.models.user import STAFF

MOST = 500


def named_in(text: str) -> list[int]:
    """The numbers of those whom a text names, 20 at most; a longer name goes before a shorter one that begins it.

    One query, and none without an ``@``.
    """
    if "@" not in text:
        return []
    rest, found = " ".join(text.split()).casefold(), []
    for person in sorted(found_by(""), key=lambda person: -len(person.name)):
        mark = "@" + " ".join(person.name.split()).casefold()
        if len(mark) > 1 and mark in rest:
            rest = rest.replace(mark, " ")
            found.append(person.id)
    return found[:20]


def found_by(text: str, limit: int = MOST) -> Sequence[User]:
    """Active members of staff whose name or address contains ``text``, by name. One query."""
    query = select(User).where(User.role.in_(STAFF), User.active, ~User.is_service)
    if text := " ".join(text.split()):
        named = (User.name.icontains(text, autoescape=True), User.email.icontains(text, autoescape=True))
        query = query.where(named[0] | named[1])
    return db.session.scalars(query.order_by(func.lower(User.name), User.id).limit(limit)).all()
