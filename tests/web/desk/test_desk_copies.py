"""What stands on a ticket of its mail: copies, delays, refusals, robots, answers that were held."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.api import Channel, IntakeDraft, receive
from helpdesk.core import accounts, workflow
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Delivery, Intake, Message, User
from helpdesk.core.models.delivery import BOUNCED, FAILED, SENT, WAITING
from helpdesk.plugins import manager
from helpdesk.plugins.hookspecs import hookimpl


def _page(client: FlaskClient, world: Any, query: str = "") -> str:
    answer = client.get(f"/desk/tickets/{world.ticket}{query}")
    assert answer.status_code == 200
    return answer.text


def _became(world: Any, message: int, **values: Any) -> None:
    def write() -> None:
        db.session.query(Delivery).filter_by(message_id=message).update(values)
        db.session.commit()

    world.read(write)


def test_who_gets_a_copy_stands_beside_the_requester(world: Any, agent: FlaskClient, reply: Any) -> None:
    def follow(ticket: Any, actor: Any) -> None:
        workflow.follow(ticket, accounts.requester_for("cleo@customer.example", "Cleo <Copy>"), actor)

    message = reply("Only to you", actor=world.agent)
    _became(world, message, state=SENT)
    assert "copies to" not in _page(agent, world)
    world.do(follow)
    _became(world, reply("To both", actor=world.agent), state=SENT)
    page = _page(agent, world)
    assert page.count("to Rita Requester, copies to Cleo &lt;Copy&gt;") == 1
    assert "rita@customer.example, cleo@customer.example" in page, "who gets the next one stands in the composer"


def test_a_reply_that_waits_for_its_server_says_why_and_until_when(world: Any, agent: FlaskClient, reply: Any) -> None:
    message = reply("On its way", actor=world.agent)
    assert "Being sent" in _page(agent, world)
    _became(world, message, error="mail.shop.example does <not> answer", next_at=now(), attempts=1)
    page = _page(agent, world)
    assert "Being sent" not in page and "Send again" not in page
    assert re.search(r"Not sent to <?[^<]*rita@customer.example yet; tried again ", page)
    assert "mail.shop.example does &lt;not&gt; answer" in page


@pytest.mark.parametrize("state", [FAILED, BOUNCED])
def test_a_reply_that_did_not_arrive_is_sent_again_from_its_ticket(
    world: Any, agent: FlaskClient, reply: Any, state: str
) -> None:
    message = reply("On its way", actor=world.agent)
    _became(world, message, state=state, error="550 no such person")
    page = _page(agent, world)
    assert "rita@customer.example" in page and "550 no such person" in page
    path = re.search(r'action="(/desk/tickets/\d+/messages/\d+/again)"', page)
    assert path is not None
    assert agent.post(path[1]).status_code == 303
    assert world.read(lambda: db.session.query(Delivery).filter_by(message_id=message).one().state) == WAITING
    assert "Being sent" in _page(agent, world) or "Not sent to" in _page(agent, world)
    assert world.read(lambda: db.session.query(AuditEntry).filter_by(action="outgoing.retried").count()) == 1
    # Once more finds nothing that has failed.
    assert agent.post(path[1]).status_code == 303
    assert world.read(lambda: db.session.query(AuditEntry).filter_by(action="outgoing.retried").count()) == 1


def test_nothing_is_sent_again_for_who_does_not_see_the_ticket(world: Any, agent: FlaskClient, reply: Any) -> None:
    message = reply("On its way", actor=world.agent)
    _became(world, message, state=FAILED)
    elsewhere = world.open(subject="Another")
    absent = ((world.hidden, message), (elsewhere, message), (world.ticket, 99_999), (world.ticket, 10**30))
    for ticket, number in absent:
        assert agent.post(f"/desk/tickets/{ticket}/messages/{number}/again").status_code == 404
    customer = world.client(world.requester)
    assert customer.post(f"/desk/tickets/{world.ticket}/messages/{message}/again").status_code in (403, 404)
    assert world.read(lambda: db.session.query(Delivery).filter_by(message_id=message).one().state) == FAILED


# ---- what came in


class _Letters:
    """A channel whose items are what a test says."""

    def __init__(self) -> None:
        self.draft = IntakeDraft("letters", "")

    @hookimpl
    def register_channels(self) -> list[Channel]:
        return [Channel("letters", "Letters", parse=lambda _raw: self.draft)]


@pytest.fixture
def letters(world: Any) -> _Letters:
    plugin = _Letters()
    with world.app.app_context():
        manager.current().add("letters", plugin)
    return plugin


def _comes_in(world: Any, plugin: _Letters, **values: Any) -> Any:
    plugin.draft = IntakeDraft("letters", **values)
    return world.read(lambda: receive("letters", repr(values).encode()))


def test_what_a_program_wrote_says_so(world: Any, agent: FlaskClient, letters: _Letters, reply: Any) -> None:
    reply("Bring it in", actor=world.agent)
    identity = world.read(lambda: db.session.query(Delivery).order_by(Delivery.id.desc()).first().identity)
    came = {"sender_address": "rita@customer.example", "subject": "Re: Rear brake rubs", "in_reply_to": identity}
    assert _comes_in(world, letters, **came, text="Thank you.").outcome == "message"
    assert "Automatic mail" not in _page(agent, world)
    away = {"machine": True, "machine_reason": "auto-submitted", "external_id": "away@customer.example"}
    assert _comes_in(world, letters, **came, **away, text="I am away.").outcome == "message"
    assert _page(agent, world).count("Automatic mail") == 1


def _held(world: Any, letters: _Letters) -> int:
    """An answer of Abe's to a mail that he got, with nothing that proves it."""

    def told() -> str:
        ticket = db.session.get(Message, 1).ticket
        row = Delivery(
            channel="letters", kind="agent", ticket_id=ticket.id, user_id=world.agent, address="abe@desk.example",
            identity="told@desk.example", state=SENT,
        )  # fmt: skip
        db.session.add(row)
        db.session.commit()
        return row.identity

    came = {"sender_address": "abe@desk.example", "subject": "Re: Rear brake rubs", "in_reply_to": world.read(told)}
    outcome = _comes_in(world, letters, **came, text="Bring it in\n\non Monday.")
    assert outcome.outcome == "quarantined"
    return outcome.intake_id


def test_an_answer_that_was_held_is_let_in_and_sent_on(world: Any, agent: FlaskClient, letters: _Letters) -> None:
    item = _held(world, letters)
    page = _page(agent, world)
    assert "A mail from <b><bdi>abe@desk.example</bdi></b> is held in Incoming mail" in page
    assert "nothing proves that one of you wrote it" in page and "Send it on" not in page
    admin = world.client(world.admin)
    assert "press “Send it on as a reply”" in admin.get(f"/admin/mail/{item}").text
    answer = admin.post(f"/admin/mail/{item}/accept")
    assert re.fullmatch(rf"/desk/tickets/{world.ticket}#m\d+", answer.location)
    page = _page(agent, world)
    link = re.search(
        r'href="/desk/tickets/\d+\?from=(\d+)#composer"[^>]*>(?:<svg.*?</svg>)?Send it on as a reply', page
    )
    assert link is not None and "Send it on as a reply" in page
    page = _page(agent, world, f"?from={link[1]}")
    assert "<textarea" in page and ">\nBring it in\n\non Monday.</textarea>" in page
    typed = re.search(r'name="version"[^>]*value="(\d+)"', page)
    data = {"mode": "reply", "text": "Bring it in\n\non Monday.", "version": typed[1]}
    assert agent.post(f"/desk/tickets/{world.ticket}/messages", data=data).status_code == 303
    sent = world.read(lambda: db.session.query(Message).order_by(Message.id.desc()).first())
    assert sent.visibility == "public" and sent.author_id == world.agent


def test_no_other_message_is_sent_on(world: Any, agent: FlaskClient, reply: Any) -> None:
    message = reply("A customer's own words", actor=world.requester)
    hidden = world.read(lambda: db.session.query(Message).filter_by(ticket_id=world.hidden).first().id)
    for number in (message, hidden, 99_999, 10**30, -1):
        page = _page(agent, world, f"?from={number}")
        assert re.search(r"<textarea[^>]*>\n</textarea>", page), number


def test_what_speaks_for_nobody_is_not_said_on_a_ticket(world: Any, agent: FlaskClient, letters: _Letters) -> None:
    _comes_in(world, letters, sender_address="", text="Nobody wrote this")
    assert world.read(lambda: db.session.query(Intake).one().state) == "quarantined"
    assert "is held in Incoming mail" not in _page(agent, world)
    assert world.read(lambda: db.session.query(User).count()) == 5
