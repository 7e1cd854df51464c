"""The connection test says exactly what fails."""

import subprocess
from typing import Any

import pytest
from helpdesk_email import channel, checking, incoming, smtp
from helpdesk_email.models import Mailbox, Server
from helpdesk_email.settings import EmailSettings, OutgoingSettings

from helpdesk.api import Delivery, db

LABELS = ["Connect to the server", "Sign in", "Send a test mail"]


def test_each_step_is_shown_and_a_mail_arrives(app: Any, mailbox: Any) -> None:
    steps = channel.check("owner@shop.example")
    assert [(step.label, step.ok) for step in steps] == [(label, True) for label in LABELS]
    (mail,) = mailbox.to("owner@shop.example")
    assert mail["Subject"] == "Test from Help desk"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_what_waits_is_tried_once_the_server_works(
    app: Any, mailbox: Any, configure: Any, make_ticket: Any, run_jobs: Any
) -> None:
    port = mailbox.port
    configure(EmailSettings, smtp_port=9)
    make_ticket(notice=True)
    run_jobs()
    delivery = db.session.scalars(db.select(Delivery)).one()
    assert (delivery.state, delivery.attempts) == ("waiting", 1)
    channel.check("owner@shop.example")
    run_jobs()
    assert delivery.attempts == 1, "a test that fails changes nothing"
    configure(EmailSettings, smtp_port=port)
    channel.check("owner@shop.example")
    run_jobs()
    db.session.expire_all()
    assert delivery.state == "sent" and mailbox.to(delivery.address)


def test_before_it_is_set_up_it_says_what_to_enter(app: Any) -> None:
    steps = channel.check("owner@shop.example")
    assert [step.ok for step in steps] == [False, None, None]
    assert "Enter the desk's mail address" in steps[0].detail


def test_after_a_failed_step_the_next_are_not_tried(app: Any, mailbox: Any, configure: Any) -> None:
    configure(EmailSettings, smtp_user="help", smtp_password="secret-canary")
    steps = channel.check("owner@shop.example")
    assert [step.ok for step in steps] == [True, False, None]
    assert "does not ask for a user name" in steps[1].detail
    assert "choose STARTTLS or TLS" in steps[1].advice[0]
    assert mailbox.messages == []
    assert "secret-canary" not in repr(steps)


def test_the_servers_own_words_are_shown(app: Any, mailbox: Any) -> None:
    mailbox.refuse = "554 5.7.1 not from you"
    step = channel.check("owner@shop.example")[2]
    assert (step.ok, step.said) == (False, "554 5.7.1 not from you")


@pytest.mark.parametrize(
    ("stage", "answer", "sentence", "advice"),
    [
        ("mail", "553 5.7.1 not yours", "refused the sender help@shop.example", "compare the user name"),
        ("rcpt", "550 5.7.1 no relay", "refused the address owner@shop.example", "wants a user name and password"),
    ],
)
def test_whether_sender_or_recipient_is_refused_is_said(
    app: Any, serve: Any, configure: Any, stage: str, answer: str, sentence: str, advice: str
) -> None:
    server, _handler = serve(**{stage: answer})
    configure(
        EmailSettings,
        address="help@shop.example",
        smtp_host=server.host,
        smtp_port=server.port,
        smtp_security="none",
    )
    step = channel.check("owner@shop.example")[2]
    assert step.ok is False and sentence in step.detail and step.said == answer and advice in step.advice[0]


@pytest.mark.parametrize(
    ("security", "port", "advice"),
    [
        ("starttls", 465, "Port 465 is usually for TLS: choose TLS."),
        ("tls", 587, "Port 587 is usually for STARTTLS: choose STARTTLS."),
        ("none", 25, "Many networks let nobody out on port 25: try 587 with STARTTLS or 465 with TLS."),
    ],
)
def test_a_wrong_pair_of_port_and_security_gets_advice(
    app: Any, mailbox: Any, configure: Any, monkeypatch: Any, security: str, port: int, advice: str
) -> None:
    def closed(_server: Any) -> Any:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(smtp, "connect", closed)
    configure(EmailSettings, smtp_security=security, smtp_port=port)
    assert channel.check("owner@shop.example")[0].advice == [advice]


def test_an_address_that_is_none_is_said(app: Any, mailbox: Any) -> None:
    step = channel.check("nobody")[2]
    assert (step.ok, step.detail) == (False, "“nobody” is not an address that mail can be sent to.")


def test_one_of_several_servers_is_tried_for_one_mailbox(app: Any, mailbox: Any, configure: Any) -> None:
    configure(EmailSettings, smtp_port=9)
    row = Server(name="Second", host=mailbox.host, port=mailbox.port, security="none")
    steps = checking.check_server(row, "owner@shop.example", Mailbox(address="sales@shop.example"))
    assert [step.ok for step in steps] == [True, True, True]
    assert mailbox.messages[0]["From"].addresses[0].addr_spec == "sales@shop.example"
    assert [step.ok for step in checking.check_server(Server(name="Third"), "owner@shop.example")][0] is False


def test_a_key_that_cannot_be_read_is_said_and_stops_no_mail(
    app: Any, mailbox: Any, configure: Any, openssl: str
) -> None:
    configure(OutgoingSettings, dkim_domain="desk.example", dkim_selector="s1", dkim_key="-----BEGIN nothing")
    steps = channel.check("owner@shop.example")
    assert [step.ok for step in steps] == [True, True, True, False]
    assert "private key for DKIM cannot be read" in steps[3].detail
    assert len(mailbox.messages) == 1
    key = subprocess.run([openssl, "genrsa", "2048"], check=True, capture_output=True, text=True).stdout
    configure(OutgoingSettings, dkim_key=key)
    assert [step.ok for step in channel.check("owner@shop.example")] == [True, True, True]


def test_reply_addresses_fit_into_an_address() -> None:
    token = "1z-2y-" + "a" * 26
    assert channel.reply_address("help@shop.example", token) == f"help+{token}@shop.example"
    assert incoming.reply_tokens([f"HELP+{token.upper()}@shop.example", "help@shop.example"]) == [token]
    long = "a" * 40 + "@shop.example"
    assert channel.reply_address(long, token) == long
    assert channel.reply_address("help@shop.example", None) == "help@shop.example"


def test_how_many_mails_leave_in_a_minute_is_a_setting(app: Any, configure: Any) -> None:
    assert channel.per_minute() is None, "any number"
    configure(EmailSettings, mails_a_minute=60)
    assert channel.per_minute() == 60
