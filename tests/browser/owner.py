"""The owner of a running desk: made by the command, signed in in Chromium."""

from typing import Any

from playwright.sync_api import Browser, Page

from helpdesk.testing.served import ServedDesk

EMAIL, PASSWORD = "sam@shop.example", "a rather long pass phrase"
# Milliseconds, for a machine that is busy with other tests.
PATIENCE = 120_000


def add_owner(desk: ServedDesk) -> None:
    """Make the administrator."""
    words = ("user", "add", EMAIL, "--name", "Sam Idris", "--role", "admin", "--password-stdin")
    desk.run(*words, feed=f"{PASSWORD}\n".encode())


def new_page(browser: Browser, **context: Any) -> Page:
    """A page of a browser that has never been here; ``context`` is that of the browser."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(PATIENCE)
    return page


def enter(page: Page, desk: ServedDesk) -> Page:
    """Sign in on a page."""
    page.goto(f"{desk.url}/auth/sign-in")
    page.get_by_label("E-mail address").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("main form button[type=submit], form .btn-primary").first.click()
    page.wait_for_url("**/desk**")
    return page


def sign_in(browser: Browser, desk: ServedDesk, **context: Any) -> Page:
    """Make the administrator and a page on which they are signed in; ``context`` is that of the browser."""
    add_owner(desk)
    return enter(new_page(browser, **context), desk)
