"""One message that came by several ways is taken in once; one that only bears its identity is another."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from helpdesk.api import IncomingFile, IntakeDraft
from helpdesk.core.channels import copies, intake
from helpdesk.core.events.reasons import reason_text
from helpdesk.core.extensions import db
from helpdesk.core.models import Intake, Message, Ticket
from tests.core.conftest import Post

IDENTITY = {"external_id": "m1@post.example"}


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def file(data: bytes) -> IncomingFile:
    return IncomingFile("a.txt", "text/plain", data)


@pytest.mark.db
def test_a_message_to_two_of_our_addresses_is_one_ticket(post: Post) -> None:
    first = post.receive(**IDENTITY, files=[file(b"1")])
    second = post.receive(**IDENTITY, files=[file(b"1")], account="sales@desk.example")
    assert (second.outcome, second.reason) == ("ignored", f"copy:{first.intake_id}")
    assert second.ticket_id == first.ticket_id and count(Ticket) == count(Message) == 1
    assert str(first.intake_id) in reason_text(second.reason)


@pytest.mark.db
def test_two_workers_who_act_on_copies_at_once_make_one_ticket(post: Post, at_once: Any) -> None:
    post.draft |= IDENTITY
    numbers = [intake.store("post", str(number).encode()).id for number in range(4)]
    outcomes = at_once(4, lambda place: intake.process(numbers[place]))
    assert sorted(outcome.outcome for outcome in outcomes) == ["ignored", "ignored", "ignored", "ticket"]
    assert {outcome.ticket_id for outcome in outcomes} == {1} and count(Ticket) == 1
    assert count(Intake) == 4


@pytest.mark.parametrize(
    "other",
    [
        {"text": "Other words"},
        {"subject": "Other"},
        {"sender_address": "eve@evil.example"},
        {"files": [file(b"2")]},
        {"html": "<p>Other</p>"},
        {"external_id": "m2@post.example"},
    ],
)
def test_a_message_that_differs_is_another_one(post: Post, other: dict[str, Any]) -> None:
    post.receive(**IDENTITY)
    assert post.receive(**IDENTITY | other).outcome == "ticket"


def test_what_has_no_identity_is_never_a_copy(post: Post) -> None:
    assert [post.receive().outcome, post.receive().outcome] == ["ticket", "ticket"]


def test_only_what_was_taken_in_has_copies(post: Post) -> None:
    post.receive(**IDENTITY, refused="It is nested too deeply.")
    assert post.receive(**IDENTITY).outcome == "ticket"


def test_what_plugins_make_of_a_message_makes_no_other_one(post: Post, plug: Any) -> None:
    seen: list[str] = []

    def before_message_accepted(intake: IntakeDraft) -> None:
        seen.append(intake.subject)
        intake.subject = f"[{len(seen)}] {intake.subject}"

    plug("marker", before_message_accepted=before_message_accepted)
    post.receive(**IDENTITY)
    assert post.receive(**IDENTITY).outcome == "ignored"


TEXT = st.text(max_size=20)
DRAFTS = st.builds(
    IntakeDraft,
    channel=st.just("post"),
    sender_address=TEXT,
    subject=TEXT,
    text=TEXT,
    html=TEXT,
    files=st.lists(st.builds(file, st.binary(max_size=9)), max_size=3),
    external_id=st.none() | TEXT,
)


def content(draft: IntakeDraft) -> tuple[Any, ...]:
    sender = draft.sender_address.strip().lower()
    return (draft.external_id, sender, draft.subject, draft.text, draft.html, *(one.data for one in draft.files))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(DRAFTS, DRAFTS)
def test_fingerprints_are_equal_as_contents_are(first: IntakeDraft, second: IntakeDraft) -> None:
    marks = copies.fingerprint(first), copies.fingerprint(second)
    assert (marks[0] is None) == (not first.external_id)
    assert copies.fingerprint(deepcopy(first)) == marks[0]
    if None not in marks:
        assert (marks[0] == marks[1]) == (content(first) == content(second))
