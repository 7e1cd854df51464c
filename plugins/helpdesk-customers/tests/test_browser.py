"""In Chromium: a customer is found, noted, asked for a consent, put into a segment, merged, and made two again."""

import re
from typing import Any

import pytest
from helpdesk_customers import fields, orders, ownership, records
from helpdesk_customers.duplicates import Pair
from helpdesk_customers.models import Consent, Segment
from helpdesk_customers.orders import LineData, OrderData

from helpdesk.api import Organization, Ticket, User, db, transaction

pytestmark = [pytest.mark.browser, pytest.mark.slow]
PHONE = {"width": 360, "height": 740}
ROOM = "/p/customers"


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.fixture
def twin(make_user: Any, anna: User) -> User:
    """Anna with another address, found as a pair."""
    made = make_user(name="A. Berg", email="anna@private.example")
    with transaction():
        one, other = sorted((anna.id, made.id))
        db.session.add(Pair(one_id=one, other_id=other, reasons=["phone"], score=50))
    return made


def test_from_the_list_to_a_segment_and_from_two_people_to_one_and_back(
    visit: Any, sign_in: Any, boss: User, anna: User, twin: User, make_ticket: Any, run_jobs: Any
) -> None:
    """The filter on a phone without any script; the rest where the team works; beside the ticket at the end."""
    from playwright.sync_api import expect

    fields.save_field(None, {"label": "Club", "kind": "choice", "choices": "Gold\nSilver"}, boss)
    orders.save_order(OrderData("A-1", "EUR", [LineData("ALBA", "Alba 7", 1, 129_900)], user_id=anna.id))
    ticket: Ticket = make_ticket("Rear brake", requester=twin)

    phone = visit(sign_in(boss), viewport=PHONE, java_script_enabled=False)
    phone.goto(f"{visit.url}{ROOM}/")
    phone.locator("summary", has_text="Filter").click()
    phone.get_by_label("Another condition").select_option(label="Revenue (in the days that count)")
    phone.get_by_role("button", name="Add").click()
    value = phone.get_by_label("Revenue (in the days that count): with what")
    value.fill("plenty")
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("Write the amount with its currency, such as 500 EUR.")).to_be_visible()
    expect(value).to_have_value("plenty")
    assert overflow(phone) == 0
    value.fill("500 EUR")
    phone.get_by_role("button", name="Show").last.click()
    expect(phone.get_by_role("link", name="Anna Berg")).to_be_visible()
    expect(phone.get_by_role("link", name="A. Berg")).to_have_count(0)
    phone.get_by_role("link", name="Save as segment").click()
    phone.get_by_label("Name", exact=True).fill("Big ones")
    phone.keyboard.press("Enter")
    expect(phone.get_by_text("Saved.")).to_be_visible()
    db.session.rollback()
    assert db.session.scalars(db.select(Segment.name)).all() == ["Big ones"]

    desk = visit(sign_in(boss))
    desk.goto(f"{visit.url}{ROOM}/people/{anna.id}")
    expect(desk.get_by_text("A. Berg may be the same person.")).to_be_visible()
    desk.get_by_role("link", name="Edit").click()
    desk.get_by_label("Birthday").fill("31 May")
    desk.get_by_label("Club").select_option("Gold")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("is no day")).to_be_visible()
    expect(desk.get_by_label("Club")).to_have_value("Gold")
    desk.get_by_label("Birthday").fill("05-31")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("May 31")).to_be_visible()
    desk.locator("summary", has_text="Note a consent").click()
    desk.get_by_label("The words agreed to").fill("Yes, send me offers.")
    desk.get_by_role("button", name="Note it").click()
    expect(desk.locator("#consents").get_by_text("Given")).to_be_visible()
    db.session.rollback()
    assert db.session.scalars(db.select(Consent.words)).all() == ["Yes, send me offers."]

    desk.get_by_role("link", name="Compare").click()
    desk.get_by_role("radio", name="Anna Berg stays").check()
    desk.get_by_role("button", name="Merge into one").click()
    expect(desk.get_by_text("The two records are one now.")).to_be_visible()
    expect(desk.get_by_role("link", name="Rear brake")).to_be_visible()
    db.session.rollback()
    run_jobs()
    desk.goto(f"{visit.url}/desk/tickets/{ticket.id}")
    panel = desk.locator("#side .panel", has_text="Customer record")
    expect(panel.get_by_text("€1,299.00")).to_be_visible()
    panel.get_by_role("link", name="Open the record").click()
    desk.get_by_role("link", name="Undo").click()
    desk.get_by_role("button", name="Undo").click()
    expect(desk.get_by_text("They are two people again.")).to_be_visible()
    db.session.rollback()
    assert db.session.get_one(Ticket, ticket.id).requester_id == twin.id
    # What was refused is said by the browser as well.
    assert [one for one in visit.problems if "422" not in one] == []


def test_no_page_is_wider_than_a_phone_from_right_to_left(
    visit: Any, sign_in: Any, boss: User, anna: User, twin: User, firm: Organization, make_ticket: Any
) -> None:
    """With long words, several currencies, and everything filled in."""
    long = "Donaudampfschifffahrtsgesellschaftskapitän" * 2
    field = fields.save_field(None, {"label": long, "kind": "text"}, boss)
    make_ticket(long, requester=anna)
    records.change(anna, boss, note=long, salutation=long[:90], values={field.key: long}, tags=["vip", long[:50]])
    ownership.own(anna, long[:60], boss, name=long, serial=long)
    for currency in ("EUR", "JPY", "KWD"):
        made, _said = orders.save_order(
            OrderData(f"{long[:50]}{currency}", currency, [LineData(long[:60], long, 1, 10**12)], user_id=anna.id)
        )
    pair = db.session.scalars(db.select(Pair)).one()
    with transaction():
        boss.locale = "ar"
        pair_id, order_id = pair.id, made.id
    narrow = visit(sign_in(boss), viewport=PHONE)
    person = f"people/{anna.id}"
    for page in ("", "?new=tag&add=1", "organizations", person, f"{person}/edit", f"{person}/consents",
                 f"{person}/orders", f"{person}/timeline", f"{person}/merge", f"organizations/{firm.id}",
                 f"orders/{order_id}", "segments", "segments/new?new=revenue&add=1", "fields", "fields/new",
                 f"fields/{field.id}", "duplicates", f"duplicates/{pair_id}", "merges"):  # fmt: skip
        narrow.goto(f"{visit.url}{ROOM}/{page}")
        assert narrow.locator("html").get_attribute("dir") == "rtl" and overflow(narrow) == 0, page
    narrow.goto(f"{visit.url}{ROOM}/{person}")
    for summary in narrow.locator(".fold > summary").all():
        summary.click()
    assert overflow(narrow) == 0 and re.search("Donau", narrow.content()) is not None
    # What was refused is said by the browser as well.
    assert [one for one in visit.problems if "422" not in one] == []
