"""Replies and notes: what is said is sent, and what was typed is never lost."""

import io
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import statuses, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Delivery, Message, Ticket, User
from helpdesk.plugins.contributions import Reject
from helpdesk.plugins.hookspecs import hookimpl


def _send(client: FlaskClient, world: Any, headers: dict[str, str] | None = None, **form: Any) -> Any:
    data = {"mode": "reply", "text": "We will true it.", "status": "pending", **form}
    return client.post(
        f"/desk/tickets/{world.ticket}/messages", data=data, headers=headers, content_type="multipart/form-data"
    )


def _last(world: Any) -> Any:
    def look() -> tuple[Any, ...]:
        row = db.session.query(Message).order_by(Message.id.desc()).first()
        ticket = db.session.get(Ticket, world.ticket)
        names = [file.name for file in row.attachments]
        return row.text, row.html, row.visibility, row.author_id, ticket.category, names

    return world.read(look)


def _messages(world: Any) -> int:
    return world.read(lambda: db.session.query(Message).filter_by(ticket_id=world.ticket).count())


def test_a_reply_is_delivered_and_sets_the_status_on_the_button(world: Any, agent: FlaskClient) -> None:
    answer = _send(agent, world)
    assert answer.status_code == 303 and answer.location.endswith(f"/desk/tickets/{world.ticket}#latest")
    assert _last(world)[:5] == ("We will true it.", "", "public", world.agent, "pending")
    assert world.read(lambda: [row.address for row in db.session.query(Delivery)]) == ["rita@customer.example"]


def test_a_note_reaches_nobody_outside_and_keeps_the_status(world: Any, agent: FlaskClient) -> None:
    # The reply's button carries a status too; a note listens to its own alone.
    assert _send(agent, world, mode="note", text="Check the rotor", status="pending", note_status="").status_code == 303
    assert _last(world)[:5] == ("Check the rotor", "", "internal", world.agent, "new")
    assert world.read(lambda: db.session.query(Delivery).count()) == 0


def test_the_button_says_what_will_happen(world: Any, agent: FlaskClient) -> None:
    page = agent.get(f"/desk/tickets/{world.ticket}").data.decode()
    assert "Send and set to Pending" in page and "Send and set to Solved" in page and "Add note" in page
    assert "rita@customer.example" in page[page.index('id="composer"') :]


def test_rich_text_is_cleaned_and_kept_beside_its_plain_form(world: Any, agent: FlaskClient) -> None:
    html = '<div>Hello <strong>Rita</strong><br><a href="javascript:alert(1)">x</a><script>alert(1)</script></div>'
    _send(agent, world, html=html, text="ignored")
    text, stored, *_rest = _last(world)
    assert "Hello Rita" in text.replace("*", "") and "alert" not in stored and "<strong>Rita</strong>" in stored


def test_the_signature_stands_below_replies_alone(world: Any, agent: FlaskClient) -> None:
    def sign() -> None:
        db.session.get(User, world.agent).signature = "Abe\nWorkshop"
        db.session.commit()

    world.read(sign)
    _send(agent, world)
    assert _last(world)[0] == "We will true it.\n\nAbe\nWorkshop"
    _send(agent, world, html="<div>Rich</div>")
    assert "Workshop" in _last(world)[0] and "Workshop" in _last(world)[1]
    _send(agent, world, mode="note", text="Internal")
    assert _last(world)[0] == "Internal"


def test_files_go_along(world: Any, agent: FlaskClient) -> None:
    _send(agent, world, files=[(io.BytesIO(b"one"), "one.txt"), (io.BytesIO(b"two"), "../two.txt"), (io.BytesIO(), "")])
    assert _last(world)[5] == ["one.txt", "two.txt"]


def test_two_answers_at_once_give_a_choice_and_lose_no_text(world: Any, agent: FlaskClient) -> None:
    version = world.read(lambda: db.session.get(Ticket, world.ticket).version)
    world.do(workflow.reply, MessageDraft(text="I was quicker"), actor=world.colleague)
    before = _messages(world)
    answer = _send(agent, world, version=version, files=[(io.BytesIO(b"bytes"), "plan.txt")])
    page = answer.data.decode()
    assert answer.status_code == 409 and _messages(world) == before
    assert "Somebody wrote while you were writing" in page and "Cora Colleague" in page and "I was quicker" in page
    assert "We will true it." in page and "Send anyway" in page and "Discard my text" in page and "plan.txt" in page
    # What "send anyway" sends: the same text and file, with the version that has been looked at.
    newer = re.search(r'name="version" id="composer-version" value="(\d+)"', page)[1]
    kept = re.search(r'name="kept" value="([^"]+)"', page)[1]
    assert _send(agent, world, version=newer, kept=kept).status_code == 303
    assert _last(world)[0] == "We will true it." and _last(world)[5] == ["plan.txt"]


def test_a_conflict_is_a_part_of_the_page_for_htmx(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    world.do(workflow.note, MessageDraft(text="Look at this"), actor=world.colleague)
    answer = _send(agent, world, headers=htmx, version=1, html="<div>My <em>text</em></div>")
    assert answer.status_code == 409
    assert b"<html" not in answer.data and b"wrote an internal note" in answer.data and b"&lt;em&gt;text" in answer.data


def test_other_changes_are_no_conflict_for_a_reply(world: Any, agent: FlaskClient) -> None:
    world.do(workflow.set_priority, "high")
    assert _send(agent, world, version=1).status_code == 303


def test_a_file_that_is_too_large_leaves_the_text(world: Any, agent: FlaskClient) -> None:
    large = io.BytesIO(b"x" * (26 * 1024 * 1024))
    before = _messages(world)
    answer = _send(agent, world, files=[(large, "film.mp4")])
    # The test client keeps a body of this size in a file of its own.
    answer.request.environ["wsgi.input"].close()
    assert answer.status_code == 422 and _messages(world) == before
    assert "film.mp4" in answer.data.decode() and "We will true it." in answer.data.decode()


def test_nothing_written_is_said_in_a_sentence(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    for headers in (None, htmx):
        answer = _send(agent, world, headers=headers, text="  ")
        assert answer.status_code == 422 and b"Write something first." in answer.data


def test_an_unknown_status_is_said_and_the_text_stays(world: Any, agent: FlaskClient) -> None:
    answer = _send(agent, world, status="sold")
    assert answer.status_code == 422
    assert "There is no status “sold”." in answer.data.decode() and "We will true it." in answer.data.decode()


def test_a_plugin_may_refuse_with_its_reason(world: Any, agent: FlaskClient) -> None:
    class Strict:
        @staticmethod
        @hookimpl
        def before_message_added(ticket: Any) -> None:
            raise Reject("A senior looks at your replies first.")

    with world.app.app_context():
        from helpdesk.plugins import manager

        manager.current().add("strict_one", Strict())
    answer = _send(agent, world)
    assert answer.status_code == 422
    assert (
        "A senior looks at your replies first." in answer.data.decode() and "We will true it." in answer.data.decode()
    )


def test_a_closed_ticket_takes_notes_alone(world: Any, agent: FlaskClient) -> None:
    world.do(workflow.close)
    page = agent.get(f"/desk/tickets/{world.ticket}").data.decode()
    assert 'value="note" id="mode-note" checked' in page and 'id="mode-reply"' not in page
    assert _send(agent, world).status_code == 422
    assert _send(agent, world, mode="note", text="For the record").status_code == 303


def test_htmx_gets_an_empty_composer_and_word_of_it(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    answer = _send(agent, world, headers=htmx)
    events = json.loads(answer.headers["HX-Trigger"])
    assert answer.status_code == 200 and {"ticket-changed", "message-sent", "list-changed"} <= set(events)
    assert "Rita Requester" in events["toast"] and b"We will true it." not in answer.data


@pytest.mark.parametrize("forge", ["x", "e30.AAAA", ""])
def test_a_forged_note_of_a_file_attaches_nothing(world: Any, agent: FlaskClient, forge: str) -> None:
    assert _send(agent, world, kept=forge).status_code == 303
    assert _last(world)[5] == []


def test_a_file_kept_for_somebody_else_attaches_nothing(world: Any, agent: FlaskClient) -> None:
    answer = _send(
        world.client(world.colleague), world, text="", status="sold", files=[(io.BytesIO(b"bytes"), "plan.txt")]
    )
    kept = re.search(r'name="kept" value="([^"]+)"', answer.data.decode())[1]
    assert _send(agent, world, kept=kept).status_code == 303
    assert _last(world)[5] == []


def test_a_form_without_its_token_changes_nothing(world: Any, agent: FlaskClient) -> None:
    world.app.config["WTF_CSRF_ENABLED"] = True
    before = _messages(world)
    assert _send(agent, world).status_code == 400 and _messages(world) == before
    page = agent.get(f"/desk/tickets/{world.ticket}").data.decode()
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    assert _send(agent, world, csrf_token=token).status_code == 303
    assert world.read(lambda: statuses.by_key("pending").id) == world.read(
        lambda: db.session.get(Ticket, world.ticket).status_id
    )
