"""Automatic answers: to people, once a day, and never in a circle."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.core import links
from helpdesk.core.channels import automatic, intake
from helpdesk.core.clock import now
from helpdesk.core.drafts import IntakeDraft
from helpdesk.core.events.reasons import decision_text
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Intake, Ticket
from tests.core.conftest import Post


def notices() -> int:
    return db.session.scalar(select(func.count(Delivery.id)).where(Delivery.kind == "notice")) or 0


@pytest.mark.db
def test_a_person_gets_one_a_day(post: Post, travel: Any) -> None:
    post.draft |= {"notice": True, "notice_text": "We are closed."}
    post.receive()
    assert db.session.scalars(select(Delivery.data)).one() == {"text": "We are closed."}
    travel(hours=3)
    post.receive()
    assert notices() == 1 and post.receive(sender_address="other@post.example").outcome == "ticket"
    assert notices() == 2
    travel(hours=22)
    post.receive()
    assert notices() == 3


@pytest.mark.db
def test_several_workers_send_one(post: Post, at_once: Any) -> None:
    post.draft["notice"] = True
    numbers = [intake.store("post", str(number).encode()).id for number in range(4)]
    at_once(4, lambda place: intake.process(numbers[place]))
    assert db.session.scalar(select(func.count(Ticket.id))) == 4 and notices() == 1


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        ({}, ""),
        ({"machine": True}, "machine"),
        ({"verified": False}, "disproved"),
        ({"sender_address": "No-Reply@shop.example"}, "robot-address"),
        ({"sender_address": "MAILER-DAEMON@shop.example"}, "robot-address"),
        ({"sender_address": "bounces+tom=post.example@shop.example"}, "robot-address"),
        ({"sender_address": "help@desk.example"}, "own"),
        ({"sender_address": "sales@desk.example"}, "own"),
        ({"sender_address": "normann@shop.example"}, ""),
    ],
)
def test_robots_and_ourselves_get_none(post: Post, draft: dict[str, Any], reason: str) -> None:
    intake.receive("post", b"earlier", account="sales@desk.example")
    item = IntakeDraft("post", "ann@post.example", account="help@desk.example", notice=True)
    for name, value in draft.items():
        setattr(item, name, value)
    assert automatic.may_answer([(item, item.sender_address)]) == [reason]
    post.receive(account="help@desk.example", notice=True, **{"sender_address": "ann@post.example"} | draft)
    assert notices() == (0 if reason else 1)


@pytest.mark.parametrize(("hours", "answers"), [(25, 0), (23, 1), (-48, 1)])
def test_old_mail_is_taken_in_and_not_answered(post: Post, hours: int, answers: int) -> None:
    """A first look into an old mailbox writes to nobody; a clock that is fast counts as now."""
    outcome = post.receive(notice=True, sent_at=now() - timedelta(hours=hours))
    assert outcome.outcome == "ticket" and notices() == answers


def test_none_when_nobody_wants_it_or_it_joins(post: Post) -> None:
    ticket = db.session.get_one(Ticket, post.receive().ticket_id)
    post.receive(notice=True, reply_tokens=[links.token(links.REPLY, ticket, ticket.requester)])
    assert notices() == 0


def test_a_flood_is_taken_in_and_not_answered(post: Post, travel: Any) -> None:
    outcomes = [post.receive() for _number in range(automatic.BREAKER)]
    flooded = post.receive(notice=True)
    assert {outcome.outcome for outcome in [*outcomes, flooded]} == {"ticket"} and notices() == 0
    assert flooded.reason == "breaker"
    item = db.session.get_one(Intake, flooded.intake_id)
    assert "no automatic answer" in decision_text(item.outcome, item.ticket_id, item.reason)
    travel(minutes=11)
    assert post.receive(notice=True).reason == "" and notices() == 1


def test_a_message_of_ours_that_comes_back_is_ignored(post: Post, make_ticket: Any) -> None:
    make_ticket(notice=True)
    identity = db.session.scalars(select(Delivery.identity)).one()
    outcome = post.receive(external_id=identity, references=[identity], notice=True)
    assert (outcome.outcome, outcome.reason, notices()) == ("ignored", "own", 1)


def test_what_bears_our_own_mark_is_ignored(post: Post) -> None:
    post.draft["account"] = "help@desk.example"
    assert post.receive(headers={"x-loop": ["list@post.example"]}).outcome == "ticket"
    assert post.receive(headers={"x-loop": ["x", " Help@Desk.example "]}).reason == "own"


def test_what_went_through_too_many_servers_is_ignored(post: Post) -> None:
    assert post.receive(headers={"received": ["from x"] * 50}).outcome == "ticket"
    outcome = post.receive(headers={"received": ["from x"] * 51})
    assert (outcome.outcome, outcome.reason) == ("ignored", "hops")
