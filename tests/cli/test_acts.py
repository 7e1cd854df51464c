"""Commands that administrate leave an entry in the record, as the forms of the administration do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry
from tests.cli.conftest import Said

Run = Callable[..., Said]
_PASSWORD = "a long enough word"
# Commands here work on the home, whatever database the desk of a test has.
pytestmark = pytest.mark.sqlite


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


# What is said, and the act that has to be written down. In this order.
_COMMANDS: list[tuple[str, tuple[str, ...], str]] = [
    ("user.created", ("user", "add", "mia@desk.example", "--role", "agent", "--password-stdin"), _PASSWORD),
    ("user.password_changed", ("user", "passwd", "mia@desk.example", "--password-stdin"), f"{_PASSWORD} more"),
    ("user.sessions_ended", ("user", "sign-out", "mia@desk.example"), ""),
    ("user.exported", ("user", "export", "mia@desk.example"), ""),
    ("team.created", ("team", "add", "Workshop", "--member", "mia@desk.example"), ""),
    ("user.disabled", ("user", "disable", "mia@desk.example"), ""),
    ("user.enabled", ("user", "disable", "mia@desk.example", "--undo"), ""),
    ("user.disabled", ("user", "disable", "mia@desk.example"), ""),
    ("user.erased", ("user", "erase", "mia@desk.example", "--yes"), ""),
    ("theme.made", ("theme", "new", "harbour"), ""),
    ("settings.changed", ("theme", "use", "harbour"), ""),
    ("schedule.switched_off", ("schedule", "off", "core.tidy"), ""),
    ("schedule.run", ("schedule", "run-now", "core.tidy"), ""),
    ("audit.exported", ("audit", "export"), ""),
    ("backup.made", ("backup",), ""),
]


@pytest.mark.slow
def test_each_command_leaves_its_entry(helpdesk: Run, app: Any) -> None:
    silent = []
    for act, words, feed in _COMMANDS:
        before = db.session.scalar(db.select(db.func.max(AuditEntry.id))) or 0
        db.session.rollback()
        said = helpdesk(*words, feed=feed)
        query = db.select(AuditEntry).where(AuditEntry.id > before, AuditEntry.action == act)
        entries = db.session.scalars(query).all()
        if [(entry.actor_id, entry.address, bool(entry.digest)) for entry in entries] != [(None, None, True)]:
            silent.append((words, said.status, said.err, len(entries)))
        db.session.rollback()
    assert silent == [], str(silent)


@pytest.mark.slow
def test_a_desk_that_was_restored_says_so_itself(
    helpdesk: Run, app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "desk.tar"
    assert helpdesk("backup", str(file)).status == 0
    monkeypatch.setenv("HELPDESK_HOME", str(tmp_path / "anew"))
    assert helpdesk("restore", str(file)).status == 0
    said = helpdesk("audit", "export", "--format", "jsonl")
    assert "desk.restored" in [row["action"] for row in said.json], said.err
    verified = helpdesk("audit", "verify")
    assert verified.status == 0 and "as it was written" in verified.out
