"""Competences, goals, reviews by template, recognition: what is written stays, and corrections name it."""

from datetime import date
from typing import Any

import pytest
from helpdesk_career import competences, goals, recognition, reviews
from helpdesk_career.models import Assessment, Review

from helpdesk.api import Invalid, NotAllowed, Refused, collect, db, transaction


@pytest.fixture
def template(app: Any, team: Any) -> Any:
    skill = competences.save(None, "Refunds", "", None)
    items = [
        {"kind": "words", "text": "What went well?"},
        {"kind": "grade", "text": "", "competence_id": skill.id},
    ]
    return reviews.save_template(None, "Half a year", items, None)


def test_competences_are_compared_as_people_read_them(app: Any, boss: Any, plug: Any) -> None:
    one = competences.save(None, "Refunds", "Money back.", boss)
    assert competences.save(None, "  REFUNDS ", "", boss).id == one.id
    other = competences.save(None, "Ｒｅｔｕｒｎｓ", "", boss)
    with pytest.raises(Invalid, match="already"):
        competences.save(other, "refunds", "", boss)
    with pytest.raises(Invalid, match="name"):
        competences.save(None, " ", "", boss)
    plug("courses", career_competences=lambda: ["refunds", "Returns", "Phone", 7, "x" * 101, " "])
    assert [(known.name, known.competence is not None) for known in competences.known()] == [
        ("Phone", False), ("REFUNDS", True), ("Ｒｅｔｕｒｎｓ", True),
    ]  # fmt: skip
    competences.retire(other, boss)
    assert [known.name for known in competences.known()] == ["Phone", "REFUNDS"]
    assert competences.training_skills() == ["REFUNDS"]
    assert collect("career_competences")[0] == "refunds"


def test_goals_keep_how_they_went(junior: Any, chief: Any, outsider: Any) -> None:
    mine = goals.add(junior, "Learn returns.", date(2026, 12, 31), junior)
    goals.add(junior, "Answer within an hour.", None, chief)
    goals.tell(mine, "open", "Half of it.", junior)
    goals.tell(mine, "reached", "All of it.", chief)
    goals.tell(mine, "reached", "All of it.", chief)
    goals.tell(mine, "reached", "", junior)
    db.session.expire_all()
    assert [(entry.state, entry.note, entry.by_id) for entry in mine.entries] == [
        ("open", "Half of it.", junior.id), ("reached", "All of it.", chief.id),
    ]  # fmt: skip
    assert [goal.text for goal in goals.of(junior)] == ["Answer within an hour.", "Learn returns."]
    with pytest.raises(NotAllowed):
        goals.add(junior, "Be nice.", None, outsider)
    with pytest.raises(Invalid, match="reached"):
        goals.add(junior, " ", None, junior)
    with pytest.raises(Invalid, match="how the goal stands"):
        goals.tell(mine, "lost", "", junior)
    assert goals.find(outsider, mine.id) is None and goals.find(chief, mine.id) is not None


def test_a_review_from_draft_to_answer(template: Any, junior: Any, chief: Any, other_chief: Any) -> None:
    review = reviews.begin(junior, template, chief)
    with pytest.raises(Invalid, match="Nothing is written"):
        reviews.share(review, chief)
    reviews.write(review, {"i1": "Patience.", "i2": "4", "i9": "?"}, chief)
    # Nobody but who writes it sees a draft, or changes it.
    assert reviews.find(junior, review.id) is None and reviews.find(other_chief, review.id) is None
    assert reviews.of(junior, junior) == [] and competences.current(junior) == []
    with pytest.raises(NotAllowed):
        reviews.write(review, {"i1": "Mine."}, other_chief)
    with pytest.raises(NotAllowed):
        reviews.answer(review, "Oh.", junior)
    reviews.share(review, chief)
    reviews.share(review, chief)
    assert [(one.grade, one.competence.name) for one in competences.current(junior)] == [(4, "Refunds")]
    assert len(db.session.scalars(db.select(Assessment)).all()) == 1, "shared twice is once"
    with pytest.raises(Refused, match="not changed any more"):
        reviews.write(review, {"i1": "Otherwise."}, chief)
    with pytest.raises(Refused, match="not changed any more"):
        reviews.discard(review, chief)
    with pytest.raises(NotAllowed):
        reviews.answer(review, "I say so.", other_chief)
    reviews.answer(review, "Thank you.", junior)
    assert reviews.answer(review, "Thank you.", junior).state == "read"
    with pytest.raises(Refused, match="stays as it was"):
        reviews.answer(review, "No.", junior)
    assert (review.answers, review.reply) == ({"i1": "Patience.", "i2": 4}, "Thank you.")


def test_a_correction_of_a_review_is_another_review(template: Any, junior: Any, chief: Any, other_chief: Any) -> None:
    review = reviews.begin(junior, template, chief)
    with pytest.raises(Refused, match="still being written"):
        reviews.correct(review, chief)
    reviews.write(review, {"i1": "Patience.", "i2": "4"}, chief)
    reviews.share(review, chief)
    new = reviews.correct(review, chief)
    assert reviews.correct(review, chief).id == new.id and reviews.corrected_by(review) is None
    with pytest.raises(Refused, match="corrected already"):
        reviews.correct(review, other_chief)
    reviews.write(new, {"i2": "2"}, chief)
    reviews.share(new, chief)
    corrected = reviews.corrected_by(review)
    assert corrected is not None and corrected.id == new.id
    assert review.answers["i2"] == 4 and [one.grade for one in competences.current(junior)] == [2]
    assert [one.grade for one in competences.history(junior)] == [2, 4]


def test_a_template_that_changes_leaves_reviews_alone(template: Any, junior: Any, chief: Any, boss: Any) -> None:
    review = reviews.begin(junior, template, chief)
    reviews.save_template(template, "Yearly", [{"kind": "words", "text": "Anything?"}], boss)
    db.session.expire_all()
    assert review.name == "Half a year" and [item["text"] for item in review.items] == ["What went well?", "Refunds"]
    reviews.discard(review, chief)
    assert db.session.scalars(db.select(Review)).all() == []
    reviews.retire_template(template, boss)
    assert reviews.templates() == [] and len(reviews.templates(retired=True)) == 1
    with transaction():
        junior.active = False
    with pytest.raises(Refused, match="does not work here"):
        reviews.begin(junior, template, chief)


@pytest.mark.parametrize(
    ("name", "items", "field"),
    [
        ("", [{"kind": "words", "text": "What?"}], "name"),
        ("Year", [], "items"),
        ("Year", [{"kind": "song", "text": "What?"}], "i1.kind"),
        ("Year", [{"kind": "words", "text": " "}], "i1.text"),
        ("Year", [{"kind": "grade", "competence_id": 99_999}], "i1.competence_id"),
        ("Year", [{"kind": "grade", "competence_id": "x"}], "i1.competence_id"),
        ("Year", [{"kind": "words", "text": "What?"}] * 41, "items"),
        ("Half a year", [{"kind": "words", "text": "What?"}], "name"),
    ],
)
def test_templates_that_cannot_be(template: Any, boss: Any, name: str, items: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        reviews.save_template(None, name, items, boss)
    assert refused.value.field == field


@pytest.mark.parametrize("grade", ["6", "-1", "four", "1.5", "１"])
def test_grades_that_cannot_be(template: Any, junior: Any, chief: Any, grade: str) -> None:
    review = reviews.begin(junior, template, chief)
    with pytest.raises(Invalid) as refused:
        reviews.write(review, {"i2": grade}, chief)
    assert refused.value.field == "i2"


def test_recognition_and_what_it_is_worth(
    junior: Any, chief: Any, outsider: Any, make_ticket: Any, make_team: Any
) -> None:  # fmt: skip
    ticket, secret = make_ticket(), make_ticket(team=make_team("Board", private=True))
    thanks = recognition.give(junior, "praise", "A hard call, well done.", "50 €", chief, ticket.id)
    assert (thanks.ticket_id, thanks.worth) == (ticket.id, "")
    bonus = recognition.give(junior, "incentive", "Best of the month.", "50 €", chief)
    fixed = recognition.correct(bonus, "Best of the month.", "60 €", chief)
    with pytest.raises(Refused, match="corrected already"):
        recognition.correct(bonus, "Best.", "70 €", chief)
    assert [one.worth for one in recognition.in_force(recognition.of(junior))] == ["60 €", ""]
    recognition.correct(fixed, "", "", chief)
    assert [one.id for one in recognition.in_force(recognition.of(junior))] == [thanks.id]
    assert len(recognition.of(junior)) == 4 and bonus.worth == "50 €"
    for values, field in (
        (("song", "Well.", ""), "kind"), (("praise", " ", ""), "text"), (("incentive", "Well.", ""), "worth"),
    ):  # fmt: skip
        with pytest.raises(Invalid) as refused:
            recognition.give(junior, *values, chief)
        assert refused.value.field == field
    with pytest.raises(Invalid, match="no ticket"):
        recognition.give(junior, "praise", "Well.", "", chief, 99_999)
    assert secret.id and recognition.find(outsider, thanks.id) is None
    for actor in (junior, outsider):
        with pytest.raises(NotAllowed):
            recognition.give(junior, "praise", "Well.", "", actor)
