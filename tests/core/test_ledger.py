"""The ledger of jobs: claimed by one, given back when lost, tried again with growing pauses, then parked."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.api import Job as JobContribution
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import claims, ledger
from helpdesk.core.models import Job, Team
from helpdesk.core.models.job import LATER
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.usefixtures("nothing_daily")


def only() -> Job:
    return db.session.scalars(select(Job)).one()


@pytest.fixture
def ran(plug: Any) -> list[dict[str, Any]]:
    """What the job "probe.work" was called with; it raises when it is told to."""
    calls: list[dict[str, Any]] = []

    def work(**arguments: Any) -> None:
        calls.append(arguments)
        if "raise" in arguments:
            raise RuntimeError(arguments["raise"])

    plug("probe", register_jobs=lambda: [JobContribution("probe.work", work)])
    return calls


# ---- asking


@pytest.mark.db
def test_a_job_is_part_of_the_transaction_that_asks_for_it(app: Any, ran: Any, run_jobs: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        with transaction():
            ledger.schedule("probe.work", number=1)
            raise ZeroDivisionError
    assert run_jobs() == 0
    with transaction():
        ledger.schedule("probe.work", number=2, words=["a", {"b": None}])
    assert run_jobs() == 1
    assert ran == [{"number": 2, "words": ["a", {"b": None}]}]
    job = only()
    assert (job.state, job.attempts, job.error) == ("done", 1, "") and job.finished_at is not None


def test_a_worker_is_woken_after_the_commit_at_the_right_time(app: Any) -> None:
    told: list[datetime] = []
    app.extensions[ledger.NUDGE] = told.append
    later = now() + timedelta(hours=3)
    with transaction():
        ledger.schedule("probe.work", at=later)
        assert told == []
    assert told == [later]


def test_a_queue_that_is_away_undoes_nothing(app: Any, ran: Any, run_jobs: Any) -> None:
    def away(_at: datetime) -> None:
        raise ConnectionError("no queue")

    app.extensions[ledger.NUDGE] = away
    ledger.schedule("probe.work")
    assert run_jobs() == 1 and len(ran) == 1


def test_what_cannot_be_kept_is_refused(app: Any) -> None:
    with pytest.raises(ValueError, match="must be JSON"):
        ledger.schedule("probe.work", thing=object())
    with pytest.raises(ValueError, match="time zone"):
        ledger.schedule("probe.work", at=datetime(2026, 1, 1))
    assert db.session.scalars(select(Job)).all() == []


@pytest.mark.db
def test_one_job_waits_under_a_key(app: Any, ran: Any, run_jobs: Any) -> None:
    ledger.schedule("probe.work", key="k", number=1)
    ledger.schedule("probe.work", key="k", number=2, at=now() + timedelta(hours=1))
    assert run_jobs() == 0, "the second call moved it"
    ledger.schedule("probe.work", key="k", number=3)
    assert run_jobs() == 1 and ran == [{"number": 3}]
    ledger.schedule("probe.work", key="k", number=4)
    assert run_jobs() == 1 and ran[-1] == {"number": 4}


def test_what_comes_while_it_runs_is_not_passed_over(plug: Any, run_jobs: Any) -> None:
    seen: list[int] = []

    def work(turn: int) -> None:
        seen.append(turn)
        if turn < 3:
            ledger.schedule("probe.work", key="k", turn=turn + 1)

    plug("probe", register_jobs=lambda: [JobContribution("probe.work", work)])
    ledger.schedule("probe.work", key="k", turn=1)
    assert run_jobs() == 3 and seen == [1, 2, 3]


@pytest.mark.db
def test_a_job_that_has_failed_once_keeps_its_pause_and_what_is_asked_for_then_runs(ran: Any, run_jobs: Any) -> None:
    ledger.schedule("probe.work", key="k", **{"raise": "no luck"})
    run_jobs()
    pause = only().run_at
    ledger.schedule("probe.work", key="k", number=2)
    assert run_jobs() == 1
    failed, other = db.session.scalars(select(Job).order_by(Job.id))
    assert (failed.state, failed.run_at, failed.key) == ("waiting", pause, None) and other.state == "done"


@pytest.mark.db
def test_a_key_asked_for_by_many_at_once_is_one_job(app: Any, at_once: Any) -> None:
    results = at_once(8, lambda place: ledger.schedule("probe.work", key="k", place=place).id)
    assert len(set(results)) == 1, results
    assert only().args["place"] in range(8)


@pytest.mark.db
def test_a_key_that_is_taken_and_free_again_is_asked_for_anew(app: Any, monkeypatch: Any) -> None:
    ledger.schedule("probe.work", key="k", by="another")
    looks: list[None] = []

    def look(*_arguments: Any) -> None:
        # First it was not written yet; then a worker has begun it before it could be found.
        if looks:
            db.session.execute(db.update(Job).values(key=None, state="running"))
        looks.append(None)

    monkeypatch.setattr(ledger, "_waiting", look)
    with transaction():
        db.session.add(Team(name="what else was written"))
        ledger.schedule("probe.work", key="k", by="me")
    jobs = db.session.scalars(select(Job).order_by(Job.id))
    found = [(job.args["by"], job.state, job.key) for job in jobs]
    assert found == [("another", "running", None), ("me", "waiting", "k")] and len(looks) == 2
    assert db.session.scalars(select(Team.name)).all() == ["what else was written"]


# ---- claiming


@pytest.mark.db
def test_each_job_is_claimed_by_one_worker(app: Any, at_once: Any) -> None:
    with transaction():
        for number in range(60):
            ledger.schedule("probe.work", number=number)

    def claim(place: int) -> list[int]:
        mine: list[int] = []
        while jobs := claims.claim(f"worker {place}", 7):
            mine += [job.id for job in jobs]
        return mine

    claimed = at_once(5, claim)
    numbers = [number for mine in claimed for number in mine]
    assert len(numbers) == len(set(numbers)) == 60


def test_only_what_is_due_is_claimed_oldest_first(app: Any, travel: Any) -> None:
    later = ledger.schedule("b", at=now() + timedelta(minutes=5)).id
    soon = ledger.schedule("a", at=now() - timedelta(minutes=1)).id
    assert [job.id for job in claims.claim("w")] == [soon]
    assert claims.claim("w") == []
    travel(minutes=6)
    assert later in [job.id for job in claims.claim("w")]


@pytest.mark.db
def test_a_worker_that_lost_its_lease_changes_nothing(app: Any, travel: Any) -> None:
    ledger.schedule("probe.work")
    (first,) = claims.claim("killed")
    assert claims.claim("other") == [], "it is held"
    travel(seconds=ledger.lease().total_seconds() + 1)
    (second,) = claims.claim("other")
    assert second.id == first.id and second.token != first.token and second.attempt == 2
    assert not claims.begin(first)
    with pytest.raises(claims.LeaseLost), transaction():
        db.session.add(Team(name="half"))
        claims.finish(first)
    assert only().state == "running" and db.session.scalars(select(Team)).all() == []
    with transaction():
        claims.finish(second)
    assert only().state == "done"
    with pytest.raises(claims.LeaseLost):
        claims.finish(second)


@pytest.mark.db
def test_a_job_that_kills_its_workers_is_not_run_for_ever(ran: Any, travel: Any, run_jobs: Any) -> None:
    ledger.schedule("probe.work", number=1)
    ledger.schedule("probe.work", number=2, priority=LATER)
    for _kill in range(3):
        poison, *_others = claims.claim("killed")
        assert poison.args == {"number": 1}
        travel(minutes=3)
        # It waits a little when it has happened twice, so that others go before it.
        assert len(claims.claim("looks", 0)) == 0
        travel(seconds=15)
    run_jobs()
    jobs = {job.args["number"]: job for job in db.session.scalars(select(Job))}
    assert (jobs[1].state, jobs[1].error) == ("failed", "Its worker ended 3 times without finishing it.")
    assert (jobs[2].state, jobs[2].attempts) == ("done", 1), "what had not begun is not blamed"
    assert ran == [{"number": 2}]


# ---- failing


@pytest.mark.db
def test_a_failure_is_tried_again_with_growing_pauses_then_parked(ran: Any, run_jobs: Any, travel: Any) -> None:
    ledger.schedule("probe.work", max_attempts=4, **{"raise": "no luck"})
    bounds = []
    while True:
        before = now()
        run_jobs()
        job = only()
        if job.state != "waiting":
            break
        assert job.error == "RuntimeError: no luck"
        # It failed at a moment between the two.
        bounds.append([(job.run_at - moment).total_seconds() for moment in (now(), before)])
        travel(to=job.run_at, seconds=1)
    assert (job.state, job.attempts) == ("failed", 4) and len(ran) == 4
    for (shortest, longest), (least, most) in zip(bounds, ((7, 13), (31, 49), (127, 193)), strict=True):
        assert shortest < most and longest > least
    assert run_jobs() == 0

    assert ledger.retry(job)
    assert (job.state, job.attempts) == ("waiting", 0) and run_jobs() == 1


def test_a_pause_has_an_end(ran: Any, travel: Any, run_jobs: Any) -> None:
    ledger.schedule("probe.work", max_attempts=1000, **{"raise": "no luck"})
    with transaction():
        only().attempts = 900
    run_jobs()
    assert timedelta(hours=4) < only().run_at - now() < timedelta(hours=8)


@pytest.mark.db
def test_a_failed_job_leaves_nothing_half_written_and_stops_no_other(plug: Any, run_jobs: Any) -> None:
    def spoil() -> None:
        with transaction():
            db.session.add(Team(name="half"))
            db.session.flush()
            raise RuntimeError("broken")

    def poison() -> None:
        db.session.execute(db.text("SELECT * FROM no_such_table"))

    done: list[int] = []
    jobs = [JobContribution("probe.spoil", spoil), JobContribution("probe.poison", poison)]
    plug("probe", register_jobs=lambda: [*jobs, JobContribution("probe.good", lambda: done.append(1))])
    for name in ("probe.spoil", "probe.poison", "probe.good"):
        ledger.schedule(name)
    assert run_jobs() == 3
    states = {job.name: job.state for job in db.session.scalars(select(Job))}
    assert states == {"probe.spoil": "waiting", "probe.poison": "waiting", "probe.good": "done"}
    assert done == [1] and db.session.scalars(select(Team)).all() == []


def test_a_job_of_a_plugin_that_is_gone_is_parked_with_its_arguments(run_jobs: Any) -> None:
    ledger.schedule("gone.work", number=7)
    assert run_jobs() == 1
    job = only()
    assert (job.state, job.args) == ("failed", {"number": 7}) and "switch its plugin on" in job.error


# ---- by hand


def test_only_what_has_not_begun_is_cancelled(app: Any, run_jobs: Any) -> None:
    ledger.schedule("probe.work", key="k")
    job = only()
    assert ledger.cancel(job) and job.state == "cancelled" and job.key is None
    assert not ledger.cancel(job) and run_jobs() == 0
    assert ledger.retry(job) and not ledger.retry(job)
    (claimed,) = claims.claim("w")
    assert not ledger.cancel(claimed) and not ledger.retry(claimed)


def test_looking_for_work_writes_nothing(app: Any, count_queries: Any) -> None:
    with count_queries() as statements:
        assert claims.claim("w") == []
    assert len(statements) == 1 and statements[0].startswith("SELECT")
