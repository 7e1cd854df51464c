"""Anything going out: one identity for good, tried again while there is hope, and told when there is none."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.api import Channel, DeliveryFailed, OutgoingMessage, Reject, store_bytes, write_care, write_letter
from helpdesk.core import deliveries, files, links, personal_data, repairs, settings, unused_files, workflow
from helpdesk.core.channels import intake, outbox, pauses
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs import claims, ledger, runner
from helpdesk.core.models import Delivery, Event, Job, Ticket, User
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import Busy, transaction

pytestmark = pytest.mark.usefixtures("nothing_daily")


class Post:
    """A channel that keeps what it was given, or fails as a test says."""

    def __init__(self) -> None:
        self.sent: list[OutgoingMessage] = []
        self.failures: list[Exception] = []
        self.during: list[Callable[[], Any]] = []
        self.identities = 0

    def send(self, outgoing: OutgoingMessage) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.sent.append(outgoing)
        if self.during:
            self.during.pop(0)()

    def new_identity(self) -> str:
        self.identities += 1
        return f"{self.identities}@desk.example"


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
    # The reply, and the notices of it.
    assert run_jobs() == 2
    assert (delivery.state, delivery.attempts, delivery.error) == ("sent", 1, "") and delivery.sent_at is not None
    (outgoing,) = post.sent
    assert (outgoing.kind, outgoing.identity, outgoing.address) == ("reply", "1@desk.example", delivery.address)
    assert (outgoing.text, outgoing.author_name, outgoing.automatic) == ("Bring it in.", "Jonas Adair", False)
    assert outgoing.html == "<p>Bring it in.</p>"
    assert outgoing.link.startswith("http://desk.example/t/") and outgoing.reply_token
    ledger.schedule("core.deliver", delivery_id=delivery.id)
    assert run_jobs() == 1 and len(post.sent) == 1


@pytest.mark.db
def test_a_failure_is_tried_again_under_the_same_identity(post: Post, reply: Any, run_jobs: Any, travel: Any) -> None:
    delivery = reply()
    post.failures = [DeliveryFailed("The server does not answer."), DeliveryFailed("It still does not.")]
    run_jobs()
    assert (delivery.state, delivery.error, delivery.attempts) == ("waiting", "The server does not answer.", 1)
    assert run_jobs() == 0, "it is not tried again at once"
    assert delivery.next_at is not None and timedelta(0) < delivery.next_at - now() < timedelta(seconds=70)
    travel(seconds=70)
    run_jobs()
    assert (delivery.state, delivery.error) == ("waiting", "It still does not.")
    travel(minutes=6)
    run_jobs()
    assert delivery.next_at is None
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
    begun = now()
    while delivery.state == "waiting":
        run_jobs()
        travel(hours=1)
    assert timedelta(hours=80) < now() - begun < timedelta(hours=110), "a weekend is not too long"
    assert delivery.state == "failed" and str(error).split()[0] in delivery.error and delivery.next_at is None
    assert len(db.session.scalars(select(Event).where(Event.kind == "delivery_failed")).all()) == 1
    job = db.session.scalars(select(Job).where(Job.name == "core.deliver")).one()
    assert (job.state, job.attempts) == ("failed", outbox.ATTEMPTS)


def test_a_person_may_have_it_sent_after_all(post: Post, reply: Any, run_jobs: Any) -> None:
    delivery = reply()
    post.failures = [DeliveryFailed("No such mailbox.", permanent=True)]
    run_jobs()
    outbox.retry(Delivery.id == delivery.id)
    run_jobs()
    assert delivery.state == "sent" and len(post.sent) == 1
    outbox.retry(Delivery.id == delivery.id)
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
    for _turn in range(30):
        run_jobs()
        travel(hours=12)
    assert (delivery.state, delivery.attempts) == ("waiting", 0), "it uses up no attempt"
    assert delivery.error == "The channel “email” is off." and delivery.next_at is not None
    post = Post()
    plug("post", register_channels=lambda: [Channel("email", "Post", send=post.send)])
    travel(minutes=20)
    run_jobs()
    assert delivery.state == "sent" and post.sent[0].identity == delivery.identity
    assert (delivery.error, delivery.next_at) == ("", None)


@pytest.mark.db
def test_who_is_out_of_reach_is_marked(post: Post, reply: Any, run_jobs: Any) -> None:
    delivery = reply()
    post.failures = [DeliveryFailed("There is no such mailbox.", permanent=True, unreachable=True)]
    run_jobs()
    person = delivery.user
    assert delivery.state == "failed" and person is not None
    assert person.bounced_at is not None and person.bounce_reason == "There is no such mailbox."
    assert not deliveries.takes_care(person)


def test_who_has_another_address_by_now_is_not_marked(post: Post, reply: Any, run_jobs: Any) -> None:
    delivery = reply()
    assert delivery.user is not None
    with transaction():
        delivery.user.email = "new@customer.example"
    post.failures = [DeliveryFailed("There is no such mailbox.", permanent=True, unreachable=True)]
    run_jobs()
    assert delivery.state == "failed" and delivery.user.bounced_at is None


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


# ---- what comes back


@pytest.mark.db
def test_what_comes_back_is_told_on_its_ticket_once(post: Post, reply: Any, run_jobs: Any) -> None:
    delivery = reply()
    run_jobs()
    assert not outbox.bounced("unknown@desk.example", "No such mailbox.")
    assert outbox.bounced(delivery.identity, "550 No such mailbox.")
    assert not outbox.bounced(delivery.identity, "550 No such mailbox.")
    assert (delivery.state, delivery.error) == ("bounced", "550 No such mailbox.")
    event = db.session.scalars(select(Event).where(Event.kind == "delivery_bounced")).one()
    assert (event.ticket_id, event.message_id) == (delivery.ticket_id, delivery.message_id)
    assert event.data == {"address": delivery.address, "reason": "550 No such mailbox."}
    outbox.retry(Delivery.id == delivery.id)
    run_jobs()
    assert delivery.state == "sent" and [one.identity for one in post.sent] == [delivery.identity] * 2


# ---- one job sends it


@pytest.fixture
def other_worker(post: Post, aside: Any) -> None:
    """While the first message is being sent, another worker runs what it finds."""
    post.during = [lambda: aside(runner.run_due)]


@pytest.mark.db
def test_one_held_back_and_sent_again_goes_once(
    post: Post, reply: Any, run_jobs: Any, make_user: Any, other_worker: None
) -> None:
    admin, delivery = make_user("admin"), reply()
    assert repairs.cancel_outgoing(delivery, admin) and repairs.retry_outgoing(delivery, admin)
    run_jobs()
    assert len(post.sent) == 1 and delivery.state == "sent"


@pytest.mark.db
def test_a_job_that_another_has_taken_over_from_sends_nothing(
    post: Post, reply: Any, run_jobs: Any, make_user: Any, other_worker: None
) -> None:
    admin, delivery = make_user("admin"), reply()
    job = db.session.scalars(select(Job).where(Job.name == "core.deliver")).one()
    with transaction():
        delivery.state = job.state = "failed"
    assert repairs.retry_job(job, admin) and job.state == "cancelled"
    assert repairs.retry_job(job, admin) and job.state == "waiting"
    run_jobs()
    assert len(post.sent) == 1 and delivery.state == "sent"


@pytest.mark.db
def test_a_cancelled_job_run_again_sends_its_failed_message(
    post: Post, reply: Any, run_jobs: Any, make_user: Any
) -> None:
    admin, delivery = make_user("admin"), reply()
    post.failures = [DeliveryFailed("No such mailbox.", permanent=True)] * 2
    job = db.session.scalars(select(Job).where(Job.name == "core.deliver")).one()
    assert repairs.cancel_outgoing(delivery, admin) and repairs.retry_outgoing(delivery, admin)
    run_jobs()
    assert (job.state, delivery.state) == ("cancelled", "failed")
    post.failures = []
    assert repairs.retry_job(job, admin)
    run_jobs()
    assert len(post.sent) == 1 and delivery.state == "sent"


@pytest.mark.db
def test_what_is_being_sent_is_not_said_to_be_held_back(
    post: Post, reply: Any, run_jobs: Any, make_user: Any, aside: Any
) -> None:
    admin, number = make_user("admin").id, reply().id
    held: list[Any] = []

    def hold() -> bool:
        return repairs.cancel_outgoing(db.session.get_one(Delivery, number), db.session.get_one(User, admin))

    post.during = [lambda: held.append(aside(hold).result(30))]
    run_jobs()
    assert held == [False] and db.session.get_one(Delivery, number).state == "sent"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_said_to_be_held_back_is_not_sent(post: Post, reply: Any, make_user: Any, aside: Any) -> None:
    """A worker comes after the look at its job, before the commit."""
    admin, delivery = make_user("admin"), reply()
    with transaction():
        assert repairs.cancel_outgoing(delivery, admin)
        worker = aside(runner.run_due)
        assert post.sent == []
    worker.result(30)
    assert post.sent == [] and delivery.state == "cancelled"


@pytest.mark.parametrize(("noting", "copies"), [(outbox._NOTING, 1), (timedelta(0), 2)])
def test_a_desk_that_cannot_note_it_sends_again_only_after_a_while(
    post: Post,
    reply: Any,
    run_jobs: Any,
    travel: Any,
    monkeypatch: pytest.MonkeyPatch,
    noting: timedelta,
    copies: int,
) -> None:
    monkeypatch.setattr(outbox, "_NOTING", noting)
    monkeypatch.setattr(outbox, "_NOTING_PAUSE", timedelta(0))
    delivery, finish, busy = reply(), claims.finish, [Busy("The desk is busy.")]

    def not_at_first(*given: Any, **named: Any) -> bool:
        if post.sent and busy:
            raise busy.pop()
        return finish(*given, **named)

    monkeypatch.setattr(claims, "finish", not_at_first)
    run_jobs()
    travel(seconds=10)
    run_jobs()
    assert delivery.state == "sent" and {one.identity for one in post.sent} == {delivery.identity}
    assert len(post.sent) == copies


# ---- when it may go


@pytest.mark.db
def test_an_answer_does_not_overtake_an_earlier_one_for_an_hour(
    post: Post, reply: Any, run_jobs: Any, travel: Any, make_ticket: Any
) -> None:
    ticket, other = make_ticket(), make_ticket()
    post.failures = [DeliveryFailed("Try later.")]
    first = reply("First", ticket)
    run_jobs()
    second, elsewhere = reply("Second", ticket), reply("Elsewhere", other)
    run_jobs()
    assert [one.text for one in post.sent] == ["Elsewhere"] and elsewhere.state == "sent"
    assert (first.state, second.state, second.attempts) == ("waiting", "waiting", 0)
    travel(minutes=2)
    run_jobs()
    travel(minutes=1)
    run_jobs()
    assert [one.text for one in post.sent] == ["Elsewhere", "First", "Second"]


def test_a_message_that_alone_cannot_go_holds_up_the_others_for_an_hour_only(
    plug: Any, reply: Any, run_jobs: Any, travel: Any, make_ticket: Any
) -> None:
    sent: list[str] = []

    def send(outgoing: OutgoingMessage) -> None:
        if outgoing.text == "Too large":
            raise DeliveryFailed("452 Not now.")
        sent.append(outgoing.text)

    plug("post", register_channels=lambda: [Channel("email", "Post", send=send)])
    ticket = make_ticket()
    reply("Too large", ticket)
    run_jobs()
    reply("Small", ticket)
    for _turn in range(5):
        run_jobs()
        assert sent == []
        travel(minutes=10)
    travel(minutes=15)
    run_jobs()
    assert sent == ["Small"]


@pytest.fixture
def slow_post(plug: Any) -> tuple[Post, dict[str, int | None]]:
    """A channel that sends as many a minute as the test says."""
    post, limit = Post(), {"a minute": 3}
    channel = Channel("email", "Post", send=post.send, per_minute=lambda: limit["a minute"])
    plug("post", register_channels=lambda: [channel])
    return post, limit  # type: ignore[return-value]


@pytest.mark.db
def test_a_channel_sends_so_many_a_minute_in_order_and_without_a_herd(
    slow_post: Any, reply: Any, run_jobs: Any, travel: Any
) -> None:
    post, limit = slow_post
    rows = [reply(f"Number {number}") for number in range(10)]
    run_jobs()
    assert [one.text for one in post.sent] == ["Number 0", "Number 1", "Number 2"]
    assert {row.attempts for row in rows} == {0, 1}, "waiting for a place is no attempt"
    due = db.session.scalars(
        select(Job.run_at).where(Job.name == "core.deliver", Job.state == "waiting").order_by(Job.id)
    ).all()
    assert due == sorted(due), "each has the place behind the one before"
    assert due[3] - due[0] > timedelta(seconds=50) and due[6] - due[3] > timedelta(seconds=50)
    for minute in range(1, 4):
        travel(seconds=61)
        run_jobs()
        assert [one.text for one in post.sent] == [f"Number {number}" for number in range(min(10, 3 + 3 * minute))]
    limit["a minute"] = None
    for number in range(10):
        reply(f"More {number}")
    run_jobs()
    assert len(post.sent) == 20


@pytest.mark.db
def test_many_workers_together_do_not_send_more_than_the_channel_allows(
    slow_post: Any, reply: Any, at_once: Any
) -> None:
    post, _limit = slow_post
    for number in range(8):
        reply(f"Number {number}")
    results = at_once(4, lambda _place: runner.run_due())
    assert all(isinstance(result, int) for result in results), results
    assert len(post.sent) == 3


# ---- what is given up is seen


def test_an_incoming_item_that_ends_its_workers_is_put_where_people_look(app: Any) -> None:
    item = intake.store("email", b"poison")
    intake.given_up(item.id, "Its worker ended 3 times without finishing it.")
    assert (item.state, item.reason) == ("quarantined", "Its worker ended 3 times without finishing it.")


# ---- Colleagues


def told(ticket: Ticket) -> list[Delivery]:
    query = select(Delivery).where(Delivery.ticket_id == ticket.id, Delivery.kind == "agent").order_by(Delivery.id)
    return list(db.session.scalars(query))


def test_agents_are_told_what_a_customer_writes(post: Post, make_ticket: Any, make_user: Any, run_jobs: Any) -> None:
    ticket, jonas, mia = make_ticket("Creaking"), make_user("agent", name="Jonas"), make_user("agent", name="Mia")
    workflow.assign(ticket, jonas, None)
    workflow.follow(ticket, mia, None)
    workflow.reply(ticket, MessageDraft("Before the owner wants it."), ticket.requester)
    run_jobs()
    assert told(ticket) == []
    settings.save(DeskSettings, {"tell_staff": True}, None)
    workflow.reply(ticket, MessageDraft("It still creaks."), ticket.requester)
    workflow.reply(ticket, MessageDraft("We look at it."), jonas)
    run_jobs()
    assert [delivery.user_id for delivery in told(ticket)] == [jonas.id, mia.id]
    mail = next(outgoing for outgoing in post.sent if outgoing.address == jonas.email)
    assert (mail.kind, mail.text, mail.automatic, mail.subject) == ("agent", "It still creaks.", True, "Creaking")
    assert mail.link == f"http://desk.example/desk/tickets/{ticket.id}"
    found = links.redeem(links.REPLY, mail.reply_token or "")
    assert found is not None and found[1].id == jonas.id, "the token is that agent's own"


def test_agents_are_not_told_what_a_robot_writes(post: Post, make_ticket: Any, make_user: Any, run_jobs: Any) -> None:
    settings.save(DeskSettings, {"tell_staff": True}, None)
    ticket = make_ticket()
    workflow.assign(ticket, make_user("agent"), None)
    item = intake.store("email", b"From: a@b.example\r\n\r\nI am away.")
    with transaction():
        item.machine = True
    workflow.reply(ticket, MessageDraft("I am away.", intake_id=item.id), ticket.requester)
    run_jobs()
    assert told(ticket) == []


def test_an_agent_reads_the_desks_language(post: Post, make_ticket: Any, make_user: Any, run_jobs: Any) -> None:
    settings.save(DeskSettings, {"tell_staff": True}, None)
    ticket, agent = make_ticket(requester=make_user(locale="zh_Hans")), make_user("agent")
    workflow.assign(ticket, agent, None)
    workflow.reply(ticket, MessageDraft("还在响。"), ticket.requester)
    run_jobs()
    (mail,) = [outgoing for outgoing in post.sent if outgoing.kind == "agent"]
    assert (mail.locale, mail.link_label) == ("en", "Open the ticket")


# ---- What stands in a mail


def test_an_answer_has_account_signature_and_links_to_its_files(
    post: Post, make_ticket: Any, make_user: Any, run_jobs: Any, client: Any
) -> None:
    ticket, agent = make_ticket(), make_user("agent")
    file = files.store_bytes(b"%PDF-", "bill.pdf", "application/pdf")
    with transaction():
        ticket.channel, ticket.account, agent.signature = "email", "sales@desk.example", "Yours, Jonas"
    workflow.reply(ticket, MessageDraft("See below.", files=[file], channel="email"), agent)
    workflow.reply(ticket, MessageDraft("See.\n\nYours, Jonas", channel="desk"), agent)
    run_jobs()
    first, second = post.sent
    assert (first.account, first.signature, second.signature) == ("sales@desk.example", "Yours, Jonas", "")
    address = first.files[0].link.removeprefix("http://desk.example")
    assert client.get(address).data == b"%PDF-", "without an account"
    assert client.get(address.replace("/t/", "/t/1")).status_code == 404


def test_a_notice_says_what_it_was_given(post: Post, make_ticket: Any, run_jobs: Any) -> None:
    ticket = make_ticket()
    with transaction():
        deliveries.queue("notice", [ticket.requester], ticket=ticket, data={"text": "We are closed."})
    run_jobs()
    assert [(outgoing.kind, outgoing.text, outgoing.automatic) for outgoing in post.sent] == [
        ("notice", "We are closed.", True)
    ]


# ---- What nobody asked for


def test_care_mail_says_how_to_get_no_more(post: Post, make_user: Any, run_jobs: Any) -> None:
    anna = make_user(name="Anna")
    write_care(anna, "How was it?", "Tell us.", link="http://desk.example/ask", link_label="Answer")
    run_jobs()
    (mail,) = post.sent
    assert (mail.kind, mail.subject, mail.text, mail.link) == (
        "care",
        "How was it?",
        "Tell us.",
        "http://desk.example/ask",
    )
    assert mail.unsubscribe == links.unsubscribe_url(anna) and mail.automatic


def test_care_mail_reaches_nobody_who_wants_none(post: Post, make_user: Any, run_jobs: Any) -> None:
    anna, ben, cleo = make_user(), make_user(), make_user()
    waiting = write_care(cleo, "How was it?", "Tell us.")
    with transaction():
        ben.bounced_at = now()
    deliveries.stop_care(anna)
    deliveries.stop_care(cleo)
    assert write_care(anna, "How was it?", "Tell us.") is None
    assert write_care(ben, "How was it?", "Tell us.") is None
    run_jobs()
    assert post.sent == []
    assert waiting is not None and waiting.state == "cancelled" and "wants no such mail" in waiting.error


# ---- what was arranged


def test_a_letter_goes_out_with_its_file_and_is_no_answer(
    post: Post, make_user: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    """Its file stays while it may be sent, and goes with the person."""
    anna, ben = make_user(name="Anna"), make_user()
    ticket = make_ticket(requester=anna)
    run_jobs()
    post.sent.clear()
    with transaction():
        ben.bounced_at = now()
    file, place = store_bytes(b"BEGIN:VCALENDAR", "call.ics", "text/calendar"), "http://desk.example/c"
    assert write_letter(ben, "A call", "At ten.") is None
    write_letter(anna, "A call", "At ten.", ticket=ticket, files=[file], link=place, link_label="Move")
    unused_files.remove([file.sha256], (now() + timedelta(days=3)).isoformat())
    assert files.path_of(file.sha256).exists()
    run_jobs()
    (mail,) = post.sent
    assert (mail.kind, mail.subject, mail.text, mail.link) == ("letter", "A call", "At ten.", place)
    assert [(one.name, one.content_type) for one in mail.files] == [("call.ics", "text/calendar")]
    assert mail.automatic and mail.reply_token and not mail.unsubscribe
    db.session.refresh(ticket)
    assert ticket.first_response_at is None
    personal_data.erase(anna, make_user("admin"))
    run_jobs()
    assert not files.path_of(file.sha256).exists()


# ---- pauses


def _paused(post: Post, run_jobs: Any, *written: Delivery) -> None:
    """Each has failed once, for a reason of the server's."""
    post.failures = [DeliveryFailed("The server does not answer.") for _one in written]
    run_jobs()
    assert {delivery.attempts for delivery in written} == {1}


@pytest.mark.db
def test_the_first_that_goes_takes_along_what_waited_for_the_same_reason(
    post: Post, reply: Any, run_jobs: Any, travel: Any
) -> None:
    first, second = reply(), reply()
    _paused(post, run_jobs, first, second)
    alone = reply()
    post.failures = [DeliveryFailed("Its mailbox is full.")]
    run_jobs()
    with transaction():
        for delivery in (second, alone):
            later = now() + timedelta(hours=20)
            delivery.next_at = later
            db.session.get_one(Job, delivery.job_id).run_at = later
    travel(minutes=2)
    run_jobs()
    assert (first.state, second.state) == ("sent", "sent")
    assert (alone.state, alone.attempts) == ("waiting", 1), "its tries are kept for its own reason"


@pytest.mark.db
def test_what_waits_behind_an_earlier_one_says_why_and_goes_right_after_it(
    post: Post, reply: Any, run_jobs: Any, travel: Any
) -> None:
    first = reply()
    _paused(post, run_jobs, first)
    second = reply("And the chain.", ticket=first.ticket)
    run_jobs()
    assert second.state == "waiting" and second.attempts == 0
    assert second.error == (
        "An earlier message to the same person goes first, and that one waits: The server does not answer."
    )
    assert first.next_at <= second.next_at <= first.next_at + timedelta(seconds=3)
    assert pauses.send_waiting("letters") == 0
    assert pauses.send_waiting("email") == 2
    run_jobs()
    travel(seconds=5)
    run_jobs()
    assert (first.state, second.state, second.error) == ("sent", "sent", "")
    assert [outgoing.text for outgoing in post.sent] == ["Bring it in.", "And the chain."]
    assert pauses.send_waiting("email") == 0
