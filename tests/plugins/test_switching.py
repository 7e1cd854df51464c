"""Off and on reach every process within two seconds: web server and worker, each on its own, on both kinds of desk."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from helpdesk.testing.served import ServedDesk, wait_for

pytestmark = pytest.mark.slow

# Its page answers while it is on, and the worker prints what it hears.
PROBE = """
from flask import Blueprint
from helpdesk.api import hookimpl, public_page

blueprint = Blueprint("probe", __name__)
blueprint.add_url_rule("/", "index", public_page(lambda: "its page"))

@hookimpl
def register_blueprints():
    return [blueprint]

@hookimpl
def ticket_opened(ticket):
    print(f"probe heard of {ticket.subject}", flush=True)
"""
# A switch is seen after two seconds at most; a busy machine takes a moment to answer.
SEEN = 2.0 + 1.5


class Desk:
    """Processes of one desk, and an operator's commands beside them."""

    def __init__(self, url: str, said: Callable[[], str], run: Callable[..., str]) -> None:
        self.url, self.said, self.run = url, said, run

    def page(self) -> int:
        try:
            return int(urllib.request.urlopen(f"{self.url}/p/probe/", timeout=10).status)
        except urllib.error.HTTPError as error:
            return error.code

    def open_ticket(self, subject: str) -> None:
        words = ("--from", "ada@customer.example", "--subject", subject, "--text", "On every turn.")
        self.run("ticket", "open", *words)


@pytest.fixture
def together(serve_desk: Callable[..., ServedDesk]) -> Desk:
    """SQLite, started as an owner does."""
    desk = serve_desk({"probe": PROBE})
    return Desk(desk.url, desk.said, desk.run)


@pytest.fixture
def apart(tmp_path: Path, postgresql_url: str, redis_url: str) -> Iterator[Desk]:
    """PostgreSQL and Redis, with a web server and a worker that were started each on its own."""
    home = tmp_path / "apart"
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "probe.py").write_text(PROBE)
    environ = {name: text for name, text in os.environ.items() if not name.startswith("HELPDESK_")}
    environ |= {"HELPDESK_HOME": str(home), "HELPDESK_DATABASE_URL": postgresql_url, "HELPDESK_QUEUE_URL": redis_url}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "helpdesk.cli"]

    def run(*words: str) -> str:
        done = subprocess.run([*command, *words], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("db", "upgrade")
    log = home / "log"
    with log.open("wb") as out:
        started = [
            subprocess.Popen([*command, *words], env=environ, stdout=out, stderr=out, cwd=home)
            for words in (("web", "--port", str(port)), ("worker",))
        ]
        desk = Desk(f"http://127.0.0.1:{port}", lambda: log.read_text(errors="replace"), run)
        try:
            wait_for(lambda: _answers(desk))
            yield desk
        finally:
            for process in started:
                process.terminate()
            for process in started:
                process.wait(40)


def _answers(desk: Desk) -> bool:
    try:
        return desk.page() == 200
    except OSError:
        return False


@pytest.mark.parametrize("kind", ["together", "apart"])
def test_a_switch_is_seen_by_all_within_two_seconds(request: pytest.FixtureRequest, kind: str) -> None:
    desk: Desk = request.getfixturevalue(kind)
    assert desk.page() == 200
    desk.open_ticket("first")
    wait_for(lambda: "probe heard of first" in desk.said())

    assert json.loads(desk.run("plugin", "off", "probe", "--json"))["changed"]
    begun = time.monotonic()
    wait_for(lambda: desk.page() == 404, SEEN)
    time.sleep(max(0.0, begun + SEEN - time.monotonic()))  # the worker cannot be asked: it has had its two seconds
    desk.open_ticket("second")
    desk.run("plugin", "on", "probe")
    wait_for(lambda: desk.page() == 200, SEEN)
    desk.open_ticket("third")
    wait_for(lambda: "probe heard of third" in desk.said())
    assert "probe heard of second" not in desk.said(), "while it is off it hears nothing"
