"""What happened, event by event: the outbox that plugins are told from."""

from typing import Any

from flask import render_template, request
from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from helpdesk.core.events.record import facts
from helpdesk.core.models import Event, Ticket
from helpdesk.core.permissions import ticket_criterion
from helpdesk.web.admin.blueprint import admin, needs
from helpdesk.web.admin.listing import slice_of, text_asked_for
from helpdesk.web.session import reader

# Kinds that no hook has the name of.
_OTHERS = ("delivery_failed", "delivery_bounced")


@admin.get("/events")
@needs("job.read")
def events() -> Any:
    """Events, newest first; ``kind`` and ``ticket`` narrow them down. Those of tickets that are hidden are left out."""
    kind, ticket = text_asked_for("kind"), request.args.get("ticket", "").strip().lstrip("#")
    query = select(Event).options(joinedload(Event.actor))
    if kind:
        query = query.where(Event.kind == kind)
    if ticket:
        # What is no number is no ticket's.
        query = query.where(Event.ticket_id == (int(ticket) if ticket.isdecimal() and len(ticket) < 19 else 0))
    if (criterion := ticket_criterion(reader())) is not None:
        seen = select(Ticket.id).where(criterion)
        query = query.where(or_(Event.ticket_id.is_(None), Event.ticket_id.in_(seen)))
    return render_template(
        "admin/events.html",
        page=slice_of(query, Event.id),
        kind=kind,
        ticket=ticket,
        kinds=sorted({*facts(), *_OTHERS, *([kind] if kind else [])} - {"event_recorded"}),
    )
