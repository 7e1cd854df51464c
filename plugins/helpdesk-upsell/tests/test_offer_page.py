"""The page of an offer: by the link of an answer, without an account, in the customer's language."""

from typing import Any

import pytest
from helpdesk_customers.api import has_consent
from helpdesk_upsell import offers, suggestions
from helpdesk_upsell.models import Suggestion

from helpdesk.api import Ticket, User, db, transaction


def again(row: Suggestion) -> Suggestion:
    db.session.rollback()
    return db.session.get_one(Suggestion, row.id, populate_existing=True)


@pytest.fixture
def offered(product: Any, rule: Any, solved: Ticket, agent: User) -> Suggestion:
    """Something that was offered to Anna."""
    rule(product("PLUS", "Plus plan", texts={"en": {"name": "Plus plan", "pitch": "More <b>room</b>."}}))
    suggestions.show(solved, agent)
    [row] = suggestions.of_ticket(solved)
    suggestions.offer(row, agent)
    return row


@pytest.fixture
def link(offered: Suggestion) -> str:
    return offers.offer_url(offered).removeprefix("http://desk.example")


def test_opening_the_link_records_nothing_and_the_button_does(
    client: Any, link: str, offered: Suggestion, count_queries: Any
) -> None:
    client.get(link)
    with count_queries() as statements:
        page = client.get(link)
    assert page.status_code == 200 and len(statements) <= 10, "\n".join(statements)
    assert "Plus plan" in page.text and "€10.00" in page.text and "More &lt;b&gt;room&lt;/b&gt;." in page.text
    assert "Nothing is ordered by this." in page.text and "It is for Anna Berg." in page.text
    assert client.head(link).status_code == 200 and again(offered).state == "offered"
    assert client.post(link, data={}).status_code == 422
    for _press in range(2):
        assert client.post(link, data={"answer": "accepted"}).status_code in (200, 303)
    assert again(offered).state == "accepted"
    assert "you would like it" in client.get(link).text


def test_whoever_is_interested_may_change_their_mind(client: Any, link: str, offered: Suggestion) -> None:
    client.post(link, data={"answer": "interested"})
    assert again(offered).state == "interested"
    page = client.get(link).text
    assert "you would like to know more" in page and "?change=1" in page
    assert "Yes, I would like it" in client.get(f"{link}?change=1").text
    client.post(link, data={"answer": "accepted"})
    assert again(offered).state == "accepted"


def test_no_thank_you_and_nothing_more(client: Any, link: str, offered: Suggestion, anna: User) -> None:
    """The reason and the words are kept, and the consent is withdrawn when they wish it."""
    long = client.post(link, data={"answer": "declined", "why": "price", "words": "Kept & typed" + "x" * 1_000})
    assert long.status_code == 422 and "This is too long" in long.text and "Kept &amp; typed" in long.text
    assert client.post(link, data={"answer": "declined", "why": "weather"}).status_code == 422
    assert has_consent(anna.id, "offers")
    client.post(link, data={"answer": "declined", "why": "price", "words": "Too dear", "no_more": "1"})
    row = again(offered)
    assert (row.state, row.why, row.words) == ("declined", "price", "Too dear")
    assert not has_consent(anna.id, "offers")
    assert "will not recommend it to you again soon" in client.get(link).text


def test_forged_cut_and_old_links(client: Any, link: str, offered: Suggestion, travel: Any) -> None:
    """Each says what is the matter, in one sentence; nothing is kept."""
    number, _slash, token = link.removeprefix("/p/upsell/o/").partition("/")
    for bad in (link[:-1], f"{link}0", f"/p/upsell/o/{int(number) + 1}/{token}", f"/p/upsell/o/{number}/x"):
        for page in (client.get(bad), client.post(bad, data={"answer": "accepted"})):
            assert page.status_code == 404 and "This link does not work" in page.text, bad
    travel(days=15)
    for page in (client.get(link), client.post(link, data={"answer": "accepted"})):
        assert page.status_code == 410 and "This offer has ended" in page.text
    assert again(offered).state == "offered"


def test_the_page_speaks_the_customers_language(client: Any, link: str, offered: Suggestion) -> None:
    with transaction():
        db.session.get_one(Suggestion, offered.id).language = "ar"
    page = client.get(link).text
    assert 'dir="rtl"' in page and 'lang="ar"' in page


def test_a_product_that_is_sold_no_more_is_said(
    client: Any, link: str, offered: Suggestion, as_supervisor: Any
) -> None:
    row = again(offered)
    form = {"sku": "PLUS", "kind": "product", "name-en": "Plus plan"}
    assert as_supervisor.post(f"/p/upsell/products/{row.product_id}", data=form).status_code == 303
    refused = client.post(link, data={"answer": "accepted"})
    assert refused.status_code == 422 and "This is not sold any more." in refused.text
    assert again(offered).state == "offered"
