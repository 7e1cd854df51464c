"""The port for the owner's mail server: whom it takes mail for, and what it answers when the desk cannot keep it."""

import errno
import gc
import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from helpdesk_email import listening, lmtp
from helpdesk_email.models import Mailbox
from helpdesk_email.settings import EmailSettings, IncomingSettings

from helpdesk.api import Ticket, db, keep_incoming, transaction
from helpdesk.testing.network import free_port
from helpdesk.testing.served import wait_for

MAIL = b"From: anna@customer.example\r\nTo: sales@shop.example\r\nSubject: A lamp\r\n\r\nHow much is it?\r\n"


@pytest.fixture
def port(app: Flask, configure: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """Where the service listens; the desk has two addresses."""
    configure(EmailSettings, address="help@shop.example")
    with transaction():
        db.session.add(Mailbox(address="sales@shop.example", kind="handed"))
    stop = threading.Event()

    def serve() -> None:
        with app.app_context():
            listening.listen(stop)

    chosen = free_port()
    configure(IncomingSettings, listen_lmtp=f"127.0.0.1:{chosen}")
    # The service does what the setting says within this.
    monkeypatch.setattr(listening, "_LOOK", 0.1)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        wait_for(lambda: _answers(chosen) or not thread.is_alive())
        yield chosen
    finally:
        stop.set()
        thread.join()


def _answers(port: int) -> bool:
    try:
        with smtplib.SMTP(local_hostname="mx.example", timeout=60) as line:
            return line.connect("127.0.0.1", port)[0] == 220
    except (OSError, smtplib.SMTPException):
        return False


def lmtp_line(port: int) -> smtplib.LMTP:
    """A line to it. Its own name is given: asked for, the machine may take long to say it."""
    return smtplib.LMTP("127.0.0.1", port, local_hostname="mx.example", timeout=60)


def test_it_takes_mail_for_our_addresses_alone(
    port: int, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """register_services: the port for the owner's mail server."""
    kept: list[tuple[str, bytes]] = []

    def keep(channel: str, raw: bytes, *, account: str) -> None:
        kept.append((account, raw))
        keep_incoming(channel, raw, account=account)

    monkeypatch.setattr(lmtp, "keep_incoming", keep)
    with lmtp_line(port) as line:
        refused = line.sendmail("anna@customer.example", ["sales+x-1@shop.example", "boss@shop.example"], MAIL)
        assert refused["boss@shop.example"][0] == 550
        line.sendmail("", ["sales@shop.example", "help@shop.example"], MAIL.replace(b"lamp", b"chair"))
        # Each recipient has an answer; the standard library reads the first alone.
        assert line.getreply() == (250, b"2.0.0 Kept")
        # Its answer had been lost on the way.
        line.sendmail("anna@customer.example", ["sales+x-1@shop.example"], MAIL)
    with smtplib.SMTP("127.0.0.1", port, local_hostname="mx.example", timeout=60) as line:
        line.sendmail("anna@customer.example", ["help@shop.example"], MAIL.replace(b"lamp", b"table"))
    added = b"Return-Path: <anna@customer.example>\r\nDelivered-To: sales+x-1@shop.example\r\n"
    assert kept[0] == kept[2] == ("sales@shop.example", added + MAIL)
    run_jobs()
    found = sorted(tuple(row) for row in db.session.execute(db.select(Ticket.subject, Ticket.account)))
    ours = {"A lamp": "sales@shop.example", "A table": "help@shop.example"}
    # What has no sender of its envelope comes from a machine, and is still somebody's.
    assert {subject: account for subject, account in found if subject in ours} == ours
    assert len(found) == len(set(found))


def test_a_desk_that_cannot_keep_it_has_it_sent_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: Any, **_more: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(lmtp, "keep_incoming", full)
    with lmtp_line(port) as line, pytest.raises(smtplib.SMTPDataError) as found:
        line.sendmail("anna@customer.example", ["sales@shop.example"], MAIL)
    assert found.value.smtp_code == 451


def test_one_too_large_is_refused_for_good(port: int) -> None:
    with lmtp_line(port) as line:
        line.ehlo()
        assert line.has_extn("size") and int(line.esmtp_features["size"]) == lmtp.LARGEST
        with pytest.raises(smtplib.SMTPSenderRefused) as found:
            line.sendmail("anna@customer.example", ["sales@shop.example"], b"x" * (lmtp.LARGEST + 1))
    assert found.value.smtp_code == 552


def test_it_follows_the_setting(port: int, configure: Callable[..., Any]) -> None:
    configure(IncomingSettings, listen_lmtp="")
    wait_for(lambda: not _answers(port))
    configure(IncomingSettings, listen_lmtp=f"127.0.0.1:{port}")
    wait_for(lambda: _answers(port))


def test_a_port_that_is_taken_is_said_at_once(app: Flask) -> None:
    said: list[OSError] = []
    with socket.create_server(("127.0.0.1", 0)) as other:
        listener = lmtp.Listener(
            lmtp._Desk(app), hostname="127.0.0.1", port=other.getsockname()[1], ready_timeout=100_000.0
        )

        def start() -> None:
            try:
                listener.start()
            except OSError as error:
                said.append(error)

        # It does not keep the run from ending.
        thread = threading.Thread(target=start, daemon=True)
        thread.start()
        thread.join(60)
    assert not thread.is_alive() and [error.errno for error in said] == [errno.EADDRINUSE]
    assert listener.loop.is_closed()


def test_whoever_is_connected_when_it_ends_is_hung_up_on(app: Flask) -> None:
    port = free_port()
    listener = lmtp.begun(app, f"127.0.0.1:{port}")
    with lmtp_line(port) as early:
        # It has other things to do, so that the next one is not let in before the end begins.
        listener.loop.call_soon_threadsafe(time.sleep, 0.2)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as late:
            listener.stop()
            # A socket that is left open is told of when it is collected, and fails the test.
            gc.collect()
            with suppress(ConnectionResetError):
                while late.recv(1_000):
                    pass
        with pytest.raises(smtplib.SMTPServerDisconnected):
            early.noop()
