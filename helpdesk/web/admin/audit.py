"""The record of administrative acts."""

from typing import Any

from flask import render_template, request
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of


@admin.get("/audit")
@needs("audit.read")
def audit() -> Any:
    """Who did what, newest first; ``action`` narrows it down."""
    action = request.args.get("action", "")
    query = select(AuditEntry).options(joinedload(AuditEntry.actor))
    if action:
        query = query.where(AuditEntry.action == action)
    actions = db.session.scalars(select(AuditEntry.action).distinct().order_by(AuditEntry.action)).all()
    return render_template("admin/audit.html", page=slice_of(query, AuditEntry.id), action=action, actions=actions)
