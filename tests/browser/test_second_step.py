"""The whole way of the second step in a real Chromium: set up, asked for, remembered, and forgotten from elsewhere."""

import time
from collections.abc import Callable

import pyotp
import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.testing.served import ServedDesk
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


def give_password(page: Page, desk: ServedDesk) -> None:
    page.goto(f"{desk.url}/auth/sign-in")
    page.get_by_label("E-mail address").fill(owner.EMAIL)
    page.get_by_label("Password").fill(owner.PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def sign_out(page: Page, desk: ServedDesk) -> None:
    page.goto(f"{desk.url}/desk/me")
    page.locator("nav.spine details.menu summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/auth/sign-in")


def test_the_second_step_from_its_set_up_to_the_browser_that_is_forgotten(
    serve_desk: Callable[..., ServedDesk],
    browser: Browser,
    watch: Callable[[Page, str], list[str]],
    picture: Callable[[Page, str], None],
) -> None:
    desk = serve_desk()
    page = owner.sign_in(browser, desk, locale="en-GB")
    problems = watch(page, desk.url)

    page.goto(f"{desk.url}/auth/security")
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

    sign_out(page, desk)
    give_password(page, desk)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible(timeout=PATIENCE)
    picture(page, "second-step")
    page.goto(f"{desk.url}/desk/me")
    assert "/auth/sign-in" in page.url, "the password alone opens nothing"
    give_password(page, desk)
    page.get_by_label("Code", exact=True).fill(app.code())
    page.get_by_label("Ask for no code in this browser").check()
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/desk/**")

    sign_out(page, desk)
    give_password(page, desk)
    page.wait_for_url("**/desk/**")

    other = owner.new_page(browser, locale="en-GB")
    watch(other, desk.url)
    give_password(other, desk)
    other.get_by_label("Code", exact=True).fill(codes[3].upper())
    other.get_by_role("button", name="Sign in").click()
    other.wait_for_url("**/desk/**")
    other.goto(f"{desk.url}/auth/security")
    expect(other.get_by_text("9 recovery codes are left.")).to_be_visible(timeout=PATIENCE)
    picture(other, "sign-in-and-security")
    other.set_viewport_size(NARROW)
    other.emulate_media(color_scheme="dark")
    picture(other, "sign-in-and-security-dark-390")
    other.get_by_role("button", name="Ask for a code again").click()
    expect(other.get_by_text("That browser is asked for a code again.")).to_be_visible(timeout=PATIENCE)
    other.get_by_role("button", name="Sign out Chrome").click()
    expect(other.get_by_text("That browser is signed out.")).to_be_visible(timeout=PATIENCE)

    page.goto(f"{desk.url}/desk/me")
    assert "/auth/sign-in" in page.url, "it is over at once"
    give_password(page, desk)
    expect(page.get_by_role("heading", name="Second step")).to_be_visible(timeout=PATIENCE)
    assert problems == []
