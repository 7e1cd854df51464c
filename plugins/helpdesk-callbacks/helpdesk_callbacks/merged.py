"""Calls follow their ticket: into the one that took it in, and back when that is undone."""

from collections.abc import Mapping

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import joinedload

from helpdesk.api import Ticket, db
from helpdesk.api import gettext as _
from helpdesk_callbacks.calls import note_event
from helpdesk_callbacks.links import LONGEST
from helpdesk_callbacks.models import Call

# So many places are looked at in one go, those of the newest tickets first.
_MOST = 2_000


def follow_merges() -> int:
    """Put each call onto the ticket that it goes on in; how many were moved. Inside the transaction.

    Where a call was booked is remembered, so that it goes back with its ticket.
    """
    wrong = out_of_place()
    if not wrong:
        return 0
    query = (
        select(Call)
        .where(Call.ticket_id.in_({place for _home, place in wrong}))
        .order_by(Call.id)
        .options(joinedload(Call.ticket))
    )
    moved = 0
    for call in db.session.scalars(query).all():
        home = call.home_id or call.ticket_id
        end = wrong.get((home, call.ticket_id))
        if end is None:
            continue
        call.home_id = home if end != home else None
        call.ticket = db.session.get_one(Ticket, end)
        note_event(call, "followed", None, _("A promised call came along from #%(number)s.", number=home))
        moved += 1
    return moved


def is_on(ticket: Ticket) -> ColumnElement[bool]:
    """That a call is on the ticket, or comes there with the next look: on one that went into it a moment ago."""
    merged = select(Ticket.id).where(Ticket.merged_into_id == ticket.id)
    return or_(Call.ticket_id == ticket.id, Call.ticket_id.in_(merged))


def out_of_place() -> Mapping[tuple[int, int], int]:
    """Where calls were booked and are, with where they belong, of those that are elsewhere. Three queries mostly."""
    merged = select(Ticket.id).where(Ticket.merged_into_id.is_not(None))
    away = select(Call.home_id, Call.ticket_id).where(Call.home_id.is_not(None)).distinct()
    here = select(Call.ticket_id).where(Call.ticket_id.in_(merged), Call.home_id.is_(None)).distinct()
    pairs = {(home, place) for home, place in db.session.execute(away.order_by(Call.home_id.desc()).limit(_MOST))}
    pairs |= {(place, place) for place in db.session.scalars(here.order_by(Call.ticket_id.desc()).limit(_MOST))}
    ends = _ends({home for home, _place in pairs})
    return {(home, place): ends[home] for home, place in pairs if ends[home] != place}


def _ends(numbers: set[int]) -> Mapping[int, int]:
    """Where each of the tickets goes on. A query for each level of merges."""
    found = {number: number for number in numbers}
    for _level in range(LONGEST if numbers else 0):
        query = select(Ticket.id, Ticket.merged_into_id).where(
            Ticket.id.in_(set(found.values())), Ticket.merged_into_id.is_not(None)
        )
        onward = {number: target for number, target in db.session.execute(query)}
        if not onward:
            break
        found = {number: onward.get(place, place) for number, place in found.items()}
    return found
