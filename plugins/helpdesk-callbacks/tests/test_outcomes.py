"""What comes of a try, and what comes next by the rule; callbacks_done is told to other plugins."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from helpdesk_callbacks.booking import cancel
from helpdesk_callbacks.models import (
    BOOKED,
    BUSY,
    DONE,
    NO_ANSWER,
    REACHED,
    REFUSED,
    WRONG_NUMBER,
    Attempt,
    Call,
    Cell,
)
from helpdesk_callbacks.outcomes import record_outcome
from helpdesk_callbacks.settings import CallbackSettings

from helpdesk.api import Delivery, Event, Invalid, NotAllowed, Stale, Ticket, User, db, now

Promise = Callable[..., Call]


def letters() -> list[str]:
    rows = db.session.scalars(db.select(Delivery).where(Delivery.kind == "letter").order_by(Delivery.id))
    return [row.data["subject"] for row in rows]


def events(kind: str) -> list[dict[str, Any]]:
    return list(db.session.scalars(db.select(Event.data).where(Event.kind == kind).order_by(Event.id)))


def test_in_vain_is_tried_again_by_the_rule(
    promise: Promise, agent: User, travel: Any, run_jobs: Any, tomorrow: datetime, ticket: Ticket, sign_in: Any
) -> None:
    """After an hour, after four, on the next working day, then a mail; each try stands in the ticket's history."""
    call, at = promise(), tomorrow + timedelta(minutes=5)
    for pause, outcome in ((timedelta(hours=1), NO_ANSWER), (timedelta(hours=4), BUSY), (None, NO_ANSWER)):
        travel(to=at)
        run_jobs()
        attempt = record_outcome(call, outcome, "It rang long.", agent, version=call.version)
        assert call.state == BOOKED and attempt.next_at == call.starts_at
        if pause is not None:
            assert at + pause <= call.starts_at <= at + pause + timedelta(minutes=45)
        else:
            assert call.starts_at.date() == at.date() + timedelta(days=1)
        at = call.starts_at + timedelta(minutes=1)
    travel(to=at)
    run_jobs()
    attempt = record_outcome(call, NO_ANSWER, "", agent)
    assert (call.state, call.tries, call.outcome, attempt.next_at) == (DONE, 4, NO_ANSWER, None)
    assert call.kept is True and call.promised_from == tomorrow
    assert letters()[-1] == "We could not reach you by phone"
    assert db.session.scalar(db.select(db.func.count()).select_from(Cell)) == 0
    assert [data["tries"] for data in events("callbacks_done")] == [4]
    assert len(events("callbacks_due")) == 4
    page = sign_in(agent).get(f"/desk/tickets/{ticket.number}").text
    assert "Try 1: No answer" in page and "It rang long." in page and "Try 4: No answer" in page
    with pytest.raises(Stale, match="Abe Agent has made this call already"):
        record_outcome(call, REACHED, "", agent)


def test_what_ends_a_call(promise: Promise, agent: User, tomorrow: datetime, run_jobs: Any) -> None:
    """Reached, refused, a wrong number: the customer is asked for another one by mail."""
    for number, outcome in enumerate((REACHED, REFUSED, WRONG_NUMBER)):
        call = promise(tomorrow + timedelta(hours=number))
        before = len(letters())
        attempt = record_outcome(call, outcome, "", agent, next_step="Send the invoice")
        assert (call.state, call.outcome, call.kept, attempt.next_step) == (DONE, outcome, True, "Send the invoice")
        assert len(letters()) - before == (outcome == WRONG_NUMBER)
    assert [data["outcome"] for data in events("callbacks_done")] == [REACHED, REFUSED, WRONG_NUMBER]


def test_an_agents_own_time_and_the_owners_rule(
    promise: Promise, agent: User, tomorrow: datetime, configure: Any, make_user: Any
) -> None:
    """A team's call is theirs who tried; a given time counts; without a rule the first try is the last."""
    call = promise(agent_id=None)
    chosen = tomorrow + timedelta(days=3, minutes=7)
    record_outcome(call, NO_ANSWER, "", agent, next_at=chosen)
    assert call.starts_at == tomorrow + timedelta(days=3, minutes=15) and call.agent_id == agent.id
    # Somebody else's other call at that time does no harm to this one.
    other = promise(tomorrow + timedelta(hours=9))
    record_outcome(other, BUSY, "", agent, next_at=chosen)
    assert other.starts_at == call.starts_at
    configure(CallbackSettings, retries="-")
    record_outcome(call, NO_ANSWER, "", make_user("supervisor"))
    assert call.state == DONE and letters()[-1].startswith("We will call you")


@pytest.mark.db
def test_two_agents_press_done(promise: Promise, agent: User, make_user: Any) -> None:
    """The second is told so, and nothing of theirs is written; what was changed meanwhile is seen first."""
    call, other = promise(), make_user("agent")
    version = call.version
    record_outcome(call, NO_ANSWER, "", agent, version=version)
    with pytest.raises(Stale, match="Somebody changed this call"):
        record_outcome(call, REACHED, "", other, version=version)
    record_outcome(call, REACHED, "", other, version=call.version)
    with pytest.raises(Stale, match="done"):
        record_outcome(call, REACHED, "", agent)
    numbers = db.session.scalars(db.select(Attempt.number).order_by(Attempt.id)).all()
    assert list(numbers) == [1, 2]


def test_what_cannot_be_noted(promise: Promise, agent: User, anna: User, tomorrow: datetime) -> None:
    call = promise()
    for field, wanted in (
        ("outcome", {"outcome": "dunno"}),
        ("note", {"note": "x" * 10_001}),
        ("next_step", {"next_step": "x" * 501}),
        ("next_at", {"next_at": tomorrow}),
        ("next_at", {"outcome": BUSY, "next_at": now() - timedelta(hours=1)}),
        ("next_at", {"outcome": BUSY, "next_at": datetime.max.replace(tzinfo=UTC)}),
    ):
        values: dict[str, Any] = {"outcome": REACHED, "note": "", **wanted}
        with pytest.raises(Invalid) as error:
            record_outcome(call, values.pop("outcome"), values.pop("note"), agent, **values)
        assert error.value.field == field
    with pytest.raises(NotAllowed):
        record_outcome(call, REACHED, "", anna)
    cancel(call, agent)
    with pytest.raises(Stale, match="cancelled"):
        record_outcome(call, REACHED, "", agent)
    assert call.tries == 0


def test_a_try_before_the_promised_time_leaves_that(
    promise: Promise, agent: User, make_user: Any, travel: Any, run_jobs: Any, tomorrow: datetime, configure: Any
) -> None:
    """The customer was told of it and waits then. The mail at the end of the rule is written, however many tries."""
    configure(CallbackSettings, retries="write")
    call = promise()
    attempt = record_outcome(call, NO_ANSWER, "Too early.", agent)
    assert (call.state, call.starts_at, call.kept, attempt.next_at) == (BOOKED, tomorrow, None, tomorrow)
    assert db.session.scalar(db.select(db.func.count()).select_from(Cell)) == 2
    travel(to=tomorrow + timedelta(minutes=5))
    run_jobs()
    assert len(events("callbacks_due")) == 1
    record_outcome(call, BUSY, "", make_user("agent", name="Bo Quick"))
    assert (call.state, call.kept, call.tries) == (DONE, True, 2)
    assert letters()[-1] == "We could not reach you by phone"
    # Who made it, not whose it was.
    with pytest.raises(Stale, match="Bo Quick has made this call already"):
        record_outcome(call, REACHED, "", agent)
