"""Jobs in steps, and what can be asked of the ledger beside running: limits, priorities, cancelling, what is kept."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from helpdesk.api import (
    LATER,
    SOON,
    Cancelled,
    NotYet,
    Work,
    db,
    now,
    schedule,
    transaction,
)
from helpdesk.api import Job as JobContribution
from helpdesk.core.jobs import claims, heartbeat, ledger, retention, runner, workers
from helpdesk.core.models import Job, QuarantinedMessage, SignInAttempt, Team, Worker
from helpdesk.core.transaction import Busy

pytestmark = pytest.mark.usefixtures("nothing_daily")


def only() -> Job:
    return db.session.scalars(select(Job)).one()


def teams() -> list[str]:
    return list(db.session.scalars(select(Team.name).order_by(Team.id)))


@pytest.fixture
def declare(plug: Any) -> Any:
    """Declare the jobs of the plugin "probe": ``declare(work=function)`` is the job "probe.work"."""

    def go(**functions: Any) -> None:
        jobs = [
            function if isinstance(function, JobContribution) else JobContribution(f"probe.{name}", function)
            for name, function in functions.items()
        ]
        plug("probe", register_jobs=lambda: jobs)

    return go


# ---- short jobs


@pytest.mark.db
def test_the_effect_of_a_short_job_and_its_end_are_one_transaction(declare: Any, run_jobs: Any) -> None:
    def write(number: int) -> dict[str, int]:
        with transaction():
            db.session.add(Team(name=f"team {number}"))
        if number == 1 and db.session.scalars(select(Job.attempts).where(Job.id == 1)).one() == 1:
            raise RuntimeError("after what looked like a commit")
        return {"written": number}

    declare(work=write)
    for number in (1, 2):
        schedule("probe.work", number=number)
    assert run_jobs() == 2
    assert teams() == ["team 2"]
    first, second = db.session.scalars(select(Job).order_by(Job.id))
    assert (first.state, first.result) == ("waiting", None)
    assert (second.state, second.result, second.started_at is not None) == ("done", {"written": 2}, True)


@pytest.mark.db
def test_what_a_job_has_written_goes_when_it_was_lost_meanwhile(declare: Any, run_jobs: Any, travel: Any) -> None:
    def slow() -> None:
        db.session.add(Team(name="by the slow one"))
        db.session.execute(db.update(Job).values(token="somebody else's"))

    declare(work=slow)
    schedule("probe.work")
    assert run_jobs() == 1
    assert teams() == [] and only().state == "running"
    travel(seconds=ledger.lease().total_seconds() + 1)
    (again,) = claims.claim("other")
    assert again.attempt == 2


# ---- steps


@pytest.mark.db
def test_a_job_in_steps_goes_on_where_it_was(declare: Any, run_jobs: Any, travel: Any) -> None:
    runs: list[tuple[int, Any]] = []

    def count(work: Work, upto: int) -> None:
        runs.append((work.attempt, work.checkpoint))
        for number in range((work.checkpoint or {"next": 0})["next"], upto):
            with work.step(checkpoint={"next": number + 1}, done=number + 1, total=upto):
                db.session.add(Team(name=f"step {number}"))
                if number == 2 and work.attempt == 1:
                    raise RuntimeError("in the middle")
        with work.last_step(result={"steps": upto}):
            db.session.add(Team(name="end"))

    declare(work=count)
    schedule("probe.work", upto=4)
    run_jobs()
    job = only()
    assert (job.state, job.checkpoint, job.progress_done, job.progress_total) == ("waiting", {"next": 2}, 2, 4)
    travel(minutes=1)
    run_jobs()
    assert runs == [(1, None), (2, {"next": 2})]
    assert teams() == ["step 0", "step 1", "step 2", "step 3", "end"]
    assert (job.state, job.result, job.progress_done, job.attempts) == ("done", {"steps": 4}, 4, 2)


@pytest.mark.db
def test_steps_of_a_worker_that_lost_its_job_write_nothing(declare: Any, run_jobs: Any) -> None:
    after: list[str] = []

    def slow(work: Work) -> None:
        with transaction():
            db.session.execute(db.update(Job).values(token="somebody else's"))
        with work.step():
            after.append("inside")
        after.append("behind")

    declare(work=slow)
    schedule("probe.work")
    assert run_jobs() == 1 and after == [] and only().state == "running"


def test_a_job_in_steps_that_just_returns_is_done(declare: Any, run_jobs: Any) -> None:
    declare(work=lambda work: {"seen": work.attempt})
    schedule("probe.work")
    assert run_jobs() == 1
    assert (only().state, only().result) == ("done", {"seen": 1})


@pytest.mark.db
def test_what_runs_in_steps_stops_when_somebody_wants_it(declare: Any, run_jobs: Any) -> None:
    tidied: list[bool] = []

    def long(work: Work) -> None:
        with work.step(checkpoint={"at": 1}):
            db.session.add(Team(name="first"))
        assert ledger.cancel(only()) and only().state == "running"
        try:
            with work.step():
                db.session.add(Team(name="second"))
        except Cancelled:
            tidied.append(True)
            raise

    declare(work=long)
    schedule("probe.work")
    run_jobs()
    job = only()
    assert (job.state, tidied, teams()) == ("cancelled", [True], ["first"])
    assert ledger.retry(job) and not job.cancel_asked and job.checkpoint == {"at": 1}


def test_what_was_to_stop_is_not_tried_again(declare: Any, run_jobs: Any) -> None:
    def unlucky(work: Work) -> None:
        assert ledger.cancel(only())
        raise RuntimeError("before its next step")

    declare(work=unlucky)
    schedule("probe.work")
    run_jobs()
    assert only().state == "cancelled"


# ---- waiting


def test_not_yet_says_when_and_whether_it_counts(declare: Any, run_jobs: Any, travel: Any) -> None:
    def wait() -> None:
        raise NotYet("The channel is off.", after=timedelta(hours=2), counts=False)

    declare(work=JobContribution("probe.work", wait, max_attempts=2))
    schedule("probe.work")
    for _turn in range(5):
        assert run_jobs() == 1
        job = only()
        assert (job.state, job.attempts, job.error) == ("waiting", 0, "The channel is off.")
        assert timedelta(minutes=119) < job.run_at - now() <= timedelta(hours=2)
        travel(hours=2, seconds=1)


def test_pauses_are_those_that_the_job_declares(declare: Any, run_jobs: Any, travel: Any) -> None:
    def fail() -> None:
        raise RuntimeError("no luck")

    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    declare(work=JobContribution("probe.work", fail, max_attempts=5, first_pause=minute, last_pause=hour))
    schedule("probe.work")
    # The shortest and the longest that each can have been: it began while the job ran.
    pauses = []
    while (before := now()) and run_jobs() and only().state == "waiting":
        run_at = only().run_at
        pauses.append((run_at - now(), run_at - before))
        travel(to=run_at + timedelta(seconds=1))
    for (shortest, longest), about in zip(pauses, (1, 4, 16, 60), strict=True):
        assert shortest < minute * about * 1.2 and longest > minute * about * 0.8


# ---- given up


def fail(number: int) -> None:
    raise RuntimeError("no luck")


def of(name: str) -> list[Job]:
    return list(db.session.scalars(select(Job).where(Job.name == name).order_by(Job.id)))


def lose(job: Job) -> None:
    """Two workers have died of a job, and the third is not heard of."""
    with transaction():
        job.state, job.deaths, job.attempts, job.token = "running", 2, 2, "lost"
        job.started_at = job.lease_until = now() - timedelta(minutes=5)


@pytest.mark.db
def test_what_follows_from_giving_up_is_a_job_of_its_own(declare: Any, run_jobs: Any, travel: Any) -> None:
    called: list[int] = []

    def given_up(number: int, reason: str) -> None:
        called.append(number)
        db.session.add(Team(name=f"{number}: {reason}"))
        if called == [7]:
            raise SystemExit("the plugin is broken")

    declare(work=JobContribution("probe.work", fail, max_attempts=1, given_up=given_up), good=lambda: None)
    schedule("probe.work", number=7)
    assert run_jobs() == 2
    (job,), (follows,) = of("probe.work"), of("core.given_up")
    assert (job.state, job.error) == ("failed", "RuntimeError: no luck")
    assert (follows.state, follows.error, teams()) == ("waiting", "SystemExit: the plugin is broken", [])
    schedule("probe.good")
    travel(minutes=1)
    assert run_jobs() == 2 and of("probe.good")[0].state == "done"
    assert follows.state == "done" and called == [7, 7] and teams() == ["7: RuntimeError: no luck"]


@pytest.mark.db
def test_nothing_of_a_plugin_runs_while_lost_jobs_are_taken_back(declare: Any, run_jobs: Any) -> None:
    called: list[str] = []

    def given_up(number: int, reason: str) -> None:
        called.append(reason)

    declare(work=JobContribution("probe.work", fail, given_up=given_up))
    job = schedule("probe.work", number=7)
    lose(job)
    assert claims.claim("w") == [] and job.state == "failed" and called == []
    run_jobs()
    assert called == ["Its worker ended 3 times without finishing it."]


def test_nothing_follows_when_somebody_has_retried_it(declare: Any, run_jobs: Any) -> None:
    called: list[int] = []

    def given_up(number: int, reason: str) -> None:
        called.append(number)

    declare(work=JobContribution("probe.work", fail, max_attempts=2, given_up=given_up))
    job = schedule("probe.work", number=7)
    lose(job)
    claims.claim("w")
    assert ledger.retry(job)
    run_jobs()
    assert job.state == "waiting" and of("core.given_up")[0].state == "done" and called == []


# ---- workers that live


@pytest.mark.db
def test_a_desk_that_takes_nothing_for_a_while_is_no_death(declare: Any, run_jobs: Any, monkeypatch: Any) -> None:
    begun: list[int] = []

    def wait() -> None:
        begun.append(1)
        raise NotYet("Not now.", after=timedelta(hours=1), counts=False)

    errors = [Busy("The desk is busy."), OperationalError("UPDATE job", {}, Exception("the server is starting"))]
    really = claims.retry_later

    def settle(*arguments: Any, **options: Any) -> bool:
        if errors:
            raise errors.pop()
        return really(*arguments, **options)

    monkeypatch.setattr(runner, "_PAUSE", 0)
    monkeypatch.setattr(claims, "retry_later", settle)
    declare(work=wait, good=lambda: None)
    job = schedule("probe.work")
    good = schedule("probe.good")
    with transaction():
        job.deaths = 2
    assert run_jobs() == 2 and len(begun) == 1
    assert (job.state, job.attempts, job.deaths, job.error) == ("waiting", 0, 0, "Not now.")
    assert good.state == "done"


def test_a_worker_that_is_to_end_does_not_wait_for_the_desk(app: Any, declare: Any, monkeypatch: Any) -> None:
    app.extensions[runner.STOPPING] = threading.Event()

    def wait() -> None:
        app.extensions[runner.STOPPING].set()
        raise NotYet("Not now.")

    def busy(*_arguments: Any, **_options: Any) -> bool:
        raise Busy("The desk is busy.")

    monkeypatch.setattr(claims, "retry_later", busy)
    declare(work=wait)
    job = schedule("probe.work")
    with pytest.raises(Busy):
        runner.run_due()
    db.session.rollback()
    assert job.state == "running" and job.worker is not None
    claims.give_back(job.worker)
    assert (job.state, job.attempts, job.deaths) == ("waiting", 0, 0)


@pytest.mark.db
def test_a_process_does_not_take_its_own_jobs_back_when_it_wakes(app: Any, declare: Any, travel: Any) -> None:
    app.extensions[heartbeat.EXTENSION] = heartbeat.Heartbeat(app)
    attempts: list[int] = []

    def long(work: Work) -> None:
        attempts.append(work.attempt)
        travel(hours=8)
        # Another thread of the process looks for work before the leases are lengthened.
        assert runner.run_due() == 0
        assert [one.attempt for one in claims.claim("another process")] == [2], "others may"

    declare(work=long)
    job = schedule("probe.work")
    assert runner.run_due() == 1
    db.session.rollback()
    assert attempts == [1] and (job.state, job.worker) == ("running", "another process")


# ---- which goes first, and how many at once


@pytest.mark.db
def test_what_somebody_waits_for_goes_first(declare: Any) -> None:
    declare(late=JobContribution("probe.late", lambda: None, priority=LATER), other=lambda: None)
    late, normal = schedule("probe.late"), schedule("probe.other")
    soon = schedule("probe.other", priority=SOON)
    future = schedule("probe.other", at=now() + timedelta(hours=1), priority=SOON)
    assert [one.id for one in claims.claim("w")] == [soon.id, normal.id, late.id]
    assert future.state == "waiting"


def test_a_job_in_steps_ends_its_batch(declare: Any) -> None:
    declare(short=lambda: None, long=lambda work: None)
    numbers = [schedule(f"probe.{name}").id for name in ("short", "long", "short", "long")]
    assert [one.id for one in claims.claim("a")] == numbers[:2]
    assert [one.id for one in claims.claim("b")] == numbers[2:]


@pytest.mark.db
def test_no_more_run_at_once_than_the_job_allows(declare: Any, at_once: Any) -> None:
    declare(few=JobContribution("probe.few", lambda: None, at_once=2), other=lambda: None)
    with transaction():
        for _number in range(30):
            schedule("probe.few")
        other = schedule("probe.other")
    found = at_once(6, lambda place: claims.claim(f"worker {place}"))
    names = [one.name for claimed in found for one in claimed]
    assert names.count("probe.few") == 2
    assert names.count("probe.other") == 1, "it does not wait behind those that have to wait"
    (one, _two) = [one for claimed in found for one in claimed if one.name == "probe.few"]
    assert claims.claim("late") == []
    db.session.rollback()
    with transaction():
        claims.finish(one)
    assert [one.name for one in claims.claim("late")] == ["probe.few"]
    assert other.state == "running"


# ---- asking


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({}, "missing a required argument: 'ticket_id'"),
        ({"ticket_id": 1, "tickets": 2}, "unexpected keyword argument 'tickets'"),
        ({"ticket_id": 1, "work": 2}, "cannot have “work” among its arguments"),
    ],
)
def test_arguments_that_do_not_fit_are_refused_when_they_are_given(declare: Any, args: Any, message: str) -> None:
    def write(work: Work, ticket_id: int, text: str = "") -> None:
        pass

    declare(work=write)
    with pytest.raises(ValueError, match=message):
        schedule("probe.work", **args)
    schedule("probe.work", ticket_id=1)
    schedule("gone.away", **{**args, "work": None})


def test_a_job_is_declared_with_numbers_that_can_be() -> None:
    for wrong in (
        {"max_attempts": 0},
        {"at_once": 0},
        {"priority": 3},
        {"time_limit": timedelta(0)},
        {"first_pause": timedelta(hours=2), "last_pause": timedelta(hours=1)},
    ):
        with pytest.raises(ValueError, match="The job probe.work"):
            JobContribution("probe.work", print, **wrong)


def test_a_job_knows_who_asked_for_it_and_how_often_it_may_be_tried(declare: Any, make_user: Any) -> None:
    declare(work=JobContribution("probe.work", lambda: None, max_attempts=3))
    agent = make_user("agent")
    schedule("probe.work", asked_by=agent)
    schedule("probe.work", max_attempts=9, priority=LATER)
    with pytest.raises(ValueError, match="no priority 7"):
        schedule("probe.work", priority=7)
    first, second = db.session.scalars(select(Job).order_by(Job.id))
    assert (first.asked_by_id, first.max_attempts, first.priority) == (agent.id, 3, 1)
    assert (second.asked_by_id, second.max_attempts, second.priority) == (None, 9, LATER)


# ---- what is kept


@pytest.mark.db
def test_what_has_ended_long_ago_goes_and_what_has_failed_stays(
    app: Any, run_jobs: Any, travel: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(retention, "_BATCH", 2)
    long_ago = now() - timedelta(days=31)
    with transaction():
        for state in ("done", "cancelled", "failed", "done", "done"):
            db.session.add(Job(name="probe.old", state=state, finished_at=long_ago))
        db.session.add(Job(name="probe.new", state="done", finished_at=now() - timedelta(days=29)))
        db.session.add(Job(name="probe.waits", run_at=now() + timedelta(days=1)))
        db.session.add(QuarantinedMessage(queue="sqlite", data="", size=0, reason="old", found_at=long_ago))
        db.session.add(QuarantinedMessage(queue="sqlite", data="", size=0, reason="new"))
        silent = {"host": "elsewhere", "pid": 1, "version": "1", "queue": "redis", "threads": 2, "beat_at": long_ago}
        db.session.add(Worker(id="silent", **silent))
        for key, until in (("over", None), ("was-paused", long_ago), ("pauses", now() + timedelta(minutes=5))):
            db.session.add(SignInAttempt(key=key, window_start=long_ago, blocked_until=until))
        db.session.add(SignInAttempt(key="counts", window_start=now()))
    tidy = schedule(retention.JOB)
    run_jobs()
    left = [(job.name, job.state) for job in db.session.scalars(select(Job).where(Job.id != tidy.id).order_by(Job.id))]
    assert left == [("probe.old", "failed"), ("probe.new", "done"), ("probe.waits", "waiting")]
    assert [one.reason for one in db.session.scalars(select(QuarantinedMessage))] == ["new"]
    assert db.session.scalars(select(Worker)).all() == []
    assert set(db.session.scalars(select(SignInAttempt.key))) == {"pauses", "counts"}
    assert tidy.result == {"jobs": 4, "messages": 1, "notices": 0}


# ---- workers


@pytest.mark.db
def test_it_is_known_how_it_stands_with_the_workers(app: Any, travel: Any, monkeypatch: Any) -> None:
    assert workers.condition() == workers.NONE
    mine = workers.sign_on(2, "sqlite")
    assert workers.condition() == workers.FINE and [one.id for one in workers.beating()] == [mine.id]
    monkeypatch.setattr("helpdesk.__version__", "99.0")
    assert workers.condition() == workers.OTHER_VERSION
    travel(minutes=1)
    assert workers.condition() == workers.NONE and workers.beating() == []
    workers.beat(mine)
    assert workers.condition() == workers.OTHER_VERSION
    assert workers.bury() == 0, "this process lives"
    workers.sign_off(mine)
    workers.beat(mine)
    assert len(workers.beating()) == 1, "a row that was taken away comes back with the next beat"


@pytest.mark.db
def test_only_the_dead_of_this_machine_are_buried(app: Any) -> None:
    dead, elsewhere, restarted = (workers.sign_on(2, "sqlite") for _number in range(3))
    place = dead.process.rpartition("/")[0]
    with transaction():
        db.session.execute(db.update(Worker).where(Worker.id == dead.id).values(process=f"{place}/1"))
        db.session.execute(db.update(Worker).where(Worker.id == elsewhere.id).values(host="elsewhere", process="x/1/1"))
        db.session.execute(db.update(Worker).where(Worker.id == restarted.id).values(process="another-boot/1/1"))
        for worker in (dead, elsewhere, restarted):
            schedule("probe.work", worker=worker.id)
    for worker in (dead, elsewhere, restarted):
        claims.claim(worker.label, 1)
    assert workers.bury() == 1
    states = {job.worker: job.state for job in db.session.scalars(select(Job))}
    assert states == {dead.label: "waiting", elsewhere.label: "running", restarted.label: "running"}
    assert {worker.id for worker in db.session.scalars(select(Worker))} == {elsewhere.id, restarted.id}
