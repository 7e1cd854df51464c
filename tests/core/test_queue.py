"""The queue carries a nudge and nothing else: signed JSON, put aside when it is not ours, not needed for the truth."""

import json
import pickle
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from huey.registry import Message
from sqlalchemy import select

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import alarm, claims, ledger
from helpdesk.core.jobs import huey as bridge
from helpdesk.core.jobs.alarm import AlarmClock
from helpdesk.core.jobs.huey import EXTENSION
from helpdesk.core.jobs.messages import SignedJson, Unverified, put_aside
from helpdesk.core.models import Job, QuarantinedMessage, Schedule


@pytest.fixture
def woken(make_app: Any) -> Flask:
    """A desk whose workers are told of work, unlike those of other tests."""
    app: Flask = make_app({})
    bridge.create(app)
    return app


@pytest.fixture
def serializer() -> SignedJson:
    return SignedJson("a secret")


# ---- messages


def test_a_message_comes_back_as_it_went_in(serializer: SignedJson) -> None:
    moment = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    fields = dict.fromkeys(Message._fields)
    message = Message(**{**fields, "id": "1", "name": "wake", "eta": moment, "retries": 0, "args": [], "kwargs": {}})
    assert serializer.deserialize(serializer.serialize(message)) == message
    assert serializer.deserialize(serializer.serialize(["x", 1, None])) == ["x", 1, None]


class Evil:
    def __reduce__(self) -> Any:
        return eval, ("1/0",)


GOOD = SignedJson("a secret").serialize({"value": 1})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "too short"),
        (b"x" * 31, "too short"),
        (GOOD[:40], "signature"),
        (pickle.dumps(Evil()), "signature"),
        (GOOD[:-1] + b"!", "signature"),
        (b"\0" * 32 + GOOD[32:], "signature"),
        (SignedJson("another secret").serialize({"value": 1}), "signature"),
        (GOOD[:32] + json.dumps({"value": "x" * 20_000}).encode(), "larger than"),
        (SignedJson("a secret").serialize({"value": "x" * 20_000}), "larger than"),
    ],
)
def test_what_we_did_not_write_is_refused(serializer: SignedJson, data: bytes, reason: str) -> None:
    with pytest.raises(Unverified, match=reason):
        serializer.deserialize(data)


def test_whoever_can_write_into_the_queue_does_not_fill_the_disk(app: Flask, monkeypatch: Any) -> None:
    monkeypatch.setattr("helpdesk.core.jobs.messages._KEPT", 3)
    for number in range(5):
        put_aside("sqlite", b"x" * 1_000_000, f"number {number}")
    kept = list(db.session.scalars(select(QuarantinedMessage).order_by(QuarantinedMessage.id)))
    assert [one.reason for one in kept] == ["number 0", "number 1", "number 2"]
    assert all(one.size == 1_000_000 and len(one.data) < 5_000 for one in kept)


# ---- nudges


def test_one_wake_up_waits_in_the_queue_and_says_nothing(woken: Flask) -> None:
    huey = woken.extensions[EXTENSION]
    with woken.app_context():
        for number in range(3):
            ledger.schedule("probe.now", number=number)
    wake = huey.dequeue()
    assert (wake.name, wake.eta, wake.args, wake.kwargs) == ("wake", None, [], {}), "what to do stands in the ledger"
    assert huey.dequeue() is None
    with woken.app_context():
        ledger.schedule("probe.now", number=4)
    assert huey.dequeue() is not None, "that one was taken up: the next asks anew"


def test_what_is_due_soon_is_told_and_what_is_due_later_is_not(woken: Flask) -> None:
    huey = woken.extensions[EXTENSION]
    with woken.app_context():
        ledger.schedule("probe.later", at=now() + timedelta(hours=2))
        assert huey.pending_count() == 0 and huey.scheduled_count() == 0
        ledger.schedule("probe.soon", at=now() + timedelta(seconds=20))
    assert huey.pending_count() == 1 and huey.scheduled_count() == 0, "the worker sets its alarm"


@pytest.mark.db
def test_the_alarm_is_set_to_what_comes_next(app: Flask) -> None:
    assert alarm.next_moment() is None
    ledger.schedule("probe.past", at=now() - timedelta(seconds=5))
    ledger.schedule("probe.far", at=now() + timedelta(minutes=5))
    assert alarm.next_moment() is None
    schedule = Schedule(
        key="probe.often", plugin="probe", rule={}, zone="UTC", next_due_at=now() + timedelta(seconds=58)
    )
    with ledger.transaction():
        db.session.add(schedule)
    assert alarm.next_moment() == schedule.next_due_at
    soon = ledger.schedule("probe.soon", at=schedule.next_due_at - timedelta(seconds=1), priority=2)
    assert alarm.next_moment() == soon.run_at
    # It has a lease of 30 seconds, which ends before the others are due.
    claims.claim("w", 1)
    lease = db.session.scalar(select(Job.lease_until).where(Job.state == "running"))
    assert lease is not None and alarm.next_moment() == lease


def test_the_alarm_rings_once_and_goes_on_when_nobody_can_be_woken() -> None:
    rings: list[datetime] = []
    rang = threading.Semaphore(0)

    def ring() -> None:
        rings.append(now())
        rang.release()
        raise ConnectionError("no queue")

    clock = AlarmClock(ring)
    clock.start()
    later, soon = now() + timedelta(hours=1), now() + timedelta(milliseconds=30)
    clock.set(later)
    clock.set(soon)
    clock.set(None)
    assert rang.acquire(timeout=60) and rings[0] >= soon
    again = now()
    clock.set(again)
    assert rang.acquire(timeout=60) and len(rings) == 2
