"""Finding entries: by act, person, words of the subject, time and address."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import joinedload

from helpdesk.core.models import AuditEntry


@dataclass(frozen=True)
class Search:
    """What is looked for; what is empty does not narrow. ``until`` is the first moment that no longer counts."""

    action: str = ""
    actor_id: int | None = None
    text: str = ""
    address: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def as_data(self) -> dict[str, Any]:
        """What was asked for, as the record of an export keeps it."""
        values = {
            "action": self.action,
            "actor": self.actor_id,
            "text": self.text,
            "address": self.address,
            "since": self.since.isoformat() if self.since else "",
            "until": self.until.isoformat() if self.until else "",
        }
        return {key: value for key, value in values.items() if value}


def entries(search: Search) -> Select[AuditEntry]:
    """The entries, with who did it; to be ordered by their number and cut by whoever asks."""
    query: Select[AuditEntry] = select(AuditEntry).options(joinedload(AuditEntry.actor))
    if search.action:
        query = query.where(AuditEntry.action == search.action)
    if search.actor_id is not None:
        query = query.where(AuditEntry.actor_id == search.actor_id)
    if search.text:
        query = query.where(AuditEntry.subject.icontains(search.text, autoescape=True))
    if search.address:
        query = query.where(AuditEntry.address == search.address)
    if search.since is not None:
        query = query.where(AuditEntry.at >= search.since)
    if search.until is not None:
        query = query.where(AuditEntry.at < search.until)
    return query
