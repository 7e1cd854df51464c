"""Commands as an operator gives them: in this process for speed, or as real processes."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from helpdesk import supervisor, worker
from helpdesk.cli import main
from helpdesk.core import logs
from helpdesk.testing.network import free_port

# Seconds. A busy machine is no fault of the desk.
PATIENCE = 180.0
START_PATIENCE = 180.0


@dataclass
class Said:
    """What a command said and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        """The lines of ``--json``."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def _home_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("HELPDESK_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HELPDESK_HOME", str(home))
    # They win over LANG.
    for name in ("LC_ALL", "LC_MESSAGES", "LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")


@pytest.fixture
def helpdesk() -> Callable[..., Said]:
    """Run a command in this process: ``helpdesk("user", "list", "--json")``."""

    def run(*words: str, feed: bytes | str = b"") -> Said:
        done = CliRunner().invoke(main, list(words), input=feed, prog_name="helpdesk")
        return Said(done.exit_code, done.stdout, done.stderr)

    return run


@pytest.fixture
def nothing_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command in this process that should be refused fails where it would begin to serve, and never returns."""

    def serves(*_args: object) -> None:
        pytest.fail("It would have begun to serve.")

    monkeypatch.setattr(supervisor, "become", serves)
    monkeypatch.setattr(os, "execv", serves)
    monkeypatch.setattr(worker, "run", serves)
    # The log of a desk goes where this process writes, for good.
    monkeypatch.setattr(logs, "begin", lambda: None)


@pytest.fixture
def process() -> Callable[..., Said]:
    """Run a command as a process of its own."""

    def run(*words: str, feed: bytes = b"", **environ: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "helpdesk.cli", *words],
            input=feed,
            capture_output=True,
            env={**os.environ, **environ},
            timeout=PATIENCE,
        )
        return Said(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@dataclass
class Desk:
    """A running `helpdesk serve`, which prints into ``log``: a pipe that nobody empties would stop it in the end."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def said(self) -> list[str]:
        """The whole lines that it has printed so far."""
        return [line for line in self.log.read_text(errors="replace").splitlines(keepends=True) if line.endswith("\n")]

    def read_until(self, pattern: str) -> re.Match[str]:
        """Wait for a line that matches."""

        def look() -> re.Match[str] | None:
            ended = self.process.poll() is not None
            found = next((found for line in self.said if (found := re.search(pattern, line))), None)
            assert found or not ended, f"It ended without “{pattern}”: {''.join(self.said)}"
            return found

        return wait_for(look, START_PATIENCE)  # type: ignore[no-any-return]

    def stop(self) -> None:
        """End it; fails when it has to be killed."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            pytest.fail(f"The desk did not stop: {''.join(self.said)}")

    def status_of(self, path: str) -> int:
        """The status with which a page answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as answer:
            answer.close()
            return int(answer.code)

    def children(self) -> dict[str, int]:
        """Its child processes by what they are: "web" or "worker"."""
        found = {}
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                words = (folder / "cmdline").read_bytes().decode().split("\0")
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, ValueError):
                continue
            if parent == self.process.pid:
                found["web" if "gunicorn" in words else "worker"] = int(folder.name)
        return found


@pytest.fixture
def serve(tmp_path: Path, database_url: str) -> Iterator[Callable[..., Desk]]:
    """Start `helpdesk serve` on a free port; what still runs after the test is stopped, before its database goes."""
    started: list[Desk] = []

    def start(*words: str, **environ: str) -> Desk:
        port, log = free_port(), tmp_path / f"serve{len(started)}.log"
        with log.open("wb") as written:
            process = subprocess.Popen(
                [sys.executable, "-m", "helpdesk.cli", "serve", "--port", str(port), *words],
                env={**os.environ, **environ},
                stdout=written,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        started.append(Desk(process, port, log))
        stops.callback(started[-1].stop)
        return started[-1]

    with ExitStack() as stops:
        yield start


def wait_for(condition: Callable[[], Any], seconds: float = PATIENCE, pause: float = 0.05) -> Any:
    """What ``condition`` answers as soon as it is true; ``pause`` is how long it is left alone in between."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := condition():
            return answer
        time.sleep(pause)
    raise AssertionError("It did not happen in time.")
