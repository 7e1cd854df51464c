"""The ledger of jobs: how soon a worker begins, how many small jobs it does, and what a million finished ones cost."""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import func, insert, select, text

from benchmarks import services
from benchmarks.figures import Figure
from helpdesk.app import create_app
from helpdesk.core import schema
from helpdesk.core.config import Config
from helpdesk.core.extensions import db
from helpdesk.core.jobs import claims, ledger
from helpdesk.core.models import Job
from helpdesk.core.transaction import transaction

WAKES, MANY, TURNS, FINISHED, CLAIMS = 200, 400, 4, 1_000_000, 50
SLOWEST_WAKE = {"SQLite": 200.0, "Redis": 50.0}
LEAST_OF_HUEY = 60.0
THREADS = 2

_PLUGIN = '''"""Small jobs: one does nothing, one writes a row."""
import time

from helpdesk.api import Job, db, hookimpl
from helpdesk.core.models import Tag


def tell_when():
    return {"at": time.time()}


def write(number):
    db.session.add(Tag(name=f"job {number}"))


@hookimpl
def register_jobs():
    nothing = Job("bench.nothing", lambda number: None)
    return [Job("bench.tell", tell_when), nothing, Job("bench.row", write)]
'''

# Huey with its own defaults, as one asks for its tasks or does them; it tells when the first and the last were done.
_BARE = """
import contextlib, json, logging, sys, threading, time
from huey import RedisHuey, SqliteHuey
kind, place, what, many, threads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
huey = SqliteHuey("bare", filename=place) if kind == "SQLite" else RedisHuey("bare", url=place)
done, lock = [], threading.Lock()
write = lambda number: None
if what == "row" and threads:
    from helpdesk.app import create_app
    from helpdesk.core.extensions import db
    from helpdesk.core.models import Tag
    from helpdesk.core.transaction import transaction
    app = create_app()
    def write(number):
        with app.app_context(), transaction():
            db.session.add(Tag(name=f"task {number}"))

@huey.task(name="small")
def small(number):
    began = time.time()
    write(number)
    with lock:
        done.append((began, time.time()))
        if len(done) == many:
            print(json.dumps([min(done)[0], max(end for _, end in done)]), flush=True)

if threads:
    logging.getLogger("huey").setLevel(logging.WARNING)
    huey.create_consumer(workers=threads, initial_delay=0.01, max_delay=0.08, graceful_signal="TERM").run()
else:
    began = time.time()
    for number in range(many):
        small(number + int(sys.argv[6]))
    print(json.dumps([began, time.time()]), flush=True)
"""


def measure() -> list[Figure]:
    """Wake-ups, throughput beside bare Huey, and claims beside a million finished jobs."""
    return [*_wakes(), *_throughput(), *_claims()]


# ---- wake-ups


def _wakes() -> Iterator[Figure]:
    for queue in ("SQLite", "Redis"):
        with services.redis() if queue == "Redis" else nullcontext("") as url, _desk(queue_url=url) as app:
            with _worker(app):
                times = sorted(_wake(app) for _turn in range(WAKES))
        yield Figure(f"wake-up to start on {queue}, p50", 1000 * times[WAKES // 2], "ms")
        yield Figure(f"wake-up to start on {queue}, p95", 1000 * times[WAKES * 95 // 100], "ms", SLOWEST_WAKE[queue])


def _wake(app: Flask) -> float:
    """Seconds from asking for a job to its first line, in another process that was idle."""
    time.sleep(random.uniform(0.05, 0.2))
    asked = time.time()
    with app.app_context():
        number = ledger.schedule("bench.tell").id
        result = _until(lambda: db.session.scalar(select(Job.result).where(Job.id == number)))
    return float(result["at"]) - asked


# ---- throughput


def _throughput() -> Iterator[Figure]:
    with _desk() as app, tempfile.TemporaryDirectory() as folder:
        yield from _side_by_side(app, "SQLite", f"{folder}/bare.db", "SQLite", {"nothing", "row"})
    with services.postgresql() as database, services.redis() as queue, services.redis() as other:
        with _desk(database_url=database, queue_url=queue) as app:
            # Without anything to write bare Huey touches no disk on Redis, and the ledger does: shown, not judged.
            yield from _side_by_side(app, "Redis", other, "PostgreSQL and Redis", {"row"})


def _side_by_side(app: Flask, kind: str, place: str, where: str, judged: set[str]) -> Iterator[Figure]:
    """Ask for small jobs one by one, then have them done, by turns with bare Huey: both meet the same disk."""
    for what, words in (("nothing", "that do nothing"), ("row", "that write a row")):
        spent = [_turn(app, kind, place, what, turn * MANY) for turn in range(TURNS)]
        bare_asks, asks, bare_does, does = (TURNS * MANY / sum(times) for times in zip(*spent, strict=True))
        yield Figure(f"small jobs {words} asked for, bare Huey on {kind}", bare_asks, "a second")
        yield Figure(f"small jobs {words} asked for, {where}", asks, "a second")
        yield Figure(f"small jobs {words} done, bare Huey on {kind}", bare_does, "a second")
        yield Figure(f"small jobs {words} done, {where}", does, "a second")
        least = LEAST_OF_HUEY if what in judged else None
        yield Figure(f"small jobs {words} done, {where}, of bare Huey", 100 * does / bare_does, "%", least=least)


def _turn(app: Flask, kind: str, place: str, what: str, first: int) -> tuple[float, float, float, float]:
    """Seconds that bare Huey and the ledger took to be asked, and to do it."""
    return (
        _bare(app, kind, place, what, 0, first),
        _ask(app, what, first),
        _bare(app, kind, place, what, THREADS, first),
        _do(app, what),
    )


def _bare(app: Flask, kind: str, place: str, what: str, threads: int, first: int) -> float:
    command = [sys.executable, "-c", _BARE, kind, place, what, str(MANY), str(threads), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environ(app)) as process:
        assert process.stdout is not None
        began, ended = json.loads(process.stdout.readline())
        process.terminate()
    return float(ended - began)


def _ask(app: Flask, what: str, first: int) -> float:
    with app.app_context():
        began = time.time()
        for number in range(first, first + MANY):
            ledger.schedule(f"bench.{what}", number=number)
        return time.time() - began


def _do(app: Flask, what: str) -> float:
    with app.app_context():
        waiting = select(func.min(Job.id)).where(Job.name == f"bench.{what}", Job.state == "waiting")
        mine = (Job.id >= db.session.scalar(waiting), Job.name == f"bench.{what}", Job.state == "done")
        with _worker(app):
            _until(lambda: db.session.scalar(select(func.count()).where(*mine)) == MANY, 0.25)
        began, ended = db.session.execute(
            select(func.min(Job.started_at), func.max(Job.finished_at)).where(*mine)
        ).one()
        return float((ended - began).total_seconds())


# ---- claims


def _claims() -> Iterator[Figure]:
    with _desk() as app, app.app_context():
        yield Figure("claiming 20 of 1,000 due jobs", _claim_time(), "ms")
        _add_finished()
        yield Figure(f"claiming 20 of 1,000 due jobs beside {FINISHED:,} finished", _claim_time(), "ms")


def _claim_time() -> float:
    """Milliseconds, the median of fifty."""
    with transaction():
        rows = [{"name": "bench.nothing", "args": {"number": number}} for number in range(1_000)]
        db.session.execute(insert(Job), rows)
    times = []
    for _turn in range(CLAIMS):
        began = time.perf_counter()
        claimed = claims.claim("bench")
        times.append(time.perf_counter() - began)
        assert len(claimed) == claims.BATCH
    return 1000 * statistics.median(times)


def _add_finished() -> None:
    columns = "name, args, run_at, state, attempts, max_attempts, error, created_at, started_at, finished_at"
    moment = "datetime('now', '-' || n || ' seconds')"
    values = f"'bench.nothing', '{{}}', {moment}, 'done', 1, 8, '', {moment}, {moment}, {moment}"
    numbers = f"WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < {FINISHED})"
    with transaction():
        db.session.execute(text(f"INSERT INTO job ({columns}) {numbers} SELECT {values} FROM r"))


# ---- around them


@contextmanager
def _desk(**options: Any) -> Iterator[Flask]:
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        (Path(folder) / "plugins").mkdir()
        (Path(folder) / "plugins" / "bench.py").write_text(_PLUGIN)
        app = create_app(Config(home=Path(folder), **options))
        with app.app_context():
            schema.upgrade()
            db.session.remove()
        yield app
        with app.app_context():
            db.engine.dispose()


@contextmanager
def _worker(app: Flask) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-m", "helpdesk.cli", "worker"], env=_environ(app)) as process:
        try:
            yield
        finally:
            process.terminate()


def _environ(app: Flask) -> dict[str, str]:
    config: Config = app.config["HELPDESK"]
    told = {"HOME": str(config.home), "DATABASE_URL": config.database_url, "QUEUE_URL": config.queue_url}
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HELPDESK_")}
    return clean | {f"HELPDESK_{key}": value for key, value in told.items()}


def _until(what: Callable[[], Any], pause: float = 0.005) -> Any:
    deadline = time.monotonic() + 300
    while not (found := what()):
        if time.monotonic() > deadline:
            raise RuntimeError("The worker did not do it.")
        db.session.rollback()
        time.sleep(pause)
    return found
