"""Two agents on one ticket: each sees the other, and nobody answers twice without a second look."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from helpdesk.core.models import Ticket, User

pytestmark = [pytest.mark.browser, pytest.mark.slow]
# For a machine that is busy with other tests.
_MS = 120_000


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


@pytest.fixture
def enter(open_as: Callable[..., Page], app: Any, sign_in: Any, listen: Any) -> Callable[[User, Ticket], Page]:
    """A browser of somebody's own in which a ticket is open."""
    address = listen(app)

    def begin(user: User, ticket: Ticket) -> Page:
        page = open_as(sign_in(user), address)
        page.goto(f"{address}/desk/tickets/{ticket.id}")
        expect(page.locator("trix-editor")).to_be_visible(timeout=_MS)
        return page

    return begin


def test_they_see_each_other_and_look_twice(enter: Any, make_user: Any, make_ticket: Any) -> None:
    anna, ben = make_user("agent", name="Anna Bell"), make_user("agent", name="Ben Hook")
    ticket = make_ticket(requester=make_user(), subject="Lock jammed")
    first, second = enter(anna, ticket), enter(ben, ticket)
    expect(first.locator("#here")).to_contain_text("Ben Hook is looking at this, too", timeout=_MS)
    expect(second.locator("#here")).to_contain_text("Anna Bell is looking at this, too", timeout=_MS)
    first.locator("trix-editor").press_sequentially("Bring it in.")
    expect(second.locator("#here")).to_contain_text("Anna Bell is writing a reply", timeout=_MS)
    second.locator("#mode-note").check(force=True)
    second.locator("trix-editor").press_sequentially("She rang twice.")
    expect(first.locator("#here")).to_contain_text("Ben Hook is writing a note", timeout=_MS)
    # One answers; the other, whose text was begun before, is shown that first and keeps the words.
    second.locator("#mode-reply").check(force=True)
    second.locator(".split.for-note .btn-note, [data-send]").first.wait_for(state="attached")
    first.locator("#mode-note").check(force=True)
    first.locator("button[name=note_status]").first.click()
    expect(first.locator("#conv")).to_contain_text("Bring it in.", timeout=_MS)
    second.locator("[data-send]").click()
    expect(second.locator("#conflict")).to_contain_text("Bring it in.", timeout=_MS)
    expect(second.locator("trix-editor")).to_contain_text("She rang twice.")
    # Whoever closes the page is gone for the other.
    first.goto("about:blank")
    expect(second.locator("#here")).to_be_empty(timeout=_MS)
    for page in (first, second):
        page.context.close()
