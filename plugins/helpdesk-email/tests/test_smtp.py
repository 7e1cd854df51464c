"""The way out: what a real server on this machine says, and what is made of it."""

import base64
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult
from helpdesk_email import failures, outgoing, smtp
from helpdesk_email.settings import EmailSettings
from helpdesk_email.smtp import Failed, Parcel, Server

from helpdesk.api import DeliveryFailed


def mail(recipient: str = "anna@customer.example") -> EmailMessage:
    moment = datetime(2026, 2, 2, tzinfo=UTC)
    sender = ("Shop", "help@shop.example")
    return outgoing.build(outgoing.Letter(sender, ("", recipient), "Hello", "Hello", "", "m1@shop.example", moment))


def parcel(recipient: str = "anna@customer.example", sender: str = "help@shop.example") -> Parcel:
    return Parcel.of(mail(recipient), sender)


def failure(server: Server, recipient: str = "anna@customer.example") -> Failed:
    with pytest.raises(Failed) as caught:
        smtp.send(parcel(recipient), server)
    return caught.value


def test_a_mail_is_handed_over(serve: Any) -> None:
    server, handler = serve()
    smtp.send(parcel(), server)
    (envelope,) = handler.envelopes
    assert (envelope.mail_from, envelope.rcpt_tos) == ("help@shop.example", ["anna@customer.example"])
    assert envelope.content.startswith(b"From: Shop <help@shop.example>\r\n")
    assert b"Message-ID: <m1@shop.example>" in envelope.content


def test_an_automatic_answer_has_the_null_sender(serve: Any) -> None:
    server, handler = serve()
    smtp.send(parcel(sender=""), server)
    assert handler.envelopes[0].mail_from in ("", "<>")


@pytest.mark.parametrize(
    ("stage", "answer", "meaning"),
    [
        ("rcpt", "550 5.1.1 no such person", "permanent final"),
        ("rcpt", "450 4.2.1 try later", ""),
        ("rcpt", "530 5.7.0 authentication required", "rests"),
        ("mail", "550 5.7.1 not your address", ""),
        ("mail", "451 4.7.0 too many mails", "rests"),
        ("mail", "552 5.3.4 too large", "permanent"),
        ("data", "554 5.7.1 looks like spam", "permanent final"),
        ("data", "452 4.3.1 disk full", ""),
    ],
)
def test_what_the_server_refuses_is_said_in_its_words(serve: Any, stage: str, answer: str, meaning: str) -> None:
    server, _handler = serve(**{stage: answer})
    error = failure(server)
    assert [word for word in ("permanent", "rests", "final") if getattr(error.failure, word)] == sorted(
        meaning.split(), key=("permanent", "rests", "final").index
    )
    assert error.sentence.startswith("127.0.0.1 refused")
    assert answer in error.sentence


def test_a_server_that_goes_with_the_text_may_have_taken_it(serve: Any) -> None:
    server, _handler = serve(data="gone")
    error = failure(server)
    assert error.failure.final and error.failure.rests and not error.permanent
    assert "before it said whether it took the mail" in error.sentence


def test_a_port_where_nobody_answers(free_port: int) -> None:
    error = failure(Server("127.0.0.1", free_port, security="none"))
    assert not error.permanent
    assert "does not answer on port" in error.sentence


def test_nothing_leaves_the_own_network_for_all_to_read() -> None:
    error = failure(Server("93.184.216.34", 25, security="none"))
    assert "for all to read" in error.sentence and error.failure.rests


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
    smtp.send(parcel("jörg@customer.example"), server)
    assert handler.envelopes[0].rcpt_tos == ["jörg@customer.example"]


def test_a_certificate_that_nobody_vouches_for(serve: Any, tls: Any) -> None:
    server, _handler = serve({"ssl_context": tls}, {"security": "tls"})
    assert "signed by the server itself, which proves nothing" in failure(server).sentence


def test_a_certificate_for_another_name(serve: Any, tls: Any, certificate: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    server, handler = serve({"ssl_context": tls}, {"security": "tls"})
    assert "is for another name" in failure(server).sentence
    smtp.send(parcel(), replace(server, host="localhost"))
    assert len(handler.envelopes) == 1


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (10, "has expired"),
        (9, "not valid yet"),
        (18, "by the server itself"),
        (19, "by nobody"),
        (20, "by nobody"),
        (0, "self"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_said(code: int, words: str) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "self-made"
    found = failures.explain(error, Server("mail.shop.example", 465))
    assert words in found.sentence and not found.permanent and found.rests
    assert failures.advice(error, Server("mail.shop.example", 465))


def test_a_token_is_shown_in_place_of_a_password(serve: Any) -> None:
    given: list[str] = []

    async def auth_xoauth2(_server: Any, words: list[str]) -> AuthResult:
        given.append(base64.b64decode(words[1]).decode())
        return AuthResult(success="Bearer good" in given[-1], handled="Bearer good" in given[-1])

    server, handler = serve({"auth_require_tls": False}, {"user": "help@shop.example", "token": lambda: "good"})
    handler.auth_XOAUTH2 = auth_xoauth2
    smtp.send(parcel(), server)
    assert given == ["user=help@shop.example\x01auth=Bearer good\x01\x01"] and len(handler.envelopes) == 1
    assert "did not accept" in failure(replace(server, token=lambda: "old")).sentence

    def none_to_be_had() -> str:
        raise DeliveryFailed("Sign in again.")

    found = failure(replace(server, token=none_to_be_had))
    assert found.sentence == "Signing in at 127.0.0.1 failed: Sign in again." and found.failure.rests


def test_a_password_may_have_any_letters(serve: Any) -> None:
    given: list[Any] = []

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        given.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=True)

    options = {"authenticator": authenticate, "auth_require_tls": False}
    server, handler = serve(options, {"user": "hélp", "password": "schön"})
    smtp.send(parcel(), server)
    assert given == [("hélp", "schön")] and len(handler.envelopes) == 1
    assert "schön" not in repr(server)


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
        smtp.send(parcel(), Server("127.0.0.1", listening.getsockname()[1], security="none"))
        thread.join()
    assert taken.is_set()


def test_the_server_is_named_after_the_address() -> None:
    server = Server.of(EmailSettings(address="help@shop.example", smtp_host="mail.shop.example", smtp_port=465))
    assert (server.name, server.host, server.port) == ("shop.example", "mail.shop.example", 465)
