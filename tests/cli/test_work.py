"""`helpdesk job`, `event`, `fact`, `workers` and `mail hold`: what the owner's pages show and do, for operators."""

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.cli.frame import desk
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Job, QuarantinedMessage, Worker
from helpdesk.core.transaction import transaction
from tests.cli.conftest import Said

Run = Callable[..., Said]

PLUGIN = """
from pathlib import Path
from helpdesk.api import Job, hookimpl

@hookimpl
def register_jobs():
    return [Job("orders.fetch", lambda shop: None), Job("orders.import", lambda work: None)]

@hookimpl
def ticket_opened(ticket):
    if not (Path(__file__).parent / "mended").exists():
        raise RuntimeError("the shop is shut")
"""


@pytest.fixture
def orders(home: Path) -> Path:
    """A single-file plugin with two jobs, that fails on each new ticket until the file ``mended`` is there."""
    (home / "plugins").mkdir(exist_ok=True)
    (home / "plugins" / "orders.py").write_text(PLUGIN)
    return home / "plugins" / "mended"


def add(*rows: Any) -> list[int]:
    """Write rows as they stand in the database of the home; answers their numbers."""
    with desk(), transaction():
        db.session.add_all(rows)
        db.session.flush()
        return [row.id for row in rows]


def acts() -> list[tuple[str, str]]:
    with desk():
        rows = db.session.execute(select(AuditEntry.action, AuditEntry.subject).order_by(AuditEntry.id))
        return [(action, subject) for action, subject in rows if not action.startswith(("user.", "plugin."))]


# ---- jobs


def test_jobs_are_listed_by_state_name_and_text(helpdesk: Run, orders: Path) -> None:
    add(
        Job(name="orders.fetch", state="failed", error="Timeout at the shop", args={"shop": "Larkwheel"}),
        Job(name="orders.import", state="running", progress_done=4, progress_total=12, started_at=now()),
        Job(name="core.backup"),
    )

    def names(*words: str) -> list[str]:
        return [row["name"] for row in helpdesk("job", "list", "--json", *words).json]

    assert names() == ["core.backup", "orders.import", "orders.fetch"]
    assert names("--before", "2") == ["orders.fetch"]
    assert names("--name", "orders") == ["orders.import", "orders.fetch"]
    assert names("--name", "core.backup") == names("--state", "waiting") == ["core.backup"]
    assert names("--text", "timeout") == names("--text", "Larkwheel") == ["orders.fetch"]
    assert "4/12" in helpdesk("job", "list", "--state", "running").out
    assert helpdesk("job", "list", "--name", "nobody").out == "There are no such jobs.\n"
    assert helpdesk("job", "list", "--state", "x").status == 2


def test_one_is_shown_cancelled_and_run_again(helpdesk: Run, orders: Path, travel: Callable[..., datetime]) -> None:
    # No schedule comes in between: those of the desk are due at night, that of the e-mail each minute.
    travel(to=now().replace(hour=12))
    helpdesk("plugin", "off", "email")
    (number,) = map(str, add(Job(name="orders.fetch", args={"shop": "Larkwheel"}, run_at=now() + timedelta(days=1))))
    assert "orders.fetch" in helpdesk("job", "show", number).out
    assert helpdesk("job", "show", number, "--json").json[0]["args"] == {"shop": "Larkwheel"}
    assert helpdesk("job", "retry", number).err.startswith(f"Job {number} is waiting; only failed")
    assert helpdesk("job", "cancel", number).out == f"Job {number} is cancelled.\n"
    assert helpdesk("job", "cancel", number).err.startswith(f"Job {number} is cancelled; only waiting")
    assert helpdesk("job", "retry", number).out == f"Job {number} runs again.\n"
    assert helpdesk("job", "run-due", "--json").json == [{"ran": 1}]
    assert helpdesk("job", "run-due").out == "Nothing was due.\n"
    assert acts() == [("job.cancelled", f"#{number} orders.fetch"), ("job.retried", f"#{number} orders.fetch")]
    for odd in ("99", "-1", "9" * 30):
        assert helpdesk("job", "show", "--", odd).err.startswith(f"There is no job {odd};")


def test_what_runs_in_steps_stops_and_the_rest_says_why_not(helpdesk: Run, orders: Path) -> None:
    held = {"state": "running", "token": "x", "started_at": now(), "lease_until": now() + timedelta(hours=1)}
    rows = (Job(name="orders.import", **held), Job(name="orders.fetch", **held), Job(name="core.deliver", args={}))
    steps, whole, mail = map(str, add(*rows))
    assert helpdesk("job", "cancel", steps).out == f"Job {steps} stops after its step.\n"
    assert helpdesk("job", "cancel", whole).err == f"Job {whole} runs and cannot be stopped; wait for its end.\n"
    assert helpdesk("job", "cancel", mail).err.startswith(f"Job {mail} carries mail or facts")


def test_all_that_failed_of_a_name_run_again(helpdesk: Run, orders: Path) -> None:
    add(*(Job(name="orders.fetch", state="failed", args={"shop": "x"}) for _number in range(3)))
    assert helpdesk("job", "retry", "--failed", "orders.fetch", "--json").json == [
        {"name": "orders.fetch", "retried": 3}
    ]
    assert helpdesk("job", "retry", "--failed", "orders.fetch").out == "Jobs that run again: 0.\n"
    assert acts() == [("job.retried", "orders.fetch")]
    for words in ((), ("1", "--failed", "orders.fetch")):
        assert helpdesk("job", "retry", *words).err.startswith("Say which:")


# ---- mail


def test_an_outgoing_message_is_held_back_and_sent_again(helpdesk: Run) -> None:
    helpdesk("user", "add", "rita@customer.example", "--name", "Rita", "--role", "requester")
    helpdesk("ticket", "open", "--from", "rita@customer.example", "--subject", "Brake", "--text", "It rubs.")
    helpdesk("ticket", "reply", "1", "--text", "Come in.")
    (row,) = helpdesk("mail", "outbox", "--state", "waiting", "--json").json
    number = str(row["id"])
    assert helpdesk("mail", "hold", number).out == f"{number} is held back.\n"
    assert helpdesk("mail", "hold", number).err.startswith(f"Message {number} is cancelled or is being sent;")
    assert helpdesk("mail", "retry", number, "--outgoing", "--json").json == [{"id": row["id"], "state": "waiting"}]
    assert helpdesk("mail", "retry", number, "--outgoing").err.startswith(f"Message {number} is waiting;")
    assert [action for action, _subject in acts()] == ["outgoing.cancelled", "outgoing.retried"]
    assert helpdesk("mail", "hold", "99").err.startswith("There is no outgoing message 99")


# ---- events and facts


def test_events_are_listed(helpdesk: Run) -> None:
    assert helpdesk("event", "list").out == "There are no such events.\n"
    for name in ("Brake", "Bell"):
        helpdesk("ticket", "open", "--from", "rita@customer.example", "--subject", name, "--text", "It is loose.")
    events = helpdesk("event", "list", "--json").json
    assert [row["ticket"] for row in helpdesk("event", "list", "--ticket", "1", "--json").json] == [1, 1]
    assert {row["kind"] for row in helpdesk("event", "list", "--kind", "ticket_opened", "--json").json} == {
        "ticket_opened"
    }
    before = helpdesk("event", "list", "--before", str(events[1]["id"]), "--json").json
    assert [row["id"] for row in before] == [row["id"] for row in events[2:]]
    assert "ticket_opened" in helpdesk("event", "list").out
    assert helpdesk("event", "list", "--ticket", "0").status == 2


def test_facts_are_listed_told_again_and_discarded(helpdesk: Run, orders: Path) -> None:
    for name in ("What the plugin has not seen", "Brake", "Bell"):
        helpdesk("ticket", "open", "--from", "rita@customer.example", "--subject", name, "--text", "It is loose.")
        helpdesk("job", "run-due")
    bell, brake = helpdesk("fact", "list", "--plugin", "orders", "--json").json
    assert (brake["kind"], brake["ticket"], brake["state"]) == ("ticket_opened", 2, "waiting")
    assert "the shop is shut" in brake["error"]
    assert "ticket_opened" in helpdesk("fact", "list").out
    said = helpdesk("fact", "discard", "orders", str(bell["event"]), feed="n\n")
    assert (said.status, said.err) == (1, "Stopped; nothing more was done.\n")
    said = helpdesk("fact", "discard", "orders", str(bell["event"]), "--yes", "--json")
    assert said.json == [{"plugin": "orders", "event": bell["event"], "discarded": True}]
    orders.touch()
    assert "is told again by job" in helpdesk("fact", "replay", "orders", str(brake["event"])).out
    helpdesk("job", "run-due")
    assert helpdesk("fact", "list").out == "Plugins have taken in all that happened.\n"
    for act in (("replay",), ("discard", "--yes")):
        said = helpdesk("fact", *act, "orders", str(brake["event"]))
        assert said.status == 1 and said.err.startswith("orders has no event"), said
    assert [action for action, _subject in acts()] == ["fact.discarded", "fact.replayed"]


# ---- workers


def test_workers_are_listed_with_what_they_run(helpdesk: Run) -> None:
    assert helpdesk("workers", "list").out.startswith("No worker is there;")
    common = {"host": "shop", "version": "1", "queue": "sqlite", "threads": 2}
    # It beats as long as the test lasts.
    alive = Worker(id="a" * 32, pid=1, beat_at=now() + timedelta(minutes=5), **common)
    silent = Worker(id="b" * 32, pid=2, beat_at=now() - timedelta(minutes=5), **common)
    (number,) = add(Job(name="orders.fetch", state="running", worker=alive.label))
    add(alive, silent)
    first, second = helpdesk("workers", "list", "--json").json
    assert (first["pid"], first["state"], first["jobs"]) == (1, "at work", [number])
    assert (second["pid"], second["state"], second["jobs"]) == (2, "silent", [])
    assert "at work" in helpdesk("workers", "list").out


def test_what_was_put_aside_from_the_queue_is_listed_and_forgotten(helpdesk: Run) -> None:
    add(QuarantinedMessage(queue="redis", data="eA==", size=1, reason="No signature"))
    assert "No signature" in helpdesk("workers", "quarantine").out
    assert helpdesk("workers", "quarantine", "--json").json[0]["data"] == "eA=="
    assert helpdesk("workers", "quarantine", "--clear").out == "Messages forgotten: 1.\n"
    assert helpdesk("workers", "quarantine").out == "Nothing is in quarantine.\n"
    assert acts() == [("queue.cleared", "")]
