"""The search and the palette as people use them: by keyboard, narrow and wide, dark, from right to left, in Chinese."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.owner import PATIENCE
from tests.browser.settling import look_over

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_words_are_found_and_a_page_is_opened_by_keyboard_alone(
    open_as: Callable[..., Page],
    address: str,
    as_admin: Any,
    make_ticket: Any,
    run_jobs: Callable[[], int],
    watch: Callable[[Page, str], list[str]],
    picture: Callable[[Page, str], None],
) -> None:
    page = open_as(as_admin, address, locale="en-GB")
    problems = watch(page, address)
    make_ticket("The wheel wobbles", "Order 4711-AB is bent")
    make_ticket("退款申请", "我的订单还没有退款")
    # What was written is found once a worker has read it.
    run_jobs()

    # "/" is where the box of the page is.
    page.goto(f"{address}/desk/views/all")
    page.keyboard.press("/")
    expect(page.locator(".jump-form input")).to_be_focused(timeout=PATIENCE)
    page.keyboard.type("4711-ab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/search?q=4711-ab")
    expect(page.locator("mark").first).to_have_text("4711-AB", timeout=PATIENCE)
    assert look_over(page, "search", picture) == []
    page.locator(".hit a").first.click()
    page.wait_for_url("**/desk/tickets/1*")

    # The palette does what a key does, and says which choice is the one.
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Tickets, people, pages, actions")
    expect(box).to_be_focused(timeout=PATIENCE)
    expect(page.get_by_role("option", name="Write a reply")).to_be_visible(timeout=PATIENCE)
    expect(box).to_have_attribute("aria-activedescendant", "palette-act-1", timeout=PATIENCE)
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", name="Write an internal note")).to_have_attribute("aria-selected", "true")
    assert look_over(page, "palette", picture) == []
    page.keyboard.press("Enter")
    expect(page.locator("#palette")).to_be_hidden(timeout=PATIENCE)
    expect(page.locator("#mode-note")).to_be_checked(timeout=PATIENCE)
    page.keyboard.press("Escape")

    # It opens a ticket by words, and a page by its name; Escape leaves everything as it was.
    page.keyboard.press("Control+k")
    page.keyboard.type("退款")
    expect(page.get_by_role("option", name="退款申请")).to_have_attribute("aria-selected", "true", timeout=PATIENCE)
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/tickets/2")
    page.keyboard.press("Control+k")
    page.keyboard.type("zzzz")
    expect(page.get_by_role("option", name="Search everywhere for “zzzz”")).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("Escape")
    expect(page.locator("#palette")).to_be_hidden(timeout=PATIENCE)
    page.goto(f"{address}/admin/jobs")
    page.keyboard.press("/")
    page.keyboard.type("prefer")
    expect(page.get_by_role("option", name="Your preferences")).to_have_attribute(
        "aria-selected", "true", timeout=PATIENCE
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/me")
    assert problems == []
