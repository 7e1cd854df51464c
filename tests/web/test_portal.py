"""The customers' pages, as a browser without a script sees them."""

import io
import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.core import links, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Follower, Message, Ticket, TicketField, User
from helpdesk.core.transaction import transaction

QUESTION = {"subject": "Lock jammed", "text": "The key turns half way.", "email": "Tom@Post.example", "name": "Tom"}


@pytest.fixture(autouse=True)
def _set_up(make_user: Any) -> None:
    """A desk that somebody administers."""
    make_user("admin")


def path(ticket: Ticket, user: User) -> str:
    return f"/t/{links.token(links.FOLLOW, ticket, user)}"


@pytest.mark.db
def test_a_question_becomes_a_ticket_with_a_link_to_follow_it(client: FlaskClient) -> None:
    files = (io.BytesIO(b"notes"), "notes.txt"), (io.BytesIO(b""), "")
    answer = client.post("/ask", data={**QUESTION, "files": list(files)})
    assert answer.status_code == 303
    ticket = db.session.scalars(db.select(Ticket)).one()
    assert (ticket.subject, ticket.requester.email, ticket.channel) == ("Lock jammed", "tom@post.example", "web")
    message = db.session.scalars(db.select(Message)).one()
    assert not message.verified, "whoever types an address proves nothing"
    page = client.get(answer.location)
    assert page.status_code == 200
    assert "The key turns half way." in page.text and "notes.txt" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert db.session.scalars(db.select(Delivery)).one().kind == "notice"


def test_an_address_without_its_ending_is_asked_for_again(client: FlaskClient, make_user: Any) -> None:
    page = client.post("/ask", data={**QUESTION, "email": "tom@post"})
    assert page.status_code == 422 and "“tom@post” lacks its ending" in page.text and "half way" in page.text
    make_user("agent", email="abe@post")
    assert client.post("/ask", data={**QUESTION, "email": "tom@post"}).status_code == 303


@pytest.mark.parametrize("missing", ["subject", "text", "email"])
def test_what_is_missing_is_said_and_the_rest_is_kept(client: FlaskClient, missing: str) -> None:
    data: dict[str, Any] = {**QUESTION, missing: " ", "files": (io.BytesIO(b"notes"), "notes.txt")}
    page = client.post("/ask", data=data)
    assert page.status_code == 422
    assert "form-error" in page.text
    for field, value in QUESTION.items():
        assert field == missing or value in page.text
    kept = re.search(r'name="kept" value="([^"]+)"', page.text)
    assert kept, "the file need not be chosen again"
    again = client.post("/ask", data={**QUESTION, "kept": kept[1]})
    assert "notes.txt" in client.get(again.location).text


def test_a_file_that_is_too_large_loses_nothing_else(client: FlaskClient, app: Flask) -> None:
    app.config["HELPDESK"] = replace(app.config["HELPDESK"], max_upload_mb=0)
    page = client.post("/ask", data={**QUESTION, "files": (io.BytesIO(b"x"), "film.mp4")})
    assert page.status_code == 413
    assert "film.mp4" in page.text and QUESTION["text"] in page.text
    assert db.session.scalar(db.select(db.func.count(Ticket.id))) == 0


def test_more_than_the_desk_takes_at_once_is_a_sentence(client: FlaskClient, app: Flask) -> None:
    length = {"CONTENT_LENGTH": str(app.config["MAX_CONTENT_LENGTH"] + 1)}
    page = client.post("/ask", data=QUESTION, content_type="multipart/form-data", environ_overrides=length)
    assert page.status_code == 413
    assert "<h1" in page.text


def test_a_stale_form_comes_back_with_its_text(client: FlaskClient, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    page = client.post("/ask", data={**QUESTION, "csrf_token": "of last week"})
    assert page.status_code == 422
    assert QUESTION["text"] in page.text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    assert client.post("/ask", data={**QUESTION, "csrf_token": token[1]}).status_code == 303


def test_a_robot_that_fills_the_trap_opens_nothing(client: FlaskClient) -> None:
    assert client.post("/ask", data={**QUESTION, "website": "http://spam.example"}).status_code == 303
    assert db.session.scalar(db.select(db.func.count(Ticket.id))) == 0


def test_a_flood_is_stopped_and_the_text_kept(client: FlaskClient) -> None:
    for _number in range(20):
        assert client.post("/ask", data=QUESTION).status_code == 303
    page = client.post("/ask", data=QUESTION)
    assert page.status_code == 429
    assert QUESTION["text"] in page.text


def test_another_persons_address_gives_no_sight_of_them(client: FlaskClient, make_user: Any, make_ticket: Any) -> None:
    victim = make_user(name="Vera Victim", email="vera@post.example")
    make_ticket("Private matter", requester=victim)
    answer = client.post("/ask", data={**QUESTION, "email": "vera@post.example", "name": "Mallory"})
    page = client.get(answer.location)
    assert "Vera" not in page.text and "Private matter" not in page.text
    assert client.get("/tickets").status_code == 303


def test_public_fields_are_asked_and_kept(client: FlaskClient) -> None:
    with transaction():
        db.session.add(TicketField(key="serial", label="Serial number", public=True, required=True))
        db.session.add(TicketField(key="cost", label="Cost centre", public=False))
    assert "Serial number" in client.get("/").text
    assert "Cost centre" not in client.get("/").text
    page = client.post("/ask", data={**QUESTION, "field:serial": "", "field:cost": "9"})
    assert page.status_code == 422 and "Serial number" in page.text
    assert client.post("/ask", data={**QUESTION, "field:serial": "LW-7", "field:cost": "9"}).status_code == 303


@pytest.mark.db
def test_the_link_reads_answers_solves_and_reopens(
    client: FlaskClient, make_user: Any, make_ticket: Any, app: Flask
) -> None:
    agent, customer = make_user("agent", name="Jonas Adair"), make_user()
    ticket = make_ticket(requester=customer)
    workflow.reply(ticket, MessageDraft(text="Bring it on Thursday.", status="pending"), agent)
    workflow.note(ticket, MessageDraft(text="He is a difficult one."), agent)
    page = client.get(path(ticket, customer))
    assert "Bring it on Thursday." in page.text and "Jonas Adair" in page.text
    assert "difficult" not in page.text, "a note is never shown to a customer"
    assert "Your turn" in page.text
    assert client.post(f"{path(ticket, customer)}/reply", data={"text": "Thursday is fine."}).status_code == 303
    db.session.refresh(ticket)
    assert ticket.category == "open"
    assert client.post(f"{path(ticket, customer)}/status", data={"status": "solved"}).status_code == 303
    db.session.refresh(ticket)
    assert ticket.category == "solved"
    assert client.post(f"{path(ticket, customer)}/status", data={"status": "open"}).status_code == 303
    db.session.refresh(ticket)
    assert ticket.category == "open"


@pytest.mark.parametrize("status", ["closed", "pending", "nonsense", ""])
def test_customers_set_no_other_status(client: FlaskClient, make_user: Any, make_ticket: Any, status: str) -> None:
    customer = make_user()
    ticket = make_ticket(requester=customer)
    assert client.post(f"{path(ticket, customer)}/status", data={"status": status}).status_code == 422
    db.session.refresh(ticket)
    assert ticket.category == "new"


def test_an_empty_answer_says_so(client: FlaskClient, make_user: Any, make_ticket: Any) -> None:
    customer = make_user()
    page = client.post(f"{path(make_ticket(requester=customer), customer)}/reply", data={"text": " "})
    assert page.status_code == 422 and "form-error" in page.text


def test_a_closed_ticket_offers_a_new_one(client: FlaskClient, make_user: Any, make_ticket: Any) -> None:
    customer = make_user()
    ticket = make_ticket(requester=customer)
    workflow.close(ticket, None)
    page = client.get(path(ticket, customer))
    assert "closed" in page.text and "<textarea" not in page.text
    answer = client.post(f"{path(ticket, customer)}/reply", data={"text": "It rubs again"})
    assert answer.status_code == 422 and "It rubs again</textarea>" in answer.text, "what was written is not lost"


def test_forged_dead_and_foreign_links_look_alike(client: FlaskClient, make_user: Any, make_ticket: Any) -> None:
    customer, other = make_user(), make_user()
    ticket = make_ticket(requester=customer)
    good = path(ticket, customer)
    forged = good[:-1] + ("a" if good[-1] != "a" else "b")
    reply_token = f"/t/{links.token(links.REPLY, ticket, customer)}"
    stranger = path(ticket, other)
    answers = [client.get(url) for url in (forged, reply_token, stranger, "/t/1-1-0", "/t/9-9-" + "0" * 26)]
    assert {answer.status_code for answer in answers} == {404}
    with transaction():
        ticket.access_key = "another"
    assert client.get(good).status_code == 404


def test_a_follower_sees_only_what_came_after(
    client: FlaskClient, make_user: Any, make_ticket: Any, travel: Any
) -> None:
    agent, customer, friend = make_user("agent"), make_user(), make_user()
    ticket = make_ticket(requester=customer, text="My bank account is 12345.")
    travel(hours=1)
    workflow.follow(ticket, friend, agent)
    workflow.reply(ticket, MessageDraft(text="Hello to both of you."), agent)
    page = client.get(path(ticket, friend))
    assert "Hello to both of you." in page.text and "12345" not in page.text
    with transaction():
        db.session.delete(db.session.get_one(Follower, (ticket.id, friend.id)))
    assert client.get(path(ticket, friend)).status_code == 404


def test_files_belong_to_their_ticket(client: FlaskClient, make_user: Any, make_ticket: Any) -> None:
    customer, other = make_user(), make_user()
    own, foreign = make_ticket(requester=customer), make_ticket(requester=other)
    client.post(f"{path(own, customer)}/reply", data={"text": "x", "files": (io.BytesIO(b"<script>"), "a.html")})
    href = re.search(r'href="(/t/[^"]+/files/\d+)"', client.get(path(own, customer)).text)
    assert href
    file = client.get(href[1])
    assert file.data == b"<script>" and file.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in file.headers["Content-Security-Policy"]
    assert client.get(path(foreign, other) + "/files/" + href[1].rsplit("/", 1)[1]).status_code == 404


def test_the_page_speaks_the_customers_language(client: FlaskClient, make_user: Any, make_ticket: Any) -> None:
    customer = make_user(locale="zh_Hans")
    page = client.get(path(make_ticket(requester=customer), customer))
    assert 'lang="zh-Hans"' in page.text


def test_my_tickets_are_mine(as_requester: Any, make_ticket: Any) -> None:
    mine = make_ticket("My own", requester=as_requester.user)
    foreign = make_ticket("Not mine")
    assert "My own" in as_requester.get("/tickets").text
    assert "Not mine" not in as_requester.get("/tickets").text
    assert as_requester.get(f"/tickets/{mine.id}").status_code == 200
    assert as_requester.get(f"/tickets/{foreign.id}").status_code == 404
    assert as_requester.get("/tickets/999999").status_code == 404
    assert as_requester.post(f"/tickets/{foreign.id}/reply", data={"text": "x"}).status_code == 404
    assert as_requester.get("/tickets?after=x';--").status_code == 422
    assert as_requester.get("/desk/views/all").status_code == 403


@pytest.mark.plugins
def test_pages_of_customers_need_few_queries(as_requester: Any, make_ticket: Any, count_queries: Any) -> None:
    tickets = [make_ticket(f"Question {number}", requester=as_requester.user) for number in range(12)]
    for page in ("/", "/tickets", f"/tickets/{tickets[0].id}"):
        with count_queries() as statements:
            assert as_requester.get(page).status_code == 200
        assert len(statements) <= 8, (page, statements)


def test_the_link_shown_after_a_form_proves_nobody(client: FlaskClient, make_user: Any) -> None:
    victim = make_user(name="Vera Quirk", email="vera@post.example", locale="zh_Hans")
    shown = client.post("/ask", data={**QUESTION, "email": "vera@post.example", "name": "Mallory"}).location
    page = client.get(shown).text
    assert 'lang="en"' in page and "Vera" not in page and ">VQ<" not in page
    assert client.post(f"{shown}/reply", data={"text": "Send it to my new address."}).status_code == 303
    ticket = db.session.scalars(db.select(Ticket)).one()
    mailed = path(ticket, victim)
    assert mailed != shown
    assert client.post(f"{mailed}/reply", data={"text": "That was not me."}).status_code == 303
    found = db.session.execute(db.select(Message.text, Message.verified).order_by(Message.id)).all()
    assert [verified for _text, verified in found] == [False, False, True]


def test_a_typed_address_of_the_staff_gives_none_of_their_rights(client: FlaskClient, make_user: Any) -> None:
    make_user("agent", name="Abe Agent", email="abe@desk.example")
    shown = client.post("/ask", data={**QUESTION, "email": "abe@desk.example"}).location
    assert client.post(f"{shown}/reply", data={"text": "As an agent?"}).status_code == 303
    ticket = db.session.scalars(db.select(Ticket)).one()
    assert ticket.last_message_by == "requester" and ticket.first_response_at is None
    assert client.get("/desk/views/all").status_code == 303


def test_a_stale_reply_comes_back_with_its_text(client: FlaskClient, app: Flask, make_ticket: Any) -> None:
    ticket = make_ticket()
    link = path(ticket, ticket.requester)
    app.config["WTF_CSRF_ENABLED"] = True
    data = {"text": "A long answer", "csrf_token": "of last week", "files": (io.BytesIO(b"notes"), "notes.txt")}
    page = client.post(f"{link}/reply", data=data)
    assert page.status_code == 422 and "A long answer" in page.text
    assert db.session.scalar(db.select(db.func.count(Message.id))) == 1
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)
    assert token
    assert client.post(f"{link}/reply", data={"text": "A long answer", "csrf_token": token[1]}).status_code == 303
