"""Files that nothing names: what a killed process has left goes after two days, and nothing else does."""

import os
from datetime import timedelta
from typing import Any

import pytest

from helpdesk.core import files, locks, unused_files, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.jobs import ledger
from helpdesk.core.unused_files import SWEEP_JOB
from helpdesk.plugins import manager

# None of the desk's own schedules falls due between two looks.
pytestmark = pytest.mark.usefixtures("nothing_daily")


def age(app: Any, **span: float) -> None:
    """Make all files older than they are."""
    moment = (now() - timedelta(**span)).timestamp()
    for path in app.config["HELPDESK"].paths.files.rglob("*"):
        if path.is_file():
            os.utime(path, (moment, moment))


@pytest.fixture
def left(app: Any, make_ticket: Any) -> tuple[Any, Any]:
    """A file that a message names, and one that nothing names; a third was never written to its end."""
    named = files.store_bytes(b"named", "a.txt", "text/plain")
    workflow.note(make_ticket(), MessageDraft(text="Look.", files=[named]), None)
    lost = files.store_bytes(b"lost", "b.txt", "text/plain")
    (app.config["HELPDESK"].paths.files / f"{files.ASIDE}1").write_bytes(b"half")
    return files.path_of(named.sha256), files.path_of(lost.sha256)


@pytest.mark.db
def test_what_nothing_names_goes_after_two_days(app: Any, left: Any, run_jobs: Any) -> None:
    named, lost = left
    age(app, days=1)
    ledger.schedule(SWEEP_JOB)
    run_jobs()
    assert named.exists() and lost.exists()
    age(app, days=3)
    job = ledger.schedule(SWEEP_JOB)
    run_jobs()
    assert named.exists() and not lost.exists()
    assert not list(app.config["HELPDESK"].paths.files.glob(f"{files.ASIDE}*"))
    assert (job.state, job.result) == ("done", {"files": 2})


def test_what_a_plugin_keeps_stays(app: Any, left: Any, run_jobs: Any, plug: Any) -> None:
    """Until it says that it needs it no more."""
    _named, lost = left
    kept = {lost.name}
    plug("shelf", stored_files_in_use=lambda hashes: kept & set(hashes))
    age(app, days=3)
    ledger.schedule(SWEEP_JOB)
    run_jobs()
    unused_files.remove([lost.name], now().isoformat())
    assert lost.exists()
    kept.clear()
    ledger.schedule(SWEEP_JOB)
    run_jobs()
    assert not lost.exists()


def test_nothing_goes_when_a_plugin_does_not_answer(app: Any, left: Any, run_jobs: Any, plug: Any) -> None:
    _named, lost = left

    def fail(hashes: Any) -> Any:
        raise RuntimeError("no table")

    plug("broken", stored_files_in_use=fail)
    age(app, days=3)
    job = ledger.schedule(SWEEP_JOB)
    run_jobs()
    assert lost.exists() and job.state == "waiting" and "broken failed in stored_files_in_use" in job.error


@pytest.mark.plugins
def test_nothing_goes_while_plugins_cannot_be_asked(app: Any, left: Any, run_jobs: Any) -> None:
    """One of them could not be loaded: nobody knows what it keeps."""
    _named, lost = left
    age(app, days=3)
    plugin = next(iter(manager.current().plugins.values()))
    before, plugin.error = plugin.error, "It does not load."
    try:
        ledger.schedule(SWEEP_JOB)
        run_jobs()
        unused_files.remove([lost.name], now().isoformat())
        assert lost.exists()
    finally:
        plugin.error = before


def test_nothing_goes_while_a_backup_is_made(app: Any, left: Any, run_jobs: Any) -> None:
    named, lost = left
    age(app, days=3)
    job = ledger.schedule(SWEEP_JOB)
    with locks.held(app.config["HELPDESK"].paths.backup_lock):
        run_jobs()
    assert named.exists() and lost.exists()
    assert (job.state, job.attempts) == ("waiting", 0) and "backup" in job.error
