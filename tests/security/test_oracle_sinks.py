"""Every hostile string in the five places where people's text is shown: subject, body, name, file name, own field."""

from collections.abc import Callable
from typing import Any

import pytest

from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Message, Status, Ticket, TicketField, TicketFieldValue, User
from helpdesk.core.transaction import transaction
from tests.security.crawler import Oracle
from tests.security.hostile import representatives, strings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sqlite]

# The portal shows so many messages of a ticket.
MOST = 500


@pytest.fixture
def customer(make_user: Callable[..., User]) -> User:
    return make_user(name="Rita Requester")


def test_at_least_1500_strings_of_40_families() -> None:
    assert len({one.text for one in strings()}) >= 1_500
    assert len(representatives()) >= 40
    assert all(str(one.number) in one.text for one in strings())


@pytest.mark.parametrize("html", [True, False], ids=["as HTML", "as text"])
def test_bodies_names_and_file_names(
    customer: User, make_user: Any, sign_in: Any, oracle: Callable[..., Oracle], html: bool
) -> None:
    """Each string is a message, its author's name and the name of its file; the desk and the portal show them all."""
    numbers = [_conversation(customer, place, html) for place in range(0, len(strings()), MOST)]
    as_customer, as_agent = oracle(sign_in(customer)), oracle(sign_in(make_user("agent")))
    shown = 0
    for number in numbers:
        assert as_customer.open(f"/tickets/{number}") == 200
        shown += as_customer.page.locator("article.pmsg").count()
        assert as_agent.open(f"/desk/tickets/{number}/conversation?all=1") == 200
        shown += as_agent.page.locator("article.msg").count()
    assert shown == 2 * len(strings())
    assert as_customer.found == [] and as_agent.found == []


def test_subjects_in_lists(customer: User, make_user: Any, sign_in: Any, oracle: Callable[..., Oracle]) -> None:
    status = db.session.scalars(db.select(Status).order_by(Status.id)).first()
    assert status is not None
    few = representatives()
    with transaction():
        # The newest stand first.
        for one in [*(one for one in strings() if one not in few), *few]:
            db.session.add(_ticket(customer, status, subject=one.text, snippet=one.text))
    as_agent, as_customer = oracle(sign_in(make_user("agent"))), oracle(sign_in(customer))
    assert as_agent.open("/desk/views/all") == 200
    assert _turn_the_pages(as_agent, "/desk/views/all?part=rows", ".trow") == len(strings())
    assert _turn_the_pages(as_customer, "/tickets", "main a[href^='/tickets/']") == len(strings())
    assert as_agent.found == [] and as_customer.found == []


def test_own_fields_and_their_names(
    customer: User, make_user: Any, sign_in: Any, oracle: Callable[..., Oracle]
) -> None:
    status = db.session.scalars(db.select(Status).order_by(Status.id)).first()
    assert status is not None
    with transaction():
        ticket = _ticket(customer, status, subject="A bicycle")
        db.session.add(ticket)
        db.session.flush()
        for one in strings():
            # Half of them stand in the choices of a field as well.
            choices = {"kind": "choice", "choices": [one.text]} if one.number % 2 else {"kind": "text"}
            field = TicketField(key=f"f{one.number}", label=one.text, public=True, **choices)
            db.session.add(TicketFieldValue(ticket_id=ticket.id, field=field, text=one.text))
    as_agent, stranger = oracle(sign_in(make_user("agent"))), oracle()
    make_user("admin")
    assert as_agent.open(f"/desk/tickets/{ticket.id}/side") == 200
    assert as_agent.page.locator(".fieldrow").count() >= len(strings())
    assert stranger.open("/") == 200
    assert stranger.page.locator("form [name^='field']").count() >= len(strings())
    assert as_agent.found == [] and stranger.found == []


def _turn_the_pages(oracle: Oracle, path: str, rows: str) -> int:
    """Open a list until one string of each family was shown, with all scripts; the rest of it is parsed."""
    seen, further = 0, "a[href*='after=']"
    while seen < len(representatives()):
        assert oracle.open(path) == 200
        seen += oracle.page.locator(rows).count()
        older = oracle.page.locator(further).first
        # The rows alone where there is a way to them: a page with all around it costs ten times as much.
        path = str(older.get_attribute("hx-get") or older.get_attribute("href"))
    return seen + oracle.parse_on(path, rows, further)


def _conversation(customer: User, begin: int, html: bool) -> int:
    """A ticket with up to MOST messages, each by an author of its own."""
    status = db.session.scalars(db.select(Status).order_by(Status.id)).first()
    assert status is not None
    with transaction():
        ticket = _ticket(customer, status, subject=strings()[begin].text)
        db.session.add(ticket)
        for one in strings()[begin : begin + MOST]:
            author = User(email=f"{one.number}@customer.example", name=one.text)
            file = Attachment(name=one.text, size=1, sha256="0" * 64, content_type="text/plain", content_id="x")
            words = {"html": one.text} if html else {}
            db.session.add(Message(ticket=ticket, author=author, text=one.text, attachments=[file], **words))
    return ticket.id


def _ticket(customer: User, status: Status, **values: Any) -> Ticket:
    return Ticket(requester=customer, status=status, category="open", **values)
