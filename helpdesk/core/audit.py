"""The record of administrative acts."""

from typing import Any

from flask import has_request_context, request

from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, User


def record(action: str, actor: User | None, subject: str = "", data: dict[str, Any] | None = None) -> None:
    """Write down who did what. Joins the open transaction; no secrets in ``data``."""
    db.session.add(
        AuditEntry(
            action=action,
            actor_id=actor.id if actor is not None else None,
            subject=subject,
            data=data or {},
            address=request.remote_addr if has_request_context() else None,
        )
    )
