"""An agent answers by keyboard: canned responses, a draft that stays, a reply taken back, a colleague named."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from helpdesk.core import canned, settings
from helpdesk.core.canned import Canned
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Message, ReplyDraft
from helpdesk.core.settings import DeskSettings

pytestmark = [pytest.mark.browser, pytest.mark.slow]
TEXT = "Hello {{ customer.first_name | there }},\nyour order {{ team.name }} is on its way."


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


def _count(model: Any) -> int:
    db.session.rollback()
    return db.session.scalar(db.select(db.func.count()).select_from(model)) or 0


def test_a_reply_by_keyboard(
    app: Any,
    open_as: Callable[..., Page],
    listen: Callable[[Any], str],
    make_user: Any,
    make_ticket: Any,
    sign_in: Any,
    watch: Any,
    picture: Any,
    run_jobs: Any,
    travel: Any,
) -> None:
    settings.save(DeskSettings, {"undo_seconds": 60, "set_up": True}, None)
    agent = make_user("agent", name="Anna Berg", email="anna@desk.example")
    cora = make_user("agent", name="Cora Neumann")
    customer = make_user(name="Mia Radler", email="mia@post.example")
    ticket = make_ticket(requester=customer)
    canned.save(None, Canned("On its way", {"en": TEXT}, "Shipping"), agent)
    canned.save(None, Canned("Refund", {"en": "We will refund it."}), agent)
    address = listen(app)
    page = open_as(sign_in(agent), address)
    problems = watch(page, address)
    page.goto(f"{address}/desk/tickets/{ticket.id}")
    expect(page.locator("#composer[data-editor]")).to_be_visible()

    # "/" offers, letters filter, Enter takes; what nothing is known for is said.
    page.keyboard.press("r")
    page.keyboard.type("/way")
    expect(page.locator("#composer-offers [role=option]")).to_have_count(1)
    expect(page.locator("#composer-offers [role=option]")).to_contain_text("On its way")
    picture(page, "answering-offers")
    page.keyboard.press("Enter")
    editor = page.locator("#composer-editor")
    expect(editor).to_contain_text("Hello Mia,")
    expect(editor).to_contain_text("your order is on its way.")
    expect(page.locator("#composer-missing")).to_contain_text("Team of the ticket")

    # Kept without a click, and there after the page is loaded anew.
    expect(page.locator("#draft-state")).to_contain_text("Draft saved")
    assert _count(ReplyDraft) == 1
    page.evaluate("sessionStorage.clear()")
    page.reload()
    expect(page.locator("#composer-editor")).to_contain_text("Hello Mia,")

    # Sent, taken back, sent again.
    page.locator("#composer-editor").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg-held")).to_contain_text("Sending …")
    picture(page, "answering-held")
    assert _count(Message) == 1
    page.locator(".toastbar button").click()
    expect(page.locator("#composer-editor")).to_contain_text("Hello Mia,")
    expect(page.locator(".msg-held")).to_have_count(0)
    page.locator("#composer-editor").click()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg-held")).to_be_visible()
    travel(minutes=2)
    run_jobs()
    assert _count(Message) == 2
    page.reload()
    expect(page.locator(".msg-held")).to_have_count(0)
    expect(page.locator("#conv")).to_contain_text("your order is on its way.")

    # A colleague is named in a note.
    page.keyboard.press("n")
    page.keyboard.type("Look @cora")
    expect(page.locator("#composer-offers [role=option]")).to_contain_text("Cora Neumann")
    page.keyboard.press("Enter")
    page.keyboard.type("please")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg-note")).to_contain_text("@Cora Neumann please")
    db.session.rollback()
    event = db.session.scalars(db.select(Event).where(Event.kind == "message_added").order_by(Event.id.desc())).first()
    assert event is not None and event.data["mentions"] == [cora.id]
    assert problems == []
