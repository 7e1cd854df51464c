"""A translator in a real Chromium: from nothing to a live page, and an owner who corrects a text in place."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.testing.served import ServedDesk, wait_for
from tests.browser.owner import add_owner, new_page
from tests.browser.settling import look_with_axe

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def translate(path: Path, **texts: str) -> None:
    """Fill in some texts as an editor does: the whole file is written anew."""
    catalog = path.read_text("utf-8")
    for source, text in texts.items():
        catalog, count = re.subn(rf'(msgid "{source}"\nmsgstr) "[^"]*"', rf'\1 "{text}"', catalog)
        assert count == 1, source
    path.write_text(catalog, "utf-8")


def wait_for_words(page: Page, address: str, *words: str) -> None:
    """Load the page anew until all of the words stand on it. The desk may have read a file that was half written."""

    def stand() -> bool:
        page.goto(address)
        said = page.inner_text("body")
        return all(word in said for word in words)

    wait_for(stand)


def test_from_nothing_to_a_live_page(
    serve_desk: Callable[..., ServedDesk], browser: Browser, watch: Callable[[Page, str], list[str]]
) -> None:
    desk = serve_desk()
    add_owner(desk)
    page = new_page(browser, viewport={"width": 1280, "height": 900})
    problems = watch(page, desk.url)
    page.goto(f"{desk.url}/auth/sign-in")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    desk.run("translation", "new", "he", "--into-home")
    path = desk.home / "translations" / "he" / "LC_MESSAGES" / "messages.po"
    translate(path, **{"Sign in": "כניסה"})
    wait_for_words(page, f"{desk.url}/auth/sign-in", "עברית")
    page.locator("button[name=locale][value=he]").dispatch_event("click")
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    wait_for_words(page, f"{desk.url}/auth/sign-in", "כניסה")
    translate(path, **{"Sign in": "להיכנס", "Password": "סיסמה"})
    wait_for_words(page, f"{desk.url}/auth/sign-in", "סיסמה", "להיכנס")

    # What would break the page is left out, and named; the rest stays, and nothing was restarted.
    text = path.read_text("utf-8").replace('msgstr "להיכנס"', 'msgstr "<img src=x onerror=alert(1)> 50 %"')
    path.write_text(text + '\nmsgid "Odd\nmsgstr [\n', "utf-8")
    wait_for_words(page, f"{desk.url}/auth/sign-in", "Sign in", "סיסמה")
    assert page.locator("img[src=x]").count() == 0
    assert problems == []
    assert "start" not in desk.said().split("Stop it with Ctrl+C")[1].lower()


def test_an_owner_corrects_a_text_in_place(
    address: str, open_as: Callable[..., Page], as_admin: Any, browser: Browser
) -> None:
    owner = open_as(as_admin, address)
    for path in ("/admin/languages", "/admin/languages/zh_Hans", "/admin/languages/en?q=ticket"):
        owner.goto(f"{address}{path}")
        owner.evaluate("document.querySelectorAll('.textrow').forEach((row, place) => row.open = place < 3)")
        assert look_with_axe(owner)["violations"] == [], path
    customer = new_page(browser, java_script_enabled=False, locale="zh-CN")
    customer.goto(f"{address}/auth/forgot")
    before = customer.locator("h1").inner_text()

    owner.goto(f"{address}/admin/languages")
    owner.get_by_role("link", name="中文").first.click()
    owner.get_by_label("English text or translation").fill("Password forgotten")
    owner.get_by_role("button", name="Show").click()
    row = owner.locator("details.textrow", has=owner.get_by_text("Password forgotten", exact=True))
    row.locator("summary").click()
    row.get_by_label("Text").fill(f"{before} 50 %")
    row.get_by_role("button", name="Save").click()
    expect(owner.locator(".form-error")).to_contain_text("a single %")
    expect(owner.locator("details.textrow[open] textarea")).to_have_value(f"{before} 50 %")
    owner.locator("details.textrow[open] textarea").fill("忘了密码吗")
    owner.locator("details.textrow[open]").get_by_role("button", name="Save").click()
    expect(owner.locator("#toasts")).to_contain_text("corrected")
    wait_for_words(customer, f"{address}/auth/forgot", "忘了密码吗")

    row = owner.locator("details.textrow", has_text="忘了密码吗")
    row.locator("summary").click()
    row.get_by_role("button", name="Take the correction back").click()
    wait_for_words(customer, f"{address}/auth/forgot", before)
