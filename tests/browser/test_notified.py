"""The bell on an open page, what the browser itself shows, and the choices, in a real Chromium."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.owner import PATIENCE
from tests.browser.settling import look_with_axe

NARROW, WIDE = {"width": 360, "height": 800}, {"width": 1440, "height": 900}
# Chromium without a screen shows none: what it is asked to show is kept instead.
RECORDER = """
window.shown = [];
window.Notification = class extends EventTarget {
  constructor(title, options) { super(); window.shown.push([title, options.body, options.tag]); }
  static permission = localStorage.getItem("allowed") ?? "default";
  static async requestPermission() {
    localStorage.setItem("allowed", "granted");
    return (this.permission = "granted");
  }
};
"""

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_open_page_tells_of_a_new_ticket(
    open_as: Callable[..., Page],
    address: str,
    as_admin: Any,
    make_user: Any,
    make_ticket: Any,
    run_jobs: Callable[[], int],
    watch: Callable[[Page, str], list[str]],
    picture: Callable[[Page, str], None],
) -> None:
    page = open_as(as_admin, address, locale="en-GB")
    page.add_init_script(RECORDER)
    problems = watch(page, address)

    # The browser asks only when somebody wants it to.
    page.goto(f"{address}/desk/notifications/choices")
    assert page.evaluate("Notification.permission") == "default"
    page.get_by_role("button", name="Let this browser tell me").click()
    expect(page.get_by_text("This browser tells you while the desk is open in it.")).to_be_visible(timeout=PATIENCE)
    check(page, "notice-choices", picture)

    # A page that is open shows what comes, by itself.
    page.goto(f"{address}/desk/views/all")
    bell = page.locator("#bell")
    expect(bell).to_have_attribute("title", "Notices", timeout=PATIENCE)
    with page.expect_response(lambda answer: "/notifications/news" in answer.url, timeout=PATIENCE):
        pass
    make_ticket("The wheel is bent", requester=make_user(name="Tom", email="tom@post.example"))
    run_jobs()
    expect(bell.locator("[data-count]")).to_have_text("1", timeout=PATIENCE)
    expect(bell).to_have_attribute("aria-label", "Notices: 1 unread", timeout=PATIENCE)
    page.wait_for_function("window.shown.length === 1", timeout=PATIENCE)
    title, text, tag = page.evaluate("window.shown[0]")
    assert (title, text) == ("#1 The wheel is bent", "New from Tom.") and tag.startswith("helpdesk-")

    bell.click()
    expect(page.locator(".notice-unread")).to_have_count(1, timeout=PATIENCE)
    check(page, "notices", picture)
    # A page that is left at once would say of nothing that it was read.
    with page.expect_response(lambda answer: answer.url.endswith("/desk/tickets/1/read"), timeout=PATIENCE):
        page.get_by_role("link", name="The wheel is bent").click()
    page.wait_for_url("**/desk/tickets/1")
    expect(bell.locator("[data-count]")).to_be_hidden(timeout=PATIENCE)
    page.goto(f"{address}/desk/notifications")
    expect(page.locator(".notice")).to_have_count(1, timeout=PATIENCE)
    expect(page.locator(".notice-unread")).to_have_count(0, timeout=PATIENCE)
    assert page.evaluate("window.shown.length") == 0, "nothing is shown twice"
    assert not problems


def check(page: Page, name: str, picture: Callable[[Page, str], None]) -> None:
    """Light and dark, wide and narrow: axe-core finds nothing, and nothing is wider than the screen."""
    for scheme, size in (("light", WIDE), ("dark", NARROW)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(size)  # type: ignore[arg-type]
        found = look_with_axe(page)
        assert [one["id"] for one in found["violations"]] == [], (name, scheme)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        picture(page, f"{name}-{scheme}-{size['width']}")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size(WIDE)  # type: ignore[arg-type]
