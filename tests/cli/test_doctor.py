"""`helpdesk doctor` finds what is broken, says what to do, and is quiet about what is well."""

import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from helpdesk.cli import checks
from tests.cli.conftest import Said

Run = Callable[..., Said]


def found(said: Said) -> dict[str, str]:
    return {line["check"]: line["state"] for line in said.json}


def test_every_finding_that_is_not_right_says_what_to_do(helpdesk: Run) -> None:
    said = helpdesk("doctor", "--json")
    assert said.status == 0
    states = found(said)
    right = ("python", "home", "secret.key", "database", "integrity", "jobs", "plugins", "theme", "files", "clock")
    assert {states[check] for check in right} == {"ok"}
    assert states["administrator"] == states["worker"] == states["mail"] == states["address"] == "warn"
    assert all(line["advice"] for line in said.json if line["state"] != "ok")
    text = helpdesk("doctor").out
    assert "warn  administrator" in text and "Run 'helpdesk init'" in text
    assert "0 wrong." in text


@pytest.mark.parametrize(
    ("version", "state"), [((3, 51, 2), "warn"), ((3, 51, 3), "ok"), ((3, 52, 0), "ok"), ((3, 40, 1), "warn")]
)
def test_old_sqlite_is_warned_of(
    helpdesk: Run, monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], state: str
) -> None:
    monkeypatch.setattr(checks.sqlite3, "sqlite_version_info", version)
    assert found(helpdesk("doctor", "--json"))["sqlite"] == state


def test_a_key_that_others_can_read_is_warned_of(helpdesk: Run, home: Path) -> None:
    os.chmod(home / "secret.key", 0o644)
    said = helpdesk("doctor", "--json")
    assert found(said)["secret.key"] == "warn"
    assert f"chmod 600 {home / 'secret.key'}" in said.out


def test_a_home_that_every_account_can_look_into_is_warned_of(helpdesk: Run, home: Path) -> None:
    os.chmod(home, 0o755)
    said = helpdesk("doctor", "--json")
    assert found(said)["home"] == "warn" and f"chmod o= {home}" in said.out
    os.chmod(home, 0o750)
    assert found(helpdesk("doctor", "--json"))["home"] == "ok", "a group of its own is the owner's choice"


def test_an_old_database_fails(helpdesk: Run) -> None:
    helpdesk("db", "downgrade", "base", "--yes")
    said = helpdesk("doctor", "--json")
    assert said.status == 1 and found(said)["database"] == "fail" and "helpdesk init" in said.out


def test_a_damaged_database_fails(helpdesk: Run, home: Path) -> None:
    helpdesk("ticket", "open", "--from", "a@b.example", "--subject", "x", "--text", "x")
    for name in ("helpdesk.sqlite3-wal", "helpdesk.sqlite3-shm"):
        (home / name).unlink(missing_ok=True)
    database = home / "helpdesk.sqlite3"
    data = bytearray(database.read_bytes())
    data[20 * 4096 : 40 * 4096] = random.Random(1).randbytes(20 * 4096)
    database.write_bytes(data)
    said = helpdesk("doctor", "--json")
    assert said.status == 1 and "fail" in found(said).values()
    assert "Traceback" not in said.err


def test_lost_files_fail(helpdesk: Run, home: Path) -> None:
    helpdesk("mail", "receive", feed=b"From: a@b.example\n\nHi\n")
    for path in (home / "files").glob("??/*"):
        path.unlink()
    said = helpdesk("doctor", "--json")
    assert said.status == 1 and found(said)["files"] == "fail"


def test_late_work_fails(helpdesk: Run, home: Path) -> None:
    import sqlite3

    helpdesk("mail", "receive", feed=b"From: a@b.example\n\nHi\n")
    with sqlite3.connect(home / "helpdesk.sqlite3") as database:
        database.execute("UPDATE job SET run_at = '2026-01-01 00:00:00.000000', state = 'waiting'")
    database.close()
    said = helpdesk("doctor", "--json")
    assert said.status == 1 and found(said)["jobs"] == "fail" and "helpdesk job run-due" in said.out
    helpdesk("job", "run-due")
    assert found(helpdesk("doctor", "--json"))["jobs"] == "ok"


def test_mail_that_waits_says_why_and_servers_are_the_channels_affair(helpdesk: Run, home: Path) -> None:
    import sqlite3

    with sqlite3.connect(home / "helpdesk.sqlite3") as database:
        database.execute(
            "INSERT INTO setting (\"group\", key, value) VALUES ('email', 'address', '\"help@desk.example\"')"
        )
    database.close()
    said = helpdesk("doctor", "--json")
    assert found(said)["mail"] == "ok" and "waiting mail" not in found(said)
    helpdesk("mail", "receive", feed=b"From: a@b.example\n\nHi\n")
    helpdesk("job", "run-due")
    said = helpdesk("doctor", "--json")
    assert found(said)["waiting mail"] == "warn" and "1 could not be sent yet: Mail cannot be sent yet." in said.out


def test_a_worker_that_stopped_is_warned_of(helpdesk: Run, home: Path) -> None:
    sign = home / "cache" / "worker"
    sign.touch()
    assert found(helpdesk("doctor", "--json"))["worker"] == "ok"
    os.utime(sign, times=(time.time() - 3600,) * 2)
    said = helpdesk("doctor")
    assert "none has looked for work for 60 min" in said.out


def test_broken_plugins_and_missing_themes_are_named(helpdesk: Run, home: Path) -> None:
    helpdesk("theme", "use", "ember")
    (home / "plugins" / "broken.py").write_text("1 / 0\n")
    said = helpdesk("doctor", "--json")
    assert said.status == 1 and found(said)["plugin broken"] == "fail" and "division by zero" in said.out


def test_a_clock_that_went_back_fails(helpdesk: Run, home: Path) -> None:
    import sqlite3

    helpdesk("ticket", "open", "--from", "a@b.example", "--subject", "x", "--text", "x")
    with sqlite3.connect(home / "helpdesk.sqlite3") as database:
        database.execute("UPDATE event SET created_at = '2096-01-01 00:00:00.000000'")
    database.close()
    said = helpdesk("doctor", "--json")
    assert said.status == 1 and found(said)["clock"] == "fail"


def test_what_keeps_it_from_looking_is_a_finding(helpdesk: Run, home: Path, tmp_path: Path) -> None:
    said = helpdesk("doctor", "--home", str(tmp_path / "nowhere"), "--json")
    assert said.status == 1 and found(said) == {"home": "fail"}
    assert not (tmp_path / "nowhere").exists()
    (home / "helpdesk.toml").write_text("port = many")
    said = helpdesk("doctor", "--home", str(home), "--json")
    assert said.status == 1 and found(said) == {"configuration": "fail"}
    (home / "helpdesk.toml").write_text('database_url = "postgresql://nobody@127.0.0.1:1/none"')
    said = helpdesk("doctor", "--json")
    assert said.status == 1 and found(said)["database"] == "fail" and "refused" in said.out
