"""Addresses in headers."""

import pytest
from helpdesk_email import addresses
from helpdesk_email.addresses import Address


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("a@b.example", [("", "a@b.example")]),
        ("Anna <a@B.Example>", [("Anna", "a@b.example")]),
        ('"Berg, Anna" <a@b.example>, c@d.example', [("Berg, Anna", "a@b.example"), ("", "c@d.example")]),
        ("a@b.example (Anna Berg)", [("Anna Berg", "a@b.example")]),
        ("=?utf-8?b?5byg5Lyf?= <z@b.example>", [("张伟", "z@b.example")]),
        ("=?utf-8?q?Berg=2C_Anna?= <a@b.example>", [("Berg, Anna", "a@b.example")]),
        ("Friends: a@b.example, Bo <b@b.example>;", [("", "a@b.example"), ("Bo", "b@b.example")]),
        ("undisclosed-recipients:;", []),
        ("John <jdoe@machine(comment).  example>", [("John", "jdoe@machine.example")]),
        ("Smith, John <j@b.example>", [("John", "j@b.example")]),
        ("a@b.example c@d.example", [("", "a@b.example")]),
        ("Anna <a@b.example", [("Anna", "a@b.example")]),
        ("Anna <>", []),
        ("", []),
    ],
)
def test_mailboxes_are_read(header: str, expected: list[tuple[str, str]]) -> None:
    assert addresses.parse(header) == [Address(*pair) for pair in expected]


def test_a_name_in_front_is_not_taken_for_the_sender() -> None:
    found, several = addresses.sender("boss@ours.example, <other@elsewhere.example>")
    assert found == Address("", "other@elsewhere.example")
    assert several


def test_an_address_as_a_name_is_a_name() -> None:
    found, several = addresses.sender('"boss@ours.example" <other@elsewhere.example>')
    assert found == Address("boss@ours.example", "other@elsewhere.example")
    assert not several


def test_of_several_the_one_in_sender_counts() -> None:
    found, several = addresses.sender("a@b.example, c@d.example", "c@d.example")
    assert found == Address("", "c@d.example")
    assert several


def test_an_address_carries_no_line_break() -> None:
    assert addresses.normal("a@b.example\r\nBcc: c@d.example") is None


def test_no_more_than_the_limit_is_read() -> None:
    assert len(addresses.parse(", ".join(f"u{number}@b.example" for number in range(5_000)))) == 500
