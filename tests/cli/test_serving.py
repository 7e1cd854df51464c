"""`helpdesk serve` as a real process: it starts from nothing, says how to go on, and stops cleanly."""

import os
import signal
import socket
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import PATIENCE, Desk, Said, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.sqlite]


def test_an_empty_home_becomes_a_desk_with_a_setup_link(serve: Callable[..., Desk], tmp_path: Path) -> None:
    desk = serve("--home", str(tmp_path / "new home"))
    link = desk.read_until(r"one-time link: http://127\.0\.0\.1:(\d+)(/setup/\S+)")
    assert int(link[1]) == desk.port
    assert desk.status_of(link[2]) == 200
    assert desk.status_of("/") == 503  # not for customers yet
    assert desk.status_of("/setup/somebody-elses-guess-of-the-link") in (404, 410)
    assert (tmp_path / "new home" / "helpdesk.sqlite3").is_file()

    os.kill(desk.process.pid, signal.SIGTERM)
    assert desk.process.wait(PATIENCE) == 0


def test_a_desk_with_an_administrator_prints_no_link_and_ctrl_c_stops_it(
    serve: Callable[..., Desk], helpdesk: Callable[..., Said]
) -> None:
    words = ("user", "add", "sam@shop.example", "--role", "admin", "--password-stdin")
    assert helpdesk(*words, feed="a rather long pass phrase\n").status == 0
    desk = serve()
    desk.read_until("Stop it with Ctrl")
    assert not any("setup" in line for line in desk.said)
    assert any(f"The desk is at http://127.0.0.1:{desk.port}/" in line for line in desk.said)
    told = f"http://127.0.0.1:{desk.port} (no public_url)"
    assert told in helpdesk("doctor").out
    children = list(desk.children().values())
    assert len(children) == 2
    os.kill(desk.process.pid, signal.SIGINT)
    assert desk.process.wait(PATIENCE) == 0
    assert not any(Path(f"/proc/{child}").exists() for child in children)
    assert told not in helpdesk("doctor").out


def test_work_is_done_by_the_worker_that_comes_after_a_killed_one(
    serve: Callable[..., Desk], helpdesk: Callable[..., Said], home: Path
) -> None:
    desk = serve()
    desk.read_until("Stop it with Ctrl")
    first = wait_for(lambda: desk.children().get("worker"))
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: desk.children().get("worker", first) != first and desk.children().get("worker"))
    assert second != first
    assert desk.status_of("/auth/sign-in") == 200
    assert helpdesk("mail", "receive", feed=b"From: a@b.example\nSubject: Hello\n\nHi\n").status == 0
    # The notice that it was received is tried; nothing is set up yet that it could leave by.
    wait_for(
        lambda: [
            job for job in helpdesk("job", "list", "--json").json if job["name"] == "core.deliver" and job["attempts"]
        ]
    )
    assert (home / "cache" / "worker").exists()
    findings = {line["check"]: line["state"] for line in helpdesk("doctor", "--json").json}
    assert findings["worker"] == "ok" and findings["jobs"] == "ok"


@pytest.mark.parametrize("command", ["serve", "web"])
def test_a_port_that_is_taken_is_one_sentence(
    helpdesk: Callable[..., Said], nothing_serves: None, command: str
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        said = helpdesk(command, "--port", str(port))
    assert said.status == 1
    assert_one_sentence(said.err, f"Port {port} on 127.0.0.1 is taken by another program")


def test_a_home_that_cannot_be_written_is_one_sentence(
    helpdesk: Callable[..., Said], nothing_serves: None, tmp_path: Path
) -> None:
    # As root every folder can be written; below a file nobody can make one.
    (tmp_path / "file").write_text("")
    for command in ("serve", "init", "demo"):
        said = helpdesk(command, "--home", str(tmp_path / "file" / "home"))
        assert said.status == 1
        assert_one_sentence(said.err, "cannot be written")


def test_a_broken_configuration_is_one_sentence(
    process: Callable[..., Said], helpdesk: Callable[..., Said], home: Path
) -> None:
    cases = {
        "port = 80x\n": "is not valid TOML",
        'port = "many"\n': "takes a whole number",
        "colour = 1\n": "unknown setting “colour”",
        "port = 99999\n": "The port 99999 does not exist",
        'database_url = "mysql://x"\n': "database_url must begin with",
        'public_url = "desk.example"\n': "must begin with http",
    }
    for text, sentence in cases.items():
        (home / "helpdesk.toml").write_text(text)
        said = helpdesk("user", "list")
        assert said.status == 1
        assert_one_sentence(said.err, sentence)
    assert process("serve").err == said.err


@pytest.mark.parametrize("words", [("serve",), ("web",), ("worker",), ("init",), ("user", "list"), ("db", "upgrade")])
def test_a_database_from_a_newer_version_is_left_alone(
    helpdesk: Callable[..., Said], nothing_serves: None, home: Path, words: tuple[str, ...]
) -> None:
    with sqlite3.connect(home / "helpdesk.sqlite3") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    said = helpdesk(*words)
    assert said.status == 1
    assert_one_sentence(said.err, "made by a newer one")
    with sqlite3.connect(home / "helpdesk.sqlite3") as database:
        assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [("9999",)]
    database.close()


def test_an_unknown_port_is_a_usage_error(helpdesk: Callable[..., Said]) -> None:
    said = helpdesk("serve", "--port", "http")
    assert said.status == 2
    assert_one_sentence(said.err, "'http' is not a valid integer")


def assert_one_sentence(err: str, words: str) -> None:
    assert words in err
    assert len(err.strip().splitlines()) == 1 and "Traceback" not in err
