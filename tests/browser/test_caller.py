"""A ticket for a caller, by keyboard: somebody known, somebody new, and a call on a ticket that is open."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Ticket, User
from helpdesk.core.transaction import transaction

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_MS = 120_000
OPENED, RUNNING = re.compile(r"/desk/tickets/\d+$"), re.compile(r"^\d+:\d\d$")
PASSWORD = "a rather long pass phrase"


class Hands:
    """What a person does, counted: each text that is typed and each key that is pressed is a step."""

    def __init__(self, page: Page) -> None:
        self.page, self.steps, self.keys = page, 0, 0

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)
        self.steps, self.keys = self.steps + 1, self.keys + len(text)

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.steps, self.keys = self.steps + 1, self.keys + 1


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    return {}


@pytest.fixture
def caller(app: Any, make_user: Any) -> Any:
    found = make_user(name="Anna Berg", email="anna@post.example")
    with transaction():
        db.session.get_one(User, found.id).phone = "+49 176 1234567"
    return found


@pytest.fixture
def page(app: Any, caller: Any, make_user: Any, listen: Callable[[Any], str], browser: Browser, watch: Any) -> Any:
    from helpdesk.core import accounts

    agent = make_user("agent", name="Ben Ode", email="ben@desk.example")
    accounts.set_password(agent, PASSWORD, None)
    address = listen(app)
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(_MS)
    expect.set_options(timeout=_MS)
    problems = watch(page, address)
    page.goto(f"{address}/auth/sign-in")
    page.get_by_label("E-mail address").fill("ben@desk.example")
    page.get_by_label("Password").fill(PASSWORD)
    page.locator("form .btn-primary").first.click()
    page.wait_for_url("**/desk**")
    page.goto(f"{address}/desk/tickets/new")
    yield page
    assert problems == []


def newest() -> Ticket:
    db.session.rollback()
    return db.session.scalars(db.select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()


def test_a_caller_has_a_ticket_after_a_dozen_steps(page: Page, caller: Any, picture: Any) -> None:
    expect(page.locator("#f-who")).to_be_focused()
    began, hands = time.monotonic(), Hands(page)
    hands.type("0176 12345")
    expect(page.locator(f"#caller-{caller.id}")).to_be_checked()
    hands.press("Enter")
    expect(page.locator("#f-subject")).to_be_focused()
    hands.type("Chain jumps")
    hands.press("Tab")
    hands.type("Her chain jumps on the third gear. Comes by on Friday.")
    picture(page, "caller")
    # The length of the call has run all the while.
    expect(page.locator("#f-call")).to_have_value(RUNNING)
    hands.press("Tab")
    page.locator("#f-take").focus()
    hands.press("Space")
    hands.press("Enter")
    page.wait_for_url(OPENED)
    took = time.monotonic() - began
    ticket = newest()
    print(f"a ticket for a caller: {hands.steps} steps, {hands.keys} keys, {took:.1f} s")
    assert (ticket.requester_id, ticket.channel, ticket.subject) == (caller.id, "phone", "Chain jumps")
    assert ticket.assignee is not None and ticket.assignee.name == "Ben Ode"
    seconds = db.session.scalars(db.select(Message.call_seconds).where(Message.ticket_id == ticket.id)).one()
    assert seconds is not None and 0 <= seconds <= took + 60
    assert hands.steps <= 12


def test_somebody_new_and_a_second_call_about_the_same(page: Page, caller: Any) -> None:
    hands = Hands(page)
    hands.type("anna")
    expect(page.locator(f"#caller-{caller.id}")).to_be_checked()
    # The box offers whoever it finds, and somebody new beside them; a name that nobody has is taken as it is.
    hands.press("ArrowDown")
    expect(page.locator(f"#caller-{caller.id}")).to_be_focused()
    hands.press("ArrowDown")
    expect(page.locator("#caller-new")).to_be_checked()
    hands.press("Enter")
    expect(page.locator("#f-name")).to_be_focused()
    page.locator("#f-who").fill("Nia Holm")
    expect(page.locator("#f-name")).to_have_value("Nia Holm")
    page.locator("#f-subject").fill("Lock jammed")
    page.locator("#f-text").fill("The key turns half way.")
    page.locator("#f-call").fill("2:05")
    page.get_by_role("button", name="Open the ticket").click()
    page.wait_for_url(OPENED)
    ticket = newest()
    assert (ticket.requester.name, ticket.requester.email) == ("Nia Holm", None)
    # She calls again: her open ticket is there before another one is opened.
    page.goto(page.url.partition("/desk/")[0] + "/desk/tickets/new")
    hands.type("holm")
    expect(page.get_by_text("1 open ticket")).to_be_visible()
    page.locator("#f-subject").fill("Jammed lock")
    page.locator("#f-text").fill("It broke now.")
    expect(page.get_by_text("Perhaps the same")).to_be_visible()
    page.get_by_role("button", name="Note the call there").click()
    page.wait_for_url(re.compile(rf"/desk/tickets/{ticket.id}#m\d+$"))
    expect(page.get_by_text("It broke now.").first).to_be_visible()
    db.session.rollback()
    note = db.session.scalars(db.select(Message).where(Message.visibility == "internal")).one()
    assert (note.ticket_id, note.channel, newest().id) == (ticket.id, "phone", ticket.id)
