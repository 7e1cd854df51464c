"""Beside a ticket: why nothing is suggested, what fits, the text for the answer, and what came of it."""

import re
from typing import Any

import pytest
from helpdesk_upsell.models import Suggestion

from helpdesk.api import Message, Ticket, User, db, reopen, solve, tag, transaction

ROOM = "/p/upsell"


def rows() -> list[Suggestion]:
    db.session.rollback()
    return list(db.session.scalars(db.select(Suggestion).order_by(Suggestion.id)))


def side(browser: Any, ticket: Ticket) -> str:
    return str(browser.get(f"/desk/tickets/{ticket.id}/side").text)


@pytest.fixture
def plus(product: Any, rule: Any, bought: Any, anna: User) -> Any:
    """What fits Anna: she owns the basic plan, and the plus plan is suggested to those who do."""
    product("BASIC", "Basic plan")
    plus = product("PLUS", "Plus plan", texts={
        "en": {"name": "Plus plan", "pitch": "More room."}, "es": {"name": "Plan Plus", "pitch": "Más espacio."},
    })  # fmt: skip
    rule(plus, ("owns", ["BASIC"]), reasons={"en": "The basic plan is small."})
    bought(anna, "BASIC")
    return plus


@pytest.fixture
def looked(plus: Any, solved: Ticket, agent: User, sign_in: Any) -> Any:
    """The agent's browser, after a look: one suggestion on the ticket."""
    browser = sign_in(agent)
    browser.post(f"{ROOM}/tickets/{solved.id}/look")
    return browser


def panels(place: Any, ticket: Ticket, user: User) -> list[str]:
    """The boxes of the plugin beside a ticket."""
    return [one.html for one in place("ticket_panels", ticket, user) if str(one.title) == "Recommendations"]


def test_the_panel_waits_for_the_answer(
    plus: Any, ticket: Ticket, agent: User, sign_in: Any, place: Any, count_queries: Any
) -> None:
    """Unsolved: it says so. Solved: a button; pressed, what fits, with its reason. One query each time."""
    browser = sign_in(agent)
    assert "No suggestion now, because this ticket is not solved yet." in side(browser, ticket)
    solve(ticket, agent)
    panels(place, ticket, agent)
    with count_queries() as statements:
        [panel] = panels(place, ticket, agent)
    assert len([one for one in statements if "upsell_" in one]) == 1, "\n".join(statements)
    assert "See what fits" in panel and rows() == []
    part = browser.post(f"{ROOM}/tickets/{ticket.id}/look", headers={"HX-Request": "true", "HX-Target": "up-panel"})
    assert "<html" not in part.text and "Plus plan" in part.text and "€10.00" in part.text
    assert "The basic plan is small." in part.text
    assert "Plus plan" in side(browser, ticket) and len(rows()) == 1


def test_without_a_rule_there_is_no_panel_and_no_query(
    solved: Ticket, agent: User, place: Any, count_queries: Any
) -> None:
    panels(place, solved, agent)
    with count_queries() as statements:
        assert panels(place, solved, agent) == []
    assert [one for one in statements if "upsell_" in one] == []


def test_an_answer_stays_in_sight_when_the_ticket_is_opened_again(looked: Any, solved: Ticket, agent: User) -> None:
    """Nothing new is suggested then, but what was accepted is still to be done."""
    [one] = rows()
    looked.post(f"{ROOM}/suggestions/{one.id}", data={"outcome": "accepted"})
    reopen(db.session.get_one(Ticket, solved.id), agent)
    page = side(looked, solved)
    assert "Accepted" in page and "No suggestion now, because this ticket is not solved yet." in page


def test_no_suggestion_now_says_why(plus: Any, solved: Ticket, agent: User, sign_in: Any) -> None:
    """Something speaks against it: the page and the panel say what, and nothing is counted as shown."""
    tag(solved, ["complaint"], agent)
    browser = sign_in(agent)
    page = browser.get(f"{ROOM}/tickets/{solved.id}").text
    assert "No suggestion now, because:" in page and "is a complaint" in page and "See what fits" not in page
    part = browser.post(f"{ROOM}/tickets/{solved.id}/look", headers={"HX-Target": "up-panel"})
    assert "No suggestion now, because" in part.text and rows() == []


def test_the_text_goes_into_the_answer(looked: Any, solved: Ticket) -> None:
    """Beside the composer the text can be changed and is put in; without a script it is sent as an answer."""
    [one] = rows()
    page = looked.get(f"{ROOM}/tickets/{solved.id}")
    assert "Plus plan" in page.text and "points" in page.text and one.state == "shown"
    address = f"{ROOM}/tickets/{solved.id}/suggestions/{one.id}"
    beside = looked.post(address, headers={"HX-Request": "true", "HX-Target": "composer-tool-page"})
    assert 'data-insert-from="up-text"' in beside.text and "More room." in beside.text
    plain = looked.post(address).text
    assert "Send it as an answer" in plain and "data-insert-from" not in plain
    [one] = rows()
    assert one.state == "offered"
    text = re.search(r'name="text"[^>]*>\n(.*?)</textarea>', plain, re.DOTALL)
    assert text is not None and f"/p/upsell/o/{one.id}/" in text[1]
    assert looked.post(f"{address}/send", data={"text": "  "}).status_code == 422
    sent = looked.post(f"{address}/send", data={"text": f"Dear Anna,\n{text[1]}"})
    assert sent.status_code == 303
    last = db.session.scalars(db.select(Message).order_by(Message.id.desc()).limit(1)).one()
    assert last.text.startswith("Dear Anna,") and "/p/upsell/o/" in last.text


def test_the_text_is_in_the_customers_language(
    plus: Any, anna: User, solved: Ticket, agent: User, sign_in: Any
) -> None:
    with transaction():
        db.session.get_one(User, anna.id).locale = "es"
        db.session.get_one(Ticket, solved.id).locale = "es"
    browser = sign_in(agent)
    browser.post(f"{ROOM}/tickets/{solved.id}/look")
    [one] = rows()
    page = browser.post(f"{ROOM}/tickets/{solved.id}/suggestions/{one.id}").text
    assert "Más espacio." in page and "in Spanish" in page and 'lang="es"' in page


@pytest.mark.parametrize(
    ("typed", "state"),
    [
        ({"outcome": "interested"}, "interested"),
        ({"outcome": "accepted"}, "accepted"),
        ({"outcome": "declined", "why": "price", "words": "Too dear & late"}, "declined"),
        ({"outcome": "bought"}, "bought"),
        ({"outcome": "bought", "paid": "7.50"}, "bought"),
    ],
)
def test_what_came_of_it_is_noted(looked: Any, solved: Ticket, typed: dict[str, str], state: str) -> None:
    """By the agent who heard it; the panel, the page and the list say it."""
    [one] = rows()
    address = f"{ROOM}/suggestions/{one.id}"
    assert looked.post(address, data={"outcome": ""}).status_code == 422
    assert looked.post(address, data=typed).location.endswith(f"/desk/tickets/{solved.id}")
    [one] = rows()
    assert one.state == state
    name = {"interested": "Interested", "accepted": "Accepted", "declined": "Declined", "bought": "Bought"}[state]
    assert name in side(looked, solved)
    page, listed = looked.get(address).text, looked.get(f"{ROOM}/?state={state}").text
    assert name in page and "Plus plan" in listed
    assert "Plus plan" not in looked.get(f"{ROOM}/?state=offered").text
    if state == "declined":
        assert "It costs too much" in page and "Too dear &amp; late" in page and "It costs too much" in listed
    if state == "bought":
        paid = 750 if "paid" in typed else 1_000
        assert one.revenue == paid and f"€{paid / 100:.2f}" in listed


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"outcome": "bought", "paid": "-1"}, "An amount cannot be below zero."),
        ({"outcome": "bought", "paid": "much"}, "is no amount"),
        ({"outcome": "declined", "why": "weather"}, "Choose one of the list."),
        ({"outcome": "declined", "why": "price", "words": "x" * 1_001}, "This is too long"),
        ({"outcome": "vanished"}, "Choose one of the list."),
    ],
)
def test_what_cannot_be_noted_is_said(looked: Any, typed: dict[str, str], sentence: str) -> None:
    [one] = rows()
    refused = looked.post(f"{ROOM}/suggestions/{one.id}", data=typed)
    assert refused.status_code == 422 and sentence in refused.text
    assert rows()[0].state == "shown"


def test_a_suggestion_belongs_to_its_ticket(
    looked: Any, solved: Ticket, make_ticket: Any, make_user: Any, make_team: Any, sign_in: Any
) -> None:
    """By the number of another ticket it is not there; nor for whoever does not see the ticket."""
    [one] = rows()
    other = make_ticket("Another one")
    assert looked.post(f"{ROOM}/tickets/{other.id}/suggestions/{one.id}").status_code == 404
    assert looked.get(f"{ROOM}/suggestions/950017").status_code == 404
    customer = sign_in(make_user())
    assert customer.get(f"{ROOM}/suggestions/{one.id}").status_code == 403


def test_a_price_that_changed_meanwhile_is_said(looked: Any, solved: Ticket, as_supervisor: Any, plus: Any) -> None:
    """The agent sees it, and the offer keeps the price that was shown."""
    [one] = rows()
    form = {"sku": "PLUS", "kind": "plan", "active": "1", "name-en": "Plus plan", "price-0-amount": "99",
            "price-0-currency": "EUR", "price-0-period": "once"}  # fmt: skip
    assert as_supervisor.post(f"{ROOM}/products/{plus.id}", data=form).status_code == 303
    page = looked.get(f"{ROOM}/suggestions/{one.id}").text
    assert "The catalogue has another price now." in page and "€10.00" in page and "€99.00" not in page


def test_places_on_the_pages_of_the_desk(plus: Any, solved: Ticket, agent: User, boss: User, sign_in: Any) -> None:
    """In the menu, beside the composer, among the rooms, in the record. nav_items, composer_tools, admin_rooms,
    register_acts.
    """
    browser = sign_in(agent)
    page = browser.get(f"/desk/tickets/{solved.id}").text
    assert f'href="{ROOM}/"' in page and f"{ROOM}/tickets/{solved.id}" in page
    assert browser.get("/admin/").status_code in (302, 403)
    browser = sign_in(boss)
    assert f"{ROOM}/rules" in browser.get("/admin/").text
    assert "Product of the catalogue changed" in browser.get("/admin/audit").text
