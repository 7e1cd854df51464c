"""The desk in a real Chromium: what only a browser can say."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.core import workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Ticket
from helpdesk.testing.served import wait_for
from tests.browser.settling import settle

pytestmark = [pytest.mark.browser, pytest.mark.slow]

# Milliseconds, for a machine that is busy with other tests.
PATIENCE = 120_000
PAGES = [
    "/desk/views/all",
    "/desk/views/all?f=1&text=brake&category=new&tag=x",
    "/desk/views/mine",
    "/desk/views",
    "/desk/tickets/{n}",
    "/desk/tickets/new",
    "/desk/people",
    "/desk/people/4",
    "/desk/me",
    "/desk/dashboard",
    "/desk/teams/1",
    "/desk/reports",
    "/desk/tickets/{n}/suggestions",
]
# What a page fetches when it comes is there and in its place. (To wait for the network takes half a second a page.)
SETTLED = """() => document.readyState === "complete" && document.fonts.status === "loaded"
    && !document.querySelector(".htmx-request, .htmx-swapping, .htmx-settling, .htmx-added")"""


@pytest.fixture
def address(world: Any, listen: Callable[[Any], str]) -> str:
    return listen(world.app)


@pytest.fixture
def open_page(world: Any, browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """A page signed in as the agent. What its console complains of fails the test."""
    complaints: list[str] = []
    contexts = []

    def make(width: int = 1440, height: int = 900, scheme: str = "light", user: int | None = None, **more: Any) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
        contexts.append(context)
        cookie = world.client(user or world.agent).get_cookie("helpdesk")
        context.add_cookies([{"name": "helpdesk", "value": cookie.value, "url": address}])
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if _is_complaint(message) else None)
        return page

    yield make
    for context in contexts:
        context.close()
    assert complaints == []


def _is_complaint(message: Any) -> bool:
    # A form that was refused answers 409 or 422, which the browser writes down as well.
    return message.type == "error" and "409 (" not in message.text and "422 (" not in message.text


@pytest.mark.parametrize(
    ("width", "scheme"), [(1440, "light"), (1100, "dark"), (800, "light"), (390, "dark"), (360, "light")]
)
def test_no_page_complains_or_scrolls_sideways(
    world: Any, address: str, open_page: Callable[..., Page], width: int, scheme: str
) -> None:
    wide = world.open(subject="W" * 300, text="x" * 2000 + " https://example.com/" + "y" * 300, tags=["a" * 50])
    page = open_page(width=width, scheme=scheme)
    for path in [*PAGES, f"/desk/tickets/{wide}"]:
        page.goto(address + path.format(n=world.ticket))
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator("h1").count() >= 1 or path == "/desk/views"


def test_an_agent_works_from_the_keyboard(world: Any, address: str, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(address + "/desk/views/all")
    editor = page.locator("#composer[data-editor] trix-editor")
    expect(page.locator("#n-all")).to_have_text("1")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#ticket h1")).to_have_text("Rear brake rubs")
    expect(page).to_have_url(f"{address}/desk/tickets/{world.ticket}?view=all")
    expect(page.locator(".trow.on")).to_have_count(1)
    expect(page.locator("#side")).to_contain_text("rita@customer.example")
    expect(editor).to_be_visible()
    page.keyboard.press("n")
    expect(editor).to_be_focused()
    page.keyboard.type("Look at bulletin B-112")
    expect(page.locator(".composer .btn-note").first).to_be_visible()
    expect(page.locator(".composer .btn-primary").first).to_be_hidden()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".msg-note")).to_contain_text("bulletin B-112")
    # The keys reach a composer that is taken over, which the new one is a moment after it has come.
    expect(editor).to_have_text("")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    expect(editor).to_be_focused()
    page.keyboard.type("We will true it.")
    page.keyboard.press("Control+Enter")
    # It leaves after some seconds: the first to be looked at.
    expect(page.locator(".toastbar").last).to_contain_text("Rita Requester")
    expect(page.locator(".msg-agent")).to_contain_text("We will true it.")
    expect(page.locator("#edit-status")).to_contain_text("Pending")
    expect(page.locator(".trow.on .ic-st")).to_have_attribute("title", "Pending")
    expect(editor).to_have_text("")
    page.keyboard.press("Escape")
    page.keyboard.press("s")
    page.locator("details[open] .menu-item", has_text="Solved").click()
    expect(page.locator("#edit-status")).to_contain_text("Solved")
    expect(page.locator("#conv")).to_contain_text("set the status to Solved")
    page.keyboard.press("u")
    expect(page).to_have_url(f"{address}/desk/views/all")
    page.keyboard.press("?")
    expect(page.locator("dialog#keymap")).to_be_visible()


def test_a_long_list_goes_on_as_it_is_scrolled(world: Any, address: str, open_page: Callable[..., Page]) -> None:
    for number in range(34):
        world.open(subject=f"Ticket {number}")
    page = open_page()
    page.goto(address + "/desk/views/all")
    rows = page.locator(".trow")
    expect(rows).to_have_count(30)
    rows.last.scroll_into_view_if_needed()
    page.mouse.move(300, 400)
    page.mouse.wheel(0, 10_000)
    expect(rows).to_have_count(35)
    expect(page.locator(".list-end")).to_contain_text("The end of the list")


def test_new_things_arrive_as_a_mark_and_typed_text_stays(
    world: Any, address: str, open_page: Callable[..., Page], reply: Callable[..., int]
) -> None:
    page = open_page()
    page.goto(f"{address}/desk/tickets/{world.ticket}")
    page.locator("trix-editor").click()
    page.keyboard.type("Half a sentence")
    expect(page.locator("trix-editor")).to_have_text("Half a sentence")
    reply("I forgot to say something")
    page.evaluate("htmx.ajax('GET', document.querySelector('#news').getAttribute('hx-get'), '#news')")
    expect(page.locator("#news")).to_contain_text("1 new message, show")
    expect(page.locator("#conv")).not_to_contain_text("I forgot to say something")
    page.locator("#news a").click()
    expect(page.locator("#conv")).to_contain_text("I forgot to say something")
    expect(page.locator("#news")).to_be_empty()
    expect(page.locator("trix-editor")).to_have_text("Half a sentence")
    # It has been seen, so that it is no conflict.
    page.locator("[data-send]").click()
    expect(page.locator(".msg-agent")).to_contain_text("Half a sentence")


def test_a_conflict_keeps_the_text_and_offers_the_choice(
    world: Any, address: str, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    page.goto(f"{address}/desk/tickets/{world.ticket}")
    page.locator("trix-editor").click()
    page.keyboard.type("My own answer")
    expect(page.locator("trix-editor")).to_have_text("My own answer")
    world.do(workflow.reply, MessageDraft(text="I was quicker"), actor=world.colleague)
    page.locator("[data-send]").click()
    expect(page.locator("#conflict")).to_contain_text("I was quicker")
    expect(page.locator("trix-editor")).to_have_text("My own answer")
    page.get_by_text("Send anyway").click()
    expect(page.locator("#conv")).to_contain_text("My own answer")
    expect(page.locator("trix-editor")).to_have_text("")


def test_a_draft_survives_a_reload_and_goes_once_it_is_sent(
    world: Any, address: str, open_page: Callable[..., Page]
) -> None:
    page = open_page()
    # What the desk keeps while somebody types is another test's; it gets the words when the page is left.
    page.route("**/draft", lambda route: route.fulfill(status=204))
    page.goto(f"{address}/desk/tickets/{world.ticket}")
    page.locator("trix-editor").click()
    page.keyboard.type("Not finished")
    expect(page.locator("#draft-state")).to_have_text("Draft kept in this browser")
    # It says so already when the first half is kept, if the typing came to a halt there.
    wait_for(lambda: "Not finished" in page.evaluate("JSON.stringify(sessionStorage)"))
    page.reload()
    expect(page.locator("trix-editor")).to_have_text("Not finished")
    page.locator("[data-send]").click()
    expect(page.locator("#conv")).to_contain_text("Not finished")
    page.reload()
    expect(page.locator("trix-editor")).to_have_text("")


def test_everything_works_without_a_script(world: Any, address: str, open_page: Callable[..., Page]) -> None:
    page = open_page(java_script_enabled=False)
    page.goto(f"{address}/desk/views/all")
    page.locator(".trow a").first.click()
    page.locator("#mode-note").check(force=True)
    page.locator("#composer-text").fill("Written without a script")
    page.locator(".btn-note", has_text="Add note").click()
    expect(page.locator(".msg-note")).to_contain_text("Written without a script")
    page.locator("#edit-priority").click()
    page.locator("details[open] button", has_text="Urgent").click()
    expect(page.locator("#edit-priority")).to_contain_text("Urgent")
    page.locator(".no-js", has_text="Edit").click()
    page.locator("#e-assignee").select_option(label="Abe Agent")
    page.locator("form", has=page.locator("#e-assignee")).locator("button").click()
    expect(page.locator("#edit-assignee")).to_contain_text("Abe Agent")
    assert world.read(lambda: db.session.get(Ticket, world.ticket).priority) == "urgent"
    assert world.read(lambda: db.session.query(Message).filter_by(visibility="internal").count()) == 1


def test_files_are_chosen_dropped_and_removed(world: Any, address: str, open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto(f"{address}/desk/tickets/{world.ticket}")
    expect(page.locator("trix-editor")).to_be_visible()
    one = {"name": "one.txt", "mimeType": "text/plain", "buffer": b"one"}
    two = {"name": "two.txt", "mimeType": "text/plain", "buffer": b"two"}
    page.locator("#composer-upload").set_input_files([one])
    page.locator("#composer-upload").set_input_files([two])
    expect(page.locator("#composer-files li")).to_have_count(2)
    page.locator("#composer-files li", has_text="one.txt").get_by_role("button").click()
    page.locator("trix-editor").click()
    page.keyboard.type("See the file")
    expect(page.locator("trix-editor")).to_have_text("See the file")
    page.locator("[data-send]").click()
    expect(page.locator(".msg .att")).to_have_text("two.txt3 B")


def test_panes_on_a_phone_come_one_at_a_time(world: Any, address: str, open_page: Callable[..., Page]) -> None:
    page = open_page(width=390, height=800)
    page.goto(f"{address}/desk/views/all")
    expect(page.locator("#ticket")).to_be_hidden()
    page.locator(".trow a").first.click()
    expect(page.locator("#list")).to_be_hidden()
    page.locator("[href='#side']").click()
    expect(page.locator("#side")).to_be_visible()
    page.locator("#side .pane-close").click()
    expect(page.locator("#side")).to_be_hidden()
    page.locator("[data-close-ticket]").click()
    expect(page.locator("#list")).to_be_visible()
    page.locator("[href='#views']").click()
    expect(page.locator("#views")).to_contain_text("Unassigned")
