"""Who has left is taken off the ladder, and some time later forgotten."""

from datetime import timedelta

from sqlalchemy import not_, or_, select

from helpdesk.api import User, Work, db, now, settings, speaking, transaction
from helpdesk.api import gettext as _
from helpdesk_career import records
from helpdesk_career.models import ENDED, OPEN, Assessment, Goal, Person, Proposal, Recognition, Review
from helpdesk_career.personal import forget
from helpdesk_career.scopes import here, is_here
from helpdesk_career.settings import CareerSettings

_BATCH = 50


def end_those_who_left() -> int:
    """Close the history of everybody with a level, or proposed for one, who is not of staff any more; how many."""
    proposed = select(Proposal.user_id).where(Proposal.state == OPEN)
    recorded = [User.id.in_(select(table.user_id)) for table in (Goal, Review, Assessment, Recognition)]
    # Of who never had a level something may be kept as well.
    unended = or_(Person.level_id.is_not(None), User.id.in_(proposed), Person.left_at.is_(None) & or_(*recorded))
    query = select(User.id).outerjoin(Person, Person.user_id == User.id).where(not_(here()), unended).order_by(User.id)
    numbers = db.session.scalars(query).all()
    for number in numbers:
        with transaction(), speaking(None):
            _end(db.session.get(User, number))
    return len(numbers)


def _end(user: User | None) -> None:
    # They may have come back since.
    if user is None or is_here(user):
        return
    person = records.locked(user)
    why = _("They do not work here any more.")
    records.withdraw_open(user, why)
    if person.level_id is not None:
        records.add_step(person, user, None, ENDED, why, None, now(), {})
    elif person.left_at is None:
        person.left_at = now()


def forget_those_who_left() -> int:
    """Delete what is kept of people who left longer ago than the owner has set; how many."""
    days = settings(CareerSettings).keep_days
    if not days:
        return 0
    # Who has only left the ladder still works here: nothing of theirs is deleted.
    query = select(Person.user_id).join(User, User.id == Person.user_id).where(not_(here()))
    query = query.where(Person.left_at < now() - timedelta(days=days), Person.level_id.is_(None))
    numbers = db.session.scalars(query.order_by(Person.user_id)).all()
    for start in range(0, len(numbers), _BATCH):
        with transaction():
            for number in numbers[start : start + _BATCH]:
                forget(number)
    return len(numbers)


def keep(work: Work) -> dict[str, int]:
    """Once a night: end, forget (a job in steps; what was done is not done again)."""
    return {"ended": end_those_who_left(), "forgotten": forget_those_who_left()}
