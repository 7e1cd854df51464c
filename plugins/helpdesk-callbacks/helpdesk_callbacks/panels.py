"""The plugin's places on the desk's pages: beside tickets and people, on Home, in menus, on the customers' page."""

from typing import Any

from sqlalchemy import case, select

from helpdesk.api import Action, ComposerTool, NavItem, Panel, Ticket, User, db, hookimpl
from helpdesk.api import gettext as _
from helpdesk.api import lazy_gettext as _l
from helpdesk_callbacks import words
from helpdesk_callbacks.links import customer_url
from helpdesk_callbacks.listing import ALL, Wanted, due_today, visible_calls, whole
from helpdesk_callbacks.models import CALL, OPEN, Call
from helpdesk_callbacks.permissions import USE

_SHOWN, _TODAY = 5, 8


@hookimpl
def nav_items() -> list[NavItem]:
    """The list of promised calls."""
    return [NavItem(_l("Promised calls"), "callbacks.index", icon="phone-call", permission=USE, order=20)]


@hookimpl
def ticket_actions(ticket: Ticket) -> list[Action]:
    """Promise a call."""
    values = {"number": ticket.id}
    return [Action(_l("Promise a call"), "callbacks.new_call", values, "get", "phone-call", USE, order=30)]


@hookimpl
def composer_tools(ticket: Ticket) -> list[ComposerTool]:
    """Times for a call, and the customer's link, for a reply."""
    return [ComposerTool(_l("Offer a call"), "callbacks.offer", {"number": ticket.id}, "phone-call", USE, 60)]


@hookimpl
def ticket_panels(ticket: Ticket) -> list[Panel]:
    """The calls of a ticket: what is promised first, then what was. One query."""
    query = select(Call).where(Call.ticket_id == ticket.id)
    calls = db.session.scalars(_first_open(query).limit(_SHOWN)).all()
    context = {"calls": calls, "words": words, "zone": words.reader_zone(), "new": {"number": ticket.id}}
    return [Panel(_l("Promised calls"), "callbacks/ticket_panel.html", context, "phone-call", USE, 40)]


@hookimpl
def user_panels(person: User, user: User) -> list[Panel]:
    """The calls of a person, on tickets that the reader may see. One query."""
    query = visible_calls(user).where(Call.person_id == person.id).with_only_columns(Call)
    calls = db.session.scalars(_first_open(query).limit(_SHOWN)).all()
    context = {"calls": calls, "words": words, "zone": words.reader_zone(), "wanted": Wanted(who=ALL, person=person.id)}
    return [Panel(_l("Promised calls"), "callbacks/person_panel.html", context, "phone-call", USE, 40)]


@hookimpl
def dashboard_widgets(user: User) -> list[Panel]:
    """What is due today and what is late. One query."""
    zone = words.reader_zone()
    calls, overdue, today = due_today(user, zone, _TODAY)
    context = {"calls": calls, "overdue": overdue, "today": today, "words": words, "zone": zone}
    return [Panel(_l("Promised calls"), "callbacks/widget.html", context, "phone-call", USE, 10)]


@hookimpl
def portal_blocks(user: User | None) -> list[Panel]:
    """The calls that a customer who has signed in was promised. One query."""
    if user is None or user.is_staff:
        return []
    query = whole(select(Call)).where(Call.person_id == user.id, Call.kind == CALL, Call.state.in_(OPEN))
    calls = db.session.scalars(query.order_by(Call.starts_at, Call.id).limit(_SHOWN)).all()
    if not calls:
        return []
    rows = [(call, f"{customer_url(call.ticket, user)}/{call.id}") for call in calls]
    return [Panel(_("We will call you"), "callbacks/portal_block.html", {"rows": rows, "words": words}, order=10)]


def _first_open(query: Any) -> Any:
    """Those that wait first, the next one on top; then what was, the newest on top."""
    is_past = case((Call.state.in_(OPEN), 0), else_=1)
    comes = case((Call.state.in_(OPEN), Call.starts_at))
    return whole(query).order_by(is_past, comes, Call.starts_at.desc(), Call.id.desc())
