"""Everybody sees their own, supervisors their team; exported whole, erased whole.

The hooks export_personal_data, erase_personal_data and register_permissions.
"""

import json
from typing import Any

import pytest
from helpdesk_career import competences, goals, measuring, models, proposals, recognition, records, reviews, scopes
from helpdesk_career.personal import erase_personal_data, export_personal_data

from helpdesk.api import Event, db, transaction

_TABLES = ("Person", "Step", "Proposal", "Goal", "Review", "Assessment", "Recognition", "Measure")


@pytest.fixture
def everything(junior: Any, levels: Any, chief: Any, other_chief: Any, asks: Any, solved: Any, run_jobs: Any) -> Any:
    asks("intermediate", ("career.solved", 1))
    solved(junior)
    skill = competences.save(None, "Refunds", "", None)
    template = reviews.save_template(None, "Yearly", [{"kind": "grade", "competence_id": skill.id}], None)
    review = reviews.begin(junior, template, chief)
    reviews.write(review, {"i1": 4}, chief)
    reviews.share(review, chief)
    goal = goals.add(junior, "Learn returns.", None, junior)
    goals.tell(goal, "reached", "Done.", junior)
    recognition.correct(recognition.give(junior, "praise", "Wel done.", "", chief), "Well done.", "", chief)
    proposal = proposals.propose(junior, levels["intermediate"], "Good.", chief)
    proposals.decide(proposal, True, "Yes.", other_chief)
    records.correct(records.history(junior)[0], levels["junior"], "It was too early.", chief)
    measuring.measure()
    run_jobs()
    return junior


def test_who_sees_whom(
    everything: Any, chief: Any, outsider: Any, boss: Any, make_user: Any, make_team: Any
) -> None:  # fmt: skip
    lonely, elsewhere = make_user("supervisor"), make_user("supervisor")
    make_team("Returns", [elsewhere])
    customer = make_user()
    sees = {
        name: scopes.sees(actor, everything.id)
        for name, actor in {
            "self": everything, "chief": chief, "boss": boss, "desk": None, "lonely": lonely, "elsewhere": elsewhere,
            "outsider": outsider, "customer": customer,
        }.items()
    }  # fmt: skip
    assert sees == {
        "self": True, "chief": True, "boss": True, "desk": True, "lonely": True, "elsewhere": False,
        "outsider": False, "customer": False,
    }  # fmt: skip
    assert not scopes.sees(everything, chief.id), "agents see nobody else, of their own team neither"
    for find, row in (
        (proposals.find, proposals.of_person(everything)[0]),
        (goals.find, goals.of(everything)[0]),
        (recognition.find, recognition.of(everything)[0]),
        (reviews.find, reviews.of(everything, chief)[0]),
        (records.step_for, records.history(everything)[0]),
    ):
        assert find(everything, row.id) is not None and find(chief, row.id) is not None
        assert find(elsewhere, row.id) is None and find(outsider, row.id) is None


def test_exported_whole(everything: Any, chief: Any, boss: Any) -> None:
    found = export_personal_data(everything)
    assert [one["kind"] for one in found["history"]] == ["placed", "promoted", "corrected"]
    assert found["history"][1]["evidence"]["lines"][0]["value"] == 1.0 and found["level"]["level"] == "junior"
    assert found["goals"][0]["entries"][0]["note"] == "Done." and found["reviews"][0]["answers"] == {"Refunds": 4}
    assert [one["text"] for one in found["recognition"]] == ["Wel done.", "Well done."]
    assert found["proposals"][0]["answer"] == "Yes." and found["measures"] and found["assessments"][0]["grade"] == 4
    json.dumps(found)
    theirs = export_personal_data(chief)
    assert theirs["wrote_about_others"]["career_review"] == 1 and theirs["history"] == []


@pytest.mark.db
def test_erased_whole(app: Any, everything: Any, chief: Any, boss: Any) -> None:
    assert all(db.session.scalars(db.select(getattr(models, name))).all() for name in _TABLES)
    number = everything.id
    with transaction():
        everything.active = False
    with transaction():
        erase_personal_data(everything)
    for name in _TABLES:
        assert db.session.scalars(db.select(getattr(models, name))).all() == [], name
    assert db.session.scalars(db.select(models.GoalEntry)).all() == []
    facts = db.session.scalars(db.select(Event).where(Event.kind == "career_level_changed")).all()
    assert facts and all(fact.data["user_id"] != number for fact in facts)


@pytest.mark.db
def test_who_wrote_it_is_erased_and_what_was_written_stays(app: Any, everything: Any, chief: Any, boss: Any) -> None:
    with transaction():
        chief.active = False
    with transaction():
        erase_personal_data(chief)
    steps = records.history(everything)
    assert len(steps) == 3 and all(step.by_id != chief.id for step in steps)
    assert reviews.of(everything, everything)[0].by_id is None and recognition.of(everything)[0].by_id is None
    assert "Sue Chief" not in json.dumps(export_personal_data(everything))
