"""K3 and K4: many schedulers at once, clocks that jump, summer time: each due time runs once."""

import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from helpdesk.api import Job, Schedule
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import Job as JobRow
from helpdesk.core.models import ScheduleRun
from helpdesk.core.transaction import transaction
from tests.faults import figures
from tests.faults.desk import Desk, closing
from tests.faults.form import FORM

HERE = Path(__file__).parent
BEGIN = datetime(2026, 3, 28, 18, 0, tzinfo=UTC)  # the clocks of Berlin go forward in the night that follows
STEP = timedelta(minutes=1 if FORM == "long" else 15)
HOURS = 24
MISSED_BY_NONE = {"quarter": 96, "hourly": 24, "half_hourly": 48, "daily": 1}


@pytest.mark.parametrize("count", [2, 4, 8] if FORM == "long" else [3])
def test_k3_several_schedulers_on_one_database(home: Path, engines: dict[str, str], engine: str, count: int) -> None:
    with closing(Desk(home, **engines)) as desk:
        desk.add_plugin(HERE / "plugins" / "ticking.py")
        desk.write("CREATE TABLE ticking_row (kind TEXT, at TEXT)")
        with schedulers(desk, count) as tell:
            # What is due counts from the first look on.
            tell(BEGIN)
            moment = BEGIN
            while moment < BEGIN + timedelta(hours=HOURS):
                moment += STEP
                # A little after the time, each at its own moment.
                tell(moment + timedelta(seconds=1))
        taken = Counter(
            key for (key,) in desk.rows("SELECT schedule_key FROM schedule_run WHERE schedule_key LIKE 'ticking%'")
        )
        ran = Counter(name for (name,) in desk.rows("SELECT kind FROM ticking_row"))
        figures.keep(
            "K3",
            f"{engine}, {count} at once",
            simulated_hours=HOURS,
            due=sum(MISSED_BY_NONE.values()),
            run=ran.total(),
        )
        assert dict(ran) == MISSED_BY_NONE
        assert {key.partition(".")[2]: times for key, times in taken.items()} == MISSED_BY_NONE


@contextmanager
def schedulers(desk: Desk, count: int) -> Iterator[Callable[[datetime], None]]:
    """Processes that look at the same moment: ``tell(moment)`` and wait for all."""
    command = [sys.executable, str(HERE / "scheduler.py")]
    running = [
        subprocess.Popen(command, env=desk.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _number in range(count)
    ]

    def tell(moment: datetime) -> None:
        for process in running:
            assert process.stdin is not None
            apart = timedelta(milliseconds=random.randrange(500))
            process.stdin.write(f"{(moment + apart).isoformat()}\n")
            process.stdin.flush()
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline(), "a scheduler has ended"

    try:
        for process in running:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
        yield tell
    finally:
        for process in running:
            process.communicate()


ZONES = {
    "Europe/Berlin": ("2026-03-29", "2026-10-25"),
    "America/New_York": ("2026-03-08", "2026-11-01"),
    "Australia/Lord_Howe": ("2026-10-04", "2026-04-05"),
    "America/Santiago": ("2026-09-06", "2026-04-05"),
    "Africa/Casablanca": ("2026-03-22", "2026-02-15"),
    "Asia/Kolkata": ("2026-03-29", "2026-10-25"),
}
TIMES = (
    ("00:30", "02:15", "23:45") if FORM == "short" else ("00:00", "00:30", "01:45", "02:00", "02:15", "03:00", "23:45")
)


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """What plugins do every night is not what is counted here."""
    return {}


@pytest.fixture
def daily(app: Any, plug: Any) -> list[tuple[str, str, datetime]]:
    """Which daily jobs ran: zone, time, and when."""
    ran: list[tuple[str, str, datetime]] = []

    def tick(place: str, time: str) -> None:
        ran.append((place, time, now()))

    def register_schedules() -> list[Schedule]:
        return [
            Schedule(f"days.{number}", "days.tick", daily_at=at, zone=zone, args={"place": zone, "time": at})
            for number, (zone, at) in enumerate(product(ZONES, TIMES))
        ]

    plug("days", register_jobs=lambda: [Job("days.tick", tick)], register_schedules=register_schedules)
    return ran


@pytest.mark.parametrize("way", ["forward", "back"])
def test_k4_summer_time(daily: Any, run_jobs: Any, travel: Any, way: str) -> None:
    """Once on each local day, whatever the clocks of the place do that night."""
    days = 3
    for zone, dates in ZONES.items():
        change = date.fromisoformat(dates[way == "back"])
        start = datetime.combine(change - timedelta(days=1), datetime.min.time(), ZoneInfo(zone)).astimezone(UTC)
        moment = start - timedelta(minutes=5)
        travel(to=moment)
        run_jobs()
        # As if it were another desk: what ran on the same days while the zone before was looked at is kept as taken.
        with transaction():
            db.session.execute(db.delete(ScheduleRun))
        daily.clear()
        while moment < start + timedelta(days=days + 1):
            moment += timedelta(minutes=60 if FORM == "short" else 10)
            travel(to=moment)
            run_jobs()
        wanted = {change + timedelta(days=offset) for offset in (-1, 0, 1)}
        for at in TIMES:
            seen = Counter(
                moment.astimezone(ZoneInfo(zone)).date() for where, time, moment in daily if (where, time) == (zone, at)
            )
            # What is due just before midnight may run just after it.
            if at != "23:45":
                assert {day: times for day, times in seen.items() if day in wanted} == dict.fromkeys(wanted, 1), (
                    zone,
                    at,
                )
            assert max(seen.values()) == 1, (zone, at)
    figures.keep(
        "K4", f"summer time, clocks put {way}", zones=len(ZONES), times_of_day=len(TIMES), days=days, doubled=0
    )


JUMPS = {
    "an hour back and forward again": [timedelta(hours=-1), timedelta(hours=1)],
    "an hour forward and back again": [timedelta(hours=1), timedelta(hours=-1)],
    "a year forward and back again": [timedelta(days=365), timedelta(days=-365)],
    "asleep for eight hours": [timedelta(hours=8)],
}


@pytest.mark.parametrize("name", JUMPS)
def test_k4_clocks_that_jump(daily: Any, run_jobs: Any, travel: Any, name: str) -> None:
    """Whatever the clock of the machine did, every later day has its run, none has two, and no span is negative."""
    zone, moment, wrong_by = "Europe/Berlin", datetime(2026, 5, 4, 0, 20, tzinfo=UTC), timedelta()
    travel(to=moment)
    run_jobs()
    daily.clear()
    jumps = {timedelta(hours=6 * (number + 1)): jump for number, jump in enumerate(JUMPS[name])}
    passed, step = timedelta(), timedelta(minutes=60 if FORM == "short" else 15)
    while passed < timedelta(days=4):
        passed += step
        if passed in jumps:
            wrong_by += jumps[passed]
            if len(jumps) == 1:
                # Asleep: real time has gone on as well.
                moment, wrong_by = moment + wrong_by, timedelta()
        travel(to=moment + passed + wrong_by)
        run_jobs()
    for at in TIMES:
        seen = Counter(
            when.astimezone(ZoneInfo(zone)).date()
            for where, time, when in daily
            if (where, time) == (zone, at) and when.year == moment.year
        )
        whole = [date(2026, 5, day) for day in (5, 6, 7)]
        assert [seen[day] for day in whole] == [1, 1, 1], (at, seen)
        assert max(seen.values()) == 1, (at, seen)
    db.session.rollback()
    spans = [
        row.finished_at - row.started_at
        for row in db.session.scalars(db.select(JobRow))
        if row.finished_at and row.started_at
    ]
    figures.keep(
        "K4", name, days=4, runs=len(daily), doubled=0, negative_durations=sum(span < timedelta() for span in spans)
    )
    assert spans and min(spans) >= timedelta()


def test_k4_a_clock_put_back_while_a_job_runs(plug: Any, app: Any, run_jobs: Any, travel: Any) -> None:
    plug("days", register_jobs=lambda: [Job("days.slow", lambda: travel(hours=-1) and None)])
    ledger.schedule("days.slow")
    assert run_jobs() == 1
    row = db.session.scalars(db.select(JobRow)).one()
    assert row.state == "done" and row.started_at <= row.finished_at
