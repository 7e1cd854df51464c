"""The panels beside a ticket: requester, organization, other tickets, followers, fields, and the plugins'."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import make_response, render_template
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from helpdesk.core import merges
from helpdesk.core.extensions import db
from helpdesk.core.models import Follower, Organization, Ticket, TicketField, TicketFieldValue, User
from helpdesk.core.models.ticket import UNSOLVED
from helpdesk.core.permissions import allowed, visible_tickets
from helpdesk.core.plugin_fields import usable
from helpdesk.core.workflow.editing import field_value
from helpdesk.web import places
from helpdesk.web.desk.blueprint import desk, wants_part
from helpdesk.web.desk.tickets import ticket_or_404
from helpdesk.web.session import reader

OTHERS = 5


@dataclass(frozen=True)
class FieldRow:
    """A custom field and its value on one ticket, as a form shows it."""

    field: TicketField
    value: str


@desk.get("/tickets/<int:number>/side")
def side(number: int) -> Any:
    """The panels: loaded after the ticket, so that a slow plugin does not hold up the conversation."""
    return side_answer(ticket_or_404(number))


def side_answer(
    ticket: Ticket,
    problems: Any = (),
    code: int = 200,
    field: tuple[str, str] | None = None,
    follower: str | None = None,
    link: str | None = None,
) -> Any:
    """The panels, with what was typed and what was wrong with it."""
    user = reader()
    others = _others(ticket, user)
    rows = _fields(ticket)
    if field is not None:
        rows = [FieldRow(row.field, field[1]) if row.field.key == field[0] else row for row in rows]
    template = "desk/parts/side.html" if wants_part() else "desk/side.html"
    page = render_template(
        template,
        ticket=ticket,
        organization=db.session.get(Organization, ticket.organization_id) if ticket.organization_id else None,
        others=others,
        followers=_followers(ticket),
        fields=rows,
        panels=places.ticket_panels(ticket, user),
        linked=merges.links_of(ticket, user),
        merged=merges.merged_here(ticket, user),
        alike=_alike(ticket, others),
        typed_link=link or "",
        problems=problems,
        typed_follower=follower or "",
        # The problem stands beside what it is about.
        wrong=_wrong(field, follower, link),
        editable=allowed(user, "ticket.edit") and not ticket.is_closed,
    )
    return make_response(page, code)


def _wrong(field: tuple[str, str] | None, follower: str | None, link: str | None) -> str:
    if link is not None:
        return "link"
    return "follower" if follower is not None else (f"field:{field[0]}" if field else "")


def _alike(ticket: Ticket, others: Sequence[Ticket]) -> Ticket | None:
    """The other open ticket of the same person that looks like this one."""
    if ticket.category not in UNSOLVED:
        return None
    return next((other for other in others if merges.looks_like(ticket, other)), None)


def _others(ticket: Ticket, user: User) -> Sequence[Ticket]:
    query = (
        visible_tickets(user)
        .where(Ticket.requester_id == ticket.requester_id, Ticket.id != ticket.id)
        .options(joinedload(Ticket.status))
        .order_by(Ticket.updated_at.desc(), Ticket.id.desc())
        .limit(OTHERS + 1)
    )
    return db.session.scalars(query).all()


def _followers(ticket: Ticket) -> Sequence[Follower]:
    query = select(Follower).where(Follower.ticket_id == ticket.id).options(joinedload(Follower.user))
    return db.session.scalars(query.order_by(Follower.since, Follower.user_id).limit(100)).all()


def _fields(ticket: Ticket) -> list[FieldRow]:
    query = (
        select(TicketField, TicketFieldValue)
        .outerjoin(
            TicketFieldValue, (TicketFieldValue.field_id == TicketField.id) & (TicketFieldValue.ticket_id == ticket.id)
        )
        .where(usable())
        .order_by(TicketField.position, TicketField.id)
    )
    return [FieldRow(field, str(field_value(value) or "")) for field, value in db.session.execute(query)]
