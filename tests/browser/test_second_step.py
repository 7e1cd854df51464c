"""The whole way of the second step in a real Chromium: set up, asked for, remembered, and forgotten from elsewhere."""

import time
from collections.abc import Callable
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import owner
from tests.browser.owner import PATIENCE

NARROW = {"width": 390, "height": 844}

pytestmark = [pytest.mark.browser, pytest.mark.slow]


class App:
    """An app for codes. Each code counts once: the second is that of the next step, which may come a step early."""

    def __init__(self, key: str) -> None:
        self._codes = pyotp.TOTP(key.replace(" ", ""))
        self._used = 0

    def code(self) -> str:
        self._used = max(self._used + 1, int(time.time()) // 30)
        return self._codes.generate_otp(self._used)


def give_password(page: Page, address: str) -> None:
    page.goto(f"{address}/auth/sign-in")
    page.get_by_label("E-mail address").fill(owner.EMAIL)
    page.get_by_label("Password").fill(owner.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page, address: str) -> None:
    page.goto(f"{address}/desk/me")
    page.locator("nav.spine details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/auth/sign-in")


def test_the_second_step_from_its_set_up_to_the_browser_that_is_forgotten(
    address: str,
    make_user: Any,
    browser: Browser,
    watch: Callable[[Page, str], list[str]],
    picture: Callable[[Page, str], None],
) -> None:
    make_user("admin", name="Sam Idris", email=owner.EMAIL, password=owner.PASSWORD)
    page = owner.new_page(browser, locale="en-GB")
    give_password(page, address)
    page.wait_for_url("**/desk**")
    problems = watch(page, address)

    page.goto(f"{address}/auth/security")
    page.get_by_role("link", name="Set it up").click()
    page.get_by_role("button", name="Begin").click()
    image = page.locator(".qr img")
    expect(image).to_have_js_property("complete", True, timeout=PATIENCE)
    assert image.evaluate("image => image.naturalWidth > 0"), "the policy lets the picture in"
    page.get_by_text("You cannot scan it?").click()
    app = App(page.locator(".qr-key code").inner_text())
    picture(page, "second-step-set-up")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size(NARROW)
    picture(page, "second-step-set-up-dark-390")
    page.get_by_label("Code of the app").fill(app.code())
    page.get_by_role("button", name="Switch it on").click()
    expect(page.locator(".codes code")).to_have_count(10, timeout=PATIENCE)
    codes = page.locator(".codes code").all_inner_texts()
    assert len(set(codes)) == 10
    picture(page, "recovery-codes-dark-390")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")

    sign_out(page, address)
    give_password(page, address)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible(timeout=PATIENCE)
    picture(page, "second-step")
    page.goto(f"{address}/desk/me")
    assert "/auth/sign-in" in page.url, "the password alone opens nothing"
    give_password(page, address)
    page.get_by_label("Code", exact=True).fill(app.code())
    page.get_by_label("Ask for no code in this browser").check()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/**")

    sign_out(page, address)
    give_password(page, address)
    page.wait_for_url("**/desk/**")

    other = owner.new_page(browser, locale="en-GB")
    watch(other, address)
    give_password(other, address)
    other.get_by_label("Code", exact=True).fill(codes[3].upper())
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/desk/**")
    other.goto(f"{address}/auth/security")
    expect(other.get_by_text("9 recovery codes are left.")).to_be_visible(timeout=PATIENCE)
    picture(other, "sign-in-and-security")
    other.set_viewport_size(NARROW)
    other.emulate_media(color_scheme="dark")
    picture(other, "sign-in-and-security-dark-390")
    other.get_by_role("button", name="Ask for a code again").click()
    expect(other.get_by_text("That browser is asked for a code again.")).to_be_visible(timeout=PATIENCE)
    other.get_by_role("button", name="Sign out Chrome").click()
    expect(other.get_by_text("That browser is signed out.")).to_be_visible(timeout=PATIENCE)

    page.goto(f"{address}/desk/me")
    assert "/auth/sign-in" in page.url, "it is over at once"
    give_password(page, address)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible(timeout=PATIENCE)
    assert problems == []
