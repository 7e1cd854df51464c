"""Fetching by POP3 from a server on loopback: what stays there is taken once, what is deleted goes when it is kept."""

import base64
import io
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from flask import Flask
from helpdesk_email import fetching, oauth
from helpdesk_email.models import FetchedMail, Mailbox
from helpdesk_email.pop3 import Pop3

from helpdesk.api import Ticket, db, now, transaction


class Drop(socketserver.ThreadingTCPServer):
    """A maildrop (RFC 1939): ``mails`` by the name that the server gives them. ``names`` is whether it has UIDL.

    ``tls`` is what it speaks: from the beginning, or after STLS where ``late``.
    """

    daemon_threads, allow_reuse_address = True, True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.mails: dict[str, bytes] = {}
        self.names = True
        self.read: list[str] = []
        self.tls: ssl.SSLContext | None = None
        self.late = False
        # What it was given in place of a password, and the answer to that.
        self.tokens: list[bytes] = []
        self.judgement = "+OK"


class Talk(socketserver.StreamRequestHandler):
    server: Drop

    def setup(self) -> None:
        super().setup()
        if self.server.tls is not None and not self.server.late:
            self.encrypt(self.server.tls)

    def encrypt(self, tls: ssl.SSLContext) -> None:
        try:
            self.connection = tls.wrap_socket(self.connection, server_side=True)
        except (ssl.SSLError, OSError):
            # Whoever does not believe the certificate goes away.
            self.rfile = io.BytesIO()
            return
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)

    def finish(self) -> None:
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            self.connection.close()

    def handle(self) -> None:
        there, gone = list(self.server.mails), set()
        with suppress(OSError):
            self.say("+OK")
        while line := self.rfile.readline():
            word, *rest = line.decode().split()
            number = int(rest[0]) - 1 if rest and rest[0].isdigit() else 0
            left = [(index + 1, name) for index, name in enumerate(there) if name not in gone]
            if word == "PASS" and rest != ["secret"]:
                self.say("-ERR [AUTH] no")
            elif word == "CAPA" and self.server.late:
                self.say("+OK", "STLS", ".")
            elif word == "STLS" and self.server.tls is not None:
                self.say("+OK")
                self.encrypt(self.server.tls)
            elif word == "AUTH":
                self.say("+ ")
                self.server.tokens.append(base64.b64decode(self.rfile.readline()))
                self.say(self.server.judgement)
            elif word == "UIDL" and self.server.names:
                self.say("+OK", *(f"{index} {name}" for index, name in left), ".")
            elif word == "LIST":
                self.say("+OK", *(f"{index} {len(self.server.mails[name])}" for index, name in left), ".")
            elif word in ("RETR", "TOP"):
                raw = self.server.mails[there[number]]
                self.server.read.append(there[number])
                self.say("+OK")
                self.wfile.write((raw if word == "RETR" else raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n") + b".\r\n")
            elif word == "DELE":
                gone.add(there[number])
                self.say("+OK")
            elif word == "QUIT":
                for name in gone:
                    self.server.mails.pop(name, None)
                self.say("+OK")
                return
            else:
                self.say("+OK" if word in ("USER", "PASS") else "-ERR unknown")

    def say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())


@pytest.fixture
def drop() -> Iterator[Drop]:
    with Drop() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def make_box(app: Flask, drop: Drop) -> Callable[..., int]:
    def make(**values: Any) -> int:
        place = {"host": "127.0.0.1", "port": drop.server_address[1], "security": "none"}
        signed = {"username": "sales", "password": "secret", "kind": "pop3"}
        with transaction():
            box = Mailbox(**{"address": "sales@shop.example", **place, **signed, **values})
            db.session.add(box)
        return box.id

    return make


def mail(number: int) -> bytes:
    return f"From: anna@customer.example\r\nSubject: Order {number}\r\n\r\nWhere is it?\r\n".encode()


def subjects() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(db.select(Ticket.subject)))


@pytest.mark.parametrize(("afterwards", "names"), [("seen", True), ("delete", True), ("delete", False)])
def test_what_was_there_is_left(
    make_box: Any, drop: Drop, as_admin: Any, run_jobs: Callable[[], int], afterwards: str, names: bool
) -> None:
    def received(moment: datetime, number: int) -> bytes:
        return f"Received: from x by y;\r\n {format_datetime(moment)}\r\n".encode() + mail(number)

    drop.names = names
    drop.mails = {"a": mail(1), "b": received(now() - timedelta(days=9), 2), "c": received(now(), 3)}
    box = make_box(since=now() - timedelta(minutes=5), afterwards=afterwards)
    fetching.fetch(box)
    drop.mails["d"] = received(now(), 4)
    assert fetching.fetch(box).error == ""
    assert drop.mails.keys() >= {"a", "b"}
    run_jobs()
    assert subjects() == ["Order 3", "Order 4"]
    as_admin.post(f"/p/email/mailboxes/{box}/take")
    run_jobs()
    assert subjects() == ["Order 1", "Order 2", "Order 3", "Order 4"]


def test_what_stays_on_the_server_is_read_once(make_box: Any, drop: Drop, run_jobs: Callable[[], int]) -> None:
    drop.mails = {"a": mail(1), "b": mail(2)}
    box = make_box()
    assert fetching.fetch(box).mails == 2
    del drop.mails["a"]
    drop.mails["c"] = mail(3)
    assert (fetching.fetch(box).mails, fetching.fetch(box).mails) == (1, 0)
    assert drop.read == ["a", "b", "c"]
    # What is on the server no longer is forgotten.
    assert sorted(db.session.scalars(db.select(FetchedMail.name))) == ["b", "c"]
    run_jobs()
    assert subjects() == ["Order 1", "Order 2", "Order 3"]


def test_without_names_nothing_can_be_left_there(make_box: Any, drop: Drop) -> None:
    drop.mails, drop.names = {"a": mail(1)}, False
    assert "gives mails no names" in fetching.fetch(make_box()).error
    assert drop.read == []


@pytest.mark.parametrize("names", [True, False])
def test_what_is_kept_is_deleted(make_box: Any, drop: Drop, run_jobs: Callable[[], int], names: bool) -> None:
    drop.mails, drop.names = {"a": mail(1), "b": mail(2)}, names
    box = make_box(afterwards="delete")
    assert fetching.fetch(box).mails == 2
    assert drop.mails == {}
    # The server had lost that it was deleted.
    drop.mails = {"a": mail(1)}
    fetching.fetch(box)
    run_jobs()
    assert subjects() == ["Order 1", "Order 2"]


@pytest.mark.parametrize("afterwards", ["seen", "delete"])
def test_one_that_cannot_be_fetched_holds_up_others_for_some_polls_alone(
    make_box: Any, drop: Drop, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch, afterwards: str
) -> None:
    real = Pop3.read

    def read(self: Pop3, numbers: Any) -> dict[int, bytes]:
        if any(self.name(number) == "a" for number in numbers):
            raise EOFError
        return real(self, numbers)

    monkeypatch.setattr(Pop3, "read", read)
    drop.mails = {"a": mail(1), "b": mail(2), "c": mail(3)}
    box = make_box(afterwards=afterwards)
    done = [fetching.fetch(box) for _poll in range(4)]
    assert [one.mails for one in done] == [0, 0, 2, 0]
    assert "closed the connection" in done[1].error and "stays on the server" in done[2].error and not done[3].error
    run_jobs()
    assert subjects() == ["Order 2", "Order 3"]


def test_one_too_large_is_asked_for_once(make_box: Any, drop: Drop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "LARGEST", 100)
    drop.mails = {"a": mail(1), "b": mail(2) + b"x" * 200}
    box = make_box(afterwards="delete")
    for _poll in range(2):
        fetching.fetch(box)
    assert list(drop.mails) == ["b"] and sorted(drop.read) == ["a", "b"]
    db.session.rollback()
    assert db.session.get_one(Mailbox, box).fetched == 1


def test_a_wrong_password_is_said(make_box: Any, drop: Drop) -> None:
    assert "did not accept the user name and password: -ERR [AUTH] no" in fetching.fetch(make_box(password="x")).error
    assert "does not offer STARTTLS" in fetching.fetch(make_box(address="b@shop.example", security="starttls")).error


@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_over_an_encrypted_line(
    make_box: Any, drop: Drop, tls: ssl.SSLContext, certificate: Any, monkeypatch: Any, run_jobs: Any, security: str
) -> None:
    drop.mails, drop.tls, drop.late = {"a": mail(1)}, tls, security == "starttls"
    # Nobody vouches for the certificate yet.
    error = fetching.fetch(make_box(host="localhost", security=security)).error
    assert error == "The certificate of localhost is signed by the server itself, which proves nothing."
    assert drop.read == []
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    # It is not for the address.
    assert "is for another name" in fetching.fetch(make_box(address="b@shop.example", security=security)).error
    done = fetching.fetch(make_box(address="c@shop.example", host="localhost", security=security))
    assert (done.mails, done.error) == (1, "")
    run_jobs()
    assert subjects() == ["Order 1"]


def test_a_token_in_place_of_a_password(make_box: Any, drop: Drop, monkeypatch: Any) -> None:
    monkeypatch.setattr(oauth, "access_token", lambda _box: "opaque")
    drop.mails = {"a": mail(1)}
    box = make_box(password="", oauth="custom", oauth_token_url="https://provider.example/token")
    assert fetching.fetch(box).mails == 1
    assert drop.tokens == [b"user=sales\1auth=Bearer opaque\1\1"]
    drop.judgement = "-ERR [AUTH] it has ended"
    error = fetching.fetch(box).error
    assert "did not accept the token: -ERR [AUTH] it has ended" in error and "opaque" not in error
