"""`helpdesk schedule`: what comes again, run now, off and on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said

Run = Callable[..., Said]

PLUGIN = """
from datetime import timedelta
from helpdesk.api import Job, Schedule, hookimpl

@hookimpl
def register_jobs():
    return [Job("orders.fetch", lambda shop: print(f"fetched from {shop}"))]

@hookimpl
def register_schedules():
    return [
        Schedule("orders.nightly", "orders.fetch", daily_at="03:00", weekdays=(0, 4), zone="Europe/Berlin",
                 args={"shop": "Larkwheel"}),
        Schedule("orders.often", "orders.fetch", every=timedelta(minutes=15), args={"shop": "Larkwheel"}),
    ]
"""


@pytest.fixture
def orders(home: Path) -> None:
    """A single-file plugin with two schedules."""
    (home / "plugins").mkdir(exist_ok=True)
    (home / "plugins" / "orders.py").write_text(PLUGIN)


def test_schedules_are_listed_run_switched_off_and_on(helpdesk: Run, orders: None) -> None:
    every = helpdesk("schedule", "list", "--json").json
    nightly, often = [row for row in every if row["plugin"] == "orders"]
    own = [row for row in every if row["plugin"] != "orders"]
    ours = {"callbacks", "career", "customers", "email", "multilingual", "surveys", "training", "upsell"}
    assert {row["plugin"] for row in own} == {"core", *ours}
    assert "core.backup" in {row["name"] for row in own}
    assert (nightly["name"], nightly["plugin"], nightly["state"]) == ("orders.nightly", "orders", "on")
    assert (nightly["rule"], nightly["zone"], nightly["last"]) == ("Mon, Fri at 03:00", "Europe/Berlin", None)
    assert (often["rule"], often["zone"]) == ("every 15 minutes", "UTC")
    assert "orders.nightly" in helpdesk("schedule", "list").out
    said = helpdesk("schedule", "run-now", "orders.nightly")
    assert said.status == 0 and "runs as job 1" in said.out
    assert "fetched from Larkwheel" in helpdesk("job", "run-due").out
    assert helpdesk("schedule", "off", "orders.often").out == "orders.often is off.\n"
    assert helpdesk("schedule", "off", "orders.often").out == "orders.often is off already.\n"
    states = [row["state"] for row in helpdesk("schedule", "list", "--json").json if row["plugin"] == "orders"]
    assert states == ["on", "off"]
    assert helpdesk("schedule", "on", "orders.often", "--json").json == [
        {"name": "orders.often", "state": "on", "changed": True}
    ]
    helpdesk("plugin", "off", "orders")
    every = helpdesk("schedule", "list", "--json").json
    assert {row["state"] for row in every if row["plugin"] == "orders"} == {"plugin off"}
    said = helpdesk("schedule", "run-now", "orders.nightly")
    assert (said.status, said.err) == (1, "The plugin “orders” is off; switch it on first.\n")


def test_what_is_not_there(helpdesk: Run) -> None:
    said = helpdesk("schedule", "off", "orders.nightly")
    assert (said.status, said.err) == (1, "There is no schedule “orders.nightly”.\n")


def test_runs_are_listed_with_what_became_of_them(helpdesk: Run, orders: None, travel: Callable[..., object]) -> None:
    assert helpdesk("schedule", "runs", "orders.often").out == "orders.often has not been due yet.\n"
    travel(minutes=16)
    assert "fetched from Larkwheel" in helpdesk("job", "run-due").out
    (run,) = helpdesk("schedule", "runs", "orders.often", "--json").json
    assert run["state"] == "done" and run["error"] == ""
    (often,) = (row for row in helpdesk("schedule", "list", "--json").json if row["name"] == "orders.often")
    assert (often["result"], often["last_job"]) == ("done", run["job"])
    assert "done" in helpdesk("schedule", "runs", "orders.often").out
    assert helpdesk("schedule", "runs", "orders.often", "--before", str(run["id"]), "--json").json == []
    said = helpdesk("schedule", "runs", "orders.x")
    assert (said.status, said.err) == (1, "There is no schedule “orders.x”.\n")
