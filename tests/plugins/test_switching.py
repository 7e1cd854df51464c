"""Off and on reach every process within two seconds: web server and worker, each on its own, on both kinds of desk."""

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpdesk.core import generation
from helpdesk.testing.served import PATIENCE, START_PATIENCE, ServedDesk, free_port, wait_for

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
# Who begins something so many seconds after a switch sees it; what had begun to read before it may end late.
SEEN = generation.INTERVAL + 1.5
# Until a request is given up: a busy machine is no fault of the desk.
TIMEOUT = 120


class Desk:
    """Processes of one desk, and an operator's commands beside them."""

    def __init__(self, url: str, said: Callable[[], str], run: Callable[..., str]) -> None:
        self.url, self.said, self.run = url, said, run

    def page(self) -> int:
        try:
            with urllib.request.urlopen(f"{self.url}/p/probe/", timeout=TIMEOUT) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
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
    port = free_port()
    command = [sys.executable, "-m", "helpdesk.cli"]

    def run(*words: str) -> str:
        done = subprocess.run([*command, *words], env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("db", "upgrade")
    log = home / "log"
    desk = Desk(f"http://127.0.0.1:{port}", lambda: log.read_text(errors="replace"), run)
    with log.open("wb") as out, ExitStack() as ends:
        for words in (("web", "--port", str(port)), ("worker",)):
            process = subprocess.Popen([*command, *words], env=environ, stdout=out, stderr=out, cwd=home)
            ends.callback(_end, process)
        wait_for(lambda: _answers(desk), START_PATIENCE)
        yield desk


def _end(process: subprocess.Popen[bytes]) -> None:
    """As an operator does; what does not end is killed, so that none is left when its database goes."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


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
    time.sleep(SEEN)
    assert desk.page() == 404
    desk.open_ticket("second")
    desk.run("plugin", "on", "probe")
    # The worker has its two seconds as well: it would let a fact wait for the next one.
    time.sleep(SEEN)
    assert desk.page() == 200
    desk.open_ticket("third")
    wait_for(lambda: "probe heard of third" in desk.said())
    assert "probe heard of second" not in desk.said(), "while it is off it hears nothing"
