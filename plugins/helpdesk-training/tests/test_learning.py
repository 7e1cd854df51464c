"""Taking a course: lessons, the quiz in all its kinds, tasks, versions that come meanwhile. Nothing is lost."""

from typing import Any

import pytest
from helpdesk_training import assigning, content, editing, grading, learning
from helpdesk_training.models import Answer, Assignment, Attempt, Certificate, LessonDone, TaskWork
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import Event, Invalid, NotAllowed, Refused, User, db


def _certificates() -> list[Certificate]:
    return list(db.session.scalars(db.select(Certificate)))


def test_a_course_of_lessons_is_done_with_the_last_one(parts: Any, taken: Any, course: Any, agent: User) -> None:
    mine = taken(course(content={"lessons": [parts.lesson(), parts.lesson("Exchange")]}))
    learning.finish_lesson(mine, "l1", agent)
    progress = learning.state_of(mine)
    assert progress is not None and (progress.percent, progress.next_lesson["id"], mine.state) == (50, "l2", "begun")
    learning.finish_lesson(mine, "l1", agent)  # twice is once
    assert learning.percents([mine]) == {mine.id: 50}
    learning.finish_lesson(mine, "l2", agent)
    assert (mine.state, mine.score, learning.percents([mine])) == ("done", None, {mine.id: 100})
    (paper,) = _certificates()
    assert (paper.user_id, paper.expires_at, len(paper.serial)) == (agent.id, None, 14)
    fact = db.session.scalars(db.select(Event).where(Event.kind == "training_course_completed")).one()
    assert fact.data["user_id"] == agent.id and fact.data["certificate_id"] == paper.id


def test_what_is_right_passes_and_what_is_wrong_does_not(
    parts: Any, taken: Any, course: Any, agent: User, passed: Any
) -> None:
    mine = taken(course(content=parts.whole(), attempts=2))
    failed = passed(mine, {**parts.right, "q2": ["a"], "q3": ["b", "a", "c"]})
    assert (failed.state, failed.score, mine.state) == ("failed", 33, "begun")
    assert [one.right for one in learning.answers_of(failed).values()] == [True, False, False]
    learning.finish_lesson(mine, "l1", agent)
    assert passed(mine).state == "passed"
    assert (mine.state, mine.score) == ("done", 100)


def test_attempts_run_out_and_one_more_is_given(
    parts: Any, taken: Any, course: Any, agent: User, chief: User, passed: Any
) -> None:
    mine = taken(course(content=parts.whole(lessons=[]), attempts=1))
    passed(mine, {**parts.right, "q1": ["b"], "q2": ["b"]})
    assert mine.state == "failed"
    with pytest.raises(Refused):
        learning.start_attempt(mine, agent)
    with pytest.raises(NotAllowed):
        grading.allow_attempt(mine, agent)
    grading.allow_attempt(mine, chief)
    assert mine.state == "begun" and passed(mine).state == "passed" and mine.state == "done"


def test_answers_are_kept_as_they_are_typed_even_when_one_is_missing(
    parts: Any, taken: Any, course: Any, agent: User
) -> None:
    mine = taken(course(content=parts.whole()))
    attempt = learning.start_attempt(mine, agent)
    learning.save_answers(attempt, {"q1": "b"}, agent)
    with pytest.raises(Invalid) as error:
        learning.submit(attempt, {"q3": ["c", "b", "a"], "q9": ["x"]}, agent)
    assert error.value.field == "q2" and "2" in str(error.value)
    db.session.expire_all()
    again = learning.start_attempt(mine, agent)
    assert (again.id, again.answers) == (attempt.id, {"q1": ["b"], "q3": ["c", "b", "a"]})
    assert learning.shown_options(again, content.by_id(again.version.content["questions"], "q3")) == ["c", "b", "a"]


def test_an_order_is_never_shown_in_its_right_order(parts: Any, taken: Any, course: Any, agent: User) -> None:
    pair = parts.question("order", ("a", "b"), options=["a", "b"])
    attempt = learning.start_attempt(taken(course(content=parts.whole(questions=[pair]))), agent)
    shown = learning.shown_options(attempt, attempt.version.content["questions"][0])
    assert shown == ["b", "a"]


def test_a_free_answer_waits_for_who_grades_it(
    parts: Any, taken: Any, course: Any, agent: User, chief: User, make_user: Any, mails: Any
) -> None:
    free = parts.question("text", points=4)
    mine = taken(course(content=parts.whole(lessons=[], questions=[parts.question(), free]), pass_mark=80))
    attempt = learning.submit(learning.start_attempt(mine, agent), {"q1": ["a"], "q2": "I would ask first."}, agent)
    assert (attempt.state, mine.state) == ("grading", "waiting")
    with pytest.raises(Refused):
        learning.start_attempt(mine, agent)
    rows, more = grading.waiting(chief)
    assert [(row.kind, row.person.id, row.part["kind"]) for row in rows] == [("answer", agent.id, "text")]
    assert more is None and grading.count(chief) == 1 and grading.count(agent) == 0
    other = make_user("supervisor", name="Of another team")
    assert grading.count(other) == 1  # looks after all, having no team
    answer = grading.find_answer(rows[0].id)
    with pytest.raises(Invalid):
        grading.grade_answer(answer, 5, "", chief)
    with pytest.raises(NotAllowed):
        grading.grade_answer(answer, 4, "", agent)
    grading.grade_answer(answer, 3, "Nearly.", chief)
    assert (attempt.state, attempt.score, mine.state) == ("passed", 80, "done")
    assert mails()[-1][0] == agent.email
    with pytest.raises(Refused):
        grading.grade_answer(answer, 4, "", other)


def test_a_task_is_handed_in_graded_and_tried_again(
    parts: Any, taken: Any, course: Any, agent: User, chief: User
) -> None:
    mine = taken(course(content={"tasks": [parts.task()]}))
    learning.save_task(mine, "t1", "Dear A", agent)
    learning.save_task(mine, "t1", "Dear Anna", agent)
    assert db.session.scalars(db.select(TaskWork.text)).all() == ["Dear Anna"]
    with pytest.raises(Invalid):
        learning.hand_in(mine, "t1", "  ", agent)
    first = learning.hand_in(mine, "t1", "Dear Anna, sorry.", agent)
    assert mine.state == "waiting"
    with pytest.raises(Refused):
        learning.save_task(mine, "t1", "Late", agent)
    with pytest.raises(Invalid) as error:
        grading.grade_task(first, {"r1": 2, "r2": 4}, "", chief)
    assert error.value.field == "r2"
    grading.grade_task(first, {"r1": 1, "r2": 1}, "Say when.", chief)
    assert (first.state, mine.state) == ("failed", "begun")
    second = learning.hand_in(mine, "t1", "Dear Anna, on Monday.", agent)
    assert second.number == 2
    grading.grade_task(second, {"r1": 2, "r2": 2}, "", chief)
    assert (second.state, mine.state) == ("passed", "done")


def test_a_course_edited_while_it_is_taken_stays_as_it_was_begun(
    parts: Any, taken: Any, course: Any, agent: User, passed: Any
) -> None:
    made = course(content=parts.whole(lessons=[parts.lesson(), parts.lesson("Exchange")]))
    mine = taken(made)
    for key in ("l1", "l2"):
        learning.finish_lesson(mine, key, agent)
    attempt = learning.start_attempt(mine, agent)
    changed = parts.whole(
        lessons=[parts.lesson(id="l1"), parts.lesson("Exchange", "Other words.", id="l2")], questions=[parts.question()]
    )
    editing.save_content(made, changed, None)
    editing.publish(made, None)
    db.session.expire_all()
    assert len(mine.version.content["questions"]) == 3
    assert learning.newer(mine).number == 2
    learning.save_answers(attempt, {"q1": ["a"]}, agent)  # the open attempt goes on with its own questions
    learning.move_to_newest(mine, agent)
    progress = learning.state_of(mine)
    assert [at is not None for _lesson, at in progress.lessons] == [True, False]
    assert (attempt.state, progress.attempt, progress.quiz_open) == ("void", None, True)
    assert learning.newer(mine) is None
    learning.finish_lesson(mine, "l2", agent)
    passed(mine, {"q1": ["a"]})
    assert mine.state == "done" and db.session.scalars(db.select(Attempt.number)).all() == [1, 2]


def test_moving_on_to_what_is_all_done_completes_it(parts: Any, taken: Any, course: Any, agent: User) -> None:
    """A lesson that was taken out is nobody's to do any more."""
    made = course(content={"lessons": [parts.lesson(), parts.lesson("Exchange")]})
    mine = taken(made)
    learning.finish_lesson(mine, "l1", agent)
    editing.save_content(made, {"lessons": [parts.lesson(id="l1")]}, None)
    editing.publish(made, None)
    learning.move_to_newest(mine, agent)
    assert mine.state == "done"


def test_what_comes_first_has_to_be_done_first(taken: Any, course: Any, agent: User, complete: Any) -> None:
    basics = course("Basics")
    made = course("Refunds", needs=[basics.id])
    found = assigning.assign([agent], made, None)
    assert [(one.course.name, one.why) for one in found] == [("Basics", "needed"), ("Refunds", "hand")]
    with pytest.raises(Refused, match="Basics"):
        learning.begin(found[1], agent)
    learning.begin(found[0], agent)
    learning.finish_lesson(found[0], "l1", agent)
    assert learning.begin(found[1], agent).state == "begun"


def test_a_retired_course_is_finished_but_not_begun(course: Any, taken: Any, agent: User, chief: User) -> None:
    made = course()
    mine = taken(made)
    (other,) = assigning.assign([chief], made, None)
    editing.retire(made, None)
    db.session.expire_all()
    assert (other.state, mine.state) == ("withdrawn", "begun") and other.withdrawn_why
    with pytest.raises(Refused):
        assigning.enroll(chief, made)
    learning.finish_lesson(mine, "l1", agent)
    assert mine.state == "done"


def test_nobody_learns_for_another(taken: Any, agent: User, chief: User, make_user: Any) -> None:
    mine = taken()
    for who in (chief, make_user("agent"), make_user()):
        with pytest.raises(NotAllowed):
            learning.finish_lesson(mine, "l1", who)
    assert db.session.scalar(db.select(LessonDone.lesson_id)) is None


def test_what_is_over_cannot_be_worked_on(taken: Any, agent: User, chief: User) -> None:
    mine = taken()
    assigning.withdraw(mine, "Not needed", chief)
    with pytest.raises(Refused):
        learning.finish_lesson(mine, "l1", agent)
    with pytest.raises(Refused):
        assigning.withdraw(mine, "Again", chief)


def test_a_second_hand_in_changes_nothing(parts: Any, taken: Any, course: Any, agent: User, passed: Any) -> None:
    mine = taken(course(content=parts.whole()))
    attempt = passed(mine)
    with pytest.raises(Refused):
        learning.submit(attempt, {**parts.right, "q1": ["b"]}, agent)
    assert len(db.session.scalars(db.select(Answer)).all()) == 3
    with pytest.raises(Refused):
        learning.start_attempt(mine, agent)


def test_the_number_of_queries_does_not_grow(
    count_queries: Any, course: Any, taken: Any, agent: User, complete: Any
) -> None:
    many = [taken(course(f"Course {number}")) for number in range(8)]
    ids = [one.id for one in many]
    db.session.expire_all()
    with count_queries() as seen:
        found = learning.mine(agent)
        learning.percents(found)
    assert [one.id for one in found] == sorted(ids, reverse=True) and len(seen) <= 5


_IDS = st.sampled_from(["a", "b", "c", "d", "x"])


@given(chosen=st.lists(_IDS, max_size=6), right=st.lists(st.sampled_from("abcd"), min_size=1, max_size=4, unique=True))
def test_only_exactly_the_right_answers_are_right(chosen: list[str], right: list[str]) -> None:
    """In any order where order is no matter, in that one where it is; what cannot be chosen is as if it was not."""
    options = ["a", "b", "c", "d"]
    for kind in ("multiple", "order", "single"):
        wanted = right[:1] if kind == "single" else [*right, *(o for o in options if o not in right)]
        wanted = right if kind == "multiple" else wanted
        one = {"id": "q1", "kind": kind, "options": options, "right": wanted}
        kept = content.clean_answers({"questions": [one]}, {"q1": chosen}, {}).get("q1", [])
        assert set(kept) <= set(options) and len(kept) == len(set(kept))
        expected = kept == wanted if kind == "order" else set(kept) == set(wanted)
        assert content.right_of(one, kept) is expected


def test_the_assignment_that_is_open_is_the_only_one(course: Any, agent: User) -> None:
    made = course()
    assert len(assigning.assign([agent, agent], made, None)) == 1
    assert assigning.assign([agent], made, None) == []
    assert assigning.enroll(agent, made).why == "hand"
    assert db.session.scalar(db.select(db.func.count()).select_from(Assignment)) == 1
