"""Runs the web server and the worker together: `helpdesk serve` turns into this process.

Standard library only, and nothing else of ours, so that it stays small beside the processes that it watches.
It touches neither database nor queue: it starts a dead child again, and work cut short is the child's matter.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from types import FrameType
from typing import IO, Any, NoReturn

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
DRAIN_SECONDS = 20.0
EARLY_DEATH_SECONDS = 10.0
EARLY_DEATHS_ALLOWED = 5
FIRST_PAUSE_SECONDS = 0.5
LONGEST_LINE = 64 * 1024
_PLAN = "HELPDESK_SUPERVISOR_PLAN"
_EVERYWHERE = "0.0.0.0"  # nosec B104 # compared with
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class CannotStart(Exception):
    """Nothing was started; the text is one sentence for the operator."""


@dataclass(frozen=True)
class Child:
    """One program to keep running; ``name`` stands before each line that it prints."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True)
class Greeting:
    """What to print once, as soon as ``host``:``port`` takes connections."""

    host: str
    port: int
    text: str


def web_child(application: str, host: str, port: int, threads: int = 8) -> Child:
    """The web server: one gunicorn process with ``threads`` threads; it loads ``application`` after its fork.

    Args: ``application`` as gunicorn writes it (``package.module:factory()``).
    """
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    # Two seconds less than the drain, so that gunicorn itself ends requests that do not finish.
    options = [
        "--worker-class=helpdesk.front.FrontWorker",
        "--workers=1",
        f"--threads={threads}",
        "--graceful-timeout=18",
    ]
    # Its control socket would be written into the account's home folder.
    quiet = ["--no-control-socket", "--log-level=warning"]
    return Child("web", [sys.executable, "-m", "gunicorn", f"--bind={bind}", *options, *quiet, application])


def check_port(host: str, port: int) -> None:
    """Raise :class:`CannotStart` with one sentence when ``host``:``port`` cannot be listened on.

    Asked before anything starts, so that a taken port is a sentence and not a stream of retries.
    """
    if not 1 <= port <= 65535:
        raise CannotStart(f"Port {port} does not exist; choose one between 1 and 65535 with HELPDESK_PORT.")
    try:
        addresses = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in addresses:
            with socket.socket(family, kind, protocol) as probe:
                # As gunicorn does: connections that are still closing do not keep the port.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen(1)
    except OSError as error:
        raise CannotStart(_port_sentence(host, port, error)) from error


def _port_sentence(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} is taken by another program; stop that program, "
            f"or choose another port: HELPDESK_PORT={port + 1}, or make run PORT={port + 1}."
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return f"Port {port} may not be used by this account; choose one above 1023 with HELPDESK_PORT."
    return f"{host} is not an address of this machine; set HELPDESK_HOST to one that is, such as 127.0.0.1."


def become(children: Sequence[Child], greeting: Greeting | None = None, drain: float = DRAIN_SECONDS) -> NoReturn:
    """Replace this process, and all that it has imported, with a supervisor of ``children``.

    Call it last, with everything flushed and closed: nothing after it runs.
    """
    plan = {
        "children": [asdict(child) for child in children],
        "greeting": asdict(greeting) if greeting else None,
        "drain": drain,
    }
    sys.stdout.flush()
    sys.stderr.flush()
    # Not among the arguments, which every account of the machine can read: the plan may hold the setup link.
    os.environ[_PLAN] = json.dumps(plan)
    os.execv(sys.executable, [sys.executable, "-m", "helpdesk.supervisor"])


def run(children: Sequence[Child], greeting: Greeting | None = None, drain: float = DRAIN_SECONDS) -> int:
    """Keep ``children`` running until a stop signal comes or one of them cannot be kept alive.

    TERM, INT and HUP drain: each child gets TERM and ``drain`` seconds to finish; another one ends all now.
    Must be called in the main thread.

    Returns the exit status: 0 after a clean drain, 1 when a child was given up or had to be killed,
    128 + the signal when a second one cut the drain short.
    """
    return _Supervisor(children, greeting, drain).run()


@dataclass
class _Running:
    """What is known about one child between its starts."""

    child: Child
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    early_deaths: int = 0
    start_at: float | None = 0.0  # None while it runs
    partial: dict[int, bytes] = field(default_factory=dict)  # by pipe: what came after the last line end


class _Supervisor:
    """One thread, one loop: signals, output and deaths all arrive through the selector."""

    def __init__(self, children: Sequence[Child], greeting: Greeting | None, drain: float) -> None:
        self._running = [_Running(child) for child in children]
        self._greeting = greeting
        self._drain_seconds = drain
        self._width = max(len(child.name) for child in children)
        self._selector = selectors.DefaultSelector()
        self._status = 0
        self._signals: list[int] = []
        self._kill_at: float | None = None  # set when the drain begins
        self._die_with_parent = _parent_death_signal()

    def run(self) -> int:
        wake, bell = socket.socketpair()
        wake.setblocking(False)
        bell.setblocking(False)
        self._selector.register(wake, selectors.EVENT_READ)
        earlier = {number: signal.signal(number, self._note) for number in (*STOP_SIGNALS, signal.SIGCHLD)}
        earlier_bell = signal.set_wakeup_fd(bell.fileno(), warn_on_full_buffer=False)
        try:
            while not self._finished():
                self._step(wake)
            return self._status
        finally:
            self._end_all()
            signal.set_wakeup_fd(earlier_bell)
            for number, handler in earlier.items():
                signal.signal(number, handler)
            self._selector.close()
            wake.close()
            bell.close()

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGCHLD:
            self._signals.append(number)

    def _finished(self) -> bool:
        return self._kill_at is not None and all(one.process is None for one in self._running)

    def _step(self, wake: socket.socket) -> None:
        """One turn of the loop: start what is due, wait, pass output on, look at signals and deaths."""
        for one in self._running:
            if self._kill_at is None and one.start_at is not None and one.start_at <= time.monotonic():
                self._start(one)
        for key, _ in self._selector.select(self._patience()):
            if key.fileobj is wake:
                _empty(wake)
            else:
                self._forward(key.fileobj, key.data)  # type: ignore[arg-type]
        self._greet()
        self._obey()
        for one in self._running:
            if one.process is not None and one.process.poll() is not None:
                self._bury(one, one.process.returncode)
        if self._kill_at is not None and time.monotonic() >= self._kill_at:
            self._kill("did not finish in time and was ended")

    def _patience(self) -> float | None:
        """Seconds until something is due by the clock; None when only an event can change anything."""
        due = [self._kill_at] if self._kill_at is not None else [one.start_at for one in self._running]
        waits = [max(0.0, moment - time.monotonic()) for moment in due if moment is not None]
        if self._greeting is not None and self._kill_at is None:
            waits.append(0.1)
        return min(waits, default=None)

    def _start(self, one: _Running) -> None:
        one.start_at = None
        one.started = time.monotonic()
        try:
            # A session of its own: Ctrl+C reaches the supervisor alone, which then drains in order.
            one.process = subprocess.Popen(
                one.child.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=self._die_with_parent,
            )
        except OSError as error:
            self._say(f"{one.child.name} cannot be started: {one.child.command[0]}: {error.strerror}.")
            self._drain(1)
            return
        pipe = one.process.stdout
        assert pipe is not None  # asked for above
        os.set_blocking(pipe.fileno(), False)
        self._selector.register(pipe, selectors.EVENT_READ, one)

    def _forward(self, pipe: IO[bytes], one: _Running) -> None:
        """Pass on the whole lines that a pipe holds; at its end, what is left without a line end."""
        try:
            chunk = os.read(pipe.fileno(), LONGEST_LINE)
        except BlockingIOError:
            return
        held = one.partial.pop(pipe.fileno(), b"") + chunk
        *lines, rest = held.split(b"\n")
        if len(rest) >= LONGEST_LINE or (not chunk and rest):
            lines, rest = [*lines, rest], b""
        for line in lines:
            self._print(one.child.name, line)
        if chunk:
            one.partial[pipe.fileno()] = rest
            return
        self._selector.unregister(pipe)
        pipe.close()

    def _greet(self) -> None:
        if self._greeting is None or self._kill_at is not None:
            return
        host = {_EVERYWHERE: "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(self._greeting.host, self._greeting.host)
        try:
            socket.create_connection((host, self._greeting.port), timeout=1).close()
        except OSError:
            return
        for line in self._greeting.text.splitlines():
            _write(line.encode())
        self._greeting = None

    def _obey(self) -> None:
        """Act on stop signals: the first one drains, a later one ends everything at once."""
        while self._signals:
            number = self._signals.pop(0)
            if self._kill_at is None:
                self._say("Stopping: what is being worked on is finished first. Once more stops at once.")
                self._drain(0)
            else:
                self._kill("was ended at once")
                self._status = 128 + number

    def _drain(self, status: int) -> None:
        self._status = status
        self._kill_at = time.monotonic() + self._drain_seconds
        for one in self._running:
            if one.process is not None:
                one.process.terminate()

    def _bury(self, one: _Running, code: int) -> None:
        """A child has ended: end what it left behind, then plan its next start or give it up."""
        assert one.process is not None  # the caller has just asked it
        _signal_group(one.process.pid, signal.SIGTERM if self._kill_at is None else signal.SIGKILL)
        one.process = None
        if self._kill_at is not None:
            if code not in (0, -signal.SIGTERM) and self._status == 0:
                self._say(f"{one.child.name} did not stop cleanly: it {_ending(code)}.")
                self._status = 1
            return
        age = time.monotonic() - one.started
        one.early_deaths = one.early_deaths + 1 if age < EARLY_DEATH_SECONDS else 0
        if one.early_deaths >= EARLY_DEATHS_ALLOWED:
            self._say(
                f"{one.child.name} {_ending(code)} {one.early_deaths} times within "
                f"{EARLY_DEATH_SECONDS:.0f} seconds of its start and is given up; "
                f"its lines above ({one.child.name} |) say why."
            )
            self._drain(1)
            return
        pause = FIRST_PAUSE_SECONDS * 2 ** max(0, one.early_deaths - 1)
        one.start_at = time.monotonic() + pause
        self._say(f"{one.child.name} {_ending(code)}; it starts again in {pause:g} s.")

    def _kill(self, what: str) -> None:
        for one in self._running:
            if one.process is not None and one.process.poll() is None:
                self._say(f"{one.child.name} {what}.")
                self._status = 1
                _signal_group(one.process.pid, signal.SIGKILL)
        self._kill_at = time.monotonic() + self._drain_seconds

    def _end_all(self) -> None:
        """Leave nothing running, whatever ended the loop, and print what is still in the pipes."""
        for one in self._running:
            if one.process is not None:
                _signal_group(one.process.pid, signal.SIGKILL)
                one.process.wait()
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, _Running):
                self._drain_pipe(key.fileobj, key.data)  # type: ignore[arg-type]

    def _drain_pipe(self, pipe: IO[bytes], one: _Running) -> None:
        for _ in range(1000):  # a grandchild may hold the pipe open and go on writing
            if pipe.closed or not _readable(pipe):
                break
            self._forward(pipe, one)

    def _print(self, name: str, line: bytes) -> None:
        _write(f"{name:<{self._width}} | ".encode() + line)

    def _say(self, sentence: str) -> None:
        _write(f"{'':<{self._width}} | {sentence}".encode())


def _write(line: bytes) -> None:
    """One line to standard output, unbuffered; a reader that has gone away does not stop the desk."""
    rest = line + b"\n"
    try:
        while rest:
            rest = rest[os.write(1, rest) :]
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.EBADF, errno.EIO):
            raise


def _ending(code: int) -> str:
    if code >= 0:
        return f"stopped (exit status {code})"
    return f"was ended by {signal.Signals(-code).name}"


def _empty(wake: socket.socket) -> None:
    try:
        while wake.recv(1024):
            pass
    except BlockingIOError:
        pass


def _readable(pipe: IO[bytes]) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        return bool(selector.select(0))


def _signal_group(leader: int, number: int) -> None:
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        pass


def _parent_death_signal() -> Callable[[], None] | None:
    """What a child runs before its program: on Linux, it gets TERM when the supervisor itself is killed."""
    prctl: Any = getattr(ctypes.CDLL(None), "prctl", None) if sys.platform == "linux" else None
    if prctl is None:
        return None
    supervisor = os.getpid()

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != supervisor:  # it died in between
            os._exit(1)

    return ask


def main(plan_text: str) -> int:
    """Run the plan that :func:`become` wrote."""
    plan = json.loads(plan_text)
    children = [Child(**one) for one in plan["children"]]
    greeting = Greeting(**plan["greeting"]) if plan["greeting"] else None
    return run(children, greeting, plan["drain"])


if __name__ == "__main__":
    raise SystemExit(main(os.environ.pop(_PLAN)))
