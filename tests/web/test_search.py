"""The page of the search and the palette: what they show to whom, marked and escaped, and what bad input comes to."""

from html import unescape
from typing import Any

import pytest

from helpdesk.core import views
from helpdesk.core.extensions import db
from helpdesk.core.jobs.runner import run_due
from helpdesk.core.models import View


@pytest.mark.db
def test_tickets_and_people_are_found_and_kept_as_a_view(
    make_user: Any, make_ticket: Any, make_team: Any, sign_in: Any
) -> None:
    agent = make_user("agent")
    anna = make_user(name="Anna <b>Lindqvist</b>", email="anna@post.example")
    loud = make_ticket("Brake <i>squeals</i>", text="<script>alert(1)</script> the brake of 4711-AB", requester=anna)
    make_ticket("Brake of others", text="concealed brake", team=make_team(private=True))
    for number in range(30):
        make_ticket(f"Wheel {number}", text="a wheel 车轮")
    run_due()
    browser = sign_in(agent)
    page = browser.get("/desk/search?q=brake").text
    assert "<mark>Brake</mark> &lt;i&gt;squeals" in page and "&lt;script&gt;" in page and "<script>alert" not in page
    assert "Brake of others" not in page and "concealed" not in page and f"/desk/tickets/{loud.id}#m" in page
    page = browser.get("/desk/search?q=lindq").text
    assert f"/desk/people/{anna.id}" in page and "Anna &lt;b&gt;" in page and "<mark>" not in page.split("<h3>")[0]
    first = browser.get("/desk/search?q=车轮").text
    assert first.count('class="hit"') == 25 and "<mark>车轮</mark>" in first
    older = unescape(first.split('rel="next"')[0].rsplit('href="', 1)[1].split('"')[0])
    assert browser.get(older).text.count('class="hit"') == 5

    answer = browser.post("/desk/views", data={"name": "Loud", "view": "all", "search": "brake tag:none -x"})
    assert answer.status_code == 303
    kept = db.session.get_one(View, int(answer.headers["Location"].rsplit("/", 1)[1]))
    assert kept.filters == {"search": "brake tag:none -x"}
    assert views.find_view(str(kept.id), agent) is not None
    listed = browser.get("/desk/views/all?f=1&search=4711-AB").text
    assert "squeals" in listed and "Wheel" not in listed.split("<ol", 1)[1]


def test_bad_searches_have_a_defined_answer(as_agent: Any) -> None:
    assert "How to search" in as_agent.get("/desk/search").text
    page = as_agent.get("/desk/search", query_string={"q": "before:soon is:strange"})
    assert page.status_code == 200 and "“soon” is no day" in page.text and "no state “strange”" in page.text
    for text in ('"', "-", "a" * 5000, "NEAR(", "from:", "\x00\ud800", "*", "(((", "🙂", "AND OR NOT"):
        asked = {"q": text.encode("utf-8", "surrogatepass")}
        assert as_agent.get("/desk/search", query_string=asked).status_code == 200, text
        assert as_agent.get("/desk/palette", query_string=asked).status_code == 200, text
    assert as_agent.get("/desk/search?q=x&after=nonsense").status_code == 400
    assert as_agent.get("/desk/palette?ticket=99999999999999999999999&q=x").status_code == 200


@pytest.mark.db
def test_the_palette_finds_what_the_reader_may_open(
    make_user: Any, make_ticket: Any, make_team: Any, sign_in: Any
) -> None:
    agent, admin = make_user("agent"), make_user("admin")
    anna = make_user(name="Anna Lindqvist", email="anna@post.example", phone="+49 30 1234567")
    ticket = make_ticket("Brake squeals", requester=anna)
    hidden = make_ticket("Brake concealed", team=make_team(private=True))
    run_due()
    browser, office = sign_in(agent), sign_in(admin)
    part = browser.get("/desk/palette?q=bra").text
    assert "<html" not in part and f'data-url="/desk/tickets/{ticket.id}"' in part and "concealed" not in part
    assert f'data-url="/desk/tickets/{hidden.id}"' in office.get("/desk/palette?q=bra").text
    assert f"/desk/tickets/{hidden.id}" not in browser.get(f"/desk/palette?q={hidden.id}").text
    for text in (ticket.id, f"%23{ticket.id}", "squeals lind", "anna"):
        assert f'data-url="/desk/tickets/{ticket.id}"' in browser.get(f"/desk/palette?q={text}").text, text
    for text in ("lindq", "1234567", "anna@post"):
        assert f'data-url="/desk/people/{anna.id}"' in browser.get(f"/desk/palette?q={text}").text, text
    assert 'data-url="/desk/views/unassigned"' in browser.get("/desk/palette?q=unass").text
    assert 'data-url="/admin/jobs"' in office.get("/desk/palette?q=jobs").text
    assert "/admin" not in browser.get("/desk/palette?q=jobs").text
    acts = browser.get(f"/desk/palette?ticket={ticket.id}").text
    assert 'data-key="r"' in acts and 'data-key="s"' in acts
    assert "data-key" not in browser.get(f"/desk/palette?ticket={hidden.id}").text
