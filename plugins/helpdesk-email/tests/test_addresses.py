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
        ('"anna berg"@b.example', [("", '"anna berg"@b.example')]),
        ('"boss@ours.example"@b.example', [("", '"boss@ours.example"@b.example')]),
        ("", []),
    ],
)
def test_mailboxes_are_read(header: str, expected: list[tuple[str, str]]) -> None:
    assert addresses.parse(header) == [Address(*pair) for pair in expected]


def test_a_name_in_front_is_not_taken_for_the_sender() -> None:
    found, several = addresses.sender("boss@ours.example, <other@elsewhere.example>")
    assert found == Address("", "other@elsewhere.example")
    assert several


def test_an_address_as_a_name_is_neither_sender_nor_name() -> None:
    found, several = addresses.sender('"boss@ours.example" <other@elsewhere.example>')
    assert found == Address("", "other@elsewhere.example")
    assert not several


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("'Anna Berg'", "Anna Berg"),
        ("Anna Berg via Help Desk", "Anna Berg"),
        ("'Anna' via Support", "Anna"),
        ("Via Roma", "Via Roma"),
        ("J=C3=B6rg", "Jörg"),
        ("=?utf-8?Q?J=C3=B6rg_M", "Jörg M"),
        ("A=B Ltd", "A=B Ltd"),
        ("anna@shop.example", ""),
        ("Anna (anna@shop.example)", "Anna"),
        ("\u202eanna\u200b", "anna"),
        ("می\u200cخواهم", "می\u200cخواهم"),
    ],
)
def test_names_are_shown_as_people_write_them(name: str, shown: str) -> None:
    assert addresses.shown_name(name) == shown


def test_of_several_the_one_in_sender_counts() -> None:
    found, several = addresses.sender("a@b.example, c@d.example", "c@d.example")
    assert found == Address("", "c@d.example")
    assert several


def test_an_address_carries_no_line_break() -> None:
    assert addresses.normal("a@b.example\r\nBcc: c@d.example") is None


def test_no_more_than_the_limit_is_read() -> None:
    assert len(addresses.parse(", ".join(f"u{number}@b.example" for number in range(5_000)))) == 500


@pytest.mark.parametrize(
    "address",
    [
        *("anna@b.example", "a.b+c@b.example", "anna@b", "anna@123.b.example", "anna@under_score", "张伟@例子.广告"),
        *(
            '"a b"@b.example',
            '"a@b"@c.example',
            '"a\\"b"@c.example',
            "!#$%&'*+-/=?^_`{|}~@b.example",
            f"{'a' * 64}@b.example",
        ),
    ],
)
def test_addresses_that_mail_may_be_written_to(address: str) -> None:
    assert addresses.valid(address)
    assert [found.email for found in addresses.parse(address)] == [address]


@pytest.mark.parametrize(
    "address",
    [
        *(
            "",
            "anna",
            "@b.example",
            "anna@",
            "a@b@c.example",
            "a b@c.example",
            "a..b@c.example",
            ".a@c.example",
            "a.@c.example",
        ),
        *(
            "a@-b.example",
            "a@b-.example",
            "a@b..example",
            "a@b.example.",
            f"a@{'b' * 64}.example",
            f"{'a' * 65}@b.example",
        ),
        *(
            '"a"b"@c.example',
            '"a\\"@c.example',
            "a\\b@c.example",
            "a(b)c@d.example",
            "a@[127.0.0.1]",
            "a@b.example\nBcc: c@d",
        ),
    ],
)
def test_addresses_that_no_mail_may_be_written_to(address: str) -> None:
    assert not addresses.valid(address)
