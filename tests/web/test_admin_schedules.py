"""Schedules in the owner's rooms: when each was and is due, how it went, run at once, paused and let go on."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from helpdesk.api import Job, Schedule
from helpdesk.core import plugin_states
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, ScheduleRun
from helpdesk.core.models import Schedule as Row
from helpdesk.core.transaction import transaction

JANUARY = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)


@pytest.fixture
def ran(plug: Any, travel: Any, run_jobs: Any) -> list[int]:
    """How often the job of three schedules ran; a worker has looked at them."""
    calls: list[int] = []
    plug(
        "orders",
        register_jobs=lambda: [Job("orders.fetch", lambda: calls.append(1))],
        register_schedules=lambda: [
            Schedule("orders.nightly", "orders.fetch", daily_at="03:00", weekdays=(0, 4), zone="Europe/Berlin"),
            Schedule("orders.daily", "orders.fetch", daily_at="18:30"),
            Schedule("orders.often", "orders.fetch", every=timedelta(minutes=15)),
        ],
    )
    travel(to=JANUARY)
    run_jobs()
    return calls


def _row(page: str, rule: str) -> str:
    """The row of the table that says so."""
    return next(row for row in page.split("<tr") if rule in row)


def test_when_each_is_due_is_shown(ran: Any, as_admin: Any, travel: Any, run_jobs: Any, count_queries: Any) -> None:
    page = as_admin.get("/admin/schedules").text
    assert "Mon and Fri at 3:00 AM (Europe/Berlin)" in page.replace("\u202f", " ")
    assert "Every day at 6:30 PM (UTC)" in page.replace("\u202f", " ") and "Every 15 minutes" in page
    assert "Never" in _row(page, "Every 15 minutes")
    travel(minutes=16)
    run_jobs()
    page = as_admin.get("/admin/schedules").text
    assert len(ran) == 1 and "Never" not in _row(page, "Every 15 minutes")
    with count_queries() as statements:
        as_admin.get("/admin/schedules")
    assert len(statements) <= 8 and not any(text.startswith(("INSERT", "UPDATE", "DELETE")) for text in statements)


def test_rules_are_said_in_words(plug: Any, as_admin: Any, run_jobs: Any) -> None:
    plug(
        "orders",
        register_jobs=lambda: [Job("orders.fetch", lambda: None)],
        register_schedules=lambda: [
            Schedule("orders.monthly", "orders.fetch", daily_at="06:00", month_days=(-1, 15, 1), catch_up="skip"),
            Schedule("orders.cron", "orders.fetch", crontab="*/20 8-17 * * mon-fri", catch_up="all"),
        ],
    )
    run_jobs()
    page = as_admin.get("/admin/schedules").text.replace("\u202f", " ")
    assert "Every month on day 1, day 15, and the last day at 6:00 AM (UTC)" in page
    assert "By the rule */20 8-17 * * mon-fri (UTC)" in page
    assert "What was missed is left out." in as_admin.get("/admin/schedules/orders.monthly").text
    assert "Each time that was missed is run, late." in as_admin.get("/admin/schedules/orders.cron").text


@pytest.mark.db
def test_runs_are_listed_with_their_results(plug: Any, as_admin: Any, travel: Any, run_jobs: Any) -> None:
    def fetch() -> None:
        raise ValueError("<b>the shop is shut</b>")

    plug(
        "orders",
        register_jobs=lambda: [Job("orders.fetch", fetch, max_attempts=1)],
        register_schedules=lambda: [Schedule("orders.often", "orders.fetch", every=timedelta(minutes=15))],
    )
    run_jobs()
    assert "It has not been due yet." in as_admin.get("/admin/schedules/orders.often").text
    travel(minutes=16)
    run_jobs()
    for page in (as_admin.get("/admin/schedules").text, as_admin.get("/admin/schedules/orders.often").text):
        assert "Failed" in page and "&lt;b&gt;the shop is shut" in page and "<b>the shop" not in page
    job = db.session.scalars(db.select(ScheduleRun.job_id).filter_by(schedule_key="orders.often")).one()
    assert "orders.often" in as_admin.get(f"/admin/jobs/{job}").text, "a job says which schedule asked for it"


def test_long_histories_have_pages(ran: Any, as_admin: Any) -> None:
    with transaction():
        for number in range(60):
            db.session.add(ScheduleRun(schedule_key="orders.often", due_at=JANUARY + timedelta(hours=number)))
    first = as_admin.get("/admin/schedules/orders.often").text
    assert first.count("Done, and cleared away") == 50
    after = re.search(r"after=([0-9]+)", first)
    assert after is not None
    rest = as_admin.get(f"/admin/schedules/orders.often?after={after[1]}").text
    assert rest.count("Done, and cleared away") == 10 and "Older" not in rest
    assert as_admin.get("/admin/schedules/orders.often?after=x'--").status_code == 200


def test_the_desks_own_are_there(as_admin: Any, run_jobs: Any) -> None:
    run_jobs()
    page = as_admin.get("/admin/schedules").text
    assert "Make a backup" in page and "Clear away what is long done" in page
    as_admin.post("/admin/schedules/core.backup/off")
    assert "Paused" in as_admin.get("/admin/schedules/core.backup").text


def test_they_are_run_and_switched(ran: Any, as_admin: Any, run_jobs: Any) -> None:
    job = as_admin.post("/admin/schedules/orders.nightly/run").location
    assert re.fullmatch(r"/admin/jobs/[0-9]+", job)
    run_jobs()
    assert len(ran) == 1
    assert as_admin.post("/admin/schedules/orders.often/off?from=list").location == "/admin/schedules"
    assert "Go on: orders.often" in as_admin.get("/admin/schedules").text
    assert db.session.get_one(Row, "orders.often").enabled is False
    as_admin.post("/admin/schedules/orders.often/on")
    assert "Pause: orders.often" in as_admin.get("/admin/schedules/orders.often").text
    assert as_admin.post("/admin/schedules/orders.often/on").status_code == 303, "twice does no harm"
    query = db.select(AuditEntry.actor_id).where(AuditEntry.action.like("schedule.%"))
    assert list(db.session.scalars(query)) == [as_admin.user.id] * 3
    for odd in ("orders.x", "..%2f..", "x" * 300, "%00"):
        assert as_admin.post(f"/admin/schedules/{odd}/run").status_code == 404, odd
        assert as_admin.get(f"/admin/schedules/{odd}").status_code == 404, odd
    assert as_admin.get("/admin/schedules/orders.often/off").status_code == 405


def test_a_plugin_that_is_off_rests(ran: Any, as_admin: Any) -> None:
    plugin_states.switch("orders", False, None)
    page = as_admin.get("/admin/schedules").text
    assert page.count("Plugin off") == 3 and "Run now: orders" not in page
    as_admin.post("/admin/schedules/orders.often/run")
    assert "is off; switch it on first" in as_admin.get("/admin/schedules").text


@pytest.mark.parametrize("role", ["requester", "agent", "supervisor"])
def test_only_administrators(ran: Any, sign_in: Any, make_user: Any, as_admin: Any, role: str) -> None:
    somebody = sign_in(make_user(role))
    for act in ("run", "off", "on"):
        assert somebody.post(f"/admin/schedules/orders.often/{act}").status_code in (403, 404)
    assert db.session.get_one(Row, "orders.often").enabled is True
