"""Real worker processes: woken by the queue, stopped in order, killed, and given jobs that never end."""

import os
import pickle
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import huey as bridge
from helpdesk.core.jobs import ledger, workers
from helpdesk.core.jobs.huey import EXTENSION
from helpdesk.core.models import Job, QuarantinedMessage, Team, Worker
from helpdesk.core.transaction import transaction

pytestmark = pytest.mark.slow

# Seconds: what a busy machine may take to start a worker.
PATIENCE = 120.0

# A plugin of one file in the home of the test: the workers and the test have the same jobs.
PROBE = '''
"""Jobs that wait, hang and kill."""
import os
import time
from datetime import timedelta
from pathlib import Path

from flask import current_app

from helpdesk.api import Job, hookimpl
from helpdesk.core.extensions import db
from helpdesk.core.models import Team

HOME = Path(__file__).parent.parent


def wait_for(name):
    while not (HOME / name).exists():
        time.sleep(0.01)


def found(word):
    db.session.add(Team(name=word))


def hold():
    (HOME / "began").touch()
    while not current_app.extensions["helpdesk.stopping"].is_set():
        time.sleep(0.01)
    found("held")


def count(work):
    first = (work.checkpoint or {"next": 0})["next"]
    for number in range(first, 5):
        with work.step(checkpoint={"next": number + 1}, done=number + 1, total=5):
            found(f"step {number} of attempt {work.attempt}")
        if number == 2:
            (HOME / "began").touch()
            wait_for("go")
    with work.last_step(result={"counted": 5}):
        found("last step")


def die():
    os.kill(os.getpid(), 9)


def hang():
    while True:
        pass


def sleep(work):
    time.sleep(3600)


@hookimpl
def register_jobs():
    second = timedelta(seconds=1)
    return [
        Job("probe.found", found),
        Job("probe.hold", hold),
        Job("probe.count", count),
        Job("probe.die", die, first_pause=second, last_pause=second),
        Job("probe.hang", hang, time_limit=second, max_attempts=1),
        Job("probe.sleep", sleep, time_limit=second, max_attempts=1),
    ]
'''


@pytest.fixture
def desk(home: Path, make_app: Any, request: Any) -> Iterator[Flask]:
    """A desk with that plugin, whose workers are told of work."""
    (home / "plugins").mkdir(exist_ok=True)
    (home / "plugins" / "probe.py").write_text(PROBE)
    app: Flask = make_app(None, lease_seconds=3600)
    bridge.create(app)
    with app.app_context():
        yield app


@pytest.fixture
def start(home: Path, desk: Flask) -> Iterator[Callable[[], subprocess.Popen[str]]]:
    """Start a worker process of the desk; those that are left are killed."""
    started: list[subprocess.Popen[str]] = []

    def go() -> subprocess.Popen[str]:
        config = desk.config["HELPDESK"]
        told = {"DATABASE_URL": config.database_url, "QUEUE_URL": config.queue_url, "LEASE_SECONDS": "3600"}
        environ = {**os.environ, "HELPDESK_HOME": str(home), **{f"HELPDESK_{key}": word for key, word in told.items()}}
        command = [sys.executable, "-m", "helpdesk.cli", "worker"]
        with (home / "worker.log").open("a") as written:
            started.append(subprocess.Popen(command, env=environ, stdout=written, stderr=written, text=True))
        return started[-1]

    yield go
    for process in started:
        process.kill()
        process.wait()


def until(what: Callable[[], Any]) -> Any:
    """Wait for something to become true, and answer it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
        db.session.rollback()
    return found


def has(job: Job, state: str) -> Callable[[], bool]:
    number = job.id
    return lambda: db.session.scalar(select(Job.state).where(Job.id == number)) == state


def put_aside() -> int:
    return db.session.scalar(select(func.count()).select_from(QuarantinedMessage)) or 0


def end(process: subprocess.Popen[str], home: Path) -> None:
    process.terminate()
    assert process.wait(PATIENCE) == 0, (home / "worker.log").read_text()
    db.session.rollback()


# ---- woken


@contextmanager
def redis_at(folder: Path) -> Iterator[None]:
    """A Redis of the test's own, which it may end."""
    import redis

    place = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(place), "--save", "", "--dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        try:
            with redis.Redis.from_url(f"unix://{place}") as client:
                deadline = time.monotonic() + PATIENCE
                while True:
                    try:
                        client.ping()
                        break
                    except redis.exceptions.ConnectionError:
                        assert time.monotonic() < deadline
                        time.sleep(0.02)
            yield
        finally:
            process.terminate()


@pytest.mark.parametrize("queue", ["sqlite", "redis"])
def test_a_worker_does_what_is_due_and_puts_aside_what_it_was_not_sent(
    desk: Flask, home: Path, start: Any, queue: str, request: Any
) -> None:
    if queue == "redis":
        desk.config["HELPDESK"] = replace(desk.config["HELPDESK"], queue_url=request.getfixturevalue("redis_url"))
        bridge.create(desk)
    storage = desk.extensions[EXTENSION].storage
    storage.enqueue(pickle.dumps("run this"))
    first = ledger.schedule("probe.found", word="first")
    process = start()
    until(has(first, "done"))
    # One after the other: the threads of the worker put aside what they find side by side.
    until(lambda: put_aside() == 1)
    (worker,) = workers.beating()
    assert (worker.pid, worker.queue, workers.condition()) == (process.pid, queue, workers.FINE)
    storage.enqueue(b"x" * 100_000)
    second = ledger.schedule("probe.found", word="second")
    until(has(second, "done"))
    until(lambda: put_aside() == 2)
    # We never ask Huey for something at a time; whoever can write into its queue might.
    storage.add_to_schedule(b"at a time", now().replace(tzinfo=None) - timedelta(minutes=1))
    until(lambda: put_aside() == 3)
    end(process, home)
    kept = list(db.session.scalars(select(QuarantinedMessage).order_by(QuarantinedMessage.id)))
    assert [(one.queue, "signature" in one.reason, one.size) for one in kept] == [
        (queue, True, len(pickle.dumps("run this"))),
        (queue, False, 100_000),
        (queue, True, len(b"at a time")),
    ]
    assert workers.beating() == [] and workers.condition() == workers.NONE


def test_what_is_due_is_done_even_when_the_queue_was_lost(desk: Flask, home: Path, start: Any) -> None:
    job = ledger.schedule("probe.found", word="lost")
    for file in home.glob("queue.sqlite3*"):
        file.unlink()
    process = start()
    until(has(job, "done"))
    end(process, home)


def test_a_redis_that_goes_away_and_comes_back_stops_nothing(desk: Flask, home: Path, start: Any) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("needs Redis: apt-get install redis-server")
    desk.config["HELPDESK"] = replace(desk.config["HELPDESK"], queue_url=f"unix://{home / 'redis.sock'}")
    bridge.create(desk)
    with redis_at(home):
        process = start()
        until(has(ledger.schedule("probe.found", word="with"), "done"))
    until(lambda: "The queue cannot be read" in (home / "worker.log").read_text())
    until(has(ledger.schedule("probe.found", word="without"), "done"))
    with redis_at(home):
        until(lambda: "The queue is back" in (home / "worker.log").read_text())
        until(has(ledger.schedule("probe.found", word="with again"), "done"))
        end(process, home)


# ---- stopped


@pytest.mark.db
def test_what_runs_is_finished_and_what_has_not_begun_is_put_back(desk: Flask, home: Path, start: Any) -> None:
    with transaction():
        running = ledger.schedule("probe.hold")
        behind = [ledger.schedule("probe.found", word=f"behind {number}") for number in range(2)]
    process = start()
    until((home / "began").exists)
    end(process, home)
    # On PostgreSQL the two threads may have shared them out when they came.
    by_the_other = [job for job in behind if job.state == "done"] if db.engine.dialect.name == "postgresql" else []
    assert running.state == "done"
    names = {"held", *(job.args["word"] for job in by_the_other)}
    assert set(db.session.scalars(select(Team.name))) == names
    back = [(job.state, job.attempts, job.token, job.started_at) for job in behind if job not in by_the_other]
    assert back == [("waiting", 0, None, None)] * (2 - len(by_the_other))
    assert db.session.scalars(select(Worker)).all() == []


# ---- killed


@pytest.mark.db
def test_the_next_worker_goes_on_at_once_where_a_killed_one_was(desk: Flask, home: Path, start: Any) -> None:
    job = ledger.schedule("probe.count")
    process = start()
    until((home / "began").exists)
    process.kill()
    process.wait()
    db.session.rollback()
    assert job.state == "running" and job.lease_until is not None and (job.lease_until - now()).total_seconds() > 3000
    assert (job.checkpoint, job.progress_done, job.progress_total) == ({"next": 3}, 3, 5)
    (home / "go").touch()
    process = start()
    until(has(job, "done"))
    end(process, home)
    assert (job.attempts, job.result, job.progress_done) == (2, {"counted": 5}, 5)
    names = list(db.session.scalars(select(Team.name).order_by(Team.id)))
    steps = [f"step {number} of attempt {1 if number < 3 else 2}" for number in range(5)]
    assert names == [*steps, "last step"], "each step once"


def test_a_job_that_kills_its_workers_is_given_up(desk: Flask, home: Path, start: Any) -> None:
    with transaction():
        poison = ledger.schedule("probe.die")
        # The first of three: after it as after the second it is tried again.
        poison.deaths = 1
        others = [ledger.schedule("probe.found", word=f"other {number}") for number in range(3)]
    for _death in range(2):
        assert start().wait(PATIENCE) == -signal.SIGKILL
    process = start()
    until(has(poison, "failed"))
    for other in others:
        until(has(other, "done"))
    end(process, home)
    assert (poison.deaths, poison.error) == (3, "Its worker ended 3 times without finishing it.")
    assert len(list(db.session.scalars(select(Team)))) == 3


# ---- too long


def test_a_job_that_takes_too_long_is_stopped(desk: Flask, home: Path, start: Any) -> None:
    job = ledger.schedule("probe.hang")
    process = start()
    until(has(job, "failed"))
    assert job.error == "It took longer than 1 s and was stopped."
    until(has(ledger.schedule("probe.found", word="after"), "done"))
    end(process, home)


@pytest.mark.faults
def test_a_process_is_replaced_when_a_job_in_it_cannot_be_stopped(desk: Flask, home: Path, start: Any) -> None:
    stuck = ledger.schedule("probe.sleep")
    process = start()
    until(has(stuck, "failed"))
    (before,) = [worker.id for worker in workers.beating()]
    assert stuck.error == "It took longer than 1 s and was stopped."
    until(lambda: [worker.id for worker in workers.beating()] not in ([before], []))
    assert process.poll() is None, "it has turned into a fresh one"
    until(has(ledger.schedule("probe.found", word="after"), "done"))
    end(process, home)
