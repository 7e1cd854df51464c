"""A desk as an owner starts it: `helpdesk serve` as processes of their own, for tests in a browser."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from helpdesk.testing.network import free_port

# Seconds. A plugin that never finishes loading is given twenty of them; the rest is for a machine that is busy.
PATIENCE = 60.0
START_PATIENCE = 300.0


class ServedDesk:
    """A running desk: ``url``, its ``home``, what it ``said``, and commands of the operator's by ``run``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "serve.log"
        self.environ = {name: text for name, text in os.environ.items() if not name.startswith("HELPDESK_")}
        self.environ |= {"HELPDESK_HOME": str(home), "HELPDESK_PORT": str(self.port), "PYTHONUNBUFFERED": "1"}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "helpdesk.cli", "serve"],
                env=self.environ,
                cwd=home,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_it_stands(self) -> None:
        """Wait until it takes connections; fails when it ends instead."""
        wait_for(lambda: "Stop it with Ctrl+C" in self.said() or self.process.poll() is not None, START_PATIENCE)
        assert self.process.poll() is None, f"the desk did not start: {self.said()}"

    def said(self) -> str:
        """What its processes have printed so far."""
        return self.log.read_text(errors="replace")

    @property
    def setup_link(self) -> str:
        """The one-time link that it printed while it had no administrator."""
        found = re.search(r"https?://\S+/setup/\S+", self.said())
        assert found, self.said()
        return found[0]

    def run(self, *words: str, feed: bytes = b"") -> str:
        """A command of the operator's in this home; answers its output, and fails when the command does."""
        done = subprocess.run(
            [sys.executable, "-m", "helpdesk.cli", *words],
            env=self.environ,
            input=feed,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def stop(self) -> None:
        """End it as Ctrl+C does; kill what does not end."""
        if self.process.poll() is not None:
            return
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


def wait_for(condition: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until ``condition()`` is true; fails after ``seconds``."""
    asked = time.monotonic()
    end = asked + seconds
    while not condition():
        answered = time.monotonic()
        assert answered < end, f"it did not happen within {seconds} s"
        # One that runs a command keeps a processor busy: what is waited for gets at least as long.
        time.sleep(max(0.1, answered - asked))
        asked = time.monotonic()


@pytest.fixture
def serve_desk(tmp_path: Path) -> Iterator[Callable[..., ServedDesk]]:
    """Start a desk of this test's own: ``serve_desk({"greeter": "source of a single-file plugin"})``.

    It listens on a free port of loopback and is ended after the test; what it printed is shown when the test fails.
    """
    started: list[ServedDesk] = []

    def start(files: dict[str, str] | None = None) -> ServedDesk:
        home = tmp_path / f"desk{len(started)}"
        (home / "plugins").mkdir(parents=True)
        for name, source in (files or {}).items():
            (home / "plugins" / f"{name}.py").write_text(source)
        desk = ServedDesk(home)
        # What does not come to stand is ended as well.
        started.append(desk)
        stops.callback(lambda: print(desk.said()))
        stops.callback(desk.stop)
        desk.wait_until_it_stands()
        return desk

    with ExitStack() as stops:
        yield start
