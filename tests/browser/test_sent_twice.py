"""A form sent twice from a real browser: an answer that is lost, the way back, a double click."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_MS = 120_000


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


@pytest.fixture
def address(app: Any, make_user: Any, listen: Callable[[Any], str]) -> str:
    make_user("admin")
    return listen(app)


def page_in(browser: Browser, **options: Any) -> Page:
    page = browser.new_context(**options).new_page()
    page.set_default_timeout(_MS)
    return page


def lose_the_first_answer(page: Page, path: str) -> list[int]:
    """The desk gets what is sent to ``path``; the browser does not get the first of its answers."""
    came: list[int] = []

    def carry(route: Route) -> None:
        if route.request.method != "POST" or came:
            route.continue_()
            return
        came.append(route.fetch(max_redirects=0, timeout=_MS).status)
        route.abort("aborted")

    page.route(f"**{path}", carry)
    return came


def ask(page: Page, address: str) -> None:
    page.goto(f"{address}/")
    page.locator("#f-subject").fill("Lock jammed")
    page.locator("#f-text").fill("The key turns half way.")
    page.locator("#f-email").fill("tom@post.example")


def count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(db.select(db.func.count()).select_from(model)) or 0


def test_a_customer_whose_answer_is_lost_sends_again_without_a_script(browser: Browser, address: str) -> None:
    page = page_in(browser, java_script_enabled=False)
    came = lose_the_first_answer(page, "/ask")
    ask(page, address)
    send = page.locator("#ask button[type=submit]")
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/ask")):
        send.click(no_wait_after=True)
    # It stays on the form, and knows nothing of what the desk has written.
    expect(page.locator("#f-text")).to_have_value("The key turns half way.", timeout=_MS)
    assert came == [303] and count(Ticket) == 1
    send.click()
    expect(page.locator("h1")).to_have_text("Lock jammed", timeout=_MS)
    assert count(Ticket) == 1 and count(Message) == 1
    page.context.close()


def test_who_goes_back_and_sends_again_comes_to_the_same_ticket(browser: Browser, address: str) -> None:
    page = page_in(browser)
    ask(page, address)
    send = page.locator("#ask button[type=submit]")
    send.click()
    expect(page.locator("h1")).to_have_text("Lock jammed", timeout=_MS)
    first = page.url
    page.go_back()
    expect(page.locator("#f-text")).to_have_value("The key turns half way.", timeout=_MS)
    send.click()
    expect(page.locator("h1")).to_have_text("Lock jammed", timeout=_MS)
    assert page.url == first and count(Ticket) == 1
    # What is changed on the way back is a message of its own, and nobody loses it.
    page.go_back()
    # The browser puts back what was typed: before, it would undo this.
    expect(page.locator("#f-text")).to_have_value("The key turns half way.", timeout=_MS)
    page.locator("#f-text").fill("And the pedal squeaks.")
    send.click()
    expect(page.locator("#ask [role=alert]")).to_contain_text("sent before with other content", timeout=_MS)
    expect(page.locator("#f-text")).to_have_value("And the pedal squeaks.")
    assert count(Ticket) == 1
    send.click()
    expect(page.locator("main")).to_contain_text("And the pedal squeaks.", timeout=_MS)
    assert page.url != first and count(Ticket) == 2
    page.context.close()


def test_an_agents_double_click_and_a_lost_answer_write_once(
    browser: Browser, address: str, make_user: Any, make_ticket: Any, sign_in: Any
) -> None:
    number, cookie = make_ticket().id, sign_in(make_user("agent")).get_cookie("helpdesk")
    page = page_in(browser)
    page.context.add_cookies([{"name": "helpdesk", "value": cookie.value, "url": address}])
    page.goto(f"{address}/desk/tickets/{number}")
    editor, send = page.locator("trix-editor"), page.locator("[data-send]")
    editor.click()
    page.keyboard.type("Sent by a double click")
    expect(editor).to_have_text("Sent by a double click", timeout=_MS)
    send.dblclick()
    expect(page.locator("#conv")).to_contain_text("Sent by a double click", timeout=_MS)
    expect(editor).to_have_text("", timeout=_MS)
    assert count(Message) == 2
    came = lose_the_first_answer(page, f"/desk/tickets/{number}/messages")
    editor.click()
    page.keyboard.type("Sent on a bad line")
    expect(editor).to_have_text("Sent on a bad line", timeout=_MS)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/messages")):
        send.click()
    # The text is still there.
    expect(editor).to_have_text("Sent on a bad line")
    assert came == [200] and count(Message) == 3
    send.click()
    expect(editor).to_have_text("", timeout=_MS)
    assert count(Message) == 3
    page.context.close()
