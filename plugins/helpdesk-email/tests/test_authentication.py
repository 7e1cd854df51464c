"""Whether a sender is proved, by the word of a trusted server."""

import pytest
from helpdesk_email.authentication import verdict, verdict_of_exchange
from hypothesis import given, settings
from hypothesis import strategies as st

SENDER = "anna@mail.customer.example"
TRUSTED = {"mx.desk.example"}


def _verdict(*results: str, sender: str = SENDER, origin: list[str] | None = None) -> bool | None:
    headers = {"from": origin or [f"Anna <{sender}>"], "authentication-results": list(results)}
    return verdict(headers, sender, TRUSTED)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("mx.desk.example; dmarc=pass header.from=mail.customer.example", True),
        ("mx.desk.example; dmarc=pass (p=reject dis=none) header.from=customer.example", True),
        ("MX.desk.example 1; spf=fail smtp.mailfrom=x@y.example; dmarc = pass", True),
        (
            "mx.desk.example; dkim=pass header.i=@customer.example header.s=s1 header.b=Ab/+=; spf=pass"
            " (mx.desk.example: domain of a@customer.example designates 192.0.2.1 as permitted sender)"
            " smtp.mailfrom=a@customer.example; dmarc=pass (p=NONE dis=NONE) header.from=customer.example",
            True,
        ),
        ("mx.desk.example; dmarc=fail; dkim=pass header.d=customer.example", False),
        ("mx.desk.example; dkim=pass header.d=customer.example", True),
        ("mx.desk.example; dkim=pass header.i=@mail.customer.example header.b=ab==", True),
        ("mx.desk.example; dmarc=none; spf=pass smtp.mailfrom=bounce@mail.customer.example", True),
        ("mx.desk.example; dkim=pass header.d=evil.example; spf=pass smtp.mailfrom=a@evil.example", None),
        ("mx.desk.example; dkim=pass header.d=example", None),
        ("mx.desk.example; dkim=pass header.d=omer.example", None),
        ("mx.desk.example; spf=pass smtp.mailfrom=customer.example", None),
        ("mx.desk.example; dkim=fail header.d=customer.example", None),
        ("mx.desk.example; dmarc=pass header.from=evil.example", None),
        ("mx.desk.example; none", None),
        ("other.example; dmarc=pass", None),
        ("mx.desk.example.evil.example; dmarc=pass", None),
        ("dmarc=pass; mx.desk.example", None),
        ("", None),
    ],
)
def test_a_trusted_server_is_believed(results: str, expected: bool | None) -> None:
    assert _verdict(results) is expected


@pytest.mark.parametrize(
    "results",
    [
        "mx.desk.example; spf=none (said; dmarc=pass)",
        "mx.desk.example; spf=none (a (b) ; dmarc=pass)",
        'mx.desk.example; spf=none (domain of "x); dmarc=pass (y"@evil.example)',
        "mx.desk.example; spf=none (domain of x\\); dmarc=pass (y)",
        'mx.desk.example; spf=none smtp.mailfrom="x; dmarc=pass "@evil.example',
        'mx.desk.example; spf=none smtp.mailfrom="x\\"; dmarc=pass "@evil.example',
        "mx.desk.example; spf=none reason=(; dmarc=pass",
        'mx.desk.example; spf=none reason="; dmarc=pass',
        "mx.desk.example; spf=none x) ; dmarc=pass",
        "mx.desk.example; dmarc=pass; dmarc=none",
        "mx.desk.example; dkim=pass header.d=evil.example header.d=customer.example",
        'mx.desk.example; spf=pass smtp.mailfrom="a@mail.customer.example"@evil.example',
        "mx.desk.example; spf=none smtp.mailfrom==?utf-8?q?=3B_dmarc=3Dpass?=@evil.example",
    ],
)
def test_words_of_the_mail_inside_the_header_prove_nothing(results: str) -> None:
    assert _verdict(results) is None


def test_a_header_below_proves_nothing_but_may_disprove() -> None:
    passed, failed = "mx.desk.example; dmarc=pass", "mx.desk.example; dmarc=fail"
    assert _verdict("other.example; spf=none", passed) is None
    assert _verdict("mx.desk.example; spf=none", passed) is None
    assert _verdict("mx.desk.example; spf=pass smtp.mailfrom=mail.customer.example", failed) is False
    assert _verdict(failed, passed) is False
    assert _verdict(passed, failed) is True


PASSED = "spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=customer.example; dkim=none; dmarc=pass action=none"


@pytest.mark.parametrize(
    ("authas", "results", "sender", "expected"),
    [
        # Mail within the organization, where Exchange checks who has signed in.
        (["Internal"], [], "mia@desk.example", True),
        (["Internal"], [f"{PASSED} header.from=customer.example"], SENDER, None),
        (["Internal", "Internal"], [], "mia@desk.example", None),
        # Mail from outside: what Exchange noted, without a name.
        (["Anonymous"], [f"{PASSED} header.from=customer.example;compauth=pass reason=100"], SENDER, True),
        (["Anonymous"], ["spf=fail; dmarc=fail action=quarantine header.from=customer.example"], SENDER, False),
        (["Anonymous"], ["spf=pass smtp.mailfrom=elsewhere.example; dmarc=none"], SENDER, None),
        (["Anonymous"], ["mx.customer.example; dmarc=pass"], SENDER, None),
        (["Anonymous"], ["spf=none; dmarc=none", f"{PASSED} header.from=customer.example"], SENDER, None),
        (["Anonymous"], [], SENDER, None),
        # Without its own header it was not Exchange.
        ([], [f"{PASSED} header.from=customer.example"], SENDER, None),
        ([], [], "mia@desk.example", None),
    ],
)
def test_what_exchange_says_of_a_sender(
    authas: list[str], results: list[str], sender: str, expected: bool | None
) -> None:
    headers = {"from": [sender], "x-ms-exchange-organization-authas": authas, "authentication-results": results}
    assert verdict_of_exchange(headers, sender, "help@desk.example") is expected


def test_several_senders_are_disproved() -> None:
    passed = "mx.desk.example; dmarc=pass"
    assert _verdict(passed, origin=[SENDER, "boss@desk.example"]) is False
    assert _verdict(passed, origin=[f"boss@desk.example, <{SENDER}>"]) is False
    assert _verdict(passed, origin=[f'"boss@desk.example" <{SENDER}>']) is True


def test_without_headers_or_trust_nobody_tells() -> None:
    assert verdict({}, SENDER, TRUSTED) is None
    assert verdict({"authentication-results": ["mx.desk.example; dmarc=pass"]}, SENDER, ()) is None
    assert _verdict("mx.desk.example; dmarc=pass", sender="", origin=[""]) is None


@given(st.text(alphabet='ab=; ()"\\.@\ue000mx', max_size=60))
@settings(max_examples=100, deadline=None)
def test_whatever_stands_there_is_read(value: str) -> None:
    assert _verdict(f"mx.desk.example; {value}") in (True, False, None)
