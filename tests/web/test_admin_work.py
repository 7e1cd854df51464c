"""Workers, the queue's quarantine, backups, a desk that is held, and what stands above every page of the owner."""

import base64
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import helpdesk
from helpdesk.core import holding, schedules
from helpdesk.core.backups import making
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import AuditEntry, Job, QuarantinedMessage, Worker
from helpdesk.core.settings import BackupSettings
from helpdesk.core.transaction import transaction


def add_worker(version: str = helpdesk.__version__, beat: timedelta = timedelta(), **values: Any) -> Worker:
    """A worker that beat so long ago."""
    with transaction():
        worker = Worker(
            id="ab" * 16,
            host="shop",
            pid=4711,
            version=version,
            queue="sqlite",
            threads=2,
            beat_at=now() - beat,
            **values,
        )
        db.session.add(worker)
    return worker


@pytest.fixture
def backed_up(home: Path) -> None:
    """A desk that has a backup, so that nothing is said about it."""
    (home / "backups").mkdir(exist_ok=True)
    making.make()


# ---- workers


@pytest.mark.db
def test_who_works_and_at_what(as_admin: Any) -> None:
    assert "helpdesk worker" in as_admin.get("/admin/workers").text
    worker = add_worker()
    with transaction():
        mine = {"worker": worker.label, "token": "x", "lease_until": now() + timedelta(hours=1)}
        db.session.add(Job(name="orders.import", state="running", progress_done=4, progress_total=12, **mine))
    page = as_admin.get("/admin/workers").text
    assert "At work" in page and "4711" in page and "orders.import" in page and "4 of 12" in page
    with transaction():
        worker.beat_at, worker.version = now() - timedelta(minutes=5), "0.0.1"
    page = as_admin.get("/admin/workers").text
    assert "Silent" in page and "Another version" in page


def test_what_was_put_aside_from_the_queue_is_text_and_is_forgotten(as_admin: Any) -> None:
    data = base64.b64encode(b"<script>alert(1)</script>").decode()
    with transaction():
        for _number in range(2):
            db.session.add(QuarantinedMessage(queue="redis", data=data, size=25, reason="<b>No signature</b>"))
    page = as_admin.get("/admin/workers").text
    assert "&lt;b&gt;No signature" in page and "<b>No" not in page and data in page and "<script>alert" not in page
    newest = re.search(r'name="up_to" value="([0-9]+)"', page)
    assert newest is not None
    with transaction():
        db.session.add(QuarantinedMessage(queue="redis", data=data, size=25, reason="came meanwhile"))
    for odd in ("", "x", "9" * 40, "-1"):
        as_admin.post("/admin/workers/quarantine", data={"up_to": odd})
    assert db.session.scalar(db.select(db.func.count(QuarantinedMessage.id))) == 3
    as_admin.post("/admin/workers/quarantine", data={"up_to": newest[1]})
    assert list(db.session.scalars(db.select(QuarantinedMessage.reason))) == ["came meanwhile"]
    acts = db.select(AuditEntry.action).where(AuditEntry.actor_id == as_admin.user.id)
    assert list(db.session.scalars(acts)) == ["queue.cleared"]


# ---- backups


def test_a_backup_is_made_by_a_job_and_listed(as_admin: Any, run_jobs: Any, configure: Any) -> None:
    configure(BackupSettings, verify=False)
    assert "No backup yet" in as_admin.get("/admin/backups").text
    answer = as_admin.post("/admin/backups", follow_redirects=True)
    assert answer.request.path == "/admin/backups" and "The backup is being made." in answer.text
    assert "Being done" in answer.text
    run_jobs()
    page = as_admin.get("/admin/backups").text
    assert "The last good backup was made" in page and ".tar" in page and "Being done" not in page
    acts = db.select(AuditEntry.action).where(AuditEntry.actor_id == as_admin.user.id)
    assert list(db.session.scalars(acts)) == ["schedule.run"]


def test_a_drill_is_asked_for(as_admin: Any, backed_up: None) -> None:
    page = as_admin.get("/admin/backups").text
    name = re.search(r"/admin/backups/([^/\"]+)/verify", page)
    assert name is not None
    where = as_admin.post(f"/admin/backups/{name[1]}/verify").location
    again = as_admin.post(f"/admin/backups/{name[1]}/verify").location
    assert where == again, "one drill of each at a time"
    job = db.session.scalars(db.select(Job).where(Job.name == "core.verify_backup")).one()
    assert job.args == {"backup": name[1]} and job.asked_by_id == as_admin.user.id
    acts = db.select(AuditEntry.action).where(AuditEntry.subject == name[1])
    assert "backup.tried" in set(db.session.scalars(acts))
    for odd in ("nothing.tar", "..%2f..%2fhelpdesk.sqlite3", "%00", "x" * 3000):
        assert as_admin.post(f"/admin/backups/{odd}/verify").status_code == 404, odd


def test_one_that_fails_says_why_and_when_it_is_tried_again(
    as_admin: Any, run_jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_admin.post("/admin/backups")
    with monkeypatch.context() as patch:
        patch.setattr(os, "statvfs", lambda _path: type("Short", (), {"f_bavail": 1, "f_frsize": 4096}))
        run_jobs()
    page = as_admin.get("/admin/backups").text
    assert "There is not enough room in" in page and "NoRoom" not in page and "It is tried again" in page


@pytest.mark.slow
def test_an_encrypted_one_is_tried_only_with_its_passphrase(
    as_admin: Any, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    making.make(tmp_path / "far.tar", passphrase="a long passphrase")
    page = as_admin.get("/admin/backups").text
    # Where it lies is told too.
    assert str(tmp_path / "far.tar") in page
    assert "Try it<" not in page and "HELPDESK_BACKUP_PASSPHRASE" in page
    answer = as_admin.post("/admin/backups/far.tar/verify", follow_redirects=True)
    assert "This backup is encrypted" in answer.text
    assert db.session.scalars(db.select(Job).where(Job.name == "core.verify_backup")).all() == []
    monkeypatch.setenv("HELPDESK_BACKUP_PASSPHRASE", "a long passphrase")
    assert "Try it<" in as_admin.get("/admin/backups").text


def test_how_one_is_brought_back(as_admin: Any, home: Path) -> None:
    page = as_admin.get("/admin/backups").text
    assert "stop the desk" in page and f"helpdesk restore FILE --swap --home {home}" in page


# ---- who may look and not touch


@pytest.mark.parametrize(
    "page", ["jobs", "jobs/1", "jobs?state=failed&name=orders.fetch", "schedules", "schedules/core.backup", "facts",
             "mail/out", "workers", "backups", "held"]
)  # fmt: skip
def test_who_may_look_sees_no_button(as_admin: Any, plug: Any, make_ticket: Any, backed_up: None, page: str) -> None:
    with transaction():
        db.session.add(Job(name="orders.fetch", state="failed", error="no"))
        db.session.add(QuarantinedMessage(queue="redis", data="eA==", size=1, reason="No signature"))
    make_ticket(notice=True)
    schedules.sync()
    holding.hold()
    address = f"/admin/{page}"
    acts = re.compile(r'action="/admin/|"/admin/[^"?]+/(?:retry-failed|discard)')
    assert acts.search(as_admin.get(address).text) or page == "facts"
    plug("guard", veto=lambda permission: False if permission in ("job.edit", "intake.edit") else None)
    answer = as_admin.get(address)
    assert answer.status_code == 200 and not acts.search(answer.text) and "Back up now" not in answer.text


# ---- above every page


def test_all_is_well(as_admin: Any, backed_up: None) -> None:
    add_worker()
    assert "alertline" not in as_admin.get("/admin/teams").text


@pytest.mark.parametrize("page", ["/admin/", "/admin/teams", "/admin/audit", "/admin/jobs", "/admin/settings"])
def test_no_worker(as_admin: Any, backed_up: None, page: str) -> None:
    assert "No worker is at work" in as_admin.get(page).text


def test_another_version_and_silence(as_admin: Any, backed_up: None, travel: Any) -> None:
    add_worker("0.0.1")
    assert "another version of the desk" in as_admin.get("/admin/teams").text
    travel(minutes=2)
    page = as_admin.get("/admin/teams").text
    assert "No worker is at work" in page and "another version" not in page


def test_a_new_desk_is_not_reproached_for_having_no_backup(sign_in: Any, make_user: Any, travel: Any) -> None:
    add_worker()
    said, admin = "There is no backup of this desk yet.", make_user("admin")
    assert said not in sign_in(admin).get("/admin/teams").text
    travel(days=3)
    later = sign_in(admin)
    assert said in later.get("/admin/teams").text and said not in later.get("/admin/backups").text


def test_an_old_backup(sign_in: Any, make_user: Any, backed_up: None, travel: Any) -> None:
    add_worker()
    travel(days=3)
    assert "The last good backup is 3 days old." in sign_in(make_user("admin")).get("/admin/teams").text


def test_it_costs_one_query_in_ten_seconds(as_admin: Any, backed_up: None, travel: Any, count_queries: Any) -> None:
    as_admin.get("/admin/teams")
    with count_queries() as without:
        as_admin.get("/admin/teams")
    travel(seconds=11)
    with count_queries() as with_it:
        as_admin.get("/admin/teams")
    assert len(with_it) == len(without) + 1


def test_who_may_not_see_jobs_is_told_nothing(as_admin: Any, plug: Any) -> None:
    plug("guard", veto=lambda permission: False if permission.startswith("job.") else None)
    assert "No worker" not in as_admin.get("/admin/teams").text


@pytest.mark.db
def test_a_held_desk_is_looked_at_and_let_go(as_admin: Any, make_ticket: Any, mailbox: Any, run_jobs: Any) -> None:
    make_ticket(notice=True)
    assert "Nothing is held back" in as_admin.get("/admin/held").text
    holding.hold()
    run_jobs()
    assert mailbox.messages == []
    page = as_admin.get("/admin/teams").text
    assert "Nothing is sent and no schedule runs until you let it: 1 message waits" in page and "Let them go" in page
    assert "Outgoing messages" in as_admin.get("/admin/held").text
    assert as_admin.post("/admin/held/release").status_code == 303
    assert "until you let it" not in as_admin.get("/admin/teams").text
    assert "Nothing is held back" in as_admin.post("/admin/held/release", follow_redirects=True).text
    acts = db.select(AuditEntry.action).where(AuditEntry.actor_id == as_admin.user.id)
    assert list(db.session.scalars(acts)) == ["desk.released"]


def test_an_agent_hears_that_nothing_is_sent(as_agent: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    holding.hold()
    assert "Nothing is sent until an administrator lets it go" in as_agent.get(f"/desk/tickets/{ticket.id}").text
    data = {"mode": "reply", "text": "We look at it.", "version": ticket.version}
    page = as_agent.post(f"/desk/tickets/{ticket.id}/messages", data=data, follow_redirects=True).text
    assert "it is sent when the desk is let go" in page and "Waits: nothing is sent now" in page


def test_who_lets_the_desk_go_wakes_a_worker(app: Any) -> None:
    holding.hold()
    woken: list[Any] = []
    app.extensions[ledger.NUDGE] = woken.append
    assert holding.release(None) and len(woken) == 1
