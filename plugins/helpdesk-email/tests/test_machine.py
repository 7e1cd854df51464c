"""Mail of robots is told from mail of people."""

import pytest
from helpdesk_email.parsing import parse


def _mail(*headers: str, sender: str = "Anna <anna@customer.example>", body: str = "Hello") -> bytes:
    return "\r\n".join([f"From: {sender}", *headers, "", body]).encode()


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("Auto-Submitted: auto-replied", "auto-submitted"),
        ("Auto-Submitted: auto-generated (by a shop)", "auto-submitted"),
        ("Return-Path: <>", "null-sender"),
        ("Content-Type: multipart/report; boundary=x", "report"),
        ("Content-Type: message/delivery-status", "report"),
        ("Precedence: bulk", "precedence"),
        ("Precedence: auto_reply", "precedence"),
        ("List-Id: <news.shop.example>", "list"),
        ("X-Auto-Response-Suppress: OOF, AutoReply", "response-suppressed"),
        ("X-Autoreply: yes", "robot-header"),
        ("Subject: Automatic reply: your order", "subject"),
        ("Subject: Re: Out of office", "subject"),
        ("Subject: =?utf-8?b?6Ieq5Yqo5Zue5aSN77ya5oiR5Zyo5LyR5YGH?=", "subject"),
        ("Subject: Abwesenheitsnotiz: Urlaub", "subject"),
    ],
)
def test_robots_are_recognised(header: str, reason: str) -> None:
    mail = parse(_mail(header))
    assert mail.machine
    assert mail.machine_reason == reason


@pytest.mark.parametrize("sender", ["MAILER-DAEMON@a.example", "no-reply@a.example", "bounces+123@a.example"])
def test_robots_are_known_by_their_address(sender: str) -> None:
    assert parse(_mail("Subject: Hello", sender=sender)).machine_reason == "robot-address"


@pytest.mark.parametrize(
    "headers",
    [
        ("Auto-Submitted: no",),
        ("Return-Path: <anna@customer.example>",),
        ("X-Auto-Response-Suppress: DR, NDR",),
        ("Subject: Undelivered parcel",),
        ("Subject: Delivery failed: where is my order 123?",),
        ("Subject: The automatic door does not close",),
        ("Precedence: first-class",),
    ],
)
def test_people_are_not_taken_for_robots(headers: tuple[str, ...]) -> None:
    assert not parse(_mail(*headers)).machine


def test_a_bounce_is_known_by_subject_and_words_together() -> None:
    body = "The mail could not be sent.\n\nFinal-Recipient: rfc822; x@y.example\nDiagnostic-Code: smtp; 550 5.1.1"
    assert parse(_mail("Subject: Undelivered mail", body=body)).machine_reason == "bounce"
