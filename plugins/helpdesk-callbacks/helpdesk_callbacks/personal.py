"""What the plugin keeps about a person: calls that were promised to them, and, of staff, those that they made."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import JSON, ColumnElement, delete, select, type_coerce, update

from helpdesk.api import Event, User, db, hookimpl
from helpdesk_callbacks.models import Attempt, Call, Feed

# The history says these in words that may hold a name or what was said.
_TOLD = ("tried", "cancelled", "handed_over")


@hookimpl
def export_personal_data(user: User) -> Mapping[str, Any]:
    """The calls with the tries and their notes; of staff the tries that they made, and that they have a calendar."""
    calls = db.session.scalars(select(Call).where(Call.person_id == user.id).order_by(Call.id)).all()
    tries: dict[int, list[dict[str, Any]]] = {}
    query = select(Attempt).join(Call, Call.id == Attempt.call_id).where(Call.person_id == user.id)
    for one in db.session.scalars(query.order_by(Attempt.id)):
        tries.setdefault(one.call_id, []).append(
            {"at": one.at.isoformat(), "outcome": one.outcome, "note": one.note, "next_step": one.next_step}
        )
    made = select(Attempt.call_id, Attempt.at, Attempt.outcome).where(Attempt.agent_id == user.id).order_by(Attempt.id)
    found = {
        "calls": [_call(call, tries.get(call.id, [])) for call in calls],
        "made": [
            {"call": number, "at": at.isoformat(), "outcome": what} for number, at, what in db.session.execute(made)
        ],
        "calendar": db.session.get(Feed, user.id) is not None,
    }
    return found if any(found.values()) else {}


@hookimpl
def erase_personal_data(user: User) -> None:
    """Their calls go with all tries; of staff their calendar goes, and calls and tries stay without them."""
    # By the number of the call: its history may stand on several tickets, where one went into another.
    calls = select(Call.id).where(Call.person_id == user.id)
    _blank_history(type_coerce(Event.data, JSON)["call"].as_integer().in_(calls))
    if user.is_staff:
        _blank_history(Event.kind == "callbacks.handed_over", user.display_name)
    db.session.execute(delete(Call).where(Call.person_id == user.id))
    for column in (Call.agent_id, Call.created_by_id):
        db.session.execute(update(Call).where(column == user.id).values({column: None}))
    db.session.execute(update(Attempt).where(Attempt.agent_id == user.id).values(agent_id=None))
    db.session.execute(delete(Feed).where(Feed.agent_id == user.id))


def _call(call: Call, tries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {
        "ticket": call.ticket_id,
        "from": call.starts_at.isoformat(),
        "until": call.ends_at.isoformat(),
        "zone": call.zone,
        "phone": call.phone,
        "reason": call.reason,
        "state": call.state,
        "outcome": call.outcome,
        "tries": list(tries),
    }


def _blank_history(where: ColumnElement[bool], name: str = "") -> None:
    """Take the words out of what the tickets' history says of calls: all, or where they hold a name."""
    kinds = [f"callbacks.{kind}" for kind in _TOLD]
    for event in db.session.scalars(select(Event).where(where, Event.kind.in_(kinds))):
        if not name or name in str(event.data.get("text", "")):
            event.data = {key: value for key, value in event.data.items() if key not in ("text", "why")}
