"""Make one ticket of several, and take that back."""

from collections.abc import Collection, Sequence
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update

from helpdesk.core import search, statuses
from helpdesk.core.clock import now
from helpdesk.core.events.record import record
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Ticket, TicketMerge, User
from helpdesk.core.models.ticket import CLOSED, NEW, ON_HOLD, OPEN, PENDING, SOLVED
from helpdesk.core.permissions import require
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import alarms, gathering, showing
from helpdesk.core.workflow.errors import Invalid
from helpdesk.core.workflow.families import locked, merges_within, survivor_number
from helpdesk.core.workflow.locking import touch
from helpdesk.core.workflow.statuses import change_status

# Recorded on the survivor, on each that went into it, and on both sides when it is undone.
MERGED, WENT_INTO, UNDONE = "tickets_merged", "ticket_merged_away", "merge_undone"
# So many go into one at once.
MOST = 20
_DIRECT: dict[str, Any] = {"synchronize_session": False}


def merge(
    survivor: Ticket, others: Collection[Ticket], actor: User | None, different_people: bool = False
) -> list[TicketMerge]:
    """Let ``others`` go on in ``survivor``: their messages move to it, and they are closed. One row for each.

    Tags and followers are joined, empty fields filled, the earliest due date and promise count. Whoever asked for one
    of the others follows the survivor from now on, and sees nothing that was written there before; that takes
    ``different_people``. Records ``tickets_merged`` on the survivor and ``ticket_merged_away`` on each other one. Any
    number of messages takes the same few statements. Joins or opens the transaction; locks in the order of numbers.

    Raises :class:`Invalid` (nothing to merge, too many, one that was merged already, a closed survivor, different
    people), :class:`NotAllowed`.
    """
    numbers = {other.id for other in others}
    for ticket in (survivor, *others):
        require(actor, "ticket.edit", ticket)
    if not numbers:
        raise Invalid("others", _("Choose at least two tickets to merge."))
    if survivor.id in numbers:
        raise Invalid("others", _("A ticket cannot be merged into itself."))
    if len(numbers) > MOST:
        raise Invalid("others", _("At most %(number)s tickets can be merged at once.", number=MOST))
    with transaction():
        found = locked({survivor.id, *numbers})
        chosen = [found[number] for number in sorted(numbers)]
        _check(survivor, chosen, different_people)
        touch(survivor)
        rows = [_take_in(survivor, other, actor) for other in chosen]
        showing.show_newest(survivor)
        alarms.set_alarm(survivor)
        data = {"merges": [row.id for row in rows], "tickets": [row.merged_id for row in rows]}
        record(MERGED, survivor, actor, data)
    return rows


def unmerge(merge: TicketMerge, actor: User | None) -> TicketMerge:
    """Undo a merge: exactly the messages that it brought go back, wherever they are by now. Once is enough.

    What was written since stays with the survivor. The merged ticket is as it was before; the survivor loses what it
    got by this merge and nobody changed since (tags, followers, fields, due date, promise, status). Records
    ``merge_undone`` on both. Joins or opens the transaction. Raises :class:`Invalid`, :class:`NotAllowed`.
    """
    require(actor, "ticket.edit", merge.survivor)
    require(actor, "ticket.edit", merge.merged)
    ids = (merge.survivor_id, merge.merged_id)
    with transaction():
        holder_id = db.session.scalar(survivor_number(ids[0])) or ids[0]
        found = locked({*ids, holder_id})
        db.session.refresh(merge)
        if merge.undone_at is not None:
            return merge
        survivor, merged, holder = found[ids[0]], found[ids[1]], found[holder_id]
        # It loses messages, wherever it is by now.
        require(actor, "ticket.edit", holder)
        if holder.merged_into_id is not None:
            raise Invalid("merge", _("This ticket was merged once more a moment ago. Try again."))
        count = _give_back(merge, merged, holder)
        merge.undone_at = now()
        merged.merged_into_id = None
        touch(merged)
        touch(holder)
        gathering.take_apart(survivor, merged, merge.data)
        _restore(merged, merge.data)
        showing.show_newest(holder)
        _restore_status(survivor, merge.data, actor)
        for ticket in (merged, survivor):
            alarms.set_alarm(ticket)
        data = {"merge": merge.id, "merged": merged.id, "survivor": survivor.id, "messages": count}
        for ticket in (merged, holder):
            record(UNDONE, ticket, actor, data)
    return merge


def _check(survivor: Ticket, others: Sequence[Ticket], different_people: bool) -> None:
    for ticket in (survivor, *others):
        if ticket.merged_into_id is not None:
            values = {"number": ticket.id, "survivor": ticket.merged_into_id}
            raise Invalid("others", _("#%(number)s was merged into #%(survivor)s already.", **values))
    if survivor.is_closed:
        raise Invalid(
            "survivor", _("#%(number)s is closed. Choose a ticket that is not, to go on in.", number=survivor.id)
        )
    if not different_people and any(other.requester_id != survivor.requester_id for other in others):
        raise Invalid(
            "different_people", _("These tickets are of different people. Say that both may read what comes next.")
        )


def _take_in(survivor: Ticket, other: Ticket, actor: User | None) -> TicketMerge:
    row = TicketMerge(survivor_id=survivor.id, merged_id=other.id, actor_id=actor.id if actor else None)
    row.data = _snapshot(other)
    db.session.add(row)
    db.session.flush()
    here = update(Message).where(Message.ticket_id == other.id).execution_options(**_DIRECT)
    # What came by an earlier merge keeps that one's mark: each can be undone by itself.
    moved: Any = db.session.execute(
        here.where(Message.merge_id.is_(None)).values(ticket_id=survivor.id, merge_id=row.id)
    )
    carried: Any = db.session.execute(here.values(ticket_id=survivor.id))
    search.mark_messages(select(Message.id).where(Message.ticket_id == survivor.id, Message.merge_id.is_not(None)))
    row.data = {
        **row.data,
        "messages": moved.rowcount + carried.rowcount,
        **gathering.gather(survivor, other),
        **_wake(survivor, other, actor),
    }
    _close(other, survivor)
    record(WENT_INTO, other, actor, {"merge": row.id, "into": survivor.id, "messages": row.data["messages"]})
    showing.forget_messages()
    return row


def _snapshot(ticket: Ticket) -> dict[str, Any]:
    moments = ("solved_at", "closed_at", "snoozed_until", "confirmed_at")
    found = {name: _text(getattr(ticket, name)) for name in moments}
    return {"status": ticket.status.key, "category": ticket.category, "snoozed_by": ticket.snoozed_by_id, **found}


def _wake(survivor: Ticket, other: Ticket, actor: User | None) -> dict[str, Any]:
    """A question that waits for us makes the survivor wait for us, too."""
    if other.category not in (NEW, OPEN) or survivor.category not in (PENDING, ON_HOLD, SOLVED):
        return {}
    before = survivor.status.key
    change_status(survivor, statuses.of_category(OPEN), actor, "merged")
    return {"survivor_status": [before, survivor.status.key]}


def _close(other: Ticket, survivor: Ticket) -> None:
    """Closed without being solved: nobody solved it, and no number counts it."""
    closed = statuses.of_category(CLOSED)
    touch(other)
    other.status, other.status_id, other.category = closed, closed.id, closed.category
    other.solved_at, other.closed_at = None, now()
    other.snoozed_until = other.snoozed_by_id = other.due_at = other.promised_at = other.alarm_at = None
    other.merged_into_id = survivor.id


def _give_back(merge: TicketMerge, merged: Ticket, holder: Ticket) -> int:
    """Move the messages of the merge, and of merges into what it merged, back; the number of them."""
    brought = list(db.session.scalars(merges_within(merged.id)))
    there = Message.ticket_id == holder.id
    back = update(Message).where(there, Message.merge_id.in_(brought)).values(ticket_id=merged.id)
    moved: Any = db.session.execute(back.execution_options(**_DIRECT))
    search.mark_messages(select(Message.id).where(Message.ticket_id == merged.id))
    mine = update(Message).where(Message.ticket_id == merged.id, Message.merge_id == merge.id)
    db.session.execute(mine.values(merge_id=None).execution_options(**_DIRECT))
    showing.forget_messages()
    return int(moved.rowcount)


def _restore(merged: Ticket, data: dict[str, Any]) -> None:
    status = statuses.by_key(data["status"])
    if status is None or status.category != data["category"]:
        status = statuses.of_category(data["category"])
    merged.status, merged.status_id, merged.category = status, status.id, status.category
    for name in ("solved_at", "closed_at", "snoozed_until", "confirmed_at"):
        setattr(merged, name, gathering.moment(data.get(name)))
    merged.snoozed_by_id = data.get("snoozed_by") if merged.snoozed_until else None


def _restore_status(survivor: Ticket, data: dict[str, Any], actor: User | None) -> None:
    """The survivor waits again as before, unless somebody chose another status since or wrote on it."""
    before, after = data.get("survivor_status") or (None, None)
    if before is None or survivor.status.key != after or survivor.merged_into_id is not None:
        return
    status = statuses.by_key(before)
    since = gathering.moment(data["at"])
    later = select(Message.id).where(Message.ticket_id == survivor.id, Message.created_at > since)
    if status is not None and db.session.scalar(later.limit(1)) is None:
        change_status(survivor, status, actor, "merge_undone")


def _text(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
