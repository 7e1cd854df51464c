"""Whatever happens to workers, in whatever order: no job is lost, and no effect is written twice."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import claims, ledger
from helpdesk.core.jobs.claims import Claim, LeaseLost
from helpdesk.core.models import Job, Tag
from helpdesk.core.transaction import transaction

WORKERS = 2
LEFT = ("waiting", "running")
RARE = ("ask", "fail", "begin_next", "crash", "give_back", "cancel", "retry")
# What matters most are workers that finish what they have lost: they have to lose and to finish often.
ACTS = (*RARE, *("ask", "claim", "finish", "expire") * 3)
# What is done, and to or by whom.
steps = st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, WORKERS - 1)), min_size=30, max_size=60)


class Desk:
    """Some workers with batches in their hands, and what they still believe to hold after they were taken for dead."""

    def __init__(self) -> None:
        self.hands: dict[int, list[Claim]] = {number: [] for number in range(WORKERS)}
        self.begun: dict[int, bool] = dict.fromkeys(range(WORKERS), False)
        self.asked: list[int] = []

    def ask(self, number: int) -> None:
        self.asked.append(ledger.schedule("probe.work", key=f"key {len(self.asked)}", priority=number).id)

    def claim(self, number: int) -> None:
        if not self.hands[number]:
            self.hands[number] = claims.claim(f"worker {number}", 3)
            self.begun[number] = True

    def finish(self, number: int) -> None:
        if not (self.hands[number] and self.begun[number]):
            return
        one, *rest = self.hands[number]
        self.hands[number], self.begun[number] = rest, False
        try:
            with transaction():
                # Not unique, so that a second one would be seen.
                db.session.add(Tag(name=f"{one.id} {one.token} {one.attempt}"))
                db.session.flush()
                self.begun[number] = claims.finish(one, None, rest[0] if rest else None)
        except LeaseLost:
            self.begun[number] = False

    def fail(self, number: int) -> None:
        if self.hands[number] and self.begun[number]:
            one, *rest = self.hands[number]
            self.begun[number] = claims.retry_later(one, "no luck", following=rest[0] if rest else None)
            self.hands[number] = rest

    def begin_next(self, number: int) -> None:
        if self.hands[number] and not self.begun[number]:
            self.begun[number] = claims.begin(self.hands[number][0])
            if not self.begun[number]:
                self.hands[number].pop(0)

    def crash(self, number: int) -> None:
        self.expire(number)
        self.hands[number] = []

    def expire(self, number: int) -> None:
        """Nobody has heard of a worker; it may come to itself, and go on with what it believes to hold."""
        past = now() - timedelta(seconds=1)
        with transaction():
            mine = (Job.worker == f"worker {number}", Job.state == "running")
            db.session.execute(update(Job).where(*mine).values(lease_until=past))

    def give_back(self, number: int) -> None:
        claims.give_back(f"worker {number}")

    def cancel(self, number: int) -> None:
        if self.asked:
            ledger.cancel(db.session.get_one(Job, self.asked[number % len(self.asked)]))

    def retry(self, number: int) -> None:
        if self.asked:
            ledger.retry(db.session.get_one(Job, self.asked[number % len(self.asked)]))

    def run_the_rest(self) -> None:
        """Every worker is gone, and a good one does what is left."""
        for number in range(WORKERS):
            self.crash(number)
        for _turn in range(50):
            with transaction():
                db.session.execute(update(Job).where(Job.state == "waiting").values(run_at=now()))
            self.claim(0)
            # What was taken back just now may have to wait: then nothing is in hands, and something is left.
            if not self.hands[0] and not db.session.scalar(select(Job.id).where(Job.state.in_(LEFT)).limit(1)):
                return
            while self.hands[0]:
                self.begin_next(0)
                self.finish(0)
        raise AssertionError("it never ends")


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps)
@example([("ask", 1), ("claim", 0), ("expire", 0), ("claim", 1), ("finish", 1), ("finish", 0)])
def test_nothing_is_lost_and_nothing_is_done_twice(app: Flask, happening: Any) -> None:
    with transaction():
        db.session.execute(delete(Tag))
        db.session.execute(delete(Job))
    desk = Desk()
    for act, number in happening:
        getattr(desk, act)(number)
        _check(desk)
    desk.run_the_rest()
    jobs = _check(desk)
    assert {job.state for job in jobs.values()} <= {"done", "cancelled", "failed"}
    for job in jobs.values():
        if job.state == "failed":
            assert job.deaths >= claims.DEATHS or job.attempts >= job.max_attempts


def _check(desk: Desk) -> dict[int, Job]:
    """Each job that was asked for is there; those that are done have written once, the others never."""
    jobs = {job.id: job for job in db.session.scalars(select(Job))}
    written = Counter(int(name.split()[0]) for name in db.session.scalars(select(Tag.name)))
    assert set(jobs) == set(desk.asked)
    assert {number: 1 for number, job in jobs.items() if job.state == "done"} == written
    assert all(
        (job.token is not None and job.lease_until is not None) for job in jobs.values() if job.state == "running"
    )
    return jobs
