"""A ticket for whoever calls: found or made in one box, and calls noted on tickets that are there."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import api_tokens, topics
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, Ticket, User
from helpdesk.core.teams import make_team, set_capacities
from helpdesk.core.ticket_types import add_type
from helpdesk.core.topics import add_topic
from helpdesk.core.transaction import transaction

FORM = {"channel": "phone", "subject": "Chain", "text": "It jumps.", "written_by": "customer", "call": "3:20"}


@pytest.fixture
def agent(sign_in: Any, make_user: Any) -> FlaskClient:
    browser: FlaskClient = sign_in(make_user("agent", name="Ben Ode"))
    return browser


def newest() -> Ticket:
    db.session.rollback()
    return db.session.scalars(db.select(Ticket).order_by(Ticket.id.desc()).limit(1)).one()


def found(browser: FlaskClient, who: str) -> list[int]:
    page = browser.get("/desk/tickets/new/callers", query_string={"who": who}, headers={"HX-Request": "true"})
    assert page.status_code == 200
    return [int(number) for number in re.findall(r'name="requester" value="(\d+)"', page.text)]


def test_the_box_finds_by_name_number_address_order_and_ticket(
    agent: FlaskClient, make_user: Any, make_ticket: Any
) -> None:
    anna = make_user(name="Anna Berg", email="anna@post.example")
    other = make_user(name="Olaf Rem", email="olaf@post.example")
    with transaction():
        db.session.get_one(User, anna.id).phone = "+49 (0)176 123-45 67"
    ticket = make_ticket(requester=other, subject="Order 4711-AB never came")
    for who in (
        "berg anna",
        "ANNA@post",
        "0176 1234567",
        "0049176 1234567",
        "+491761234567",
        "1761234567",
        "0176 12345",
    ):
        assert found(agent, who) == [anna.id], who
    for who in (f"#{ticket.id}", "4711-ab", "olaf"):
        assert found(agent, who) == [other.id], who
    assert found(agent, "nobody at all") == found(agent, "%") == found(agent, "") == []
    page = agent.get("/desk/tickets/new/callers?who=olaf", headers={"HX-Request": "true"}).text
    assert "1 open ticket" in page and "Order 4711-AB never came" in page


def test_somebody_new_needs_no_address_and_is_made_once(agent: FlaskClient) -> None:
    agent.post("/desk/tickets/new", data={**FORM, "who": "Nia Holm", "take": "1", "notice": "1"})
    ticket = newest()
    assert (ticket.requester.name, ticket.requester.email) == ("Nia Holm", None)
    assert (ticket.channel, ticket.assignee.name) == ("phone", "Ben Ode")
    message = db.session.scalars(db.select(Message)).one()
    assert (message.call_seconds, message.author_id) == (200, ticket.requester_id)
    assert "Call of 3:20" in agent.get(f"/desk/tickets/{ticket.id}").text
    # By number alone, and by an address.
    agent.post("/desk/tickets/new", data={**FORM, "who": "0176 / 555 44 33", "call": "4"})
    assert (newest().requester.phone, newest().requester.display_name[0]) == ("0176 / 555 44 33", "#")
    agent.post("/desk/tickets/new", data={**FORM, "who": "Kim@post.example", "channel": "counter", "call": "4"})
    assert (newest().requester.email, newest().channel) == ("kim@post.example", "counter")
    assert db.session.scalar(db.select(Message.call_seconds).where(Message.ticket_id == newest().id)) is None
    # What went wrong afterwards makes nobody a second time.
    again = agent.post("/desk/tickets/new", data={**FORM, "who": "Moe Blue", "priority": "huge"})
    assert again.status_code == 422
    number = db.session.scalars(db.select(User.id).where(User.name == "Moe Blue")).one()
    assert re.search(rf'value="{number}" checked', again.text)


def test_who_is_known_has_to_be_chosen_and_nothing_typed_is_lost(agent: FlaskClient, make_user: Any) -> None:
    anna, _annabel = make_user(name="Anna Berg"), make_user(name="Annabel Ray")
    before = db.session.scalar(db.select(db.func.count(User.id)))
    answer = agent.post("/desk/tickets/new", data={**FORM, "who": "anna", "call": "2:10"})
    assert answer.status_code == 422 and "Choose one of these people" in answer.text
    assert "It jumps." in answer.text and 'value="2:10"' in answer.text
    # Without a script the button finds.
    looked = agent.post("/desk/tickets/new", data={**FORM, "who": "anna", "find": "1", "subject": "", "text": "Kept"})
    assert looked.status_code == 200 and "Annabel" in looked.text and "Kept" in looked.text
    agent.post("/desk/tickets/new", data={**FORM, "who": "anna", "requester": str(anna.id)})
    assert newest().requester_id == anna.id
    agent.post(
        "/desk/tickets/new", data={**FORM, "who": "anna", "requester": "new", "name": "Anna", "phone": "5551234"}
    )
    assert (newest().requester.name, newest().requester.phone) == ("Anna", "5551234")
    assert db.session.scalar(db.select(db.func.count(User.id))) == before + 1
    gone = agent.post("/desk/tickets/new", data={**FORM, "who": "anna", "requester": "999999"})
    assert gone.status_code == 422 and "no longer there" in gone.text
    for wrong in ({"call": "soon"}, {"call": "3:77"}, {"who": "", "name": ""}, {"requester": "new", "phone": "none"}):
        assert agent.post("/desk/tickets/new", data={**FORM, "who": "Zed", **wrong}).status_code == 422, wrong


def test_a_call_is_noted_on_the_open_ticket_of_the_caller(agent: FlaskClient, make_user: Any, make_ticket: Any) -> None:
    ticket = make_ticket(requester=make_user(name="Anna Berg"), subject="Chain jumps")
    shown = agent.post("/desk/tickets/new", data={**FORM, "who": "berg", "find": "1"}).text
    assert "Perhaps the same" in shown and f'formaction="/desk/tickets/{ticket.id}/calls"' in shown
    answer = agent.post(f"/desk/tickets/{ticket.id}/calls", data={**FORM, "who": "berg"})
    note = db.session.scalars(db.select(Message).where(Message.visibility == "internal")).one()
    assert answer.location.endswith(f"/desk/tickets/{ticket.id}#m{note.id}")
    assert (note.channel, note.call_seconds, note.text) == ("phone", 200, "It jumps.")
    empty = agent.post(f"/desk/tickets/{ticket.id}/calls", data={"text": "Much", "call": "long"})
    assert empty.status_code == 422 and "Much" in empty.text
    assert agent.get(f"/desk/tickets/{ticket.id}/calls").status_code == 200


def test_type_and_topic_stand_in_the_form_and_on_the_ticket(agent: FlaskClient, app: Any) -> None:
    kind, parent = add_type("Return", None), add_topic("Shipping", None, None)
    topic = add_topic("Abroad", parent, None)
    page = agent.get("/desk/tickets/new").text
    assert f'<option value="{topic.id}">Shipping › Abroad</option>' in page and "Return" in page
    data = {**FORM, "who": "Nia Holm", "type": kind.id, "topic": topic.id}
    agent.post("/desk/tickets/new", data=data)
    ticket = newest()
    assert (ticket.type.name, topics.full_name(ticket.topic_id)) == ("Return", "Shipping › Abroad")


def test_type_and_topic_are_set_on_the_ticket_and_told_in_its_history(
    agent: FlaskClient, make_ticket: Any, app: Any
) -> None:
    ticket = make_ticket()
    assert "edit-topic" not in agent.get(f"/desk/tickets/{ticket.id}").text
    kind, topic = add_type("Return", None), add_topic("Abroad", add_topic("Shipping", None, None), None)
    assert "Shipping › Abroad" in agent.get(f"/desk/tickets/{ticket.id}/menu/topic").text
    assert "No topic" in agent.get(f"/desk/tickets/{ticket.id}/edit").text
    for what, value in (("type", kind.id), ("topic", topic.id)):
        answer = agent.post(f"/desk/tickets/{ticket.id}/set/{what}", data={"value": value, "version": ticket.version})
        assert answer.status_code == 303, answer.text
    page = agent.get(f"/desk/tickets/{ticket.id}").text
    assert "set the type to <b><bdi>Return</bdi></b>" in page
    assert "set the topic to <b><bdi>Shipping › Abroad</bdi></b>" in page
    assert agent.post(f"/desk/tickets/{ticket.id}/set/topic", data={"value": "99"}).status_code == 422
    agent.post(f"/desk/tickets/{ticket.id}/set/topic", data={"value": ""})
    assert "took the topic away" in agent.get(f"/desk/tickets/{ticket.id}").text


def test_the_history_says_who_took_a_new_ticket_and_why_nobody_did(
    agent: FlaskClient, make_user: Any, make_ticket: Any
) -> None:
    mia = make_user("agent", name="Mia")
    team = make_team("Shop", None, members=[mia], assignment="round_robin")
    ticket = make_ticket(team=team)
    assert "Mia took it, whose turn it was" in agent.get(f"/desk/tickets/{ticket.id}").text
    set_capacities({mia.id: 1}, None)
    other = make_ticket(team=team)
    assert "everybody of the team had as much as they take" in agent.get(f"/desk/tickets/{other.id}").text


def test_customers_choose_a_topic_that_is_theirs_and_programs_name_any(
    agent: FlaskClient, client: FlaskClient, make_user: Any
) -> None:
    make_user("admin")
    public = add_topic("Shipping", None, None, public=True)
    hidden, kind = add_topic("Fraud", None, None), add_type("Return", None)
    page = client.get("/").text
    assert "Shipping" in page and "Fraud" not in page
    question = {"subject": "Bell", "text": "Mute.", "email": "tom@post.example"}
    for chosen, kept in ((public.id, public.id), (hidden.id, None), ("x", None)):
        assert client.post("/ask", data={**question, "topic": chosen}).status_code == 303
        assert newest().topic_id == kept
    scopes = ["ticket.open", "ticket.read", "ticket.edit"]
    owner = make_user("agent")
    secret = api_tokens.make(owner, "T", scopes, now() + timedelta(days=1), owner).secret
    headers = {"Authorization": f"Bearer {secret}"}
    body = {"subject": "Bell", "text": "Mute.", "requester": {"email": "tom@post.example"}, "topic": hidden.id}
    made = client.post("/api/v1/tickets", json={**body, "type": kind.id}, headers=headers)
    assert (made.status_code, made.json["topic"]["name"], made.json["type"]["name"]) == (201, "Fraud", "Return")
    path = f"/api/v1/tickets/{made.json['number']}"
    changed = client.patch(path, json={"topic": public.id, "type": None}, headers=headers)
    assert (changed.json["topic"]["id"], changed.json["type"]) == (public.id, None)
    assert client.patch(path, json={"topic": 999}, headers=headers).status_code == 422
