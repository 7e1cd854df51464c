"""An agent's morning by keyboard alone: twenty mails answered, a pair merged and parted, one to rest, one promised."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from helpdesk.api import Channel, IntakeDraft
from helpdesk.core import canned, clock
from helpdesk.core.canned import Canned
from helpdesk.core.channels import intake
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Promise, Ticket, TicketMerge

pytestmark = [pytest.mark.browser, pytest.mark.slow]
_MS = 120_000
MAILS, ANSWER = 20, "your order is on its way."
# Whom the newest two mails are of: the pair that is one thing.
TWICE = "mia1@post.example"
SNOOZED, PROMISED = 5, 7


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


@pytest.fixture
def mails(plug: Any) -> list[int]:
    """The tickets of twenty mails, the newest first: as the list shows them."""

    def parse(raw: bytes) -> IntakeDraft:
        number = int(raw)
        address = TWICE if number > MAILS - 2 else f"mia{number}@post.example"
        words = {"subject": f"Order {number}", "text": f"Where is parcel {number}?"}
        return IntakeDraft(channel="post", sender_address=address, sender_name="Mia Radler", **words)

    plug("post", register_channels=lambda: [Channel("post", "Post", parse=parse)])
    for number in range(1, MAILS + 1):
        intake.receive("post", str(number).encode())
    return list(db.session.scalars(db.select(Ticket.id).order_by(Ticket.id.desc())))


@pytest.fixture
def page(address: str, open_as: Callable[..., Page], make_user: Any, sign_in: Any) -> Page:
    """The desk of an agent with a canned response, whose list is the only thing they open by its address."""
    agent = make_user("agent", name="Anna Berg", email="anna@desk.example")
    canned.save(None, Canned("On its way", {"en": f"Hello {{{{ customer.first_name }}}},\n{ANSWER}"}, "Orders"), agent)
    canned.save(None, Canned("Refund", {"en": "We will refund it."}), agent)
    page = open_as(sign_in(agent), address)
    page.goto(f"{address}/desk/")
    return page


def in_row(page: Page, number: int) -> Locator:
    return page.locator(f'#list [data-ticket="{number}"]')


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def focused(page: Page, where: Locator) -> None:
    """Wait until what has the focus is this."""
    expect(where).to_be_focused(timeout=_MS)


def open_list(page: Page) -> None:
    press(page, "g", "a")
    page.wait_for_url("**/desk/views/open", timeout=_MS)
    expect(page.locator('#list[data-view="open"] [data-rows]')).to_be_visible(timeout=_MS)


def go_to(page: Page, number: int) -> None:
    """Down from the row that is open, or from the top, and in."""
    press(page, "j")
    focused(page, in_row(page, number).locator("> a"))
    press(page, "Enter")
    expect(page.locator(f'#ticket[data-number="{number}"] #composer[data-editor]')).to_be_visible(timeout=_MS)


def write(page: Page) -> None:
    """The canned response, by the beginning of one of its words."""
    press(page, "r")
    focused(page, page.locator("#composer-editor"))
    # As quickly as keys can be pressed: what is taken is what was asked for.
    page.keyboard.type("/way")
    expect(page.locator("#composer-offers [role=option]")).to_have_count(1, timeout=_MS)
    press(page, "Enter")
    expect(page.locator("#composer-editor")).to_contain_text(f"Hello Mia,{ANSWER}", timeout=_MS)


def send(page: Page) -> None:
    press(page, "Control+Enter")
    expect(page.locator("#conv .msg-agent")).to_contain_text(ANSWER, timeout=_MS)
    expect(page.locator("#composer-editor")).to_have_text("", timeout=_MS)


def promise(page: Page) -> None:
    """From the text to the choice below it, and the first moment that is offered."""
    press(page, "Tab")
    focused(page, page.locator(".clate > summary"))
    press(page, "Enter", "Tab")
    focused(page, page.locator("#c-promise"))
    press(page, "ArrowDown")
    expect(page.locator("#c-promise")).not_to_have_value("", timeout=_MS)


def snooze(page: Page) -> None:
    press(page, "b")
    focused(page, page.locator("#late-snooze .menu-item").first)
    press(page, "Enter")
    expect(page.locator("#edit-snooze.chip")).to_contain_text("Snoozed until", timeout=_MS)


def merge_and_part(page: Page, first: int, second: int) -> None:
    """Two rows are chosen and become one; that was wrong, and is undone."""
    press(page, "j", "x", "j", "x")
    expect(page.locator("[data-chosen]")).to_have_text("2 chosen", timeout=_MS)
    press(page, "M")
    page.wait_for_url("**/desk/merge?**", timeout=_MS)
    expect(page.locator("main")).to_contain_text(f"#{second} goes on", timeout=_MS)
    # The choice has the focus, and Enter in it merges.
    focused(page, page.locator("[name=survivor]:checked"))
    assert page.locator("[name=survivor]:checked").input_value() == str(second)
    press(page, "Enter")
    expect(page.locator("#came")).to_contain_text(f"#{first} was merged into this ticket.", timeout=_MS)
    expect(page.locator("#conv")).to_contain_text(f"parcel {MAILS}?", timeout=_MS)
    db.session.rollback()
    assert db.session.get_one(Ticket, first).merged_into_id == second
    # Beside it stands the list that they came from.
    expect(page.locator('#list[data-view="open"]')).to_be_visible(timeout=_MS)
    press(page, "z")
    expect(page.locator(f'#ticket[data-number="{first}"]')).to_be_visible(timeout=_MS)
    expect(page.locator("#came")).to_have_count(0)


def test_twenty_mails_by_keyboard(page: Page, mails: list[int], watch: Any, picture: Any) -> None:
    problems = watch(page, page.url.partition("/desk/")[0])
    open_list(page)
    expect(page.locator("[data-rows] .trow")).to_have_count(MAILS, timeout=_MS)
    merge_and_part(page, *mails[:2])
    open_list(page)
    mails = [int(row.get_attribute("data-ticket") or 0) for row in page.locator("[data-rows] .trow").all()]
    for place, number in enumerate(mails):
        go_to(page, number)
        write(page)
        if place == PROMISED:
            promise(page)
        send(page)
        if place == SNOOZED:
            snooze(page)
        # The row says so, and the list stays where it is.
        expect(in_row(page, number)).to_contain_text(ANSWER, timeout=_MS)
        expect(in_row(page, number)).to_have_class("trow on", timeout=_MS)
    picture(page, "morning")
    # Back to the list: the row that was open last has the focus.
    press(page, "u")
    focused(page, in_row(page, mails[-1]).locator("> a"))
    db.session.rollback()
    assert_all_was_done(mails)
    assert problems == []


def assert_all_was_done(mails: list[int]) -> None:
    answers = db.select(Message.ticket_id).where(Message.text.contains(ANSWER), Message.visibility == "public")
    assert sorted(db.session.scalars(answers)) == sorted(mails)
    tickets = {ticket.id: ticket for ticket in db.session.scalars(db.select(Ticket))}
    assert all(ticket.first_response_at is not None for ticket in tickets.values())
    assert all(ticket.merged_into_id is None for ticket in tickets.values())
    assert [merge.undone_at is not None for merge in db.session.scalars(db.select(TicketMerge))] == [True]
    asleep = [number for number, ticket in tickets.items() if ticket.snoozed_until is not None]
    assert asleep == [mails[SNOOZED]]
    assert tickets[asleep[0]].snoozed_until > clock.now() + timedelta(minutes=1)
    assert db.session.scalars(db.select(Promise.ticket_id)).all() == [mails[PROMISED]]
