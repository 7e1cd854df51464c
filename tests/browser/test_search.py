"""The search and the palette as people use them: by keyboard, narrow and wide, dark, from right to left, in Chinese."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.testing.served import ServedDesk
from tests.browser import owner
from tests.browser.owner import PATIENCE
from tests.browser.settling import look_with_axe

NARROW, WIDE = {"width": 360, "height": 800}, {"width": 1440, "height": 900}

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_words_are_found_and_a_page_is_opened_by_keyboard_alone(
    serve_desk: Callable[..., ServedDesk],
    browser: Browser,
    watch: Callable[[Page, str], list[str]],
    picture: Callable[[Page, str], None],
) -> None:
    desk = serve_desk()
    page = owner.sign_in(browser, desk, locale="en-GB", viewport=WIDE)
    problems = watch(page, desk.url)
    for subject, words in (("The wheel wobbles", "Order 4711-AB is bent"), ("退款申请", "我的订单还没有退款")):
        said = ("--from", "tom@post.example", "--subject", subject, "--text", words)
        desk.run("ticket", "open", *said)

    # "/" is where the box of the page is; what was written a moment ago is found by itself.
    page.goto(f"{desk.url}/desk/views/all")
    page.keyboard.press("/")
    expect(page.locator(".jump-form input")).to_be_focused(timeout=PATIENCE)
    page.keyboard.type("4711-ab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/search?q=4711-ab")
    _until_shown(page, "mark", "4711-AB")
    _look(page, "search", picture)
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
    _look(page, "palette", picture)
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
    page.goto(f"{desk.url}/admin/jobs")
    page.keyboard.press("/")
    page.keyboard.type("prefer")
    expect(page.get_by_role("option", name="Your preferences")).to_have_attribute(
        "aria-selected", "true", timeout=PATIENCE
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/me")
    assert problems == []


def _until_shown(page: Page, selector: str, text: str) -> None:
    """A worker reads what was written: ask again until it has."""
    for _turn in range(int(PATIENCE / 500)):
        if page.locator(selector, has_text=text).count():
            return
        page.wait_for_timeout(500)
        page.reload()
    raise AssertionError(f"{text} is not found.")


def _look(page: Page, name: str, picture: Callable[[Page, str], None]) -> None:
    """axe finds nothing, light and dark, both ways, narrow and wide; nothing is wider than the page."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for size in (NARROW, WIDE):
            page.set_viewport_size(size)
            for direction in ("ltr", "rtl"):
                page.evaluate("way => { document.documentElement.dir = way }", direction)
                found = look_with_axe(page)["violations"]
                where = f"{name} {scheme} {size['width']} {direction}"
                assert found == [], (where, [(one["id"], one["nodes"][0]["html"]) for one in found])
                wide = page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
                assert not wide, where
            page.evaluate("document.documentElement.dir = 'ltr'")
            picture(page, f"{name}-{scheme}-{size['width']}")
    page.emulate_media(color_scheme="light")
