"""From `helpdesk serve` in an empty home to the first page, and the memory of what then runs."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from benchmarks.figures import Figure

# Long enough for the worker's first sweep and the processes to settle.
_IDLE_SECONDS = 8.0
_ROUNDS = 3


def measure() -> list[Figure]:
    """The quickest and the slowest of three starts; memory from the last."""
    seconds, memory = [], 0.0
    for _round in range(_ROUNDS):
        taken, memory = _one_start()
        seconds.append(taken)
    return [
        Figure("start to first page, median of three", sorted(seconds)[1], "s", 3.0),
        Figure("web, worker and supervisor idle (PSS)", memory, "MB", 220.0),
    ]


def _one_start() -> tuple[float, float]:
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as home:
        port = _free_port()
        environ = {**os.environ, "HELPDESK_HOME": home, "HELPDESK_PORT": str(port), "HELPDESK_HOST": "127.0.0.1"}
        begun = time.perf_counter()
        command = [sys.executable, "-m", "helpdesk.cli", "serve"]
        with subprocess.Popen(
            command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as desk:
            try:
                _wait_for_page(f"http://127.0.0.1:{port}/")
                taken = time.perf_counter() - begun
                time.sleep(_IDLE_SECONDS)
                return taken, _memory(desk.pid)
            finally:
                os.killpg(desk.pid, signal.SIGTERM)
                desk.wait(30)


def _wait_for_page(address: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - our own address on loopback
            return
        except urllib.error.HTTPError:
            # A desk that is not set up answers 503 with a page.
            return
        except OSError:
            time.sleep(0.02)
    raise SystemExit("The desk did not answer within a minute.")


def _memory(root: int) -> float:
    """The proportional set size of a process and all below it, in MB (what the machine would get back)."""
    parents = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                # After the name in parentheses: state, then the parent (proc(5)).
                parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
    family = {root}
    while grown := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= grown
    return sum(_pss(pid) for pid in family) / 1024


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
