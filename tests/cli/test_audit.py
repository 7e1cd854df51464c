"""`helpdesk audit` and `helpdesk token`."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from helpdesk.core import audit, service_accounts
from helpdesk.core.audit import checking
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger
from helpdesk.core.transaction import transaction
from tests.cli.conftest import Said

# Commands here work on the home, whatever database the desk of a test has.
pytestmark = pytest.mark.sqlite

Run = Callable[..., Said]


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


@pytest.fixture
def acts(app: Any) -> None:
    """Three entries, one of which would be a formula."""
    with transaction():
        audit.record("team.created", None, "=HYPERLINK(1)")
        audit.record("settings.changed", None, "desk", {"name": "Larkwheel"})
        audit.record("settings.changed", None, "backup", {"at": "03:00"})


def test_it_is_verified_against_an_anchor_kept_elsewhere(helpdesk: Run, acts: None) -> None:
    said = helpdesk("audit", "verify", "--json")
    assert said.status == 0 and said.json[0]["links"] == 3 and said.json[0]["broken"] == ""
    anchor = said.json[0]["anchor"]
    assert anchor in helpdesk("audit", "verify", "--expect", anchor).out
    wrong = helpdesk("audit", "verify", "--expect", f"3:{'0' * 64}")
    assert wrong.status == 1 and "The record was changed" in wrong.out
    assert helpdesk("audit", "verify", "--expect", "nonsense").status == 1


def test_an_end_that_was_cut_off_since_last_night_is_seen_without_an_anchor(
    helpdesk: Run, acts: None, run_jobs: Any
) -> None:
    ledger.schedule(checking.JOB)
    run_jobs()
    with transaction():
        for table, key in (("audit_entry", "id"), ("audit_link", "entry_id")):
            db.session.execute(text(f"DROP TRIGGER {table}_there"))
            db.session.execute(text(f"DELETE FROM {table} WHERE {key} > 2"))
    said = helpdesk("audit", "verify")
    assert said.status == 1 and "Its end is missing" in said.out


def test_that_its_triggers_are_gone_is_said(helpdesk: Run, acts: None) -> None:
    with transaction():
        db.session.execute(text("DROP TRIGGER audit_link_there"))
    said = helpdesk("audit", "verify")
    assert said.status == 1 and "missing (audit_link_there)" in said.out and "as it was written" in said.out
    assert helpdesk("audit", "verify", "--json").json[0]["unguarded"] == ["audit_link_there"]


def test_it_is_handed_out_and_that_is_written_down(helpdesk: Run, acts: None, tmp_path: Path) -> None:
    said = helpdesk("audit", "export")
    rows = list(csv.DictReader(io.StringIO(said.out.lstrip("\ufeff"))))
    assert [row["subject"] for row in rows] == ["'=HYPERLINK(1)", "desk", "backup"]
    assert json.loads(rows[1]["data"]) == {"name": "Larkwheel"}
    file = tmp_path / "record.jsonl"
    helpdesk("audit", "export", str(file), "--format", "jsonl", "--action", "settings.changed", "--text", "DESK")
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [line["subject"] for line in lines] == ["desk"] and lines[0]["erased"] is False
    again = helpdesk("audit", "export", "--action", "audit.exported", "--format", "jsonl").json
    assert [line["data"] for line in again] == [{}, {"action": "settings.changed", "text": "DESK"}]
    assert helpdesk("audit", "export", "--since", "2001-01-01", "--until", "2001-01-02").out.count("\n") == 1


def test_tokens_are_made_listed_and_revoked(helpdesk: Run, app: Any) -> None:
    service_accounts.create("Shop", "agent", [], None)
    made = helpdesk("token", "make", "Shop", "--scope", "ticket.read", "--days", "30", "--json").json[0]
    assert made["token"].startswith("hd_")
    listed = helpdesk("token", "list", "--json")
    assert [row["of"] for row in listed.json] == ["Shop"] and made["token"] not in listed.out
    assert helpdesk("token", "make", "Shop", "--scope", "no.such").status == 1
    assert helpdesk("token", "make", "Nobody", "--scope", "ticket.read").status == 1
    assert helpdesk("token", "revoke").status == 1 and helpdesk("token", "revoke", "99").status == 1
    assert helpdesk("token", "revoke", str(made["id"])).out == "1 revoked.\n"
    assert helpdesk("token", "list").out == "There are no tokens.\n"
