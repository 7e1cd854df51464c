"""In Chromium: a customer is not satisfied, and the agent of the ticket is given the course that helps."""

from datetime import timedelta
from typing import Any

import pytest
from helpdesk_surveys import links, surveys
from helpdesk_surveys.models import SENT, Invitation
from helpdesk_training import editing, rules
from helpdesk_training.models import Assignment
from playwright.sync_api import expect

from helpdesk.core import workflow
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.transaction import transaction

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_low_survey_leads_to_a_course(
    visit: Any, sign_in: Any, make_user: Any, make_ticket: Any, run_jobs: Any
) -> None:
    """From the customer's click, by a rule for the tag, to the first lesson; a good answer leads to nothing."""
    lesson = {"texts": {"en": {"title": "When we refund", "text": "Within **30** days."}}}
    course = editing.save(None, {"name": "Refunds"}, None)
    editing.save_content(course, {"lessons": [lesson]}, None)
    editing.publish(course, None)
    low = {"occasion": "low", "kind": "csat", "most": 2, "tag": "refunds", "times": 1, "days": 30}
    rules.save(None, {"name": "Low on refunds", "course_id": course.id, **low}, None)
    asked = surveys.save(None, {"name": "How was it?", "quiet_from": 0, "quiet_until": 0}, None)
    surveys.publish_version(asked, None)
    surveys.switch(asked, True, None)
    agent = make_user("agent", name="Abe Agent")

    def answered(score: str, tags: list[str]) -> None:
        ticket = make_ticket("My money", requester=make_user(), assignee=agent)
        workflow.set_tags(ticket, tags, None)
        row = Invitation(
            survey_id=asked.id, version_id=asked.version_id, user_id=ticket.requester_id, ticket_id=ticket.id,
            agent_id=agent.id, key=links.new_key(), state=SENT, sent_at=now(), closes_at=now() + timedelta(days=9),
        )  # fmt: skip
        with transaction():
            db.session.add(row)
        customer = visit()
        customer.goto(f"{visit.url}/p/surveys/a/{links.token(row)}?score={score}")
        customer.get_by_role("button", name="Send").click()
        expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
        run_jobs()
        db.session.rollback()

    answered("5", ["refunds"])
    answered("1", ["delivery"])
    assert db.session.scalar(db.select(Assignment.id)) is None
    answered("1", ["refunds"])
    [row] = db.session.scalars(db.select(Assignment))
    assert (row.user_id, row.course_id, row.why) == (agent.id, course.id, "low") and row.ticket_id is not None

    page = visit(sign_in(agent))
    page.goto(f"{visit.url}/p/training/")
    expect(page.get_by_text("After low answers of customers")).to_be_visible()
    page.get_by_role("link", name="Open “Refunds”").click()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="When we refund")).to_be_visible()
    # The ticket itself offers the course where its tag is a skill.
    editing.save(course, {"skills": ["Refunds"]}, None)
    page.goto(f"{visit.url}/desk/tickets/{row.ticket_id}")
    expect(page.get_by_text("Lessons that fit")).to_be_visible()
    page.locator(f"a[href$='/p/training/courses/{course.id}']").click()
    expect(page.get_by_role("heading", name="Refunds")).to_be_visible()
    assert visit.problems == []
