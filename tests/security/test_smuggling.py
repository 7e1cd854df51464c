"""Where a request ends: whatever a proxy before the desk might think, nothing that is hidden in a body is answered."""

import re
import selectors
import socket
from contextlib import ExitStack, suppress
from typing import Any

import pytest

# Seconds, for a machine that is busy with other tests.
PATIENCE = 120
HIDDEN = "GET /nothing-of-the-kind HTTP/1.1\r\nHost: hidden\r\n\r\n"
POST = "POST /language HTTP/1.1\r\nHost: desk\r\nContent-Type: application/x-www-form-urlencoded\r\n"
# Two readings of each of these are known; the desk refuses it, or takes the one that leaves nothing over.
ODD = {
    "both lengths": f"{POST}Content-Length: {5 + len(HIDDEN)}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "two lengths": f"{POST}Content-Length: 0\r\nContent-Length: {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a list of lengths": f"{POST}Content-Length: 0, {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a length with a sign": f"{POST}Content-Length: +{len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a length in hexadecimal": f"{POST}Content-Length: 0x{len(HIDDEN):x}\r\n\r\n{HIDDEN}",
    "a length below zero": f"{POST}Content-Length: -1\r\n\r\n{HIDDEN}",
    "a space before the colon": f"{POST}Content-Length : {len(HIDDEN)}\r\n\r\n{HIDDEN}",
    "a folded line": f"{POST}X-Odd: a\r\n Content-Length: {len(HIDDEN)}\r\nContent-Length: 0\r\n x\r\n\r\n{HIDDEN}",
    "an unknown coding": f"{POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n{HIDDEN}",
    "two codings": f"{POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n{HIDDEN}",
    "a chunk that lies": f"{POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n{HIDDEN}",
    "a chunk with a sign": f"{POST}Transfer-Encoding: chunked\r\n\r\n+0\r\n\r\n{HIDDEN}",
    "a bare carriage return": f"{POST}X-Odd: a\rContent-Length: {len(HIDDEN)}\r\nContent-Length: 0\r\n\r\n{HIDDEN}",
}


def send(port: int, request: str) -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port))
    line.sendall(request.encode())
    return line


def answers(line: socket.socket, enough: int, seconds: float) -> list[int]:
    """The status of each answer on one line: until there are enough, the desk closes it, or nothing more comes."""
    line.settimeout(seconds)
    found: list[int] = []
    received = b""
    with line, suppress(TimeoutError, ConnectionResetError):
        while len(found) < enough and (data := line.recv(65536)):
            received += data
            found = statuses(received)
    return found


def statuses(received: bytes) -> list[int]:
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]


def until_silence(lines: dict[str, socket.socket], seconds: float) -> dict[str, list[int]]:
    """The status of each answer, by line: until the desk has closed them all, or nothing comes on any for a while."""
    received = dict.fromkeys(lines, b"")
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for name, line in lines.items():
            stack.enter_context(line)
            selector.register(line, selectors.EVENT_READ, name)
        while selector.get_map() and (ready := selector.select(seconds)):
            for key, _events in ready:
                data = b""
                with suppress(ConnectionResetError):
                    data = lines[key.data].recv(65536)
                received[key.data] += data
                if not data:
                    selector.unregister(key.fileobj)
    return {name: statuses(data) for name, data in received.items()}


@pytest.mark.slow
def test_a_request_has_one_end(serve_desk: Any) -> None:
    port = serve_desk().port
    ordinary = "GET /auth/sign-in HTTP/1.1\r\nHost: desk\r\n\r\n"
    first, second = answers(send(port, ordinary + HIDDEN), enough=2, seconds=PATIENCE)
    assert (first, second) != (404, 404) and second == 404, "what follows openly is answered"
    # Some are refused, some wait for what they were promised: silence says so.
    for name, found in until_silence({name: send(port, request) for name, request in ODD.items()}, 3).items():
        assert 404 not in found and len(found) < 2, f"{name}: {found}"
    assert answers(send(port, ordinary), enough=1, seconds=PATIENCE) == [first], "and it goes on"
    ahead = answers(send(port, ordinary * 50), enough=50, seconds=PATIENCE)
    assert ahead == [first] * 2, "answers that nobody fetches hold files: who asks on and on gets two"
