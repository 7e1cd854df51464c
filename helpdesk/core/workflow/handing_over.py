"""Tickets whose customer is another record of the same person from now on, and back."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, insert, select

from helpdesk.core.events.record import record_all
from helpdesk.core.extensions import db
from helpdesk.core.models import Follower, PersonMerge, PersonMergeRow, Ticket, User
from helpdesk.core.moved_rows import forget_rows
from helpdesk.core.workflow.editing import KIND

# The field that the history names.
REQUESTER = "requester"
ASKED = "ticket.requester_id"
# The merged person followed; the survivor got that row; the survivor's own row went, or reads from an earlier moment.
FOLLOWED, GIVEN, OWN, SINCE = "follower.user_id", "follower.given", "follower.own", "follower.since"
_FOLLOWS = (FOLLOWED, GIVEN, OWN, SINCE)
_DIRECT: dict[str, Any] = {"synchronize_session": False}
_CHUNK = 200


def hand_over(merge: PersonMerge, to: User, actor: User | None) -> int:
    """Make ``to`` the customer of all that the merged person asked for and follows; the number of tickets asked for.

    Each is noted with the merge, and in the history of the ticket, whose place in lists stays: nothing has happened
    that somebody must look at. Joins the open transaction; the permission is the caller's matter.
    """
    query = select(Ticket).where(Ticket.requester_id == merge.merged_id)
    count = 0
    for rows in _chunks(query):
        db.session.execute(insert(PersonMergeRow), [_note(merge, ASKED, ticket.id) for ticket in rows])
        _change(rows, merge.merged, to, actor)
        count += len(rows)
        db.session.flush()
    _hand_over_follows(merge, to)
    return count


def hand_back(merge: PersonMerge, holder: User, actor: User | None) -> int:
    """Undo :func:`hand_over`: of what it moved, all that ``holder`` still asks for; the number of tickets."""
    moved = select(PersonMergeRow.row_id).where(PersonMergeRow.merge_id == merge.id, PersonMergeRow.place == ASKED)
    holders = {merge.survivor_id, holder.id}
    count = 0
    for rows in _chunks(select(Ticket).where(Ticket.id.in_(moved), Ticket.requester_id.in_(holders))):
        _change(rows, holder, merge.merged, actor)
        count += len(rows)
        db.session.flush()
    _hand_back_follows(merge, holder)
    forget_rows(merge, ASKED)
    return count


def _chunks(query: Select[Ticket]) -> Iterator[list[Ticket]]:
    last = 0
    while True:
        page = query.where(Ticket.id > last).order_by(Ticket.id).limit(_CHUNK).with_for_update(of=Ticket)
        rows = list(db.session.scalars(page.execution_options(populate_existing=True)))
        if not rows:
            return
        last = rows[-1].id
        yield rows


def _change(tickets: Sequence[Ticket], before: User, after: User, actor: User | None) -> None:
    for ticket in tickets:
        ticket.requester_id = after.id
        ticket.version += 1
    # By number as well: erasing one of them finds the name again.
    data = {"field": REQUESTER, "from": before.display_name, "to": after.display_name}
    record_all(KIND, tickets, actor, {**data, "from_id": before.id, "to_id": after.id})


# ---- followers


def _hand_over_follows(merge: PersonMerge, to: User) -> None:
    theirs, mine = _follows(merge.merged_id), _follows(to.id)
    numbers = theirs.keys() | mine.keys()
    asked = set(db.session.scalars(select(Ticket.id).where(Ticket.requester_id == to.id, Ticket.id.in_(numbers))))
    notes = []
    for number, row in theirs.items():
        notes.append(_note(merge, FOLLOWED, number, row.since))
        if number not in asked | mine.keys():
            notes.append(_note(merge, GIVEN, number, row.since))
            db.session.add(Follower(ticket_id=number, user_id=to.id, since=row.since))
        elif number not in asked and row.since < mine[number].since:
            notes.append(_note(merge, SINCE, number, mine[number].since))
            mine[number].since = row.since
        db.session.delete(row)
    # Who asks follows already.
    for number in asked & mine.keys():
        notes.append(_note(merge, OWN, number, mine[number].since))
        db.session.delete(mine[number])
    if notes:
        db.session.execute(insert(PersonMergeRow), notes)
    db.session.flush()


def _hand_back_follows(merge: PersonMerge, holder: User) -> None:
    mine = (PersonMergeRow.merge_id == merge.id, PersonMergeRow.place.in_(_FOLLOWS))
    notes = {(row.place, row.row_id): row.since for row in db.session.scalars(select(PersonMergeRow).where(*mine))}
    theirs, held = _follows(merge.merged_id), _follows(holder.id)
    numbers = {number for _place, number in notes}
    found = db.session.execute(select(Ticket.id, Ticket.requester_id).where(Ticket.id.in_(numbers)))
    requesters = {number: person for number, person in found}
    for (place, number), since in notes.items():
        if number not in requesters:
            continue
        if place == GIVEN and number in held:
            db.session.delete(held[number])
        elif place == SINCE and number in held:
            held[number].since = since or held[number].since
        elif place == OWN and number not in held and requesters[number] != holder.id:
            db.session.add(Follower(ticket_id=number, user_id=holder.id, since=since))
        elif place == FOLLOWED and number not in theirs and requesters[number] != merge.merged_id:
            db.session.add(Follower(ticket_id=number, user_id=merge.merged_id, since=since))
    db.session.execute(delete(PersonMergeRow).where(*mine).execution_options(**_DIRECT))
    db.session.flush()


def _follows(user_id: int) -> dict[int, Follower]:
    rows = db.session.scalars(select(Follower).where(Follower.user_id == user_id))
    return {row.ticket_id: row for row in rows}


def _note(merge: PersonMerge, place: str, row_id: int, since: datetime | None = None) -> dict[str, Any]:
    return {"merge_id": merge.id, "place": place, "row_id": row_id, "since": since}
