"""The owner's way to mail that becomes tickets, in Chromium: a mailbox against a real Dovecot, a rule, and the log."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.testing.served import ServedDesk
from tests.browser.owner import sign_in
from tests.browser.settling import look_with_axe

# A worker looks at once when it is asked; this is for a machine that is busy with other tests.
PATIENCE = 180_000
MAIL = (
    b"From: Anna Becker <anna@customer.example>\r\nTo: shop@desk.example\r\nSubject: The rear brake rubs\r\n"
    b"Message-ID: <brake-1@customer.example>\r\n\r\nIt rubs on every turn.\r\n"
)

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_an_owner_adds_a_mailbox_tests_it_and_sees_its_mail_as_a_ticket(
    serve_desk: Callable[..., ServedDesk],
    browser: Browser,
    mail_server: Any,
    watch: Callable[[Page, str], list[str]],
    picture: Callable[[Page, str], None],
) -> None:
    mail_server.put("rooms", [MAIL])
    desk = serve_desk()
    page = sign_in(browser, desk, locale="en-GB")
    problems = watch(page, desk.url)

    page.goto(f"{desk.url}/admin/")
    page.get_by_role("link", name="Mailboxes").click()
    page.get_by_role("link", name="New mailbox").first.click()
    page.get_by_label("Address", exact=True).fill("shop@desk.example")
    page.get_by_label("It is handed in").check()
    expect(page.get_by_label("Server", exact=True)).to_be_hidden()
    page.get_by_label("Fetch it by IMAP").check()
    page.get_by_label("Server", exact=True).fill(mail_server.host)
    page.get_by_label("Port").fill(str(mail_server.port))
    page.get_by_label("Security").select_option("none")
    page.get_by_label("User name").fill("rooms")
    page.get_by_label("Password").fill("wrong")
    page.get_by_label("What is in it already").select_option("take")
    page.get_by_role("button", name="Save and test").click()
    expect(page.locator(".checks")).to_contain_text("did not accept the user name and password", timeout=PATIENCE)
    check_with_axe(page)
    picture(page, "mailbox-fails")

    page.get_by_label("Password").fill(mail_server.password)
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Test", exact=True).click()
    expect(page.locator(".checks")).to_contain_text("1 mail lies there.", timeout=PATIENCE)
    page.get_by_role("button", name="Fetch now").click()
    # The page looks again by itself.
    expect(page.locator("#state")).to_contain_text("Works", timeout=PATIENCE)

    page.goto(f"{desk.url}/admin/mail?account=shop@desk.example")
    wait_for_state(page, "Opened #1")
    expect(page.get_by_role("link", name="The rear brake rubs")).to_be_visible()
    check_with_axe(page)
    picture(page, "incoming-mail")
    page.get_by_role("link", name="Opened #1").click()
    expect(page.locator("#ticket h1")).to_contain_text("The rear brake rubs")
    expect(page.locator("#conv")).to_contain_text("It rubs on every turn.")

    # An agent blocks the sender from the ticket's menu; the question comes first.
    page.locator("#ticket-actions").click()
    page.get_by_text("Block this sender").first.click()
    page.get_by_role("button", name="Block this sender").click()
    expect(page.locator("#ticket")).to_contain_text("spam")
    page.goto(f"{desk.url}/p/email/rules")
    expect(page.get_by_role("link", name="sender is anna@customer.example")).to_be_visible()
    for path in ("p/email/mailboxes", "p/email/mailboxes/1", "p/email/servers/new", "p/email/rules", "p/email/rules/1",
                 "admin/mail/1"):  # fmt: skip
        page.goto(f"{desk.url}/{path}")
        check_with_axe(page)
    assert problems == []


def wait_for_state(page: Page, words: str) -> None:
    """The mail is kept before it is acted on: the page is looked at anew until a worker has."""
    for _again in range(PATIENCE // 2_000):
        if page.get_by_text(words).count():
            return
        page.wait_for_timeout(2_000)
        page.reload()
    raise AssertionError(f"{words} did not appear: {page.locator('main').inner_text()}")


def check_with_axe(page: Page) -> None:
    assert look_with_axe(page)["violations"] == [], page.url
    size = page.viewport_size
    for width in (360, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
    assert size is not None
    page.set_viewport_size(size)
