"""Two records of a customer become one: what was asked and answered follows, and goes back."""

from typing import Any

from helpdesk_surveys.models import Invitation, Response, Suppression
from helpdesk_surveys.personal import export_personal_data

from helpdesk.api import User, db, merge_people, transaction, unmerge_people


def test_answers_follow_and_go_back(
    survey: Any, solved: Any, make_ticket: Any, make_user: Any, anna: User, agent: User, boss: User, run_jobs: Any
) -> None:
    """people_merged, people_unmerged: rows go along, and come back."""
    other = make_user(name="A. Berg", email="anna@home.example")
    made = survey()
    asked = solved(make_ticket(requester=other, assignee=agent))
    own = solved()
    with transaction():
        db.session.add(
            Response(survey_id=made.id, version_id=asked.version_id, invitation_id=asked.id, user_id=other.id, score=5)
        )
        db.session.add(Suppression(survey_id=made.id, user_id=other.id, why="recent"))
    before = export_personal_data(user=anna), export_personal_data(user=other)
    assert own.user_id == anna.id and len(before[1]["answers"]) == 1

    merge = merge_people(anna, other, boss)
    run_jobs()
    db.session.expire_all()
    mine = export_personal_data(user=anna)
    assert (len(mine["asked"]), len(mine["answers"]), len(mine["not_asked"])) == (2, 1, 1)
    assert export_personal_data(user=other) == {}

    unmerge_people(merge, boss)
    run_jobs()
    db.session.expire_all()
    assert (export_personal_data(user=anna), export_personal_data(user=other)) == before
    assert db.session.scalar(db.select(Invitation.user_id).where(Invitation.id == asked.id)) == other.id
