"""What the core gets of a mail: who else it was written to, its headers; and mail that is read apart."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpdesk_email import apart, incoming, limits
from helpdesk_email.parsing import parse

from helpdesk.api import speaking

HEAD = b"From: Anna <anna@customer.example>\r\nSubject: Hello\r\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def test_who_else_was_written_to_is_told_once_and_in_order() -> None:
    raw = (
        b"To: Help <help@desk.example>, 'Bo' <bo@b.example>\r\n"
        b"Cc: BO@b.example, anna@customer.example, =?utf-8?q?J=C3=B6rg?= <joerg@b.example>\r\n\r\nHi"
    )
    assert incoming.parse(HEAD + raw).copies == [
        ("help@desk.example", "Help"),
        ("bo@b.example", "Bo"),
        ("joerg@b.example", "Jörg"),
    ]


def test_headers_are_given_decoded_and_within_bounds() -> None:
    many = b"".join(b"X-%d: y\r\n" % number for number in range(300))
    raw = (
        b"X-Long: " + b"a" * 5_000 + b"\r\n" + many + b"List-Id: <n.b.example>\r\nSubject: =?utf-8?q?=C3=9C?=\r\n\r\nHi"
    )
    headers = incoming.parse(HEAD + raw).headers
    assert headers["subject"] == ["Hello", "Ü"]
    assert headers["list-id"] == ["<n.b.example>"]
    assert len(headers["x-long"][0]) == 2_000
    assert sum(map(len, headers.values())) == 200


def test_a_proof_is_given_as_it_came() -> None:
    forged = "mx.desk.example; spf=none\r\n smtp.mailfrom==?utf-8?q?=3B_dmarc=3Dpass?="
    draft = incoming.parse(HEAD + f"Authentication-Results: {forged}\r\n\r\nHi".encode())
    assert draft.headers["authentication-results"] == [forged.replace("\r\n", "")]


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"X-Long: " + b"a" * 70_000 + b"\r\n\r\nhi",
        HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(1_200)) + b"\r\nhi",
        HEAD + b"To: " + b", ".join(b"u%d@b.example" % number for number in range(5_000)) + b"\r\n\r\nhi",
        HEAD + MIXED + b"--b\r\n\r\nhi\r\n" * 200,
        HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 50 + b"\r\nhi",
        HEAD + b"\r\n" + b"\n" * 700_000,
    ],
    ids=["header", "headers", "recipients", "parts", "nested", "lines"],
)
def test_a_mail_that_may_take_long_is_suspicious_by_its_bytes(raw: bytes) -> None:
    assert apart.suspicious(raw)


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<p>x" * 100_000,
        HEAD + b"\r\n" + b"x" * 300_000,
        HEAD + b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n" + b"x" * 300_000,
        HEAD + MIXED + b"--b\r\nContent-Type: Application/MS-TNEF\r\n\r\nx\r\n--b--",
        HEAD + MIXED + b"--b\r\nContent-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR" + b"\n" * 40_000 + b"--b--",
    ],
    ids=["html", "text", "enclosed", "winmail.dat", "calendar"],
)
def test_a_mail_that_may_take_long_is_suspicious_by_what_is_in_it(raw: bytes) -> None:
    assert not apart.suspicious(raw)
    with pytest.raises(limits.Suspicious):
        parse(raw, careful=True)


def test_a_mail_that_is_read_apart_is_the_same() -> None:
    part = b"--b\r\nContent-Type: image/png; name=x.png\r\nContent-ID: <i@b>\r\n\r\n\x89PNG\xff\r\n"
    raw = HEAD + b"Date: Mon, 2 Feb 2026 10:15:00 +0100\r\nReply-To: a@b.example\r\nCc: c@d.example\r\n" + MIXED
    raw += b"--b\r\n\r\nGr\xc3\xbc\xc3\x9fe\r\n> old\r\n" + part + b"--b--"
    assert apart.read_apart(raw) == parse(raw)
    bounce = b"From: MAILER-DAEMON@b.example\nSubject: failure notice\n\n<a@b.example>:\n550 5.1.1 unknown\n"
    assert apart.read_apart(bounce) == parse(bounce)
    assert parse(bounce).returns


def test_a_mail_that_takes_too_long_is_refused_with_a_sentence() -> None:
    slow = HEAD + b"Message-ID: <m@customer.example>\r\nContent-Type: text/html\r\n\r\n" + b"<p>x&" * 400_000
    mail = apart.read_apart(slow, seconds=0.05)
    assert mail.refused == "The message could not be read within 8 seconds."
    assert (mail.subject, mail.message_id) == ("Hello", "m@customer.example")
    assert mail.sender is not None


@pytest.fixture
def anew() -> Iterator[None]:
    """The process that reads suspicious mail begins in the test, and ends with it."""
    apart.stop()
    yield
    apart.stop()


@pytest.mark.usefixtures("anew")
def test_a_child_that_breaks_down_refuses_the_mail(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import os\nos._exit(3)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    draft = incoming.parse(HEAD + MIXED + b"--b\r\n\r\nhi\r\n" * 200)
    assert draft.refused == "The message could not be read: the process that reads it did not begin."
    assert draft.sender_address == "anna@customer.example"


@pytest.mark.usefixtures("anew")
def test_a_process_that_is_gone_is_begun_again() -> None:
    raw = HEAD + MIXED + b"--b\r\n\r\nhi\r\n" * 200
    before = incoming.parse(raw)
    assert apart._nursery._process is not None
    apart._nursery._process.kill()
    assert incoming.parse(raw) == before
    assert before.text.startswith("hi")


@pytest.mark.usefixtures("anew")
def test_the_child_knows_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    lines = f"import os\nopen({str(seen)!r}, 'w').write('\\n'.join(os.environ))\n"
    (tmp_path / "sitecustomize.py").write_text(lines)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("HELPDESK_SECRET_KEY", "canary")
    apart.read_apart(HEAD + b"\r\nhi")
    assert "HELPDESK_SECRET_KEY" in os.environ
    assert "PATH" in seen.read_text()
    assert "HELPDESK" not in seen.read_text()


CALENDAR = (
    b"From: Anna <anna@customer.example>\nSubject: Hello\nContent-Type: text/calendar; method=REQUEST\n\n"
    b"BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:<b>100 %(x)s</b>\nDTSTART:20260202T100000Z\n"
    b"END:VEVENT\nEND:VCALENDAR\n"
)
MANY_PARTS = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 600 + b"--b--\n"


@pytest.mark.parametrize("raw", [CALENDAR, MANY_PARTS], ids=["in the text", "beside it"])
def test_what_is_said_of_a_mail_read_apart_is_said_in_our_language(app: Any, raw: bytes) -> None:
    with speaking("zh_Hans"):
        found = apart.read_apart(raw)
        assert found == parse(raw)
        told = f"{found.text} {' '.join(found.problems)}"
        assert any(word in told for word in ("邀请", "部分"))
    assert apart.read_apart(raw) == parse(raw)


def test_no_mail_has_a_mark_of_its_own() -> None:
    raw = HEAD + b"\n" + b"0" * 32 + b"n0n\n"
    assert apart.read_apart(raw).text == "0" * 32 + "n0n"
