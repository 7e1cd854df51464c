"""Who can do what and how it is known: training elsewhere, assessments, matrix, figures, offers, careers, privacy."""

from contextlib import contextmanager
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from helpdesk_training import (
    assigning,
    career,
    certificates,
    editing,
    figures,
    files,
    forgetting,
    grading,
    learning,
    offers,
    outside,
    personal,
    scopes,
    skills,
)
from helpdesk_training.models import Answer, Assessment, Assignment, Attempt, Certificate, Outside

from helpdesk.api import Invalid, NotAllowed, Refused, User, db, now, schedule, settings, store_bytes, tag, transaction

_ELSEWHERE = {"title": "First aid", "provider": "Red Cross", "skills": ["First aid"], "held_on": date(2026, 3, 1)}


def _matrix(actor: User | None, **more: Any) -> dict[tuple[str, str], str]:
    found = skills.matrix(actor, **more)
    return {
        (person.name, name): cell.how
        for person in found.people
        for key, name in found.skills
        if (cell := found.cell(person.id, key)) is not None
    }


# ---- training elsewhere and assessments


def test_a_claim_counts_once_somebody_has_verified_it(agent: User, chief: User, make_user: Any) -> None:
    record = outside.record(agent, _ELSEWHERE, store_bytes(b"%PDF-1", "paper.pdf", "application/pdf"), agent)
    assert (record.state, _matrix(chief)) == ("claimed", {})
    assert files.stored_files_in_use([record.sha256]) == [record.sha256]
    assert files.may_open_proof(agent, record) and files.may_open_proof(chief, record)
    assert not files.may_open_proof(make_user("agent", name="Nosy"), record)
    with pytest.raises(NotAllowed):
        outside.decide(record, True, "", agent)
    with pytest.raises(Invalid):
        outside.decide(record, False, " ", chief)
    outside.decide(record, True, "", chief)
    assert _matrix(chief) == {("Abe Agent", "First aid"): "outside"}
    with pytest.raises(Refused):
        outside.decide(record, False, "No", chief)


def test_a_correction_is_a_new_record_that_takes_the_place_of_the_old(agent: User, chief: User) -> None:
    old = outside.record(
        agent, {**_ELSEWHERE, "skills": ["Frist aid"]}, store_bytes(b"x", "a.txt", "text/plain"), chief
    )
    new = outside.record(agent, _ELSEWHERE, None, chief, corrects=old)
    assert (old.state, new.state, new.file_name) == ("verified", "verified", "a.txt")
    assert _matrix(chief) == {("Abe Agent", "First aid"): "outside"}
    assert outside.corrected(outside.of(agent.id)) == {old.id}
    with pytest.raises(Refused):
        outside.record(agent, _ELSEWHERE, None, chief, corrects=old)
    with pytest.raises(NotAllowed):
        outside.record(chief, _ELSEWHERE, None, chief, corrects=new)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"title": " "}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"held_on": None}, "held_on"),
        ({"held_on": date(2999, 1, 1)}, "held_on"),
        ({"held_on": date(1900, 1, 1)}, "held_on"),
        ({"until": date(2026, 2, 1)}, "until"),
        ({"note": "x" * 5_001}, "note"),
        ({"skills": [str(number) for number in range(31)]}, "skills"),
    ],
)
def test_records_that_cannot_be(agent: User, values: Any, field: str) -> None:
    with pytest.raises(Invalid) as error:
        outside.record(agent, {**_ELSEWHERE, **values}, None, agent)
    assert error.value.field == field and db.session.scalar(db.select(Outside.id)) is None


def test_the_newest_assessment_counts_and_nought_takes_it_back(agent: User, chief: User) -> None:
    outside.assess(agent, "Complaints", 2, "", chief)
    outside.assess(agent, "complaints", 4, "Teaches others.", chief)
    found = skills.matrix(chief)
    cell = found.cell(agent.id, "complaints")
    assert cell is not None and (cell.how, cell.grade, found.count("complaints")) == ("assessment", 4, 1)
    outside.assess(agent, "Complaints", 0, "", chief)
    assert _matrix(chief) == {}
    assert [one.grade for one in outside.assessments_of(agent.id)] == [0, 4, 2]
    for skill, grade, field in (("", 1, "skill"), ("A", 5, "grade"), ("A", True, "grade")):
        with pytest.raises(Invalid) as error:
            outside.assess(agent, skill, grade, "", chief)
        assert error.value.field == field
    with pytest.raises(NotAllowed):
        outside.assess(chief, "Complaints", 4, "", chief)


# ---- the matrix


def test_a_certificate_is_the_best_proof_and_ends(
    course: Any, complete: Any, agent: User, chief: User, travel: Any
) -> None:
    outside.assess(agent, "Refunds", 1, "", chief)
    complete(course(skills=["Refunds"], valid_days=100))
    outside.record(agent, {**_ELSEWHERE, "skills": ["refunds"]}, None, chief)
    found = skills.matrix(chief)
    assert [cell.how for cell in found.all(agent.id, "refunds")] == ["certificate", "outside", "assessment"]
    assert found.skills == [("refunds", "Refunds")]
    travel(days=101)
    assert _matrix(chief) == {("Abe Agent", "Refunds"): "outside"}


def test_each_sees_whom_they_look_after(agent: User, chief: User, boss: User, make_user: Any, make_team: Any) -> None:
    other = make_user("agent", name="Oz Other")
    elsewhere = make_team("Phones")
    with transaction():
        other.teams.append(elsewhere)
    for person in (agent, other, boss):
        outside.record(person, _ELSEWHERE, None, boss) if person is not boss else None
    assert {name for name, _skill in _matrix(agent)} == {"Abe Agent"}
    assert {name for name, _skill in _matrix(chief)} == {"Abe Agent"}
    assert {name for name, _skill in _matrix(boss)} == {"Abe Agent", "Oz Other"}
    assert {name for name, _skill in _matrix(boss, team_id=elsewhere.id)} == {"Oz Other"}
    assert _matrix(make_user()) == {}
    assert (
        scopes.may_see(chief, agent.id) and not scopes.may_see(chief, other.id) and not scopes.may_see(agent, chief.id)
    )
    with pytest.raises(NotAllowed):
        outside.assess(other, "A", 1, "", chief)


def test_the_matrix_asks_as_much_for_many_as_for_one(
    course: Any, complete: Any, boss: User, make_user: Any, count_queries: Any
) -> None:
    made = course(skills=["Refunds", "Exchange"])
    counts = []
    for number in (1, 9):
        for each in range(number):
            complete(made, make_user("agent", name=f"A {number} {each}"))
        db.session.expire_all()
        with count_queries() as seen:
            assert len(skills.matrix(boss).skills) == 2
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 11


def test_the_matrix_goes_on_page_by_page(
    course: Any, complete: Any, boss: User, chief: User, make_user: Any, make_team: Any
) -> None:
    """Everybody is on one page, also of the same name; the counts are of all pages."""
    made = course(skills=["Refunds"])
    people = [make_user("agent", name="Abe") for _number in range(3)] + [make_user("agent", name="Cy")]
    for person in people[:3]:
        complete(made, person)
    outside.record(people[3], {**_ELSEWHERE, "skills": ["refunds"]}, None, boss)
    outside.assess(people[0], "Exchange", 2, "", boss)
    gone = make_user("agent", name="Gone")
    complete(made, gone)
    gone.active = False
    db.session.commit()
    seen: list[int] = []
    after = None
    while True:
        page = skills.matrix(boss, None, after, size=2)
        assert (page.count("refunds"), page.count("exchange")) == (4, 1)
        assert [key for key, _name in page.skills] == ["exchange", "refunds"]
        seen += [person.id for person in page.people]
        if not page.after:
            break
        after = int(page.after)
    assert seen == [person.id for person in skills.matrix(boss).people] and set(seen) >= {one.id for one in people}
    assert gone.id not in seen
    # Somebody whom the reader does not see is no place in the list.
    with transaction():
        chief.teams.append(make_team("Phones"))
    assert skills.matrix(chief, after=people[3].id).people == skills.matrix(chief).people


# ---- figures


def test_figures_by_course_late_ones_and_questions(
    parts: Any, course: Any, taken: Any, passed: Any, agent: User, chief: User, make_user: Any, travel: Any
) -> None:
    made = course(content=parts.whole(lessons=[]), attempts=1)
    passed(taken(made), {**parts.right, "q1": ["b"]})
    other = make_user("agent", name="Of no team")
    passed(taken(made, other), None, other)
    course("Phones")
    assigning.assign([agent], course("Exchange"), None, due_at=now() + timedelta(days=1))
    travel(days=2)
    found = {one.course.name: one for one in figures.overview(chief)}
    assert (found["Refunds"].assigned, found["Refunds"].failed, found["Refunds"].done) == (1, 1, 0)
    assert (found["Exchange"].overdue, found["Exchange"].score) == (1, None) and len(found) == 2
    everybody = {one.course.name: one for one in figures.overview(other_boss(make_user))}
    assert (everybody["Refunds"].assigned, everybody["Refunds"].done, everybody["Refunds"].score) == (2, 1, 100)
    assert everybody["Refunds"].percent == 50
    (late,), more = figures.overdue(chief)
    assert (late.course.name, more) == ("Exchange", None)
    (worst,) = figures.most_failed(chief)
    assert (worst.question_id, worst.answered, worst.failed, worst.percent) == ("q1", 1, 1, 100)
    (worst,) = figures.most_failed(other_boss(make_user))
    assert (worst.answered, worst.failed, worst.percent) == (2, 1, 50)
    assert figures.counts_of(agent.id) == {"open": 1, "overdue": 1, "done": 0, "failed": 1}
    assert figures.of_team(chief) == {agent.id: figures.counts_of(agent.id)}
    assert figures.overview(agent) == () and figures.most_failed(agent) == () and figures.overdue(agent) == ((), None)


def other_boss(make_user: Any) -> User:
    person: User = make_user("admin")
    return person


def test_late_ones_go_on_where_they_ended(
    course: Any, make_user: Any, boss: User, travel: Any, monkeypatch: Any
) -> None:
    people = [make_user("agent", name=f"A {number}") for number in range(5)]
    assigning.assign(people, course(), None, due_at=now() + timedelta(days=1))
    travel(days=2)
    monkeypatch.setattr(figures, "PAGE", 2)
    seen, after = [], ""
    while after is not None:
        rows, after = figures.overdue(boss, after)
        seen += [row.user_id for row in rows]
    assert seen == [person.id for person in people]


# ---- beside a ticket


def test_a_ticket_is_offered_the_lesson_that_fits_its_tags(
    parts: Any, course: Any, complete: Any, agent: User, make_ticket: Any, make_user: Any, count_queries: Any
) -> None:
    lessons = [parts.lesson(), parts.lesson("Refund to a card", skills=["Card refund"])]
    made = course(content={"lessons": lessons}, skills=["Refunds"])
    course("Draft", published=False, skills=["Refunds"])
    course("By invitation", skills=["Refunds"], self_service=False)
    ticket = make_ticket("Money back?")
    with count_queries() as seen:
        assert offers.for_ticket(ticket, agent) == []
    assert not [one for one in seen if "training" in one]
    tag(ticket, ["card-refund", "refunds"], None)
    assert len(ticket.tags) == 2
    with count_queries() as seen:
        (one,) = offers.for_ticket(ticket, agent)
    assert len([one for one in seen if "training" in one]) == 1
    assert (one.course_id, one.lesson_id, one.title, one.is_known) == (made.id, "l2", "Refund to a card", False)
    complete(course("Done", skills=["Refunds"], self_service=False))
    assert [one.is_known for one in offers.for_ticket(ticket, agent)] == [False, True]
    assert offers.for_ticket(ticket, make_user()) == []


# ---- what careers ask


def test_criteria_measure_everybody_at_once(
    course: Any, complete: Any, agent: User, chief: User, travel: Any, count_queries: Any
) -> None:
    made = course(valid_days=10)
    complete(made)
    complete(course("Other"))
    measure = {one["key"]: one["measure"] for one in career.career_criteria()}
    people, number = [agent.id, chief.id], str(made.id)
    with count_queries() as seen:
        assert measure["training.courses"](people, None, "") == {agent.id: (2.0, 2)}
        assert measure["training.course"](people, None, number) == {agent.id: (1.0, 1)}
        assert measure["training.certificate"](people, None, number) == {agent.id: (1.0, 1)}
    assert len(seen) == 3
    assert career.career_certificates()[0]["holders"].keys() == {agent.id}
    travel(days=11)
    assert measure["training.certificate"](people, None, number) == {}
    assert measure["training.course"](people, None, number) == {agent.id: (1.0, 1)}
    assert measure["training.courses"](people, now() - timedelta(days=1), "") == {}
    assert measure["training.course"](people, None, "no number") == {}
    assert career.career_certificates()[0]["holders"] == {}


def test_the_keys_of_criteria_are_as_the_ladder_wants_them(course: Any) -> None:
    wanted = {"key", "label", "unit", "better", "choices", "counts", "measure", "link"}
    for one in career.career_criteria():
        assert one.keys() == wanted and one["key"].startswith("training.") and str(one["label"])
    made = course(skills=["Refunds"])
    assert career.career_competences() == ["Refunds"]
    assert career.career_criteria()[1]["choices"]() == [(str(made.id), "Refunds")]


# ---- personal data and retention


def test_what_is_kept_about_a_person_is_shown_and_goes(
    parts: Any, course: Any, taken: Any, passed: Any, agent: User, chief: User, complete: Any
) -> None:
    mine = taken(course(content=parts.whole(questions=[parts.question(), parts.question("text")])))
    attempt = learning.submit(learning.start_attempt(mine, agent), {"q1": ["a"], "q2": "My secret words"}, agent)
    grading.grade_answer(grading.find_answer(grading.waiting(chief)[0][0].id), 1, "Well said", chief)
    learning.finish_lesson(mine, "l1", agent)
    outside.record(agent, _ELSEWHERE, None, agent)
    outside.assess(agent, "Refunds", 3, "A good ear", chief)
    said = personal.export_personal_data(agent)
    assert said["courses"][0]["attempts"][0]["answers"]["q2"] == "My secret words"
    assert said["courses"][0]["attempts"][0]["comments"] == {"q2": "Well said"}
    assert (said["certificates"][0]["course"], said["elsewhere"][0]["title"]) == ("Refunds", "First aid")
    assert said["assessments"][0]["note"] == "A good ear" and personal.export_personal_data(chief) == {}
    with transaction():
        personal.erase_personal_data(chief)
    assert db.session.scalars(db.select(Assessment.by_id)).all() == [None]
    assert db.session.scalars(db.select(Answer.graded_by_id)).all() == [None, None]
    with transaction():
        personal.erase_personal_data(agent)
    for table in (Answer, Attempt, Assignment, Certificate, Outside, Assessment):
        assert db.session.scalar(db.select(db.func.count()).select_from(table)) == 0
    assert personal.export_personal_data(agent) == {} and attempt is not None


def test_answers_go_after_their_time_and_scores_stay(
    parts: Any, course: Any, taken: Any, passed: Any, agent: User, travel: Any, run_jobs: Any
) -> None:
    passed(taken(course(content=parts.whole(lessons=[]))))
    days = settings(forgetting.TrainingSettings).keep_answers_days
    for later, wanted in ((days - 1, parts.right), (2, {})):
        travel(days=later)
        with transaction():
            schedule(forgetting.FORGET)
        run_jobs()
        db.session.expire_all()
        attempt = db.session.scalars(db.select(Attempt)).one()
        assert (attempt.answers, attempt.score) == (wanted, 100)
    assert set(db.session.scalars(db.select(Answer.given))) == {""}
    assert certificates.holders(attempt.assignment.course_id) == {agent.id}


def test_killed_while_it_forgets_the_next_one_goes_on(
    parts: Any, course: Any, taken: Any, passed: Any, travel: Any, run_jobs: Any, monkeypatch: Any
) -> None:
    for name in "ABC":
        passed(taken(course(name, content=parts.whole(lessons=[]))))
    travel(days=settings(forgetting.TrainingSettings).keep_answers_days + 1)
    steps = []

    @contextmanager
    def step(**_progress: Any) -> Any:
        with transaction():
            yield
            steps.append(1)
            if len(steps) == 2:
                raise SystemExit

    def kept() -> list[bool]:
        db.session.rollback()
        db.session.expire_all()
        rows = db.session.scalars(db.select(Attempt).order_by(Attempt.id)).all()
        assert [one.score for one in rows] == [100, 100, 100]
        return [one.answers != {} for one in rows]

    monkeypatch.setattr(forgetting, "_BATCH", 1)
    with pytest.raises(SystemExit):
        forgetting.forget(SimpleNamespace(step=step))  # type: ignore[arg-type]
    assert kept() == [False, True, True]
    with transaction():
        schedule(forgetting.FORGET)
    run_jobs()
    assert kept() == [False, False, False]


def test_an_answer_that_waits_to_be_graded_waits_however_long_it_takes(
    parts: Any, course: Any, taken: Any, agent: User, chief: User, travel: Any, run_jobs: Any
) -> None:
    mine = taken(course(content=parts.whole(lessons=[], questions=[parts.question("text")])))
    learning.submit(learning.start_attempt(mine, agent), {"q1": "My long answer"}, agent)
    travel(days=settings(forgetting.TrainingSettings).keep_answers_days + 1)
    with transaction():
        schedule(forgetting.FORGET)
    run_jobs()
    db.session.expire_all()
    assert db.session.scalars(db.select(Answer.given)).all() == ["My long answer"]
    grading.grade_answer(grading.find_answer(grading.waiting(chief)[0][0].id), 1, "Well said", chief)
    assert db.session.scalars(db.select(Attempt.state)).all() == ["passed"]


def test_a_course_that_is_renamed_is_found_by_its_certificate(course: Any, complete: Any, agent: User) -> None:
    made = course()
    complete(made)
    editing.save(made, {"name": "Money back"}, None)
    assert certificates.of(agent.id)[0].course.name == "Money back"
