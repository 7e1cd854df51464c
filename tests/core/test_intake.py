"""Anything coming in: kept first, acted on once, and never in the way of what comes behind it."""

import errno
import hashlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from helpdesk.api import Channel, IncomingFile, IntakeDraft, Reject
from helpdesk.core import accounts, files, links, workflow
from helpdesk.core.channels import intake, taking
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Delivery, Event, Intake, Job, Message, Ticket, User
from helpdesk.core.transaction import Busy
from tests.core.conftest import Post

pytestmark = pytest.mark.usefixtures("nothing_daily")


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


# ---- kept first


@pytest.mark.db
def test_the_bytes_are_kept_before_anything_is_done_with_them(post: Post) -> None:
    raw = bytes(range(256)) * 40
    item = intake.store("post", raw)
    assert files.path_of(item.sha256).read_bytes() == raw
    assert (item.state, item.size, item.sha256) == ("received", len(raw), hashlib.sha256(raw).hexdigest())
    assert db.session.scalars(select(Job.name)).all() == ["core.intake"]
    assert count(Ticket) == 0


@pytest.mark.plugins
@pytest.mark.db
def test_a_worker_acts_on_what_was_kept(post: Post, run_jobs: Any) -> None:
    intake.store("post", b"1")
    # The item, then the notices of what came of it, and what the plugins make of it.
    assert run_jobs() == 3
    assert db.session.scalars(select(Ticket.subject)).all() == ["Lock"]
    assert run_jobs() == 0


@pytest.mark.db
def test_the_same_item_is_kept_once(post: Post) -> None:
    first = intake.receive("post", b"1", "mailbox:7:1")
    assert intake.receive("post", b"1") == first
    assert intake.receive("post", b"1", "mailbox:7:2").ticket_id == first.ticket_id
    assert intake.receive("post", b"other bytes", "mailbox:7:1").intake_id == first.intake_id
    assert count(Intake) == count(Ticket) == 1
    intake.receive("post", b"2")
    assert count(Intake) == count(Ticket) == 2


@pytest.mark.db
def test_the_same_item_given_many_times_at_once_is_one_ticket(post: Post, at_once: Any) -> None:
    results = at_once(6, lambda _place: intake.receive("post", b"1").outcome)
    assert set(results) == {"ticket"}
    assert count(Intake) == count(Ticket) == count(Message) == 1


@pytest.mark.db
def test_two_workers_act_on_an_item_once(post: Post, at_once: Any) -> None:
    number = intake.store("post", b"1").id
    outcomes = at_once(5, lambda _place: intake.process(number))
    assert {outcome.ticket_id for outcome in outcomes} == {1}
    assert count(Ticket) == 1


def test_an_item_that_is_too_large_is_not_kept(post: Post, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "MAX_SIZE", 10)
    assert intake.store("post", b"x" * 10).id
    with pytest.raises(intake.TooLarge, match="35 MB"):
        intake.store("post", b"y" * 11)
    assert count(Intake) == 1


# ---- what becomes of it


@pytest.mark.db
def test_an_item_of_a_stranger_becomes_a_ticket(post: Post) -> None:
    post.draft |= {
        "sender_name": "Tom Ashby",
        "html": "<p>It is stuck.</p>",
        "quoted": "> earlier",
        "locale": "es",
        "external_id": "m1@post.example",
        "files": [IncomingFile("lock.png", "image/png", b"\x89PNG\r\n\x1a\nxx", "cid1")],
    }
    outcome = intake.receive("post", b"1")
    assert (outcome.outcome, outcome.reason, outcome.machine) == ("ticket", "", False)
    ticket = db.session.get_one(Ticket, outcome.ticket_id)
    assert (ticket.subject, ticket.channel, ticket.locale) == ("Lock", "post", "es")
    assert (ticket.requester.name, ticket.requester.email) == ("Tom Ashby", "tom@post.example")
    message = db.session.scalars(select(Message)).one()
    assert (message.text, message.html, message.quoted) == ("It is stuck.", "<p>It is stuck.</p>", "> earlier")
    assert (message.external_id, message.verified, message.intake_id) == ("m1@post.example", False, outcome.intake_id)
    file = db.session.scalars(select(Attachment)).one()
    assert (file.name, file.content_id, files.path_of(file.sha256).read_bytes()[-2:]) == ("lock.png", "cid1", b"xx")
    item = db.session.get_one(Intake, outcome.intake_id)
    assert (item.state, item.sender, item.subject, item.ticket_id) == ("done", "tom@post.example", "Lock", ticket.id)


def test_staff_who_write_are_not_believed_to_be_staff(post: Post, make_user: Any) -> None:
    admin = make_user("admin")
    post.draft["sender_address"] = admin.email
    ticket = db.session.get_one(Ticket, intake.receive("post", b"1").ticket_id)
    assert (ticket.requester, ticket.last_message_by, ticket.first_response_at) == (admin, "requester", None)


def test_what_a_plugin_rejects_is_ignored_with_its_reason(post: Post, plug: Any) -> None:
    def before_message_accepted(intake: IntakeDraft) -> None:
        raise Reject("The sender is blocked.")

    plug("strict", before_message_accepted=before_message_accepted)
    outcome = intake.receive("post", b"1")
    assert (outcome.outcome, outcome.reason) == ("ignored", "The sender is blocked.")
    assert count(Ticket) == 0 and count(Intake) == 1


@pytest.mark.parametrize("stops", ["rejects", "cannot copy", "fails later"])
def test_what_hooks_found_stays_on_an_item_that_is_stopped(post: Post, plug: Any, stops: str) -> None:
    def before_message_accepted(intake: IntakeDraft) -> None:
        intake.account, intake.verified = "help@desk.example", False
        intake.problems.append("It is odd.")
        if stops == "fails later":
            intake.sender_address = "no address"
            return
        if stops == "cannot copy":
            intake.headers["lock"] = threading.Lock()  # type: ignore[assignment]
        raise Reject("A rule says so.")

    plug("strict", before_message_accepted=before_message_accepted)
    item = db.session.get_one(Intake, post.receive().intake_id)
    assert item.state == ("quarantined" if stops == "fails later" else "ignored") and item.subject == "Lock"
    assert item.reason.endswith("\nIt is odd.") == (stops != "cannot copy")
    assert (item.account, item.verified) == (("", None) if stops == "cannot copy" else ("help@desk.example", False))


def test_what_a_plugin_changes_counts(post: Post, plug: Any) -> None:
    def before_message_accepted(intake: IntakeDraft) -> None:
        intake.subject = "[x] " + intake.subject

    plug("marker", before_message_accepted=before_message_accepted)
    intake.receive("post", b"1")
    assert db.session.scalars(select(Ticket.subject)).all() == ["[x] Lock"]


@pytest.mark.db
@pytest.mark.parametrize("stage", ["parse", "refused", "no sender", "no address", "refused by a plugin", "database"])
def test_what_cannot_be_used_is_quarantined_and_can_be_tried_again(post: Post, plug: Any, stage: str) -> None:
    trouble = {"on": True}
    good = dict(post.draft)
    if stage == "parse":
        post.error = UnicodeError("broken")
    elif stage == "refused":
        post.draft["refused"] = "It is nested too deeply."
    elif stage == "no sender":
        post.draft["sender_address"] = ""
    elif stage == "no address":
        post.draft["sender_address"] = "not an address"

    def before_ticket_opened(draft: Any) -> None:
        if stage == "refused by a plugin" and trouble["on"]:
            raise Reject("Not today.")

    def choose_assignee(ticket: Ticket) -> Any:
        if stage == "database" and trouble["on"]:
            ticket.team_id = 999
            db.session.flush()

    plug("probe", before_ticket_opened=before_ticket_opened)
    if stage == "database":
        files.path_of(intake.store("post", b"1").sha256).unlink()

    outcome = intake.process(1) if stage == "database" else intake.receive("post", b"1")
    assert outcome.outcome == "quarantined" and outcome.reason
    item = db.session.get_one(Intake, outcome.intake_id)
    assert item.state == "quarantined" and item.done_at is not None
    assert count(Ticket) == count(Message) == 0

    # What comes behind it goes on.
    post.error, post.draft, trouble["on"] = None, good, False
    assert intake.receive("post", b"2").outcome == "ticket"

    # Once the cause is gone, a click makes a ticket of it.
    if stage == "database":
        files.store_bytes(b"1", "raw", "application/octet-stream")
    assert intake.retry(item).outcome == "ticket"
    assert count(Ticket) == 2
    assert intake.retry(item).outcome == "ticket" and count(Ticket) == 2


@pytest.mark.db
@pytest.mark.parametrize(
    "trouble",
    [
        Busy("The desk is busy; please send it again in a moment."),
        OSError(errno.ENOSPC, "No space left on device"),
        OperationalError("UPDATE ticket", {}, Exception("deadlock detected")),
    ],
)
def test_what_is_wrong_with_the_desk_puts_nothing_into_quarantine(
    post: Post, run_jobs: Any, travel: Any, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def fail(*_given: Any) -> None:
        raise trouble

    with monkeypatch.context() as patch:
        patch.setattr(taking, "way_to_open", fail)
        outcome = intake.receive("post", b"1")
        assert outcome.outcome == "waiting" and "tries again" in outcome.reason
        item = db.session.get_one(Intake, outcome.intake_id)
        assert run_jobs() == 1 and item.state == "received"
    travel(minutes=1)
    run_jobs()
    assert item.state == "done" and count(Ticket) == 1


@pytest.mark.db
def test_a_worker_that_comes_to_grief_leaves_what_another_has_done(post: Post, aside: Any) -> None:
    number = intake.store("post", b"1").id

    def other_first() -> None:
        assert aside(lambda: intake.process(number).outcome).result(30) == "ticket"
        post.error = ValueError("broken")

    post.during = [other_first]
    outcome = intake.process(number)
    assert (outcome.outcome, outcome.ticket_id) == ("ticket", 1)
    assert db.session.get_one(Intake, number).state == "done"


def test_what_is_not_wanted_is_discarded_and_kept(post: Post) -> None:
    post.error = ValueError("broken")
    item = db.session.get_one(Intake, intake.receive("post", b"1").intake_id)
    intake.discard(item)
    assert item.state == "discarded" and files.path_of(item.sha256).exists()
    post.error = None
    assert intake.retry(item).outcome == "ticket"


def test_somebody_who_is_switched_off_is_ignored(post: Post, make_user: Any) -> None:
    make_user(email="tom@post.example", active=False)
    outcome = intake.receive("post", b"1")
    assert (outcome.outcome, outcome.reason) == ("ignored", "blocked")


def test_an_item_waits_for_a_channel_that_is_off(app: Any, run_jobs: Any, travel: Any, plug: Any) -> None:
    outcome = intake.receive("post", b"1")
    assert outcome.outcome == "waiting" and "off" in outcome.reason
    for _day in range(40):
        run_jobs()
        travel(hours=25)
    job = db.session.scalars(select(Job).where(Job.name == intake.JOB)).one()
    assert (job.state, job.attempts) == ("waiting", 0), "it uses up no attempt"
    post = Post()
    plug("post", register_channels=lambda: [Channel("post", "Post", parse=post.parse)])
    run_jobs()
    assert count(Ticket) == 1


# ---- which ticket


@pytest.fixture
def answered(post: Post, make_user: Any) -> Ticket:
    """A ticket of Tom's that an agent has answered."""
    ticket = db.session.get_one(Ticket, intake.receive("post", b"first").ticket_id)
    workflow.reply(ticket, MessageDraft("Bring it in."), make_user("agent"))
    post.draft |= {"text": "Thank you.", "subject": "Re: Lock"}
    return ticket


def token(ticket: Ticket, user: User | None = None) -> str:
    return links.token(links.REPLY, ticket, user or ticket.requester)


def issued(ticket: Ticket) -> str:
    return db.session.scalars(select(Delivery.identity).where(Delivery.ticket_id == ticket.id)).one()


@pytest.mark.db
@pytest.mark.parametrize("proof", ["token", "token in capitals", "in_reply_to", "references"])
def test_proof_joins_the_ticket(post: Post, answered: Ticket, proof: str) -> None:
    workflow.set_status(answered, "pending", None)
    if proof == "in_reply_to":
        post.draft["in_reply_to"] = issued(answered)
    elif proof == "references":
        post.draft["references"] = ["x@y", issued(answered), "z@y"]
    else:
        post.draft["reply_tokens"] = [token(answered).upper() if "capitals" in proof else token(answered)]
    outcome = intake.receive("post", b"second")
    assert (outcome.outcome, outcome.ticket_id) == ("message", answered.id)
    assert outcome.reason == ("reply_token" if "token" in proof else "reference")
    assert answered.category == "open" and answered.snippet == "Thank you."
    event = db.session.scalars(select(Event).where(Event.message_id == outcome.message_id)).first()
    assert event is not None and event.data["reason"] == outcome.reason


@pytest.mark.parametrize(
    "trick",
    [
        "number in the subject",
        "another's token",
        "another's reference",
        "forged",
        "unknown",
        "follow link",
    ],
)
def test_without_proof_it_becomes_a_ticket_of_its_own(post: Post, answered: Ticket, make_user: Any, trick: str) -> None:
    reason = ""
    if trick == "number in the subject":
        post.draft["subject"] = f"Re: [#{answered.number}] Lock"
        reason = f"mentions:{answered.id}"
    elif trick == "another's token":
        post.draft |= {"sender_address": "eve@evil.example", "reply_tokens": [token(answered)]}
        reason = f"foreign_token:{answered.id}"
    elif trick == "another's reference":
        post.draft |= {"sender_address": "eve@evil.example", "in_reply_to": issued(answered)}
    elif trick == "forged":
        real = token(answered)
        post.draft["reply_tokens"] = [real[:-1] + ("a" if real[-1] != "a" else "b"), "1-1-" + "a" * 26, "zz", ""]
        reason = "unknown_token"
    elif trick == "unknown":
        post.draft["references"] = ["nobody@knows"]
    else:
        post.draft["reply_tokens"] = [links.token(links.FOLLOW, answered, answered.requester)]
        reason = "unknown_token"
    outcome = intake.receive("post", b"second")
    assert outcome.outcome == "ticket" and outcome.ticket_id != answered.id
    assert outcome.reason == reason
    assert db.session.scalar(select(func.count(Message.id)).where(Message.ticket_id == answered.id)) == 2


def test_new_links_make_the_old_tokens_worthless(post: Post, answered: Ticket) -> None:
    post.draft["reply_tokens"] = [token(answered)]
    answered.access_key = "0" * 32
    db.session.commit()
    assert intake.receive("post", b"second").outcome == "ticket"


def test_somebody_who_was_taken_off_a_ticket_begins_a_new_one(post: Post, answered: Ticket, make_user: Any) -> None:
    otto = make_user(email="otto@post.example")
    workflow.follow(answered, otto, None)
    workflow.reply(answered, MessageDraft("For both of you."), None)
    proof = token(answered, otto)
    workflow.unfollow(answered, otto, None)
    post.draft |= {"sender_address": "otto@post.example", "reply_tokens": [proof]}
    assert intake.receive("post", b"second").outcome == "ticket"


def test_an_answer_to_a_ticket_closed_long_ago_is_a_new_one_that_says_so(
    post: Post, answered: Ticket, travel: Any
) -> None:
    workflow.close(answered, None)
    travel(days=15)
    post.draft["reply_tokens"] = [token(answered)]
    outcome = intake.receive("post", b"second")
    assert (outcome.outcome, outcome.reason) == ("ticket", f"closed:{answered.id}")


def test_a_plugin_may_know_the_ticket_of_a_participant(post: Post, answered: Ticket, plug: Any) -> None:
    plug("orders", find_ticket=lambda intake: answered if "88213" in intake.subject else None)
    post.draft["subject"] = "Order 88213"
    assert intake.receive("post", b"second").reason == "plugin"
    post.draft["sender_address"] = "eve@evil.example"
    assert intake.receive("post", b"third").outcome == "ticket"


# ---- automatic answers


def test_a_robot_opens_no_ticket(post: Post) -> None:
    post.draft |= {"machine": True, "machine_reason": "Out of office.", "may_open": False}
    outcome = intake.receive("post", b"1")
    assert (outcome.outcome, outcome.reason, outcome.machine) == ("ignored", "Out of office.", True)


def test_a_robot_that_answers_a_closed_ticket_opens_none_either(post: Post, answered: Ticket) -> None:
    workflow.close(answered, None)
    post.draft |= {"machine": True, "may_open": False, "reply_tokens": [token(answered)]}
    assert intake.receive("post", b"second").outcome == "ignored"
    assert count(Ticket) == 1


def test_a_contact_form_opens_a_ticket_though_a_machine_sent_it(post: Post) -> None:
    post.draft |= {"machine": True, "may_open": True}
    outcome = intake.receive("post", b"1")
    assert (outcome.outcome, outcome.machine) == ("ticket", True)


@pytest.mark.parametrize("status", ["pending", "solved"])
def test_a_robots_answer_is_shown_and_changes_nothing(post: Post, answered: Ticket, status: str) -> None:
    workflow.set_status(answered, status, None)
    before = count(Delivery)
    post.draft |= {"machine": True, "reply_tokens": [token(answered)]}
    outcome = intake.receive("post", b"second")
    assert outcome.outcome == "message" and answered.category == status
    assert count(Delivery) == before


def test_an_empty_message_says_so(post: Post) -> None:
    post.draft["text"] = " "
    intake.receive("post", b"1")
    assert db.session.scalars(select(Message.text)).one() == "(empty message)"


@pytest.mark.db
def test_a_name_comes_from_the_first_who_gives_one(post: Post, at_once: Callable[..., Any]) -> None:
    accounts.requester_for("tom@post.example")
    post.draft["sender_name"] = "Tom"
    at_once(4, lambda place: intake.receive("post", str(place).encode()).outcome)
    assert count(Ticket) == 4
    assert db.session.scalars(select(User.name)).all() == ["Tom"]
