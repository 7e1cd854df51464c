"""What programs read and write by tokens: only what their scopes and their account both allow."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from helpdesk.core import api_tokens, service_accounts
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Message, Ticket, User
from helpdesk.core.permissions import ROLE_PERMISSIONS

_TICKETS = ("ticket.read", "ticket.open", "ticket.reply", "ticket.note", "ticket.edit", "person.read")


class Program:
    """A program with a token; it keeps no cookies."""

    def __init__(self, app: Flask, secret: str) -> None:
        self._app, self._headers = app, {"Authorization": f"Bearer {secret}"}

    def ask(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        answer = self._app.test_client().open(
            f"/api/v1{path}", method=method, json=json, headers={**self._headers, **more.pop("headers", {})}, **more
        )
        assert "Set-Cookie" not in answer.headers
        return answer


@pytest.fixture
def program(app: Flask) -> Any:
    """``program(scopes, role="agent", teams=())``: a program with an account of its own."""

    def make(*scopes: str, role: str = "agent", teams: Any = (), user: User | None = None) -> Program:
        user = user or service_accounts.create("Shop", role, teams, None)
        made = api_tokens.make(user, "For tests", scopes or _TICKETS, None, None, never=True)
        return Program(app, made.secret)

    return make


def test_it_says_who_it_is(program: Any) -> None:
    body = program("ticket.read").ask("GET", "/me").json
    assert (body["name"], body["role"], body["service"]) == ("Shop", "agent", True)
    assert body["token"]["scopes"] == ["ticket.read"] and body["token"]["expires_at"] is None


def test_without_a_token_there_is_one_answer(client: Any) -> None:
    for header in (None, "Basic abc", "Bearer", "Bearer hd_no", "Bearer " + "x" * 5000, "bearer \u00e4"):
        answer = client.get("/api/v1/me", headers={"Authorization": header} if header else {})
        assert answer.status_code == 401 and answer.mimetype == "application/problem+json", header
        assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="helpdesk"')
        assert "Set-Cookie" not in answer.headers and answer.json["status"] == 401


def test_a_session_is_nobody_here_and_a_token_is_nobody_elsewhere(as_admin: Any, program: Any, app: Flask) -> None:
    assert as_admin.get("/api/v1/me").status_code == 401
    answer = program(role="admin")._app.test_client().get("/admin/", headers=program(role="admin")._headers)
    assert answer.status_code in (302, 303) and "/auth/sign-in" in answer.headers["Location"]


def test_a_ticket_is_opened_answered_and_changed(program: Any, make_team: Any, make_user: Any) -> None:
    team, agent, shop = make_team("Workshop"), make_user("agent", name="Mia"), program()
    sent = {
        "subject": "Order 7",
        "text": "It came broken.",
        "requester": {"email": "Tom@post.example", "name": "Tom"},
        "team": team.id,
        "priority": "high",
        "tags": ["Orders"],
    }
    opened = shop.ask("POST", "/tickets", sent)
    assert opened.status_code == 201, opened.text
    number = opened.json["number"]
    assert opened.headers["Location"].endswith(f"/api/v1/tickets/{number}")
    assert opened.json["requester"]["email"] == "tom@post.example" and opened.json["tags"] == ["orders"]
    note = shop.ask("POST", f"/tickets/{number}/messages", {"text": "Seen.", "visibility": "internal"})
    reply = shop.ask("POST", f"/tickets/{number}/messages", {"text": "A new one is on its way.", "status": "pending"})
    assert (note.status_code, reply.status_code) == (201, 201), reply.text
    changed = shop.ask("PATCH", f"/tickets/{number}", {"assignee": agent.id, "team": None, "status": "solved"})
    assert changed.status_code == 200, changed.text
    assert changed.json["assignee"]["name"] == "Mia" and changed.json["team"] is None
    assert changed.json["category"] == "solved"
    read = shop.ask("GET", f"/tickets/{number}").json
    assert [message["visibility"] for message in read["messages"]] == ["public", "internal", "public"]
    assert read["messages"][2]["author"]["name"] == "Shop" and read["next"] is None


_SCOPED: list[tuple[str, str, Any, str]] = [
    ("GET", "/tickets", None, "ticket.read"),
    ("GET", "/tickets/1", None, "ticket.read"),
    ("POST", "/tickets", {"subject": "A", "text": "B", "requester": {"email": "a@b.example"}}, "ticket.open"),
    ("POST", "/tickets/1/messages", {"text": "A"}, "ticket.reply"),
    ("POST", "/tickets/1/messages", {"text": "A", "visibility": "internal"}, "ticket.note"),
    ("POST", "/tickets/1/messages", {"text": "A"}, "ticket.read"),
    ("PATCH", "/tickets/1", {"priority": "low"}, "ticket.edit"),
]


def test_a_token_without_the_scope_does_nothing(program: Any, make_ticket: Any) -> None:
    make_ticket()
    for method, path, body, needed in _SCOPED:
        answer = program(*(scope for scope in _TICKETS if scope != needed)).ask(method, path, body)
        assert answer.status_code == 403 and answer.mimetype == "application/problem+json", (method, path)
    assert db.session.query(Ticket).count() == 1 and db.session.query(Message).count() == 1
    assert db.session.get(Ticket, 1).priority == "normal"


def test_a_scope_that_the_account_lacks_is_worth_nothing(program: Any, make_user: Any) -> None:
    with pytest.raises(api_tokens.TokenError):
        program("audit.read")
    person = make_user("supervisor")
    made = program("report.read", "ticket.read", user=person)
    assert made.ask("GET", "/me").json["token"]["scopes"] == ["report.read", "ticket.read"]


def test_what_is_not_its_own_is_not_there(program: Any, make_ticket: Any, make_team: Any) -> None:
    private = make_ticket(team=make_team("Board", private=True))
    shop = program()
    answers = [shop.ask("GET", f"/tickets/{number}") for number in (private.number, 999, 2**70)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(404, answers[0].text)}
    assert shop.ask("GET", "/tickets").json["tickets"] == []
    for method, path, body in (
        ("PATCH", "", {"priority": "low"}),
        ("POST", "/messages", {"text": "Hello"}),
    ):
        seen = {shop.ask(method, f"/tickets/{number}{path}", body).text for number in (private.number, 999)}
        assert len(seen) == 1


def test_addresses_take_a_scope_of_their_own(program: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    assert "email" not in program("ticket.read").ask("GET", f"/tickets/{ticket.number}").json["requester"]


_WRONG: list[tuple[str, str, Any, str]] = [
    ("POST", "/tickets", {"subject": "A", "text": "B"}, "requester"),
    ("POST", "/tickets", {"subject": "A", "text": "B", "requester": {"email": "no"}}, "requester.email"),
    ("POST", "/tickets", {"subject": 7, "text": "B", "requester": {}}, "subject"),
    ("POST", "/tickets", {"subject": "A", "text": "B", "requester": {"role": "admin"}}, "requester.role"),
    ("PATCH", "/tickets/1", {"requester_id": 1}, "requester_id"),
    ("PATCH", "/tickets/1", {"priority": "huge"}, "priority"),
    ("PATCH", "/tickets/1", {"priority": "low", "assignee": 999}, "assignee"),
    ("PATCH", "/tickets/1", {"team": True}, "team"),
    ("PATCH", "/tickets/1", {"team": 2**62}, "team"),
    ("PATCH", "/tickets/1", {"tags": [1]}, "tags"),
    ("PATCH", "/tickets/1", {}, "status"),
    ("POST", "/tickets/1/messages", {"text": "A", "visibility": "secret"}, "visibility"),
    ("POST", "/tickets/1/messages", {"text": " "}, "text"),
    ("GET", "/tickets?password=1", None, "password"),
    ("GET", "/tickets/1?after=-1", None, "after"),
    ("GET", "/tickets/1?after=9999999999", None, "after"),
]


def test_what_does_not_fit_is_named(program: Any, make_ticket: Any) -> None:
    make_ticket()
    shop = program()
    for method, path, body, field in _WRONG:
        answer = shop.ask(method, path, body)
        assert answer.status_code == 422, answer.text
        assert [error["field"] for error in answer.json["errors"]] == [field]
    db.session.expire_all()
    assert db.session.get(Ticket, 1).priority == "normal"


def test_filters_and_orders_are_those_of_the_list(program: Any) -> None:
    shop = program()
    for query in ("sort=password_hash", "after=1'--", "team=x", "category=lost", "assignee=me' or 1=1"):
        assert shop.ask("GET", f"/tickets?{query}").status_code == 422, query


def test_errors_are_no_pages(program: Any) -> None:
    shop = program()
    for method, path, how, code in (
        ("GET", "/nothing", {}, 404),
        ("DELETE", "/me", {}, 405),
        ("POST", "/tickets", {"data": "{", "content_type": "application/json"}, 400),
        ("POST", "/tickets", {"data": "[" * 5000, "content_type": "application/json"}, 400),
        ("POST", "/tickets", {"data": "[]", "content_type": "application/json"}, 400),
        ("POST", "/tickets", {"data": "subject=A"}, 415),
    ):
        answer = shop.ask(method, path, **how)
        assert answer.status_code == code, (path, answer.status_code)
        assert answer.mimetype == "application/problem+json" and answer.json["detail"]


def test_a_stale_change_says_so(program: Any, make_ticket: Any, make_user: Any) -> None:
    from helpdesk.core import workflow

    ticket, shop = make_ticket(), program()
    version = shop.ask("GET", f"/tickets/{ticket.number}").json["version"]
    workflow.set_priority(ticket, "urgent", make_user("agent"))
    answer = shop.ask("PATCH", f"/tickets/{ticket.number}", {"priority": "low", "version": version})
    assert answer.status_code == 409 and db.session.get(Ticket, ticket.id).priority == "urgent"


def test_it_pages_by_keyset_in_as_many_statements_for_many(
    program: Any, make_ticket: Any, count_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its use is noted once for the whole test, however long that takes.
    monkeypatch.setattr(api_tokens, "_USED_EVERY", timedelta(days=1))
    shop, person = program(), make_ticket().requester
    shop.ask("GET", "/tickets")

    def statements() -> int:
        with count_queries() as seen:
            assert shop.ask("GET", "/tickets").status_code == 200
        return len(seen)

    few = statements()
    for _ in range(55):
        make_ticket(requester=person)
    assert statements() <= few <= 6
    first = shop.ask("GET", "/tickets?sort=number").json
    second = shop.ask("GET", f"/tickets?sort=number&after={first['next']}").json
    numbers = [row["number"] for page in (first, second) for row in page["tickets"]]
    assert numbers == list(range(1, 57)) and second["next"] is None


def test_it_ends_with_its_account_its_role_and_its_time(program: Any, make_user: Any, travel: Any, app: Flask) -> None:
    from helpdesk.core import accounts, personal_data

    def code(one: Any) -> int:
        return int(one.ask("GET", "/me").status_code)

    off, lower, erased = make_user("agent"), make_user("supervisor"), make_user("agent")
    tokens = [program("ticket.read", user=user) for user in (off, lower, erased)]
    assert [code(one) for one in tokens] == [200, 200, 200]
    accounts.set_active(off, False, None)
    accounts.set_active(off, True, None)
    accounts.change_role(lower, "agent", None)
    accounts.change_role(lower, "supervisor", None)
    accounts.set_active(erased, False, None)
    personal_data.erase(erased, None)
    assert [code(one) for one in tokens] == [401, 401, 401], "what ended does not come back"
    made = api_tokens.make(off, "A month", ["ticket.read"], now() + timedelta(days=30), None)
    assert code(Program(app, made.secret)) == 200
    travel(days=31)
    assert code(Program(app, made.secret)) == 401


def test_wrong_tokens_are_slowed_down_and_right_ones_are_not(program: Any, client: Any) -> None:
    shop, wrong = program(), {"Authorization": "Bearer hd_nonsense"}
    codes = [client.get("/api/v1/me", headers=wrong).status_code for _ in range(25)]
    for number in range(25):
        place = {"REMOTE_ADDR": f"2001:db8:1:2::{number:x}"}
        codes.append(client.get("/api/v1/me", headers=wrong, environ_base=place).status_code)
    assert codes[0] == 401 and codes[-1] == 429
    answer = client.get("/api/v1/me", headers=wrong)
    assert int(answer.headers["Retry-After"]) > 0 and answer.mimetype == "application/problem+json"
    assert shop.ask("GET", "/me").status_code == 200


def test_its_use_is_noted_once_a_minute(program: Any, travel: Any) -> None:
    shop = program()
    shop.ask("GET", "/me")
    token = api_tokens.list_of(db.session.scalars(db.select(User).where(User.is_service)).one())[0]
    first = token.used_at
    assert first is not None and token.used_from == "127.0.0.1"
    shop.ask("GET", "/me")
    db.session.expire_all()
    assert token.used_at == first
    travel(minutes=2)
    shop.ask("GET", "/me")
    db.session.expire_all()
    assert token.used_at > first
    query = db.select(AuditEntry.action).where(AuditEntry.action.startswith("token.")).order_by(AuditEntry.id)
    assert list(db.session.scalars(query)) == ["token.made", "token.first_used"]


def test_every_permission_has_words() -> None:
    from helpdesk.core import scopes

    words = {name for group in scopes._WORDS.values() for name in group}
    assert words == set().union(*ROLE_PERMISSIONS.values())


def test_notes_take_a_scope_of_their_own(program: Any, make_ticket: Any, make_user: Any) -> None:
    from helpdesk.core import workflow
    from helpdesk.core.drafts import MessageDraft

    ticket = make_ticket()
    workflow.note(ticket, MessageDraft(text="A known fault."), make_user("agent"))
    path = f"/tickets/{ticket.number}"
    assert "known fault" not in program("ticket.read", "desk.use").ask("GET", path).text
    assert "known fault" in program("ticket.read", "ticket.note").ask("GET", path).text
