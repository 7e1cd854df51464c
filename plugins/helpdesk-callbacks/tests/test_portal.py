"""What customers do by their link, without an account and without a script, and what they are told by mail."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from helpdesk_callbacks import links, mails, words
from helpdesk_callbacks.invitations import invitation
from helpdesk_callbacks.models import CANCELLED, DONE, MISSED, Attempt, Call, FollowUpRule, Reason
from helpdesk_callbacks.outcomes import record_outcome
from helpdesk_callbacks.settings import CallbackSettings
from icalendar import Calendar

from helpdesk.api import Delivery, Ticket, User, db, follow_url, link_token, now, transaction


@pytest.fixture
def link(ticket: Ticket) -> str:
    """The path of the customer's link."""
    return links.customer_url(ticket, ticket.requester).removeprefix("http://desk.example")


def starts(page: str) -> list[str]:
    """The times that a page offers."""
    return re.findall(r'name="start" value="([0-9TZ:-]+)"', page)


def mails_to(user: User) -> list[dict[str, Any]]:
    rows = db.session.scalars(db.select(Delivery).where(Delivery.user_id == user.id).order_by(Delivery.id))
    return [row.data for row in rows if row.data.get("subject")]


def only_call() -> Call:
    return db.session.scalars(db.select(Call)).one()


def change(row: Any, **values: Any) -> None:
    with transaction():
        for key, value in values.items():
            setattr(row, key, value)


def test_a_customer_books_moves_and_cancels(
    client: Any, link: str, ticket: Ticket, open_hours: Callable[..., int], anna: User, count_queries: Any
) -> None:
    """Free slots by day in their zone, without an account; each step is told by mail and stands in the history."""
    open_hours(week={str(day): [["06:00", "22:00"]] for day in range(7)})
    with transaction():
        reason = Reason(name="Delivery")
        db.session.add(reason)
    client.get(link)
    with count_queries() as statements:
        page = client.get(f"{link}?zone=Asia/Kolkata")
    assert page.status_code == 200 and len(statements) <= 8, "\n".join(statements)
    assert '<option value="Asia/Kolkata" selected>' in page.text and "data-guess-zone" not in page.text
    assert "data-guess-zone" in client.get(link).text, "nobody knows it yet: a script may, once"
    later = client.post(
        link, data={"show": str(now().date() + timedelta(days=2)), "zone": "Asia/Kolkata", "phone": "+91"}
    )
    free = starts(later.text)
    assert 'value="+91"' in later.text and len(free) > 20
    form = {"start": free[3], "zone": "Asia/Kolkata", "phone": "", "reason": "<b>Bell</b>", "reason_id": str(reason.id)}
    refused = client.post(link, data=form)
    assert refused.status_code == 422 and "Write the number that is to be called." in refused.text
    assert "&lt;b&gt;Bell&lt;/b&gt;" in refused.text
    booked = client.post(link, data={**form, "phone": "+91 22 1234"}, follow_redirects=True)
    call = only_call()
    assert (call.source, call.zone, call.person_id, call.reason_id) == ("customer", "Asia/Kolkata", anna.id, reason.id)
    assert call.starts_at == datetime.strptime(free[3], "%Y-%m-%dT%H:%M%z")
    assert "Your call is booked. We have sent you a mail." in booked.text and "+91 22 1234" in booked.text

    # The button was pressed twice: it is the same call, and nothing is wrong.
    twice = client.post(link, data={**form, "phone": "+91 22 1234"})
    assert twice.status_code == 303 and twice.location.endswith(f"/{call.id}") and only_call().id == call.id

    # One at a time; the page leads to it.
    again = client.get(link).text
    assert f"{link}/{call.id}" in again and starts(again) == []
    second = client.post(link, data={**form, "start": free[7], "phone": "+91 22 1234"})
    assert second.status_code == 422 and "We have promised you a call already." in second.text

    moved = client.post(
        f"{link}/{call.id}/move", data={"start": free[9], "version": call.version, "zone": "Asia/Tokyo"}
    )
    assert moved.status_code == 303
    db.session.refresh(call)
    assert call.starts_at == datetime.strptime(free[9], "%Y-%m-%dT%H:%M%z")
    assert call.zone == "Asia/Tokyo", "in which it was chosen"
    stale = client.post(f"{link}/{call.id}/move", data={"start": free[11], "version": "1", "zone": call.zone})
    assert stale.status_code == 409 and "This call was changed meanwhile." in stale.text
    assert client.post(f"{link}/{call.id}/move", data={"version": call.version}).status_code == 422
    shown = client.post(f"{link}/{call.id}/move", data={"show": free[20][:10], "zone": "Europe/Berlin"})
    assert shown.status_code == 200 and '<option value="Europe/Berlin" selected>' in shown.text

    gone = client.post(f"{link}/{call.id}/cancel", data={"version": call.version}, follow_redirects=True)
    db.session.refresh(call)
    assert call.state == CANCELLED and "Your call is cancelled." in gone.text and starts(gone.text)
    assert "This call is cancelled" in client.get(f"{link}/{call.id}").text
    subjects = [data["subject"] for data in mails_to(anna)]
    assert [subject.split(" on ")[0] for subject in subjects] == ["We will call you", "Your call is now", "Your call"]


def test_a_customer_gets_only_what_is_offered(
    client: Any, link: str, open_hours: Callable[..., int], configure: Any, ticket: Ticket
) -> None:
    """Not soon, not far ahead, not at night, not a time that is gone, and nothing when the owner wants none."""
    open_hours()
    configure(CallbackSettings, notice_minutes=120, horizon_days=3)
    form = {"phone": "+49 30 99", "zone": "UTC"}
    tomorrow = (now() + timedelta(days=1)).replace(minute=0, second=0, microsecond=0)
    for start, sentence in (
        (now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=2), "too soon"),
        (tomorrow.replace(hour=10) + timedelta(days=9), "too far away"),
        (tomorrow.replace(hour=3), "This time is no longer free."),
        (tomorrow - timedelta(days=3), "This time has passed."),
    ):
        answer = client.post(link, data={**form, "start": start.strftime("%Y-%m-%dT%H:%MZ")})
        assert answer.status_code == 422 and sentence in answer.text, sentence
    for start in ("", "other", "soon"):
        answer = client.post(link, data={**form, "start": start, "day": "2030-01-01", "time": "10:00"})
        assert answer.status_code == 422 and "Choose one of the times." in answer.text
    # As far as the horizon, and no button beyond it.
    page = client.get(link).text
    days = {start[:10] for start in starts(page)}
    assert max(days) <= str(now().date() + timedelta(days=3)) and "Later days" not in page
    assert starts(client.get(f"{link}?from=2190-01-01").text) == [
        start for start in starts(page) if start[:10] == str(now().date() + timedelta(days=3))]  # fmt: skip
    assert client.get(f"{link}?zone=Mars/Base&from=then").status_code == 200
    unknown = {**form, "start": tomorrow.strftime("%Y-%m-%dT10:00Z"), "zone": "Mars/Base"}
    assert "There is no time zone “Mars/Base”." in client.post(link, data=unknown).text
    configure(CallbackSettings, customers_book=False)
    page = client.get(link).text
    assert "Calls cannot be booked here at the moment" in page and starts(page) == []
    assert client.post(link, data={**form, "start": tomorrow.strftime("%Y-%m-%dT10:00Z")}).status_code == 422
    assert db.session.scalar(db.select(Call.id)) is None


def test_only_the_link_opens_it(
    client: Any, link: str, ticket: Ticket, make_ticket: Any, make_user: Any, promise: Callable[..., Call]
) -> None:
    """Forged, for another purpose, of another person or ticket: not there, for calls as well."""
    call, other = promise(), make_ticket("Another")
    head, _dash, seal = link.rpartition("-")
    follow = follow_url(ticket, ticket.requester).rpartition("/")[2]
    foreign = links.customer_url(other, other.requester).removeprefix("http://desk.example")
    friend = links.customer_url(ticket, make_user()).removeprefix("http://desk.example")
    for wrong in (f"{head}-{seal[::-1]}", f"/p/callbacks/c/{follow}", f"{foreign.rpartition('-')[0]}-{seal}"):
        for path in ("", f"/{call.id}", f"/{call.id}/call.ics"):
            assert client.get(f"{wrong}{path}").status_code == 404
        for path in ("", f"/{call.id}/move", f"/{call.id}/cancel"):
            assert client.post(f"{wrong}{path}", data={"version": "1"}).status_code == 404
    for bearer in (foreign, friend):
        assert client.get(bearer).status_code == 200 and str(call.phone) not in client.get(bearer).text
        assert client.get(f"{bearer}/{call.id}").status_code == 404
        assert client.post(f"{bearer}/{call.id}/cancel").status_code == 404
    assert client.get(f"{link}/{call.id}").status_code == 200 and client.get(f"{link}/950017").status_code == 404
    assert client.get(link.upper().replace("/P/CALLBACKS/C/", "/p/callbacks/c/")).status_code == 200
    change(ticket, access_key="f" * 32)
    assert client.get(link).status_code == 404
    with pytest.raises(ValueError, match="begins with its name"):
        link_token("customer", ticket, ticket.requester)


def test_a_merged_ticket_leads_to_where_it_goes_on(
    client: Any, link: str, ticket: Ticket, make_ticket: Any, promise: Callable[..., Call]
) -> None:
    """The old link shows the call of the ticket that took this one in."""
    target = make_ticket("Together", requester=ticket.requester)
    call = promise(ticket=target)
    change(ticket, merged_into_id=target.id)
    assert f"{link}/{call.id}" in client.get(link).text
    assert client.get(f"{link}/{call.id}").status_code == 200


def test_the_page_speaks_the_customers_language(client: Any, link: str, anna: User) -> None:
    """As the mail did that led there, unless the browser chose another."""
    change(anna, locale="zh_Hans")
    page = client.get(link).text
    assert '<html lang="zh-Hans"' in page and "我们给您回电" in page
    assert "请选择一个时间。" in client.post(link, data={}).text
    client.set_cookie("locale", "en")
    assert "We call you" in client.get(link).text


def test_states_of_a_call_for_the_customer(
    client: Any, link: str, promise: Callable[..., Call], ticket: Ticket
) -> None:
    call = promise()
    change(call, state=MISSED, starts_at=now() - timedelta(hours=2), ends_at=now() - timedelta(hours=1))
    page = client.get(f"{link}/{call.id}").text
    assert "We are late" in page and words.window(call.starts_at, call.ends_at, call.zone) in page
    change(call, state=DONE, outcome="reached")
    over = client.get(f"{link}/{call.id}").text
    assert "This call is over" in over and "Choose a time for another one" in over
    change(ticket, category="closed")
    over = client.get(f"{link}/{call.id}").text
    assert "This call is over" in over and "Choose a time for another one" not in over
    assert starts(client.get(link).text) == []


def test_who_has_signed_in_sees_the_call_on_the_start_page(
    sign_in: Any, client: Any, anna: User, promise: Callable[..., Call], link: str, configure: Any
) -> None:
    """portal_blocks"""
    assert "We will call you" not in sign_in(anna).get("/").text
    call = promise()
    page = sign_in(anna).get("/").text
    assert "We will call you" in page and f"{link}/{call.id}" in page
    assert "We will call you" not in client.get("/").text
    # Who may not choose a time may see and cancel what is promised.
    configure(CallbackSettings, customers_book=False)
    assert f"{link}/{call.id}" in sign_in(anna).get("/").text


# ---- mails and calendars


def event_of(data: bytes) -> Any:
    calendar = Calendar.from_ical(data)
    return calendar, next(part for part in calendar.walk() if part.name == "VEVENT")


def test_calendars_know_each_call_and_its_changes(
    client: Any, link: str, promise: Callable[..., Call], agent: User, ticket: Ticket
) -> None:
    """RFC 5545: the same UID ever after, SEQUENCE goes up, METHOD says what it is, and every line fits."""
    call = promise(reason="Ring; twice, \n please " + "ü" * 90, zone="Asia/Kolkata")
    calendar, first = event_of(invitation(call, "http://desk.example/c/x"))
    assert (calendar["METHOD"], calendar["VERSION"]) == ("PUBLISH", "2.0")
    assert first.decoded("dtstart") == call.starts_at and first.decoded("dtend") == call.ends_at
    assert "Ring; twice, \n please" in str(first["description"]) and "ATTENDEE" not in first
    assert str(first["organizer"]).startswith("mailto:") and first["status"] == "CONFIRMED"
    raw = invitation(call)
    assert all(len(line) <= 75 for line in raw.split(b"\r\n")) and raw.endswith(b"END:VCALENDAR\r\n")
    assert raw == invitation(call), "the same call is the same text"
    fetched = client.get(f"{link}/{call.id}/call.ics")
    assert fetched.mimetype == "text/calendar" and event_of(fetched.data)[1]["uid"] == first["uid"]

    later = (call.starts_at + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%MZ")
    client.post(f"{link}/{call.id}/move", data={"start": later, "version": call.version})
    db.session.refresh(call)
    _calendar, second = event_of(invitation(call))
    assert second["uid"] == first["uid"] and second["sequence"] > first["sequence"]
    with transaction():
        mails.told_delayed(call)
    assert call.sequence > second["sequence"]
    client.post(f"{link}/{call.id}/cancel", data={"version": call.version})
    db.session.refresh(call)
    calendar, last = event_of(invitation(call))
    assert (calendar["METHOD"], last["status"], last["uid"]) == ("CANCEL", "CANCELLED", first["uid"])
    assert last["sequence"] > call.sequence - 1


def test_mails_speak_the_customers_language_and_clock(
    promise: Callable[..., Call], anna: User, mailbox: Any, run_jobs: Any, agent: User, configure: Any
) -> None:
    """One real mail, with the file: booked; then what is said of a call that is late, in vain, and a follow-up."""
    change(anna, locale="zh_Hans")
    call = promise(zone="Asia/Tokyo")
    subject = mails_to(anna)[-1]["subject"]
    assert "回电" in subject or "致电" in subject or "电话" in subject
    change(anna, locale="en")
    with transaction():
        mails.told_delayed(call)
        call.outcome = "wrong_number"
        mails.told_unreached(call)
    late, vain = mails_to(anna)[-2:]
    assert "We are sorry" in late["text"] and "Asia/Tokyo" in late["text"]
    assert "The number seems to be a wrong one." in vain["text"]
    with transaction():
        call.rule = FollowUpRule(name="After", words="How does the bell ring?")
        assert mails.ask_how_it_is(call)
    assert "How does the bell ring?" in mails_to(anna)[-1]["text"]
    change(anna, care_mail=False)
    with transaction():
        assert not mails.ask_how_it_is(call)


def test_mails_say_nothing_of_choosing_where_nobody_chooses(
    promise: Callable[..., Call], anna: User, configure: Any
) -> None:
    """With “Customers may book” off, the link shows and cancels a call; without a call there is none."""
    configure(CallbackSettings, customers_book=False)
    call = promise()
    with transaction():
        mails.told_moved(call)
        mails.told_delayed(call)
        mails.told_cancelled(call)
        mails.told_unreached(call)
    booked, moved, late, cancelled, vain = mails_to(anna)
    for data in (booked, moved, late, cancelled, vain):
        assert "by the link below" not in data["text"].replace("Cancel the call by the link below", "")
        assert "nswer this mail" in data["text"]
    assert booked["link"] and booked["link_label"] == "Cancel the call" and not cancelled["link"] and not vain["link"]


def test_no_answer_to_the_end_asks_for_another_time(
    promise: Callable[..., Call], agent: User, anna: User, configure: Any, client: Any, link: str, travel: Any
) -> None:
    """The last try in vain leads to a mail whose link chooses another time."""
    configure(CallbackSettings, retries="write")
    call = promise()
    travel(to=call.starts_at)
    record_outcome(call, "no_answer", "", agent)
    assert call.state == DONE
    data = mails_to(anna)[-1]
    assert data["subject"] == "We could not reach you by phone" and data["link"].endswith(link)
    assert starts(client.get(link).text), "a new time can be chosen"
    assert db.session.scalar(db.select(db.func.count(Attempt.id))) == 1
