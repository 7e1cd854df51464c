"""In Chromium: a new agent's first week from the assignment to the certificate; what is typed is kept."""

import re
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_training import learning, paths, rules
from helpdesk_training.models import Assignment, Attempt, Certificate, TaskWork

from helpdesk.api import User, db, now, transaction

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = {"width": 360, "height": 740}


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def read(table: Any) -> list[Any]:
    """The rows of a table as they are now."""
    db.session.rollback()
    db.session.expire_all()
    return list(db.session.scalars(db.select(table).order_by(table.id)))


def test_the_first_week_of_a_new_agent(
    visit: Any, sign_in: Any, make_user: Any, supervisor: User, polite: Any, sample: Any, run_jobs: Any
) -> None:
    """By a rule to the plan, on a phone without any script to the quiz and the task, graded, and the certificate."""
    from playwright.sync_api import expect

    course = polite(questions=[*sample.questions, sample.free], tasks=[sample.task], valid_days=365)
    week = paths.save(None, {"name": "First week", "items": [{"course_id": course.id, "due_days": 5}]}, None)
    rules.save(None, {"name": "Who is new", "occasion": "new", "path_id": week.id}, None)
    nina = make_user("agent", name="Nina New")
    run_jobs()
    [row] = read(Assignment)
    assert (row.user_id, row.path_id, row.rule_id is not None) == (nina.id, week.id, True)

    phone = visit(sign_in(nina), viewport=PHONE, java_script_enabled=False)
    phone.goto(f"{visit.url}/p/training/")
    expect(phone.get_by_text("1 course waits for you.")).to_be_visible()
    phone.get_by_role("link", name="Open “Politeness”").click()
    phone.get_by_role("button", name="Begin").click()
    expect(phone.get_by_role("heading", name="Say hello")).to_be_visible()
    assert overflow(phone) == 0
    phone.get_by_role("button", name="Read, go on").click()
    expect(phone.get_by_role("heading", name="Say goodbye")).to_be_visible()
    phone.get_by_role("button", name="Read, go on").click()
    phone.get_by_role("button", name="Begin the quiz").click()
    phone.get_by_label("The name", exact=True).check()
    # Put aside, and gone on with another day.
    phone.get_by_role("button", name="Save, go on later").click()
    phone.get_by_role("link", name=re.compile("^Quiz of")).click()
    expect(phone.get_by_label("The name", exact=True)).to_be_checked()
    phone.get_by_label("Please", exact=True).check()
    phone.get_by_label("Thanks", exact=True).check()
    for place, words in (("1", "Read"), ("2", "Think"), ("3", "Write")):
        phone.get_by_label(f"Place of “{words}”").select_option(place)
    phone.get_by_label("Your answer to question 4").fill("With a reason, kindly.")
    assert overflow(phone) == 0
    phone.get_by_role("button", name="Hand in").click()
    expect(phone.get_by_role("heading", name="Is graded", exact=True)).to_be_visible()
    phone.get_by_role("link", name="On with the course").click()
    phone.get_by_role("link", name="Task: Answer Anna").click()
    phone.get_by_label("Your answer").fill("Dear Anna, it comes on Friday.")
    phone.get_by_role("button", name="Hand in").click()
    expect(phone.get_by_text("All is handed in.", exact=False)).to_be_visible()

    desk = visit(sign_in(supervisor))
    desk.goto(f"{visit.url}/p/training/grading")
    desk.get_by_role("link", name="How do you say no?").click()
    desk.get_by_label("Points, of 2").fill("2")
    desk.get_by_role("button", name="Grade").click()
    desk.get_by_role("link", name="Answer Anna").click()
    desk.get_by_label("Greets by name (of 2)").fill("2")
    desk.get_by_label("Says what happens next (of 2)").fill("2")
    desk.get_by_role("button", name="Grade").click()
    expect(desk.get_by_text("Nothing to grade")).to_be_visible()

    phone.goto(f"{visit.url}/p/training/mine/{row.id}")
    phone.get_by_role("link", name="Your certificate").click()
    expect(phone.get_by_text("has completed the course")).to_be_visible()
    assert overflow(phone) == 0
    [certificate] = read(Certificate)
    assert certificate.user_id == nina.id and certificate.expires_at is not None
    # On paper there is the certificate alone.
    paper = visit(sign_in(nina))
    paper.goto(f"{visit.url}/p/training/certificates/{certificate.serial}")
    paper.emulate_media(media="print")
    expect(paper.locator(".diploma")).to_be_visible()
    expect(paper.locator(".spine")).to_be_hidden()
    expect(paper.get_by_role("button", name="Print")).to_be_hidden()
    assert visit.problems == []


def test_what_is_typed_is_kept_by_itself(
    visit: Any, sign_in: Any, learner: User, polite: Any, given: Any, sample: Any
) -> None:
    """A second after the last key; when the connection is away, once it is back."""
    from playwright.sync_api import expect

    row = given(polite(questions=[sample.free], tasks=[sample.task]), begun=True)
    learning.start_attempt(row, learner)
    page = visit(sign_in(learner), viewport=PHONE)
    page.goto(f"{visit.url}/p/training/mine/{row.id}/quiz")
    page.get_by_label("Your answer to question 1").press_sequentially("Kindly")
    expect(page.get_by_text("All is saved.")).to_be_visible()
    assert read(Attempt)[0].answers == {"q4": "Kindly"} and read(Attempt)[0].state == "open"
    page.goto(f"{visit.url}/p/training/mine/{row.id}/tasks/t1")
    page.context.set_offline(True)
    page.get_by_label("Your answer").press_sequentially("Dear Anna")
    expect(page.get_by_text("Not saved yet", exact=False)).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_text("All is saved.")).to_be_visible(timeout=15_000)
    assert [one.text for one in read(TaskWork)] == ["Dear Anna"]


def test_no_page_is_wider_than_a_phone_from_right_to_left(
    visit: Any, sign_in: Any, learner: User, supervisor: User, polite: Any, given: Any, sample: Any
) -> None:
    course = polite(questions=[*sample.questions, sample.free], tasks=[sample.task], skills=["Refunds", "Law"])
    row = given(course, begun=True, due_at=now() + timedelta(days=2))
    attempt = learning.start_attempt(row, learner)
    learning.submit(attempt, {"q1": ["b"], "q2": ["a"], "q3": ["a", "b", "c"], "q4": "Kindly"}, learner)
    with transaction():
        db.session.add(Certificate(user_id=learner.id, course_id=course.id, serial="T-0001"))
        learner.locale = supervisor.locale = "ar"
    own = ("", "courses", f"courses/{course.id}", f"mine/{row.id}", f"mine/{row.id}/lessons/hello",
           f"mine/{row.id}/quiz", f"mine/{row.id}/quiz/1", f"mine/{row.id}/tasks/t1", "certificates/T-0001",
           "outside/new")  # fmt: skip
    make = f"manage/courses/{course.id}"
    theirs = ("team", f"people/{learner.id}", "assignments?show=all", "assign", f"assignments/{row.id}", "grading",
              "figures", "manage/courses", make, f"{make}/settings", f"{make}/lessons/hello", f"{make}/questions/q1",
              f"{make}/tasks/t1", f"{make}/files", f"{make}/preview", "manage/paths/new", "manage/rules/new",
              "manage/import")  # fmt: skip
    for user, pages in ((learner, own), (supervisor, theirs)):
        narrow = visit(sign_in(user), viewport=PHONE)
        for page in pages:
            assert narrow.goto(f"{visit.url}/p/training/{page}").status == 200, page
            assert narrow.locator("html").get_attribute("dir") == "rtl" and overflow(narrow) == 0, page
    assert visit.problems == []
