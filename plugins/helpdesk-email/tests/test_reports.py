"""What comes back of mail that the desk sent."""

from pathlib import Path

import pytest
from helpdesk_email import incoming
from hypothesis import given, settings
from hypothesis import strategies as st

from helpdesk.api import Return

HEAD = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example\nTo: help@desk.example\nSubject: Undelivered Mail\n"
REPORT = 'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
COPY = "--b\nContent-Type: message/rfc822\n\nMessage-ID: <ours@desk.example>\nTo: anna@customer.example\n\nHi\n--b--\n"


def _returns(raw: str) -> list[Return]:
    draft = incoming.parse(raw.encode())
    assert draft.machine
    assert not draft.may_open
    return draft.returns


def _status(*recipients: str) -> str:
    groups = "\n\n".join(recipients)
    return (
        f"--b\n\nSorry.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{groups}\n\n"
    )


def test_a_delivery_report_tells_of_each_recipient() -> None:
    status = _status(
        "Original-Recipient: rfc822;anna@customer.example\nFinal-Recipient: rfc822;anna2@elsewhere.example\n"
        "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1\n No such user",
        "Final-Recipient: rfc822; <bo@customer.example>\nAction: delayed\nStatus: 4.4.1",
        "Final-Recipient: rfc822; cy@customer.example\nAction: relayed\nStatus: 2.1.9",
        "Final-Recipient: rfc822; di@customer.example\nAction: Failed (expired)\nStatus: 4.4.7",
    )
    assert _returns(HEAD + REPORT + status + COPY) == [
        Return("bounce", "anna@customer.example", "ours@desk.example", True, "550 5.1.1 No such user"),
        Return("delay", "bo@customer.example", "ours@desk.example", False, "4.4.1"),
        Return("bounce", "di@customer.example", "ours@desk.example", False, "4.4.7"),
    ]


def test_headers_alone_may_come_back() -> None:
    status = _status("Final-Recipient: rfc822;anna@customer.example\nAction: failed\nStatus: 5.0.0")
    copy = "--b\nContent-Type: text/rfc822-headers\n\nSubject: x\nMessage-Id:\n <ours@desk.example>\n--b--\n"
    assert [one.identity for one in _returns(HEAD + REPORT + status + copy)] == ["ours@desk.example"]


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (
            "",
            "Hi. This is the qmail-send program at mx.example.\nThis is a permanent error.\n\n"
            "<anna@customer.example>:\n"
            "Sorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message.\n\n"
            "Message-ID: <ours@desk.example>\nTo: anna@customer.example\n",
            Return("bounce", "anna@customer.example", "ours@desk.example", True, ""),
        ),
        (
            "X-Failed-Recipients: anna@customer.example\n",
            "This message was created automatically by mail delivery software.\n\n  anna@customer.example\n"
            "    host mx.customer.example: 452 4.2.2 mailbox full\n\n"
            "------ This is a copy of the message, including all the headers. ------\n\n"
            "Message-Id: <ours@desk.example>\n",
            Return("bounce", "anna@customer.example", "ours@desk.example", False, ""),
        ),
        (
            "Subject: Mail delivery failed\n",
            "This is the mail system at host mx.example. Your message is delayed and has not yet been delivered to\n\n"
            "<anna@customer.example>\n\nNo action is required.",
            Return("delay", "anna@customer.example", None, False, ""),
        ),
    ],
    ids=["qmail", "exim", "late"],
)
def test_bounces_of_no_standard_are_understood(headers: str, body: str, expected: Return) -> None:
    (found,) = _returns(HEAD + headers + "\n" + body)
    assert found.reason
    found.reason = ""
    assert found == expected


def test_a_complaint_is_understood() -> None:
    raw = (
        "From: fbl@provider.example\nSubject: FW: Hi\nContent-Type: multipart/report; boundary=b\n\n--b\n\nReport\n"
        "--b\nContent-Type: message/feedback-report\n\n{kind}\nOriginal-Rcpt-To: <anna@customer.example>\n\n" + COPY
    )
    complaint = Return("complaint", "anna@customer.example", "ours@desk.example", True, "abuse")
    assert _returns(raw.format(kind="Feedback-Type: abuse")) == [complaint]
    assert _returns(raw.format(kind="Feedback-Type: auth-failure")) == []


@pytest.mark.parametrize(
    "raw",
    [
        "From: anna@customer.example\nSubject: Out of office\nAuto-Submitted: auto-replied\n\nBack on Monday.",
        "From: anna@customer.example\nReturn-Path: <>\nSubject: Automatic reply: Hi\n\nCall a@b.example.",
        "From: anna@customer.example\nContent-Type: multipart/report; boundary=b\n\n"
        "--b\n\nRead.\n--b\nContent-Type: message/disposition-notification\n\nFinal-Recipient: rfc822;a@b.example\n"
        "Disposition: automatic-action/MDN-sent-automatically; displayed\n--b--",
    ],
    ids=["holiday", "null sender", "receipt"],
)
def test_answers_of_robots_return_nothing(raw: str) -> None:
    assert _returns(raw) == []


def test_a_letter_about_a_bounce_returns_nothing() -> None:
    draft = incoming.parse(
        b"From: anna@customer.example\nSubject: Help\n\nI got: 550 5.1.1 <bo@customer.example> unknown"
    )
    assert (draft.machine, draft.returns) == (False, [])


def test_public_bounces_give_addresses_and_identities(corpora: Path) -> None:
    """Floors. Of 315 files 9 return nothing, and 6 name nobody; 278 carry a Message-ID of what came back."""
    drafts = [incoming.parse(file.read_bytes()) for file in (corpora / "mail" / "sisimai-bounces").glob("*.eml")]
    assert [draft.subject for draft in drafts if draft.may_open or not draft.machine] == []
    returns = [draft.returns for draft in drafts]
    assert sum(any(one.address for one in found) for found in returns) >= 300
    assert sum(any(one.identity for one in found) for found in returns) >= 275
    vacations = (corpora / "mail" / "sisimai-bounces").glob("rfc3834-*.eml")
    assert [found for file in vacations if (found := incoming.parse(file.read_bytes()).returns)] == []


_LINES = [
    *("Final-Recipient: rfc822;a@b.example", "Action: failed", "Status: 5.1.1", "", "--b", "550 5.1.1 <a@b.example>"),
    *("Content-Type: message/delivery-status", "Content-Type: message/feedback-report", "Message-ID: <a@b.example>"),
    *("Feedback-Type: abuse", " folded", "Original-Recipient: ;;;<", "Content-Type: message/rfc822", "\x00", "Action:"),
]


@given(st.lists(st.sampled_from(_LINES) | st.text(max_size=10), max_size=20))
@settings(max_examples=150, deadline=None)
def test_whatever_comes_back_is_read(lines: list[str]) -> None:
    draft = incoming.parse((HEAD + REPORT + "\n".join(lines)).encode())
    assert len(draft.returns) <= 50
    for found in draft.returns:
        assert found.kind in ("bounce", "delay", "complaint")
        assert "\n" not in found.address
