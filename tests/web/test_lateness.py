"""The three menus of a ticket's header: due date, promise, snooze, and what lists say of them."""

from datetime import timedelta
from typing import Any

import pytest

from helpdesk.core import workflow
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs.runner import run_due
from helpdesk.core.models import Promise, Ticket

HOUR = timedelta(hours=1)
PART = {"HX-Request": "true"}


def url(ticket: Ticket, what: str = "") -> str:
    return f"/desk/tickets/{ticket.id}/times" + (f"/{what}" if what else "")


@pytest.mark.db
def test_an_agent_sets_each_by_a_choice_or_a_date_and_takes_it_away(
    make_user: Any, make_ticket: Any, sign_in: Any
) -> None:
    agent = make_user("agent", time_zone="Asia/Shanghai")
    ticket, browser = make_ticket(), sign_in(agent)
    page = browser.get(url(ticket))
    assert page.status_code == 200 and page.text.count('type="datetime-local"') == 3
    part = browser.get(url(ticket) + "?what=snooze", headers=PART)
    assert "<html" not in part.text and 'value="tomorrow"' in part.text

    version = ticket.version
    answer = browser.post(url(ticket, "due"), data={"at": "2031-02-03T17:00", "version": version})
    assert answer.status_code == 303
    assert ticket.due_at is not None and ticket.due_at.isoformat() == "2031-02-03T09:00:00+00:00"
    answer = browser.post(
        url(ticket, "promise"), data={"choice": "tomorrow", "words": "the price", "version": version}, headers=PART
    )
    assert answer.status_code == 204 and "ticket-changed" in answer.headers["HX-Trigger"]
    promise = db.session.query(Promise).one()
    assert (promise.words, promise.owner_id, promise.due_at.hour) == ("the price", agent.id, 9)
    browser.post(url(ticket, "snooze"), data={"choice": "3h", "version": version})
    assert ticket.snoozed_until is not None and ticket.snoozed_by_id == agent.id

    page = browser.get(f"/desk/tickets/{ticket.id}")
    for words in ("Due ", "Promised by", "Snoozed until"):
        assert words in page.text
    for what in ("due", "promise", "snooze"):
        browser.post(url(ticket, what), data={"choice": "none", "version": ticket.version})
    db.session.refresh(ticket)
    assert (ticket.due_at, ticket.promised_at, ticket.snoozed_until, ticket.alarm_at) == (None,) * 4


def test_what_cannot_be_set_comes_back_with_a_sentence_and_what_was_typed(
    make_user: Any, make_ticket: Any, sign_in: Any
) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    browser, seen = sign_in(agent), ticket.version
    for typed in ("2020-01-01T10:00", "nonsense", "", "9999-12-31T23:59"):
        answer = browser.post(url(ticket, "promise"), data={"at": typed, "words": "the price", "version": seen})
        assert answer.status_code == 422 and "form-error" in answer.text and "the price" in answer.text
        answer = browser.post(url(ticket, "due"), data={"at": typed, "version": seen}, headers=PART)
        assert answer.status_code == 422 and f'value="{typed}"' in answer.text
    assert ticket.version == seen
    # Somebody else was quicker: the choice is theirs, with what happened.
    workflow.set_due(ticket, now() + HOUR, make_user("agent", name="Mia Weber"))
    answer = browser.post(url(ticket, "due"), data={"choice": "week", "version": seen}, headers=PART)
    assert answer.status_code == 409 and "Mia Weber" in answer.text
    db.session.rollback()
    answer = browser.post(url(ticket, "due"), data={"choice": "week", "version": ticket.version}, headers=PART)
    assert answer.status_code == 204
    assert browser.post(url(ticket, "lunch"), data={}).status_code == 404
    outsider = sign_in(make_user())
    assert outsider.post(url(ticket, "due"), data={"choice": "week"}).status_code == 403


def test_lists_and_history_say_what_is_late(make_user: Any, make_ticket: Any, sign_in: Any, travel: Any) -> None:
    agent = make_user("agent", name="Jonas Berg")
    late, broken, back = make_ticket("late"), make_ticket("broken"), make_ticket("back")
    workflow.set_due(late, now() + HOUR, agent)
    workflow.promise_answer(broken, now() + HOUR, agent, "the price")
    workflow.snooze(back, now() + HOUR, agent)
    browser = sign_in(agent)
    listed = browser.get("/desk/views/open").text
    assert "chip-red" not in listed and f'data-ticket="{late.id}"' in listed
    # What rests has left the usual list.
    assert f'data-ticket="{back.id}"' not in listed and f'data-ticket="{broken.id}"' in listed
    assert f'data-ticket="{back.id}"' in browser.get("/desk/views/snoozed").text
    travel(now() + 2 * HOUR)
    run_due()
    listed = browser.get("/desk/views/open").text
    for words in ("Overdue", "Promise broken", "Back"):
        assert f"{words}</span>" in listed
    page = browser.get(f"/desk/tickets/{broken.id}").text
    assert "the price" in page and "was broken" in page
    assert "is overdue" in browser.get(f"/desk/tickets/{late.id}").text
    assert "came back" in browser.get(f"/desk/tickets/{back.id}").text
    promises = browser.get("/desk/promises?kind=broken").text
    assert "broken" in promises and "the price" in promises and "Jonas Berg" in promises


@pytest.mark.plugins
def test_the_page_of_a_ticket_asks_no_more_than_eight_times_and_once_for_languages(
    make_user: Any, make_ticket: Any, sign_in: Any, count_queries: Any
) -> None:
    agent, ticket = make_user("agent"), make_ticket()
    workflow.set_due(ticket, now() + HOUR, agent)
    workflow.promise_answer(ticket, now() + HOUR, agent)
    browser = sign_in(agent)
    for address, of_plugins in ((f"/desk/tickets/{ticket.id}", 1), ("/desk/promises", 0)):
        browser.get(address)
        with count_queries() as statements:
            browser.get(address)
        assert len([one for one in statements if "multilingual_" in one]) <= of_plugins
        assert len([one for one in statements if "multilingual_" not in one]) <= 8, (address, statements)
