"""Anything going out: one identity for good, tried again while there is hope, and told when there is none."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.api import Channel, DeliveryFailed, OutgoingMessage, Reject
from helpdesk.core import files, settings, workflow
from helpdesk.core.channels import outbox
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Event, Job, Ticket, User
from helpdesk.core.settings import DeskSettings


class Post:
    """A channel that keeps what it was given, or fails as a test says."""

    def __init__(self) -> None:
        self.sent: list[OutgoingMessage] = []
        self.failures: list[Exception] = []
        self.identities = 0

    def send(self, outgoing: OutgoingMessage) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(outgoing)

    def new_identity(self) -> str:
        self.identities += 1
        return f"{self.identities}@desk.example"


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    return {}


@pytest.fixture
def post(plug: Any) -> Post:
    post = Post()
    channel = Channel("email", "Post", send=post.send, new_identity=post.new_identity)
    plug("post", register_channels=lambda: [channel])
    return post


@pytest.fixture
def reply(make_ticket: Any, make_user: Any) -> Any:
    """Write a reply as an agent; answers its delivery."""
    agent = make_user("agent", name="Jonas Adair")

    def write(text: str = "Bring it in.", ticket: Ticket | None = None, **draft: Any) -> Delivery:
        message = workflow.reply(ticket or make_ticket(), MessageDraft(text, **draft), agent)
        return db.session.scalars(select(Delivery).where(Delivery.message_id == message.id)).one()

    return write


@pytest.mark.db
def test_a_reply_leaves_once(post: Post, reply: Any, run_jobs: Any) -> None:
    delivery = reply()
    assert (delivery.state, delivery.identity) == ("waiting", "1@desk.example")
    assert run_jobs() == 1
    assert (delivery.state, delivery.attempts, delivery.error) == ("sent", 1, "") and delivery.sent_at is not None
    (outgoing,) = post.sent
    assert (outgoing.kind, outgoing.identity, outgoing.address) == ("reply", "1@desk.example", delivery.address)
    assert (outgoing.text, outgoing.author_name, outgoing.automatic) == ("Bring it in.", "Jonas Adair", False)
    assert outgoing.html == "<p>Bring it in.</p>"
    assert outgoing.link.startswith("http://desk.example/t/") and outgoing.reply_token
    outbox.deliver(delivery.id)
    assert run_jobs() == 0 and len(post.sent) == 1


@pytest.mark.db
def test_a_failure_is_tried_again_under_the_same_identity(post: Post, reply: Any, run_jobs: Any, travel: Any) -> None:
    delivery = reply()
    post.failures = [DeliveryFailed("The server does not answer."), DeliveryFailed("It still does not.")]
    run_jobs()
    assert (delivery.state, delivery.error, delivery.attempts) == ("waiting", "The server does not answer.", 1)
    assert run_jobs() == 0, "it is not tried again at once"
    travel(seconds=15)
    run_jobs()
    assert (delivery.state, delivery.error) == ("waiting", "It still does not.")
    travel(seconds=60)
    run_jobs()
    assert (delivery.state, delivery.error, delivery.attempts) == ("sent", "", 3)
    assert [outgoing.identity for outgoing in post.sent] == [delivery.identity]


def test_a_failure_for_good_is_told_on_the_ticket(post: Post, reply: Any, run_jobs: Any) -> None:
    delivery = reply()
    post.failures = [DeliveryFailed("There is no such mailbox.", permanent=True)]
    run_jobs()
    assert (delivery.state, delivery.error) == ("failed", "There is no such mailbox.")
    event = db.session.scalars(select(Event).where(Event.kind == "delivery_failed")).one()
    assert event.ticket_id == delivery.ticket_id and event.message_id == delivery.message_id
    assert event.data == {"address": delivery.address, "reason": "There is no such mailbox."}
    assert {job.state for job in db.session.scalars(select(Job))} == {"done"}


@pytest.mark.parametrize("error", [DeliveryFailed("No answer."), ZeroDivisionError("bug in the channel")])
def test_after_the_last_attempt_it_is_given_up_and_told(
    post: Post, reply: Any, run_jobs: Any, travel: Any, error: Exception
) -> None:
    delivery = reply()
    post.failures = [error] * 50
    for _turn in range(20):
        run_jobs()
        travel(hours=8)
    assert delivery.state == "failed" and str(error).split()[0] in delivery.error
    assert len(db.session.scalars(select(Event).where(Event.kind == "delivery_failed")).all()) == 1
    job = db.session.scalars(select(Job)).one()
    assert (job.state, job.attempts) == ("failed", 8)


def test_a_person_may_have_it_sent_after_all(post: Post, reply: Any, run_jobs: Any) -> None:
    delivery = reply()
    post.failures = [DeliveryFailed("No such mailbox.", permanent=True)]
    run_jobs()
    outbox.retry(delivery)
    run_jobs()
    assert delivery.state == "sent" and len(post.sent) == 1
    outbox.retry(delivery)
    assert delivery.state == "sent" and run_jobs() == 0


def test_a_plugin_may_change_or_stop_what_leaves(post: Post, reply: Any, run_jobs: Any, plug: Any) -> None:
    def before_delivery_sent(outgoing: OutgoingMessage) -> None:
        if "secret" in outgoing.text:
            raise Reject("It names a secret.")
        outgoing.text += "\n-- \nLarkwheel"

    plug("footer", before_delivery_sent=before_delivery_sent)
    first, second = reply(), reply("a secret")
    run_jobs()
    assert (first.state, second.state, second.error) == ("sent", "cancelled", "It names a secret.")
    assert [outgoing.text for outgoing in post.sent] == ["Bring it in.\n-- \nLarkwheel"]


def test_it_waits_for_a_channel_that_is_off(reply: Any, run_jobs: Any, plug: Any, travel: Any) -> None:
    delivery = reply()
    assert "@" in delivery.identity
    run_jobs()
    assert delivery.state == "waiting"
    post = Post()
    plug("post", register_channels=lambda: [Channel("email", "Post", send=post.send)])
    travel(minutes=5)
    run_jobs()
    assert delivery.state == "sent" and post.sent[0].identity == delivery.identity


def test_a_channel_that_gives_no_identity_loses_no_reply(plug: Any, reply: Any, run_jobs: Any) -> None:
    post = Post()
    broken = Channel("email", "Post", send=post.send, new_identity=lambda: 1 / 0)
    plug("post", register_channels=lambda: [broken])
    delivery = reply()
    run_jobs()
    assert delivery.state == "sent" and "@desk.example" in delivery.identity


def test_sample_addresses_get_nothing(post: Post, reply: Any, run_jobs: Any, make_ticket: Any, make_user: Any) -> None:
    delivery = reply(ticket=make_ticket(requester=make_user(email="tom@shop.invalid")))
    run_jobs()
    assert delivery.state == "cancelled" and "sample" in delivery.error and post.sent == []


def test_files_go_along(post: Post, reply: Any, run_jobs: Any) -> None:
    reply(files=[files.store_bytes(b"%PDF-1.7", "bill.pdf", "application/pdf")])
    run_jobs()
    (file,) = post.sent[0].files
    assert (file.name, file.content_type, file.size) == ("bill.pdf", "application/pdf", 8)
    with open(file.path, "rb") as stored:
        assert stored.read() == b"%PDF-1.7"


# ---- threads


def test_references_name_what_the_recipient_has_seen(
    post: Post, reply: Any, run_jobs: Any, make_ticket: Any, make_user: Any
) -> None:
    otto = make_user()
    ticket = make_ticket("Lock", external_id="first@post.example")
    reply("One", ticket)
    workflow.note(ticket, MessageDraft("Internal"), None)
    workflow.reply(ticket, MessageDraft("Answer", external_id="second@post.example"), ticket.requester)
    workflow.follow(ticket, otto, None)
    workflow.reply(ticket, MessageDraft("Two"), None)
    run_jobs()
    by_reader = {(outgoing.address, outgoing.text): outgoing for outgoing in post.sent}
    first = by_reader[ticket.requester.email, "One"]
    assert (first.references, first.in_reply_to) == (["first@post.example"], "first@post.example")
    assert first.subject == "Re: Lock"
    second = by_reader[ticket.requester.email, "Two"]
    assert second.references == ["first@post.example", first.identity, "second@post.example"]
    # The follower has seen nothing of it and learns no identity of it.
    other = by_reader[otto.email, "Two"]
    assert (other.references, other.in_reply_to, other.subject) == ([], None, "Lock")
    assert other.reply_token != second.reply_token and other.link != second.link


def test_a_long_conversation_keeps_its_first_and_its_newest_references(
    post: Post, make_ticket: Any, run_jobs: Any
) -> None:
    ticket = make_ticket(external_id="m0@post.example")
    for number in range(1, 40):
        workflow.reply(ticket, MessageDraft("x", external_id=f"m{number}@post.example"), ticket.requester)
    workflow.reply(ticket, MessageDraft("Done"), None)
    run_jobs()
    references = post.sent[-1].references
    assert len(references) == 20 and references[0] == "m0@post.example"
    assert references[1:] == [f"m{number}@post.example" for number in range(21, 40)]


# ---- notices and languages


def test_a_notice_is_automatic_and_in_the_readers_language(
    post: Post, run_jobs: Any, make_ticket: Any, make_user: Any
) -> None:
    english, chinese = make_user(), make_user()
    chinese.locale = "zh_Hans"
    db.session.commit()
    settings.save(DeskSettings, {"name": "Larkwheel Cycles"}, None)
    make_ticket("Lock", requester=english, notice=True)
    make_ticket("Lock", requester=chinese, notice=True)
    run_jobs()
    first, second = post.sent
    assert first.automatic and first.kind == "notice" and "Larkwheel Cycles" in first.text and "Lock" in first.subject
    assert (first.locale, second.locale) == ("en", second.locale)
    known = dict(__import__("helpdesk.core.i18n", fromlist=["locales"]).locales())
    assert second.locale == ("zh_Hans" if "zh_Hans" in known else "en")
    assert (second.text != first.text) == ("zh_Hans" in known)


def test_many_recipients_are_many_deliveries(post: Post, make_ticket: Any, make_user: Any, run_jobs: Any) -> None:
    people: list[User] = [make_user() for _ in range(12)]
    ticket = make_ticket(follower_ids=[person.id for person in people])
    workflow.reply(ticket, MessageDraft("News"), None)
    post.failures = [DeliveryFailed("No.", permanent=True)]
    run_jobs()
    states = sorted(db.session.scalars(select(Delivery.state)))
    assert states == ["failed"] + ["sent"] * 12
