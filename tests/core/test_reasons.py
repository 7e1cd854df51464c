"""Why an item went where it did, in words."""

from typing import Any

import pytest

from helpdesk.core.events import reasons
from helpdesk.core.i18n import speaking

# The codes with a number, and the rest.
NUMBERED = (
    "foreign_token mentions closed new_subject copy held_sender held_staff held_switch returned delayed complaint"
).split()
PLAIN = (
    "reply_token reference plugin unknown_token disproved accepted blocked no_sender machine auto-submitted "
    "null-sender report precedence list response-suppressed robot-header robot-address subject bounce own hops "
    "breaker answered old unknown_return returned delayed complaint"
).split()


@pytest.mark.parametrize("code", [*(f"{kind}:1042" for kind in NUMBERED), *PLAIN])
def test_every_code_has_words(app: Any, code: str) -> None:
    text = reasons.reason_text(code)
    assert text != code and "%" not in text and "?" not in text
    assert ("1042" in text) == (":" in code)
    assert reasons.is_held(code) == code.startswith("held_")


@pytest.mark.parametrize(
    "sentence", ["The sender is blocked; write to us.", "closed:soon", "ValueError: 100 % wrong", "", "list;of things"]
)
def test_a_sentence_stays_as_it_is(app: Any, sentence: str) -> None:
    assert reasons.reason_text(sentence) == sentence


@pytest.mark.parametrize(
    ("outcome", "ticket", "reason", "sentence"),
    [
        ("message", 1042, "reply_token", "Joined #1042 by its signed reply address"),
        ("message", 1042, "reference", "Joined #1042, as it answers a message that we sent"),
        (
            "message",
            1042,
            "reply_token;accepted",
            "Joined #1042 by its signed reply address: a person let it in, though nothing proves its sender",
        ),
        ("message", 1042, "reply_token\nIt is odd.", "Joined #1042 by its signed reply address: It is odd."),
        ("ticket", 1043, "It is odd; very.", "Opened #1043: It is odd; very."),
        ("ticket", 1043, "closed:1042\nIt is odd; very.", "Opened #1043: ticket #1042 is closed; It is odd; very."),
        ("ticket", 1043, "closed:7\nIt is odd.\n100 % so", "Opened #1043: ticket #7 is closed; It is odd.; 100 % so"),
        ("quarantined", None, "Too deep.\nIt is odd.", "Held for a person: Too deep.\nIt is odd."),
        ("ticket", 1043, "", "Opened #1043"),
        ("ticket", 1043, "closed:1042", "Opened #1043: ticket #1042 is closed"),
        ("ignored", None, "list", "Ignored: mail of a list"),
        ("quarantined", None, "It is nested too deeply.", "Held for a person: It is nested too deeply."),
        (None, None, "", ""),
    ],
)
def test_a_decision_is_a_sentence(app: Any, outcome: str | None, ticket: int, reason: str, sentence: str) -> None:
    assert reasons.decision_text(outcome, ticket, reason) == sentence


def test_the_words_are_the_readers(app: Any) -> None:
    with speaking("en"):
        english = reasons.reason_text("list")
    with speaking("zh_Hans"):
        assert reasons.reason_text("list") != english
