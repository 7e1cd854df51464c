"""What happens by itself: reminders, what falls due, escalation, what was missed.

The hooks register_jobs and register_schedules.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from helpdesk_callbacks import keeping
from helpdesk_callbacks.booking import book, cancel, move
from helpdesk_callbacks.calls import RING
from helpdesk_callbacks.drafts import CallDraft
from helpdesk_callbacks.links import customer_url
from helpdesk_callbacks.models import AWAY, BOOKED, BUSY, CANCELLED, CLOSED, DUE, MISSED, Call, Cell
from helpdesk_callbacks.outcomes import record_outcome
from helpdesk_callbacks.personal import erase_personal_data
from helpdesk_callbacks.settings import CallbackSettings

from helpdesk.api import Delivery, Event, Invalid, Ticket, User, db, now, schedule, transaction

Promise = Callable[..., Call]


def told(sign_in: Any, user: User) -> str:
    """What somebody is told on the page."""
    return sign_in(user).get("/desk/notifications").text


def happened(kind: str) -> int:
    """How often an event stands in the history."""
    return db.session.scalar(db.select(db.func.count(Event.id)).where(Event.kind == kind))


def state(call: Call) -> str:
    db.session.refresh(call)
    return call.state


def letters() -> list[str]:
    rows = db.session.scalars(db.select(Delivery).where(Delivery.kind == "letter").order_by(Delivery.id))
    return [row.data["subject"] for row in rows]


def test_from_the_reminder_to_the_late_call(
    promise: Promise, agent: User, make_user: Any, travel: Any, run_jobs: Any, sign_in: Any, tomorrow: datetime
) -> None:
    """The agent is reminded and told at the time, on the page and by mail; then supervisors, then the customer."""
    boss, call = make_user("supervisor"), promise()
    run_jobs()
    travel(to=tomorrow - timedelta(minutes=9))
    run_jobs()
    assert state(call) == BOOKED and "You call Anna Berg at" in told(sign_in, agent)
    travel(to=tomorrow + timedelta(seconds=30))
    run_jobs()
    run_jobs()
    assert state(call) == DUE and call.first_due_at is not None
    assert "Call Anna Berg now: +49 30 1234567" in told(sign_in, agent)
    mails = db.session.scalars(
        db.select(Delivery).where(Delivery.kind == "notices", Delivery.user_id == agent.id)
    ).all()
    assert len(mails) >= 2
    assert "Nobody has called" not in told(sign_in, boss)
    travel(to=tomorrow + timedelta(minutes=21))
    run_jobs()
    assert "Nobody has called Anna Berg yet" in told(sign_in, boss)
    travel(to=tomorrow + timedelta(minutes=31))
    run_jobs()
    assert (state(call), call.kept, call.is_open) == (MISSED, False, True)
    assert letters()[-1] == "Our call to you is late"
    assert db.session.scalar(db.select(db.func.count()).select_from(Cell)) == 0
    counts = [happened(f"callbacks.{kind}") for kind in ("due", "escalated", "missed")]
    facts = [happened(f"callbacks_{kind}") for kind in ("booked", "due", "missed", "done")]
    assert (counts, facts) == ([1, 1, 1], [1, 1, 1, 0])
    # Late as it is, it can be moved, and begins anew; what was broken stays so.
    move(call, tomorrow + timedelta(hours=2), agent)
    assert (call.state, call.kept) == (BOOKED, False)
    travel(to=tomorrow + timedelta(hours=2, seconds=1))
    run_jobs()
    assert state(call) == DUE and happened("callbacks.due") == 2


def test_a_worker_that_was_away_hands_out_late_but_once(
    promise: Promise, agent: User, travel: Any, run_jobs: Any, tomorrow: datetime, configure: Any
) -> None:
    """Many at once, in batches; a cancelled one is nobody's."""
    configure(CallbackSettings, remind_minutes=0, escalate_minutes=0, team_capacity=100)
    calls = [promise(agent_id=None) for _number in range(20)]
    gone = promise(tomorrow + timedelta(minutes=30))
    cancel(gone, agent)
    assert gone.alarm_at is None
    travel(days=5)
    with transaction():
        schedule(RING, key=RING)
        schedule(RING)
    run_jobs()
    assert {state(call) for call in calls} == {MISSED} and state(gone) == CANCELLED
    assert happened("callbacks.due") == happened("callbacks.missed") == 20
    assert all(call.first_due_at > call.ends_at for call in calls)


def test_a_batch_asks_as_often_for_many(
    promise: Promise, travel: Any, tomorrow: datetime, configure: Any, count_queries: Any, make_team: Any, agent: User
) -> None:
    configure(CallbackSettings, team_capacity=100)
    team, counts = make_team("Phones", members=[agent]), []
    for number, hours in ((2, 0), (30, 2)):
        start = tomorrow + timedelta(hours=hours)
        calls = [promise(start, agent_id=None, team_id=team.id).id for _call in range(number)]
        travel(to=start + timedelta(seconds=1))
        with transaction(), count_queries() as statements:
            assert keeping._see_to(calls, now()) == number
        counts.append(len([one for one in statements if not one.startswith("INSERT INTO event")]))
    assert happened("callbacks.due") == 32
    # Events are written one by one by the database's library; all else does not grow.
    assert counts[1] <= counts[0]


def test_a_call_that_cannot_be_seen_to_holds_up_no_other(
    promise: Promise, travel: Any, run_jobs: Any, tomorrow: datetime
) -> None:
    """It is tried again, and not lost."""
    broken, other = promise(), promise(tomorrow + timedelta(hours=1))
    with transaction():
        broken.zone = "Mars/Base"
    travel(to=tomorrow + timedelta(hours=2))
    run_jobs()
    assert (state(broken), state(other)) == (BOOKED, MISSED) and broken.alarm_at > now()
    with transaction():
        broken.zone = "UTC"
    travel(minutes=11)
    run_jobs()
    assert state(broken) == MISSED and happened("callbacks.due") == happened("callbacks.missed") == 2


def test_who_is_away_gives_the_call_to_the_team(
    promise: Promise,
    agent: User,
    make_user: Any,
    make_team: Any,
    insert: Any,
    travel: Any,
    run_jobs: Any,
    tomorrow: datetime,
    sign_in: Any,
) -> None:
    """Found ahead, or at the time; without a team supervisors are told, once."""
    other, boss = make_user("agent", name="Bo"), make_user("supervisor")
    team = make_team("Phones", members=[agent, other])
    one, two = promise(team_id=team.id), promise(tomorrow + timedelta(hours=1))
    run_jobs()
    away = {"user_id": agent.id, "kind": "sick", "note": ""}
    insert("absence", begins_at=tomorrow - timedelta(hours=1), ends_at=tomorrow + timedelta(days=1), **away)
    travel(minutes=16)
    run_jobs()
    assert (state(one), one.agent_id, one.team_id) == (BOOKED, None, team.id)
    assert (state(two), two.agent_id, two.problem) == (BOOKED, agent.id, AWAY)
    assert "is away and should call" in told(sign_in, boss)
    travel(to=tomorrow + timedelta(seconds=1))
    run_jobs()
    assert "Call Anna Berg now" in told(sign_in, other) and "Call Anna Berg now" not in told(sign_in, agent)
    late = promise(tomorrow + timedelta(hours=3), anyway=True, team_id=team.id)
    travel(to=tomorrow + timedelta(hours=3, seconds=1))
    run_jobs()
    assert (state(late), late.agent_id) == (DUE, None)


def test_who_does_not_see_the_ticket_any_more_makes_no_call(
    promise: Promise,
    agent: User,
    ticket: Ticket,
    make_user: Any,
    make_team: Any,
    travel: Any,
    run_jobs: Any,
    tomorrow: datetime,
    sign_in: Any,
) -> None:
    """It goes to its team; without one supervisors are told, once."""
    boss, phones, private = make_user("supervisor"), make_team("Phones", members=[agent]), make_team("Private")
    one, two = promise(team_id=phones.id), promise(tomorrow + timedelta(hours=1))
    run_jobs()
    with transaction():
        private.private = True
        ticket.team = private
    for _look in range(2):
        travel(minutes=16)
        run_jobs()
    assert (state(one), one.agent_id, one.team_id) == (BOOKED, None, phones.id)
    assert (state(two), two.agent_id, two.problem) == (BOOKED, agent.id, AWAY)
    assert told(sign_in, boss).count("they do not see the ticket") == 1
    with transaction():
        ticket.team = None
    travel(minutes=16)
    run_jobs()
    assert (state(two), two.problem) == (BOOKED, "")


def test_a_holiday_added_after_booking_moves_the_call(
    promise: Promise,
    agent: User,
    make_user: Any,
    insert: Any,
    open_hours: Any,
    travel: Any,
    run_jobs: Any,
    tomorrow: datetime,
    sign_in: Any,
) -> None:
    """To the next free time, and the customer is told; where there is none it is marked and staff are told."""
    hours = open_hours()
    # Far away and booked first: it takes nobody's next free time away.
    far = promise(tomorrow + timedelta(days=18))
    insert("special_day", business_hours_id=hours, day=far.starts_at.date(), name="Feast", times=[])
    call, meant = promise(), promise(tomorrow + timedelta(hours=1), agent_id=None, anyway=True)
    run_jobs()
    insert("special_day", business_hours_id=hours, day=tomorrow.date(), name="Feast", times=[])
    travel(minutes=16)
    run_jobs()
    assert state(far) == BOOKED and far.starts_at.date() == tomorrow.date() + timedelta(days=19)
    cancel(far, agent)
    assert state(call) == BOOKED and call.starts_at.date() == tomorrow.date() + timedelta(days=1)
    assert call.promised_from == call.starts_at and call.sequence == 1
    assert "Your call is now on" in " ".join(letters())
    assert "nobody works then" in told(sign_in, agent)
    assert state(meant) == BOOKED and meant.starts_at == tomorrow + timedelta(hours=1)
    moved = call.starts_at
    for number in (*range(1, 18), *range(19, 60)):
        day = tomorrow.date() + timedelta(days=number)
        insert("special_day", business_hours_id=hours, day=day, name="Feast", times=[])
    boss = make_user("supervisor")
    for _look in range(2):
        travel(minutes=16)
        run_jobs()
    assert (state(call), call.starts_at, call.problem) == (BOOKED, moved, CLOSED)
    assert happened("callbacks.closed") == 1 and "Choose another time" in told(sign_in, boss)


@pytest.mark.db
def test_a_call_follows_its_ticket_into_another_and_back(
    promise: Promise,
    agent: User,
    make_ticket: Any,
    anna: User,
    ticket: Ticket,
    sign_in: Any,
    client: Any,
    travel: Any,
    run_jobs: Any,
) -> None:
    call, other = promise(), make_ticket("The same again", requester=anna)
    path = customer_url(ticket, anna).removeprefix("http://desk.example")
    run_jobs()
    record_outcome(call, BUSY, "Spoke of the operation.", agent)
    ids = {"ids": [str(other.id), str(ticket.id)], "survivor": str(other.id)}
    assert sign_in(agent).post("/desk/merge", data=ids).status_code == 303
    # Until the call has come along, the customer finds it all the same, and no second one is promised.
    assert f"{path}/{call.id}" in client.get(path).text
    with pytest.raises(Invalid, match="promised you a call already"):
        book(ticket, CallDraft(call.starts_at + timedelta(hours=3), phone="030 1234"), anna)
    # Booked on the old one, it is booked where that goes on.
    late = promise(call.starts_at + timedelta(hours=1))
    assert late.ticket_id == other.id
    travel(minutes=1)
    run_jobs()
    assert state(call) == BOOKED and (call.ticket_id, call.home_id) == (other.id, ticket.id)
    assert happened("callbacks.followed") == 1
    record_outcome(call, BUSY, "Again of the operation.", agent)
    assert sign_in(agent).post("/desk/merges/1/undo").status_code == 303
    travel(minutes=1)
    run_jobs()
    db.session.refresh(call)
    assert (call.ticket_id, call.home_id, late.ticket_id) == (ticket.id, None, other.id)
    # What was said stands on both tickets, and goes from both.
    said = db.select(Event).where(Event.kind == "callbacks.tried")
    assert {one.ticket_id for one in db.session.scalars(said)} == {ticket.id, other.id}
    with transaction():
        erase_personal_data(anna)
    assert not any("operation" in str(one.data) for one in db.session.scalars(said))
