"""What a survivor gets beside the messages when another ticket is merged into it, and what it gives back."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import aliased

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Follower, Promise, ReplyDraft, Tag, Ticket, TicketFieldValue
from helpdesk.core.models.promise import WITHDRAWN
from helpdesk.core.workflow.alarms import open_promise
from helpdesk.core.workflow.editing import TAGS
from helpdesk.core.workflow.following import add_followers

_VALUES = ("text", "number", "date")
_DIRECT: dict[str, Any] = {"synchronize_session": False}


def gather(survivor: Ticket, other: Ticket) -> dict[str, Any]:
    """Join tags, followers, fields, due date, promise and drafts inside the open transaction.

    Both are locked. Answers what came, for :func:`take_apart`: numbers only, nobody's words.
    """
    return {
        "tags": _tags(survivor, other),
        "followers": _followers(survivor, other),
        "fields": _fields(survivor, other),
        "facts": _facts(survivor, other),
        "due": _due(survivor, other),
        "promise": _promise(survivor, other),
        "drafts": _drafts(survivor, other),
        # After all others: whoever followed later was not added by this.
        "at": now().isoformat(),
    }


def take_apart(survivor: Ticket, merged: Ticket, data: dict[str, Any]) -> None:
    """Give back what :func:`gather` brought and nobody changed since, inside the open transaction."""
    tags = set(data.get("tags", ()))
    survivor.tags = [tag for tag in survivor.tags if tag.id not in tags]
    gone = delete(Follower).where(Follower.ticket_id == survivor.id, Follower.user_id.in_(data.get("followers", ())))
    db.session.execute(gone.where(Follower.since <= datetime.fromisoformat(data["at"])).execution_options(**_FETCH))
    _take_fields(survivor, merged, data.get("fields", ()))
    for name, value in data.get("facts", {}).items():
        if getattr(survivor, name) == value:
            setattr(survivor, name, None)
    before, after, theirs = data.get("due") or (None, None, None)
    merged.due_at = moment(theirs)
    if before != after and survivor.due_at == moment(after):
        survivor.due_at = moment(before)
    _take_promise(survivor, merged, data.get("promise") or {})


def moment(text: str | None) -> datetime | None:
    """A moment as :func:`gather` notes it."""
    return datetime.fromisoformat(text) if text else None


_FETCH: dict[str, Any] = {"synchronize_session": "fetch"}


def _tags(survivor: Ticket, other: Ticket) -> list[int]:
    known = {tag.id for tag in survivor.tags}
    new: list[Tag] = [tag for tag in other.tags if tag.id not in known][: max(0, TAGS - len(known))]
    survivor.tags = [*survivor.tags, *new]
    return [tag.id for tag in new]


def _followers(survivor: Ticket, other: Ticket) -> list[int]:
    """Who follows the other one or asked for it follows from now on; nothing older is shown or sent to them."""
    theirs = db.session.scalars(select(Follower.user_id).where(Follower.ticket_id == other.id))
    return add_followers(survivor, [other.requester_id, *theirs])


def _fields(survivor: Ticket, other: Ticket) -> list[int]:
    query = select(TicketFieldValue).where(TicketFieldValue.ticket_id.in_((survivor.id, other.id)))
    rows = db.session.scalars(query).all()
    own = {row.field_id: row for row in rows if row.ticket_id == survivor.id}
    filled = []
    for row in rows:
        if row.ticket_id != other.id or _is_empty(row):
            continue
        mine = own.get(row.field_id)
        if mine is not None and not _is_empty(mine):
            continue
        if mine is None:
            mine = TicketFieldValue(ticket_id=survivor.id, field_id=row.field_id)
            db.session.add(mine)
        for name in _VALUES:
            setattr(mine, name, getattr(row, name))
        filled.append(row.field_id)
    return filled


def _is_empty(row: TicketFieldValue) -> bool:
    return all(getattr(row, name) in (None, "") for name in _VALUES)


def _take_fields(survivor: Ticket, merged: Ticket, fields: Any) -> None:
    if not fields:
        return
    ids = (survivor.id, merged.id)
    query = select(TicketFieldValue).where(TicketFieldValue.ticket_id.in_(ids), TicketFieldValue.field_id.in_(fields))
    rows = {(row.ticket_id, row.field_id): row for row in db.session.scalars(query)}
    for field in fields:
        mine, theirs = rows.get((survivor.id, field)), rows.get((merged.id, field))
        if mine is None or theirs is None:
            continue
        if all(getattr(mine, name) == getattr(theirs, name) for name in _VALUES):
            db.session.delete(mine)


def _facts(survivor: Ticket, other: Ticket) -> dict[str, int]:
    found = {}
    for name in ("type_id", "topic_id"):
        value = getattr(other, name)
        if value is not None and getattr(survivor, name) is None:
            setattr(survivor, name, value)
            found[name] = value
    return found


def _due(survivor: Ticket, other: Ticket) -> list[str | None]:
    before = survivor.due_at
    survivor.due_at = min(filter(None, (before, other.due_at)), default=None)
    return [_text(before), _text(survivor.due_at), _text(other.due_at)]


def _promise(survivor: Ticket, other: Ticket) -> dict[str, Any]:
    """The earlier one counts; the other rests until the merge is undone."""
    mine, theirs = open_promise(survivor), open_promise(other)
    if theirs is None:
        return {}
    if mine is not None and mine.due_at <= theirs.due_at:
        theirs.outcome, theirs.settled_at = WITHDRAWN, now()
        return {"rests": theirs.id}
    if mine is not None:
        mine.outcome, mine.settled_at = WITHDRAWN, now()
    theirs.ticket_id = survivor.id
    survivor.promised_at = theirs.due_at
    return {"moved": theirs.id, "instead_of": mine.id if mine is not None else None}


def _take_promise(survivor: Ticket, merged: Ticket, data: dict[str, Any]) -> None:
    if rests := _promise_of(data.get("rests"), merged):
        _reopen(rests, merged)
    moved = _promise_of(data.get("moved"), survivor)
    if moved is None or moved.outcome is not None:
        # It was kept, broken or taken back where it went.
        return
    moved.ticket_id = merged.id
    merged.promised_at, survivor.promised_at = moved.due_at, None
    db.session.flush()
    if before := _promise_of(data.get("instead_of"), survivor):
        _reopen(before, survivor)


def _promise_of(number: int | None, ticket: Ticket) -> Promise | None:
    found = db.session.get(Promise, number) if number is not None else None
    return found if found is not None and found.ticket_id == ticket.id else None


def _reopen(promise: Promise, ticket: Ticket) -> None:
    if promise.outcome == WITHDRAWN:
        promise.outcome = promise.settled_at = None
        ticket.promised_at = promise.due_at


def _drafts(survivor: Ticket, other: Ticket) -> int:
    """What somebody is writing on the other one goes along, to be looked at once more before it is sent.

    Not to another customer, not beside what the same person writes on the survivor, and not what is being sent.
    """
    if survivor.requester_id != other.requester_id:
        return 0
    known = aliased(ReplyDraft)
    same = exists().where(
        known.ticket_id == survivor.id,
        known.user_id == ReplyDraft.user_id,
        known.visibility == ReplyDraft.visibility,
    )
    moved: Any = db.session.execute(
        update(ReplyDraft)
        .where(ReplyDraft.ticket_id == other.id, ReplyDraft.send_at.is_(None), ~same)
        .values(ticket_id=survivor.id, version=0)
        .execution_options(**_DIRECT)
    )
    return int(moved.rowcount)


def _text(at: datetime | None) -> str | None:
    return at.isoformat() if at is not None else None
