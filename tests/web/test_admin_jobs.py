"""Jobs in the owner's rooms: found, looked into, run again and cancelled, one or many."""

from datetime import timedelta
from typing import Any

import pytest

from helpdesk.api import Job as Declared
from helpdesk.core import repairs
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.models import AuditEntry, Delivery, Job
from helpdesk.core.transaction import transaction


def add(name: str, **values: Any) -> Job:
    """A job as it stands in the ledger."""
    with transaction():
        job = Job(name=name, **values)
        db.session.add(job)
    return job


@pytest.fixture
def running(plug: Any) -> Job:
    """A job in steps that runs; its plugin is there."""
    plug("orders", register_jobs=lambda: [Declared("orders.import", lambda work, shop: None)])
    half = {"progress_done": 40, "progress_total": 120, "checkpoint": {"page": 4}}
    held = {"worker": "shop:4711:aa", "token": "x", "started_at": now(), "lease_until": now() + timedelta(hours=1)}
    return add("orders.import", state="running", attempts=1, args={"shop": "Læ <b>rk"}, **half, **held)


def acts_of(browser: Any) -> list[AuditEntry]:
    """What its person has done, as it was recorded."""
    query = db.select(AuditEntry).where(AuditEntry.actor_id == browser.user.id).order_by(AuditEntry.id)
    return list(db.session.scalars(query))


def rows(page: str) -> str:
    """What stands in the table, without the filters above it."""
    return page.partition("<tbody>")[2]


@pytest.mark.db
def test_each_state_says_what_there_is_to_know(as_admin: Any, running: Job) -> None:
    later = now() + timedelta(hours=7)
    add("orders.import", run_at=later, priority=2, args={"shop": "x"})
    add("gone.send", state="failed", attempts=8, error="ValueError: <i>nobody</i>", finished_at=now())
    page = as_admin.get("/admin/jobs").text
    assert '<progress max="120" value="40"' in page and "40 of 120" in page and "shop:4711:aa" in page
    assert "After others" in page and "&lt;i&gt;nobody" in page and "<i>nobody" not in page
    assert 'hx-trigger="every 5s"' in page, "what runs is looked at again"
    assert "every 5s" not in as_admin.get("/admin/jobs?state=failed").text, "what rests is not"


@pytest.mark.db
def test_the_list_is_narrowed_down(as_admin: Any) -> None:
    add("orders.fetch", state="failed", error="Timeout at the shop", args={"shop": "Larkwheel"})
    add("orders.push", state="failed", error="Refused")
    seventh = add("orderly.sweep")
    found = {
        "name=orders": {"orders.fetch", "orders.push"},
        "name=orders.push": {"orders.push"},
        "state=waiting": {"orderly.sweep"},
        "text=timeout": {"orders.fetch"},
        "text=larkwheel": {"orders.fetch"},
        f"text=%23{seventh.id}": {"orderly.sweep"},
        "state=failed&name=orders&text=refused": {"orders.push"},
        "text=100%25": set(),
        "name=%25": set(),
        "name=core": set(),
    }
    for words, names in found.items():
        page = rows(as_admin.get(f"/admin/jobs?{words}").text)
        assert {
            name for name in ("orders.fetch", "orders.push", "orderly.sweep") if f"<code>{name}" in page
        } == names, words
    assert "None fits all of this." in as_admin.get("/admin/jobs?name=core").text
    for odd in ("state=x", "name=" + "x" * 5000, "text=%00", "text=%23" + "9" * 40, "after=x"):
        assert as_admin.get(f"/admin/jobs?{odd}").status_code == 200, odd


def test_a_job_has_a_page_of_its_own(as_admin: Any, running: Job, count_queries: Any) -> None:
    with transaction():
        running.asked_by_id = as_admin.user.id
    page = as_admin.get(f"/admin/jobs/{running.id}").text
    for words in ("Ada Admin", "1 of 8", "Læ &lt;b&gt;rk", "Where it goes on", "shop:4711:aa", "40 of 120"):
        assert words in page, words
    assert "<b>rk" not in page and 'hx-trigger="every 3s"' in page
    with count_queries() as statements:
        as_admin.get(f"/admin/jobs/{running.id}")
    assert len(statements) <= 8
    done = add("orders.import", state="done", result={"new": 3}, finished_at=now())
    page = as_admin.get(f"/admin/jobs/{done.id}").text
    assert "Result" in page and "every 3s" not in page and f"/admin/jobs/{done.id}/cancel" not in page


@pytest.mark.db
def test_what_runs_in_steps_is_asked_to_stop(as_admin: Any, running: Job) -> None:
    answer = as_admin.post(f"/admin/jobs/{running.id}/cancel", follow_redirects=True).text
    assert "it stops after its step" in answer and "Is being cancelled" in answer
    db.session.expire_all()
    assert (running.state, running.cancel_asked) == ("running", True)
    as_admin.post(f"/admin/jobs/{running.id}/cancel")
    assert [entry.action for entry in acts_of(as_admin)] == ["job.cancelled"]


def test_what_runs_in_one_piece_is_not(as_admin: Any, plug: Any) -> None:
    plug("orders", register_jobs=lambda: [Declared("orders.fetch", lambda: None)])
    job = add("orders.fetch", state="running", started_at=now(), token="x", lease_until=now() + timedelta(hours=1))
    assert f"/admin/jobs/{job.id}/cancel" not in as_admin.get("/admin/jobs").text
    assert "nothing was changed" in as_admin.post(f"/admin/jobs/{job.id}/cancel", follow_redirects=True).text
    assert db.session.get_one(Job, job.id).state == "running"


@pytest.mark.db
def test_all_that_failed_of_a_name_run_again_after_a_yes(as_admin: Any) -> None:
    failed = [add("orders.fetch", state="failed", attempts=8, finished_at=now()) for _number in range(3)]
    other = add("orders.push", state="failed", attempts=8)
    assert (
        "/admin/jobs/retry-failed?name=orders.fetch" in as_admin.get("/admin/jobs?state=failed&name=orders.fetch").text
    )
    question = as_admin.get("/admin/jobs/retry-failed?name=orders.fetch").text
    assert "Run 3 failed jobs again?" in question and {job.state for job in failed} == {"failed"}
    assert as_admin.post("/admin/jobs/retry-failed?name=orders.fetch").status_code == 303
    db.session.expire_all()
    assert {(job.state, job.attempts) for job in failed} == {("waiting", 0)} and other.state == "failed"
    (entry,) = acts_of(as_admin)
    assert (entry.action, entry.subject, entry.data) == ("job.retried", "orders.fetch", {"jobs": 3})
    for name in ("orders.fetch", "", "nothing.x"):
        assert as_admin.get(f"/admin/jobs/retry-failed?name={name}").status_code == 303, "there is nothing to ask"
        assert (
            "0 jobs are run again" in as_admin.post(f"/admin/jobs/retry-failed?name={name}", follow_redirects=True).text
        )


def test_many_are_taken_so_many_at_once(as_admin: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repairs, "AT_ONCE", 2)
    jobs = [add("orders.fetch", state="failed", attempts=8) for _number in range(3)]
    assert "Run 2 failed jobs again?" in as_admin.get("/admin/jobs/retry-failed?name=orders.fetch").text
    as_admin.post("/admin/jobs/retry-failed?name=orders.fetch")
    db.session.expire_all()
    assert [job.state for job in jobs] == ["waiting", "waiting", "failed"], "the oldest first"


@pytest.mark.plugins("email")
@pytest.mark.db
def test_messages_that_failed_are_sent_again_together(
    as_admin: Any, make_ticket: Any, mailbox: Any, run_jobs: Any
) -> None:
    for _number in range(3):
        make_ticket(notice=True)
    with transaction():
        for delivery in db.session.scalars(db.select(Delivery)):
            delivery.state, delivery.error = "failed", "550 no"
        for job in db.session.scalars(db.select(Job).where(Job.name == "core.deliver")):
            job.state = "failed"
    assert "Send 3 failed messages again?" in as_admin.get("/admin/mail/out/retry-failed").text
    # By their jobs, which would find nothing to send otherwise.
    as_admin.post("/admin/jobs/retry-failed?name=core.deliver")
    run_jobs()
    db.session.expire_all()
    assert {delivery.state for delivery in db.session.scalars(db.select(Delivery))} == {"sent"}
    assert not db.session.scalar(db.select(Job.id).where(Job.state == "failed"))
    assert as_admin.get("/admin/mail/out/retry-failed").status_code == 303


@pytest.mark.db
def test_a_message_that_waits_is_held_back(as_admin: Any, make_ticket: Any, mailbox: Any, run_jobs: Any) -> None:
    make_ticket(notice=True)
    delivery = db.session.scalars(db.select(Delivery)).one()
    job = db.session.scalars(db.select(Job).where(Job.name == "core.deliver")).one()
    with transaction():
        job.state, job.started_at = "running", now()
    as_admin.post(f"/admin/mail/out/{delivery.id}/cancel")
    db.session.expire_all()
    assert delivery.state == "waiting", "what is being sent this moment cannot be held back"
    with transaction():
        job.state, job.started_at = "waiting", None
    assert "Hold back" in as_admin.get("/admin/mail/out?state=waiting").text
    as_admin.post(f"/admin/mail/out/{delivery.id}/cancel")
    run_jobs()
    db.session.expire_all()
    assert delivery.state == "cancelled" and not mailbox.to(delivery.address)
    as_admin.post(f"/admin/mail/out/{delivery.id}/cancel")
    assert [entry.action for entry in acts_of(as_admin)] == ["outgoing.cancelled"], "once"


def test_outgoing_messages_say_when_they_are_tried_again(as_admin: Any, make_ticket: Any) -> None:
    make_ticket(notice=True)
    delivery = db.session.scalars(db.select(Delivery)).one()
    with transaction():
        delivery.attempts, delivery.error, delivery.next_at = 3, "451 <later>", now() + timedelta(hours=4)
    page = as_admin.get("/admin/mail/out?text=451").text
    assert "Tried again" in page and "3 tries" in page and "451 &lt;later&gt;" in page
    assert "Try now" in page and "Try all waiting now" in page
    with transaction():
        delivery.state = "bounced"
    assert "Came back" in rows(as_admin.get("/admin/mail/out?state=bounced").text)
    assert "No message fits" in as_admin.get("/admin/mail/out?state=bounced&text=xyz").text


@pytest.mark.plugins("email")
@pytest.mark.parametrize("which", ["one", "all"])
def test_a_message_that_waits_is_tried_at_once(
    as_admin: Any, make_ticket: Any, mailbox: Any, run_jobs: Any, which: str
) -> None:
    make_ticket(notice=True)
    run_jobs()
    delivery = db.session.scalars(db.select(Delivery)).one()
    with transaction():
        later = now() + timedelta(hours=20)
        delivery.state, delivery.next_at, delivery.job_id = "waiting", later, None
        delivery.job_id = ledger.schedule("core.deliver", at=later, delivery_id=delivery.id).id
    sent = len(mailbox.to(delivery.address))
    path = f"/admin/mail/out/{delivery.id}/now" if which == "one" else "/admin/mail/out/try-waiting"
    assert "tried now" in as_admin.post(path, follow_redirects=True).text
    assert [entry.action for entry in acts_of(as_admin)] == ["outgoing.tried"]
    run_jobs()
    db.session.expire_all()
    assert delivery.state == "sent" and len(mailbox.to(delivery.address)) == sent + 1
    assert "tried now" not in as_admin.post(path, follow_redirects=True).text
    assert [entry.action for entry in acts_of(as_admin)] == ["outgoing.tried"], "once"


def test_the_desks_own_that_carry_mail_are_not_cancelled(as_admin: Any) -> None:
    for name in ("core.deliver", "core.intake", "core.facts", "core.fact"):
        job = add(name, state="failed", args={})
        assert "nothing was changed" in as_admin.post(f"/admin/jobs/{job.id}/cancel", follow_redirects=True).text, name
    backup = ledger.schedule("core.backup")
    as_admin.post(f"/admin/jobs/{backup.id}/cancel")
    assert db.session.get_one(Job, backup.id).state == "cancelled"
