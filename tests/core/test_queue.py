"""The queue carries a nudge and nothing else: signed JSON, dropped when it is not ours, never needed for the truth."""

import json
import pickle
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from huey.registry import Message
from sqlalchemy import select

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import huey as bridge
from helpdesk.core.jobs import ledger
from helpdesk.core.jobs.huey import EXTENSION, SignedJson, Unverified
from helpdesk.core.models import Job


@pytest.fixture
def woken(make_app: Any) -> Flask:
    """A desk whose workers are told of work, unlike those of other tests."""
    app: Flask = make_app({})
    bridge.create(app)
    return app


@pytest.fixture
def serializer() -> SignedJson:
    return SignedJson("a secret")


def test_a_message_comes_back_as_it_went_in(serializer: SignedJson) -> None:
    moment = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
    fields = dict.fromkeys(Message._fields)
    message = Message(**{**fields, "id": "1", "name": "wake", "eta": moment, "retries": 0, "args": [], "kwargs": {}})
    assert serializer.deserialize(serializer.serialize(message)) == message
    assert serializer.deserialize(serializer.serialize(["x", 1, None])) == ["x", 1, None]


def test_what_we_did_not_write_is_refused(serializer: SignedJson) -> None:
    good = serializer.serialize({"value": 1})

    class Evil:
        def __reduce__(self) -> Any:
            return eval, ("1/0",)

    forged = [
        b"",
        b"x" * 31,
        pickle.dumps(Evil()),
        good[:-1] + b"!",
        b"\0" * 32 + good[32:],
        SignedJson("another secret").serialize({"value": 1}),
        good[:32] + json.dumps({"value": "x" * 20_000}).encode(),
    ]
    for data in forged:
        with pytest.raises(Unverified):
            serializer.deserialize(data)


def test_a_forged_row_in_the_queue_runs_nothing(make_app: Any, home: Path) -> None:
    app = make_app({})
    huey = app.extensions[EXTENSION]
    huey.storage.enqueue(pickle.dumps("x"))
    with pytest.raises(Unverified):
        huey.dequeue()
    assert huey.dequeue() is None, "it is gone, and the queue goes on"


def test_a_nudge_is_for_now_or_for_its_time(woken: Flask) -> None:
    huey = woken.extensions[EXTENSION]
    later = now() + timedelta(hours=2)
    with woken.app_context():
        ledger.schedule("probe.now")
        ledger.schedule("probe.later", at=later)
    first, second = huey.dequeue(), huey.dequeue()
    assert (first.name, first.eta, second.name) == ("wake", None, "wake")
    assert abs(second.eta.replace(tzinfo=UTC) - later) < timedelta(seconds=1)
    assert not first.args and not second.args, "what to do stands in the ledger"


WORKER = """
import sys
from helpdesk.app import create_app
from helpdesk.core.config import load
from helpdesk import worker
worker.run(create_app(load(home=sys.argv[1]), plugins={}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("lost", [False, True])
def test_a_worker_does_what_is_due_even_when_the_queue_was_lost(woken: Flask, home: Path, lost: bool) -> None:
    with woken.app_context():
        ledger.schedule("nobody.knows.this")
    if lost:
        (home / "queue.sqlite3").unlink()
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(home)], stderr=subprocess.PIPE, text=True)
    try:
        states: list[str] = []
        deadline = time.monotonic() + 20
        while states != ["failed"] and time.monotonic() < deadline:
            time.sleep(0.1)
            with woken.app_context():
                states = list(db.session.scalars(select(Job.state)))
        assert states == ["failed"]
    finally:
        worker.terminate()
        _out, err = worker.communicate(timeout=25)
    assert worker.returncode == 0, err
    with sqlite3.connect(home / "queue.sqlite3") as queue:
        assert queue.execute("SELECT count(*) FROM task").fetchone() == (0,)
    queue.close()
