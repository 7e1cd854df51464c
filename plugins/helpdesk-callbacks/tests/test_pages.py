"""The pages of agents and supervisors: booking, the list, the week, the call, rules, numbers, and the desk's places."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from helpdesk_callbacks import links
from helpdesk_callbacks.booking import cancel
from helpdesk_callbacks.call_pages import tel
from helpdesk_callbacks.listing import SIZE
from helpdesk_callbacks.models import (
    BOOKED,
    CANCELLED,
    DONE,
    MISSED,
    Attempt,
    Call,
    FollowUpRule,
    Reason,
    TeamCapacity,
)
from helpdesk_callbacks.outcomes import record_outcome
from helpdesk_callbacks.settings import CallbackSettings

from helpdesk.api import Delivery, MessageDraft, Ticket, User, db, note, now, promise_answer, transaction

ROOM = "/p/callbacks"


def change(row: Any, **values: Any) -> None:
    with transaction():
        for key, value in values.items():
            setattr(row, key, value)


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%MZ")


def asked(statements: list[str]) -> int:
    """How often calls were asked for."""
    return sum("callbacks_call" in one for one in statements)


def calls() -> list[Call]:
    return list(db.session.scalars(db.select(Call).order_by(Call.id)))


@pytest.fixture
def many(ticket: Ticket, agent: User) -> Callable[..., list[Call]]:
    """Calls without more ado: so many, an hour apart from a moment on."""

    def make(count: int, start: datetime, **values: Any) -> list[Call]:
        rows = []
        for number in range(count):
            begin = start + timedelta(hours=number)
            ends = begin + timedelta(minutes=30)
            usual = {"ticket": ticket, "person_id": ticket.requester_id, "agent_id": agent.id, "phone": "+49301",
                     "starts_at": begin, "ends_at": ends, "promised_from": begin, "promised_until": ends}  # fmt: skip
            rows.append(Call(**{**usual, **values}))
        with transaction():
            db.session.add_all(rows)
        return rows

    return make


# ---- booking


def test_an_agent_books_a_call_on_a_ticket(
    sign_in: Any, agent: User, ticket: Ticket, tomorrow: datetime, count_queries: Any, open_hours: Any
) -> None:
    """The form offers free times in the customer's zone; what is wrong comes back with all that was typed."""
    open_hours()
    change(ticket.requester, time_zone="Asia/Tokyo", phone="+81 3 1234 5678")
    with transaction():
        reason = Reason(name="Delivery", questions="Which parcel?\nWhich day?")
        db.session.add(reason)
    browser, address = sign_in(agent), f"{ROOM}/tickets/{ticket.id}/new"
    browser.get(address)
    with count_queries() as statements:
        page = browser.get(address)
    assert page.status_code == 200 and len(statements) <= 12, "\n".join(statements)
    # Who hears the page hears the day of each time.
    assert re.search('role="group" aria-label="[A-Z][a-z]{2}, ', page.text)
    assert 'value="+81 3 1234 5678"' in page.text and '<option value="Asia/Tokyo" selected>' in page.text
    # Noon in UTC is nine in the evening there.
    assert f'value="{stamp(tomorrow)}"' in page.text and "9:00\u202fPM" in page.text

    form = {"who": f"agent:{agent.id}", "phone": "", "start": stamp(tomorrow), "zone": "Asia/Tokyo", "reason": "A & B",
            "reason_id": str(reason.id), "priority": "high"}  # fmt: skip
    change(ticket.requester, phone=None)
    refused = browser.post(address, data=form)
    assert refused.status_code == 422 and "Write the number that is to be called." in refused.text
    assert "A &amp; B" in refused.text and f'value="{stamp(tomorrow)}" checked' in refused.text and calls() == []

    # A button shows other times, keeps what was typed, and books nothing.
    later = browser.post(address, data={**form, "phone": "+49 30 99", "show": str(tomorrow.date() + timedelta(days=9))})
    assert later.status_code == 200 and "+49 30 99" in later.text and "Earlier days" in later.text and calls() == []
    assert "The time that was chosen is not among these days." in later.text

    booked = browser.post(address, data={**form, "phone": "+49 30 99"})
    call = calls()[0]
    assert booked.status_code == 303 and booked.location.endswith(f"/calls/{call.id}")
    assert (call.starts_at, call.zone, call.priority, call.reason_id) == (tomorrow, "Asia/Tokyo", "high", reason.id)
    assert (call.agent_id, call.phone, call.source) == (agent.id, "+49 30 99", "agent")
    # The form that is sent twice promises once; who wants something else is told that the time is gone.
    twice = browser.post(address, data={**form, "phone": "+49  30 99"})
    assert twice.status_code == 303 and twice.location.endswith(f"/calls/{call.id}") and len(calls()) == 1
    taken = browser.post(address, data={**form, "phone": "+49 30 77"})
    assert taken.status_code == 422 and "Somebody else has that time by now." in taken.text and len(calls()) == 1


def test_a_form_that_is_sent_twice_promises_once(
    sign_in: Any, agent: User, ticket: Ticket, anna: User, tomorrow: datetime, make_team: Any, configure: Any
) -> None:
    """Also where the team would have room for another, and where each call opens a ticket."""
    team = make_team("Workshop", members=[agent])
    configure(CallbackSettings, team_capacity=5)
    form = {"who": f"team:{team.id}", "phone": "+49 30 99", "start": stamp(tomorrow), "priority": "normal"}
    for path in (f"tickets/{ticket.id}", f"people/{anna.id}"):
        for _press in range(2):
            assert sign_in(agent).post(f"{ROOM}/{path}/new", data=form).status_code == 303
    assert len(calls()) == 1
    sign_in(agent).post(f"{ROOM}/tickets/{ticket.id}/new", data={**form, "reason": "Something else"})
    assert len(calls()) == 2


def test_enter_does_what_the_form_is_for(
    sign_in: Any, client: Any, agent: User, ticket: Ticket, promise: Callable[..., Call]
) -> None:
    """The first button of a form is the one that Enter presses: it must not be one that only shows other times."""
    call, link = promise(), links.customer_url(ticket, ticket.requester).removeprefix("http://desk.example")
    pages = [sign_in(agent).get(f"{ROOM}/{path}") for path in (f"tickets/{ticket.id}/new", f"calls/{call.id}/move")]
    pages.append(client.get(f"{link}/{call.id}"))
    cancel(call, agent)
    for page in (*pages, client.get(link)):
        form = next(part for part in page.text.split("<form")[1:] if 'name="show"' in part)
        first = re.search("<button[^>]*>", form)
        assert first is not None and 'name="show"' not in first[0]


@pytest.mark.parametrize(
    ("phone", "dialled"),
    [("+49 (0)30 901820", "tel:+4930901820"), ("(030) 90 18-20", "tel:030901820"), ("no number", ""), ("7", "")],
)
def test_a_number_as_it_is_dialled(phone: str, dialled: str) -> None:
    assert tel(phone) == dialled


def test_a_zone_that_is_not_offered_stays(
    sign_in: Any, agent: User, ticket: Ticket, tomorrow: datetime, anna: User
) -> None:
    """The times shown and the zone that is chosen are the same, whatever a person's zone is called."""
    change(anna, time_zone="Etc/GMT+5")
    page = sign_in(agent).get(f"{ROOM}/tickets/{ticket.id}/new")
    assert '<option value="Etc/GMT+5" selected>' in page.text


def test_a_time_is_typed_and_what_clocks_do_is_said(
    sign_in: Any, agent: User, ticket: Ticket, travel: Any, open_hours: Any
) -> None:
    """An hour that never comes, one that comes twice, a zone that is not there, the past, and outside the hours."""
    travel(datetime(2026, 10, 20, 9, tzinfo=ZoneInfo("UTC")))
    open_hours(week={str(day): [["00:00", "24:00"]] for day in range(7)})
    browser, address = sign_in(agent), f"{ROOM}/tickets/{ticket.id}/new"
    form = {"who": f"agent:{agent.id}", "phone": "+49 30 99", "start": "other", "zone": "Europe/Berlin"}

    def said(day: str, clock: str, **more: str) -> str:
        answer = browser.post(address, data={**form, "day": day, "time": clock, **more})
        assert answer.status_code == 422 and f'value="{day}"' in answer.text, answer.text
        return str(answer.text)

    assert "so 02:30 never comes" in said("2027-03-28", "02:30")
    twice = said("2026-10-25", "02:30")
    assert "02:30 comes twice" in twice and 'name="fold" value="0"' in twice and "12:30\u202fAM UTC" in twice
    assert "This time has passed." in said("2026-10-19", "10:00")
    assert "There is no time zone “Mars/Base”." in said("2026-10-21", "10:00", zone="Mars/Base")
    assert "Write a day and a time" in said("2026-10-21", "half past")
    assert "Choose one of the times, or write a day and a time." in said("", "")
    assert "Choose one of the times." in said("2026-10-21", "10:00", start="soon")
    second = browser.post(address, data={**form, "day": "2026-10-25", "time": "02:30", "fold": "1"})
    assert second.status_code == 303 and calls()[0].starts_at == datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("UTC"))


def test_outside_the_hours_only_on_purpose(
    sign_in: Any, agent: User, ticket: Ticket, tomorrow: datetime, open_hours: Any
) -> None:
    open_hours()
    browser, address = sign_in(agent), f"{ROOM}/tickets/{ticket.id}/new"
    day, form = (
        str(tomorrow.date()),
        {"who": f"agent:{agent.id}", "phone": "+49 30 99", "start": "other", "zone": "UTC"},
    )
    night = {**form, "day": day, "time": "22:00"}
    assert "Nobody works at that time." in browser.post(address, data=night).text
    assert browser.post(address, data={**night, "anyway": "1"}).status_code == 303
    assert calls()[0].anyway and calls()[0].starts_at.hour == 22


def test_a_call_to_a_person_opens_a_ticket(sign_in: Any, agent: User, anna: User, tomorrow: datetime) -> None:
    browser, address = sign_in(agent), f"{ROOM}/people/{anna.id}/new"
    assert "A ticket is opened for it." in browser.get(address).text
    form = {
        "who": f"agent:{agent.id}",
        "phone": "+49 30 99",
        "start": stamp(tomorrow),
        "zone": "UTC",
        "reason": "Offer",
    }
    assert browser.post(address, data=form).status_code == 303
    call = calls()[0]
    assert (call.ticket.requester_id, call.reason) == (anna.id, "Offer")
    assert browser.get(f"{ROOM}/people/950017/new").status_code == 404
    panel = browser.get(f"/desk/people/{anna.id}")
    assert f"{ROOM}/calls/{call.id}" in panel.text, "user_panels"


# ---- the call


def test_the_page_of_a_call_has_what_the_agent_needs(
    sign_in: Any, agent: User, ticket: Ticket, promise: Callable[..., Call], count_queries: Any
) -> None:
    """The number dials; questions, last messages and what else was promised stand there (register_blueprints)."""
    with transaction():
        reason = Reason(name="Delivery", questions="Which parcel?\n\nWhich day?")
        db.session.add(reason)
    call = promise(reason_id=reason.id, zone="Asia/Tokyo")
    note(ticket, MessageDraft("The courier <b>lost</b> it."), agent)
    promise_answer(ticket, now() + timedelta(hours=3), agent)
    other = promise(start=call.starts_at + timedelta(days=1))
    browser, address = sign_in(agent), f"{ROOM}/calls/{call.id}"
    browser.get(address)
    with count_queries() as statements:
        page = browser.get(address)
    assert len(statements) <= 10, "\n".join(statements)
    assert 'href="tel:+49301234567"' in page.text
    for words in ("Which parcel?", "Which day?", "The courier &lt;b&gt;lost&lt;/b&gt; it.", "Internal note",
                  "An answer by", f"{ROOM}/calls/{other.id}", "Anna Berg", "in Asia/Tokyo", "Delivery"):  # fmt: skip
        assert words in page.text, words
    assert "Where is my order?" in page.text
    assert sign_in(ticket.requester).get(address).status_code == 403


def test_no_answer_books_the_next_try_and_reached_ends_it(
    sign_in: Any, agent: User, promise: Callable[..., Call], travel: Any
) -> None:
    call = promise()
    browser, address = sign_in(agent), f"{ROOM}/calls/{call.id}"
    travel(call.starts_at + timedelta(minutes=5))
    wrong = browser.post(f"{address}/done", data={"note": "I rang.", "outcome": "nonsense", "version": call.version})
    assert wrong.status_code == 422 and "I rang." in wrong.text
    first = browser.post(
        f"{address}/done", data={"outcome": "no_answer", "note": "Rang long.", "version": call.version}
    )
    assert first.status_code == 303
    page = browser.get(address)
    assert "Rang long." in page.text and "Try 2 comes" in page.text and "The next try comes" in page.text
    db.session.refresh(call)
    assert (call.state, call.tries) == (BOOKED, 1) and call.starts_at > now()
    day = call.starts_at.date() + timedelta(days=2)
    chosen = {"outcome": "busy", "note": "", "version": call.version, "day": str(day), "time": "10:00"}
    assert browser.post(f"{address}/done", data={**chosen, "time": "late"}).status_code == 422
    assert browser.post(f"{address}/done", data=chosen).status_code == 303
    db.session.refresh(call)
    assert (call.starts_at.date(), call.starts_at.hour, call.tries) == (day, 10, 2)
    last = {"outcome": "reached", "note": "All well.", "next_step": "Send the part", "version": call.version}
    assert browser.post(f"{address}/done", data=last).status_code == 303
    page = browser.get(address)
    assert "Send the part" in page.text and "Save the outcome" not in page.text and call.state == DONE
    assert [one.outcome for one in db.session.scalars(db.select(Attempt).order_by(Attempt.number))] == [
        "no_answer", "busy", "reached"]  # fmt: skip


def test_the_second_of_two_agents_is_told_and_keeps_the_note(
    sign_in: Any, agent: User, make_user: Any, promise: Callable[..., Call]
) -> None:
    """Both have the page open; whoever is second sees what happened, with their words still there."""
    call, other = promise(), make_user("agent", name="Mia Stern")
    before = call.version
    record_outcome(call, "reached", "It is settled.", other)
    late = {"outcome": "no_answer", "note": "My long note.", "next_step": "Ring again", "version": before}
    answer = sign_in(agent).post(f"{ROOM}/calls/{call.id}/done", data=late)
    assert answer.status_code == 409
    assert "already" in answer.text and "My long note." in answer.text and "Ring again" in answer.text
    assert "It was not saved." in answer.text and "It is settled." in answer.text
    assert len(list(db.session.scalars(db.select(Attempt)))) == 1


def test_a_call_is_moved_handed_over_and_cancelled(
    sign_in: Any, agent: User, make_user: Any, make_team: Any, promise: Callable[..., Call]
) -> None:
    call, mia = promise(), make_user("agent", name="Mia Stern")
    team = make_team("Workshop", members=[mia])
    browser, address = sign_in(agent), f"{ROOM}/calls/{call.id}"
    version, at = call.version, call.starts_at + timedelta(hours=2)
    page = browser.get(f"{address}/move").text
    assert f'value="{stamp(call.starts_at)}"' in page, "its own time counts as free"
    assert browser.post(f"{address}/move", data={"show": str(at.date()), "version": version}).status_code == 200
    assert browser.post(f"{address}/move", data={"start": "", "version": version}).status_code == 422
    assert browser.post(f"{address}/move", data={"start": stamp(at), "version": version}).status_code == 303
    db.session.refresh(call)
    assert call.starts_at == at
    stale = browser.post(f"{address}/move", data={"start": stamp(at + timedelta(hours=1)), "version": version})
    assert stale.status_code == 409 and "changed this call a moment ago" in stale.text

    assert browser.post(f"{address}/hand-over", data={"who": ""}).status_code == 422
    assert browser.post(f"{address}/hand-over", data={"who": f"agent:{mia.id}"}).status_code == 303
    db.session.refresh(call)
    assert call.agent_id == mia.id
    assert browser.post(f"{address}/hand-over", data={"who": f"team:{team.id}"}).status_code == 303
    db.session.refresh(call)
    assert (call.agent_id, call.team_id) == (None, team.id)

    assert "The promise is taken back" in browser.get(f"{address}/cancel").text
    assert browser.post(f"{address}/cancel", data={"why": "x", "version": version}).status_code == 409
    assert browser.post(f"{address}/cancel", data={"why": "Settled.", "version": call.version}).status_code == 303
    db.session.refresh(call)
    assert call.state == CANCELLED
    # There is nothing to change any more.
    for path in ("move", "cancel"):
        assert browser.get(f"{address}/{path}").status_code == 303
    assert browser.post(f"{address}/hand-over", data={"who": f"agent:{mia.id}"}).status_code == 303
    for path in ("", "/move", "/cancel"):
        assert browser.get(f"{ROOM}/calls/950017{path}").status_code == 404


def test_the_composer_offers_times_and_the_link(sign_in: Any, agent: User, ticket: Ticket, configure: Any) -> None:
    """composer_tools: each can be put into the reply by a press."""
    page = sign_in(agent).get(f"{ROOM}/tickets/{ticket.id}/offer")
    assert page.status_code == 200 and "data-insert=" in page.text and "/p/callbacks/c/" in page.text
    assert len(re.findall("data-insert=", page.text)) > 3
    # The customer reads what is inserted, and a link that chooses nothing is not offered.
    change(ticket.requester, locale="zh_Hans")
    page = sign_in(agent).get(f"{ROOM}/tickets/{ticket.id}/offer").text
    assert "Press one" in page and 'data-insert="Choose a time' not in page and re.search('data-insert="[^"]*周', page)
    configure(CallbackSettings, customers_book=False)
    page = sign_in(agent).get(f"{ROOM}/tickets/{ticket.id}/offer").text
    assert "/p/callbacks/c/" not in page and "data-insert=" in page


# ---- list and week


def test_a_mail_that_asks_is_no_call_to_make(
    sign_in: Any, agent: User, many: Callable[..., list[Call]], place: Any
) -> None:
    """Workers send it: it is not due, not late and not in the week, and its page has nothing to dial."""
    mail = many(1, now() - timedelta(hours=2), kind="mail", source="rule", agent_id=None)[0]
    browser, line = sign_in(agent), f'href="{ROOM}/calls/{mail.id}"'
    for query in ("", "?show=overdue", "?who=all", "week?who=all", "?who=all&show=every"):
        assert line not in browser.get(f"{ROOM}/{query}").text, query
    assert "is late" not in place("dashboard_widgets", agent)[0].html
    page = browser.get(f"{ROOM}/calls/{mail.id}").text
    assert "Mail that asks" in page and 'name="outcome"' not in page and "Cancel the call" in page
    change(mail, state=DONE, outcome="written")
    assert line in browser.get(f"{ROOM}/?who=all&show=done").text


def test_what_is_said_of_a_call_that_a_rule_made(
    sign_in: Any, agent: User, many: Callable[..., list[Call]], tomorrow: datetime
) -> None:
    """The customer gets no mail of it, and no page says that they do."""
    call = many(1, tomorrow, source="rule", kind="call")[0]
    browser, address = sign_in(agent), f"{ROOM}/calls/{call.id}"
    for path in ("move", "cancel"):
        page = browser.get(f"{address}/{path}").text
        assert "the customer gets no mail" in page and "gets a mail" not in page
    form = {"start": stamp(tomorrow + timedelta(hours=1)), "version": call.version}
    moved = browser.post(f"{address}/move", data=form, follow_redirects=True).text
    assert "The call is now on" in moved and "told by mail" not in moved
    db.session.refresh(call)
    gone = browser.post(f"{address}/cancel", data={"version": call.version}, follow_redirects=True).text
    assert "The call is cancelled." in gone and "told by mail" not in gone
    assert db.session.scalar(db.select(Delivery.id).where(Delivery.user_id == call.person_id)) is None


def test_the_list_shows_what_is_late_first_page_by_page(
    sign_in: Any, agent: User, make_user: Any, many: Callable[..., list[Call]], count_queries: Any
) -> None:
    """Filter, keyset, and as many queries for many as for few (nav_items, dashboard_widgets)."""
    start = now().replace(minute=0, second=0, microsecond=0)
    future = many(SIZE + 5, start + timedelta(hours=2))
    late = many(2, start - timedelta(days=3), state=MISSED)
    theirs = many(1, start, agent_id=make_user("agent").id)
    browser = sign_in(agent)

    def listed(query: str = "") -> list[int]:
        return [int(found) for found in re.findall(rf'href="{ROOM}/calls/(\d+)"', browser.get(f"{ROOM}/{query}").text)]

    first = listed()
    assert first[:2] == [call.id for call in late] and len(first) == SIZE
    after = re.search(r"after=([0-9-]+)", browser.get(f"{ROOM}/").text)
    assert after is not None
    rest = listed(f"?after={after[1]}")
    assert first + rest == [call.id for call in (*late, *future)]
    assert listed("?show=overdue") == [call.id for call in late]
    assert theirs[0].id in listed("?who=all&show=open") and theirs[0].id not in first
    assert listed("?show=nonsense&who=nobody&after=x-y&first=then") == first
    assert listed("?who=all&show=done") == []
    with count_queries() as statements:
        browser.get(f"{ROOM}/?who=all")
    assert len(statements) <= 12, "\n".join(statements)
    assert f'href="{ROOM}/"' in browser.get("/desk/views/all").text, "nav_items"


def test_the_places_of_the_desk_show_calls(
    place: Any, agent: User, ticket: Ticket, promise: Callable[..., Call], many: Any, count_queries: Any
) -> None:
    """ticket_panels, user_panels, dashboard_widgets, ticket_actions, composer_tools, nav_items."""
    call = promise()
    late = many(1, now() - timedelta(hours=4), state=MISSED)[0]
    with count_queries() as statements:
        panel = place("ticket_panels", ticket, agent)[0]
    assert asked(statements) == 1 and f"/calls/{call.id}" in panel.html and f"/tickets/{ticket.id}/new" in panel.html
    soon = many(1, now() + timedelta(hours=1))[0]
    # The next one is on top, and is not pushed out by later ones.
    many(6, now() + timedelta(days=9))
    for html in (place("ticket_panels", ticket, agent)[0].html, place("user_panels", ticket.requester, agent)[0].html):
        assert [int(found) for found in re.findall(r"/calls/(\d+)", html)][:2] == [late.id, soon.id]
    with count_queries() as statements:
        widget = place("dashboard_widgets", agent)[0]
    assert asked(statements) == 1 and "1 call is late" in widget.html and f"/calls/{late.id}" in widget.html
    assert place("ticket_actions", ticket, agent)[0].url.endswith(f"/tickets/{ticket.id}/new")
    assert place("composer_tools", ticket, agent)[0].url.endswith("/offer")
    assert place("nav_items", agent)[0].url == f"{ROOM}/"
    assert place("dashboard_widgets", ticket.requester) == [], "not for customers"


def test_the_week_is_a_calendar(
    sign_in: Any, agent: User, many: Callable[..., list[Call]], count_queries: Any, make_user: Any
) -> None:
    """One query for the calls; each stands in its day and hour; what is cancelled does not."""
    monday = now().date() - timedelta(days=now().weekday())
    begin = datetime(monday.year, monday.month, monday.day, 9, tzinfo=ZoneInfo("UTC"))
    here = many(3, begin)
    night = many(1, begin.replace(hour=23) + timedelta(days=6))
    gone = many(1, begin, state=CANCELLED)
    elsewhere = many(1, begin + timedelta(days=7))
    crowd = many(9, begin + timedelta(days=2), starts_at=begin + timedelta(days=2))
    theirs = many(1, begin, agent_id=make_user("agent").id)
    browser, address = sign_in(agent), f"{ROOM}/week?day={monday + timedelta(days=3)}"
    browser.get(address)
    with count_queries() as statements:
        page = browser.get(address).text
    assert asked(statements) == 1 and len(statements) <= 12
    shown = {int(found) for found in re.findall(rf"{ROOM}/calls/(\d+)", page)}
    assert {call.id for call in (*here, *night)} <= shown
    assert not shown & {call.id for call in (*gone, *elsewhere, *theirs)}
    assert len(shown & {call.id for call in crowd}) == 4 and "5 more" in page
    assert 'class="week hours-16"' in page, "from eight to the call at eleven in the evening"
    assert "13 calls" in page and f"day={monday - timedelta(days=7)}" in page
    more = re.search(rf'href="({ROOM}/\?[^"]+)">5 more', page)
    assert more is not None
    listed = re.findall(rf'href="{ROOM}/calls/(\d+)"', browser.get(more[1].replace("&amp;", "&")).text)
    assert {int(number) for number in listed} == {call.id for call in crowd}
    everybody = browser.get(f"{address}&who=all").text
    assert f"/calls/{theirs[0].id}" in everybody
    one = browser.get(f"{address}&who=all&maker=agent:{theirs[0].agent_id}").text
    assert f'/calls/{theirs[0].id}"' in one and f'/calls/{here[0].id}"' not in one
    for day in ("0001-01-01", "9999-12-31", "soon"):
        assert browser.get(f"{ROOM}/week?day={day}").status_code == 200


# ---- numbers


def test_every_number_opens_its_calls(
    sign_in: Any, as_supervisor: Any, agent: User, make_user: Any, make_team: Any, many: Callable[..., list[Call]],
    count_queries: Any,
) -> None:  # fmt: skip
    """Kept on time, reached at which try; by agent, team and reason: as many as the list behind it has."""
    mia, team, start = make_user("agent", name="Mia"), make_team("Workshop"), now() - timedelta(days=2)
    with transaction():
        reason = Reason(name="Delivery")
        db.session.add(reason)
    many(3, start, state=DONE, outcome="reached", tries=1, kept=True, reason_id=reason.id)
    many(2, start, state=DONE, outcome="reached", tries=2, kept=False, team_id=team.id)
    many(1, start, state=DONE, outcome="reached", tries=4, kept=True, agent_id=mia.id)
    many(1, start, state=DONE, outcome="refused", tries=1, kept=True, agent_id=None)
    many(1, start, state=MISSED, kept=False)
    many(1, start, state=BOOKED)
    many(1, start, state=CANCELLED)
    many(1, start, state=DONE, kind="mail", outcome="written")
    many(1, start - timedelta(days=60), state=DONE, outcome="reached", tries=1, kept=True)
    with count_queries() as statements:
        page = as_supervisor.get(f"{ROOM}/numbers")
    assert page.status_code == 200 and len(statements) <= 14, "\n".join(statements)
    links = re.findall(r'<td class="r"><a href="([^"]+)">(\d+)</a>', page.text)
    links += re.findall(
        r'<a class="number" href="([^"]+)"><span class="lab">[^<]*</span><span class="fig">(\d+)<', page.text
    )
    assert len(links) == 8 * 8
    for address, words in links:
        listed = as_supervisor.get(address.replace("&amp;", "&")).text
        assert len(set(re.findall(rf'href="{ROOM}/calls/(\d+)"', listed))) == int(words), address
    narrowed = as_supervisor.get(f"{ROOM}/?who=all&show=every&agent={mia.id}&team={team.id}&reason={reason.id}").text
    for chip in ("<bdi>Mia</bdi>", "<bdi>Workshop</bdi>", "<bdi>Delivery</bdi>"):
        assert f'class="chip">{chip}' in narrowed, "whose calls, and about what"
    totals = [int(words) for _address, words in links[-8:]]
    assert totals == [9, 5, 3, 1, 3, 2, 1, 1]
    assert "62.5%" in page.text or "63%" in page.text or "62%" in page.text
    assert sign_in(agent).get(f"{ROOM}/numbers").status_code == 403
    for query, sentence in (
        ("first=2026-03-02&last=2026-03-01", "The last day is before the first"),
        ("first=2020-01-01&last=2026-01-01", "These are too many days"),
        ("first=yesterday", "These days cannot be read"),
    ):
        answer = as_supervisor.get(f"{ROOM}/numbers?{query}")
        assert answer.status_code == 422 and sentence in answer.text


# ---- rules, reasons, teams


def test_rules_are_made_changed_switched_and_deleted(
    as_supervisor: Any, as_admin: Any, sign_in: Any, agent: User, make_team: Any, travel: Any
) -> None:
    """register_permissions, register_acts, admin_rooms: supervisors and administrators, and the record says it."""
    team = make_team("Workshop")
    room = f"{ROOM}/rules"
    assert sign_in(agent).get(room).status_code == 403
    assert "No follow-ups yet" in as_supervisor.get(room).text
    form = {"name": "After repairs", "kind": "call", "days": "3", "team_id": str(team.id), "type_id": "",
            "reason_id": "", "tag": "Repair", "priority": "high", "words": "How does it run?"}  # fmt: skip
    for field, value, sentence in (
        ("name", "", "Fill this in."),
        ("name", "x" * 101, "This is too long; 100 characters fit."),
        ("days", "soon", "Enter a number from 0 to 365."),
        ("days", "400", "Enter a number from 0 to 365."),
        ("team_id", "950017", "Choose one of the list."),
        ("priority", "highest", "Choose one of the list."),
        ("kind", "visit", "Choose one of the list."),
    ):
        answer = as_supervisor.post(f"{room}/new", data={**form, field: value})
        assert answer.status_code == 422 and sentence in answer.text and "How does it run?" in answer.text, field
        assert field != "days" or f'value="{value}"' in answer.text, "what was typed"
    assert as_supervisor.post(f"{room}/new", data=form).status_code == 303
    rule = db.session.scalars(db.select(FollowUpRule)).one()
    assert (rule.team_id, rule.tag, rule.priority, rule.days, rule.active) == (team.id, "repair", "high", 3, True)
    assert "There is a rule with this name already" in as_supervisor.post(f"{room}/new", data=form).text
    assert "Workshop" in as_supervisor.get(room).text
    since, number = rule.since, rule.id
    travel(days=1)
    as_supervisor.post(f"{room}/{rule.id}/off")
    db.session.refresh(rule)
    assert not rule.active and rule.since == since
    as_supervisor.post(f"{room}/{rule.id}", data={**form, "active": "1", "kind": "mail"})
    db.session.refresh(rule)
    assert rule.active and rule.kind == "mail" and rule.since > since, "it counts from when it is on again"
    assert "How does it run?" in as_supervisor.get(f"{room}/{rule.id}").text
    assert as_supervisor.post(f"{room}/{rule.id}", data={**form, "days": "-1"}).status_code == 422
    # A team that is off stays in its rule: saving it must not make it a rule for everybody.
    change(rule, tag="", priority="")
    change(team, active=False)
    assert f'value="{team.id}" selected' in as_supervisor.get(f"{room}/{rule.id}").text
    listed = as_supervisor.get(room).text
    assert "one team" in listed and "every ticket" not in listed
    assert "Delete the rule “After repairs”?" in as_supervisor.get(f"{room}/{rule.id}/delete").text
    assert as_supervisor.post(f"{room}/{rule.id}/delete").status_code == 303
    assert db.session.scalar(db.select(FollowUpRule.id)) is None
    assert as_supervisor.get(f"{room}/{number}").status_code == 404
    record = as_admin.get("/admin/audit").text
    for words in ("Follow-up rule added", "Follow-up rule changed", "Follow-up rule deleted"):
        assert words in record
    assert f'href="{room}"' in as_admin.get("/admin/").text, "admin_rooms"


def test_reasons_and_how_many_calls_a_team_takes(as_supervisor: Any, make_team: Any) -> None:
    room, team = f"{ROOM}/rules", make_team("Workshop")
    for name in ("Delivery", "Offer"):
        assert as_supervisor.post(f"{ROOM}/reasons", data={"name": name, "questions": "One?\nTwo?"}).status_code == 303
    first, second = db.session.scalars(db.select(Reason).order_by(Reason.id)).all()
    twice = as_supervisor.post(f"{ROOM}/reasons", data={"name": "Offer", "questions": "Kept?"})
    assert (
        twice.status_code == 422 and "There is a reason with this name already" in twice.text and "Kept?" in twice.text
    )
    assert "2 questions" in as_supervisor.get(room).text
    as_supervisor.post(f"{ROOM}/reasons/{second.id}/up")
    assert list(db.session.scalars(db.select(Reason.name).order_by(Reason.position))) == ["Offer", "Delivery"]
    as_supervisor.post(f"{ROOM}/reasons/{first.id}", data={"name": "Parcel", "questions": ""})
    db.session.refresh(first)
    assert (first.name, first.questions, first.active) == ("Parcel", "", False)
    clash = as_supervisor.post(f"{ROOM}/reasons/{first.id}", data={"name": "Offer", "questions": "", "active": "1"})
    assert clash.status_code == 422 and "Not offered" in clash.text
    assert as_supervisor.post(f"{ROOM}/reasons/950017", data={"name": "x"}).status_code == 404

    capacity = f"{ROOM}/teams/{team.id}/capacity"
    for text, code in (("7", 303), ("9", 303), ("many", 422), ("0", 422)):
        assert as_supervisor.post(capacity, data={"most": text}).status_code == code
    assert db.session.get_one(TeamCapacity, team.id).most == 9
    as_supervisor.post(capacity, data={"most": ""})
    assert db.session.get(TeamCapacity, team.id) is None
    assert as_supervisor.post(f"{ROOM}/teams/950017/capacity", data={"most": "1"}).status_code == 404


def test_a_private_ticket_keeps_its_calls(
    sign_in: Any, agent: User, make_user: Any, make_team: Any, make_ticket: Any, many: Callable[..., list[Call]]
) -> None:
    """Not in lists, weeks and numbers, nor by their address, for whoever may not see the ticket."""
    inside = make_user("agent")
    team = make_team("Vault", members=[inside])
    change(team, private=True)
    secret = make_ticket("Zinnober", team=team)
    call = many(1, now() + timedelta(hours=1), ticket=secret, person_id=secret.requester_id, agent_id=None)[0]
    for browser, sees in ((sign_in(agent), False), (sign_in(inside), True)):
        for page in (f"{ROOM}/?who=all", f"{ROOM}/week?who=all&day={call.starts_at.date()}"):
            assert (f"/calls/{call.id}" in browser.get(page).text) is sees
        assert browser.get(f"{ROOM}/calls/{call.id}").status_code == (200 if sees else 404)
        assert browser.post(f"{ROOM}/calls/{call.id}/done", data={"outcome": "reached"}).status_code == (
            303 if sees else 404)  # fmt: skip


def test_what_the_record_of_a_ticket_says_of_calls(
    sign_in: Any, agent: User, ticket: Ticket, promise: Callable[..., Call], configure: Any
) -> None:
    configure(CallbackSettings, retries="-")
    call = promise()
    cancel(call, agent, "Settled by mail.")
    page = sign_in(agent).get(f"/desk/tickets/{ticket.id}").text
    assert "Promised a call" in page and "Settled by mail." in page
