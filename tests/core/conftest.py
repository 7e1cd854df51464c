"""What tests of the core share: doing something at the same time from several sessions, a channel made of words."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text

from helpdesk.api import Channel, IntakeDraft
from helpdesk.core.channels import intake
from helpdesk.core.channels.items import Outcome
from helpdesk.core.extensions import db
from helpdesk.core.schedules import own


class Post:
    """A channel whose items are what a test says they are."""

    def __init__(self) -> None:
        self.draft: dict[str, Any] = {"sender_address": "tom@post.example", "subject": "Lock", "text": "It is stuck."}
        self.error: Exception | None = None
        self.during: list[Callable[[], Any]] = []
        self.number = 0

    def parse(self, raw: bytes) -> IntakeDraft:
        if self.during:
            self.during.pop()()
        if self.error is not None:
            raise self.error
        return IntakeDraft(channel="post", **self.draft)

    def receive(self, **draft: Any) -> Outcome:
        """Another item comes in; what is given here is of this one alone."""
        before, self.draft = self.draft, self.draft | draft
        self.number += 1
        try:
            return intake.receive("post", f"item {self.number}".encode())
        finally:
            self.draft = before


@pytest.fixture
def post(plug: Any) -> Post:
    """A channel that is on."""
    post = Post()
    plug("post", register_channels=lambda: [Channel("post", "Post", parse=post.parse)])
    return post


@pytest.fixture
def at_once(app: Flask) -> Callable[..., list[Any]]:
    """``at_once(8, work)`` calls ``work(number)`` in eight threads that start together, each with its own session.

    Answers what each returned or raised. Fails when one does not end.
    """

    def run(threads: int, work: Callable[[int], Any]) -> list[Any]:
        results: list[Any] = [None] * threads
        start = threading.Barrier(threads)

        def one(number: int) -> None:
            with app.app_context():
                start.wait(60)
                try:
                    results[number] = work(number)
                except Exception as error:  # noqa: BLE001 - it is what the test looks at
                    results[number] = error
                finally:
                    db.session.remove()

        pool = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
        db.session.rollback()
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join(60)
        assert not any(thread.is_alive() for thread in pool), "they wait for one another"
        db.session.rollback()
        return results

    return run


@pytest.fixture
def aside(app: Flask) -> Iterator[Callable[[Callable[[], Any]], Future[Any]]]:
    """``aside(work)`` starts ``work()`` in another session; it comes back once that has ended or waits for a lock.

    What this session has open stays open. Whether it waits is known on PostgreSQL only.
    """
    pool = ThreadPoolExecutor(4)

    def one(work: Callable[[], Any]) -> Any:
        with app.app_context():
            try:
                return work()
            finally:
                db.session.remove()

    def start(work: Callable[[], Any]) -> Future[Any]:
        running, end = pool.submit(one, work), time.monotonic() + 60
        while not running.done() and not _somebody_waits():
            assert time.monotonic() < end, "it neither ends nor waits"
            time.sleep(0.01)
        return running

    yield start
    # What this session has locked after a failure would be waited for without end.
    db.session.rollback()
    pool.shutdown()


def _somebody_waits() -> bool:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    if db.engine.dialect.name != "postgresql":
        return False
    with db.engine.connect() as connection:
        return bool(connection.scalar(text(waiting)))


@pytest.fixture
def nothing_daily(monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk has no schedules of its own: whether one falls due depends on the time of day."""
    monkeypatch.setattr(own, "listed", list)
