"""`helpdesk backup`, `restore` and `release` as an operator gives them, and the backup before a migration."""

import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.cli.conftest import PATIENCE, Desk, Said, wait_for

Run = Callable[..., Said]
BEFORE = "0002"


@pytest.fixture
def run(helpdesk: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command in this process, with variables of its own."""

    def call(*words: str, feed: bytes = b"", **environ: str) -> Said:
        with monkeypatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            return helpdesk(*words, feed=feed)

    return call


@pytest.fixture
def on(database_url: str, request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment that puts a command on the database of the test."""
    return {"HELPDESK_DATABASE_URL": database_url} if database_url else {}


@pytest.fixture
def anew(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a home that is not there yet, with an empty database."""
    there = {"HELPDESK_HOME": str(tmp_path / "anew")}
    if database_url:
        there["HELPDESK_DATABASE_URL"] = str(request.getfixturevalue("postgresql_url"))
    return there


def open_ticket(run: Run, subject: str, **environ: str) -> None:
    said = run("ticket", "open", "--from", "a@b.example", "--subject", subject, "--text", "x", **environ)
    assert said.status == 0, said.err


def subjects(run: Run, **environ: str) -> list[str]:
    return sorted(row["subject"] for row in run("ticket", "list", "--json", **environ).json)


@pytest.mark.slow
@pytest.mark.db
def test_there_and_back_again(run: Run, on: dict[str, str], anew: dict[str, str], tmp_path: Path) -> None:
    open_ticket(run, "Rear brake rubs", **on)
    assert run("mail", "receive", feed=b"From: c@d.example\nSubject: Hi\n\nHi\n", **on).status == 0
    file = tmp_path / "desk.tar"
    said = run("backup", str(file), **on)
    assert said.status == 0 and f"The backup is in {file}" in said.out, said.err
    tried = run("restore", str(file), "--verify", **on)
    assert tried.status == 0 and "can be restored" in tried.out, tried.err
    said = run("restore", str(file), **anew)
    assert said.status == 0 and "Held back:" in said.out and "helpdesk release" in said.out, said.err
    before = subjects(run, **on)
    assert subjects(run, **anew) == before and "Rear brake rubs" in before
    assert "held" in {line["check"] for line in run("doctor", "--json", **anew).json}
    said = run("release", "--yes", **anew)
    assert said.status == 0 and "The desk goes on." in said.out
    assert "The desk is not held." in run("release", **anew).out
    # There is something in it now.
    again = run("restore", str(file), **anew)
    assert again.status == 1 and len(again.err.strip().splitlines()) == 1
    wanted = "is not empty" if "HELPDESK_DATABASE_URL" in on else "--swap"
    assert wanted in run("restore", str(file), *(["--swap"] if wanted != "--swap" else []), **anew).err


# ---- the database that was restored into


@pytest.fixture
def on_postgresql(run: Run, home: Path, tmp_path: Path, postgresql_migrated_url: str) -> Path:
    """A backup of a desk that has its PostgreSQL database in helpdesk.toml, and a ticket."""
    (home / "helpdesk.toml").write_text(f'port = 8123\ndatabase_url = "{postgresql_migrated_url}"\n')
    open_ticket(run, "Rear brake rubs")
    file = tmp_path / "desk.tar"
    assert run("backup", str(file)).status == 0
    return file


def refused(run: Run, *words: str, **environ: str) -> None:
    """A command that would speak to the wrong database says so in one sentence, and does nothing."""
    said = run(*words, **environ)
    assert said.status == 1 and said.err.startswith("A backup was restored into"), said
    assert len(said.err.strip().splitlines()) == 1


@pytest.mark.slow
def test_a_home_that_was_empty_speaks_to_the_database_that_was_restored(
    run: Run, on_postgresql: Path, tmp_path: Path, postgresql_url: str
) -> None:
    anew = tmp_path / "anew"
    said = run("restore", str(on_postgresql), "--home", str(anew), "--database", postgresql_url)
    assert said.status == 0 and "Before you start" not in said.out and f"release --home {anew}" in said.out, said.err
    assert tomllib.loads((anew / "helpdesk.toml").read_text()) == {"port": 8123, "database_url": postgresql_url}
    assert not list(anew.glob("*.from-backup"))
    assert "held" in {line["check"] for line in run("doctor", "--home", str(anew), "--json").json}
    assert "The desk goes on." in run("release", "--yes", "--home", str(anew)).out


@pytest.mark.slow
def test_a_password_is_not_written_and_the_line_for_it_is_told(
    run: Run, nothing_serves: None, on_postgresql: Path, tmp_path: Path, postgresql_url: str
) -> None:
    anew = tmp_path / "anew"
    url = make_url(postgresql_url).set(password="canary")
    secret = url.render_as_string(hide_password=False)
    said = run("restore", str(on_postgresql), "--home", str(anew), "--database", secret)
    assert said.status == 0, said.err
    assert "canary" not in said.out + (anew / "helpdesk.toml").read_text()
    assert said.out.splitlines()[-2] == f'  database_url = "{url.render_as_string()}"'
    assert tomllib.loads((anew / "helpdesk.toml").read_text()) == {"port": 8123}
    # Without that line it would be a desk on SQLite.
    for words in (["serve", "--port", "1"], ["web"], ["worker"], ["release"], ["db", "upgrade"], ["init"]):
        refused(run, *words, HELPDESK_HOME=str(anew))
    assert not (anew / "helpdesk.sqlite3").exists()
    assert run("release", "--yes", "--home", str(anew), HELPDESK_DATABASE_URL=secret).status == 0


@pytest.mark.slow
def test_a_home_that_names_the_old_database_does_not_start(
    run: Run, nothing_serves: None, on_postgresql: Path, home: Path, postgresql_url: str
) -> None:
    open_ticket(run, "Came after the backup")
    said = run("restore", str(on_postgresql), "--swap", "--database", postgresql_url)
    assert said.status == 0, said.err
    *_before, why, line, last = said.out.splitlines()
    assert why.startswith("Before you start the desk") and str(home / "helpdesk.toml") in why and "release" in last
    for words in (["serve", "--port", "1"], ["web"], ["worker"], ["ticket", "list"]):
        refused(run, *words)
    (found,) = (finding for finding in run("doctor", "--json").json if finding["check"] == "database")
    assert found["state"] == "fail" and "A backup was restored into" in found["found"]
    (home / "helpdesk.toml").write_text(f"port = 8123\n{line.strip()}\n")
    assert subjects(run) == ["Rear brake rubs"]


# ---- where there is no desk


@pytest.mark.parametrize(
    "words",
    [["backup", "--list"], ["backup"], ["doctor"], ["release"], ["ticket", "list"], ["nonsense"],
     ["restore", "nothing.tar"], ["restore", "{there}"], ["restore", "{there}", "--verify"]],
)  # fmt: skip
def test_what_fails_or_only_looks_makes_no_home(run: Run, tmp_path: Path, words: list[str]) -> None:
    broken, place = tmp_path / "broken.tar", tmp_path / "no" / "desk"
    broken.write_bytes(b"nothing" * 1000)
    said = run(*(word.format(there=broken) for word in words), HELPDESK_HOME=str(place))
    assert said.status != 0
    if words[0] not in ("restore", "nonsense"):
        assert f"There is no desk in {place}" in said.out + said.err
    assert not (tmp_path / "no").exists()


@pytest.mark.slow
def test_backups_are_found_by_their_name_wherever_they_lie(helpdesk: Run, home: Path, tmp_path: Path) -> None:
    helpdesk("backup")
    helpdesk("backup", str(tmp_path / "far.tar"))
    assert str(tmp_path / "far.tar") in helpdesk("backup", "--list").out
    here = next((home / "backups").glob("*.tar")).name
    said = helpdesk("restore", "far.tar", "--verify")
    assert said.status == 0 and "far.tar can be restored" in said.out
    # It is found, and there is a desk here already.
    assert "--swap" in helpdesk("restore", here).err
    assert f"There is no file {tmp_path}/fra.tar." in helpdesk("restore", f"{tmp_path}/fra.tar").err
    assert "is a folder" in helpdesk("restore", str(tmp_path)).err


@pytest.mark.sqlite
@pytest.mark.slow
def test_one_is_one_in_what_is_held_back(run: Run, anew: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "desk.tar"
    assert run("schedule", "run-now", "core.tidy").status == 0
    assert run("backup", str(file)).status == 0
    said = run("restore", str(file), **anew)
    assert "0 messages to be sent, 1 job to be run, 0 schedules that are due" in said.out


def test_without_a_terminal_no_passphrase_is_asked_for(helpdesk: Run) -> None:
    said = helpdesk("backup", "--encrypt")
    assert said.status == 1 and said.err.count("\n") == 1 and "--passphrase-file" in said.err


@pytest.mark.slow
@pytest.mark.db
def test_a_backup_of_a_desk_under_load_restores(
    serve: Callable[..., Desk], run: Run, on: dict[str, str], anew: dict[str, str], tmp_path: Path
) -> None:
    desk = serve(**on)
    desk.read_until("Stop it with")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER], env={**os.environ, **on}, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    try:
        writer.stdout.readline()
        acknowledged = int(writer.stdout.readline())
        file = tmp_path / "desk.tar"
        said = run("backup", str(file), **on)
        assert said.status == 0, said.err
        assert desk.status_of("/auth/sign-in") == 200
        # A desk that runs is not restored over, but a backup of it is tried.
        refused = run("restore", str(file), "--swap", **on)
        assert refused.status == 1 and "stop it first" in refused.err
        tried = run("restore", str(file), "--verify", **on)
        assert tried.status == 0, tried.err
        assert writer.poll() is None
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()
    assert run("restore", str(file), **anew).status == 0
    assert len(run("ticket", "list", "--limit", "10000", "--json", **anew).json) >= acknowledged


# As fast as customers of a large shop; tests/faults has one that never rests.
WRITER = """
import time
from helpdesk.app import create_app
from helpdesk.core import accounts, workflow
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.transaction import transaction

with create_app().app_context():
    with transaction():
        user = accounts.create_user("load@post.example", "Load", "requester", None).id
    number = 0
    while True:
        workflow.open_ticket(TicketDraft("Load", user, "x"), None)
        number += 1
        print(number, flush=True)
        time.sleep(0.05)
"""


@pytest.mark.slow
def test_a_backup_that_is_killed_leaves_nothing_that_looks_like_one(helpdesk: Run, home: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", IN_THE_MIDDLE], stdout=subprocess.PIPE, text=True) as making:
        try:
            assert making.stdout is not None and making.stdout.readline() == "in the middle\n"
            assert list((home / "backups").glob(".making-*/*.tar"))
        finally:
            making.kill()
    assert helpdesk("backup", "--list", "--json").json == []
    assert helpdesk("backup").status == 0
    assert len(helpdesk("backup", "--list", "--json").json) == 1
    assert not list((home / "backups").glob(".making-*"))


# Written is the first member, the database.
IN_THE_MIDDLE = """
import signal, sys
from helpdesk.cli import main
from helpdesk.core.backups import archive

add = archive.Writer.add

def add_and_wait(self, path, name):
    add(self, path, name)
    print("in the middle", flush=True)
    signal.pause()

archive.Writer.add = add_and_wait
sys.argv = ["helpdesk", "backup"]
main()
"""


@pytest.fixture
def quick_passphrases(monkeypatch: pytest.MonkeyPatch) -> None:
    """A passphrase locks and opens in no time, where it takes two seconds each, and keeps nobody out."""
    import pyrage

    def decrypt(locked: bytes, passphrase: str) -> bytes:
        by, data = locked.split(b"\0")
        if by != passphrase.encode():
            raise pyrage.DecryptError("It is another one.")
        return data

    monkeypatch.setattr(pyrage.passphrase, "encrypt", lambda data, passphrase: passphrase.encode() + b"\0" + data)
    monkeypatch.setattr(pyrage.passphrase, "decrypt", decrypt)


@pytest.mark.slow
def test_a_passphrase_is_taken_from_a_file_or_the_environment(
    run: Run, quick_passphrases: None, tmp_path: Path
) -> None:
    file, secret = tmp_path / "desk.tar", tmp_path / "secret"
    secret.write_text("a long passphrase\nnot this line\n")
    assert run("backup", str(file), "--passphrase-file", str(secret)).status == 0
    refused = run("restore", str(file), "--verify")
    assert refused.status == 1 and "encrypted" in refused.err
    wrong = run("restore", str(file), "--verify", HELPDESK_BACKUP_PASSPHRASE="another one")
    assert wrong.status == 1 and "does not open" in wrong.err
    assert run("restore", str(file), "--verify", HELPDESK_BACKUP_PASSPHRASE="a long passphrase").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["restore", "nowhere.tar"], "There is no backup nowhere.tar"),
        (["backup", "/nowhere/at/all.tar"], "is not there"),
        (["backup", "{home}/secret.key"], "is there already"),
        (["backup", "{home}/new.tar", "--passphrase-file", "{home}/short"], "too short"),
        (["backup", "{home}/new.tar", "--passphrase-file", "{home}/empty"], "is empty"),
        (["restore", "{home}/secret.key", "--swap"], "no backup of a help desk"),
        (["restore", "{home}/secret.key"], "--swap"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(helpdesk: Run, home: Path, words: list[str], said: str) -> None:
    (home / "short").write_text("short\n")
    (home / "empty").write_text("\n")
    done = helpdesk(*(word.format(home=home) for word in words))
    assert done.status != 0 and said in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_the_doctor_looks_at_backups(helpdesk: Run, home: Path, travel: Any) -> None:
    def state() -> tuple[str, str]:
        (found,) = (line for line in helpdesk("doctor", "--json").json if line["check"] == "backup")
        return found["state"], found["found"]

    assert state() == ("ok", "there is none"), "the desk is new"
    helpdesk("ticket", "open", "--from", "a@b.example", "--subject", "x", "--text", "x")
    travel(days=3)
    assert state() == ("warn", "there is none")
    helpdesk("backup")
    assert state()[0] == "ok"
    (note,) = (home / "backups").glob("*.json")
    note.write_text(re.sub(r'"made_at": "\d{4}', '"made_at": "2020', note.read_text()))
    assert state()[0] == "warn"


# ---- before a migration


@pytest.fixture
def old(run: Run, on: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment of a desk with a ticket whose database is one revision behind."""
    open_ticket(run, "Old", **on)
    assert run("db", "downgrade", BEFORE, "--yes", **on).status == 0
    yield on


def revision(run: Run, **environ: str) -> str:
    return str(
        next(row["database"] for row in run("db", "current", "--json", **environ).json if row["owner"] == "core")
    )


@pytest.mark.slow
@pytest.mark.db
def test_a_database_that_is_migrated_is_backed_up_first(
    run: Run, old: dict[str, str], anew: dict[str, str], home: Path
) -> None:
    said = run("db", "upgrade", **old)
    assert said.status == 0 and "The database as it was is in" in said.out and "core: 0002 ->" in said.out, said.err
    (file,) = (home / "backups").glob("upgrade-*.tar")
    # Nothing is left to migrate: no other one.
    assert run("db", "upgrade", **old).out == "The database is up to date.\n"
    assert len(list((home / "backups").glob("*.tar"))) == 1
    tried = run("restore", str(file), "--verify", **old)
    assert tried.status == 0, tried.err
    assert run("restore", str(file), **anew).status == 0
    assert revision(run, **anew) == BEFORE
    assert run("db", "upgrade", **anew).status == 0 and subjects(run, **anew) == ["Old"]


@pytest.mark.slow
def test_without_room_for_it_nothing_is_migrated(run: Run, old: dict[str, str], home: Path) -> None:
    (home / "backups").write_text("not a folder")
    said = run("db", "upgrade", **old)
    assert said.status == 1 and "--no-backup" in said.err and len(said.err.strip().splitlines()) == 1
    assert revision(run, **old) == BEFORE
    assert run("db", "upgrade", "--no-backup", **old).status == 0
    assert revision(run, **old) != BEFORE


@pytest.mark.slow
@pytest.mark.db
def test_of_two_that_start_at_once_one_migrates(run: Run, old: dict[str, str]) -> None:
    command = [sys.executable, "-m", "helpdesk.cli", "db", "upgrade"]
    environ = {**os.environ, **old}
    both = [subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True) for _place in range(2)]
    said = [one.communicate()[0] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sum("core: 0002 ->" in text for text in said) == 1
    assert revision(run, **old) != BEFORE and subjects(run, **old) == ["Old"]


@pytest.mark.slow
@pytest.mark.db
def test_a_start_that_is_killed_is_completed_by_the_next(
    serve: Callable[..., Desk], run: Run, old: dict[str, str], home: Path
) -> None:
    """Killed while it backs up, and when it begins to migrate; then it starts, with all that was there."""

    def begun(desk: Desk, sign: str) -> bool:
        assert desk.process.poll() is None, "".join(desk.said)
        return any((home / "backups").glob(sign))

    for sign in ("*", "upgrade-*.tar"):
        desk = serve(**old)
        wait_for(partial(begun, desk, sign), pause=0.002)
        os.killpg(desk.process.pid, signal.SIGKILL)
        assert desk.process.wait(PATIENCE) == -signal.SIGKILL
    desk = serve(**old)
    desk.read_until("Stop it with")
    assert desk.status_of("/auth/sign-in") == 200
    assert revision(run, **old) != BEFORE and subjects(run, **old) == ["Old"]
