"""The supervisor with real processes: output, restarts, giving up, draining, and what is said before that."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from helpdesk import supervisor
from helpdesk.testing.network import free_port
from helpdesk.testing.served import wait_for

FILE = Path(supervisor.__file__)
PATIENCE = 120.0

# Started by its path, isolated and without site-packages: it would fail if anything but the standard library
# were imported. The pauses are shortened, all else is as in production.
DRIVER = f"""
import json, runpy, sys
module = runpy.run_path({str(FILE)!r}, run_name="supervisor")
module["run"].__globals__["FIRST_PAUSE_SECONDS"] = 0.02
sys.exit(module["main"](sys.argv[1]))
"""

OBEDIENT = "import signal, sys, time; print('up', flush=True); signal.pause()"
FINISHING = """
import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
print('up', flush=True)
signal.sigwait({signal.SIGTERM})
time.sleep(0.3)
print('finished what was begun', flush=True)
"""
DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print('up', flush=True)
time.sleep(600)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


class Started:
    """A supervisor in a process of its own, with the lines it has printed so far."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []

    def wait_for(self, text: str, times: int = 1) -> None:
        assert self.process.stdout is not None
        while sum(text in line for line in self.lines) < times:
            line = self.process.stdout.readline()
            assert line, f"ended without {times} x {text!r}: {self.lines}"
            self.lines.append(line.rstrip("\n"))

    def end(self) -> int:
        assert self.process.stdout is not None
        self.lines += self.process.stdout.read().splitlines()
        return self.process.wait(PATIENCE)


@contextmanager
def started(command: list[str]) -> Iterator[Started]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=FILE.parents[1]) as process:
        try:
            yield Started(process)
        finally:
            process.kill()


def supervising(
    drain: float = 10.0, greeting: dict[str, object] | None = None, **children: str
) -> AbstractContextManager[Started]:
    plan = {
        "children": [{"name": name, "command": python(code)} for name, code in children.items()],
        "greeting": greeting,
        "drain": drain,
    }
    return started([*python(DRIVER), json.dumps(plan)])


def alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody has waited for yet does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def wait_until_gone(pid: int) -> None:
    wait_for(lambda: not alive(pid), PATIENCE)


def test_lines_of_each_child_stand_behind_its_name() -> None:
    talk = "import sys; print('one\\ntwo', flush=True); print('complaint', file=sys.stderr, flush=True);" + OBEDIENT
    with supervising(web=talk, worker=OBEDIENT) as desk:
        desk.wait_for("up", times=2)
        desk.process.send_signal(signal.SIGTERM)
        assert desk.end() == 0
    for line in ("web    | one", "web    | two", "web    | complaint", "worker | up"):
        assert line in desk.lines


def test_a_last_line_without_its_end_is_not_lost() -> None:
    with supervising(web="import sys; sys.stdout.write('half'); sys.stdout.flush(); sys.exit(7)") as desk:
        assert desk.end() == 1
    assert desk.lines.count("web | half") == supervisor.EARLY_DEATHS_ALLOWED


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stop_signal_lets_children_finish(number: signal.Signals) -> None:
    with supervising(web=FINISHING, worker=FINISHING) as desk:
        desk.wait_for("up", times=2)
        desk.process.send_signal(number)
        assert desk.end() == 0
    assert sum("finished what was begun" in line for line in desk.lines) == 2


def test_a_child_that_fails_while_it_stops_is_named() -> None:
    with supervising(web=FINISHING + "raise SystemExit(9)", worker=FINISHING) as desk:
        desk.wait_for("up", times=2)
        desk.process.send_signal(signal.SIGTERM)
        assert desk.end() == 1
    assert "       | web did not stop cleanly: it stopped (exit status 9)." in desk.lines


def test_a_child_that_does_not_finish_is_ended_after_the_drain() -> None:
    with supervising(drain=0.3, web=DEAF, worker=FINISHING) as desk:
        desk.wait_for("up", times=2)
        desk.process.send_signal(signal.SIGTERM)
        assert desk.end() == 1
    assert any("web did not finish in time and was ended." in line for line in desk.lines)


def test_a_second_signal_stops_at_once() -> None:
    with supervising(drain=60, web=DEAF) as desk:
        desk.wait_for("up")
        desk.process.send_signal(signal.SIGINT)
        desk.wait_for("Stopping")
        desk.process.send_signal(signal.SIGINT)
        assert desk.end() == 128 + signal.SIGINT


def test_a_killed_child_starts_again_and_the_other_stays() -> None:
    tell = "import os; print('pid', os.getpid(), flush=True);" + OBEDIENT
    with supervising(web=tell, worker=OBEDIENT) as desk:
        desk.wait_for("up", times=2)
        first = int(re.search(r"pid (\d+)", "\n".join(desk.lines)).group(1))  # type: ignore[union-attr]
        os.kill(first, signal.SIGKILL)
        desk.wait_for("web    | pid", times=2)
        desk.process.send_signal(signal.SIGTERM)
        assert desk.end() == 0
    assert any("web was ended by SIGKILL; it starts again in" in line for line in desk.lines)
    assert desk.lines.count("worker | up") == 1


def test_a_child_that_keeps_dying_early_is_given_up_and_the_other_drains() -> None:
    with supervising(web="import sys; print('no database', flush=True); sys.exit(3)", worker=FINISHING) as desk:
        assert desk.end() == 1
    assert desk.lines.count("web    | no database") == 5
    sentence = "web stopped (exit status 3) 5 times within 10 seconds of its start and is given up"
    assert any(sentence in line for line in desk.lines)


def test_a_program_that_is_not_there_is_one_sentence() -> None:
    plan = {"children": [{"name": "web", "command": ["/nowhere/gunicorn"]}], "greeting": None, "drain": 5}
    done = subprocess.run(
        [*python(DRIVER), json.dumps(plan)],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.strip() == "| web cannot be started: /nowhere/gunicorn: No such file or directory."


def test_what_a_dead_child_left_behind_ends_with_it() -> None:
    begin = f"import subprocess; other = subprocess.Popen({python(OBEDIENT)!r});"
    fork = begin + "print('grandchild', other.pid, flush=True);"
    with supervising(web=fork + "import signal; signal.pause()") as desk:
        desk.wait_for("grandchild")
        desk.process.send_signal(signal.SIGTERM)
        assert desk.end() == 0
    grandchild = int(re.search(r"grandchild (\d+)", "\n".join(desk.lines)).group(1))  # type: ignore[union-attr]
    wait_until_gone(grandchild)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children that their parent was killed")
def test_children_end_when_the_supervisor_itself_is_killed() -> None:
    with supervising(web="import os; print('pid', os.getpid(), flush=True);" + OBEDIENT) as desk:
        desk.wait_for("pid")
        child = int(re.search(r"pid (\d+)", desk.lines[-1]).group(1))  # type: ignore[union-attr]
        desk.process.kill()
        wait_until_gone(child)


def test_the_greeting_comes_once_the_port_takes_connections(tmp_path: Path) -> None:
    port, go = free_port(), tmp_path / "go"
    listen = f"""
import pathlib, signal, socket, time
time.sleep(0.3)
print('listening now', flush=True)
while not pathlib.Path({str(go)!r}).exists():
    time.sleep(0.02)
door = socket.create_server(('127.0.0.1', {port}))
signal.pause()
"""
    greeting = {"host": "0.0.0.0", "port": port, "text": f"Ready: http://127.0.0.1:{port}\nStop with Ctrl+C"}
    with supervising(greeting=greeting, web=listen) as desk:
        desk.wait_for("listening now")
        go.touch()
        desk.wait_for("Stop with Ctrl+C")
        desk.process.send_signal(signal.SIGTERM)
        assert desk.end() == 0
    shown = [line for line in desk.lines if "listening" in line or "Ready" in line]
    assert shown == ["web | listening now", f"Ready: http://127.0.0.1:{port}"]


def test_a_reader_that_goes_away_does_not_stop_the_desk(tmp_path: Path) -> None:
    go, mark = tmp_path / "go", tmp_path / "still-here"
    code = f"""
import signal, pathlib, time
print('up', flush=True)
while not pathlib.Path({str(go)!r}).exists():
    time.sleep(0.02)
print('more', flush=True)
time.sleep(0.2)
pathlib.Path({str(mark)!r}).touch()
signal.pause()
"""
    with supervising(web=code) as desk:
        desk.wait_for("up")
        assert desk.process.stdout is not None
        desk.process.stdout.close()
        go.touch()
        wait_for(mark.exists, PATIENCE)
        assert desk.process.poll() is None
        desk.process.send_signal(signal.SIGTERM)
        assert desk.process.wait(PATIENCE) == 0


def test_become_replaces_the_process() -> None:
    command = python("import os; print('parent', os.getppid(), flush=True);" + OBEDIENT)
    code = f"""
import os
from helpdesk.supervisor import Child, become
print('before', os.getpid(), flush=True)
become([Child('web', {command!r})])
"""
    with started([sys.executable, "-c", code]) as desk:
        desk.wait_for("parent")
        desk.process.send_signal(signal.SIGTERM)
        assert desk.end() == 0
    assert desk.lines[0] == f"before {desk.process.pid}"
    assert f"web | parent {desk.process.pid}" in desk.lines


def test_a_free_port_is_accepted_and_left_free() -> None:
    port = free_port()
    supervisor.check_port("127.0.0.1", port)
    supervisor.check_port("127.0.0.1", port)


def test_a_taken_port_is_named_with_a_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(supervisor.CannotStart) as told:
            supervisor.check_port("127.0.0.1", port)
    assert str(told.value) == (
        f"Port {port} on 127.0.0.1 is taken by another program; stop that program, "
        f"or choose another port: HELPDESK_PORT={port + 1}, or make run PORT={port + 1}."
    )


@pytest.mark.parametrize(
    ("host", "port", "words"),
    [
        ("192.0.2.1", 8000, "192.0.2.1 is not an address of this machine"),
        ("127.0.0.1", 70000, "Port 70000 does not exist"),
    ],
)
def test_an_address_that_cannot_be_listened_on_is_explained(host: str, port: int, words: str) -> None:
    with pytest.raises(supervisor.CannotStart, match=re.escape(words)):
        supervisor.check_port(host, port)


def test_the_web_child_is_gunicorn_with_one_process() -> None:
    child = supervisor.web_child("helpdesk.app:create_app()", "::1", 8123, threads=4)
    assert child.command[:3] == [sys.executable, "-m", "gunicorn"]
    assert {"--bind=[::1]:8123", "--workers=1", "--threads=4", "--worker-class=helpdesk.front.FrontWorker"} <= set(
        child.command
    )
    assert "--preload" not in child.command
