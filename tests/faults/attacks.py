"""Visitors who mean to keep others out: each attack goes on in threads of its own until its block ends."""

import secrets
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from helpdesk.testing.served import wait_for
from tests.faults.desk import PATIENCE
from tests.faults.visitors import Unanswered, Visitor, token_of

ATTACKER = "198.51.100.7"
_HEAD = f"Host: desk.example\r\nX-Forwarded-For: {ATTACKER}\r\n".encode()


class Seen:
    """What an attacker was answered, by status; 0 for a line that was cut."""

    def __init__(self) -> None:
        self.statuses: dict[int, int] = {}
        self._lock = threading.Lock()

    def note(self, status: int) -> None:
        with self._lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1


@contextmanager
def slow_heads(port: int, many: int) -> Iterator[Seen]:
    """Lines whose heads come letter by letter and never end."""
    with _dripping(port, many, b"GET / HTTP/1.1\r\n" + _HEAD, b"X-A: b\r\n") as seen:
        yield seen


@contextmanager
def slow_bodies(port: int, many: int) -> Iterator[Seen]:
    """Forms of which a letter comes now and then."""
    head = b"POST /ask HTTP/1.1\r\n" + _HEAD + b"Content-Type: application/x-www-form-urlencoded\r\n"
    with _dripping(port, many, head + b"Content-Length: 1000000\r\n\r\n", b"a") as seen:
        yield seen


@contextmanager
def slow_readers(port: int, many: int) -> Iterator[Seen]:
    """Answers that are asked for and not fetched."""
    ask = b"GET /static/vendor/tabler/tabler.min.css HTTP/1.1\r\n" + _HEAD + b"\r\n"
    with _dripping(port, many, ask, b"") as seen:
        yield seen


@contextmanager
def form_flood(port: int, many: int) -> Iterator[Seen]:
    """Tickets, one after the other, from one address."""

    def write(seen: Seen) -> None:
        visitor = Visitor(port, ATTACKER)
        seen.note(visitor.open_ticket("Buy this", "robot@flood.example").status)

    with _at_once(many, write) as seen:
        yield seen


@contextmanager
def wrong_sign_ins(port: int, many: int) -> Iterator[Seen]:
    """Passwords that are guessed, for many accounts, from one address."""

    def guess(seen: Seen) -> None:
        visitor = Visitor(port, ATTACKER)
        form = {"email": f"{secrets.token_hex(4)}@desk.example", "password": secrets.token_hex(8)}
        page = visitor.get("/auth/sign-in")
        if page.status == 200:
            page = visitor.post("/auth/sign-in", form | {"csrf_token": token_of(page)})
        seen.note(page.status)

    with _at_once(many, guess) as seen:
        yield seen


@contextmanager
def large_files(port: int, many: int) -> Iterator[Seen]:
    """Large files, several at a time, from several addresses."""
    data = secrets.token_bytes(1 << 20) * 10

    def send(seen: Seen) -> None:
        seen.note(Visitor(port).open_ticket("A large file", files={"large.bin": data}).status)

    with _at_once(many, send) as seen:
        yield seen


@contextmanager
def many_sessions(port: int, many: int) -> Iterator[Seen]:
    """Visitors who come once and never with a cookie."""

    def look(seen: Seen) -> None:
        seen.note(Visitor(port, ATTACKER).get("/").status)

    with _at_once(many, look) as seen:
        yield seen


@contextmanager
def live_updates(port: int, many: int, agent: Visitor, path: str) -> Iterator[Seen]:
    """An agent's pages that ask for news, all at once and without a pause."""

    def ask(seen: Seen) -> None:
        seen.note(Visitor(port, "192.0.2.9", dict(agent.cookies)).get(path).status)

    with _at_once(many, ask) as seen:
        yield seen


@contextmanager
def _at_once(many: int, act: Callable[[Seen], None]) -> Iterator[Seen]:
    """``many`` threads that act again and again; entered once they are at it."""
    seen, over = Seen(), threading.Event()

    def go_on() -> None:
        while not over.is_set():
            try:
                act(seen)
            except (Unanswered, AssertionError):
                seen.note(0)

    threads = [threading.Thread(target=go_on, daemon=True) for _number in range(many)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: seen.statuses, PATIENCE)
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def _dripping(port: int, many: int, begin: bytes, drop: bytes) -> Iterator[Seen]:
    """``many`` lines that are kept open with a drop in turn, each opened anew when it is cut."""
    seen, over, opened = Seen(), threading.Event(), threading.Event()

    def drip(lines: list[socket.socket]) -> None:
        lines += (_line(port, begin) for _number in range(many))
        opened.set()
        while not over.wait(0.2):
            for place, line in enumerate(lines):
                try:
                    line.send(drop)
                    if drop and _has_ended(line):
                        raise ConnectionError
                except BlockingIOError:
                    continue  # it takes nothing just now
                except OSError:
                    seen.note(0)
                    line.close()
                    lines[place] = _line(port, begin)

    lines: list[socket.socket] = []
    thread = threading.Thread(target=drip, args=(lines,), daemon=True)
    thread.start()
    try:
        wait_for(opened.is_set, PATIENCE)
        yield seen
    finally:
        over.set()
        thread.join()
        for line in lines:
            line.close()


def _line(port: int, begin: bytes) -> socket.socket:
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    line.settimeout(PATIENCE)
    with suppress(OSError):
        line.connect(("127.0.0.1", port))
        line.sendall(begin)
    # Drops wait for nobody: the other lines have their turn, and the end of the attack is heard.
    line.setblocking(False)
    return line


def _has_ended(line: socket.socket) -> bool:
    with selectors.DefaultSelector() as selector:
        selector.register(line, selectors.EVENT_READ)
        return bool(selector.select(0)) and line.recv(4096) == b""
