"""In Chromium: solved, a mail, one click, a comment, a low score, a follow-up, and figures that open it."""

import re
from typing import Any

import pytest
from helpdesk_surveys.models import FollowUp, Response

from helpdesk.api import Team, Ticket, User, db, transaction

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = {"width": 360, "height": 740}


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_from_a_solution_to_a_follow_up_and_back_from_the_figures(
    visit: Any, sign_in: Any, boss: User, survey: Any, solved: Any, ticket: Ticket, mails: Any, run_jobs: Any,
    travel: Any, make_team: Any,
) -> None:  # fmt: skip
    """On a phone of 360 pixels without any script, by keyboard, for the customer; then where the team works."""
    from playwright.sync_api import expect

    team: Team = make_team("Workshop")
    made = survey(rules=[{"least": 1, "most": 2, "do": "ticket", "team_id": team.id, "tag": ""}])
    solved()
    [mail] = mails()
    link = re.search(r"http://desk\.example(/p/surveys/a/[0-9a-f-]+\?score=2)", mail["text"])
    assert link is not None

    phone = visit(viewport=PHONE, java_script_enabled=False)
    phone.goto(f"{visit.url}{link[1]}")
    expect(phone.get_by_role("radio", name="Dissatisfied", exact=True)).to_be_checked()
    expect(phone.get_by_text("You have chosen “Dissatisfied”.")).to_be_visible()
    assert overflow(phone) == 0 and db.session.scalar(db.select(Response.id)) is None
    # By keyboard alone: another choice, a comment, the button.
    phone.get_by_role("radio", name="Dissatisfied", exact=True).focus()
    phone.keyboard.press("ArrowLeft")
    phone.keyboard.press("Tab")
    phone.keyboard.type("Nobody read what I wrote.")
    phone.keyboard.press("Tab")
    phone.keyboard.press("Enter")
    expect(phone.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(phone.get_by_text("Very dissatisfied")).to_be_visible()
    phone.get_by_role("link", name="Change my answer").click()
    expect(phone.get_by_role("radio", name="Very dissatisfied")).to_be_checked()

    travel(hours=1)
    run_jobs()
    db.session.rollback()
    [task] = db.session.scalars(db.select(FollowUp))
    assert task.ticket is not None and task.ticket.team_id == team.id

    desk = visit(sign_in(boss))
    desk.goto(f"{visit.url}/p/surveys/?survey={made.id}")
    desk.get_by_role("link", name=re.compile("^Very dissatisfied")).click()
    expect(desk.get_by_text("Nobody read what I wrote.")).to_be_visible()
    desk.locator(".answers li a").first.click()
    desk.get_by_label("Contacted").check()
    desk.get_by_label("Note", exact=False).fill("Spoke to her.")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Noted.")).to_be_visible()
    desk.locator(f"#follow-up-{task.id} a[href$='/desk/tickets/{task.ticket_id}']").click()
    expect(desk.get_by_text("Nobody read what I wrote.").first).to_be_visible()
    db.session.rollback()
    assert db.session.get_one(FollowUp, task.id).state == "contacted"

    # No page is wider than a phone, from right to left as well.
    with transaction():
        db.session.get_one(User, boss.id).locale = "ar"
    narrow = visit(sign_in(boss), viewport=PHONE)
    response = task.response_id
    for page in ("", "answers", f"answers/{response}", "follow-ups?state=all", "surveys", "surveys/new",
                 f"surveys/{made.id}", f"surveys/{made.id}/words?add=1", f"surveys/{made.id}/asked",
                 f"surveys/{made.id}/left-out", f"surveys/{made.id}/preview", f"tickets/{ticket.id}/ask"):  # fmt: skip
        narrow.goto(f"{visit.url}/p/surveys/{page}")
        assert narrow.locator("html").get_attribute("dir") == "rtl" and overflow(narrow) == 0, page
    assert visit.problems == []
