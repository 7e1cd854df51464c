"""One message that came by several ways (two of our addresses, a list) is taken in once."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from helpdesk.core.drafts import IntakeDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Intake

# An item, and its fingerprint.
Marked = tuple[Intake, str | None]


def fingerprint(draft: IntakeDraft) -> str | None:
    """What two copies of a message share; None for one that has no identity.

    The identity alone would not do: its sender chooses it, and may choose that of another message.
    """
    if not draft.external_id:
        return None
    parts = [draft.external_id, draft.sender_address.strip().lower(), draft.subject, draft.text, draft.html]
    digest = hashlib.sha256()
    for data in [*(part.encode("utf-8", "surrogatepass") for part in parts), *(file.data for file in draft.files)]:
        # Each with its length: what ends one part cannot begin the next.
        digest.update(len(data).to_bytes(8))
        digest.update(data)
    return digest.hexdigest()


def earlier(marked: Sequence[Marked]) -> list[Intake | None]:
    """For each item the one that was taken in with the same fingerprint, if there is one; one query for all."""
    marks = {mark for _item, mark in marked if mark is not None}
    query = select(Intake).where(Intake.channel.in_({item.channel for item, _mark in marked}))
    rows = db.session.scalars(query.where(Intake.fingerprint.in_(marks))) if marks else ()
    found = {(row.channel, row.fingerprint): row for row in rows}
    others = (found.get((item.channel, mark)) for item, mark in marked)
    return [other if other is not item else None for other, (item, _mark) in zip(others, marked, strict=True)]


def claim(marked: Sequence[Marked]) -> list[Intake | None]:
    """Give each item its fingerprint inside the open transaction; of several with the same one, one may get it.

    Answers for each the one that has it already: then the item is its copy. Raises IntegrityError for many of which one
    was taken in somewhere else at this moment; nothing has been given then.
    """
    found = earlier(marked)
    free = [(item, mark) for (item, mark), other in zip(marked, found, strict=True) if other is None and mark]
    if not free:
        return found
    try:
        with db.session.begin_nested():
            for item, mark in free:
                item.fingerprint = mark
    except IntegrityError:
        if len(marked) > 1:
            raise
        return earlier(marked)
    return found
