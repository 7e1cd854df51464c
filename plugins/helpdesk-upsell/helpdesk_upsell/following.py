"""What belongs to a customer follows when two people turn out to be one, and goes back when they do not."""

from sqlalchemy import select, update

from helpdesk.api import db, hookimpl, move_back, move_rows
from helpdesk_upsell import profiles
from helpdesk_upsell.models import Suggestion, Trial


@hookimpl
def people_merged(merge_id: int, survivor_id: int, merged_id: int) -> None:
    """Suggestions and trials become the survivor's. Of the same rule she has had two trials then: in the same group
    the second one is left out, in different groups both are, since she is in neither.
    """
    survivors = {one.key: one for one in db.session.scalars(select(Trial).where(Trial.user_id == survivor_id))}
    for trial in db.session.scalars(select(Trial).where(Trial.user_id == merged_id)).all():
        there = survivors.get(trial.key)
        if there is None:
            continue
        trial.home_user_id, trial.user_id, trial.dropped = merged_id, None, True
        if there.held != trial.held:
            there.dropped = True
    db.session.flush()
    move_rows(merge_id, Trial.user_id)
    move_rows(merge_id, Suggestion.user_id)
    profiles.forget([survivor_id, merged_id])


@hookimpl
def people_unmerged(merge_id: int, survivor_id: int, merged_id: int) -> None:
    """Each gets back what was hers."""
    move_back(merge_id, Trial.user_id)
    move_back(merge_id, Suggestion.user_id)
    hers = (Trial.home_user_id == merged_id, Trial.user_id.is_(None))
    keys = list(db.session.scalars(select(Trial.key).where(*hers)))
    db.session.execute(update(Trial).where(*hers).values(user_id=merged_id, home_user_id=None, dropped=False))
    db.session.execute(update(Trial).where(Trial.user_id == survivor_id, Trial.key.in_(keys)).values(dropped=False))
    profiles.forget([survivor_id, merged_id])
