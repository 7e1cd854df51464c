"""With the plugins of surveys and training: what happens there makes somebody be measured anew, and names are shared.

The facts surveys_answered, training_course_completed, training_certificate_expired; the slots training_groups and
training_skills.
"""

from typing import Any

import pytest
from helpdesk_career import competences, measuring
from helpdesk_career.models import Person

from helpdesk.api import assign, collect, db, publish, transaction
from helpdesk.testing.plugins import modules


@pytest.fixture
def desk_plugins(request: Any) -> dict[str, Any]:
    return modules(["career", "surveys", "training"], request.path)


def fact(name: str, ticket_id: int, user_id: int) -> dict[str, Any]:
    if name == "surveys_answered":
        return {
            "response_id": 1, "survey_id": 1, "kind": "csat", "score": 1, "comment": "", "ticket_id": ticket_id,
            "person_id": None, "changed": False,
        }  # fmt: skip
    more = {"assignment_id": 1, "score": None} if name == "training_course_completed" else {"revoked": False}
    return {"user_id": user_id, "course_id": 1, "certificate_id": 1, **more}


@pytest.mark.parametrize("name", ["surveys_answered", "training_course_completed", "training_certificate_expired"])
def test_what_others_tell_makes_somebody_be_measured_anew(
    app: Any, junior: Any, make_ticket: Any, run_jobs: Any, name: str
) -> None:
    ticket = make_ticket()
    assign(ticket, junior, None)
    run_jobs()
    measuring.measure()
    db.session.expire_all()
    assert not db.session.get_one(Person, junior.id).stale
    with transaction():
        publish(name, **fact(name, ticket.id, junior.id))
    run_jobs()
    db.session.expire_all()
    assert db.session.get_one(Person, junior.id).stale


def test_training_knows_the_levels_and_the_competences(app: Any, junior: Any, levels: Any) -> None:
    competences.save(None, "Refunds", "", None)
    groups = {one["key"]: one for one in collect("training_groups")}
    held = groups[f"career.level:{levels['junior'].id}"]
    assert (held["label"], held["user_ids"]) == ("Junior agent (Customer service)", [junior.id])
    assert groups[f"career.level:{levels['senior'].id}"]["user_ids"] == []
    assert "Refunds" in collect("training_skills")
