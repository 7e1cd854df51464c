"""Several servers: the next takes what one cannot, nothing leaves twice, and one that fails is left alone a while."""

from collections.abc import Callable
from typing import Any

import pytest
from helpdesk_email import channel, models, servers
from helpdesk_email.settings import EmailSettings

from helpdesk.api import Delivery, Event, MessageDraft, OutgoingMessage, User, db, now, reply, settings, transaction

ANNA = "anna@customer.example"


@pytest.fixture
def first(app: Any, serve: Any, configure: Any) -> Callable[..., Any]:
    """Have the server of the settings answer so; answers what it was given."""

    def answer(**answers: str) -> Any:
        server, handler = serve(**answers)
        configure(
            EmailSettings,
            address="help@shop.example",
            smtp_host=server.host,
            smtp_port=server.port,
            smtp_security="none",
        )
        return handler

    return answer


@pytest.fixture
def beside(app: Any, serve: Any) -> Callable[..., Any]:
    """Add a server beside it; answers its row and what it was given."""

    def add(position: int = 1, name: str = "Second", **answers: str) -> Any:
        server, handler = serve(**answers)
        row = models.Server(name=name, position=position, host=server.host, port=server.port, security="none")
        with transaction():
            db.session.add(row)
        return row, handler

    return add


@pytest.fixture
def answered(make_ticket: Any, make_user: Any, run_jobs: Any) -> Callable[..., Delivery]:
    """An agent answers; what became of it."""
    agent = make_user("agent")

    def write(address: str = ANNA) -> Delivery:
        ticket = make_ticket(
            requester=db.session.scalar(db.select(User).where(User.email == address)) or make_user(email=address)
        )
        message = reply(ticket, MessageDraft("It is on its way."), agent)
        run_jobs()
        return db.session.scalars(db.select(Delivery).where(Delivery.message_id == message.id)).one()

    return write


@pytest.mark.parametrize(
    "fault",
    [{"mail": "451 4.7.0 too many"}, {"mail": "553 not yours"}, {"rcpt": "450 later"}, {"data": "452 disk full"}],
    ids=["busy", "sender refused", "recipient later", "text later"],
)
def test_the_next_server_takes_what_one_cannot(first: Any, beside: Any, answered: Any, fault: dict[str, str]) -> None:
    first(**fault)
    row, second = beside()
    delivery = answered()
    assert (delivery.state, delivery.attempts, delivery.error) == ("sent", 1, "")
    assert [envelope.rcpt_tos for envelope in second.envelopes] == [[ANNA]]
    assert row.sent_at is not None and row.error == ""


def test_a_server_that_is_not_there_rests_and_comes_back(
    first: Any, beside: Any, answered: Any, configure: Any, free_port: int, travel: Any
) -> None:
    own = first()
    row, other = beside(position=0)
    port = row.port
    with transaction():
        row.port = free_port
    answered()
    assert len(own.envelopes) == 1 and row.rests_until is not None and row.rests_until > now()
    assert "does not answer on port" in row.error and row.failed_at is not None
    with transaction():
        row.port = port
    answered("ben@customer.example")
    assert (len(own.envelopes), len(other.envelopes)) == (2, 0), "it rests"
    travel(minutes=6)
    answered("cleo@customer.example")
    assert (len(own.envelopes), len(other.envelopes)) == (2, 1)
    assert row.rests_until is None and row.error == ""


def test_a_server_that_rests_is_better_than_none(first: Any, answered: Any, run_jobs: Any, travel: Any) -> None:
    own = first(mail="421 closing")
    delivery = answered()
    assert delivery.state == "waiting" and "421 closing" in delivery.error
    own.answers.clear()
    travel(seconds=70)
    run_jobs()
    assert delivery.state == "sent", "the only one is tried though it rests still"


def test_who_refuses_for_good_is_believed(first: Any, beside: Any, answered: Any) -> None:
    first(rcpt="550 5.1.1 no such person")
    row, second = beside()
    delivery = answered()
    assert delivery.state == "failed" and "550 5.1.1 no such person" in delivery.error
    assert second.asked == []
    assert servers.main_state(settings(EmailSettings)) is None, "the server does well"


@pytest.mark.db
@pytest.mark.parametrize(
    ("refusal", "gone"),
    [
        ("550 5.1.1 no such person", True),
        ("550 User unknown", True),
        ("550 5.7.1 relaying denied", False),
        ("554 5.7.1 blocked as spam", False),
        ("550 relay not permitted", False),
        ("550 5.1.8 bad sender", False),
    ],
)
def test_an_address_that_is_refused_at_once_is_marked_as_one_that_bounced(
    first: Any, answered: Any, refusal: str, gone: bool
) -> None:
    own = first(rcpt=refusal)
    delivery = answered()
    assert delivery.state == "failed" and delivery.user is not None
    assert (delivery.user.bounced_at is not None) is gone
    assert delivery.user.bounce_reason == (delivery.error if gone else "")
    told = db.session.scalars(db.select(Event).where(Event.kind == "delivery_failed")).one()
    assert told.ticket_id == delivery.ticket_id and delivery.ticket.category == "open"
    own.answers.clear()


def test_what_failed_is_said_in_the_language_of_the_desk(first: Any, answered: Any, make_user: Any) -> None:
    first(rcpt="550 5.1.1 no such person")
    make_user(email=ANNA, locale="zh_Hans")
    assert "refused the address" in answered().error


def test_what_may_have_been_taken_is_given_to_no_other_server(
    first: Any, beside: Any, answered: Any, run_jobs: Any, travel: Any
) -> None:
    own = first(data="gone")
    _row, second = beside()
    delivery = answered()
    assert delivery.state == "waiting" and "before it said whether it took the mail" in delivery.error
    assert second.asked == [] and len(own.asked) == 1
    travel(seconds=70)
    run_jobs()
    assert delivery.state == "sent"
    assert f"<{delivery.identity}>".encode() in second.envelopes[0].content


def test_after_all_have_failed_each_has_its_say(first: Any, beside: Any, answered: Any) -> None:
    first(mail="553 5.7.1 not yours")
    beside(mail="451 4.3.0 not now")
    delivery = answered()
    assert delivery.state == "waiting"
    assert "553 5.7.1 not yours" in delivery.error and "451 4.3.0 not now" in delivery.error


def test_an_address_that_one_server_cannot_write_is_sent_by_another(
    first: Any, app: Any, serve: Any, answered: Any, configure: Any
) -> None:
    server, _handler = serve({"enable_SMTPUTF8": False})
    first()
    configure(EmailSettings, smtp_port=server.port)
    delivery = answered("jörg@customer.example")
    assert delivery.state == "failed" and "letters outside ASCII" in delivery.error
    other, handler = serve({"enable_SMTPUTF8": True})
    row = models.Server(name="Second", host=other.host, port=other.port, security="none")
    with transaction():
        db.session.add(row)
    assert answered("jörg@customer.example").state == "sent"
    assert handler.envelopes[0].rcpt_tos == ["jörg@customer.example"]


def test_they_are_tried_in_their_order_a_mailboxs_own_first(first: Any, beside: Any, app: Any) -> None:
    first()
    rows = {name: beside(position, name)[0] for name, position in (("b", 2), ("a", 1), ("z", -1), ("zero", 0))}
    off, _handler = beside(5, "off")
    with transaction():
        off.active = False
    numbers = {row.id: name for name, row in rows.items()}
    order = [numbers.get(outlet.id, "settings") for outlet in servers.in_order()]
    assert order == ["z", "zero", "settings", "a", "b"]
    order = [numbers.get(outlet.id, "settings") for outlet in servers.in_order(rows["b"].id)]
    assert order == ["b", "z", "zero", "settings", "a"]


def test_a_mail_leaves_in_the_name_of_the_tickets_mailbox(
    first: Any, beside: Any, make_ticket: Any, make_user: Any, run_jobs: Any, configure: Any
) -> None:
    own = first()
    row, second = beside()
    box = models.Mailbox(address="sales@shop.example", sender_name="Sales", signature="The sales team")
    with transaction():
        box.server_id = row.id
        db.session.add(box)
        ticket = make_ticket(requester=make_user(email=ANNA))
        ticket.channel, ticket.account = "email", "sales@shop.example"
    reply(ticket, MessageDraft("Yes."), make_user("agent", name="Abe"))
    run_jobs()
    (envelope,) = second.envelopes
    text = envelope.content.decode()
    assert own.envelopes == [] and envelope.mail_from == "sales@shop.example"
    assert 'From: "Abe (Sales)" <sales@shop.example>' in text and "Reply-To: Sales <sales+" in text
    assert "The sales team" in text and "X-Loop: sales@shop.example" in text


def test_the_number_a_minute_holds_for_all_servers_together(
    first: Any, beside: Any, make_ticket: Any, make_user: Any, run_jobs: Any, configure: Any, travel: Any
) -> None:
    first(mail="451 busy")
    _row, second = beside()
    configure(EmailSettings, mails_a_minute=2)
    agent = make_user("agent")
    for _number in range(5):
        reply(make_ticket(requester=make_user()), MessageDraft("Hello"), agent)
    run_jobs()
    assert len(second.envelopes) == 2
    travel(seconds=63)
    run_jobs()
    assert len(second.envelopes) == 4


def test_that_nothing_can_be_noted_makes_no_mail_unsent(first: Any, beside: Any, app: Any, monkeypatch: Any) -> None:
    first(mail="451 busy")
    _row, second = beside()

    def cannot_write(*_arguments: Any) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(servers, "_write", cannot_write)
    channel.send(OutgoingMessage("reply", "m1@shop.example", ANNA, "Anna", "en", "Hello", "Hello"))
    assert len(second.envelopes) == 1
