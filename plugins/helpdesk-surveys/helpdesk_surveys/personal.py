"""What the plugin keeps about a person: when they were asked, what they answered; of staff, whose work it was."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, delete, or_, select, type_coerce, update
from sqlalchemy.orm import joinedload

from helpdesk.api import Event, User, db, hookimpl
from helpdesk_surveys.counting import forget_agent
from helpdesk_surveys.models import PLANNED, SUPPRESSED, FollowUp, Invitation, Response, Suppression, Version


@hookimpl
def export_personal_data(user: User) -> Mapping[str, Any]:
    """Invitations, answers with their words, and when somebody was left out. Anonymous answers are nobody's."""
    asked = select(Invitation).where(Invitation.user_id == user.id).options(joinedload(Invitation.survey))
    given = select(Response).where(Response.user_id == user.id).options(joinedload(Response.survey))
    left = select(Suppression).where(Suppression.user_id == user.id).options(joinedload(Suppression.survey))
    found = {
        "asked": [
            {"survey": one.survey.name, "at": _iso(one.sent_at), "ticket": one.ticket_id, "state": one.state}
            for one in db.session.scalars(asked.order_by(Invitation.id))
        ],
        "answers": [
            {
                "survey": one.survey.name, "at": _iso(one.answered_at), "ticket": one.ticket_id, "score": one.score,
                "comment": one.comment, "answers": one.answers,
            }
            for one in db.session.scalars(given.order_by(Response.id))
        ],
        "not_asked": [
            {"survey": one.survey.name, "at": _iso(one.at), "why": one.why}
            for one in db.session.scalars(left.order_by(Suppression.id))
        ],
    }  # fmt: skip
    return found if any(found.values()) else {}


@hookimpl
def erase_personal_data(user: User) -> None:
    """Scores stay and are nobody's; words, and all that leads to the person, go. Of staff their name goes alike."""
    mine = select(Response.id).where(Response.user_id == user.id)
    db.session.execute(update(FollowUp).where(FollowUp.response_id.in_(mine)).values(note="", told=""))
    _blank_history(user)
    db.session.execute(delete(Suppression).where(Suppression.user_id == user.id))
    waits = (Invitation.user_id == user.id, Invitation.state == PLANNED)
    db.session.execute(update(Invitation).where(*waits).values(state=SUPPRESSED, due_at=None))
    # The key goes too: no link in an old mail opens anything.
    db.session.execute(
        update(Invitation).where(Invitation.user_id == user.id).values(user_id=None, ticket_id=None, key="")
    )
    db.session.execute(
        update(Response)
        .where(Response.user_id == user.id)
        .values(user_id=None, ticket_id=None, invitation_id=None, comment="", answers={}, ballot=None)
    )
    for table in (Response, Invitation):
        db.session.execute(update(table).where(table.agent_id == user.id).values(agent_id=None))
    forget_agent(user.id)
    for column in (Invitation.asked_by_id, Suppression.actor_id, FollowUp.marked_by_id, Version.made_by_id):
        db.session.execute(update(column.class_).where(column == user.id).values({column: None}))


def _blank_history(user: User) -> None:
    """Take the score out of what tickets' histories say of their answers."""
    data = type_coerce(Event.data, JSON)
    mine = or_(Event.actor_id == user.id, data["person"].as_integer() == user.id)
    for event in db.session.scalars(select(Event).where(Event.kind == "surveys.given", mine)):
        event.data = {key: value for key, value in event.data.items() if key not in ("score", "text")}


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
