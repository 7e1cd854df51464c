"""Raw mails become plain data."""

import hashlib
import json
from datetime import UTC, datetime

import pytest
from helpdesk_email.parsing import parse

SIMPLE = (
    b"From: =?utf-8?b?5byg5Lyf?= <zhang@customer.example>\r\n"
    b"To: Help <help+1-2-abcdefghijklmnopqrstuvwxyz@desk.example>, b@desk.example\r\n"
    b"Cc: c@customer.example\r\n"
    b"Delivered-To: help@desk.example\r\n"
    b"Subject: =?gb2312?B?tqm1pQ==?= =?gb2312?B?09DOyszi?=\r\n"
    b"Date: Mon, 2 Feb 2026 10:15:00 +0800\r\n"
    b"Message-ID: <m1@customer.example>\r\n"
    b"In-Reply-To: <a@desk.example>\r\n"
    b"References: <z@desk.example>\r\n <a@desk.example>\r\n"
    b"Content-Type: text/plain; charset=gb2312\r\n"
    b"\r\n"
)


def test_a_mail_is_read() -> None:
    mail = parse(SIMPLE + "您好\r\n\r\n> 旧的\r\n".encode("gbk"))
    assert mail.subject == "订单有问题"
    assert mail.sender is not None
    assert mail.sender.as_json() == {"name": "张伟", "email": "zhang@customer.example"}
    assert mail.date == datetime(2026, 2, 2, 2, 15, tzinfo=UTC)
    assert mail.message_id == "m1@customer.example"
    assert mail.in_reply_to == "a@desk.example"
    assert mail.references == ["z@desk.example", "a@desk.example"]
    assert mail.recipients[0] == "help@desk.example"
    assert "help+1-2-abcdefghijklmnopqrstuvwxyz@desk.example" in mail.recipients
    assert (mail.text, mail.quoted) == ("您好", "> 旧的")
    assert (mail.machine, mail.problems, mail.refused) == (False, [], None)


def test_the_shape_for_other_programs_is_fixed() -> None:
    found = json.loads(json.dumps(parse(SIMPLE + b"Hi").as_json()))
    assert set(found) == {
        *("subject", "from", "reply_to", "to", "cc", "date", "message_id", "in_reply_to", "references", "machine"),
        *("text", "quoted", "html", "attachments", "problems"),
    }
    assert found["cc"] == [{"name": "", "email": "c@customer.example"}]
    assert found["date"] == "2026-02-02T02:15:00+00:00"


def test_raw_eight_bit_headers_are_read_in_the_set_of_the_body() -> None:
    raw = b"From: a@b.example\r\nSubject: " + "订单问题".encode("gbk")
    assert parse(raw + b"\r\nContent-Type: text/plain; charset=gbk\r\n\r\nx").subject == "订单问题"


def test_files_and_inline_pictures_are_found() -> None:
    raw = (
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=m\n\n"
        b"--m\nContent-Type: multipart/related; boundary=r\n\n"
        b'--r\nContent-Type: text/html\n\n<p>See <img src="cid:p@q" alt="it"> <img src="http://t.example/x"></p>\n'
        b"--r\nContent-Type: image/png\nContent-ID: <p@q>\nContent-Transfer-Encoding: base64\n\niVBORw0K\n--r--\n"
        b"--m\nContent-Type: application/pdf; name*0*=utf-8''%E8%AE%A2; name*1*=%E5%8D%95.pdf\n"
        b"Content-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nJVBERg==\n--m--\n"
    )
    mail = parse(raw)
    picture, document = mail.attachments
    assert (picture.content_id, picture.inline, picture.content_type) == ("p@q", True, "image/png")
    assert (document.name, document.data, document.inline) == ("订单.pdf", b"%PDF", False)
    assert document.sha256 == hashlib.sha256(b"%PDF").hexdigest()
    assert 'src="cid:p@q"' in mail.html
    assert "t.example" not in mail.html
    assert mail.text == "See [it]"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ('attachment; filename="a\u202ecod.exe"', "acod.exe"),
        ('attachment; filename="\u200b.htaccess"', "htaccess"),
        ("attachment; filename==?utf-8?b?6K6i5Y2VLnBkZg==?=", "订单.pdf"),
        ("attachment; filename*=utf-8''%e2%82%ac.txt", "€.txt"),
        ('attachment; filename="=?utf-8?q?=E8=AE=A2?=\r\n =?utf-8?q?=E5=8D=95=2Epdf?="', "订单.pdf"),
        ('attachment; filename="%E8%AE%A2%E5%8D%95.pdf"', "订单.pdf"),
        ('attachment; filename="100%.pdf"', "100%.pdf"),
        ("attachment; filename=\"??.pdf\"; filename*=UTF-8''%E8%AE%A2%E5%8D%95.pdf", "订单.pdf"),
        ("attachment; filename*=%E8%AE%A2%E5%8D%95.pdf", "订单.pdf"),
        ("attachment; filename*0=a; filename*1*=%C3%BC.pdf", "aü.pdf"),
        ("attachment; filename*=utf-8''%zz%.pdf", "%zz%.pdf"),
        ("attachment; filename=my offer.pdf", "my offer.pdf"),
        (f"attachment; filename={'x' * 500}.pdf", "x" * 116 + ".pdf"),
        ('attachment; filename=""', "attachment.pdf"),
    ],
)
def test_file_names_are_safe(header: str, name: str) -> None:
    raw = f"From: a@b.example\nContent-Type: application/pdf\nContent-Disposition: {header}\n\nx".encode()
    assert parse(raw).attachments[0].name == name


def test_a_mail_with_html_only_has_text_and_cut_quotes() -> None:
    html = '<p>Thanks!</p><p>Anna</p><div class="gmail_quote">On Monday Shop wrote:<blockquote>old</blockquote></div>'
    mail = parse(f"From: a@b.example\nContent-Type: text/html\n\n{html}".encode())
    assert mail.text == "Thanks!\n\nAnna"
    assert "old" in mail.quoted
    assert mail.html == "<p>Thanks!</p><p>Anna</p>"


def test_text_that_flows_is_put_together() -> None:
    raw = b"From: a@b.example\nContent-Type: text/plain; format=flowed\n\nOne long \nline.\n\n> quoted \n"
    assert parse(raw).text == "One long line."


def test_an_enclosed_mail_is_a_file() -> None:
    raw = (
        b"From: a@b.example\nContent-Type: multipart/mixed; boundary=m\n\n--m\n\nSee below\n"
        b"--m\nContent-Type: message/rfc822\n\nFrom: c@d.example\nSubject: Old mail\n\nold words\n--m--\n"
    )
    mail = parse(raw)
    assert mail.text == "See below"
    assert [(file.name, file.content_type) for file in mail.attachments] == [("Old mail.eml", "message/rfc822")]
    assert b"old words" in mail.attachments[0].data


def test_headers_that_are_broken_are_put_right() -> None:
    mail = parse(b"Received: x\nquite Delivered-To: y\nFrom  : a@b.example\nSubject: Still here\n\nbody")
    assert (mail.subject, mail.text) == ("Still here", "body")
    assert mail.sender is not None
    assert mail.sender.email == "a@b.example"


def test_html_with_the_wrong_label_is_html() -> None:
    assert parse(b"From: a@b.example\n\n<html><body><p>Hi</p></body></html>").text == "Hi"


def test_several_senders_are_a_problem() -> None:
    mail = parse(b"From: boss@ours.example, <other@elsewhere.example>\n\nx")
    assert mail.sender is not None
    assert mail.sender.email == "other@elsewhere.example"
    assert mail.problems


@pytest.mark.parametrize(
    ("line", "data"),
    [(b"#0V%T", b"Cat"), (b"#0V%T rubbish", b"Cat"), (b"\xff\x00", b""), (b"M~~~~", b"")],
    ids=["good", "rubbish behind", "bytes", "short"],
)
def test_a_broken_line_of_uuencode_costs_only_itself(line: bytes, data: bytes) -> None:
    head = b"From: a@b.example\nContent-Type: application/x-thing\nContent-Transfer-Encoding: x-uuencode\n\n"
    mail = parse(head + b"begin 644 x\n" + line + b"\n#0V%T\nend\n")
    assert mail.attachments[0].data == data + b"Cat"


def test_an_enclosed_mail_with_a_header_that_cannot_be_written_is_still_a_file() -> None:
    raw = (
        b"From: a@b.example\nContent-Type: message/rfc822\n\n"
        b"DKIM-Signature: v=1;\n h=x\xff-state\rte:mime-version:from;\nSubject: Old\n"
        b"Content-Type: multipart/mixed; boundary=m\n\nbefore\n--m\n\none\n--m\n\ntwo\n--m--\n"
    )
    data = parse(raw).attachments[0].data
    assert b"Subject: Old\n" in data
    assert b"x\xff-state" in data
    inner = parse(b"From: c@d.example\n" + data)
    assert (inner.subject, inner.text) == ("Old", "one\n\ntwo")


@pytest.mark.parametrize("header", ["<p@q>", "p@q", "<p>", " p "])
def test_pictures_are_found_by_identities_of_any_form(header: str) -> None:
    raw = f"From: a@b.example\nContent-Type: image/png\nContent-ID: {header}\n\nx".encode()
    assert parse(raw).attachments[0].content_id == header.strip(" <>")


def _forms(*parts: tuple[str, str]) -> bytes:
    body = "".join(f"--b\nContent-Type: {kind}\n\n{text}\n" for kind, text in parts)
    return f"From: a@b.example\nContent-Type: multipart/alternative; boundary=b\n\n{body}--b--\n".encode()


@pytest.mark.parametrize(
    "parts",
    [
        [("text/plain", "Hi"), ("text/html", "<p>Hi</p>")],
        [("text/plain", "Hi"), ("text/x-amp-html", "<html amp4email>"), ("text/html", "<p>Hi</p>")],
        [("text/html", "<p>Hi</p>"), ("text/plain", "")],
        [("text/plain", "This is an HTML mail."), ("text/html", "<p>Hi</p>")],
    ],
    ids=["two", "three", "empty", "excuse"],
)
def test_one_text_in_several_forms_is_read_once(parts: list[tuple[str, str]]) -> None:
    mail = parse(_forms(*parts))
    assert (mail.text, mail.html, mail.attachments) == ("Hi", "<p>Hi</p>", [])
