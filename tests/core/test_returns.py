"""What comes back of our messages lands on their tickets and people, and never opens or answers anything."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.api import Return
from helpdesk.core import workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.events.reasons import reason_text
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Event, Ticket
from tests.core.conftest import Post

# None of the desk's own schedules falls due between two looks.
pytestmark = [pytest.mark.usefixtures("nothing_daily"), pytest.mark.plugins("email")]

TOM = "tom@post.example"
REPORT = {
    "sender_address": "mailer-daemon@post.example",
    "machine": True,
    "machine_reason": "report",
    "may_open": False,
}


@pytest.fixture
def sent(post: Post, mailbox: Any, make_user: Any, run_jobs: Any) -> Delivery:
    """An answer to Tom that has left; its ticket is solved."""
    ticket = db.session.get_one(Ticket, post.receive().ticket_id)
    workflow.reply(ticket, MessageDraft("Bring it in.", status="solved"), make_user("agent"))
    run_jobs()
    post.draft |= REPORT
    delivery = db.session.scalars(select(Delivery)).one()
    assert (delivery.state, ticket.category) == ("sent", "solved")
    return delivery


def report(kind: str, identity: str | None = None, address: str = "", permanent: bool = True) -> dict[str, Any]:
    return {"returns": [Return(kind, address, identity, permanent, "550 no such person")], "notice": True}


def counts() -> tuple[int, int, int]:
    tickets, deliveries = db.session.scalar(select(func.count(Ticket.id))), select(func.count(Delivery.id))
    return tickets or 0, db.session.scalar(deliveries) or 0, db.session.scalar(select(func.count(Event.id))) or 0


@pytest.mark.db
def test_a_bounce_marks_ticket_and_person(post: Post, sent: Delivery) -> None:
    assert sent.ticket is not None and sent.user is not None
    outcome = post.receive(**report("bounce", sent.identity, TOM))
    assert (outcome.outcome, outcome.reason) == ("ignored", f"returned:{sent.ticket_id}")
    assert outcome.ticket_id == sent.ticket_id and "came back" in reason_text(outcome.reason)
    assert (sent.state, sent.error, sent.ticket.category) == ("bounced", "550 no such person", "solved")
    assert sent.user.bounced_at is not None and sent.user.bounce_reason == "550 no such person"
    told = db.session.scalars(select(Event.data).where(Event.kind == "delivery_bounced")).one()
    assert told == {"address": TOM, "reason": "550 no such person"}
    assert counts()[:2] == (1, 1)

    # Told again, nothing new is said.
    before = counts()
    assert post.receive(**report("bounce", sent.identity), text="again").reason == outcome.reason
    assert counts() == before

    # It works again: Tom writes from it.
    person = {"sender_address": TOM, "machine": False, "may_open": True}
    assert post.receive(**person).outcome == "ticket"
    assert (sent.user.bounced_at, sent.user.bounce_reason) == (None, "")


def test_what_may_arrive_later_or_elsewhere_marks_nobody(post: Post, sent: Delivery) -> None:
    assert sent.ticket is not None and sent.user is not None
    for number in range(2):
        outcome = post.receive(**report("delay", sent.identity, permanent=False), text=str(number))
        assert (outcome.outcome, outcome.reason) == ("ignored", f"delayed:{sent.ticket_id}")
    assert (sent.state, sent.user.bounced_at) == ("sent", None)
    assert db.session.scalar(select(func.count(Event.id)).where(Event.kind == "delivery_delayed")) == 1
    post.receive(**report("bounce", sent.identity, permanent=False))
    assert (sent.state, sent.user.bounced_at) == ("bounced", None)
    assert sent.ticket.category == "solved"


def test_a_complaint_stops_care_mail(post: Post, sent: Delivery) -> None:
    assert sent.user is not None and sent.user.care_mail
    outcome = post.receive(**report("complaint", sent.identity))
    assert outcome.reason == f"complaint:{sent.ticket_id}" and not sent.user.care_mail
    told = db.session.scalars(select(Event.data).where(Event.kind == "delivery_complained")).one()
    assert told["address"] == TOM and sent.state == "sent"


@pytest.mark.parametrize("trick", ["identity", "nobody", "disproved", "another's identity"])
def test_a_forged_report_changes_nothing(post: Post, sent: Delivery, trick: str) -> None:
    forged = {
        "identity": report("bounce", "guessed@desk.example", TOM),
        "nobody": report("bounce", None, "eve@evil.example"),
        "disproved": report("bounce", None, TOM) | {"verified": False},
        "another's identity": report("complaint", "x" * 300, TOM),
    }[trick]
    before = counts()
    outcome = post.receive(**forged)
    assert (outcome.outcome, outcome.reason, counts()) == ("ignored", "unknown_return", before)
    assert sent.user is not None
    assert (sent.state, sent.user.bounced_at, sent.user.care_mail) == ("sent", None, True)


def test_a_person_who_forwards_a_report_of_others_is_heard(post: Post, sent: Delivery) -> None:
    person = {"sender_address": "ann@post.example", "machine": False, "may_open": True}
    assert post.receive(**report("bounce", "x@elsewhere.example") | person).outcome == "ticket"


def test_the_address_says_it_where_only_one_ticket_is_in_question(
    post: Post, sent: Delivery, make_ticket: Any, make_user: Any, run_jobs: Any, travel: Any
) -> None:
    # Not by travelling: the first worker of a new day makes a backup.
    sent.sent_at = now() - timedelta(days=13)
    db.session.commit()
    assert post.receive(**report("delay", None, "Tom@post.example")).reason == f"delayed:{sent.ticket_id}"
    workflow.reply(make_ticket(requester=sent.user), MessageDraft("Hello"), make_user("agent"))
    run_jobs()
    assert post.receive(**report("bounce", None, TOM), text="2").reason == "unknown_return"
    # The older one is out of the question by now.
    travel(days=2)
    assert post.receive(**report("bounce", None, TOM), text="3").reason.startswith("returned:")
    assert sent.state == "sent"
    assert sent.user is not None and sent.user.bounced_at is None, "anybody could have written that"


def test_an_address_marks_somebody_where_the_sender_is_proved(post: Post, sent: Delivery) -> None:
    post.receive(**report("bounce", None, TOM), verified=True)
    assert sent.user is not None and sent.user.bounced_at is not None


def test_somebody_with_another_address_by_now_is_not_marked(post: Post, sent: Delivery) -> None:
    assert sent.user is not None
    sent.user.email = "new@post.example"
    db.session.commit()
    post.receive(**report("bounce", sent.identity, TOM))
    assert (sent.state, sent.user.bounced_at) == ("bounced", None)


@pytest.mark.parametrize("status", ["pending", "solved"])
def test_a_ticket_that_waits_for_an_answer_to_what_came_back_is_ours_again(
    post: Post, sent: Delivery, make_user: Any, status: str
) -> None:
    ticket = sent.ticket
    assert ticket is not None
    workflow.set_status(ticket, status, make_user("agent"))
    post.receive(**report("bounce", sent.identity))
    assert ticket.status.key == ("open" if status == "pending" else status)
