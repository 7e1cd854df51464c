"""What is sent twice counts once: forms with the key that is in them, and programs' requests with theirs."""

import html
import io
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.core import api_tokens, idempotency, links, rush, service_accounts
from helpdesk.core.extensions import db
from helpdesk.core.jobs import ledger, retention
from helpdesk.core.models import Delivery, Event, IdempotencyKey, Message, Ticket, User
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager
from helpdesk.plugins.contributions import Reject
from helpdesk.plugins.hookspecs import hookimpl

TEXT = "The key turns half way."
QUESTION = {"subject": "Lock jammed", "text": TEXT, "email": "tom@post.example", "name": "Tom"}
KINDS = ("ask", "follow", "answer", "note", "open", "invite", "link")


class Form:
    """A form on a page, and how its browser sends it."""

    def __init__(self, browser: FlaskClient, page: str, action: str, data: dict[str, str]) -> None:
        self.browser, self.page, self.action, self.data = browser, page, action, data

    def key(self) -> str:
        """The key in the form when the page is opened anew."""
        return key_in(self.browser.get(self.page).text, self.action)

    def send(self, key: str | None, browser: FlaskClient | None = None, **changed: Any) -> Any:
        data = self.data | ({} if key is None else {"once": key}) | changed
        return (browser or self.browser).post(self.action, data=data, content_type="multipart/form-data")


def key_in(page: str, action: str = "") -> str:
    """The key in the form that goes to ``action`` (to the page itself when it names nothing)."""
    forms = re.findall(r"<form\b.*?</form>", page, re.DOTALL)
    found = [form for form in forms if 'name="once"' in form]
    named = [form for form in found if f'action="{html.escape(action)}' in form] or [
        form for form in found if "action=" not in form
    ]
    key = re.search(r'name="once" hidden>([^<]+)<', named[0])
    assert key
    return html.unescape(key[1])


@pytest.fixture
def form_of(client: FlaskClient, sign_in: Any, make_user: Any, make_ticket: Any) -> Callable[[str], Form]:
    """``form_of(kind)``: a form of each kind that writes something."""
    admin = make_user("admin", name="Ada")

    def make(kind: str) -> Form:
        if kind == "ask":
            return Form(client, "/", "/ask", QUESTION)
        if kind == "invite":
            data = {"email": "new@desk.example", "name": "Nora", "role": "agent"}
            return Form(sign_in(admin), "/admin/people/new", "/admin/people/new", data)
        if kind == "link":
            path = f"/admin/people/{make_user('agent').id}"
            return Form(sign_in(admin), path, f"{path}/reset", {})
        agent = make_user("agent")
        if kind == "open":
            data = QUESTION | {"written_by": "us", "priority": "normal", "take": "1"}
            return Form(sign_in(agent), "/desk/tickets/new", "/desk/tickets/new", data)
        ticket = make_ticket(requester=make_user(name="Tom"))
        if kind == "follow":
            path = f"/t/{links.token(links.FOLLOW, ticket, ticket.requester)}"
            return Form(client, path, f"{path}/reply", {"text": TEXT})
        mode = {"answer": {"mode": "reply", "status": "pending"}, "note": {"mode": "note", "note_status": ""}}[kind]
        path = f"/desk/tickets/{ticket.id}"
        return Form(sign_in(agent), path, f"{path}/messages", {"text": TEXT, **mode})

    return make


def counts() -> tuple[int, ...]:
    """How many of each there are of what a form could write."""
    db.session.rollback()
    models = (Ticket, Message, Event, Delivery, User)
    return tuple(db.session.scalar(db.select(db.func.count()).select_from(model)) or 0 for model in models)


def at_once(work: list[Callable[[], Any]]) -> list[Any]:
    """What each answers, all begun at the same moment."""
    start = threading.Barrier(len(work))

    def one(call: Callable[[], Any]) -> Any:
        start.wait(60)
        return call()

    # What one of them raises is raised here, and none is left behind when the desk goes.
    with ThreadPoolExecutor(len(work)) as pool:
        return list(pool.map(one, work))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_form_sent_again_writes_nothing_and_answers_as_at_first(form_of: Any, kind: str) -> None:
    form = form_of(kind)
    key, before = form.key(), counts()
    first = form.send(key)
    after = counts()
    assert first.status_code == 303 and after != before
    again = form.send(key)
    assert (again.status_code, again.location) == (303, first.location)
    assert counts() == after
    # The page of the outcome says what was done, not that something is wrong.
    assert form.browser.get(again.location).status_code == 200


@pytest.mark.parametrize("kind", ["ask", "answer"])
def test_without_a_key_each_counts(form_of: Any, kind: str) -> None:
    form = form_of(kind)
    assert form.send(None).status_code == form.send("").status_code == 303
    assert db.session.scalar(db.select(db.func.count(Message.id)).where(Message.text == TEXT)) == 2


@pytest.mark.db
@pytest.mark.parametrize("kind", KINDS)
def test_of_the_same_form_sent_twice_at_once_one_counts(app: Flask, form_of: Any, kind: str) -> None:
    form = form_of(kind)
    key, before = form.key(), counts()
    browsers = [app.test_client() for _number in range(2)]
    for browser in browsers:
        browser._cookies.update(form.browser._cookies)
    first, second = at_once([lambda browser=browser: form.send(key, browser) for browser in browsers])
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.location == second.location
    added = [now - then for now, then in zip(counts(), before, strict=True)]
    tickets, messages, _events, deliveries, people = added
    assert (tickets, messages, people) == {
        "ask": (1, 1, 1),
        "open": (1, 1, 1),
        "invite": (0, 0, 1),
        "link": (0, 0, 0),
    }.get(kind, (0, 1, 0))
    assert deliveries == {"note": 0, "follow": 0}.get(kind, 1)


@pytest.mark.parametrize("kind", ["ask", "follow", "answer", "note", "open", "invite"])
def test_what_was_changed_and_sent_with_an_old_key_is_shown_and_can_be_sent(form_of: Any, kind: str) -> None:
    form = form_of(kind)
    key = form.key()
    assert form.send(key).status_code == 303
    before = counts()
    changed = {"name": "Nora New", "email": "nora@desk.example"} if kind == "invite" else {"text": "Another “text”."}
    page = form.send(key, **changed)
    assert page.status_code in (409, 422) and counts() == before
    assert "This form was sent before with other content." in page.text
    assert all(words in html.unescape(page.text) for words in changed.values())
    newer = key_in(page.text, form.action)
    assert newer != key
    assert form.send(newer, **changed).status_code == 303
    assert counts() != before


def test_another_status_or_file_is_another_reply(form_of: Any) -> None:
    form = form_of("answer")
    key = form.key()
    assert form.send(key, files=(io.BytesIO(b"one"), "plan.txt")).status_code == 303
    assert form.send(key, files=(io.BytesIO(b"one"), "plan.txt")).status_code == 303
    assert form.send(key, files=(io.BytesIO(b"two"), "plan.txt")).status_code == 409
    assert form.send(key, files=(io.BytesIO(b"one"), "plan.txt"), status="solved").status_code == 409
    assert db.session.scalar(db.select(db.func.count(Message.id)).where(Message.text == TEXT)) == 1


@pytest.mark.parametrize("kind", ["ask", "follow", "answer", "open"])
def test_a_form_that_comes_back_keeps_its_key_and_is_sent_with_it(form_of: Any, kind: str) -> None:
    form = form_of(kind)
    key, before = form.key(), counts()
    page = form.send(key, text=" ")
    assert page.status_code == 422 and counts() == before
    assert key_in(page.text, form.action) == key
    assert form.send(key).status_code == 303 and form.send(key).status_code == 303
    assert db.session.scalar(db.select(db.func.count(Message.id)).where(Message.text == TEXT)) == 1


def test_a_refused_form_leaves_its_key_unused(app: Flask, form_of: Any) -> None:
    asked: list[str] = []

    class Strict:
        @staticmethod
        @hookimpl
        def before_message_added(ticket: Any, draft: Any, actor: Any) -> None:
            asked.append(draft.visibility)
            if len(asked) == 1:
                raise Reject("Not before noon.")

    manager.current().add("strict", Strict())
    form = form_of("note")
    key = form.key()
    assert "Not before noon." in form.send(key).text
    assert form.send(key).status_code == form.send(key).status_code == 303
    # They hear who will read it, and are not asked again for what is there already.
    assert asked == ["internal", "internal"]


def test_a_key_is_worth_nothing_to_others(form_of: Any, sign_in: Any, make_user: Any, app: Flask) -> None:
    form = form_of("answer")
    key = form.key()
    assert form.send(key).status_code == 303
    assert form.send(key, sign_in(make_user("agent"))).status_code == 303
    assert db.session.scalar(db.select(db.func.count(Message.id)).where(Message.text == TEXT)) == 2
    # A stranger who knows what another sent, and with which key, does not come to their ticket.
    question = form_of("ask")
    key = question.key()
    theirs = question.send(key).location
    stranger = app.test_client()
    stranger.get("/")
    assert question.send(key, stranger).location != theirs


def test_a_script_gets_an_empty_composer_with_a_new_key_each_time(form_of: Any) -> None:
    form = form_of("answer")
    key = form.key()
    headers = {"HX-Request": "true"}
    keys = {key}
    for _turn in range(2):
        answer = form.browser.post(form.action, data=form.data | {"once": key}, headers=headers)
        assert answer.status_code == 200 and TEXT not in answer.text
        assert "message-sent" in answer.headers["HX-Trigger"]
        keys.add(key_in(answer.text, form.action))
    assert len(keys) == 3
    assert db.session.scalar(db.select(db.func.count(Message.id)).where(Message.text == TEXT)) == 1
    changed = form.browser.post(form.action, data=form.data | {"once": key, "text": "Other"}, headers=headers)
    assert changed.status_code == 409 and "Other" in changed.text and "<html" not in changed.text


def test_in_a_rush_who_sends_again_waits_for_nothing(
    form_of: Any, monkeypatch: pytest.MonkeyPatch, travel: Callable[..., Any]
) -> None:
    form = form_of("ask")
    key = form.key()
    monkeypatch.setattr(rush, "BUSY", 0)
    page = form.send(key)
    assert page.status_code == 429 and key_in(page.text, form.action) == key
    note = re.search(r'name="waited" value="([^"]+)"', page.text)
    assert note
    travel(seconds=21)
    first = form.send(key, waited=html.unescape(note[1]))
    again = form.send(key, waited=html.unescape(note[1]))
    assert first.status_code == 303 and again.location == first.location


def test_who_sends_again_what_is_no_longer_there_comes_to_the_start(form_of: Any) -> None:
    form = form_of("ask")
    key = form.key()
    form.send(key)
    with transaction():
        db.session.delete(db.session.scalars(db.select(Ticket)).one())
    answer = form.send(key)
    assert (answer.status_code, answer.location) == (303, "/") and counts()[0] == 0


def test_keys_are_forgotten_after_a_week(form_of: Any, travel: Callable[..., Any], run_jobs: Any) -> None:
    form_of("ask").send("of long ago")

    def tidy() -> int | None:
        with transaction():
            ledger.schedule(retention.JOB)
        run_jobs()
        return db.session.scalar(db.select(db.func.count()).select_from(IdempotencyKey))

    travel(seconds=(idempotency.LIFETIME - timedelta(hours=1)).total_seconds())
    assert tidy() == 1
    travel(hours=2)
    assert tidy() == 0


def test_nothing_that_was_sent_stands_beside_a_key(form_of: Any) -> None:
    form_of("ask").send("a secret key")
    row = db.session.scalars(db.select(IdempotencyKey)).one()
    assert re.fullmatch("[0-9a-f]{64}", row.digest) and re.fullmatch("[0-9a-f]{64}", row.content_digest)
    assert row.result_id == db.session.scalars(db.select(Ticket.id)).one()


class Program:
    """A program with a token that sends a key."""

    def __init__(self, app: Flask, name: str) -> None:
        user = service_accounts.create(name, "agent", (), None)
        scopes = ("ticket.read", "ticket.open", "ticket.reply", "ticket.note")
        made = api_tokens.make(user, "For tests", scopes, None, None, never=True)
        self._app, self._headers = app, {"Authorization": f"Bearer {made.secret}"}

    def post(self, path: str, json: Any, key: str | None) -> Any:
        headers = self._headers | ({} if key is None else {"Idempotency-Key": key})
        return self._app.test_client().post(f"/api/v1{path}", json=json, headers=headers)


def _bodies(ticket: Ticket) -> dict[str, Any]:
    return {
        "/tickets": {"subject": "Order 7", "text": TEXT, "requester": {"email": "tom@post.example"}, "notify": True},
        f"/tickets/{ticket.id}/messages": {"text": TEXT, "status": "pending"},
    }


def test_a_program_that_sends_the_same_with_its_key_gets_the_same(app: Flask, make_ticket: Any) -> None:
    shop, other = Program(app, "Shop"), Program(app, "Other")
    for path, body in _bodies(make_ticket()).items():
        first, before = shop.post(path, body, '"8e03978e"'), counts()
        again = shop.post(path, body, '"8e03978e"')
        assert first.status_code == again.status_code == 201, path
        assert again.json == first.json and again.headers.get("Location") == first.headers.get("Location")
        assert counts() == before
        changed = shop.post(path, body | {"text": "Other"}, '"8e03978e"')
        assert changed.status_code == 422 and "take a new one" in changed.json["detail"] and counts() == before
        for program, key in ((shop, '"another"'), (shop, None), (other, '"8e03978e"')):
            assert program.post(path, body, key).status_code == 201
        assert counts()[1] == before[1] + 3


@pytest.mark.db
def test_of_two_requests_with_one_key_at_once_one_counts(app: Flask, make_ticket: Any) -> None:
    shop = Program(app, "Shop")
    for path, body in _bodies(make_ticket()).items():
        before = counts()
        sends = [lambda path=path, body=body: shop.post(path, body, "one") for _number in range(2)]
        first, second = at_once(sends)
        assert first.status_code == second.status_code == 201 and first.json == second.json
        assert counts()[1] == before[1] + 1
