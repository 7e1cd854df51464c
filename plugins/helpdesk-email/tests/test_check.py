"""The connection test says exactly what fails."""

from dataclasses import replace
from typing import Any

import pytest
from helpdesk_email import channel
from helpdesk_email.settings import EmailSettings

LABELS = ["Connect to the server", "Sign in", "Send a test mail"]


def _configure(monkeypatch: pytest.MonkeyPatch, **values: Any) -> None:
    """Change some of the saved settings for the length of a test."""
    saved = channel.settings

    def changed(model: type) -> Any:
        return replace(saved(model), **values) if model is EmailSettings else saved(model)

    monkeypatch.setattr(channel, "settings", changed)


def test_each_step_is_shown_and_a_mail_arrives(app: Any, mailbox: Any) -> None:
    steps = channel.check("owner@shop.example")
    assert [(step.label, step.ok) for step in steps] == [(label, True) for label in LABELS]
    (mail,) = mailbox.to("owner@shop.example")
    assert mail["Subject"] == "Test from Help desk"
    assert mail["Auto-Submitted"] == "auto-generated"


def test_before_it_is_set_up_it_says_what_to_enter(app: Any) -> None:
    steps = channel.check("owner@shop.example")
    assert [step.ok for step in steps] == [False, None, None]
    assert "Enter the desk's mail address" in steps[0].detail


def test_after_a_failed_step_the_next_are_not_tried(app: Any, mailbox: Any, monkeypatch: Any) -> None:
    _configure(monkeypatch, smtp_user="help", smtp_password="secret-canary")
    steps = channel.check("owner@shop.example")
    assert [step.ok for step in steps] == [True, False, None]
    assert "does not ask for a user name" in steps[1].detail
    assert mailbox.messages == []
    assert "secret-canary" not in repr(steps)


def test_the_servers_own_words_are_shown(app: Any, mailbox: Any) -> None:
    mailbox.refuse = "554 5.7.1 not from you"
    step = channel.check("owner@shop.example")[2]
    assert (step.ok, step.said) == (False, "554 5.7.1 not from you")


def test_a_wrong_pair_of_port_and_security_gets_advice(app: Any, mailbox: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(channel.smtp, "connect", _closed)
    _configure(monkeypatch, smtp_security="starttls", smtp_port=465)
    assert channel.check("owner@shop.example")[0].advice == ["Port 465 is usually for TLS: choose TLS."]
    _configure(monkeypatch, smtp_security="tls", smtp_port=587)
    assert channel.check("owner@shop.example")[0].advice == ["Port 587 is usually for STARTTLS: choose STARTTLS."]


def test_an_address_that_is_none_is_said(app: Any, mailbox: Any) -> None:
    step = channel.check("nobody")[2]
    assert (step.ok, step.detail) == (False, "“nobody” is not an address that mail can be sent to.")


def test_reply_addresses_fit_into_an_address() -> None:
    token = "1z-2y-" + "a" * 26
    assert channel.reply_address("help@shop.example", token) == f"help+{token}@shop.example"
    assert channel.reply_tokens([f"HELP+{token.upper()}@shop.example", "help@shop.example"]) == [token]
    long = "a" * 40 + "@shop.example"
    assert channel.reply_address(long, token) == long
    assert channel.reply_address("help@shop.example", None) == "help@shop.example"


def _closed(_server: Any) -> Any:
    raise ConnectionRefusedError(111, "Connection refused")
