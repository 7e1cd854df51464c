"""The record of administrative acts."""

from typing import Any

from flask import render_template, request
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, User
from helpdesk.web.admin.acts import act_name, act_names, subject_of
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of


@admin.get("/audit")
@needs("audit.read")
def audit() -> Any:
    """Who did what, newest first; ``action``, ``text`` (in what it was done to) and ``actor`` narrow it down."""
    action, text = request.args.get("action", ""), " ".join(request.args.get("text", "").split())[:200]
    number = request.args.get("actor", 0, type=int)
    actor = db.session.get(User, number) if 0 < number < 2**63 else None
    query = select(AuditEntry).options(joinedload(AuditEntry.actor))
    if action:
        query = query.where(AuditEntry.action == action)
    if text:
        query = query.where(AuditEntry.subject.icontains(text, autoescape=True))
    if actor is not None:
        query = query.where(AuditEntry.actor_id == actor.id)
    return render_template(
        "admin/audit.html",
        page=slice_of(query, AuditEntry.id),
        action=action,
        text=text,
        actor=actor,
        actions=act_names(),
        act_name=act_name,
        subject_of=subject_of,
    )
