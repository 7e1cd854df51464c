"""Goals that people set for themselves or agree on with whoever leads them, and how they went."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import case, select
from sqlalchemy.orm import joinedload, selectinload

from helpdesk.api import Invalid, NotAllowed, User, db, require, transaction
from helpdesk.api import gettext as _
from helpdesk_career import words
from helpdesk_career.models import GOAL_OPEN, GOAL_STATES, Goal, GoalEntry
from helpdesk_career.permissions import LEAD, USE
from helpdesk_career.scopes import may_lead, sees


def add(user: User, text: str, due_on: date | None, actor: User | None) -> Goal:
    """Set a goal for oneself, or for somebody of one's teams. Joins or opens. Raises Invalid (text), NotAllowed."""
    _require(user, actor)
    said = words.clean(text, "text", needed=_("Say what is to be reached."))
    if due_on is not None and not 1970 <= due_on.year <= 9000:
        raise Invalid("due_on", _("Choose a day between 1970 and 9000."))
    with transaction():
        made = Goal(user_id=user.id, text=said, due_on=due_on, by_id=actor.id if actor else None)
        db.session.add(made)
        db.session.flush()
    return made


def tell(goal: Goal, state: str, note: str, actor: User | None) -> Goal:
    """Say how a goal stands, with some words; the entries before stay. The same twice is once. Joins or opens.

    Raises :class:`Invalid` (state, note), and :class:`NotAllowed`.
    """
    user = db.session.get_one(User, goal.user_id)
    _require(user, actor)
    if state not in GOAL_STATES:
        raise Invalid("state", _("Choose how the goal stands."))
    said = words.clean(note, "note")
    with transaction():
        query = select(Goal).where(Goal.id == goal.id).with_for_update(of=Goal)
        goal = db.session.scalars(query.execution_options(populate_existing=True)).one()
        last = goal.entries[-1] if goal.entries else None
        same = last is not None and (last.state, last.note, last.by_id) == (state, said, actor.id if actor else None)
        if same or (goal.state == state and not said):
            return goal
        goal.state = state
        goal.entries.append(GoalEntry(state=state, note=said, by_id=actor.id if actor else None))
        db.session.flush()
    return goal


def of(user: User, most: int = 100) -> Sequence[Goal]:
    """Somebody's goals, the open ones first, then the newest, with their entries. Two queries."""
    query = select(Goal).where(Goal.user_id == user.id)
    query = query.order_by(case((Goal.state == GOAL_OPEN, 0), else_=1), Goal.id.desc()).limit(most)
    return db.session.scalars(
        query.options(joinedload(Goal.by), selectinload(Goal.entries).joinedload(GoalEntry.by))
    ).all()


def find(actor: User, goal_id: int) -> Goal | None:
    """A goal, if ``actor`` sees whose it is."""
    goal = db.session.get(Goal, goal_id)
    return goal if goal is not None and sees(actor, goal.user_id) else None


def _require(user: User, actor: User | None) -> None:
    if actor is not None and actor.id == user.id:
        return require(actor, USE)
    if not may_lead(actor, user):
        raise NotAllowed(LEAD)
    return None
