"""The pages of the learner: what waits, a course, its lessons, the quiz, tasks; nothing that is typed is lost."""

import re
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_training import assigning, editing, files, grading, learning, looking
from helpdesk_training.models import Assignment, Attempt, Certificate, TaskWork

from helpdesk.api import User, db, now, store_bytes, transaction

ROOM = "/p/training"


def attempt() -> Attempt:
    db.session.rollback()
    db.session.expire_all()
    found = db.session.scalar(db.select(Attempt).order_by(Attempt.id.desc()).limit(1))
    assert found is not None
    return found


def test_from_the_list_to_the_certificate(
    sample: Any, fresh: Any, sign_in: Any, learner: User, polite: Any, given: Any
) -> None:
    """Begin, read, answer, done: each page leads to the next one."""
    made = polite(questions=sample.questions, valid_days=365)
    row = given(made, due_at=now() + timedelta(days=3), words="Please before Friday.")
    browser = sign_in(learner)
    page = browser.get(f"{ROOM}/")
    assert page.status_code == 200 and "Politeness" in page.text and "Please before Friday." in page.text
    assert "1 course waits for you." in page.text and "Due " in page.text
    begun = browser.post(f"{ROOM}/mine/{row.id}/begin")
    assert begun.status_code == 303 and begun.location.endswith("/lessons/hello")
    lesson = browser.get(begun.location)
    assert "<strong>hello</strong>" in lesson.text and 'lang="en"' in lesson.text
    following = browser.post(begun.location)
    assert following.location.endswith("/lessons/bye")
    page = browser.get(following.location)
    assert "<script>alert" not in page.text and "&lt;script&gt;" in page.text
    quiz = browser.post(following.location)
    assert quiz.location.endswith("/quiz")
    assert "3 questions" in browser.get(quiz.location).text
    opened = browser.post(f"{ROOM}/mine/{row.id}/quiz/begin")
    assert "What comes first?" in browser.get(opened.location).text
    handed = browser.post(f"{ROOM}/mine/{row.id}/quiz", data={**sample.right, "hand_in": "1"})
    assert handed.location.endswith("/quiz/1")
    result = browser.get(handed.location)
    assert "Passed" in result.text and "100%" in result.text and "A name is warmer." in result.text
    assert fresh(row).state == "done"
    page = browser.get(f"{ROOM}/mine/{row.id}")
    assert "You have completed this course." in page.text
    [certificate] = db.session.scalars(db.select(Certificate))
    paper = browser.get(f"{ROOM}/certificates/{certificate.serial}")
    assert "Nina New" in paper.text and certificate.serial in paper.text and "print.css" in paper.text
    assert "Revoke" not in paper.text and certificate.serial in browser.get(f"{ROOM}/").text


def test_what_is_answered_is_kept_and_handed_in_once(
    sample: Any, sign_in: Any, learner: User, polite: Any, given: Any
) -> None:
    """Saved by hand or by the script; a second window hands in nothing more."""
    row = given(polite(questions=sample.questions, attempts=2), begun=True)
    browser = sign_in(learner)
    url = f"{ROOM}/mine/{row.id}/quiz"
    browser.post(f"{url}/begin")
    quiet = browser.post(url, data={"q-q1": "b", "quiet": "1"})
    assert quiet.status_code == 204 and attempt().answers["q1"] == ["b"]
    saved = browser.post(url, data={"q-q1": "b", "q-q2": ["a", "c"]})
    assert saved.status_code == 303 and attempt().state == "open"
    page = browser.get(url)
    assert re.search(r'name="q-q1" value="b" checked', page.text)
    assert len(re.findall(r'name="q-q2" value="[ac]" checked', page.text)) == 2
    missing = browser.post(url, data={"q-q2": ["a"], "hand_in": "1"})
    assert missing.status_code == 422 and "Question 1 is not answered yet." in missing.text
    assert re.search(r'name="q-q2" value="a" checked', missing.text) and attempt().state == "open"
    first = browser.post(url, data={**sample.right, "q-q1": "b", "hand_in": "1"})
    again = browser.post(url, data={**sample.right, "hand_in": "1"})
    assert first.location == again.location and attempt().state == "failed" and attempt().number == 1
    assert browser.post(url, data={**sample.right, "quiet": "1"}).status_code == 204
    shown = browser.get(first.location).text
    # Another try is left: what is right is not told yet.
    assert "Not right" in shown and ">right<" not in shown and "Try once more" in shown
    browser.post(f"{url}/begin")
    assert attempt().number == 2
    browser.post(url, data={**sample.right, "hand_in": "1"})
    assert attempt().state == "passed" and ">right<" in browser.get(f"{url}/2").text


def test_the_order_is_shown_as_it_was_put(sample: Any, sign_in: Any, learner: User, polite: Any, given: Any) -> None:
    row = given(polite(questions=sample.questions[2:]), begun=True)
    browser = sign_in(learner)
    url = f"{ROOM}/mine/{row.id}/quiz"
    browser.post(f"{url}/begin")
    # Never in the right order by itself.
    names = re.findall(r'name="q-q3-([abc])"', browser.get(url).text)
    assert sorted(names) == ["a", "b", "c"] and names != ["a", "b", "c"]
    browser.post(url, data={"q-q3-c": "1", "q-q3-a": "2", "q-q3-b": "3"})
    assert re.findall(r'name="q-q3-([abc])"', browser.get(url).text) == ["c", "a", "b"]


@pytest.mark.parametrize("sent", [{"q-q1": "z"}, {"q-q1": ["a", "b"]}, {"q-q3-a": "x"}, {"q-q9": "a"}, {}])
def test_strange_answers_harm_nothing(
    sample: Any, sign_in: Any, learner: User, polite: Any, given: Any, sent: Any
) -> None:
    row = given(polite(questions=sample.questions), begun=True)
    browser = sign_in(learner)
    url = f"{ROOM}/mine/{row.id}/quiz"
    assert browser.post(url, data=sent).status_code == 303
    browser.post(f"{url}/begin")
    assert browser.post(url, data={**sent, "quiet": "1"}).status_code == 204
    assert set(attempt().answers) <= {"q1", "q2", "q3"} and len(attempt().answers.get("q1", [])) <= 1


def test_free_text_and_a_task_wait_for_a_person(
    sample: Any, fresh: Any, sign_in: Any, learner: User, supervisor: User, polite: Any, given: Any
) -> None:
    """Written, kept, handed in, graded; what was not passed is done once more from what was written."""
    row = given(polite(questions=[sample.free], tasks=[sample.task]), begun=True)
    browser, judge = sign_in(learner), sign_in(supervisor)
    for lesson in sample.lessons:
        browser.post(f"{ROOM}/mine/{row.id}/lessons/{lesson['id']}")
    quiz, task = f"{ROOM}/mine/{row.id}/quiz", f"{ROOM}/mine/{row.id}/tasks/t1"
    browser.post(f"{quiz}/begin")
    browser.post(quiz, data={"q-q4": "Kindly & firmly", "hand_in": "1"})
    assert attempt().state == "grading" and "A person grades" in browser.get(f"{quiz}/1").text
    assert browser.post(task, data={"text": "Dear An", "quiet": "1"}).status_code == 204
    assert "Dear An" in browser.get(task).text
    assert browser.post(task, data={"text": " ", "hand_in": "1"}).status_code == 422
    browser.post(task, data={"text": "Dear Anna", "hand_in": "1"})
    assert fresh(row).state == "waiting" and "All is handed in." in browser.get(f"{ROOM}/mine/{row.id}").text
    listed = judge.get(f"{ROOM}/grading").text
    assert "How do you say no?" in listed and "Answer Anna" in listed
    answer_id = re.search(r"/grading/answers/(\d+)", listed)
    work_id = re.search(r"/grading/tasks/(\d+)", listed)
    assert answer_id is not None and work_id is not None
    answer, work = f"{ROOM}/grading/answers/{answer_id[1]}", f"{ROOM}/grading/tasks/{work_id[1]}"
    assert "Kindly &amp; firmly" in judge.get(answer).text and "With a reason." in judge.get(answer).text
    refused = judge.post(answer, data={"points": "9", "comment": "Kept"})
    assert refused.status_code == 422 and "Enter a number from 0 to 2." in refused.text and "Kept" in refused.text
    assert judge.post(answer, data={"points": "2", "comment": "Well said."}).status_code == 303
    assert attempt().state == "passed" and "Well said." in browser.get(f"{quiz}/1").text
    bad = judge.post(work, data={"m-r1": "3", "m-r2": "", "comment": "Words"})
    assert bad.status_code == 422 and "Words" in bad.text
    judge.post(work, data={"m-r1": "2", "m-r2": "0", "comment": "What comes next?"})
    page = browser.get(task).text
    assert "To be done once more" in page and "What comes next?" in page and "Dear Anna</textarea>" in page
    browser.post(task, data={"text": "Dear Anna, it comes on Friday.", "hand_in": "1"})
    newest = db.session.scalars(db.select(TaskWork).order_by(TaskWork.id.desc())).first()
    assert newest is not None
    judge.post(f"{ROOM}/grading/tasks/{newest.id}", data={"m-r1": "2", "m-r2": "2"})
    assert fresh(row).state == "done" and "Nothing to grade" in judge.get(f"{ROOM}/grading").text
    # Graded once: the second one is told so.
    late = judge.post(f"{ROOM}/grading/tasks/{newest.id}", data={"m-r1": "0", "m-r2": "0"})
    assert late.status_code == 422 and fresh(row).state == "done"


def test_a_course_that_is_changed_while_it_is_taken(
    sample: Any, fresh: Any, sign_in: Any, learner: User, polite: Any, given: Any
) -> None:
    """One stays with what one began, is told, and may move on; what was read and did not change stays read."""
    first = {"id": "hello", "texts": {"en": {"title": "Say hello", "text": "By name."}}}
    made = polite(lessons=[first, sample.lessons[1]])
    row = given(made, begun=True)
    browser = sign_in(learner)
    browser.post(f"{ROOM}/mine/{row.id}/lessons/hello")
    changed = [first, {"id": "new", "texts": {"en": {"title": "A new one", "text": "Look."}}}]
    editing.save_content(made, {"lessons": changed, "questions": [], "tasks": []}, None)
    editing.publish(made, None)
    page = browser.get(f"{ROOM}/mine/{row.id}").text
    assert "version 2 is there" in page and "Say goodbye" in page and "A new one" not in page
    browser.post(f"{ROOM}/mine/{row.id}/newest")
    page = browser.get(f"{ROOM}/mine/{row.id}").text
    assert "A new one" in page and "Say goodbye" not in page and "version 2 is there" not in page
    assert browser.get(f"{ROOM}/mine/{row.id}/lessons/bye").status_code == 404
    assert learning.percents([fresh(row)])[row.id] == 50


def test_what_comes_first_is_said(sign_in: Any, learner: User, polite: Any) -> None:
    first = polite("Basics")
    made = assigning.assign([learner], polite("Advanced", needs=[first.id]), None)
    assert {one.course.name for one in made} == {"Advanced", "Basics"}
    advanced = next(one for one in made if one.course.name == "Advanced")
    browser = sign_in(learner)
    page = browser.post(f"{ROOM}/mine/{advanced.id}/begin", follow_redirects=True)
    assert "Something has to come first: Basics." in page.text


def test_the_catalogue_and_taking_a_course(sign_in: Any, learner: User, polite: Any) -> None:
    """Published ones are there, with what they teach; some are given by a supervisor only; drafts are not there."""
    open_one, closed = polite(), polite("By invitation", self_service=False, skills=["Law"])
    draft = polite("Secret draft", publish=False)
    browser = sign_in(learner)
    page = browser.get(f"{ROOM}/courses").text
    assert "Politeness" in page and "By invitation" in page and "Secret draft" not in page
    narrowed = browser.get(f"{ROOM}/courses?skill=law").text
    assert "By invitation" in narrowed and f'/courses/{open_one.id}"' not in narrowed
    assert browser.get(f"{ROOM}/courses/{draft.id}").status_code == 404
    assert "ask your supervisor" in browser.get(f"{ROOM}/courses/{closed.id}").text
    refused = browser.post(f"{ROOM}/courses/{closed.id}/take", follow_redirects=True)
    assert "This course is given by your supervisor." in refused.text
    taken = browser.post(f"{ROOM}/courses/{open_one.id}/take")
    assert re.search(r"/mine/\d+$", taken.location)
    # Twice is once.
    assert browser.post(f"{ROOM}/courses/{open_one.id}/take").location == taken.location
    assert db.session.scalar(db.select(db.func.count()).select_from(Assignment)) == 1


def test_links_between_lessons_and_files(sign_in: Any, learner: User, as_requester: Any, polite: Any) -> None:
    """A link leads into one's own course, else to what it is about; files only to those who may read the course."""
    made = polite()
    picture = files.add(made, store_bytes(b"\x89PNG\r\n\x1a\nrest", "a.png", "image/png"), None)
    browser = sign_in(learner)
    link = f"{ROOM}/courses/{made.id}/lessons/bye"
    assert browser.get(link).location.endswith(f"/courses/{made.id}")
    row = assigning.enroll(learner, made)
    learning.begin(row, learner)
    assert browser.get(link).location.endswith(f"/mine/{row.id}/lessons/bye")
    assert browser.get(f"{ROOM}/courses/{made.id}/lessons/none").location.endswith(f"/courses/{made.id}")
    answer = browser.get(f"{ROOM}/courses/{made.id}/files/{picture.name}")
    assert answer.data.startswith(b"\x89PNG") and "sandbox" in answer.headers["Content-Security-Policy"]
    assert as_requester.get(f"{ROOM}/courses/{made.id}/files/{picture.name}").status_code == 403
    assert browser.get(f"{ROOM}/courses/{made.id}/files/b.png").status_code == 404


def test_a_lesson_is_read_in_the_language_of_the_reader(sign_in: Any, learner: User, polite: Any, given: Any) -> None:
    """Where it is there, else in the course's own, marked as such."""
    row = given(polite(), begun=True)
    with transaction():
        learner.locale = "ar"
    browser = sign_in(learner)
    page = browser.get(f"{ROOM}/mine/{row.id}/lessons/hello").text
    assert 'class="lessontext" lang="en" dir="ltr"' in page
    with transaction():
        db.session.get_one(User, learner.id).locale = "es"
    assert "hola" in sign_in(db.session.get_one(User, learner.id)).get(f"{ROOM}/mine/{row.id}/lessons/hello").text


def test_what_is_somebody_elses_is_not_there(
    sample: Any, sign_in: Any, make_user: Any, polite: Any, given: Any
) -> None:
    row = given(polite(questions=sample.questions, tasks=[sample.task]), begun=True)
    other = sign_in(make_user("agent"))
    for path in ("", "/lessons/hello", "/quiz", "/quiz/1", "/tasks/t1"):
        assert other.get(f"{ROOM}/mine/{row.id}{path}").status_code == 404, path
    for path in ("/begin", "/newest", "/lessons/hello", "/quiz", "/quiz/begin", "/tasks/t1"):
        assert other.post(f"{ROOM}/mine/{row.id}{path}").status_code == 404, path


def test_pages_ask_the_database_as_often_for_many(
    sign_in: Any, learner: User, polite: Any, given: Any, count_queries: Any
) -> None:
    browser = sign_in(learner)
    given(polite("One"), begun=True)
    counts = []
    for number in range(2):
        for url in (f"{ROOM}/", f"{ROOM}/courses"):
            browser.get(url)
            with count_queries() as statements:
                browser.get(url)
            counts.append(len(statements))
        if not number:
            for place in range(5):
                given(polite(f"Course {place}", skills=[f"Skill {place}"]), begun=True)
    assert counts[:2] == counts[2:] and max(counts) <= 12, counts


def test_the_quiz_page_asks_little(
    sample: Any, sign_in: Any, learner: User, polite: Any, given: Any, count_queries: Any
) -> None:
    row = given(polite(questions=sample.questions, tasks=[sample.task]), begun=True)
    browser = sign_in(learner)
    browser.post(f"{ROOM}/mine/{row.id}/quiz/begin")
    for path in ("", "/quiz", "/lessons/hello", "/tasks/t1"):
        browser.get(f"{ROOM}/mine/{row.id}{path}")
        with count_queries() as statements:
            assert browser.get(f"{ROOM}/mine/{row.id}{path}").status_code == 200
        assert len(statements) <= 9, (path, "\n".join(statements))


def test_grading_is_not_for_oneself(sample: Any, sign_in: Any, supervisor: User, polite: Any) -> None:
    """A supervisor who takes a course is graded by another."""
    row = assigning.enroll(supervisor, polite(lessons=[], tasks=[sample.task]))
    learning.begin(row, supervisor)
    learning.hand_in(row, "t1", "Mine", supervisor)
    [work] = db.session.scalars(db.select(TaskWork))
    page = sign_in(supervisor).get(f"{ROOM}/grading/tasks/{work.id}")
    assert "Somebody else grades" in page.text and grading.waiting(supervisor) == ([], None)
    assert (
        sign_in(supervisor).post(f"{ROOM}/grading/tasks/{work.id}", data={"m-r1": "2", "m-r2": "2"}).status_code == 403
    )
    assert looking.works(row, "t1")[-1].state == "handed_in"
