"""Which ticket an incoming item belongs to: by proof alone, and not for ever."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from helpdesk.api import IncomingFile
from helpdesk.core import links, workflow
from helpdesk.core import settings as stored
from helpdesk.core.channels import intake, subjects
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.events.reasons import decision_text, is_held, reason_text
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Delivery, Event, Intake, Message, Ticket, User
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.repairs import accept_incoming
from helpdesk.core.settings import IntakeSettings
from tests.core.conftest import Post

TOM = "tom@post.example"


def token(ticket: Ticket, user: User | None = None) -> str:
    return links.token(links.REPLY, ticket, user or ticket.requester)


def messages(ticket: Ticket) -> list[Message]:
    return list(db.session.scalars(select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)))


def ticket_of(outcome: Any) -> Ticket:
    return db.session.get_one(Ticket, outcome.ticket_id)


@pytest.fixture
def agent(make_user: Callable[..., User]) -> User:
    return make_user("agent", name="Abe Agent", email="abe@desk.example")


@pytest.fixture
def answered(post: Post, agent: User) -> Ticket:
    """A ticket of Tom's that an agent has answered."""
    ticket = ticket_of(post.receive())
    workflow.reply(ticket, MessageDraft("Bring it in."), agent)
    post.draft |= {"text": "Thank you.", "subject": "Re: Lock"}
    return ticket


# ---- subjects


@pytest.mark.parametrize(
    ("subject", "other"),
    [
        ("Lock", "lock"),
        ("Re: AW: Lock", "Lock"),
        ("回复：锁坏了", "锁坏了"),
        ("Fwd: RE[2]: [EXTERNAL] Lock (fwd)", "Lock"),
        ("SV: VS: Antw: Rif: TR: WG: Lock", "Lock"),
        ("Re: [#17] Lock", "Lock"),
        ("EXTERN: Lock", "Lock"),
        ("We have received your message: Lock", "Lock"),
        ("  Lock   is\tstuck ", "lock is stuck"),
        ("", "Lock"),
        ("Re:", "re:"),
    ],
)
def test_marks_and_announcements_do_not_make_another_subject(subject: str, other: str) -> None:
    assert subjects.same(subject, other) and subjects.same(other, subject)


@pytest.mark.parametrize(("subject", "other"), [("New lock", "Lock"), ("Lock 2", "Lock"), ("Re: Pump", "Lock")])
def test_other_words_make_another_subject(subject: str, other: str) -> None:
    assert not subjects.same(subject, other) and not subjects.same(other, subject)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=60), st.lists(st.sampled_from(["Re: ", "AW: ", "Fwd: ", "[EXT] ", "回复: ", "RE[3]: "])))
def test_a_mark_changes_no_subject(subject: str, marks: list[str]) -> None:
    plain = subjects.bare(subject)
    assert subjects.bare(plain) == plain
    assert bool(plain) == bool(subject.split())
    if plain:
        assert subjects.bare("".join(marks) + subject) == plain
        assert subjects.same("".join(marks) + subject, subject)


# ---- staff, and senders who are not believed


@pytest.mark.db
def test_staff_answer_by_mail_with_the_rights_of_the_browser(post: Post, answered: Ticket, agent: User) -> None:
    outcome = post.receive(sender_address=agent.email, reply_tokens=[token(answered, agent)], verified=True)
    assert (outcome.outcome, outcome.ticket_id) == ("message", answered.id)
    message = messages(answered)[-1]
    assert (message.author, message.verified, answered.last_message_by) == (agent, True, "agent")
    sent = select(Delivery.address).where(Delivery.message_id == message.id)
    assert db.session.scalars(sent).all() == [TOM]


@pytest.mark.parametrize("verified", [None, False])
def test_staff_whom_nothing_proves_wait_for_a_person(
    post: Post, answered: Ticket, agent: User, make_user: Any, verified: bool | None
) -> None:
    proof = {"sender_address": agent.email, "reply_tokens": [token(answered, agent)], "verified": verified}
    post.draft |= proof | {"html": "<p>Thank you.</p>", "copies": [("eve@evil.example", "")]}
    outcome = post.receive()
    item = db.session.get_one(Intake, outcome.intake_id)
    assert (item.state, item.ticket_id, item.verified) == ("quarantined", answered.id, verified)
    assert is_held(item.reason) and f"#{answered.id}" in reason_text(item.reason)
    assert len(messages(answered)) == 2

    # Tried again it waits again; a person lets it in, as a note that nobody is sent.
    assert intake.retry(item).outcome == "quarantined"
    with pytest.raises(NotAllowed):
        accept_incoming(item, agent)
    let_in = accept_incoming(item, admin := make_user("admin"))
    assert let_in is not None and (let_in.outcome, let_in.ticket_id) == ("message", answered.id)
    message = messages(answered)[-1]
    assert message.is_note and message.author is None and not message.verified
    assert "Nothing proves who wrote it" in message.text and "Thank you." in message.html
    assert db.session.scalar(select(func.count(Delivery.id)).where(Delivery.message_id == message.id)) == 0
    assert db.session.scalar(select(User.id).where(User.email == "eve@evil.example")) is None
    acts = db.session.scalars(select(AuditEntry.action).where(AuditEntry.actor_id == admin.id))
    assert list(acts) == ["incoming.accepted"] and accept_incoming(item, admin) is None
    assert "let it in" in decision_text(item.outcome, item.ticket_id, item.reason)


def test_where_staff_may_not_answer_by_mail_a_person_lets_it_in(
    post: Post, answered: Ticket, agent: User, make_user: Any
) -> None:
    how = {"sender_address": agent.email, "reply_tokens": [token(answered, agent)], "verified": True}
    post.draft |= how | {"staff_may_answer": False}
    outcome = post.receive()
    assert (outcome.outcome, outcome.reason) == ("quarantined", f"held_switch:{answered.id}")
    assert accept_incoming(db.session.get_one(Intake, outcome.intake_id), make_user("admin")) is not None
    assert messages(answered)[-1].author == agent, "proved, it is the agent's word"


def test_staff_who_may_not_reply_do_not_join(post: Post, answered: Ticket, agent: User, make_team: Any) -> None:
    workflow.move(answered, make_team("Board", private=True), None)
    outcome = post.receive(sender_address=agent.email, reply_tokens=[token(answered, agent)], verified=True)
    assert outcome.outcome == "ticket" and ticket_of(outcome).requester == agent


def test_that_an_agent_is_away_is_told_to_no_customer(post: Post, answered: Ticket, agent: User) -> None:
    away = {"machine": True, "machine_reason": "auto-submitted", "verified": True}
    outcome = post.receive(sender_address=agent.email, reply_tokens=[token(answered, agent)], **away)
    assert (outcome.outcome, outcome.reason, len(messages(answered))) == ("ignored", "auto-submitted", 2)


@pytest.mark.parametrize("proof", ["token", "reference"])
def test_a_disproved_customer_waits_for_a_person(post: Post, answered: Ticket, make_user: Any, proof: str) -> None:
    workflow.solve(answered, None)
    replies = select(Delivery.identity).where(Delivery.ticket_id == answered.id, Delivery.kind == "reply")
    issued = db.session.scalars(replies).one()
    how = {"reply_tokens": [token(answered)]} if proof == "token" else {"references": [issued]}
    post.draft |= how | {"verified": False}
    outcome = post.receive()
    assert (outcome.outcome, outcome.reason) == ("quarantined", f"held_sender:{answered.id}")
    assert answered.category == "solved"
    item = db.session.get_one(Intake, outcome.intake_id)
    assert accept_incoming(item, make_user("admin")) is not None
    message = messages(answered)[-1]
    assert (message.author, message.is_note, message.verified) == (answered.requester, False, False)
    assert answered.category == "open"


def test_a_disproved_stranger_gets_a_ticket_that_says_so_and_nothing_else(post: Post, make_user: Any) -> None:
    known = make_user(email=TOM, name="")
    with db.session.begin_nested():
        known.name = ""
    db.session.commit()
    outcome = post.receive(verified=False, notice=True, sender_name="Somebody", copies=[("eve@evil.example", "Eve")])
    assert (outcome.outcome, outcome.reason) == ("ticket", "disproved")
    ticket = ticket_of(outcome)
    assert (ticket.requester, known.name, messages(ticket)[0].verified) == (known, "", False)
    opened = db.session.scalars(select(Event).where(Event.kind == "ticket_opened")).one()
    assert "may be forged" in reason_text(opened.data["reason"])
    assert db.session.scalar(select(func.count(Delivery.id))) == 0
    assert db.session.scalar(select(User.id).where(User.email == "eve@evil.example")) is None


@pytest.mark.parametrize(("verified", "proved"), [(True, True), (None, False)])
def test_a_message_says_whether_its_sender_was_proved(
    post: Post, answered: Ticket, verified: bool | None, proved: bool
) -> None:
    issued = db.session.scalars(select(Delivery.identity).where(Delivery.ticket_id == answered.id)).one()
    post.receive(in_reply_to=issued, verified=verified)
    assert messages(answered)[-1].verified is proved
    post.receive(reply_tokens=[token(answered)], verified=verified)
    assert messages(answered)[-1].verified, "the signed reply address is a proof of its own"
    new = post.receive(verified=verified, subject="Another")
    assert messages(ticket_of(new))[0].verified is proved


# ---- how long a ticket goes on


def test_a_ticket_that_was_closed_lately_opens_again(post: Post, answered: Ticket, travel: Any) -> None:
    workflow.close(answered, None)
    travel(days=13)
    outcome = post.receive(reply_tokens=[token(answered)])
    assert (outcome.outcome, answered.category, answered.closed_at) == ("message", "open", None)


def test_the_owner_says_how_long_a_closed_ticket_opens_again(post: Post, answered: Ticket) -> None:
    stored.save(IntakeSettings, {"reopen_days": 0}, None)
    workflow.close(answered, None)
    outcome = post.receive(reply_tokens=[token(answered)])
    assert (outcome.outcome, outcome.reason) == ("ticket", f"closed:{answered.id}")


@pytest.mark.parametrize("old", ["solved", "closed", "silent"])
@pytest.mark.parametrize("new", [True, False])
def test_a_new_subject_leaves_an_old_ticket(post: Post, answered: Ticket, travel: Any, old: str, new: bool) -> None:
    if old == "silent":
        travel(days=31)
    else:
        workflow.set_status(answered, old, None)
    outcome = post.receive(reply_tokens=[token(answered)], subject="Pump" if new else "AW: Re: Lock")
    if new:
        assert (outcome.outcome, outcome.reason) == ("ticket", f"new_subject:{answered.id}")
        assert outcome.ticket_id != answered.id and "new subject" in reason_text(outcome.reason)
    else:
        assert (outcome.outcome, outcome.ticket_id) == ("message", answered.id)


def test_a_lively_ticket_takes_any_subject(post: Post, answered: Ticket) -> None:
    assert post.receive(reply_tokens=[token(answered)], subject="Pump").ticket_id == answered.id


def test_the_subjects_that_a_customer_has_seen_are_no_new_ones(post: Post, answered: Ticket) -> None:
    answered.requester.locale = "zh_Hans"
    db.session.commit()
    workflow.set_subject(answered, "Wrong key for the lock", None)
    workflow.solve(answered, None)
    for subject in ("Re: Lock", "Re: Wrong key for the lock", "回复：我们已收到您的消息：Lock", ""):
        assert post.receive(reply_tokens=[token(answered)], subject=subject).ticket_id == answered.id, subject
        workflow.solve(answered, None)


def test_an_absence_note_joins_under_its_own_subject_and_opens_nothing(post: Post, answered: Ticket) -> None:
    workflow.solve(answered, None)
    away = {"machine": True, "machine_reason": "subject", "may_open": False, "notice": True}
    outcome = post.receive(reply_tokens=[token(answered)], subject="Out of office", **away)
    assert (outcome.outcome, outcome.ticket_id, answered.category) == ("message", answered.id, "solved")
    workflow.close(answered, None)
    assert post.receive(reply_tokens=[token(answered)], subject="Away", **away).outcome == "ignored"
    assert answered.category == "closed"


@pytest.mark.parametrize("sender", [TOM, "eve@evil.example"])
def test_a_number_alone_names_the_ticket_to_the_agents(post: Post, answered: Ticket, sender: str) -> None:
    outcome = post.receive(sender_address=sender, subject=f"About ticket #{answered.id}", references=["x@y"])
    assert (outcome.outcome, outcome.reason) == ("ticket", f"mentions:{answered.id}")
    assert outcome.ticket_id != answered.id
    assert post.receive(sender_address=sender, subject="Order #99999").reason == ""


# ---- what it costs


def test_references_and_copies_cost_no_look_ups_of_their_own(post: Post, answered: Ticket, count_queries: Any) -> None:
    issued = db.session.scalars(select(Delivery.identity).where(Delivery.ticket_id == answered.id)).one()
    counts = []
    for number in (1, 10):
        copies = [(f"copy{number}.{place}@post.example", "") for place in range(number)]
        references = [f"{place}@elsewhere.example" for place in range(number * 10)]
        db.session.rollback()
        with count_queries() as statements:
            outcome = post.receive(references=[*references, issued], copies=copies, text=f"{number}", verified=True)
        assert outcome.ticket_id == answered.id
        # That the settings are looked for anew from time to time has nothing to do with it.
        beside = ("INSERT INTO event", "SELECT generation")
        counts.append(sum(not statement.startswith(beside) for statement in statements))
    assert counts[0] == counts[1], "they grow with the recipients"


def test_files_are_not_copied_for_plugins(post: Post, plug: Any) -> None:
    data, seen = b"x" * 1000, []
    for name in ("one", "two"):
        plug(name, before_message_accepted=lambda intake: seen.append(intake.files[0].data))
    post.receive(files=[IncomingFile("a.bin", "application/octet-stream", data)])
    assert len(seen) == 2 and all(found is data for found in seen)


def test_the_plugins_are_told_where_it_came_in_and_where_it_lies(post: Post, plug: Any, make_team: Any) -> None:
    team = make_team()

    def before_message_accepted(intake: Any) -> None:
        assert Path(intake.source).read_bytes() == b"raw bytes"
        assert intake.account == "shop@desk.example"
        intake.team_id, intake.verified = team.id, True

    plug("probe", before_message_accepted=before_message_accepted)
    outcome = intake.receive("post", b"raw bytes", account="shop@desk.example")
    ticket, item = ticket_of(outcome), db.session.get_one(Intake, outcome.intake_id)
    assert (ticket.team, ticket.account, messages(ticket)[0].verified) == (team, "shop@desk.example", True)
    assert (item.account, item.verified) == ("shop@desk.example", True)
