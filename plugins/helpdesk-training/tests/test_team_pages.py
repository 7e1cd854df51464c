"""The pages of those who look after others and of those who make courses."""

import io
import re
import zipfile
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_training import assigning, editing, learning, outside, paths, rules, skills
from helpdesk_training.models import (
    Assessment,
    Assignment,
    Certificate,
    Course,
    CourseFile,
    Outside,
    Path,
    Rule,
    Version,
)

from helpdesk.api import User, db, now, tag, transaction

ROOM = "/p/training"
MAKE = f"{ROOM}/manage"


def only(table: Any) -> Any:
    """The only row of a table, as the database has it now."""
    db.session.rollback()
    db.session.expire_all()
    return db.session.scalars(db.select(table)).one()


def acts() -> list[str]:
    """What the record of the administration has."""
    return list(db.session.scalars(db.text("SELECT action FROM audit_entry ORDER BY id")))


# ---- making courses


def test_a_course_is_written_and_published(sign_in: Any, supervisor: User) -> None:
    """Settings, a lesson, a question, a task, in two languages; what is missing is said until nothing is."""
    browser = sign_in(supervisor)
    form = {"name": "Refunds", "language": "en", "pass_mark": "80", "skills": "Refunds, Law", "self_service": "1",
            "titles": "es", "title-es": "Reembolsos"}  # fmt: skip
    assert browser.post(f"{MAKE}/courses/new", data={**form, "pass_mark": "101"}).status_code == 422
    made = browser.post(f"{MAKE}/courses/new", data=form)
    row = only(Course)
    url = f"{MAKE}/courses/{row.id}"
    assert made.location.endswith(url) and "Write a lesson, a question or a task first." in browser.get(url).text
    assert row.titles == {"es": {"name": "Reembolsos", "summary": ""}} and [one.name for one in row.skills] == [
        "Law", "Refunds",
    ]  # fmt: skip
    assert "disabled" in browser.get(url).text
    refused = browser.post(f"{url}/publish", follow_redirects=True)
    assert "Write a lesson" in refused.text and row.version_id is None
    browser.post(f"{url}/lessons/new", data={"locale": "en", "title": "When", "text": "Within **30** days."})
    question = {"locale": "en", "kind": "single", "text": "How long?", "o-0-text": "30 days", "o-1-text": "A year",
                "points": "2"}  # fmt: skip
    browser.post(f"{url}/questions/new", data=question)
    assert "Question 1 has no right answer. Mark the one that is right." in browser.get(url).text
    draft = only(Course).draft
    key, (first, second) = draft["questions"][0]["id"], draft["questions"][0]["options"]
    page = browser.get(f"{url}/questions/{key}").text
    assert 'value="30 days"' in page and " checked" in page
    change = {**question, "o-0-id": first, "o-1-id": second, "o-0-right": "1"}
    browser.post(f"{url}/questions/{key}", data=change)
    task = {"locale": "en", "title": "Answer", "text": "Write.", "r-0-text": "Kind", "r-0-points": "2"}
    browser.post(f"{url}/tasks/new", data=task)
    draft = only(Course).draft
    assert draft["questions"][0]["right"] == [first] and draft["questions"][0]["points"] == 2
    assert draft["tasks"][0]["pass_points"] == 2 and draft["tasks"][0]["rubric"][0]["texts"] == {"en": "Kind"}
    # Another language: the answers keep their names, and the first language stays.
    lesson = draft["lessons"][0]["id"]
    browser.post(f"{url}/lessons/{lesson}", data={"locale": "es", "title": "Cuándo", "text": "En 30 días."})
    browser.post(f"{url}/questions/{key}", data={"locale": "es", "kind": "single", "text": "¿Cuánto?", "points": "2",
                                                 "o-0-id": first, "o-0-text": "30 días", "o-0-right": "1",
                                                 "o-1-id": second, "o-1-text": ""})  # fmt: skip
    said = only(Course).draft["questions"][0]
    assert said["texts"]["es"]["options"] == {first: "30 días"} and said["texts"]["en"]["text"] == "How long?"
    assert said["options"] == [first, second] and said["right"] == [first]
    assert "En 30 días." in browser.get(f"{url}/preview?locale=es").text
    browser.post(f"{url}/publish")
    assert only(Version).number == 1 and only(Course).state == "published"
    assert "Published as it stands here." in browser.get(url).text


def test_parts_are_moved_and_taken_out(sign_in: Any, supervisor: User, polite: Any) -> None:
    row = polite()
    browser, url = sign_in(supervisor), f"{MAKE}/courses/{row.id}"
    browser.post(f"{url}/down", data={"part": "lessons", "id": "hello"})
    assert [one["id"] for one in only(Course).draft["lessons"]] == ["bye", "hello"]
    browser.post(f"{url}/drop", data={"part": "lessons", "id": "bye"})
    browser.post(f"{url}/up", data={"part": "nothing", "id": "bye"})
    assert [one["id"] for one in only(Course).draft["lessons"]] == ["hello"]
    # What was published keeps it.
    assert len(only(Version).content["lessons"]) == 2
    assert "Lesson 1 links to a lesson that is not there." in browser.get(url).text


def test_two_who_write_at_once(sign_in: Any, supervisor: User, polite: Any) -> None:
    """The second is told, and sees what they typed."""
    row = polite()
    browser, url = sign_in(supervisor), f"{MAKE}/courses/{row.id}/lessons/hello"
    before = row.revision
    browser.post(url, data={"locale": "en", "title": "First", "text": "One.", "revision": str(before)})
    late = browser.post(url, data={"locale": "en", "title": "Second", "text": "Two.", "revision": str(before)})
    assert late.status_code == 422 and "Somebody else has changed this course" in late.text and "Two." in late.text
    assert only(Course).draft["lessons"][0]["texts"]["en"]["title"] == "First"
    settings = {"name": "Other", "language": "en", "pass_mark": "80", "revision": str(before)}
    assert browser.post(f"{MAKE}/courses/{row.id}/settings", data=settings).status_code == 422


@pytest.mark.parametrize("page", ["lessons/hello", "settings"])
def test_who_was_slower_overwrites_nothing_by_sending_the_page_once_more(
    sign_in: Any, supervisor: User, polite: Any, page: str
) -> None:
    row = polite()
    browser, before = sign_in(supervisor), row.revision
    editing.save(row, {"summary": "Of a colleague"}, None)
    url = f"{MAKE}/courses/{row.id}/{page}"
    late = {"locale": "en", "title": "Late", "text": "Late.", "name": "Late", "language": "en", "pass_mark": "80"}
    for _turn in range(2):
        answer = browser.post(url, data={**late, "revision": str(before)})
        assert answer.status_code == 422 and "Somebody else has changed this course" in answer.text
        # As the page has it now, which is what a browser sends next.
        before = int(re.findall(r'name="revision" value="(\d+)"', answer.text)[0])
    kept = only(Course)
    assert kept.name != "Late" and kept.summary == "Of a colleague"
    assert kept.draft["lessons"][0]["texts"]["en"]["title"] != "Late"


@pytest.mark.parametrize(
    ("part", "form", "sentence"),
    [
        ("questions", {"kind": "single", "text": "?", "o-0-text": "A", "o-0-right": "1", "o-1-text": "B",
                       "o-1-right": "1"}, "One answer is right here."),
        ("questions", {"kind": "text", "text": "?", "points": "1000"}, "Write a number from 1 to 100."),
        ("lessons", {"title": "x" * 300, "text": "y"}, "This is too long; 200 characters fit."),
        ("tasks", {"title": "T", "text": "t", "r-0-text": "Kind", "r-0-points": "no"}, "Write a number from 1 to 100."),
    ],
)  # fmt: skip
def test_a_part_that_cannot_be_kept(
    sign_in: Any, supervisor: User, polite: Any, part: str, form: dict[str, str], sentence: str
) -> None:
    row = polite()
    page = sign_in(supervisor).post(f"{MAKE}/courses/{row.id}/{part}/new", data={"locale": "en", **form})
    assert page.status_code == 422 and sentence in page.text and form.get("title", "") in page.text
    assert len(only(Course).draft[part]) == (2 if part == "lessons" else 0)


def test_courses_that_wait_for_one_another(sign_in: Any, supervisor: User, polite: Any) -> None:
    """The sentence names the circle."""
    first = polite("Basics")
    second = polite("Advanced", needs=[first.id])
    form = {"name": "Basics", "language": "en", "pass_mark": "80", "needs": str(second.id)}
    page = sign_in(supervisor).post(f"{MAKE}/courses/{first.id}/settings", data=form)
    assert page.status_code == 422 and "Basics → Advanced → Basics" in page.text
    assert re.search(rf'name="needs" value="{second.id}" checked', page.text)


def test_files_of_a_course(sign_in: Any, supervisor: User, polite: Any) -> None:
    row = polite()
    browser, url = sign_in(supervisor), f"{MAKE}/courses/{row.id}/files"
    assert browser.post(url, data={}).status_code == 422
    picture = (io.BytesIO(b"\x89PNG\r\n\x1a\nrest"), "My picture.png")
    browser.post(url, data={"files": picture})
    assert only(CourseFile).name == "My picture.png" and "![My picture.png](My%20picture.png)" in browser.get(url).text
    lesson = {"locale": "en", "title": "Look", "text": "![A](My%20picture.png)"}
    browser.post(f"{MAKE}/courses/{row.id}/lessons/hello", data=lesson)
    assert f"/courses/{row.id}/files/My%20picture.png" in browser.get(f"{MAKE}/courses/{row.id}/preview").text
    kept = browser.post(f"{url}/My picture.png/drop")
    assert kept.status_code == 422
    browser.post(f"{MAKE}/courses/{row.id}/lessons/hello", data={**lesson, "text": "Nothing."})
    assert browser.post(f"{url}/My picture.png/drop").status_code == 303
    assert db.session.scalar(db.select(CourseFile.id)) is None


def packed(**files: str) -> dict[str, Any]:
    """A ZIP file, as a form sends it."""
    place = io.BytesIO()
    with zipfile.ZipFile(place, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/"), text)
    place.seek(0)
    return {"file": (place, "course.zip")}


def test_a_folder_of_markdown_comes_in(sign_in: Any, supervisor: User) -> None:
    """As a draft; what leads out of the folder, or is no folder at all, is said."""
    browser = sign_in(supervisor)
    made = browser.post(f"{MAKE}/import", data=packed(**{"refunds__01-when.md": "# When\n\nWithin 30 days."}))
    row = only(Course)
    assert made.status_code == 303 and made.location.endswith(f"{MAKE}/courses/{row.id}")
    assert row.state == "draft" and row.draft["lessons"][0]["texts"]["en"]["title"] == "When"
    assert row.name == "refunds"
    for _time in range(2):
        # What is in the folder, packed without it: the file has the name.
        loose = browser.post(f"{MAKE}/import", data=packed(**{"01-when.md": "# When\n\nWithin 30 days."}))
        assert loose.status_code == 303
    assert db.session.scalars(db.select(Course.name).order_by(Course.id)).all() == ["refunds", "course"]
    for bad in (
        {},
        {"file": (io.BytesIO(b"no zip"), "a.zip")},
        packed(**{"..__..__evil.md": "# Evil\n\nText."}),
        packed(**{"a__01.md": "# A\n\n![x](../../secret.png)"}),
    ):
        page = browser.post(f"{MAKE}/import", data=bad)
        assert page.status_code == 422 and ("form-error" in page.text or "alertline" in page.text)
    assert db.session.scalar(db.select(db.func.count(Course.id))) == 2 and "training.course_added" in acts()


def test_retired_and_back(sign_in: Any, supervisor: User, learner: User, polite: Any, given: Any) -> None:
    row = polite()
    waiting = given(row)
    browser = sign_in(supervisor)
    browser.post(f"{MAKE}/courses/{row.id}/retire")
    assert only(Course).state == "retired" and only(Assignment).state == "withdrawn" and waiting.id
    assert sign_in(learner).get(f"{ROOM}/courses/{row.id}").status_code == 404
    browser.post(f"{MAKE}/courses/{row.id}/restore")
    assert only(Course).state == "published"
    assert "Politeness" in browser.get(f"{MAKE}/courses?state=published").text
    assert "Politeness" not in browser.get(f"{MAKE}/courses?state=draft").text


def test_paths(sign_in: Any, supervisor: User, learner: User, polite: Any) -> None:
    """In the order of the places; each with its days; given as a whole."""
    one, two = polite("One"), polite("Two")
    browser = sign_in(supervisor)
    form = {"name": "First week", "active": "1", "i-0-course": str(one.id), "i-0-place": "2", "i-0-due": "7",
            "i-1-course": str(two.id), "i-1-place": "1", "i-1-due": "x"}  # fmt: skip
    bad = browser.post(f"{MAKE}/paths/new", data=form)
    assert bad.status_code == 422 and "Enter a number from 0 to 3650." in bad.text and "First week" in bad.text
    assert browser.post(f"{MAKE}/paths/new", data={"name": "Empty", "active": "1"}).status_code == 422
    assert browser.post(f"{MAKE}/paths/new", data={**form, "i-1-due": "3"}).status_code == 303
    row = only(Path)
    assert [(item.course_id, item.due_days) for item in row.items] == [(two.id, 3), (one.id, 7)]
    assert (
        "First week" in browser.get(f"{MAKE}/paths").text and 'value="7"' in browser.get(f"{MAKE}/paths/{row.id}").text
    )
    assert browser.post(f"{MAKE}/paths/{row.id}", data={"name": "Week", "i-0-course": str(one.id)}).status_code == 303
    assert not only(Path).active
    paths.save(only(Path), {"active": True}, None)
    browser.post(f"{ROOM}/assign", data={"path": str(row.id), "person": str(learner.id)})
    assert only(Assignment).course_id == one.id


def test_rules(sign_in: Any, supervisor: User, learner: User, polite: Any, run_jobs: Any) -> None:
    """A rule is written, gives its course, is switched and taken out; what it gave stays."""
    course, browser = polite(), sign_in(supervisor)
    form = {"name": "All agents", "occasion": "role", "role": "agent", "course_id": str(course.id), "due_days": "14"}
    assert "one of the two" in browser.post(f"{MAKE}/rules/new", data={**form, "course_id": ""}).text
    low = browser.post(f"{MAKE}/rules/new", data={**form, "occasion": "low", "most": "11", "times": "1", "days": "30"})
    assert low.status_code == 422 and "All agents" in low.text
    assert browser.post(f"{MAKE}/rules/new", data=form).status_code == 303
    run_jobs()
    given = only(Assignment)
    assert (given.user_id, given.why, given.rule_id) == (learner.id, "role", only(Rule).id)
    assert "All agents" in browser.get(f"{MAKE}/rules").text
    url = f"{MAKE}/rules/{only(Rule).id}"
    assert 'value="role" checked' in browser.get(url).text
    browser.post(f"{url}/off")
    assert not only(Rule).active
    browser.post(url, data={**form, "name": "Every agent"})
    assert only(Rule).name == "Every agent"
    browser.post(f"{url}/delete")
    assert db.session.scalar(db.select(Rule.id)) is None and only(Assignment).state == "assigned"
    assert rules.listed() == []


# ---- looking after others


def test_assigning_by_hand(sign_in: Any, supervisor: User, learner: User, polite: Any) -> None:
    """Whom and what has to be chosen; nothing that was typed is lost; twice changes nothing."""
    course, browser = polite(), sign_in(supervisor)
    bad = browser.post(f"{ROOM}/assign", data={"words": "Please", "due": "2026-02-30", "person": str(learner.id)})
    assert bad.status_code == 422 and "Please" in bad.text and 'value="2026-02-30"' in bad.text
    assert "Write a date that there is." in bad.text and "one of the two" in bad.text
    assert re.search(rf'name="person" value="{learner.id}" checked', bad.text)
    form = {"course": str(course.id), "person": str(learner.id), "due": (now() + timedelta(days=5)).date().isoformat()}
    assert "Choose somebody first." in browser.post(f"{ROOM}/assign", data={**form, "person": ""}).text
    done = browser.post(f"{ROOM}/assign", data=form, follow_redirects=True)
    assert "1 assignment is new." in done.text and "Nina New" in done.text
    row = only(Assignment)
    assert row.due_at is not None and row.assigned_by_id == supervisor.id
    assert "nothing was changed" in browser.post(f"{ROOM}/assign", data=form, follow_redirects=True).text
    url = f"{ROOM}/assignments/{row.id}"
    assert browser.post(f"{url}/due", data={"due": "soon"}).status_code == 422
    browser.post(f"{url}/due", data={"due": ""})
    assert only(Assignment).due_at is None
    browser.post(f"{url}/withdraw", data={"why": "She knows it."})
    assert only(Assignment).state == "withdrawn" and "She knows it." in browser.get(url).text
    assert browser.post(f"{url}/withdraw", data={"why": "Again"}).status_code == 422


def test_forms_propose_the_days_that_the_owner_has_set(sign_in: Any, make_user: Any, polite: Any) -> None:
    """By hand and by a rule; a path has days of its own."""
    course, browser = polite(), sign_in(make_user("admin"))
    values = {"due_days": "40", "remind_days": "3", "escalate_days": "2", "offers": "3", "keep_answers_days": "1095"}
    assert browser.post("/admin/settings/training", data=values).status_code == 303
    day = (now() + timedelta(days=40)).date().isoformat()
    assert day in browser.get(f"{ROOM}/assign?course={course.id}").text
    assert day not in browser.get(f"{ROOM}/assign?path=1").text
    form = browser.get(f"{MAKE}/rules/new").text
    assert re.search(r'name="due_days"[^>]*value="40"|value="40"[^>]*name="due_days"', form)
    rule = rules.save(None, {"name": "R", "occasion": "role", "role": "agent", "course_id": course.id}, None)
    assert rule.due_days == 40


def test_whom_to_assign_is_searched_for(
    sign_in: Any, supervisor: User, learner: User, make_user: Any, make_team: Any, polite: Any
) -> None:
    """A page of people, those who are chosen always among them; nothing is assigned before it is said."""
    course, browser = polite(), sign_in(supervisor)
    team = make_team("Night", members=[make_user("agent", name=f"Owl {number:02}") for number in range(53)])
    first = browser.get(f"{ROOM}/assign?person={learner.id}").text
    assert len(re.findall('name="person"', first)) == 51 and "Owl 49" in first and "Owl 50" not in first
    assert re.search(rf'name="person" value="{learner.id}" checked', first) and "write a part of the name" in first
    form = {"course": str(course.id), "person": str(learner.id), "words": "Please", "q": "wl 5"}
    found = browser.post(f"{ROOM}/assign", data={**form, "find": "1"})
    assert found.status_code == 200 and not db.session.scalars(db.select(Assignment)).all() and "Please" in found.text
    assert re.findall(r"<bdi>(Owl \d+|Nina New)</bdi></span></label>", found.text) == [
        "Nina New", "Owl 50", "Owl 51", "Owl 52",
    ]  # fmt: skip
    assert "write a part of the name" not in found.text
    bad = browser.post(f"{ROOM}/assign", data={**form, "whole": "1"})
    assert bad.status_code == 422 and "Choose the team whose members get it." in bad.text
    done = browser.post(f"{ROOM}/assign", data={**form, "team": str(team.id), "whole": "1"}, follow_redirects=True)
    assert "54 assignments are new." in done.text


def test_another_try(sign_in: Any, supervisor: User, learner: User, polite: Any, given: Any, sample: Any) -> None:
    row = given(polite(questions=sample.questions[:1], attempts=1, lessons=[]), begun=True)
    learning.submit(learning.start_attempt(row, learner), {"q1": ["b"]}, learner)
    assert only(Assignment).state == "failed"
    browser = sign_in(supervisor)
    assert "Quiz, try 1" in browser.get(f"{ROOM}/assignments/{row.id}").text
    browser.post(f"{ROOM}/assignments/{row.id}/attempt")
    assert only(Assignment).is_open and acts()[-1] == "training.attempt_allowed"
    assert sign_in(learner).post(f"{ROOM}/mine/{row.id}/quiz/begin").status_code == 303


def test_supervisors_see_their_own_people(
    sign_in: Any, make_user: Any, make_team: Any, learner: User, polite: Any, given: Any
) -> None:
    """One of another team is not there, in no list and by no address."""
    other = make_user("supervisor")
    make_team("Sales", members=[other, make_user("agent", name="Sam Sales")])
    row = given(polite())
    record = outside.record(learner, {"title": "Aid", "held_on": now().date()}, None, learner)
    with transaction():
        db.session.add(Certificate(user_id=learner.id, course_id=row.course_id, serial="S1"))
    browser = sign_in(other)
    for path in ("assignments?show=all", "team", "figures", "grading", "assign"):
        page = browser.get(f"{ROOM}/{path}")
        assert page.status_code == 200 and "Nina New" not in page.text, path
    for path in (f"assignments/{row.id}", f"people/{learner.id}", f"outside/{record.id}", "certificates/S1"):
        assert browser.get(f"{ROOM}/{path}").status_code == 404, path
    forms = (f"assignments/{row.id}/withdraw", f"people/{learner.id}/assess", f"outside/{record.id}/decide",
             "certificates/S1/revoke")  # fmt: skip
    for path in forms:
        assert browser.post(f"{ROOM}/{path}", data={"why": "x"}).status_code == 404, path
    form = {"course": str(row.course_id), "person": str(learner.id)}
    assert "Choose somebody first." in browser.post(f"{ROOM}/assign", data=form).text


def test_skills_and_how_they_are_known(sign_in: Any, supervisor: User, learner: User, polite: Any) -> None:
    """A certificate, training elsewhere that was verified, what a supervisor has seen; the person sees it too."""
    course = polite(skills=["Refunds"])
    with transaction():
        db.session.add(Certificate(user_id=learner.id, course_id=course.id, serial="S1"))
    browser, own = sign_in(supervisor), sign_in(learner)
    url = f"{ROOM}/people/{learner.id}"
    assert browser.post(f"{url}/assess", data={"skill": "", "note": "Kept"}).status_code == 422
    assert browser.post(f"{url}/assess", data={"skill": "German", "grade": "9"}).status_code == 422
    browser.post(f"{url}/assess", data={"skill": "German", "grade": "3", "note": "Heard her."})
    assert only(Assessment).grade == 3
    page = browser.get(f"{ROOM}/team").text
    assert "German" in page and "Alone" in page and "Refunds" in page
    assert "German" in own.get(url).text and "Assess</h3>" not in own.get(url).text
    assert own.post(f"{url}/assess", data={"skill": "German", "grade": "4"}).status_code == 403
    assert skills.matrix(supervisor).cell(learner.id, "german") is not None
    assert browser.get(f"{ROOM}/team?team=999999").status_code == 200


def test_training_elsewhere(sign_in: Any, supervisor: User, learner: User) -> None:
    """Claimed with a paper, verified or not, corrected by a new record; nothing is overwritten."""
    own, browser = sign_in(learner), sign_in(supervisor)
    bad = own.post(f"{ROOM}/outside/new", data={"title": "Aid", "held_on": "never", "note": "Kept"})
    assert bad.status_code == 422 and "Kept" in bad.text and 'value="never"' in bad.text
    later = (now() + timedelta(days=9)).date().isoformat()
    assert own.post(f"{ROOM}/outside/new", data={"title": "Aid", "held_on": later}).status_code == 422
    form = {"title": "First aid", "provider": "Red Cross", "held_on": "2026-01-15", "skills": "First aid, Calm"}
    made = own.post(f"{ROOM}/outside/new", data={**form, "file": (io.BytesIO(b"%PDF-1.7 x"), "paper.pdf")})
    first = only(Outside)
    assert (
        made.location.endswith(f"/outside/{first.id}") and first.state == "claimed" and first.file_name == "paper.pdf"
    )
    url = f"{ROOM}/outside/{first.id}"
    answer = own.get(f"{url}/file")
    assert answer.data == b"%PDF-1.7 x" and answer.headers["Content-Disposition"].startswith("attachment")
    assert own.post(f"{url}/decide", data={"verify": "1"}).status_code == 403
    assert "First aid" in browser.get(f"{ROOM}/grading").text
    silent = browser.post(f"{url}/decide", data={"refuse": "1", "decision": ""})
    assert silent.status_code == 422 and "Say why" in silent.text
    browser.post(f"{url}/decide", data={"verify": "1"})
    assert acts()[-1] == "training.outside_decided"
    assert only(Outside).state == "verified" and "Calm" in browser.get(f"{ROOM}/team").text
    again = own.get(f"{ROOM}/outside/new?corrects={first.id}").text
    assert 'value="First aid, Calm"' in again and 'value="2026-01-15"' in again
    own.post(f"{ROOM}/outside/new", data={**form, "skills": "Calm", "corrects": str(first.id)})
    records = list(db.session.scalars(db.select(Outside).order_by(Outside.id)))
    assert [one.corrects_id for one in records] == [None, first.id]
    listed = own.get(f"{ROOM}/").text
    assert f"/outside/{records[1].id}" in listed and f'/outside/{first.id}"' not in listed
    # For somebody else it counts at once; not by everybody.
    browser.post(f"{ROOM}/outside/new", data={**form, "title": "Law", "person": str(learner.id)})
    assert db.session.scalars(db.select(Outside).order_by(Outside.id.desc())).first().state == "verified"
    assert own.get(f"{ROOM}/outside/new?person={supervisor.id}").status_code == 404


def test_a_certificate_is_revoked(sign_in: Any, supervisor: User, learner: User, polite: Any) -> None:
    course = polite()
    with transaction():
        db.session.add(Certificate(user_id=learner.id, course_id=course.id, serial="S1"))
    browser, own = sign_in(supervisor), sign_in(learner)
    assert browser.post(f"{ROOM}/certificates/S1/revoke", data={"why": " "}).status_code == 422
    assert own.post(f"{ROOM}/certificates/S1/revoke", data={"why": "x"}).status_code == 403
    browser.post(f"{ROOM}/certificates/S1/revoke", data={"why": "It was copied."})
    assert acts()[-1] == "training.certificate_revoked"
    page = own.get(f"{ROOM}/certificates/S1").text
    assert "Revoked" in page and "It was copied." in page and "Counts no more" in page
    assert browser.get(f"{ROOM}/certificates/S2").status_code == 404


def test_figures_open_their_lists(
    sign_in: Any, supervisor: User, learner: User, polite: Any, given: Any, sample: Any
) -> None:
    row = given(polite(questions=sample.questions[:1], lessons=[]), begun=True)
    learning.submit(learning.start_attempt(row, learner), {"q1": ["b"]}, learner)
    learning.submit(learning.start_attempt(row, learner), {"q1": ["a"]}, learner)
    late = given(polite("Late"))
    with transaction():
        late.due_at = now() - timedelta(days=1)
    browser = sign_in(supervisor)
    page = browser.get(f"{ROOM}/figures").text
    assert "What comes first?" in page and "1 of 2" in page and "100%" in page and "50%" in page
    for link, shown, hidden in (("done", "Politeness", "Late"), ("late", "Late", "Politeness")):
        listed = browser.get(f"{ROOM}/assignments?show={link}").text
        table = listed[listed.index("<tbody>") :]
        assert shown in table and hidden not in table
    narrowed = browser.get(f"{ROOM}/assignments?show=all&course={late.course_id}&team=x").text
    assert "Politeness" not in narrowed[narrowed.index("<tbody>") :]


# ---- places on other pages


def test_places(
    as_admin: Any, sign_in: Any, supervisor: User, learner: User, polite: Any, given: Any, make_ticket: Any
) -> None:
    """ticket_panels, dashboard_widgets, user_panels, team_panels, nav_items, admin_rooms: each says what it is for."""
    course = polite(skills=["Refunds"])
    ticket = make_ticket("My refund")
    assert "Lessons that fit" not in sign_in(learner).get(f"/desk/tickets/{ticket.id}/side").text
    tag(ticket, ["refunds"], None)
    browser = sign_in(learner)
    side = browser.get(f"/desk/tickets/{ticket.id}/side").text
    assert "Lessons that fit" in side and f"/p/training/courses/{course.id}" in side
    given(course)
    assert "My training" in browser.get("/desk/dashboard/widgets").text
    boss = sign_in(supervisor)
    page = boss.get(f"/desk/people/{learner.id}").text
    assert f"/p/training/people/{learner.id}" in page and 'aria-label="Training"' in page
    [team] = learner.teams
    assert "Courses to be done" in boss.get(f"/desk/teams/{team.id}").text
    assert "Courses to be done" not in browser.get(f"/desk/teams/{team.id}").text
    assert "/p/training/manage/courses" in as_admin.get("/admin/").text


@pytest.mark.parametrize("many", [3])
def test_lists_ask_the_database_as_often_for_many(
    sign_in: Any, supervisor: User, make_user: Any, make_team: Any, polite: Any, count_queries: Any, many: int
) -> None:
    course, browser = polite(), sign_in(supervisor)
    pages = (
        "assignments?show=all",
        "team",
        "figures",
        "grading",
        "manage/courses",
        "manage/paths",
        "manage/rules",
        "assign",
    )
    counts: list[list[int]] = []
    for round_ in range(2):
        people = [make_user("agent") for _number in range(1 if not round_ else many)]
        made = assigning.assign(people, course, None)
        for one, person in zip(made, people, strict=True):
            learning.begin(one, person)
            outside.assess(person, f"Skill {person.id}", 2, "", supervisor)
        paths.save(None, {"name": f"Path {round_}", "items": [{"course_id": course.id}]}, None)
        found = []
        for page in pages:
            browser.get(f"{ROOM}/{page}")
            with count_queries() as statements:
                assert browser.get(f"{ROOM}/{page}").status_code == 200
            found.append(len(statements))
        counts.append(found)
    assert counts[0] == counts[1] and max(counts[0]) <= 14, counts
