"""An agent's calls in a calendar program: a secret address, what stands there, and asking again."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from helpdesk_callbacks.booking import cancel, move
from helpdesk_callbacks.models import Call, Feed
from icalendar import Calendar

from helpdesk.api import User, db, now, transaction

FEED = "/p/callbacks/feed"


def address_in(page: str) -> str:
    """The path that a page shows."""
    found = page.partition('id="f-address" value="http://desk.example')[2].partition('"')[0]
    assert found.startswith(f"{FEED}/") and found.endswith(".ics")
    return found


def summaries(data: bytes) -> list[str]:
    return [str(part["summary"]) for part in Calendar.from_ical(data).walk() if part.name == "VEVENT"]


def test_the_feed_is_private_and_can_be_renewed(
    client: Any, sign_in: Any, agent: User, make_user: Any, promise: Callable[..., Call], as_admin: Any
) -> None:
    """Shown once, kept as a digest; wrong secrets and old ones are not there; the record says what was made."""
    call = promise(reason="Second, parcel")
    promise(start=call.starts_at + timedelta(hours=1), agent_id=make_user("agent").id)
    browser = sign_in(agent)
    assert "There is none yet." in browser.get(FEED).text
    address = address_in(browser.post(FEED).text)
    assert address.split("/")[-1] not in browser.get(FEED).text, "it is shown once"
    secret = address.removeprefix(f"{FEED}/").removesuffix(".ics")
    assert len(secret) >= 40 and secret not in db.session.scalars(db.select(Feed.digest)).one()

    answer = client.get(address)
    assert answer.status_code == 200 and answer.mimetype == "text/calendar" and "Set-Cookie" not in answer.headers
    assert "private" in answer.headers["Cache-Control"]
    assert summaries(answer.data) == ["Call Anna Berg"], "the agent's own alone"
    text = answer.get_data(as_text=True).replace("\r\n ", "")
    assert "+49 30 1234567" in text and f"/p/callbacks/calls/{call.id}" in text and "Second\\, parcel" in text
    assert "Last read" in browser.get(FEED).text
    for wrong in (f"{FEED}/{secret[::-1]}.ics", f"{FEED}/x.ics", f"{FEED}/{'a' * 500}.ics"):
        assert client.get(wrong).status_code == 404

    renewed = address_in(browser.post(FEED).text)
    assert client.get(address).status_code == 404 and client.get(renewed).status_code == 200
    with transaction():
        agent.active = False
    assert client.get(renewed).status_code == 404
    with transaction():
        agent.active = True
    assert client.get(renewed).status_code == 200
    assert browser.post(f"{FEED}/stop").status_code == 303 and client.get(renewed).status_code == 404
    record = as_admin.get("/admin/audit").text
    assert "Calendar address made" in record and "Calendar address ended" in record and secret not in record
    assert sign_in(make_user()).get(FEED).status_code == 403


def test_a_program_that_has_it_already_is_told_so(
    client: Any, sign_in: Any, agent: User, promise: Callable[..., Call], count_queries: Any, travel: Any
) -> None:
    """If-None-Match: 304 until something changed; cancelled calls that are to come stay, as cancelled."""
    call = promise()
    address = address_in(sign_in(agent).post(FEED).text)
    first = client.get(address)
    tag = {"If-None-Match": first.headers["ETag"]}
    travel(minutes=5)
    again = client.get(address, headers=tag)
    assert again.status_code == 304 and again.data == b""
    move(call, call.starts_at + timedelta(hours=1), agent)
    changed = client.get(address, headers=tag)
    assert changed.status_code == 200 and changed.headers["ETag"] != first.headers["ETag"]
    cancel(call, agent)
    calendar = Calendar.from_ical(client.get(address).data)
    assert [part["status"] for part in calendar.walk() if part.name == "VEVENT"] == ["CANCELLED"]
    for number in range(5):
        promise(start=call.starts_at + timedelta(days=1 + number))
    with count_queries() as statements:
        assert len(summaries(client.get(address).data)) == 6
    assert sum("callbacks_call" in one for one in statements) == 1 and len(statements) <= 10, "\n".join(statements)
    # What is long past is not of interest any more.
    with transaction():
        call.starts_at = now() - timedelta(days=40)
    assert len(summaries(client.get(address).data)) == 5


def test_an_agent_who_may_not_see_the_ticket_any_more_does_not_read_of_it(
    client: Any, sign_in: Any, agent: User, make_team: Any, promise: Callable[..., Call]
) -> None:
    call = promise()
    address = address_in(sign_in(agent).post(FEED).text)
    with transaction():
        team = make_team("Vault")
        team.private = True
        call.ticket.team = team
    assert summaries(client.get(address).data) == []
