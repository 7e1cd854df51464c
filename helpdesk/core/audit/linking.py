"""Links for the entries that have none yet, in batches. Order is the order of linking, so there is never a gap.

What is linked has committed, since nobody else's open transaction is seen; an entry that commits later, whatever its
number, is linked later. Nothing can be passed over.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, text, update

from helpdesk.core.audit import digests
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, AuditLink
from helpdesk.core.transaction import transaction

BATCH = 500
# So many numbers below the newest that is linked are looked through each time, for entries that have committed late.
_LOOKED_BACK = 2000


def link_new(most: int = 20, *, whole: bool = False) -> int:
    """Link what is new, ``most`` batches at once; answer how many entries. Opens a transaction for each batch.

    Two processes that try at the same time take turns. Called by every serving process from time to time, and with
    ``whole`` before the chain is verified: then all entries are looked through, which takes seconds for a million.
    """
    linked = _link(most, whole=False)
    # Only when nothing near is left: to look through all of them for each batch of many would take for ever.
    return linked + _link(most, whole=True) if whole else linked


def _link(most: int, whole: bool) -> int:
    linked = 0
    for _turn in range(most):
        if db.session.scalar(_unlinked(AuditEntry.id, whole=whole).limit(1)) is None:
            break
        with transaction():
            linked += _link_batch(whole)
    return linked


def _link_batch(whole: bool) -> int:
    if db.engine.dialect.name == "postgresql":
        # SQLite has one writer in any case.
        db.session.execute(text("LOCK TABLE audit_link IN SHARE ROW EXCLUSIVE MODE"))
    last = db.session.execute(
        select(AuditLink.id, AuditLink.chain).order_by(AuditLink.id.desc()).limit(1)
    ).one_or_none()
    number, chain = last if last is not None else (0, digests.BEGINNING)
    columns = AuditEntry.__table__.c
    rows = db.session.execute(_unlinked(*columns, whole=whole).order_by(AuditEntry.id).limit(BATCH)).all()
    details = _details_of(rows)
    moment, links = now(), []
    for row in rows:
        number += 1
        digest = digests.of_entry(row.id, row.at, row.actor_id, row.action, details[row.id])
        chain = digests.of_link(chain, number, digest)
        links.append({"id": number, "entry_id": row.id, "digest": digest, "chain": chain, "linked_at": moment})
    if links:
        db.session.execute(insert(AuditLink), links)
    return len(links)


def _details_of(rows: Sequence[Row[Any]]) -> dict[int, str]:
    """The digests of their details; entries of before there was a chain get theirs now."""
    made = []
    for row in (row for row in rows if row.digest is None):
        salt = digests.new_salt()
        made.append(
            {"id": row.id, "salt": salt, "digest": digests.of_details(salt, row.subject, row.data, row.address)}
        )
    if made:
        db.session.execute(update(AuditEntry), made)
    return {row.id: row.digest for row in rows if row.digest} | {row["id"]: row["digest"] for row in made}


def _unlinked(*columns: Any, whole: bool) -> Select[Any]:
    """Entries without a link. Whatever its number, one that commits late is among them."""
    query = select(*columns).where(~select(AuditLink.id).where(AuditLink.entry_id == AuditEntry.id).exists())
    if whole:
        return query
    newest = select(func.coalesce(func.max(AuditLink.entry_id), 0)).scalar_subquery()
    return query.where(AuditEntry.id > newest - _LOOKED_BACK)
