"""An agent is told by mail what a customer writes, and answers by mail."""

from email.message import EmailMessage
from typing import Any

import pytest
from helpdesk_email.settings import IncomingSettings

from helpdesk.api import DeskSettings, MessageDraft, Ticket, assign, db, receive, reply

ANNA, JONAS = "anna@customer.example", "jonas@desk.example"


@pytest.fixture
def told(app: Any, mailbox: Any, make_ticket: Any, make_user: Any, run_jobs: Any, configure: Any) -> Any:
    """Anna's ticket, and the mail that Jonas got of what she wrote."""
    configure(DeskSettings, tell_staff=True)
    configure(IncomingSettings, trusted_hosts="mx.desk.example")
    ticket = make_ticket("Creaking", requester=make_user(email=ANNA, name="Anna Berg"))
    assign(ticket, make_user("agent", email=JONAS, name="Jonas"), None)
    reply(ticket, MessageDraft("It still creaks."), ticket.requester)
    run_jobs()
    (mail,) = mailbox.to(JONAS)
    return ticket, mail


def answer(mail: EmailMessage, words: str, sender: str = JONAS, **headers: str) -> bytes:
    found = EmailMessage()
    found["From"], found["To"], found["Subject"] = sender, str(mail["Reply-To"]), f"Re: {mail['Subject']}"
    found["Message-ID"], found["In-Reply-To"] = "<a1@desk.example>", str(mail["Message-ID"])
    for name, value in headers.items():
        found[name.replace("_", "-")] = value
    # What the desk's own mail server says of the sender: an agent's words count when they are proved.
    found["Authentication-Results"] = f"mx.desk.example; dmarc=pass header.from={sender.partition('@')[2]}"
    found.set_content(words)
    return found.as_bytes()


def test_the_mail_says_who_wrote_what(told: tuple[Ticket, Any]) -> None:
    ticket, mail = told
    words = mail.get_body(("plain",)).get_content()
    assert mail["From"].addresses[0].display_name == "Anna Berg (Help desk)"
    assert mail["Auto-Submitted"] == "auto-generated" and mail["Subject"] == "Creaking"
    assert "It still creaks." in words and f"/desk/tickets/{ticket.id}" in words
    assert "You get this because the ticket is assigned to you." in words
    assert "/t/" not in words, "the customer's own link is not for others"


def test_the_answer_reaches_the_customer(told: tuple[Ticket, Any], mailbox: Any, run_jobs: Any) -> None:
    ticket, mail = told
    outcome = receive("email", answer(mail, "Bring it in."))
    run_jobs()
    assert (outcome.outcome, outcome.ticket_id) == ("message", ticket.id)
    sent = [found for found in mailbox.to(ANNA) if "Bring it in." in found.get_body(("plain",)).get_content()]
    assert len(sent) == 1 and sent[0]["From"].addresses[0].display_name == "Jonas (Help desk)"
    assert len(mailbox.to(JONAS)) == 1, "nobody is told what they have written"


@pytest.mark.parametrize(
    "how",
    [{"sender": "eve@elsewhere.example"}, {"Auto_Submitted": "auto-replied"}],
    ids=["somebody else", "an absence"],
)
def test_nothing_else_reaches_the_customer(
    told: tuple[Ticket, Any], mailbox: Any, run_jobs: Any, how: dict[str, str]
) -> None:
    ticket, mail = told
    before = len(mailbox.to(ANNA))
    receive("email", answer(mail, "I am away.", **how))
    run_jobs()
    assert len(mailbox.to(ANNA)) == before
    db.session.refresh(ticket)
    assert ticket.first_response_at is None
