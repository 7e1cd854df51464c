"""`helpdesk mail`: what a mail server relies on is the exit status; nothing that was taken is lost."""

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from helpdesk_email import fetching

from helpdesk.api import CheckStep
from tests.cli.conftest import Said

Run = Callable[..., Said]
MAIL = b"From: Tom Ashby <tom@post.example>\r\nTo: help@shop.example\r\nSubject: Lock\r\n\r\nIt is stuck.\r\n"
LIMIT = 35 * 1024 * 1024


def kept(home: Path) -> set[str]:
    return {path.name for path in (home / "files").glob("??/*")}


def test_a_mail_from_a_pipe_becomes_a_ticket(helpdesk: Run, home: Path) -> None:
    said = helpdesk("mail", "receive", "--json", feed=MAIL)
    assert said.status == 0
    assert said.json == [
        {"file": "-", "outcome": "ticket", "reason": "", "ticket": 1, "message": None, "machine": False}
    ]
    assert hashlib.sha256(MAIL).hexdigest() in kept(home)
    (shown,) = helpdesk("ticket", "show", "1", "--json").json
    assert (shown["subject"], shown["email"], shown["channel"]) == ("Lock", "tom@post.example", "email")
    assert shown["messages"][0]["text"].strip() == "It is stuck."


def test_the_same_mail_is_kept_once(helpdesk: Run) -> None:
    first, second = (helpdesk("mail", "receive", "--json", feed=MAIL).json[0] for _ in range(2))
    assert first == second
    assert len(helpdesk("ticket", "list", "--json").json) == 1


def test_real_mails_are_all_taken(helpdesk: Run, corpora: Path, home: Path) -> None:
    files = sorted((corpora / "mail").rglob("*.eml"))[:60]
    assert len(files) == 60
    said = helpdesk("mail", "receive", "--json", *map(str, files))
    assert said.status == 0 and said.err == ""
    assert [row["file"] for row in said.json] == [str(file) for file in files]
    assert {row["outcome"] for row in said.json} <= {"ticket", "message", "ignored", "quarantined"}
    assert {hashlib.sha256(file.read_bytes()).hexdigest() for file in files} <= kept(home)
    for row in said.json:
        # A bounce that is ignored names the ticket that it belongs to.
        assert row["ticket"] is not None or row["outcome"] not in ("ticket", "message")
        assert row["reason"] or row["outcome"] in ("ticket", "message")


def test_a_mail_is_taken_while_its_channel_is_off_and_acted_on_later(helpdesk: Run) -> None:
    helpdesk("plugin", "off", "email")
    said = helpdesk("mail", "receive", "--json", feed=MAIL)
    assert said.status == 0
    assert said.json[0]["outcome"] == "waiting" and said.json[0]["ticket"] is None
    assert helpdesk("job", "run-due", "--json").json == [{"ran": 1}]
    assert helpdesk("ticket", "list", "--json").json == []
    helpdesk("plugin", "on", "email")
    helpdesk("job", "run-due")
    assert [row["subject"] for row in helpdesk("ticket", "list", "--json").json] == ["Lock"]


def test_a_mail_that_is_too_large_is_refused_and_the_others_taken(helpdesk: Run, tmp_path: Path, home: Path) -> None:
    large, small = tmp_path / "large.eml", tmp_path / "small.eml"
    large.write_bytes(MAIL + b"x" * (LIMIT - len(MAIL) + 1))
    small.write_bytes(MAIL)
    said = helpdesk("mail", "receive", "--json", str(large), str(small))
    assert said.status == 65
    assert said.err == f"{large}: The message is larger than 35 MB and was not taken in.\n"
    assert [(row["file"], row["outcome"]) for row in said.json] == [(str(small), "ticket")]
    assert kept(home) == {hashlib.sha256(MAIL).hexdigest()}


def test_a_mail_of_just_the_size_that_fits_is_taken(helpdesk: Run, home: Path) -> None:
    raw = MAIL + b"x" * (LIMIT - len(MAIL))
    assert helpdesk("mail", "receive", feed=raw).status == 0
    assert hashlib.sha256(raw).hexdigest() in kept(home)


def test_a_file_of_many_mails_is_taken_one_by_one(helpdesk: Run, tmp_path: Path, home: Path) -> None:
    quoted = MAIL.replace(b"Lock", b"Key").replace(b"It is stuck.", b"\r\n>From here it is stuck.\r\n>>From x")
    # Too large, so that the one behind it shows that nothing is mixed up.
    large = MAIL.replace(b"Lock", b"Large") + b"x" * LIMIT + b"\r\n"
    box = tmp_path / "mails.mbox"
    begin = b"From tom@post.example Thu Nov 26 14:00:00 2026\r\n"
    box.write_bytes(b"".join(begin + mail + b"\r\n" for mail in (MAIL, quoted, large, MAIL.replace(b"Lock", b"Bolt"))))
    said = helpdesk("mail", "receive", "--json", "--account", "Sales@shop.example", "--mbox", str(box))
    assert said.status == 65
    assert [(row["file"], row["outcome"]) for row in said.json] == [(f"{box}:{n}", "ticket") for n in (1, 2, 4)]
    plain = quoted.replace(b"\n>From", b"\nFrom").replace(b">>From", b">From")
    wanted = (MAIL, plain, MAIL.replace(b"Lock", b"Bolt"))
    assert {hashlib.sha256(raw).hexdigest() for raw in wanted} <= kept(home)
    with sqlite3.connect(home / "helpdesk.sqlite3") as database:
        accounts = database.execute("SELECT DISTINCT account FROM intake").fetchall()
    database.close()
    assert accounts == [("sales@shop.example",)]


def test_poll_says_what_it_did(helpdesk: Run, home: Path) -> None:
    assert helpdesk("mail", "poll").out == "There is no mailbox that mail is fetched from.\n"
    (row,) = helpdesk("mail", "poll", "nobody@shop.example", "--json").json
    assert row["said"].startswith("There is no active mailbox nobody@shop.example")
    helpdesk("plugin", "off", "email")
    assert "The e-mail plugin is off" in helpdesk("mail", "poll").err
    helpdesk("plugin", "on", "email")
    # As a restore leaves it.
    with sqlite3.connect(home / "helpdesk.sqlite3") as database:
        database.execute("""INSERT INTO setting ("group", key, value) VALUES ('core.hold', 'since', '"2026-01-01"')""")
    database.close()
    said = helpdesk("mail", "poll")
    assert said.status == 1 and "The desk is held since 2026-01-01" in said.err


def test_poll_ends_with_one_when_a_mailbox_failed(helpdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [CheckStep("help@shop.example", True, "1 mail."), CheckStep("sales@shop.example", False, "No answer.")]
    monkeypatch.setattr(fetching, "poll_now", lambda address="": steps[: 1 if address else 2])
    assert helpdesk("mail", "poll", "help@shop.example").status == 0
    said = helpdesk("mail", "poll")
    assert (said.status, said.out) == (1, "help@shop.example: 1 mail.\nsales@shop.example: No answer.\n")
    assert [row["ok"] for row in helpdesk("mail", "poll", "--json").json] == [True, False]


@pytest.mark.parametrize(
    ("typed", "kept"), [("Help+x.y@Shop.example ", "help@shop.example"), ("help", ""), ("he lp@shop.example", "")]
)
def test_an_account_is_one_of_our_addresses(helpdesk: Run, home: Path, typed: str, kept: str) -> None:
    said = helpdesk("mail", "receive", "--account", typed, feed=MAIL.replace(b"To: help@shop.example", b"X-To: x"))
    assert said.status == 0 and ("is no e-mail address" in said.err) == (not kept)
    with sqlite3.connect(home / "helpdesk.sqlite3") as database:
        assert database.execute("SELECT account FROM intake").fetchone() == (kept,)
    database.close()


def test_people_read_words_and_programs_codes(helpdesk: Run, tmp_path: Path) -> None:
    robot, nobody = tmp_path / "robot.eml", tmp_path / "nobody.eml"
    robot.write_bytes(MAIL.replace(b"Subject:", b"Auto-Submitted: auto-replied\r\nSubject:"))
    nobody.write_bytes(MAIL.replace(b"From:", b"X-From:"))
    said = helpdesk("mail", "receive", str(robot), str(nobody)).out
    assert said.startswith(f"{robot}: Ignored: an automatic answer\n{nobody}: Held for a person: has no sender")
    assert helpdesk("mail", "retry", "1").out == "1: Ignored: an automatic answer\n"
    assert "has no sender who could be answered" in helpdesk("mail", "quarantine").out
    assert helpdesk("mail", "quarantine", "--json").json[0]["reason"].startswith("no_sender")


@pytest.mark.parametrize("trouble", ["old database", "broken configuration", "no home", "newer database"])
def test_a_desk_that_cannot_take_mail_asks_for_it_again(helpdesk: Run, home: Path, trouble: str) -> None:
    if trouble == "old database":
        helpdesk("db", "downgrade", "base", "--yes")
    elif trouble == "broken configuration":
        (home / "helpdesk.toml").write_text("port = many")
    elif trouble == "no home":
        (home / "helpdesk.toml").write_text(f'database_url = "sqlite:///{home}/nowhere/x.sqlite3"')
    else:
        with sqlite3.connect(home / "helpdesk.sqlite3") as database:
            database.execute("UPDATE alembic_version SET version_num = '9999'")
        database.close()
    said = helpdesk("mail", "receive", feed=MAIL)
    assert said.status == 75
    assert said.err.startswith("The mail could not be kept now, try again later: ")
    assert len(said.err.splitlines()) == 1


@pytest.mark.slow
def test_a_locked_database_asks_for_it_again(helpdesk: Run, home: Path) -> None:
    holder = sqlite3.connect(home / "helpdesk.sqlite3", isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        said = helpdesk("mail", "receive", feed=MAIL)
    finally:
        holder.execute("ROLLBACK")
        holder.close()
    assert said.status == 75 and "busy" in said.err
    assert helpdesk("mail", "receive", feed=MAIL).status == 0


def test_a_full_disk_asks_for_it_again(helpdesk: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        said = helpdesk("mail", "receive", feed=MAIL)
    assert said.status == 75 and "No space left on device" in said.err
    assert helpdesk("ticket", "list", "--json").json == []
    assert helpdesk("mail", "receive", feed=MAIL).status == 0


@pytest.mark.parametrize("words", [["nowhere.eml"], ["--acount", "help@shop.example"], ["--account"]])
def test_a_wrong_word_keeps_the_mail_with_its_server(helpdesk: Run, words: list[str]) -> None:
    said = helpdesk("mail", "receive", *words, feed=MAIL)
    assert said.status == 75 and words[0] in said.err and len(said.err.splitlines()) == 1
    assert helpdesk("mail", "parse", "nowhere.eml").status == 2


def test_what_cannot_be_used_is_listed_and_tried_again(helpdesk: Run) -> None:
    said = helpdesk("mail", "receive", "--json", feed=b"\x00\x01 this is no mail")
    assert said.status == 0
    (row,) = said.json
    assert row["outcome"] in ("quarantined", "ignored") and row["reason"]
    parked = helpdesk("mail", "quarantine", "--json").json
    assert len(parked) == (row["outcome"] == "quarantined")
    again = helpdesk("mail", "retry", "1", "--json")
    assert again.status == 0 and again.json[0]["outcome"] == row["outcome"]
    assert helpdesk("mail", "retry", "99").err.startswith("There is no incoming item 99")
    assert helpdesk("mail", "retry", "99", "--outgoing").err.startswith("There is no outgoing message 99")


def test_parse_needs_no_home_and_stores_nothing(helpdesk: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "m.eml").write_bytes(MAIL)
    (tmp_path / "file").write_text("")
    # It cannot be made.
    monkeypatch.setenv("HELPDESK_HOME", str(tmp_path / "file" / "home"))
    said = helpdesk("mail", "parse", str(tmp_path / "m.eml"), "--json")
    assert said.status == 0, said.err
    (mail,) = said.json
    assert mail["subject"] == "Lock" and mail["from"] == {"name": "Tom Ashby", "email": "tom@post.example"}
    wanted = "file subject from reply_to to cc date message_id in_reply_to references machine text quoted html"
    assert set(mail) >= {*wanted.split(), "attachments", "problems"}
    said = helpdesk("mail", "parse", "-", feed=MAIL)
    assert said.status == 0 and "from Tom Ashby <tom@post.example>" in said.out and "It is stuck." in said.out
