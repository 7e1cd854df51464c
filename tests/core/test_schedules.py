"""Schedules: each due time runs once, whatever workers, clocks and switches do; rules are in test_schedule_rules."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helpdesk.api import Job as JobContribution
from helpdesk.api import Schedule as Contribution
from helpdesk.core import holding, plugin_states, schedules, settings
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger, runner
from helpdesk.core.models import AuditEntry, Job, Schedule, ScheduleRun
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.schedules import own
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import transaction

JANUARY = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)  # a Wednesday


@pytest.mark.parametrize(
    ("given_", "words"),
    [
        ({}, "either every or daily_at or crontab"),
        ({"every": timedelta(hours=1), "daily_at": "03:00"}, "either every or daily_at or crontab"),
        ({"every": timedelta(seconds=1)}, "a minute at least"),
        ({"every": timedelta(days=-1)}, "a minute at least"),
        ({"daily_at": "3:00"}, "HH:MM"),
        ({"daily_at": "24:00"}, "HH:MM"),
        ({"daily_at": "03:00", "weekdays": (7,)}, "0 (Monday)"),
        ({"daily_at": "03:00", "weekdays": (True,)}, "0 (Monday)"),
        ({"daily_at": "03:00", "zone": "Mars/Olympus"}, "time zone"),
        ({"daily_at": "03:00", "zone": "../../etc/passwd"}, "time zone"),
        ({"every": timedelta(hours=1), "zone": "UTC"}, "a zone together with daily_at or crontab"),
        ({"crontab": "0 3 * *"}, "five fields"),
        ({"crontab": "0 3 * * *", "daily_at": "03:00"}, "either every or daily_at or crontab"),
        ({"crontab": "0 3 * * *", "month_days": (1,)}, "together with daily_at"),
        ({"daily_at": "03:00", "month_days": (0,)}, "from 1 to 31"),
        ({"daily_at": "03:00", "month_days": (1,), "weekdays": (1,)}, "either weekdays or month_days"),
        ({"daily_at": "03:00", "catch_up": "some"}, "once, skip or all"),
        ({"every": timedelta(hours=1), "args": {"at": object()}}, "JSON"),
        ({"every": timedelta(hours=1), "args": {"key": "x"}}, "another name"),
        ({"every": timedelta(hours=1), "job": "other.work"}, "a job of the same plugin"),
        ({"every": timedelta(hours=1), "name": f"probe.{'x' * 200}"}, "too long"),
    ],
)
def test_a_rule_that_is_none_leaves_its_plugin_out_with_a_sentence(
    plug: Any, given_: dict[str, Any], words: str
) -> None:
    plugin = plug(
        "probe", register_schedules=lambda: [Contribution(**{"name": "probe.x", "job": "probe.work", **given_})]
    )
    assert words in plugin.error


@pytest.mark.parametrize(
    ("job", "words"),
    [
        ("probe.missing", "names the job “probe.missing”; register that as well."),
        ("probe.work", "cannot run probe.work with its args: missing a required argument: 'shop'."),
    ],
)
def test_a_schedule_whose_job_cannot_be_run_so_leaves_its_plugin_out(plug: Any, job: str, words: str) -> None:
    plugin = plug(
        "probe",
        register_jobs=lambda: [JobContribution("probe.work", lambda shop: None)],
        register_schedules=lambda: [Contribution("probe.x", job, daily_at="03:00")],
    )
    assert words in plugin.error


# ---- rows


@pytest.fixture(autouse=True)
def nothing_of_the_desks_own(monkeypatch: Any) -> None:
    """Only the schedules of the test itself."""
    monkeypatch.setattr(own, "listed", list)


@pytest.fixture
def ran(plug: Any) -> list[dict[str, Any]]:
    """What the job "probe.work" was called with; its schedule is every day at 03:00 in the desk's zone."""
    calls: list[dict[str, Any]] = []

    def work(**arguments: Any) -> None:
        calls.append(arguments)

    plug(
        "probe",
        register_jobs=lambda: [JobContribution("probe.work", work)],
        register_schedules=lambda: [
            Contribution("probe.nightly", "probe.work", daily_at="03:00", args={"words": ["a", 1]})
        ],
    )
    return calls


def row() -> Schedule:
    db.session.rollback()
    return db.session.get_one(Schedule, "probe.nightly")


@pytest.mark.db
def test_a_due_time_runs_once(app: Any, ran: Any, run_jobs: Any, travel: Any) -> None:
    travel(to=JANUARY)
    assert run_jobs() == 0
    assert (row().key, row().plugin, row().enabled, row().zone) == ("probe.nightly", "probe", True, "UTC")
    assert row().next_due_at == datetime(2026, 1, 15, 3, tzinfo=UTC) and row().last_due_at is None
    travel(to=datetime(2026, 1, 15, 2, 59, tzinfo=UTC))
    assert run_jobs() == 0
    travel(to=datetime(2026, 1, 15, 3, 0, 1, tzinfo=UTC))
    assert run_jobs() == 1 and run_jobs() == 0
    assert ran == [{"words": ["a", 1]}]
    assert row().last_due_at == datetime(2026, 1, 15, 3, tzinfo=UTC)
    assert row().next_due_at == datetime(2026, 1, 16, 3, tzinfo=UTC)


@pytest.mark.db
def test_many_workers_at_once_run_it_once(app: Any, ran: Any, run_jobs: Any, travel: Any, at_once: Any) -> None:
    travel(to=JANUARY)
    run_jobs()
    travel(days=1)
    assert [found for found in at_once(8, lambda number: runner.run_due()) if not isinstance(found, int)] == []
    assert len(ran) == 1
    assert db.session.scalar(db.select(db.func.count(Job.id)).where(Job.name == "probe.work")) == 1


@pytest.fixture
def catching_up(plug: Any) -> Any:
    """``catching_up("all", daily_at="03:00")`` plugs in a schedule that catches up so; answers when its job ran."""

    def add(catch_up: str, **rule: Any) -> list[datetime]:
        ran: list[datetime] = []
        plug(
            "probe",
            register_jobs=lambda: [JobContribution("probe.work", lambda: ran.append(now()))],
            register_schedules=lambda: [Contribution("probe.nightly", "probe.work", catch_up=catch_up, **rule)],
        )
        return ran

    return add


def taken() -> list[datetime]:
    """The due times that were taken, in the order in which they were."""
    db.session.rollback()
    return list(db.session.scalars(db.select(ScheduleRun.due_at).order_by(ScheduleRun.id)))


def at_three(*days: int, month: int = 1) -> list[datetime]:
    return [datetime(2026, month, day, 3, tzinfo=UTC) for day in days]


NOON, JUST_AFTER = datetime(2026, 1, 19, 12, tzinfo=UTC), datetime(2026, 1, 19, 3, 1, tzinfo=UTC)


@pytest.mark.db
@pytest.mark.parametrize(
    ("catch_up", "up_again", "expected"),
    [
        ("once", NOON, at_three(19)),
        ("skip", NOON, []),
        ("skip", JUST_AFTER, at_three(19)),
        ("all", NOON, at_three(15, 16, 17, 18, 19)),
    ],
)
def test_what_was_missed_is_caught_up_as_asked(
    catching_up: Any, run_jobs: Any, travel: Any, catch_up: str, up_again: datetime, expected: list[datetime]
) -> None:
    travel(to=JANUARY)
    ran = catching_up(catch_up, daily_at="03:00")
    run_jobs()
    travel(to=up_again)
    run_jobs()
    run_jobs()
    assert (taken(), len(ran)) == (expected, len(expected))
    assert row().next_due_at == at_three(20)[0]
    assert row().last_due_at == (expected[-1] if expected else None)
    jobs = dict(
        db.session.execute(db.select(ScheduleRun.due_at, Job.state).join(Job, Job.id == ScheduleRun.job_id)).all()
    )
    assert jobs == dict.fromkeys(expected, "done"), "each due time knows its job"


@pytest.mark.db
def test_of_a_long_absence_a_thousand_runs_are_caught_up_the_oldest_first(catching_up: Any, travel: Any) -> None:
    travel(to=JANUARY)
    catching_up("all", every=timedelta(minutes=1))
    schedules.sync()
    first = row().next_due_at
    moment = travel(days=2)
    assert schedules.look() == 1_000
    assert taken() == [first + timedelta(minutes=number) for number in range(1_000)]
    assert moment < row().next_due_at <= now() + timedelta(minutes=1), "the rest is left out"


@pytest.mark.db
def test_a_clock_that_jumped_a_year_ahead_and_came_back_leaves_no_gap_and_doubles_nothing(
    app: Any, ran: Any, run_jobs: Any, travel: Any
) -> None:
    travel(to=JANUARY)
    run_jobs()
    travel(to=at_three(15)[0] + timedelta(minutes=2))
    run_jobs()
    assert len(ran) == 1
    travel(days=365)
    run_jobs()
    assert len(ran) == 2 and row().next_due_at.year == 2027
    travel(to=at_three(15)[0] + timedelta(minutes=5))
    run_jobs()
    assert len(ran) == 2 and row().next_due_at == at_three(16)[0]
    for day in (16, 17, 18):
        travel(to=at_three(day)[0] + timedelta(minutes=1))
        run_jobs()
    assert taken()[2:] == at_three(16, 17, 18) and len(ran) == 5


@pytest.mark.db
@pytest.mark.parametrize("rule", [{"daily_at": "03:00"}, {"every": timedelta(hours=1)}, {"crontab": "*/30 * * * *"}])
def test_a_clock_that_is_put_back_runs_nothing_twice(
    catching_up: Any, run_jobs: Any, travel: Any, rule: dict[str, Any]
) -> None:
    travel(to=at_three(15)[0] - timedelta(minutes=10))
    ran = catching_up("once", **rule)
    for minutes in (0, 40, 70, 10, 40, 70, 20, 55, 75, 140):
        travel(to=at_three(15)[0] + timedelta(minutes=minutes))
        run_jobs()
    assert len(taken()) == len(set(taken())) == len(ran)
    assert row().next_due_at - now() <= timedelta(days=1)


@pytest.mark.db
def test_while_the_desk_is_held_nothing_is_taken_and_then_it_is_caught_up(
    app: Any, ran: Any, run_jobs: Any, travel: Any, plug: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(own, "listed", lambda: [Contribution("core.tidy", "core.tidy", daily_at="03:40")])
    travel(to=JANUARY)
    run_jobs()
    with transaction():
        holding.hold()
    for _day in range(3):
        travel(days=1)
        run_jobs()
    assert ran == [] and row().next_due_at == at_three(15)[0]
    tidied = db.select(db.func.count(ScheduleRun.id)).where(ScheduleRun.schedule_key == "core.tidy")
    assert db.session.scalar(tidied) == 3, "what is safe goes on"
    holding.release(None)
    run_jobs()
    assert len(ran) == 1 and row().last_due_at == at_three(17)[0]


def test_old_due_times_are_forgotten(app: Any, ran: Any, run_jobs: Any, travel: Any) -> None:
    travel(to=JANUARY)
    run_jobs()
    travel(days=1)
    run_jobs()
    assert schedules.forget_old() == 0
    travel(days=120)
    assert schedules.forget_old() == 1 and taken() == []


@pytest.mark.db
def test_what_was_missed_runs_once_late(app: Any, ran: Any, run_jobs: Any, travel: Any) -> None:
    travel(to=JANUARY)
    run_jobs()
    travel(to=datetime(2026, 2, 1, 12, tzinfo=UTC))
    run_jobs()
    run_jobs()
    assert len(ran) == 1
    assert row().next_due_at == datetime(2026, 2, 2, 3, tzinfo=UTC)


def test_the_job_and_the_taken_due_time_are_one_transaction(
    app: Any, ran: Any, run_jobs: Any, travel: Any, monkeypatch: Any
) -> None:
    travel(to=JANUARY)
    run_jobs()
    travel(days=1)

    def fail(*_values: Any, **_named: Any) -> None:
        raise RuntimeError("killed in the middle")

    with monkeypatch.context() as broken:
        broken.setattr(ledger, "schedule", fail)
        run_jobs()
    assert ran == [] and row().last_due_at is None
    run_jobs()
    assert len(ran) == 1


def test_another_zone_of_the_desk_counts_from_now(app: Any, ran: Any, run_jobs: Any, travel: Any) -> None:
    travel(to=JANUARY)
    run_jobs()
    settings.save(DeskSettings, {"time_zone": "Asia/Tokyo"}, None)
    run_jobs()
    assert row().zone == "Asia/Tokyo" and row().next_due_at == datetime(2026, 1, 14, 18, tzinfo=UTC)


@pytest.mark.db
def test_another_rule_counts_from_now(make_app: Any, travel: Any) -> None:
    def plugin(**rule: Any) -> Any:
        from types import SimpleNamespace

        from helpdesk.api import hookimpl

        job = JobContribution("probe.work", lambda: None)
        return SimpleNamespace(
            register_jobs=hookimpl(lambda: [job]),
            register_schedules=hookimpl(lambda: [Contribution("probe.nightly", "probe.work", **rule)]),
        )

    travel(to=JANUARY)
    for rule, due in (
        ({"daily_at": "03:00"}, datetime(2026, 1, 15, 3, tzinfo=UTC)),
        ({"daily_at": "13:30", "zone": "Asia/Tokyo"}, datetime(2026, 1, 15, 4, 30, tzinfo=UTC)),
        ({"daily_at": "13:30", "zone": "Asia/Tokyo", "weekdays": (6,)}, datetime(2026, 1, 18, 4, 30, tzinfo=UTC)),
    ):
        with make_app({"probe": plugin(**rule)}).app_context():
            runner.run_due()
            assert row().next_due_at == due
    with make_app({}).app_context():
        travel(days=30)
        assert runner.run_due() == 0
        assert row().next_due_at == datetime(2026, 1, 18, 4, 30, tzinfo=UTC), "a plugin that is gone: its row stays"
        assert schedules.listed() == []


def test_a_plugin_that_is_off_rests_and_is_not_called_for_what_it_slept_through(
    app: Any, ran: Any, run_jobs: Any, travel: Any
) -> None:
    travel(to=JANUARY)
    run_jobs()
    plugin_states.switch("probe", False, None)
    travel(days=3)
    assert run_jobs() == 0
    plugin_states.switch("probe", True, None)
    assert run_jobs() == 0 and ran == []
    assert row().next_due_at == datetime(2026, 1, 18, 3, tzinfo=UTC) and row().last_due_at is None
    travel(days=1)
    run_jobs()
    assert len(ran) == 1


def test_a_schedule_is_switched_off_on_and_run_now(
    app: Any, ran: Any, run_jobs: Any, travel: Any, make_user: Any
) -> None:
    admin, agent = make_user("admin"), make_user("agent")
    travel(to=JANUARY)
    assert schedules.switch("probe.nightly", False, admin) and not schedules.switch("probe.nightly", False, admin)
    travel(days=2)
    run_jobs()
    assert ran == []
    assert schedules.switch("probe.nightly", True, admin)
    run_jobs()
    assert ran == [] and row().next_due_at == datetime(2026, 1, 17, 3, tzinfo=UTC)
    schedules.run_now("probe.nightly", admin)
    run_jobs()
    assert len(ran) == 1 and row().next_due_at == datetime(2026, 1, 17, 3, tzinfo=UTC)
    query = db.select(AuditEntry.action).where(AuditEntry.action.like("schedule.%")).order_by(AuditEntry.id)
    assert list(db.session.scalars(query)) == ["schedule.switched_off", "schedule.switched_on", "schedule.run"]
    for verb in (lambda: schedules.switch("probe.nightly", False, agent), lambda: schedules.run_now("x", agent)):
        with pytest.raises(NotAllowed):
            verb()
    with pytest.raises(schedules.UnknownSchedule, match="There is no schedule"):
        schedules.run_now("probe.x", admin)
    plugin_states.switch("probe", False, None)
    with pytest.raises(schedules.UnknownSchedule, match="is off"):
        schedules.run_now("probe.nightly", admin)


def test_a_schedule_in_trouble_keeps_nothing_else_waiting(
    app: Any, ran: Any, run_jobs: Any, travel: Any, plug: Any, caplog: Any
) -> None:
    travel(to=JANUARY)
    run_jobs()
    with transaction():
        due = now() - timedelta(days=1)
        broken = Schedule(key="probe.nightly", plugin="probe", rule={"daily_at": "x"}, zone="UTC", next_due_at=due)
        db.session.merge(broken)
    ledger.schedule("probe.work", number=1)
    run_jobs()
    assert ran == [{"number": 1}] and "could not be looked at" in caplog.text


def test_a_desk_without_schedules_asks_the_database_nothing(app: Any, count_queries: Any) -> None:
    with count_queries() as statements:
        schedules.look()
    assert statements == []
