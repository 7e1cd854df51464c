"""In Chromium: a customer books by the link and moves it, the agent calls, nobody answers, a second try comes."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from helpdesk_callbacks import links
from helpdesk_callbacks.calls import RING
from helpdesk_callbacks.models import Call

from helpdesk.api import Ticket, User, db, now, schedule, transaction

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def only_call() -> Call:
    db.session.rollback()
    return db.session.scalars(db.select(Call)).one()


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_a_customer_books_and_moves_the_agent_calls_and_a_second_try_comes(
    visit: Any, sign_in: Any, agent: User, ticket: Ticket, open_hours: Any, run_jobs: Any, make_team: Any
) -> None:
    """On a phone of 360 pixels without any script for the customer; by keyboard where agents work."""
    from playwright.sync_api import expect

    open_hours(week={str(day): [["00:00", "24:00"]] for day in range(7)})
    with transaction():
        ticket.team = make_team("Workshop", members=[agent])
    path = links.customer_url(ticket, ticket.requester).removeprefix("http://desk.example")

    phone = visit(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    phone.goto(f"{visit.url}{path}")
    assert phone.get_by_role("heading", name="We call you").is_visible()
    phone.get_by_label("Time zone").select_option("Asia/Tokyo")
    phone.get_by_role("button", name="Later days").click()
    phone.locator(".slot").nth(2).click()
    assert phone.locator("input[name=start]:checked").count() == 1
    phone.get_by_label("Your phone number").fill("12")
    phone.get_by_role("button", name="Book the call").click()
    # What is wrong is said, and what was chosen is still there.
    expect(phone.get_by_text("is no phone number")).to_be_visible()
    assert phone.locator("input[name=start]:checked").count() == 1
    phone.get_by_label("Your phone number").fill("+81 3 1234 5678")
    phone.get_by_role("button", name="Book the call").click()
    expect(phone.get_by_text("Your call is booked. We have sent you a mail.")).to_be_visible()
    booked = only_call()
    first = booked.starts_at
    assert booked.zone == "Asia/Tokyo" and booked.team_id == ticket.team_id

    phone.get_by_text("Choose another time").click()
    phone.locator(".slot").nth(5).click()
    phone.get_by_role("button", name="Move the call").click()
    expect(phone.get_by_text("Your call has a new time.")).to_be_visible()
    moved = only_call()
    assert moved.starts_at != first and moved.sequence > 0

    # Its time comes; the agent finds it, first by the week and its arrow keys.
    with transaction():
        shift = moved.starts_at - now() + timedelta(minutes=1)
        for name in ("starts_at", "ends_at", "promised_from", "promised_until", "alarm_at"):
            setattr(moved, name, getattr(moved, name) - shift)
        schedule(RING)
    run_jobs()
    desk = visit(sign_in(agent))
    desk.goto(f"{visit.url}/p/callbacks/week?who=all&day={only_call().starts_at.date()}")
    entry = desk.locator(".entry").first
    entry.focus()
    desk.keyboard.press("ArrowRight")
    expect(entry).to_be_focused()
    desk.goto(f"{visit.url}/p/callbacks/")
    expect(desk.get_by_text("Due now")).to_be_visible()
    desk.get_by_role("link", name="Anna Berg").click()
    expect(desk.get_by_role("link", name=re.compile("Call .*1234 5678"))).to_have_attribute("href", "tel:+81312345678")

    desk.get_by_label("No answer").check(force=True)
    desk.get_by_label("Note", exact=False).first.fill("Rang for long.")
    desk.get_by_role("button", name="Save the outcome").click()
    expect(desk.get_by_text("Noted. The next try comes")).to_be_visible()
    expect(desk.get_by_text("Try 2 comes")).to_be_visible()
    expect(desk.get_by_text("Rang for long.")).to_be_visible()
    tried = only_call()
    assert tried.tries == 1 and tried.starts_at > now() and tried.agent_id == agent.id
    desk.goto(f"{visit.url}/desk/tickets/{ticket.id}")
    expect(desk.get_by_text(re.compile("Try 1: No answer"))).to_be_visible()
    # Chromium notes the answer of 422 as an error; it is none.
    assert [one for one in visit.problems if "422" not in one] == []


@pytest.mark.parametrize("locale", ["es", "ar"])
def test_no_page_is_wider_than_a_phone(
    visit: Any, as_admin: Any, ticket: Ticket, promise: Callable[..., Call], open_hours: Any, locale: str
) -> None:
    """In the longest words that are shipped, and from right to left; and the browser's zone is proposed once."""
    from playwright.sync_api import expect

    open_hours()
    with transaction():
        as_admin.user.locale = ticket.requester.locale = locale
    path = links.customer_url(ticket, ticket.requester).removeprefix("http://desk.example")
    stranger = visit(viewport={"width": 360, "height": 740}, timezone_id="Asia/Tokyo")
    stranger.goto(f"{visit.url}{path}")
    expect(stranger.locator("#f-zone")).to_have_value("Asia/Tokyo")
    assert overflow(stranger) == 0
    call = promise()
    pages = ("", "week", "numbers", "rules", "rules/new", "feed", f"calls/{call.id}", f"calls/{call.id}/move",
             f"calls/{call.id}/cancel", f"tickets/{ticket.id}/new", f"tickets/{ticket.id}/offer")  # fmt: skip
    phone = visit(as_admin, viewport={"width": 360, "height": 740})
    turned = "rtl" if locale == "ar" else "ltr"
    for page in pages:
        phone.goto(f"{visit.url}/p/callbacks/{page}")
        assert overflow(phone) == 0, page
        assert phone.locator("html").get_attribute("dir") == turned
        small = phone.evaluate(
            "[...document.querySelectorAll('.page-main :is(.slot span, .outcome span, .entry, .btn)')]"
            ".filter((one) => one.offsetParent && one.getBoundingClientRect().height < 24).length"
        )
        assert small == 0, f"too small to press on {page}"
    assert visit.problems == []
