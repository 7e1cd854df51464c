"""In Chromium: from junior to intermediate with evidence and approval, and the new right on a ticket."""

from datetime import date
from typing import Any

import pytest
from helpdesk_career import competences, goals, ladder, measuring, proposals, recognition, records, reviews, rules
from helpdesk_career.models import Step

from helpdesk.api import User, assign, db, transaction

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = {"width": 360, "height": 740}


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_from_junior_to_intermediate_and_a_ticket_that_can_be_closed(
    visit: Any, sign_in: Any, boss: User, agent: User, chief: User, other_chief: User, team: Any, make_ticket: Any,
    solved: Any, level_of: Any, travel: Any,
) -> None:  # fmt: skip
    """The ladder by the administrator, the way by the agent on a phone, one who proposes, another who approves."""
    from playwright.sync_api import expect

    ticket = make_ticket(subject="The parcel is lost")
    assign(ticket, agent, None)

    desk = visit(sign_in(boss))
    desk.goto(f"{visit.url}/p/career/ladder")
    desk.get_by_role("button", name="Begin").click()
    desk.get_by_role("link", name="Intermediate agent").click()
    first, second = desk.get_by_role("group", name="Row 1"), desk.get_by_role("group", name="Row 2")
    first.get_by_label("Asked for").select_option(label="Tickets solved")
    first.get_by_label("How much").fill("2")
    second.get_by_label("Asked for").select_option(label="Time in the level")
    second.get_by_label("How much").fill("10")
    desk.locator("#asks").get_by_role("button", name="Save").click()
    expect(desk.get_by_role("group", name="Row 2").get_by_label("How much")).to_have_value("10")
    desk.goto(f"{visit.url}/p/career/rules")
    desk.get_by_role("link", name="Make a level needed").click()
    desk.get_by_label("Level or certificate").select_option(label="Intermediate agent (Customer service)")
    desk.get_by_label("Right", exact=True).select_option(label="Close tickets")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("is needed to")).to_be_visible()

    lead = visit(sign_in(chief))
    lead.goto(f"{visit.url}/p/career/team")
    lead.get_by_role("link", name="Abe Agent").click()
    lead.get_by_text("Give a level").click()
    lead.locator("#f-place-level").select_option(label="Junior agent (Customer service)")
    lead.locator("#f-place-why").fill("She has begun.")
    lead.get_by_role("button", name="Write it down").click()
    expect(lead.get_by_text("She has begun.")).to_be_visible()

    # The agent, on a phone without any script: nothing to close with, and what is missing.
    phone = visit(sign_in(agent), viewport=PHONE, java_script_enabled=False)
    phone.goto(f"{visit.url}/desk/tickets/{ticket.id}/edit")
    expect(phone.get_by_label("Status").locator("option", has_text="Solved")).to_have_count(1)
    expect(phone.get_by_label("Status").locator("option", has_text="Closed")).to_have_count(0)
    solved(agent, subject="Where is it?")
    solved(agent, subject="How much?")
    db.session.rollback()
    measuring.measure_stale()
    phone.goto(f"{visit.url}/p/career/")
    assert overflow(phone) == 0
    expect(phone.get_by_text("10 days missing")).to_be_visible()
    expect(phone.get_by_text("1 of 2")).to_be_visible()
    phone.get_by_role("link", name="Tickets solved").click()
    expect(phone.get_by_text("How much?").first).to_be_visible()
    expect(phone.get_by_text("The parcel is lost")).to_have_count(0)

    # Ten days later everybody signs in anew.
    travel(days=10)
    lead = visit(sign_in(chief))
    lead.goto(f"{visit.url}/p/career/team?show=ready")
    lead.get_by_role("link", name="Abe Agent").click()
    lead.get_by_text("Propose a promotion").click()
    lead.locator("#f-propose-why").fill("She solves what others leave.")
    lead.get_by_role("button", name="Propose", exact=True).click()
    lead.get_by_role("link", name="Intermediate agent (Customer service)").click()
    lead.get_by_role("button", name="Approve").click()
    expect(lead.get_by_text("You proposed this yourself. Somebody else has to decide.")).to_be_visible()
    assert level_of(agent) == "junior"

    decider = visit(sign_in(other_chief))
    decider.goto(f"{visit.url}/desk/dashboard")
    decider.locator("a[href^='/p/career/proposals/']").first.click()
    expect(decider.get_by_role("heading", name="The evidence as it was")).to_be_visible()
    expect(decider.get_by_text("She solves what others leave.")).to_be_visible()
    decider.get_by_label("Answer").fill("Well done.")
    decider.get_by_role("button", name="Approve").click()
    expect(decider.get_by_text("Approved. The level is theirs now.")).to_be_visible()
    assert level_of(agent) == "intermediate"

    phone = visit(sign_in(agent), viewport=PHONE, java_script_enabled=False)
    phone.goto(f"{visit.url}/p/career/")
    phone.get_by_text("The evidence as it was").first.click()
    expect(phone.locator("#level").get_by_text("Time in the level")).to_be_visible()
    assert overflow(phone) == 0
    phone.goto(f"{visit.url}/desk/tickets/{ticket.id}/edit")
    phone.get_by_label("Status").select_option(label="Closed")
    phone.locator("form", has=phone.get_by_label("Status")).get_by_role("button", name="Save").click()
    db.session.rollback()
    assert db.session.get_one(type(ticket), ticket.id).is_closed
    [problem] = visit.problems  # The refused approval answers 422.
    assert "422" in problem


def test_no_page_is_wider_than_a_phone_from_right_to_left(
    visit: Any, sign_in: Any, junior: User, levels: Any, asks: Any, boss: User, chief: User, solved: Any
) -> None:
    skill = competences.save(None, "Refunds and returns of what was ordered long ago", "With care.", None)
    asks("intermediate", ("career.solved", 5), ("career.reopened", 10), ("career.assessment", 3, str(skill.id), 1),
         ("career.time", 30))  # fmt: skip
    template = reviews.save_template(
        None, "Yearly", [{"kind": "grade", "competence_id": skill.id}, {"kind": "words", "text": "And now?"}], None
    )
    written, shared = reviews.begin(junior, template, chief), reviews.begin(junior, template, chief)
    reviews.write(shared, {"i1": 4, "i2": "Learn more. " * 20}, chief)
    reviews.share(shared, chief)
    goal = goals.add(junior, "Learn how goods come back. " * 10, date(2027, 12, 31), junior)
    goals.tell(goal, "open", "Half of it.", chief)
    recognition.give(junior, "incentive", "For the long week.", "A day off", chief)
    solved(junior)
    measuring.measure()
    records.correct(records.history(junior)[0], levels["junior"], "The day was wrong.", chief, date(2026, 1, 5))
    step = db.session.scalars(db.select(Step).order_by(Step.id.desc())).first()
    assert step is not None and step.kind == "corrected"
    proposal = proposals.propose(junior, levels["intermediate"], "Good work. " * 30, chief)
    rule = rules.save(None, {"act": "takes", "level_id": levels["senior"].id, "tag": "complaint"}, None)
    rules.save(None, {"act": "needs", "level_id": levels["senior"].id, "permission": "ticket.close"}, None)
    ladder.save_track(None, {"name": "Into sales", "from_level_id": levels["senior"].id}, None)
    with transaction():
        for user in (junior, chief, boss):
            db.session.get_one(User, user.id).locale = "ar"
    own = ("", f"reviews/{shared.id}", f"proposals/{proposal.id}")
    lead = ("team", "team?show=ready", f"people/{junior.id}", "proposals", f"proposals/{proposal.id}",
            f"reviews/{written.id}", f"reviews/{shared.id}")  # fmt: skip
    manage = ("ladder", f"tracks/{levels['senior'].track_id}", f"levels/{levels['intermediate'].id}", "competences",
              "templates", "templates/new", f"templates/{template.id}", "rules", "rules/new/opens", "rules/new/needs",
              "rules/new/takes", f"rules/{rule.id}")  # fmt: skip
    for user, pages in ((junior, own), (chief, lead), (boss, manage)):
        narrow = visit(sign_in(user), viewport=PHONE)
        for page in pages:
            assert narrow.goto(f"{visit.url}/p/career/{page}").status == 200, page
            # With everything unfolded, too.
            narrow.evaluate("document.querySelectorAll('details.career-fold').forEach(one => one.open = true)")
            assert narrow.locator("html").get_attribute("dir") == "rtl" and overflow(narrow) == 0, page
    assert visit.problems == []
