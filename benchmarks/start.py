"""A desk started from its command: how soon it shows a page, and what its idle processes cost."""

import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.figures import Figure

ROUNDS = 3
# Long enough for what a start leaves to settle, and for the worker to have looked for work.
IDLE_SECONDS = 8.0
SLOWEST_START, LARGEST_MEMORY = 3.0, 220.0


@dataclass
class Running:
    """A desk that has shown its first page, ``seconds`` after the command was given."""

    pid: int
    seconds: float


def measure() -> list[Figure]:
    """Start and memory."""
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        firsts: list[float] = []
        agains: list[float] = []
        for number in range(ROUNDS):
            for times in (firsts, agains):
                with running_desk(Path(folder) / str(number)) as desk:
                    times.append(desk.seconds)
        with running_desk(Path(folder) / "0") as desk:
            time.sleep(IDLE_SECONDS)
            memory = _memory(desk.pid)
    return [
        Figure("start in an empty home, to the first page", statistics.median(firsts), "s", SLOWEST_START),
        Figure("start again, to the first page", statistics.median(agains), "s", SLOWEST_START),
        *(Figure(f"idle memory (PSS) of {name}", size, "MB") for name, size in memory.items()),
        Figure("idle memory (PSS) together", sum(memory.values()), "MB", LARGEST_MEMORY),
    ]


@contextmanager
def running_desk(home: Path) -> Iterator[Running]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("HELPDESK_")}
    begun = time.monotonic()
    command = [sys.executable, "-m", "helpdesk.cli", "serve", "--home", str(home), "--port", str(_free_port())]
    with subprocess.Popen(command, env=clean, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout is not None
            link = next(found[0] for line in process.stdout if (found := re.search(r"https?://\S+/setup/\S+", line)))
            with urllib.request.urlopen(link, timeout=30) as page:
                page.read()
            yield Running(process.pid, time.monotonic() - begun)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _memory(supervisor: int) -> dict[str, float]:
    """Proportional memory in MB (a page that n processes share counts 1/n), by part."""
    processes = list(_processes())
    parts = {"the supervisor": _pss(supervisor)}
    for pid, parent, words in processes:
        if parent == supervisor:
            name = "the web server" if "gunicorn" in words else "the worker"
            parts[name] = _pss(pid) + sum(_pss(child) for child, its_parent, _ in processes if its_parent == pid)
    return parts


def _processes() -> Iterator[tuple[int, int, list[str]]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                # After the name in parentheses: state, then the parent (proc(5)).
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                yield int(folder.name), parent, (folder / "cmdline").read_bytes().decode().split("\0")
            except OSError:
                continue


def _pss(pid: int) -> float:
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) / 1024


def _free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port: int = chosen.getsockname()[1]
        return port
