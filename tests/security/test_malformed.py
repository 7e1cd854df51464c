"""Requests that no browser sends: a clear 4xx of the desk or of the web server in front of it, never a 5xx."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from waitress import wasyncore

from helpdesk import front
from tests.faults.desk import PATIENCE
from tests.security.actors import FilledDesk
from tests.security.routes import cases, table_of

pytestmark = [pytest.mark.sqlite, pytest.mark.slow]

NAMES = [
    "../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2fsecret.key",
    "....//....//secret.key",
    "..\\..\\secret.key",
    "%5c..%5csecret.key",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "secret.key%00.css",
    "C:%5cboot.ini",
    "file:%2f%2f%2fetc%2fpasswd",
    "~root",
    "%u002e%u002e",
    "%c0%ae%c0%ae%c0%af",
    "\u2025%2fsecret.key",
    ".",
    "%20",
    "a" * 300,
    "__class__",
    "\ufeffemail",
    "email%0a",
    "EMAIL",
    "zh_Hans%2f..%2f..",
]
# What stands in files that a path may be led to.
CONTENTS = ("root:x:0:0", "[project]", "SQLite format 3")
BODIES = [
    ("text/xml", b"<a/>"),
    ("application/json", b"[" * 100_000),
    ("application/json", b'{"a":' * 2000 + b"1" + b"}" * 2000),
    ("application/json", b'{"subject": 1e999, "text": NaN}'),
    ("application/json", b"\xff\xfe{"),
    ("application/json; charset=utf-7", b"{}"),
    ("multipart/form-data", b"--a\r\n"),
    ("multipart/form-data; boundary=", b"--\r\n"),
    ("multipart/form-data; boundary=a", b'--a\r\nContent-Disposition: form-data; name="files"; filename="x\r\n\r\n'),
    (
        "multipart/form-data; boundary=a",
        b'--a\r\nContent-Disposition: form-data; name="a"\r\n\r\nb\r\n' * 700 + b"--a--",
    ),
    ("application/x-www-form-urlencoded", b"subject=%FF%FE&text=%00&email=%ED%A0%80"),
    ("application/x-www-form-urlencoded", b"a=b&" * 20_000),
    ("application/x-www-form-urlencoded", b"subject=" + b"a" * 5_000_000),
    ("", b"subject=a"),
]
METHODS = [
    {"headers": {"X-HTTP-Method-Override": "DELETE"}},
    {"headers": {"X-HTTP-Method": "DELETE", "X-Method-Override": "DELETE"}},
    {"query_string": "_method=DELETE"},
]


@pytest.mark.parametrize("actor", ["administrator", "stranger"])
def test_no_name_in_an_address_leads_out_of_its_folder(
    filled: FilledDesk, monkeypatch: pytest.MonkeyPatch, actor: str
) -> None:
    """Every address with a name in it, every spelling of a way out."""
    monkeypatch.setitem(filled.app.config, "SHOW_ERROR_PAGES", True)
    key = str(filled.app.secret_key)
    faults, asked = [], set()
    for case in cases(filled, table_of(filled.app)):
        rule = next(rule for rule in filled.app.url_map.iter_rules(case.endpoint))
        # Where all parts are numbers no name is said.
        if "<" not in rule.rule.replace("<int:", "") or "GET" not in case.methods or case.row in asked:
            continue
        asked.add(case.row)
        parts = rule.rule.split("/")
        for name in NAMES if actor == "administrator" else NAMES[::4]:
            path = "/".join("1" if "<int:" in part else name if "<" in part else part for part in parts)
            answer = filled.ask(actor, "GET", path)
            said = answer.get_data(as_text=True)
            if answer.status_code >= 500 or key in said or any(content in said for content in CONTENTS):
                faults.append(f"{path} as {actor}: {answer.status_code}")
    filled.put_back()
    assert len(asked) > 20 and not faults, "\n".join(faults)


@pytest.mark.parametrize("path", ["/ask", "/auth/sign-in", "/api/v1/tickets", "/p/email/in/nobody@desk.example"])
def test_a_body_that_is_none_is_refused(filled: FilledDesk, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setitem(filled.app.config, "SHOW_ERROR_PAGES", True)
    for actor in ("stranger", "program"):
        for kind, body in BODIES:
            answer = filled.ask(actor, "POST", path, data=body, content_type=kind)
            assert answer.status_code < 500, (path, kind, body[:40], answer.status_code)
    filled.put_back()


def test_no_other_way_to_say_the_method(filled: FilledDesk) -> None:
    for options in METHODS:
        answer = filled.ask("administrator", "GET", "/", **options)
        assert answer.status_code == 200
    assert filled.ask("administrator", "TRACE", "/").status_code == 405
    assert not set(filled.changes()) - {"sign_in_session", "api_token"}
    filled.put_back()


@pytest.fixture(scope="module")
def port(filled_desk: FilledDesk) -> Iterator[int]:
    """The loop that takes requests in, in this process, before the filled desk."""
    lines: dict[int, Any] = {}
    dispatcher = front.ThreadedTaskDispatcher()
    dispatcher.queue = front.FairQueue(0, 4)
    dispatcher.set_thread_count(2)
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    number = int(sock.getsockname()[1])
    info = (sock.family, sock.type, sock.proto, sock.getsockname())
    adjustments = front._adjustments(1_000_000)
    one = front.Front(
        filled_desk.app, lines, _sock=sock, dispatcher=dispatcher, adj=adjustments, sockinfo=info, bind_socket=False
    )
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            wasyncore.loop(timeout=0.1, use_poll=True, map=lines, count=1)

    thread = threading.Thread(target=run)
    thread.start()
    yield number
    over.set()
    thread.join()
    dispatcher.shutdown()
    one.close()
    wasyncore.close_all(lines)


RAW = [
    (b"GET / HTTP/1.1\r\nHost: a\r\nCookie: " + b"a" * 60_000 + b"\r\n\r\n", 431),
    (b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 431),
    (b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 8000 + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX A: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    (b"POST /ask HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST /ask HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
    (b"POST /ask HTTP/1.1\r\nHost: a\r\nContent-Length: 1_0\r\n\r\n", 400),
    (b"POST /ask HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n", 400),
    (b"POST /ask HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    (b"POST /ask HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
]


@pytest.mark.parametrize("number", range(len(RAW)))
def test_what_is_no_request_is_answered_and_ended(port: int, number: int) -> None:
    """And the next visitor is served."""
    sent, status = RAW[number]
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(sent)
        with closing(http.client.HTTPResponse(line)) as answer:
            answer.begin()
            assert answer.status in (status, 400), sent[:60]
            said = answer.read().decode(errors="replace")
    assert "Traceback" not in said and "waitress" not in said.lower()
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)) as other:
        other.request("GET", "/auth/sign-in")
        with closing(other.getresponse()) as answer:
            assert answer.status == 200


def test_two_answers_never_come_for_one_request(port: int) -> None:
    """Length and chunks together, by which a second request is smuggled past a proxy."""
    sent = (
        b"POST /auth/sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        said = b""
        while chunk := line.recv(65536):
            said += chunk
    assert said.startswith(b"HTTP/1.1 400") or said.count(b"HTTP/1.1 ") <= 1
