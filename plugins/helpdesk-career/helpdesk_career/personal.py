"""What is kept of a person: exported whole, erased whole, and deleted some time after they left."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import JSON, delete, func, select, type_coerce, update

from helpdesk.api import Event, User, db, drop_cached, hookimpl
from helpdesk_career.models import (
    Assessment,
    Competence,
    Goal,
    GoalEntry,
    Level,
    Measure,
    Person,
    Proposal,
    Recognition,
    Review,
    Step,
)

# Corrections before what they correct, parts before the whole.
_OWN = (Step, Proposal, Assessment, Review, Recognition, Goal, Measure, Person)
_WRITERS = (
    Step.by_id, Proposal.by_id, Proposal.decided_by_id, Goal.by_id, GoalEntry.by_id, Review.by_id, Assessment.by_id,
    Recognition.by_id,
)  # fmt: skip


@hookimpl
def export_personal_data(user: User) -> Mapping[str, Any]:
    """Level, history with its evidence, measures, goals, reviews that were shared, assessments, recognition, proposals;
    and how much they wrote about others."""
    person = db.session.get(Person, user.id)
    steps = db.session.scalars(select(Step).where(Step.user_id == user.id).order_by(Step.id)).all()
    measures = select(Measure).where(Measure.user_id == user.id)
    measures = measures.order_by(Measure.criterion, Measure.choice, Measure.days)
    found: dict[str, Any] = {
        "level": _level(person),
        "history": [
            {
                "kind": one.kind, "level": one.level_name, "from": one.from_name, "since": _iso(one.held_from),
                "written": _iso(one.made_at), "why": one.why, "evidence": one.evidence, "corrects": one.corrects_id,
                "number": one.id,
            }
            for one in steps
        ],
        "measures": [
            {"what": one.criterion, "choice": one.choice, "days": one.days, "value": one.value, "count": one.count}
            for one in db.session.scalars(measures)
        ],
        "proposals": [
            {
                "state": one.state, "why": one.why, "evidence": one.evidence, "made": _iso(one.made_at),
                "decided": _iso(one.decided_at), "answer": one.answer,
            }
            for one in db.session.scalars(select(Proposal).where(Proposal.user_id == user.id).order_by(Proposal.id))
        ],
        **_written(user),
    }  # fmt: skip
    wrote = {column.class_.__tablename__: _count(column, user) for column in _WRITERS}
    found["wrote_about_others"] = {name: number for name, number in wrote.items() if number}
    return found if any(found.values()) else {}


def _written(user: User) -> dict[str, Any]:
    goals = db.session.scalars(select(Goal).where(Goal.user_id == user.id).order_by(Goal.id))
    reviews = db.session.scalars(
        select(Review).where(Review.user_id == user.id, Review.state != "draft").order_by(Review.id)
    )
    assessed = select(Assessment, Competence.name).join(Competence).where(Assessment.user_id == user.id)
    given = db.session.scalars(select(Recognition).where(Recognition.user_id == user.id).order_by(Recognition.id))
    return {
        "goals": [
            {
                "text": one.text, "due": _iso(one.due_on), "state": one.state,
                "entries": [{"state": each.state, "note": each.note, "at": _iso(each.at)} for each in one.entries],
            }
            for one in goals
        ],
        "reviews": [
            {
                "name": one.name, "shared": _iso(one.shared_at), "reply": one.reply,
                "answers": {item["text"]: one.answers.get(item["key"]) for item in one.items},
            }
            for one in reviews
        ],
        "assessments": [
            {"competence": name, "grade": one.grade, "why": one.why, "at": _iso(one.at)}
            for one, name in db.session.execute(assessed.order_by(Assessment.id))
        ],
        "recognition": [
            {"kind": one.kind, "text": one.text, "worth": one.worth, "at": _iso(one.at), "corrects": one.corrects_id}
            for one in given
        ],
    }  # fmt: skip


@hookimpl
def erase_personal_data(user: User) -> None:
    """All that is theirs goes; what they wrote about others stays, and says no more who wrote it."""
    forget(user.id)
    for column in _WRITERS:
        db.session.execute(update(column.class_).where(column == user.id).values({column: None}))
    # The record of facts says who got which level: no longer who.
    data = type_coerce(Event.data, JSON)
    mine = (Event.kind == "career_level_changed", data["user_id"].as_integer() == user.id)
    for event in db.session.scalars(select(Event).where(*mine)):
        event.data = {**event.data, "user_id": 0}


def forget(user_id: int) -> None:
    """Delete all that is kept of somebody. Inside the open transaction."""
    db.session.execute(delete(GoalEntry).where(GoalEntry.goal_id.in_(select(Goal.id).where(Goal.user_id == user_id))))
    for table in _OWN:
        db.session.execute(
            delete(table).where(table.user_id == user_id), execution_options={"synchronize_session": False}
        )
    db.session.expire_all()
    drop_cached()


def _level(person: Person | None) -> dict[str, Any] | None:
    if person is None or person.level_id is None:
        return None
    level = db.session.get_one(Level, person.level_id)
    return {"level": level.name or level.key, "since": _iso(person.since)}


def _count(column: Any, user: User) -> int:
    return db.session.scalar(select(func.count()).where(column == user.id)) or 0


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment is not None else None
