"""Writing an entry."""

from typing import Any

from flask import has_request_context, request

from helpdesk.core.audit import digests
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, User


def record(
    action: str,
    actor: User | None,
    subject: str = "",
    data: dict[str, Any] | None = None,
    *,
    from_where: bool = True,
) -> AuditEntry:
    """Write down who did what, and (unless told not to) from which address. Joins the open transaction.

    No secrets in ``data``.
    """
    entry = AuditEntry(
        at=now(),
        action=action,
        actor_id=actor.id if actor is not None else None,
        subject=subject,
        data=digests.plain(data or {}),
        address=request.remote_addr if from_where and has_request_context() else None,
        salt=digests.new_salt(),
    )
    entry.digest = digests.of_details(entry.salt or "", entry.subject, entry.data, entry.address)
    db.session.add(entry)
    return entry
