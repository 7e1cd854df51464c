"""The port for the owner's mail server: whom it takes mail for, and what it answers when the desk cannot keep it."""

import random
import smtplib
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from flask import Flask
from helpdesk_email import listening, lmtp
from helpdesk_email.models import Mailbox
from helpdesk_email.settings import EmailSettings, IncomingSettings

from helpdesk.api import Ticket, db, keep_incoming, transaction
from helpdesk.testing.served import wait_for

MAIL = b"From: anna@customer.example\r\nTo: sales@shop.example\r\nSubject: A lamp\r\n\r\nHow much is it?\r\n"


@pytest.fixture
def port(app: Flask, configure: Callable[..., Any]) -> Iterator[int]:
    """Where the service listens; the desk has two addresses."""
    configure(EmailSettings, address="help@shop.example")
    with transaction():
        db.session.add(Mailbox(address="sales@shop.example", kind="handed"))
    stop = threading.Event()

    def serve() -> None:
        # Somebody else has taken the port.
        with suppress(OSError), app.app_context():
            listening.listen(stop)

    for _turn in range(10):
        # The system itself gives nobody one of these.
        chosen = random.SystemRandom().randrange(20_000, 32_000)
        configure(IncomingSettings, listen_lmtp=f"127.0.0.1:{chosen}")
        thread = threading.Thread(target=serve)
        thread.start()
        wait_for(lambda port=chosen, thread=thread: _answers(port) or not thread.is_alive())
        if thread.is_alive():
            break
    yield chosen
    stop.set()
    thread.join()


def _answers(port: int) -> bool:
    """Whether it is ours that answers."""
    try:
        with smtplib.SMTP(timeout=30) as line:
            return b"helpdesk" in line.connect("127.0.0.1", port)[1]
    except (OSError, smtplib.SMTPException):
        return False


def test_it_takes_mail_for_our_addresses_alone(
    port: int, run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """register_services: the port for the owner's mail server."""
    kept: list[tuple[str, bytes]] = []

    def keep(channel: str, raw: bytes, *, account: str) -> None:
        kept.append((account, raw))
        keep_incoming(channel, raw, account=account)

    monkeypatch.setattr(lmtp, "keep_incoming", keep)
    with smtplib.LMTP("127.0.0.1", port, timeout=30) as line:
        refused = line.sendmail("anna@customer.example", ["sales+x-1@shop.example", "boss@shop.example"], MAIL)
        assert refused["boss@shop.example"][0] == 550
        line.sendmail("", ["sales@shop.example", "help@shop.example"], MAIL.replace(b"lamp", b"chair"))
        # Each recipient has an answer; the standard library reads the first alone.
        assert line.getreply() == (250, b"2.0.0 Kept")
        # Its answer had been lost on the way.
        line.sendmail("anna@customer.example", ["sales+x-1@shop.example"], MAIL)
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as line:
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
    with smtplib.LMTP("127.0.0.1", port, timeout=30) as line, pytest.raises(smtplib.SMTPDataError) as found:
        line.sendmail("anna@customer.example", ["sales@shop.example"], MAIL)
    assert found.value.smtp_code == 451


def test_one_too_large_is_refused_for_good(port: int) -> None:
    with smtplib.LMTP("127.0.0.1", port, timeout=30) as line:
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
