"""A mail that asks for too much gets what there is, and says so."""

import time

import pytest
from helpdesk_email.parsing import parse
from hypothesis import given, settings
from hypothesis import strategies as st

HEAD = b"From: a@b.example\r\nSubject: Hello\r\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"


def _words(count: int) -> bytes:
    """Encoded words in sets that nobody knows, so that each has to be guessed."""
    return b" ".join(b"=?x%d?b?%s?=" % (number, b"4OHi4+Tl5ufo") for number in range(count))


def _nested(levels: int) -> bytes:
    parts = (
        b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (level, level) for level in range(levels)
    )
    return HEAD + b"".join(parts) + b"Content-Type: text/plain\r\n\r\ndeep\r\n"


def test_a_mail_over_the_size_limit_is_refused_with_its_subject() -> None:
    mail = parse(HEAD + b"\r\n" + b"x" * (35 * 1024 * 1024 + 1))
    assert mail.refused == "The message is larger than 35 MB."
    assert mail.subject == "Hello"
    assert mail.text == ""


def test_nesting_within_the_limit_is_read() -> None:
    mail = parse(_nested(29))
    assert (mail.text, mail.problems) == ("deep", [])


@pytest.mark.parametrize(
    ("raw", "word"),
    [
        (_nested(1_000), "deeper than 30"),
        (HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1_000 + b"\r\nhi", "deeper than 30"),
        (HEAD + MIXED + b"--b\r\n\r\nhi\r\n" * 100_000, "more than 500 parts"),
        (HEAD + b"".join(b"X-%d: y\r\n" % number for number in range(50_000)) + b"\r\nhi", "1000 header lines"),
        (HEAD + b"X-Long: " + b"a" * 1_000_000 + b"\r\n\r\nhi", "“X-Long” is too long"),
        (HEAD + b"To: " + b", ".join(b"u%d@b.example" % n for n in range(2_000)) + b"\r\n\r\nhi", "500 recipients"),
        (HEAD + b"\r\n" + b"x" * (6 * 1024 * 1024), "longer than 5 MB"),
        (HEAD + b'Content-Type: text/plain; a="' + b";" * 60_000 + b"\r\n\r\nhi", "“Content-Type” is too long"),
    ],
    ids=["nested", "enclosed", "parts", "headers", "header", "recipients", "text", "parameters"],
)
def test_over_a_limit_what_fits_is_kept_and_said(raw: bytes, word: str) -> None:
    before = time.process_time()
    mail = parse(raw)
    assert time.process_time() - before < 30
    assert mail.subject == "Hello"
    assert any(word in problem for problem in mail.problems)
    assert mail.refused is None


@pytest.mark.parametrize(
    "raw",
    [
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"!" * 1_000_000,
        HEAD + b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 1_000_000,
        HEAD + b"Content-Transfer-Encoding: uuencode\r\n\r\nbegin 644 x\n" + b"#\n" * 100_000,
        b"From: " + b'"' * 60_000 + b"\r\n\r\nhi",
        b"From: " + b"(" * 60_000 + b"\r\n\r\nhi",
        b"From: a@b.example\r\nSubject: " + b"=?utf-8?q?a?= " * 100_000 + b"\r\n\r\nhi",
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 100_000,
        HEAD + b"\r\n" + b"> x\r\ny\r\n" * 100_000,
        HEAD + MIXED + (b'--b\r\nContent-Type: a/b; name="' + _words(200) + b'"\r\n\r\nx\r\n') * 90,
        HEAD + MIXED + (b"--b\r\nContent-Type: a/b;" + b"a*1=b;" * 1_300 + b"\r\n\r\nx\r\n") * 90,
        HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"!A" * 15_000_000,
        HEAD + b"Content-Type: text/html\r\n\r\n" + b"<p>x&" * 50_000,
        HEAD + b"\r\n" + b"a:\n" * 80_000,
    ],
    ids=[
        *("base64", "printable", "uuencode", "quotes", "comments", "words", "html", "lines", "names", "parameters"),
        *("foreign letters", "paragraphs", "colons"),
    ],
)
def test_hostile_mails_take_seconds_at_most(raw: bytes) -> None:
    before = time.process_time()
    parse(raw)
    assert time.process_time() - before < 30


_LINES = [
    *(
        b"From: a@b.example",
        b"Subject: =?utf-8?q?x",
        b"Content-Type: multipart/mixed; boundary=b",
        b"",
        b"--b",
        b"--b--",
    ),
    *(b"Content-Transfer-Encoding: base64", b"Content-Type: text/html; charset=utf-7", b"AAAA", b"<p>", b"=?x?b?=A?="),
    *(
        b"Content-Type: message/rfc822",
        b"Content-Disposition: attachment; filename*=x''%zz",
        b"Date: never",
        b"\xff\xfe",
    ),
    *(
        b"To: <<>>,;:(",
        b"Message-ID: <",
        b"References: <a> <b",
        b"Content-Type: ;;==",
        b"Content-Type: text/plain;charset",
    ),
    *(
        b"Content-Transfer-Encoding: x-uuencode",
        b"begin 644 x",
        b"#0V%T",
        b"end",
        b"=E4=BD",
        b"> q",
        b"\x1b$B",
        b"\x00",
    ),
]


@given(
    st.lists(st.sampled_from(_LINES) | st.binary(max_size=20), max_size=30).map(b"\r\n".join) | st.binary(max_size=400)
)
@settings(max_examples=500, deadline=None)
def test_whatever_the_bytes_something_comes_out(raw: bytes) -> None:
    found = parse(raw).as_json()
    for text in (found["subject"], found["text"], found["quoted"], found["html"], found["from"]["name"]):
        text.encode("utf-8")
        assert "\x00" not in text
