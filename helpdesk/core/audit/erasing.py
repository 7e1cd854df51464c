"""Taking a person out of the record: the details go with their salt, the rest of each entry stays proved."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update

from helpdesk.core.audit.recording import record
from helpdesk.core.extensions import db
from helpdesk.core.mentions import Mentions, in_json
from helpdesk.core.models import AuditEntry, User

ERASED = "user.erased"
# The keys of the entry that says so: how many entries were blanked, and which, as a digest.
COUNT, WHICH = "audit_entries", "audit_digest"
_CHUNK = 200
# Of what an act changed, these say nothing of who it was done to.
_KEPT = ("from", "to", "role")


def erase(user: User, actor: User | None, mentions: Mentions, counts: dict[str, Any]) -> AuditEntry:
    """Write down that ``user`` was erased, and blank what names them in the entries before. Joins the transaction.

    Each blanked entry points to the one that says so, which holds their number and a digest of which they are: a
    blanked entry that no erasing explains is seen when the chain is verified.
    """
    numbers = sorted(_about(user, mentions))
    # It explains others, so it must never be blanked itself: it names nobody, and no address of a network.
    data = {**counts, COUNT: len(numbers), WHICH: which(numbers)}
    entry = record("user.erased", actor, f"#{user.id}", data, from_where=False)
    db.session.flush()
    for start in range(0, len(numbers), _CHUNK):
        _blank(numbers[start : start + _CHUNK], entry.id, mentions)
    return entry


def which(numbers: Iterable[int]) -> str:
    """A digest of which entries they are, in order."""
    found = hashlib.sha256()
    for number in numbers:
        found.update(b"%d\n" % number)
    return found.hexdigest()


def _about(user: User, mentions: Mentions) -> Iterable[int]:
    """The entries that name the person and were not blanked before: those to be blanked, whole or by their address."""
    named: list[ColumnElement[bool]] = []
    if user.email:
        named = [AuditEntry.subject.icontains(user.email, autoescape=True), in_json(AuditEntry.data, user.email)]
    mine = (AuditEntry.actor_id == user.id) & AuditEntry.address.is_not(None)
    query = select(AuditEntry.id, AuditEntry.subject, AuditEntry.data, AuditEntry.actor_id, AuditEntry.address)
    last, found = 0, []
    while rows := db.session.execute(
        query.where(AuditEntry.id > last, or_(mine, *named), AuditEntry.erased_by.is_(None))
        .order_by(AuditEntry.id)
        .limit(_CHUNK)
    ).all():
        last = rows[-1].id
        found += [
            row.id
            for row in rows
            if (row.actor_id == user.id and row.address is not None)
            or mentions.has_address(row.subject)
            or mentions.without_address(row.data) != row.data
        ]
    return found


def _blank(numbers: Sequence[int], by: int, mentions: Mentions) -> None:
    rows = db.session.execute(
        select(AuditEntry.id, AuditEntry.subject, AuditEntry.data).where(AuditEntry.id.in_(numbers))
    ).all()
    changes = []
    for row in rows:
        data = row.data
        if mentions.has_address(row.subject):
            data = {key: value for key, value in data.items() if key in _KEPT}
        changes.append(
            {
                "id": row.id,
                "subject": mentions.without(row.subject),
                "data": mentions.without_address(data),
                "address": None,
                "salt": None,
                "erased_by": by,
            }
        )
    db.session.execute(update(AuditEntry), changes)
