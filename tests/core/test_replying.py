"""Replies and notes: who gets them, what they do to the status, and two people writing at once."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.api import Reject
from helpdesk.core import workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Event, Message, Ticket, User
from helpdesk.core.permissions import NotAllowed


def deliveries() -> list[tuple[str, str]]:
    rows = db.session.scalars(select(Delivery).order_by(Delivery.id))
    return [(row.kind, row.address) for row in rows]


@pytest.mark.db
def test_a_reply_goes_to_the_requester_and_the_customers_who_follow(make_user: Any, make_ticket: Any) -> None:
    rita, otto, jonas, mia = make_user(), make_user(), make_user("agent"), make_user("agent")
    ticket = make_ticket(requester=rita, follower_ids=[otto.id, mia.id])
    message = workflow.reply(ticket, MessageDraft("Bring it in."), jonas)
    assert deliveries() == [("reply", rita.email), ("reply", otto.email)]
    identities = db.session.scalars(select(Delivery.identity)).all()
    assert len(set(identities)) == 2 and all("@" in identity for identity in identities)
    assert (ticket.category, ticket.last_message_by, ticket.version) == ("open", "agent", 2)
    assert ticket.first_response_at == message.created_at == ticket.last_message_at
    kinds = [(event.kind, event.version) for event in db.session.scalars(select(Event).order_by(Event.id))][2:]
    assert kinds == [("message_added", 2), ("ticket_status_changed", 2)]


def test_a_note_reaches_no_customer_and_leaves_the_status(make_user: Any, make_ticket: Any) -> None:
    ticket = make_ticket(follower_ids=[make_user().id])
    message = workflow.note(ticket, MessageDraft("She is angry."), make_user("agent"))
    assert message.is_note and deliveries() == []
    assert (ticket.category, ticket.last_message_by, ticket.first_response_at) == ("new", "note", None)


def test_a_draft_cannot_make_a_note_public(make_user: Any, make_ticket: Any) -> None:
    ticket, jonas = make_ticket(), make_user("agent")
    assert workflow.note(ticket, MessageDraft("x", visibility="public"), jonas).visibility == "internal"
    assert workflow.reply(ticket, MessageDraft("x", visibility="internal"), jonas).visibility == "public"


@pytest.mark.parametrize(
    ("before", "by", "after"),
    [
        ("new", "agent", "open"),
        ("open", "agent", "open"),
        ("pending", "agent", "pending"),
        ("solved", "agent", "solved"),
        ("new", "customer", "new"),
        ("open", "customer", "open"),
        ("pending", "customer", "open"),
        ("on_hold", "customer", "open"),
        ("solved", "customer", "open"),
    ],
)
def test_what_a_reply_does_to_the_status(make_user: Any, make_ticket: Any, before: str, by: str, after: str) -> None:
    ticket = make_ticket(status=before)
    workflow.reply(ticket, MessageDraft("Hello"), make_user("agent") if by == "agent" else ticket.requester)
    assert ticket.category == after
    assert (ticket.solved_at is not None) == (after == "solved")


def test_a_reply_may_set_the_status(make_user: Any, make_ticket: Any) -> None:
    ticket, jonas = make_ticket(), make_user("agent")
    workflow.reply(ticket, MessageDraft("Done.", status="solved"), jonas)
    assert ticket.category == "solved" and ticket.solved_at is not None
    workflow.note(ticket, MessageDraft("Wait.", status="on_hold"), jonas)
    assert ticket.category == "on_hold" and ticket.solved_at is None
    with pytest.raises(workflow.Invalid, match="no status “finished”"):
        workflow.reply(ticket, MessageDraft("x", status="finished"), jonas)
    assert db.session.scalar(select(func.count(Message.id))) == 3


def test_a_closed_ticket_takes_notes_and_no_replies(make_user: Any, make_ticket: Any) -> None:
    ticket, jonas = make_ticket(status="closed"), make_user("agent")
    for author in (jonas, ticket.requester, None):
        with pytest.raises(workflow.Invalid, match="closed"):
            workflow.reply(ticket, MessageDraft("Hello"), author)
    assert workflow.note(ticket, MessageDraft("For the record"), jonas).id


@pytest.mark.parametrize("text", ["", " \n\t", "x" * 1_000_001])
def test_what_is_no_message_is_refused(make_user: Any, make_ticket: Any, text: str) -> None:
    with pytest.raises(workflow.Invalid) as problem:
        workflow.reply(make_ticket(), MessageDraft(text), make_user("agent"))
    assert problem.value.field == "text"


def test_staff_who_ask_for_themselves_are_customers_there(make_user: Any, make_ticket: Any) -> None:
    jonas, mia = make_user("agent"), make_user("agent")
    ticket = make_ticket(requester=jonas)
    workflow.reply(ticket, MessageDraft("Any news?"), jonas)
    assert (ticket.last_message_by, ticket.first_response_at, deliveries()) == ("requester", None, [])
    workflow.reply(ticket, MessageDraft("Soon."), mia)
    assert deliveries() == [("reply", jonas.email)]


def test_the_desk_itself_may_answer(make_ticket: Any) -> None:
    ticket = make_ticket()
    message = workflow.reply(ticket, MessageDraft("We close at six."), None)
    assert message.author is None and deliveries() == [("reply", ticket.requester.email)]


def test_somebody_without_an_address_is_not_written_to(make_user: Any, make_ticket: Any) -> None:
    caller = make_user()
    ticket = make_ticket(requester=caller)
    caller.email = None
    db.session.commit()
    workflow.reply(ticket, MessageDraft("Hello"), make_user("agent"))
    assert deliveries() == []


# ---- who may


@pytest.mark.parametrize("verb", [workflow.reply, workflow.note])
def test_strangers_and_people_who_are_off_write_nothing(
    make_user: Any, make_ticket: Any, verb: Callable[..., Any]
) -> None:
    ticket = make_ticket()
    for actor in (make_user(), make_user("agent", active=False)):
        with pytest.raises(NotAllowed):
            verb(ticket, MessageDraft("x"), actor)
    assert db.session.scalar(select(func.count(Message.id))) == 1


def test_a_customer_writes_no_notes(make_ticket: Any) -> None:
    ticket = make_ticket()
    with pytest.raises(NotAllowed):
        workflow.note(ticket, MessageDraft("x"), ticket.requester)


def test_a_guard_that_fails_denies(plug: Any, make_user: Any, make_ticket: Any) -> None:
    ticket, jonas = make_ticket(), make_user("agent")
    plug("probe", veto=lambda user, permission, obj: 1 / 0)
    with pytest.raises(NotAllowed):
        workflow.reply(ticket, MessageDraft("x"), jonas)


# ---- plugins


def test_a_plugin_may_change_or_refuse_a_message(plug: Any, make_user: Any, make_ticket: Any) -> None:
    ticket, jonas = make_ticket(), make_user("agent")

    def before_message_added(draft: MessageDraft, ticket: Ticket, actor: User) -> None:
        if "damn" in draft.text:
            raise Reject("Write it politely.")
        draft.text += "\n\nLarkwheel Cycles"

    plug("probe", before_message_added=before_message_added)
    given = MessageDraft("Hello")
    assert workflow.reply(ticket, given, jonas).text == "Hello\n\nLarkwheel Cycles"
    assert given.text == "Hello"
    with pytest.raises(workflow.Refused, match="politely"):
        workflow.reply(ticket, MessageDraft("damn"), jonas)
    assert db.session.scalar(select(func.count(Message.id))) == 2


def test_a_refused_status_refuses_the_message_with_it(plug: Any, make_user: Any, make_ticket: Any) -> None:
    ticket, jonas = make_ticket(), make_user("agent")

    def before_status_changed(ticket: Ticket, status: Any) -> None:
        raise Reject("Tag it first.")

    plug("probe", before_status_changed=before_status_changed)
    with pytest.raises(workflow.Refused, match="Tag it first"):
        workflow.reply(ticket, MessageDraft("Done", status="solved"), jonas)
    assert ticket.category == "new" and db.session.scalar(select(func.count(Message.id))) == 1


# ---- two at once


@pytest.mark.db
def test_two_agents_who_answer_the_same_state_get_a_choice(make_user: Any, make_ticket: Any, at_once: Any) -> None:
    ticket, agents = make_ticket(), [make_user("agent") for _ in range(6)]
    number, version, ids = ticket.id, ticket.version, [agent.id for agent in agents]

    def answer(place: int) -> str:
        actor = db.session.get(User, ids[place])
        draft = MessageDraft(f"From {place}")
        try:
            return workflow.reply(db.session.get(Ticket, number), draft, actor, version).text
        except workflow.Stale as conflict:
            (event,) = conflict.events
            return f"meanwhile: {event.message.text}"

    results = at_once(6, answer)
    (winner,) = [result for result in results if result.startswith("From")]
    assert sorted(results) == [winner, *[f"meanwhile: {winner}"] * 5]
    assert db.session.scalars(select(Message.text).order_by(Message.id)).all()[1:] == [winner]


@pytest.mark.db
def test_without_a_version_every_answer_counts(make_user: Any, make_ticket: Any, at_once: Any) -> None:
    ticket, jonas = make_ticket(), make_user("agent")
    number, agent = ticket.id, jonas.id

    def answer(place: int) -> Any:
        workflow.reply(db.session.get(Ticket, number), MessageDraft(f"{place}"), db.session.get(User, agent))

    assert at_once(8, answer) == [None] * 8
    assert ticket.version == 9
    assert db.session.scalar(select(func.count(Message.id))) == 9
    versions = db.session.scalars(select(Event.version).where(Event.kind == "message_added")).all()
    assert sorted(versions) == list(range(1, 10))
