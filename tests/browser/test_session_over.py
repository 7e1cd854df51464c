"""The session ends while somebody writes: the way back leads to the ticket, and the text is still there."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from helpdesk.core import accounts, sign_in_sessions
from helpdesk.core.extensions import db
from helpdesk.core.models import Message

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PASSWORD = "correct horse battery"


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


def test_a_reply_survives_the_end_of_the_session(
    app: Any, open_as: Callable[..., Page], listen: Callable[[Any], str], make_user: Any, make_ticket: Any, sign_in: Any
) -> None:
    agent = make_user("agent", email="anna@desk.example")
    accounts.set_password(agent, PASSWORD, None)
    ticket = make_ticket()
    address = listen(app)
    page = open_as(sign_in(agent), address)
    page.goto(f"{address}/desk/tickets/{ticket.id}")
    expect(page.locator("#composer[data-editor]")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("We bring it at noon.")
    sign_in_sessions.end_all(agent)

    page.keyboard.press("Control+Enter")
    expect(page.locator("input[name=password]")).to_be_visible()
    page.fill("input[name=email]", "anna@desk.example")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/desk/tickets/{ticket.id}")
    expect(page.locator("#composer-editor")).to_contain_text("We bring it at noon.")
    page.locator("#composer-editor").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator("#conv")).to_contain_text("We bring it at noon.")
    db.session.rollback()
    assert db.session.scalar(db.select(db.func.count()).select_from(Message)) == 2
