"""DKIM: what we sign is found whole by whoever looks, with the key that the DNS would tell them."""

import base64
import subprocess
from typing import Any

import dkim
import pytest
from helpdesk_email import channel
from helpdesk_email.settings import EmailSettings, OutgoingSettings

from helpdesk.api import OutgoingMessage


@pytest.fixture(scope="module")
def key(openssl: str) -> str:
    words = [openssl, "genrsa", "2048"]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def dns(openssl: str, key: str) -> Any:
    """What the DNS says, in place of the DNS."""
    words = [openssl, "rsa", "-pubout", "-outform", "DER"]
    public = subprocess.run(words, check=True, capture_output=True, input=key.encode()).stdout
    records = {b"s1._domainkey.desk.example.": b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)}

    def ask(name: Any, timeout: int = 5) -> bytes | None:
        return records.get(name if isinstance(name, bytes) else str(name).encode())

    return ask


@pytest.fixture
def given(app: Any, serve: Any, configure: Any) -> Any:
    """A server that mail leaves by; what it was given."""
    server, handler = serve({"enable_SMTPUTF8": True})
    configure(EmailSettings, address="help@desk.example", smtp_host=server.host, smtp_port=server.port)
    configure(EmailSettings, smtp_security="none")
    return handler.envelopes


def message(**values: Any) -> OutgoingMessage:
    plain = {"kind": "care", "identity": "m1@desk.example", "address": "anna@customer.example", "name": "Ännä"}
    text = "\n".join([".", "From here", "", "x" * 2000, "  spaces  ", ""])
    words = {"locale": "en", "subject": "Über " * 30, "text": text, "unsubscribe": f"https://desk.example/{'u' * 90}"}
    return OutgoingMessage(**{**plain, **words, **values})


@pytest.mark.parametrize("one_line", [False, True], ids=["as it is", "on one line"])
def test_a_signature_is_found_whole(given: Any, configure: Any, key: str, dns: Any, one_line: bool) -> None:
    pasted = key.strip().replace("\n", "\\n") if one_line else key.replace("\n", "\r\n")
    configure(OutgoingSettings, dkim_domain="desk.example", dkim_selector="s1", dkim_key=pasted)
    channel.send(message())
    content = given[0].content
    assert dkim.verify(content, dnsfunc=dns)
    head = b" ".join(content.partition(b"\r\nFrom:")[0].split()).decode().replace(" ", "").lower()
    assert "c=relaxed/relaxed" in head and "d=desk.example" in head
    for name in (
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "reply-to",
        "list-unsubscribe",
        "list-unsubscribe-post",
    ):
        assert name in head.partition("h=")[2].partition(";")[0].split(":"), name
    assert not dkim.verify(content.replace(b"anna@customer", b"eve@customer", 1), dnsfunc=dns)
    assert not dkim.verify(b"From: eve@desk.example\r\n" + content, dnsfunc=dns), "a second sender"


def test_letters_outside_ascii_are_signed_as_they_travel(given: Any, configure: Any, key: str, dns: Any) -> None:
    configure(OutgoingSettings, dkim_domain="desk.example", dkim_selector="s1", dkim_key=key)
    channel.send(message(address="jörg@customer.example"))
    assert "jörg@customer.example".encode() in given[0].content
    assert dkim.verify(given[0].content, dnsfunc=dns)


def test_without_a_domain_nothing_is_signed(given: Any, configure: Any, key: str) -> None:
    configure(OutgoingSettings, dkim_selector="s1", dkim_key=key)
    channel.send(message())
    assert b"DKIM-Signature" not in given[0].content


def test_a_key_that_cannot_be_read_stops_no_mail(given: Any, configure: Any, caplog: Any) -> None:
    canary = "canary-71"
    configure(OutgoingSettings, dkim_domain="desk.example", dkim_selector="s1", dkim_key=canary)
    channel.send(message())
    assert len(given) == 1 and b"DKIM-Signature" not in given[0].content
    assert "without a DKIM signature" in caplog.text and canary not in caplog.text
