"""The way out: what a real server on this machine says, and what is made of it."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from helpdesk_email import outgoing, smtp
from helpdesk_email.settings import EmailSettings
from helpdesk_email.smtp import Server

from helpdesk.api import DeliveryFailed


class Answers:
    """A server that takes mail unless it is told otherwise."""

    def __init__(self, **answers: str) -> None:
        self.answers = answers
        self.envelopes: list[Any] = []

    async def handle_MAIL(self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]) -> str:  # noqa: N802
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return self.answers.get("mail", "250 OK")

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: list[str]) -> str:  # noqa: N802
        envelope.rcpt_tos.append(address)
        return self.answers.get("rcpt", "250 OK")

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.envelopes.append(envelope)
        return self.answers.get("data", "250 OK")


@pytest.fixture
def serve() -> Iterator[Callable[..., tuple[Server, Answers]]]:
    """Start a server: ``serve(rcpt="550 nobody")``."""
    running: list[Controller] = []

    def start(options: dict[str, Any] | None = None, server: dict[str, Any] | None = None, **answers: str) -> Any:
        handler = Answers(**answers)
        controller = Controller(handler, hostname="127.0.0.1", port=free_port(), **(options or {}))
        controller.start()
        running.append(controller)
        return Server("127.0.0.1", controller.port, **{"security": "none", "timeout": 3.0, **(server or {})}), handler

    yield start
    for controller in running:
        controller.stop()


def free_port() -> int:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return int(chosen.getsockname()[1])


def mail(recipient: str = "anna@customer.example") -> EmailMessage:
    moment = datetime(2026, 2, 2, tzinfo=UTC)
    sender = ("Shop", "help@shop.example")
    return outgoing.build(outgoing.Letter(sender, ("", recipient), "Hello", "Hello", "", "m1@shop.example", moment))


def failure(server: Server, recipient: str = "anna@customer.example") -> DeliveryFailed:
    with pytest.raises(DeliveryFailed) as caught:
        smtp.send(mail(recipient), recipient, "help@shop.example", server)
    return caught.value


def test_a_mail_is_handed_over(serve: Any) -> None:
    server, handler = serve()
    smtp.send(mail(), "anna@customer.example", "help@shop.example", server)
    (envelope,) = handler.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("help@shop.example", ["anna@customer.example"])
    assert b"Message-ID: <m1@shop.example>" in envelope.content


def test_an_automatic_answer_has_the_null_sender(serve: Any) -> None:
    server, handler = serve()
    smtp.send(mail(), "anna@customer.example", "", server)
    assert handler.envelopes[0].mail_from in ("", "<>")


@pytest.mark.parametrize(
    ("stage", "answer", "permanent"),
    [
        ("rcpt", "550 5.1.1 no such person", True),
        ("rcpt", "450 4.2.1 try later", False),
        ("rcpt", "530 5.7.0 authentication required", False),
        ("mail", "550 5.7.1 not your address", False),
        ("data", "554 5.7.1 looks like spam", True),
        ("data", "452 4.3.1 disk full", False),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(serve: Any, stage: str, answer: str, permanent: bool) -> None:
    server, _handler = serve(**{stage: answer})
    error = failure(server)
    assert error.permanent is permanent
    assert error.sentence.startswith("127.0.0.1 refused")
    assert answer in error.sentence


def test_a_port_where_nobody_answers() -> None:
    error = failure(Server("127.0.0.1", free_port(), security="none"))
    assert not error.permanent
    assert "does not answer on port" in error.sentence


def test_a_server_without_starttls(serve: Any) -> None:
    server, _handler = serve(server={"security": "starttls"})
    assert "does not offer STARTTLS" in failure(server).sentence


def test_a_server_without_tls(serve: Any) -> None:
    server, _handler = serve(server={"security": "tls"})
    assert "does not speak TLS" in failure(server).sentence


def test_a_wrong_password(serve: Any) -> None:
    options = {"authenticator": lambda *_: AuthResult(success=False, handled=False), "auth_require_tls": False}
    server, _handler = serve(options, {"user": "help", "password": "wrong"})
    error = failure(server)
    assert not error.permanent
    assert "did not accept the user name and password" in error.sentence
    assert "wrong" not in error.sentence


def test_a_server_that_asks_for_no_password(serve: Any) -> None:
    server, _handler = serve(server={"user": "help", "password": "x"})
    assert "does not ask for a user name" in failure(server).sentence


def test_a_server_that_says_nothing() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error = failure(Server("127.0.0.1", silent.getsockname()[1], security="none", timeout=0.3))
    assert "did not answer within" in error.sentence


def test_a_name_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_arguments: Any, **_options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    assert "There is no server named mail.shop.example" in failure(Server("mail.shop.example", 25)).sentence


def test_an_address_with_letters_outside_ascii_wants_a_server_that_can(serve: Any) -> None:
    server, handler = serve({"enable_SMTPUTF8": False})
    error = failure(server, "jörg@customer.example")
    assert error.permanent
    assert "letters outside ASCII" in error.sentence
    server, handler = serve({"enable_SMTPUTF8": True})
    smtp.send(mail("jörg@customer.example"), "jörg@customer.example", "help@shop.example", server)
    assert handler.envelopes[0].rcpt_tos == ["jörg@customer.example"]


def test_a_certificate_for_nobody_is_not_trusted() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    sentence, permanent = smtp.explain(error, Server("mail.shop.example", 465))
    assert "certificate of mail.shop.example is not valid" in sentence
    assert not permanent


def test_once_the_mail_is_taken_it_is_sent() -> None:
    """A server that dies right after it took the mail: sending it again would make a second copy."""
    taken = threading.Event()

    def serve_once(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rwb") as stream:
            stream.write(b"220 hello\r\n")
            stream.flush()
            for line in iter(stream.readline, b""):
                if line.upper().startswith(b"DATA"):
                    stream.write(b"354 go\r\n")
                    stream.flush()
                    for body in iter(stream.readline, b".\r\n"):
                        assert body
                    stream.write(b"250 taken\r\n")
                    stream.flush()
                    taken.set()
                    return
                stream.write(b"250 OK\r\n")
                stream.flush()

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        thread = threading.Thread(target=serve_once, args=(listening,))
        thread.start()
        smtp.send(mail(), "a@b.example", "", Server("127.0.0.1", listening.getsockname()[1], security="none"))
        thread.join(5)
    assert taken.is_set()


def test_the_server_is_named_after_the_address() -> None:
    server = Server.of(EmailSettings(address="help@shop.example", smtp_host="mail.shop.example", smtp_port=465))
    assert (server.name, server.host, server.port) == ("shop.example", "mail.shop.example", 465)
