"""Two records of a customer become one: the calls promised to either are the survivor's, until that is undone."""

from datetime import datetime, timedelta
from typing import Any

from helpdesk_callbacks.models import Call

from helpdesk.api import User, db, merge_people, unmerge_people


def test_calls_follow_and_go_back(
    promise: Any, make_ticket: Any, make_user: Any, anna: User, tomorrow: datetime, run_jobs: Any
) -> None:
    """people_merged, people_unmerged: rows go along, and come back."""
    other, boss = make_user(name="A. Berg", email="anna@home.example"), make_user("supervisor")
    mine = promise()
    theirs = promise(tomorrow + timedelta(hours=2), ticket=make_ticket(requester=other))
    assert (mine.person_id, theirs.person_id) == (anna.id, other.id)

    def people() -> dict[int, int]:
        db.session.expire_all()
        return dict(db.session.execute(db.select(Call.id, Call.person_id)).all())

    merge = merge_people(anna, other, boss)
    run_jobs()
    assert people() == {mine.id: anna.id, theirs.id: anna.id}
    since = promise(tomorrow + timedelta(hours=4), ticket=make_ticket(requester=anna))
    unmerge_people(merge, boss)
    run_jobs()
    assert people() == {mine.id: anna.id, theirs.id: other.id, since.id: anna.id}
