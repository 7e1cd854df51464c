"""Due date, promise and snooze from the head of a ticket by keyboard; a customer without a script confirms."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.core import links, workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import Promise, Ticket
from tests.browser.settling import look_with_axe

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_MS = 120_000


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


def wrong(page: Page) -> list[str]:
    """What axe-core finds on a page."""
    return [f"{one['id']}: {one['nodes'][0]['html']}" for one in look_with_axe(page)["violations"]]


def open_menu(page: Page, what: str) -> None:
    page.locator(f"#edit-{what}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#late-{what}")).to_be_visible()


def test_an_agent_sets_three_moments_by_keyboard_and_nothing_is_in_the_way(
    open_as: Callable[..., Page],
    address: str,
    make_user: Any,
    make_ticket: Any,
    sign_in: Any,
    watch: Any,
    picture: Any,
) -> None:
    agent = make_user("agent", name="Anna Berg")
    ticket, other = make_ticket("Lock jammed"), make_ticket("Wheel")
    page = open_as(sign_in(agent), address, bypass_csp=True)
    problems = watch(page, address)
    page.goto(f"{address}/desk/tickets/{ticket.id}?view=open")
    row = page.locator(f'#list [data-ticket="{ticket.id}"]')
    expect(row).to_be_visible()

    open_menu(page, "due")
    assert wrong(page) == []
    page.locator("#late-due button[value=week]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#edit-due.chip")).to_contain_text("Due")

    open_menu(page, "promise")
    # A moment that has passed comes back beside its field, with what was typed.
    page.locator("#late-words").fill("the price")
    page.locator("#late-at-promise").fill("2020-01-01T10:00")
    page.locator("#late-at-promise").press("Enter")
    expect(page.locator("#late-promise .form-error")).to_contain_text("has passed")
    expect(page.locator("#late-words")).to_have_value("the price")
    assert wrong(page) == []
    page.locator("#late-promise button[value=tomorrow]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#edit-promise.chip")).to_contain_text("Promised by")
    picture(page, "late-ticket")

    open_menu(page, "snooze")
    page.locator("#late-snooze button[value='3h']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#edit-snooze.chip")).to_contain_text("Snoozed until")
    # The list that is open keeps its place; the next one is without it.
    page.goto(f"{address}/desk/views/open")
    expect(page.locator(f'#list [data-ticket="{other.id}"]')).to_be_visible()
    expect(row).to_have_count(0)
    page.goto(f"{address}/desk/views/snoozed")
    expect(row).to_contain_text("Lock jammed")
    page.goto(f"{address}/desk/promises?kind=open")
    expect(page.locator("main")).to_contain_text("the price")
    assert wrong(page) == []

    page.set_viewport_size({"width": 360, "height": 740})
    page.emulate_media(color_scheme="dark")
    for path in ("/desk/promises", f"/desk/tickets/{ticket.id}/times"):
        page.goto(f"{address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert wrong(page) == []
    db.session.rollback()
    assert db.session.scalars(db.select(Promise.words)).all() == ["the price"]
    assert problems == []


def test_a_customer_without_a_script_says_no_and_then_yes(
    address: str, browser: Browser, make_user: Any, make_ticket: Any, picture: Any
) -> None:
    ticket = make_ticket("Lock jammed")
    workflow.solve(ticket, make_user("agent"))
    number = ticket.id
    yes, no = (url.partition("/t/")[2] for url in (
        links.solved_url(ticket, ticket.requester), links.unsolved_url(ticket, ticket.requester)))  # fmt: skip
    page = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844}).new_page()
    page.set_default_timeout(_MS)
    page.goto(f"{address}/t/{yes}")
    page.goto(f"{address}/t/{no}")
    picture(page, "late-unsolved")
    page.locator("#f-text").fill("The key turns half way.")
    page.get_by_role("button", name="No, open it again").click()
    expect(page.locator("main")).to_contain_text("The key turns half way.")
    db.session.rollback()
    assert db.session.get_one(Ticket, number).category == "open"
    workflow.solve(db.session.get_one(Ticket, number), None)
    db.session.rollback()
    page.goto(f"{address}/t/{yes}")
    page.get_by_role("button", name="Yes, it is solved").click()
    expect(page.locator("main")).to_contain_text("This ticket is closed")
    db.session.rollback()
    assert db.session.get_one(Ticket, number).category == "closed"
