"""Training with the plugins that it works with: a low answer to a real survey, the ladder of careers."""

from typing import Any

import pytest
from helpdesk_surveys import links, surveys
from helpdesk_surveys.models import Invitation
from helpdesk_training import assigning, editing, learning, rules
from helpdesk_training.models import Assignment, Course

from helpdesk.api import User, collect, db, solve, tag


@pytest.fixture
def agent(make_user: Any) -> User:
    person: User = make_user("agent", name="Abe Agent")
    return person


@pytest.fixture
def course(app: Any) -> Course:
    made = editing.save(None, {"name": "Politeness", "skills": ["Tone"]}, None)
    editing.save_content(made, {"lessons": [{"texts": {"en": {"title": "A", "text": "B"}}}]}, None)
    editing.publish(made, None)
    return made


def test_a_low_answer_to_a_survey_leads_to_a_course(
    course: Course, agent: User, make_user: Any, make_ticket: Any, run_jobs: Any, travel: Any, client: Any, sign_in: Any
) -> None:
    """From the solved ticket by the form of the mail to what the agent is to learn, and the page that says so."""
    rules.save(None, {"name": "Low", "occasion": "low", "tag": "returns", "most": 2, "course_id": course.id}, None)
    asked = surveys.save(None, {"name": "How was it?", "quiet_from": 0, "quiet_until": 0, "delay_hours": 1}, None)
    surveys.publish_version(asked, None)
    surveys.switch(asked, True, None)
    anna = make_user(name="Anna Berg", email="anna@customer.example")
    ticket = make_ticket("Where is it?", requester=anna, assignee=agent)
    tag(ticket, ["returns"], None)
    solve(ticket, agent)
    run_jobs()
    travel(hours=2)
    run_jobs()
    token = links.token(db.session.scalars(db.select(Invitation)).one())
    assert db.session.scalar(db.select(Assignment.id)) is None
    assert client.post(f"/p/surveys/a/{token}", data={"score": "1", "comment": "Rude."}).status_code in (200, 302, 303)
    run_jobs()
    given = db.session.scalars(db.select(Assignment)).one()
    assert (given.user_id, given.course_id, given.why, given.ticket_id) == (agent.id, course.id, "low", ticket.id)
    assert "Politeness" in sign_in(agent).get("/p/training/").text


def test_the_ladder_measures_courses_and_knows_who_holds_what(course: Course, agent: User) -> None:
    (given,) = assigning.assign([agent], course, None)
    learning.finish_lesson(learning.begin(given, agent), "l1", agent)
    criteria = {one["key"]: one for one in collect("career_criteria")}
    assert criteria["training.course"]["measure"]([agent.id], None, str(course.id)) == {agent.id: (1.0, 1)}
    assert "Tone" in collect("career_competences")
    held = {one["key"]: one["holders"] for one in collect("career_certificates")}
    assert held[str(course.id)] == {agent.id: None}
