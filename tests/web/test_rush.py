"""A rush at the customers' form: strangers wait a little and send again; people who are known do not."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import rush
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket

QUESTION = {"subject": "Lock jammed", "text": "The key turns half way.", "email": "tom@post.example", "name": "Tom"}


@pytest.fixture(autouse=True)
def _set_up(make_user: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    make_user("admin")
    monkeypatch.setattr(rush, "BUSY", 2)


def ask(client: FlaskClient, address: str, **more: str) -> Any:
    return client.post("/ask", data=QUESTION | more, environ_base={"REMOTE_ADDR": address})


def note_of(page: Any) -> str:
    found = re.search(r'name="waited" value="([^"]+)"', page.text)
    assert found
    return html.unescape(found[1])


def tickets() -> int:
    db.session.rollback()
    return db.session.scalars(db.select(db.func.count()).select_from(Ticket)).one()


def test_strangers_wait_in_a_rush_and_lose_nothing(client: FlaskClient, travel: Callable[..., Any]) -> None:
    for number in range(2):
        assert ask(client, f"192.0.2.{number}").status_code == 303
    page = ask(client, "192.0.2.10")
    assert page.status_code == 429 and tickets() == 2
    assert "Wait 20 seconds" in page.text and "The key turns half way." in page.text
    note = note_of(page)
    # Too early, made up, or nothing: the pause begins anew.
    for wrong in (note, note[:-1] + "x", "[1,2]", ""):
        assert ask(client, "192.0.2.10", waited=wrong).status_code == 429
    travel(seconds=21)
    assert ask(client, "192.0.2.10", waited=note).status_code == 303
    # A note is good for one message.
    assert ask(client, "192.0.2.11", waited=note).status_code == 429
    assert tickets() == 3


def test_what_is_wrong_with_the_form_costs_no_note(client: FlaskClient, travel: Callable[..., Any]) -> None:
    for number in range(2):
        ask(client, f"192.0.2.{number}")
    note = note_of(ask(client, "192.0.2.10"))
    travel(seconds=21)
    page = ask(client, "192.0.2.10", waited=note, subject=" ")
    assert page.status_code == 422 and note_of(page) == note
    assert ask(client, "192.0.2.10", waited=note).status_code == 303


def test_an_old_note_is_none_and_a_rush_ends(client: FlaskClient, travel: Callable[..., Any]) -> None:
    for number in range(2):
        ask(client, f"192.0.2.{number}")
    note = note_of(ask(client, "192.0.2.10"))
    travel(hours=2)
    assert not rush._has_waited(note)
    assert ask(client, "192.0.2.10").status_code == 303


def test_who_has_signed_in_waits_for_nobody(as_requester: FlaskClient, client: FlaskClient) -> None:
    for number in range(3):
        ask(client, f"192.0.2.{number}")
    assert ask(as_requester, "192.0.2.20").status_code == 303
