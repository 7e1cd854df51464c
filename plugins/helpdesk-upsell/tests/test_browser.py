"""In Chromium: from orders to a rule, a suggestion, an offer that is accepted, a purchase, and the report."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from helpdesk_customers import importing
from helpdesk_customers.import_models import Import
from helpdesk_upsell import buying
from helpdesk_upsell.models import Suggestion

from helpdesk.api import Message, Ticket, User, db, solve, transaction

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = {"width": 360, "height": 740}


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.fixture
def take_in(visit: Any, run_jobs: Any) -> Callable[..., None]:
    """Have a file taken in: on the page of imports, looked at, then by a worker."""

    def take(page: Any, kind: str, text: str) -> None:
        page.goto(f"{visit.url}/p/customers/imports")
        page.locator(f"input[name=kind][value={kind}]").check()
        page.get_by_label("The file").set_input_files(
            {"name": f"{kind}.csv", "mimeType": "text/csv", "buffer": text.encode("gb18030")}
        )
        page.get_by_role("button", name="Look at it").click()
        page.get_by_role("button", name="Take it in").click()
        page.wait_for_url(re.compile("/imports/"))
        run_jobs()
        page.reload()
        [run] = db.session.scalars(
            db.select(Import).where(Import.kind == kind).execution_options(populate_existing=True)
        )
        assert (run.state, run.failed) == ("done", 0), [row.reason for row in importing.failed_rows(run)]

    return take


def test_from_the_import_to_the_report(
    visit: Any, sign_in: Any, boss: User, agent: User, anna: User, ticket: Ticket, bought: Any, take_in: Any
) -> None:
    """The team works with a script, the customer on a phone of 360 pixels without one."""
    from playwright.sync_api import expect

    # What she bought comes in as a file; the catalogue learns of it with one click.
    desk = visit(sign_in(boss))
    orders = f"Order,Mail,SKU,Product,Quantity,Amount,Currency\nA-1,{anna.email},BASIC,基础版,1,9.00,EUR\n"
    take_in(desk, "customers-orders", orders)
    desk.goto(f"{visit.url}/p/upsell/products/unknown")
    desk.get_by_role("link", name="Add BASIC").click()
    expect(desk.get_by_role("textbox", name="Name", exact=True)).to_have_value("基础版")
    desk.get_by_role("textbox", name="Name", exact=True).fill("Basic plan")
    desk.get_by_role("button", name="Add").click()
    expect(desk.get_by_text("The product was added.")).to_be_visible()
    desk.goto(f"{visit.url}/p/upsell/products/new")
    desk.get_by_label("SKU", exact=True).fill("PLUS")
    desk.get_by_role("textbox", name="Name", exact=True).fill("Plus plan")
    desk.get_by_label("Text for customers").first.fill("Twice the room.")
    desk.get_by_label("Amount").first.fill("19.00")
    desk.get_by_role("button", name="Add").click()
    expect(desk.get_by_text("The product was added.")).to_be_visible()

    # A sentence: suggest it to those who own the other one.
    desk.get_by_role("link", name="Rule", exact=True).click()
    expect(desk.get_by_label("SKU of the product")).to_have_value("PLUS")
    desk.get_by_role("textbox", name="Name", exact=True).fill("More room")
    desk.get_by_label("Another condition").select_option("owns")
    desk.get_by_role("button", name="Add a condition").click()
    desk.get_by_label("The customer: Owns one of").fill("BASIC")
    desk.get_by_label("Reason for the agent").first.fill("The basic plan is full.")
    desk.get_by_label("Held back, in percent").fill("0")
    desk.get_by_role("button", name="Add the rule").click()
    expect(desk.get_by_text("Suggest Plus plan when the customer owns Basic plan.")).to_be_visible()
    desk.get_by_role("button", name="Switch on").click()
    expect(desk.get_by_role("switch", name="More room")).to_be_checked()

    # Beside the ticket: not before it is solved, then with its reason; the text goes into the answer.
    mine = visit(sign_in(agent))
    mine.goto(f"{visit.url}/desk/tickets/{ticket.id}")
    expect(mine.get_by_text("No suggestion now, because this ticket is not solved yet.")).to_be_visible()
    db.session.rollback()
    solve(db.session.get_one(Ticket, ticket.id), db.session.get_one(User, agent.id))
    mine.reload()
    mine.get_by_role("button", name="See what fits").click()
    expect(mine.get_by_text("The basic plan is full.")).to_be_visible()
    mine.get_by_role("link", name="Recommend", exact=True).and_(mine.locator(".up-panel a")).click()
    mine.get_by_role("button", name="Take the text for Plus plan").click()
    expect(mine.get_by_label("What the customer reads, in English")).to_have_value(re.compile("Twice the room."))
    mine.get_by_role("button", name="Put it into the answer").click()
    editor = mine.locator("#composer-editor")
    expect(editor).to_contain_text("Twice the room.")
    mine.get_by_role("button", name=re.compile("^Send")).first.click()
    expect(mine.locator(".msg").filter(has_text="Twice the room.")).to_be_visible()

    # The customer, on a phone, without a script, by keyboard.
    db.session.rollback()
    last = db.session.scalars(db.select(Message).order_by(Message.id.desc()).limit(1)).one()
    link = re.search(r"http://desk\.example(/p/upsell/o/\d+/[0-9a-z-]+)", last.text)
    assert link is not None, last.text
    phone = visit(viewport=PHONE, java_script_enabled=False)
    phone.goto(f"{visit.url}{link[1]}")
    expect(phone.get_by_role("heading", name="Plus plan")).to_be_visible()
    expect(phone.get_by_text("€19.00")).to_be_visible()
    assert overflow(phone) == 0
    phone.get_by_role("radio", name="No, thank you").check()
    expect(phone.get_by_text("Please recommend nothing to me any more")).to_be_visible()
    phone.get_by_role("radio", name="Yes, I would like it").check()
    expect(phone.get_by_text("Please recommend nothing to me any more")).to_be_hidden()
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("you would like it")).to_be_visible()

    # She buys it: the order is found, the list and the report say so.
    db.session.rollback()
    bought(db.session.get_one(User, anna.id), "PLUS", number="A-2")
    buying.match_now()
    db.session.rollback()
    row = db.session.scalars(db.select(Suggestion)).one()
    assert row.state == "bought"
    mine.goto(f"{visit.url}/p/upsell/?state=bought")
    expect(mine.get_by_role("row", name=re.compile("Plus plan.*Anna Berg"))).to_be_visible()
    desk.goto(f"{visit.url}/p/upsell/report")
    expect(desk.get_by_role("heading", name="More room")).to_be_visible()
    expect(desk.get_by_text("Too few people so far")).to_be_visible()
    expect(desk.get_by_role("link", name="Bought: 1")).to_be_visible()

    # No page is wider than a phone, from right to left as well.
    with transaction():
        db.session.get_one(User, boss.id).locale = "ar"
    narrow = visit(sign_in(boss), viewport=PHONE)
    pages = ("", "report", "products", f"products/{row.product_id}", "products/unknown", "promotions",
             "promotions/new", "rules", "rules/new?sku=PLUS&owns=BASIC", f"rules/{row.rule_id}", "together",
             f"rules/{row.rule_id}/delete", f"suggestions/{row.id}", f"tickets/{ticket.id}")  # fmt: skip
    for page in pages:
        narrow.goto(f"{visit.url}/p/upsell/{page}")
        assert narrow.locator("html").get_attribute("dir") == "rtl" and overflow(narrow) == 0, page
    assert visit.problems == []
