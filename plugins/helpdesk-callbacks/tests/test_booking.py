"""Calls are promised, moved, handed over and taken back; nobody has the same time twice (register_settings)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from helpdesk_callbacks import cells
from helpdesk_callbacks.booking import book, book_for_person, cancel, hand_over, move
from helpdesk_callbacks.calls import find_call
from helpdesk_callbacks.drafts import CallDraft
from helpdesk_callbacks.links import customer_url
from helpdesk_callbacks.models import BOOKED, CANCELLED, Call, Cell, Reason, TeamCapacity
from helpdesk_callbacks.settings import CallbackSettings

from helpdesk.api import (
    Delivery,
    Event,
    Invalid,
    NotAllowed,
    Stale,
    Ticket,
    User,
    db,
    hookimpl,
    now,
    transaction,
)

HALF = timedelta(minutes=30)


def kinds(ticket: Ticket) -> list[str]:
    """What stands of calls in the ticket's history."""
    query = db.select(Event.kind).where(Event.ticket_id == ticket.id, Event.kind.startswith("callbacks."))
    return list(db.session.scalars(query.order_by(Event.id)))


def letters() -> list[str]:
    """The subjects of what customers were written, the oldest first."""
    rows = db.session.scalars(db.select(Delivery).where(Delivery.kind == "letter").order_by(Delivery.id))
    return [row.data["subject"] for row in rows]


def refused(verb: Callable[[], Any], field: str) -> str:
    """The sentence with which it is refused; nothing is written."""
    before = db.session.scalar(db.select(db.func.count(Call.id)))
    with pytest.raises(Invalid) as error:
        verb()
    assert error.value.field == field
    assert db.session.scalar(db.select(db.func.count(Call.id))) == before
    return str(error.value)


def test_a_call_is_promised_moved_and_taken_back(
    promise: Callable[..., Call], agent: User, ticket: Ticket, tomorrow: datetime, as_agent: Any
) -> None:
    """Each step stands in the ticket's history, and the customer is told by mail with a file for the calendar."""
    call = promise(reason="The second parcel", zone="Asia/Tokyo")
    assert (call.state, call.person_id, call.team_id, call.source) == (BOOKED, ticket.requester_id, None, "agent")
    assert (call.starts_at, call.ends_at) == (tomorrow, tomorrow + HALF)
    assert find_call(agent, call.id) is call
    move(call, tomorrow + timedelta(hours=2), agent, call.version)
    assert call.promised_from == tomorrow + timedelta(hours=2)
    cancel(call, agent, "Solved by mail")
    assert (call.state, call.alarm_at, call.done_at is not None) == (CANCELLED, None, True)
    assert kinds(ticket) == ["callbacks.booked", "callbacks.moved", "callbacks.cancelled"]
    assert len(letters()) == 3
    assert db.session.scalar(db.select(db.func.count()).select_from(Cell)) == 0
    page = as_agent.get(f"/desk/tickets/{ticket.number}").text
    assert "Promised a call" in page and "Solved by mail" in page
    with pytest.raises(Stale, match="cancelled"):
        move(call, tomorrow, agent)
    db.session.refresh(ticket)
    assert ticket.first_response_at is None


def test_nobody_has_the_same_time_twice(
    promise: Callable[..., Call], agent: User, make_team: Any, make_ticket: Any, make_user: Any, tomorrow: datetime
) -> None:
    """An agent has one call at a time, a team as many as it takes, also where they overlap."""
    team = make_team("Phones", members=[agent, make_user("agent")])
    call = promise(team_id=team.id)
    quarter = timedelta(minutes=15)
    assert "Somebody else" in refused(lambda: promise(), "start")
    refused(lambda: promise(tomorrow + quarter), "start")
    refused(lambda: promise(tomorrow - quarter), "start")
    promise(tomorrow + HALF)
    # The first has one of the team's two places.
    second = promise(agent_id=None, team_id=team.id)
    refused(lambda: promise(agent_id=None, team_id=team.id), "start")
    with transaction():
        db.session.add(TeamCapacity(team_id=team.id, most=3))
    promise(agent_id=None, team_id=team.id)
    refused(lambda: promise(agent_id=None, team_id=team.id), "start")
    move(second, tomorrow + timedelta(hours=5), agent)
    promise(agent_id=None, team_id=team.id)
    cancel(call, agent)
    promise()


@pytest.mark.db
def test_the_database_decides_who_has_a_time(promise: Callable[..., Call]) -> None:
    """Whatever a process believes to be free: the key of the table holds."""
    call = promise()
    with pytest.raises(cells.Full), transaction():
        other = Call(**{column: getattr(call, column) for column in ("ticket_id", "person_id", "starts_at", "ends_at")})
        other.promised_from, other.promised_until, other.agent_id = call.starts_at, call.ends_at, call.agent_id
        db.session.add(other)
        db.session.flush()
        original = cells.taken_between
        cells.taken_between = lambda *_args, **_more: {}  # another process has not seen it
        try:
            cells.take(other)
        finally:
            cells.taken_between = original
    assert db.session.scalar(db.select(db.func.count(Call.id))) == 1
    # Who joins it to something else and goes on without it leaves no call that nobody thinks of.
    with transaction(), pytest.raises(Invalid):
        promise()
    assert db.session.scalar(db.select(db.func.count(Call.id))) == 1


def test_a_moment_in_a_zone_is_that_moment(promise: Callable[..., Call], agent: User, travel: Any) -> None:
    """While the clocks are put back or forward as well: a window lasts as long as it is to."""
    berlin = ZoneInfo("Europe/Berlin")
    travel(to=datetime(2027, 3, 1, tzinfo=UTC))
    call = promise(datetime(2027, 10, 31, 2, 45, tzinfo=berlin))
    moved = datetime(2027, 3, 28, 1, 45, tzinfo=berlin)
    for starts in (datetime(2027, 10, 31, 0, 45, tzinfo=UTC), datetime(2027, 3, 28, 0, 45, tzinfo=UTC)):
        assert (call.starts_at, call.ends_at) == (starts, starts + HALF) and call.starts_at.tzinfo is UTC
        at = db.session.scalars(db.select(Cell.at).order_by(Cell.at)).all()
        assert list(at) == [starts, starts + HALF / 2]
        move(call, moved, agent)


def test_what_cannot_be_is_said_in_one_sentence(
    promise: Callable[..., Call],
    agent: User,
    make_user: Any,
    make_ticket: Any,
    make_team: Any,
    tomorrow: datetime,
    anna: User,
) -> None:
    past = now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    assert "has passed" in refused(lambda: promise(past), "start")
    assert "more than a year" in refused(lambda: promise(tomorrow + timedelta(days=500)), "start")
    assert "quarter" in refused(lambda: promise(tomorrow + timedelta(minutes=7)), "start")
    assert "ends after" in refused(lambda: promise(end=tomorrow - HALF), "start")
    refused(lambda: promise(tomorrow.replace(tzinfo=None)), "start")
    assert "Mars/Base" in refused(lambda: promise(zone="Mars/Base"), "zone")
    assert "number that is to be called" in refused(lambda: promise(phone=""), "phone")
    assert "no phone number" in refused(lambda: promise(phone="call me"), "phone")
    refused(lambda: promise(phone="1" * 65), "phone")
    refused(lambda: promise(reason="x" * 2001), "reason")
    refused(lambda: promise(priority="huge"), "priority")
    refused(lambda: promise(reason_id=999), "reason_id")
    refused(lambda: promise(team_id=999), "team_id")
    refused(lambda: promise(agent_id=make_user("requester").id), "agent_id")
    closed = make_team("Private", members=[])
    with transaction():
        closed.private = True
        old = Reason(name="Old", active=False)
        db.session.add(old)
    refused(lambda: promise(reason_id=old.id), "reason_id")
    secret = make_ticket(team=closed)
    admin = make_user("admin")
    refused(lambda: promise(ticket=secret, actor=admin, agent_id=agent.id), "agent_id")
    with pytest.raises(NotAllowed):
        promise(ticket=secret)
    with pytest.raises(NotAllowed):
        promise(actor=make_user("requester"))
    call = promise()
    refused(lambda: cancel(call, agent, "x" * 501), "why")
    with pytest.raises(Stale):
        cancel(call, agent, version=call.version - 1)


def test_a_customer_books_one_call_in_the_hours(
    ticket: Ticket, anna: User, tomorrow: datetime, configure: Any, agent: User
) -> None:
    """For themselves, not too soon and not too far; the source is theirs whatever they say."""

    def ask(start: datetime, **wanted: Any) -> Call:
        return book(ticket, CallDraft(start, phone="030 1234", **wanted), anna)

    soon = now().replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    assert "too soon" in refused(lambda: ask(soon), "start")
    assert "too far" in refused(lambda: ask(tomorrow + timedelta(days=20)), "start")
    # Not one of the times that are shown.
    assert "no longer free" in refused(lambda: ask(tomorrow + timedelta(minutes=15)), "start")
    call = ask(tomorrow, source="plugin", anyway=True, end=tomorrow + timedelta(hours=3))
    assert (call.source, call.anyway, call.ends_at) == ("customer", False, tomorrow + HALF)
    assert "promised you a call already" in refused(lambda: ask(tomorrow + timedelta(hours=1)), "start")
    move(call, tomorrow + timedelta(hours=1), anna)
    cancel(call, anna)
    ask(tomorrow)
    configure(CallbackSettings, customers_book=False)
    refused(lambda: ask(tomorrow + timedelta(hours=4)), "start")


def test_a_team_that_was_closed_keeps_no_promise_from_its_customers(
    client: Any, ticket: Ticket, anna: User, make_team: Any, make_user: Any, run_jobs: Any
) -> None:
    """By the link they choose a time of the desk's; so it is where who is responsible has left."""
    path = customer_url(ticket, anna).removeprefix("http://desk.example")
    gone = make_user("agent", name="Gone")
    for team, agent in ((make_team("Closed", members=[gone]), None), (None, gone)):
        with transaction():
            ticket.team, ticket.assignee = team, agent
            if team is not None:
                team.active = False
            gone.active = False
        free = re.findall(r'name="start" value="([0-9TZ:-]+)"', client.get(path).text)
        assert client.post(path, data={"start": free[5], "phone": "030 1234", "zone": "UTC"}).status_code == 303
        call = db.session.scalars(db.select(Call).order_by(Call.id.desc()).limit(1)).one()
        assert (call.state, call.team_id, call.agent_id) == (BOOKED, None, None)
        cancel(call, anna)


def test_a_call_goes_to_somebody_else(
    promise: Callable[..., Call],
    agent: User,
    make_user: Any,
    make_team: Any,
    ticket: Ticket,
    run_jobs: Any,
    sign_in: Any,
    anna: User,
    travel: Any,
    tomorrow: datetime,
) -> None:
    """To an agent who is free then, or to a team; whoever gets it is told."""
    other = make_user("agent", name="Bo Busy")
    team = make_team("Phones", members=[other])
    call = promise()
    busy = promise(agent_id=other.id)
    assert "Somebody else" in refused(lambda: hand_over(call, other, agent), "agent_id")
    cancel(busy, agent)
    hand_over(call, other, agent)
    assert call.agent_id == other.id
    run_jobs()
    assert "You call Anna Berg" in sign_in(other).get("/desk/notifications").text
    hand_over(call, team, agent)
    assert (call.agent_id, call.team_id) == (None, team.id)
    assert db.session.scalars(db.select(Cell.owner).distinct()).all() == [f"t{team.id}"]
    with pytest.raises(NotAllowed):
        hand_over(call, other, anna)
    # At its time the team is told at once: nothing else would tell it.
    hand_over(call, agent, agent)
    travel(to=tomorrow + timedelta(minutes=1))
    run_jobs()
    hand_over(call, team, agent)
    run_jobs()
    assert "Call Anna Berg now" in sign_in(other).get("/desk/notifications").text
    assert kinds(ticket)[-2:] == ["callbacks.due", "callbacks.handed_over"]


def test_a_call_to_a_person_opens_a_ticket(
    agent: User, anna: User, tomorrow: datetime, plug: Any, run_jobs: Any, make_ticket: Any
) -> None:
    """And other plugins hear of it: callbacks_booked (register_hookspecs)."""
    heard: list[Any] = []

    @hookimpl(optionalhook=True)
    def callbacks_booked(call_id: int, person_id: int, starts_at: str) -> None:
        heard.append((call_id, person_id, starts_at))

    assert not plug("probe", callbacks_booked=callbacks_booked).error
    # It hears of what comes after the first facts that are told.
    make_ticket()
    run_jobs()
    call = book_for_person(anna, CallDraft(tomorrow, phone="030 1234", reason="New offer"), agent)
    assert (call.ticket.requester_id, call.ticket.channel) == (anna.id, "phone")
    run_jobs()
    assert heard == [(call.id, anna.id, tomorrow.isoformat())]
    assert tomorrow.tzinfo is UTC
