"""Outgoing mail: whatever people write, its structure stays."""

import email
import email.policy
from datetime import UTC, datetime
from typing import Any

import pytest
from helpdesk_email import outgoing
from helpdesk_email.outgoing import Letter, OutgoingFile
from hypothesis import given, settings
from hypothesis import strategies as st

MOMENT = datetime(2026, 2, 2, 10, 15, tzinfo=UTC)


def _letter(**values: Any) -> Letter:
    plain: dict[str, Any] = {
        "sender": ("Shop", "help@shop.example"),
        "recipient": ("Anna", "anna@customer.example"),
        "subject": "Your order",
        "text": "Hello",
        "html": "<p>Hello</p>",
        "message_id": "m1@shop.example",
        "date": MOMENT,
    }
    return Letter(**{**plain, **values})


def _sent(letter: Letter) -> Any:
    """What arrives, read by the strictest parser there is."""
    return email.message_from_bytes(outgoing.build(letter).as_bytes(), policy=email.policy.default)


def test_a_letter_arrives_as_it_was_written() -> None:
    mail = _sent(
        _letter(
            sender=("绿色商店", "help@shop.example"),
            subject="您的订单 ÄÖÜ",
            text="您好\n.\nFrom here",
            html="<p>您好</p>",
            reply_to=("Shop", "help+1-2-abc@shop.example"),
            in_reply_to="c1@customer.example",
            references=["c0@customer.example", "c1@customer.example"],
        )
    )
    assert mail["From"].addresses[0].display_name == "绿色商店"
    assert mail["Subject"] == "您的订单 ÄÖÜ"
    assert mail["Reply-To"].addresses[0].addr_spec == "help+1-2-abc@shop.example"
    assert mail["Message-ID"] == "<m1@shop.example>"
    assert mail["In-Reply-To"] == "<c1@customer.example>"
    assert mail["References"] == "<c0@customer.example> <c1@customer.example>"
    assert mail["Auto-Submitted"] is None
    assert mail.get_body(("plain",)).get_content().splitlines() == ["您好", ".", "From here"]
    assert mail.get_body(("html",)).get_content().strip() == "<p>您好</p>"


def test_long_message_ids_are_never_encoded() -> None:
    identity = "x" * 200 + "@shop.example"
    raw = outgoing.build(_letter(message_id=identity, references=[identity] * 8)).as_bytes()
    assert raw.count(f"<{identity}>".encode()) == 9
    assert max(len(line) for line in raw.split(b"\r\n")) < 998


def test_automatic_mail_says_so() -> None:
    mail = _sent(_letter(auto_submitted="auto-replied"))
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"


def test_pictures_stand_in_the_text_and_files_beside_it() -> None:
    mail = _sent(
        _letter(
            html='<img src="cid:p@q">',
            files=[
                OutgoingFile("p.png", "image/png", b"PNG", "p@q"),
                OutgoingFile("订单.pdf", "application/pdf", b"%PDF", "unused@q"),
                OutgoingFile("old.eml", "message/rfc822", b"From: x\n\ny"),
            ],
        )
    )
    related = next(part for part in mail.walk() if part.get_content_type() == "multipart/related")
    assert [part["Content-ID"] for part in related.iter_parts()][1:] == ["<p@q>"]
    files = {part.get_filename(): part.get_content() for part in mail.iter_attachments()}
    assert files == {"订单.pdf": b"%PDF", "old.eml": b"From: x\n\ny"}


@pytest.mark.parametrize(
    "address", ["", "anna", "a b@c.example", "a@b@c", "a@b.example\r\nBcc: x@y.z", "a@b.example,c@d.e"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(outgoing.Unusable):
        outgoing.build(_letter(recipient=("", address)))


def test_a_domain_of_any_script_is_written_in_its_ascii_form() -> None:
    assert _sent(_letter(recipient=("", "anna@münchen.example")))["To"] == "anna@xn--mnchen-3ya.example"


def test_a_way_out_is_given_only_where_it_belongs() -> None:
    assert _sent(_letter())["List-Unsubscribe"] is None
    way = f"https://desk.example/unsubscribe/{'1z-' + 'a' * 120}"
    raw = outgoing.build(_letter(unsubscribe=way)).as_bytes()
    assert f"List-Unsubscribe: <{way}>\r\n".encode() in raw, "whole, or no program would know it"
    mail = _sent(_letter(unsubscribe=way))
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    plain = _sent(_letter(unsubscribe="http://desk.example/unsubscribe/x"))
    assert plain["List-Unsubscribe"] and plain["List-Unsubscribe-Post"] is None, "RFC 8058 wants https"


def test_mail_of_ours_is_known_again() -> None:
    assert _sent(_letter(loop="help@shop.example"))["X-Loop"] == "help@shop.example"


_hostile = st.text(max_size=60) | st.sampled_from(
    ["x\r\nBcc: evil@x.example", "x\n\n<script>", "\x00", "\u2028Bcc: y", "=?x"]
)


@given(_hostile, _hostile, _hostile, _hostile, _hostile)
@settings(max_examples=200, deadline=None)
def test_no_text_changes_the_structure(name: str, subject: str, text: str, identity: str, file: str) -> None:
    mail = _sent(
        _letter(
            sender=(name, "help@shop.example"),
            subject=subject,
            text=text,
            html=f"<p>{text}</p>",
            in_reply_to=identity,
            references=[identity, "ok@shop.example"],
            language=name,
            loop=name,
            unsubscribe=subject,
            files=[OutgoingFile(file, file, b"data", identity)],
        )
    )
    assert set(mail.keys()) <= {
        *("From", "To", "Subject", "Date", "Message-ID", "In-Reply-To", "References", "Content-Language"),
        *("MIME-Version", "Content-Type", "X-Loop"),
    }
    assert [address.addr_spec for address in mail["From"].addresses] == ["help@shop.example"]
    assert mail.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in mail.iter_parts()][0] == "multipart/alternative"
    assert len(list(mail.iter_attachments())) == 1


def test_the_language_is_said() -> None:
    assert _sent(_letter(language="zh-Hans"))["Content-Language"] == "zh-Hans"
