"""The whole way: a customer's mail, the agent's answer over SMTP, the customer's answer to that."""

import re
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from helpdesk.api import Delivery, Message, MessageDraft, Ticket, db, follow, receive, reply

ANNA = "Anna Berg <anna@customer.example>"


def write(body: str = "My order is late.", sender: str = ANNA, to: str = "help@desk.example", **headers: str) -> bytes:
    """A customer's mail as a mail program writes it."""
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, to
    mail["Subject"] = headers.pop("subject", "Where is my order?")
    mail["Message-ID"] = headers.pop("message_id", "<c1@customer.example>")
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body)
    return mail.as_bytes()


def ticket_of(outcome: Any) -> Ticket:
    found = db.session.get(Ticket, outcome.ticket_id)
    assert found is not None
    return found


def count(model: type) -> int:
    return int(db.session.scalar(db.select(db.func.count()).select_from(model)))


@pytest.fixture
def answered(app: Any, mailbox: Any, make_user: Any, run_jobs: Callable[[], int]) -> tuple[Ticket, EmailMessage]:
    """Anna's ticket, and the answer that she got."""
    ticket = ticket_of(receive("email", write()))
    agent = make_user("agent", name="Abe Agent")
    reply(ticket, MessageDraft("It is on its way.", html="<p>It is on its <b>way</b>.</p>"), agent)
    run_jobs()
    (mail,) = [found for found in mailbox.to("anna@customer.example") if found["Auto-Submitted"] is None]
    return ticket, mail


def test_a_mail_becomes_a_ticket(app: Any, mailbox: Any) -> None:
    outcome = receive("email", write("Grüße, my order is late.\n\n> old words"))
    ticket = ticket_of(outcome)
    assert (outcome.outcome, ticket.subject, ticket.channel) == ("ticket", "Where is my order?", "email")
    assert (ticket.requester.email, ticket.requester.name) == ("anna@customer.example", "Anna Berg")
    message = db.session.scalars(db.select(Message).where(Message.ticket_id == ticket.id)).one()
    assert (message.text, message.quoted) == ("Grüße, my order is late.", "> old words")


def test_the_same_mail_twice_is_one_ticket(app: Any, mailbox: Any) -> None:
    first, second = receive("email", write()), receive("email", write())
    assert first.ticket_id == second.ticket_id
    assert count(Ticket) == 1


def test_the_answer_leaves_in_the_same_thread(answered: tuple[Ticket, EmailMessage]) -> None:
    ticket, mail = answered
    assert mail["Subject"] == "Re: Where is my order?"
    assert mail["From"].addresses[0].addr_spec == "help@desk.example"
    assert "Abe Agent" in mail["From"].addresses[0].display_name
    assert re.fullmatch(r"<[0-9a-f]{32}@desk\.example>", mail["Message-ID"])
    assert "<c1@customer.example>" in mail["References"]
    reply_to = mail["Reply-To"].addresses[0].addr_spec
    assert re.fullmatch(r"help\+[0-9a-z]+-[0-9a-z]+-[0-9a-z]{26}@desk\.example", reply_to)
    delivery = db.session.scalars(
        db.select(Delivery).where(Delivery.ticket_id == ticket.id, Delivery.kind == "reply")
    ).one()
    assert (delivery.state, f"<{delivery.identity}>") == ("sent", mail["Message-ID"])
    text = mail.get_body(("plain",)).get_content()
    html = mail.get_body(("html",)).get_content()
    assert "It is on its way." in text
    assert "<b>way</b>" in html
    assert "http://desk.example/t/" in text
    assert "http://desk.example/t/" in html
    assert "<table" not in html
    assert "<img" not in html


def test_the_customers_answer_joins_by_the_signed_address(answered: tuple[Ticket, EmailMessage]) -> None:
    ticket, mail = answered
    to = mail["Reply-To"].addresses[0].addr_spec.upper()
    outcome = receive("email", write("Thanks!", to=to, message_id="<c2@customer.example>", subject="Another subject"))
    assert (outcome.outcome, outcome.reason, outcome.ticket_id) == ("message", "reply_token", ticket.id)


def test_the_customers_answer_joins_by_its_references(answered: tuple[Ticket, EmailMessage]) -> None:
    ticket, mail = answered
    raw = write("Thanks!", message_id="<c2@customer.example>", In_Reply_To=mail["Message-ID"])
    outcome = receive("email", raw)
    assert (outcome.outcome, outcome.reason, outcome.ticket_id) == ("message", "reference", ticket.id)


def test_the_token_counts_also_where_only_the_transport_noted_it(answered: tuple[Ticket, EmailMessage]) -> None:
    ticket, mail = answered
    delivered = mail["Reply-To"].addresses[0].addr_spec
    outcome = receive("email", write("Thanks!", message_id="<c2@customer.example>", Delivered_To=delivered))
    assert (outcome.outcome, outcome.ticket_id) == ("message", ticket.id)


@pytest.mark.parametrize(
    "forge",
    [
        lambda address: address[:-15] + "a" * 2 + address[-13:],
        lambda address: address.replace("+1-", "+2-"),
        lambda address: re.sub(r"-[0-9a-z]{26}@", "-" + "0" * 26 + "@", address),
        lambda address: "help+1-1-@desk.example",
    ],
    ids=["changed", "other ticket", "zeros", "empty"],
)
def test_a_forged_token_does_not_join(answered: tuple[Ticket, EmailMessage], forge: Callable[[str], str]) -> None:
    ticket, mail = answered
    address = forge(mail["Reply-To"].addresses[0].addr_spec)
    outcome = receive("email", write("Thanks!", to=address, message_id="<c2@customer.example>"))
    assert (outcome.outcome, outcome.ticket_id == ticket.id) == ("ticket", False)


@pytest.mark.parametrize("how", ["token", "references"])
def test_somebody_else_does_not_join(answered: tuple[Ticket, EmailMessage], how: str) -> None:
    ticket, mail = answered
    to = mail["Reply-To"].addresses[0].addr_spec if how == "token" else "help@desk.example"
    eve = "Anna Berg <eve@elsewhere.example>"
    raw = write("Thanks!", eve, to, message_id="<e@x.example>", References=mail["Message-ID"], Reply_To=ANNA)
    outcome = receive("email", raw)
    assert (outcome.outcome, outcome.ticket_id == ticket.id) == ("ticket", False)


def test_a_number_in_the_subject_does_not_join(answered: tuple[Ticket, EmailMessage]) -> None:
    ticket, _mail = answered
    outcome = receive(
        "email", write("Hi", subject=f"Re: [#{ticket.number}] Where is my order?", message_id="<c9@c.example>")
    )
    assert (outcome.outcome, outcome.ticket_id == ticket.id) == ("ticket", False)


def test_an_out_of_office_answer_changes_no_status(
    answered: tuple[Ticket, EmailMessage], run_jobs: Any, mailbox: Any
) -> None:
    ticket, mail = answered
    before, sent = ticket.status_id, len(mailbox.messages)
    to = mail["Reply-To"].addresses[0].addr_spec
    raw = write("I am away.", to=to, message_id="<c3@customer.example>", Auto_Submitted="auto-replied")
    outcome = receive("email", raw)
    run_jobs()
    assert outcome.machine
    assert ticket.status_id == before
    assert len(mailbox.messages) == sent


def test_a_mail_that_is_too_large_for_a_person_is_kept_and_said(app: Any, mailbox: Any) -> None:
    outcome = receive("email", b"no header at all")
    assert outcome.outcome == "quarantined"
    assert outcome.reason


def test_a_refused_recipient_is_a_failed_delivery(app: Any, mailbox: Any, make_user: Any, run_jobs: Any) -> None:
    ticket = ticket_of(receive("email", write()))
    run_jobs()
    mailbox.refuse = "550 5.1.1 no such person"
    reply(ticket, MessageDraft("Hello"), make_user("agent"))
    run_jobs()
    delivery = db.session.scalars(db.select(Delivery).where(Delivery.kind == "reply")).one()
    assert delivery.state == "failed"
    assert "550 5.1.1 no such person" in delivery.error


def test_before_it_is_set_up_mail_waits_and_says_why(app: Any, make_ticket: Any, make_user: Any, run_jobs: Any) -> None:
    reply(make_ticket(), MessageDraft("Hello"), make_user("agent"))
    run_jobs()
    delivery = db.session.scalars(db.select(Delivery).where(Delivery.kind == "reply")).one()
    assert delivery.state == "waiting"
    assert "Enter the desk's mail address" in delivery.error


def test_mails_speak_the_requesters_language(
    app: Any, mailbox: Any, make_user: Any, make_ticket: Any, run_jobs: Any
) -> None:
    ticket = make_ticket("刹车", requester=make_user(email="li@customer.example", locale="zh_Hans"))
    reply(ticket, MessageDraft("您好"), make_user("agent"))
    run_jobs()
    mail = mailbox.to("li@customer.example")[-1]
    assert mail["Content-Language"] == "zh-Hans"
    assert "回复此邮件" in mail.get_body(("plain",)).get_content()
    assert 'lang="zh-Hans"' in mail.get_body(("html",)).get_content()


def test_pictures_of_the_answer_travel_inside_it(
    app: Any, mailbox: Any, make_user: Any, make_ticket: Any, run_jobs: Any
) -> None:
    from helpdesk.api import store_bytes

    ticket = make_ticket(requester=make_user(email="anna@customer.example"))
    picture = store_bytes(b"\x89PNG\r\n\x1a\n", "p.png", "image/png", content_id="p@desk")
    document = store_bytes(b"%PDF-", "Rechnung ß.pdf", "application/pdf")
    draft = MessageDraft("See", html='<p>See <img src="cid:p@desk"></p>', files=[picture, document])
    reply(ticket, draft, make_user("agent"))
    run_jobs()
    mail = mailbox.to("anna@customer.example")[-1]
    assert [part.get_filename() for part in mail.iter_attachments()] == ["Rechnung ß.pdf"]
    assert 'src="cid:p@desk"' in mail.get_body(("html",)).get_content()
    assert [part["Content-ID"] for part in mail.walk() if part["Content-ID"]] == ["<p@desk>"]


def test_every_public_mail_becomes_something(app: Any, mailbox: Any, corpora: Path) -> None:
    files = sorted((corpora / "mail" / "mikel-mail").rglob("*.eml")) + sorted(
        (corpora / "mail" / "flanker").rglob("*.eml")
    )
    outcomes = [receive("email", file.read_bytes()) for file in files]
    assert {outcome.outcome for outcome in outcomes} <= {"ticket", "message", "ignored", "quarantined"}
    assert all(outcome.reason for outcome in outcomes if outcome.outcome in ("ignored", "quarantined"))
    assert sum(outcome.outcome == "ticket" for outcome in outcomes) > 80
    assert not [outcome.reason for outcome in outcomes if "Error" in outcome.reason]


@pytest.mark.parametrize(
    ("header", "outcome"),
    [
        ("List-Id: <group.shop.example>", "ticket"),
        ("Precedence: bulk", "ticket"),
        ("X-Auto-Response-Suppress: All", "ticket"),
        ("Auto-Submitted: auto-replied", "ignored"),
        ("Return-Path: <>", "ignored"),
    ],
)
def test_a_list_opens_a_ticket_and_a_robots_answer_does_not(app: Any, header: str, outcome: str) -> None:
    raw = f"{header}\r\nFrom: Ann <ann@post.example>\r\nTo: help@desk.example\r\nSubject: Hi\r\n\r\nIt rubs.\r\n"
    found = receive("email", raw.encode())
    assert (found.outcome, found.machine) == (outcome, True)


def test_a_followers_copy_says_why_and_stands_in_the_thread(
    app: Any, mailbox: Any, make_user: Any, run_jobs: Callable[[], int]
) -> None:
    ticket = ticket_of(receive("email", write(Cc="Cleo <cleo@customer.example>")))
    agent = make_user("agent", name="Abe Agent")
    for words in ("It is on its way.", "It has arrived."):
        reply(ticket, MessageDraft(words), agent)
        run_jobs()
    first, second = mailbox.to("cleo@customer.example")
    for mail in (first, second):
        for kind in ("plain", "html"):
            body = mail.get_body((kind,)).get_content()
            assert "You get this because you follow what Anna Berg has asked." in body
    # Cleo has got Anna's own mail: the copies stand below it, and below each other.
    assert first["In-Reply-To"] == "<c1@customer.example>" == first["References"]
    assert second["References"].split() == ["<c1@customer.example>", first["Message-ID"]]
    assert second["In-Reply-To"] == first["Message-ID"] and second["Subject"] == "Re: Where is my order?"
    assert "You get this" not in mailbox.to("anna@customer.example")[-1].get_body(("plain",)).get_content()


def test_who_follows_later_has_not_seen_what_was_before(
    app: Any, mailbox: Any, make_user: Any, run_jobs: Callable[[], int]
) -> None:
    ticket = ticket_of(receive("email", write()))
    agent = make_user("agent")
    follow(ticket, make_user(email="cleo@customer.example"), agent)
    reply(ticket, MessageDraft("It is on its way."), agent)
    run_jobs()
    (mail,) = mailbox.to("cleo@customer.example")
    assert mail["In-Reply-To"] is None and mail["References"] is None
