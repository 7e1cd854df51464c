"""A ticket's page: conversation, files, news."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.api import Channel, IntakeDraft, receive
from helpdesk.core import files, workflow
from helpdesk.core.channels.outbox import bounced
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Attachment, Delivery, Intake, Message, TicketRead
from helpdesk.core.models.delivery import FAILED


def _page(client: FlaskClient, world: Any, part: str = "") -> str:
    answer = client.get(f"/desk/tickets/{world.ticket}{part}")
    assert answer.status_code == 200
    return answer.data.decode()


def test_the_conversation_reads_from_the_oldest_to_the_newest(world: Any, agent: FlaskClient, reply: Any) -> None:
    reply("We true it", actor=world.agent)
    world.do(workflow.note, MessageDraft(text="Check the rotor"), actor=world.colleague)
    world.do(workflow.move, None, actor=world.colleague)
    reply("Thank you", quoted="> We true it\n> Workshop")
    page = _page(agent, world)
    order = [
        "opened the ticket",
        "The brake rubs.",
        "We true it",
        "Check the rotor",
        "took the ticket out of its team",
        "Thank you",
    ]
    places = [page.index(words) for words in order]
    assert places == sorted(places)
    note = page[page.rindex("<article", 0, page.index("Check the rotor")) :]
    assert note.startswith('<article class="msg msg-note"') and "only your team sees this" in note
    assert re.search(r"<details class=\"quote\"><summary.*Quoted text, 2 lines", page)


def test_many_changes_in_a_row_are_one_line_that_opens(world: Any, agent: FlaskClient) -> None:
    for number in range(6):
        world.do(workflow.set_priority, ("high", "low")[number % 2])
    page = _page(agent, world)
    assert '<details class="events">' in page and "6 changes" in page


def test_a_long_conversation_begins_with_its_end(world: Any, agent: FlaskClient, reply: Any) -> None:
    for number in range(65):
        reply(f"message-number-{number}-")
    page = _page(agent, world)
    assert "message-number-64-" in page and "message-number-2-" not in page and "Show earlier messages" in page
    assert "message-number-2-" in _page(agent, world, "?all=1")


def test_a_click_in_the_list_gets_the_pane_alone(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    part = agent.get(f"/desk/tickets/{world.ticket}", headers=htmx).data
    assert b"<html" not in part and b'<main class="ticket"' in part and b"<title>Rear brake rubs" in part
    whole = agent.get(f"/desk/tickets/{world.ticket}", headers={**htmx, "HX-History-Restore-Request": "true"}).data
    assert b"<html" in whole


def test_files_are_downloaded_and_pictures_shown_where_nothing_can_run(world: Any, agent: FlaskClient) -> None:
    def store() -> list[Any]:
        png = files.store_bytes(b"\x89PNG\r\n\x1a\n0000", "brake.png", "image/png")
        page = files.store_bytes(b"<script>alert(1)</script>", "evil\u202egnp.html", "text/html")
        return [png, page]

    world.do(workflow.reply, MessageDraft(text="See", files=world.read(store)), actor=world.requester)
    png, html = world.read(lambda: [row.id for row in db.session.query(Attachment).order_by(Attachment.id)])
    shown = agent.get(f"/desk/attachments/{png}?show=1", buffered=True)
    assert shown.mimetype == "image/png" and "attachment" not in shown.headers.get("Content-Disposition", "")
    for number in (png, html):
        answer = agent.get(f"/desk/attachments/{number}", buffered=True)
        assert answer.mimetype == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    # Asked to be shown, a page is downloaded all the same.
    assert (
        agent.get(f"/desk/attachments/{html}?show=1", buffered=True)
        .headers["Content-Disposition"]
        .startswith("attachment")
    )


def test_the_original_mail_is_one_click_away(world: Any, agent: FlaskClient, reply: Any) -> None:
    raw = b"From: rita@customer.example\r\nSubject: Hi\r\n\r\nHello"

    def keep() -> int:
        kept = files.store_bytes(raw, "raw", "application/octet-stream")
        item = Intake(channel="email", transport_id="x", sha256=kept.sha256, size=len(raw))
        db.session.add(item)
        db.session.commit()
        return item.id

    message = reply("Hello", intake_id=world.read(keep), channel="email")
    assert f"/desk/messages/{message}/original" in _page(agent, world)
    answer = agent.get(f"/desk/messages/{message}/original", buffered=True)
    assert answer.data == raw and answer.headers["Content-Disposition"].startswith("attachment")


def test_news_is_a_mark_and_204_when_nothing_changed(
    world: Any, agent: FlaskClient, htmx: dict[str, str], reply: Any
) -> None:
    since = re.search(r"/news\?since=(\d+)", _page(agent, world))[1]
    path = f"/desk/tickets/{world.ticket}/news?since={since}"
    assert agent.get(path, headers=htmx).status_code == 204
    reply("My own", actor=world.agent)
    assert agent.get(path, headers=htmx).status_code == 204
    world.do(workflow.set_priority, "high")
    assert b"1 change, show" in agent.get(path, headers=htmx).data
    reply("Theirs")
    assert b"1 new message, show" in agent.get(path, headers=htmx).data
    fresh = agent.get(f"/desk/tickets/{world.ticket}/conversation", headers=htmx).data.decode()
    assert "Theirs" in fresh and 'id="composer-version"' in fresh and 'id="thead" hx-swap-oob="true"' in fresh
    since = re.search(r"/news\?since=(\d+)", fresh)[1]
    assert agent.get(f"/desk/tickets/{world.ticket}/news?since={since}", headers=htmx).status_code == 204


def test_looking_at_a_ticket_writes_nothing(world: Any, agent: FlaskClient, queries: list[str]) -> None:
    agent.get(f"/desk/tickets/{world.ticket}")
    agent.get("/desk/views/all")
    assert not [statement for statement in queries if not statement.lstrip().upper().startswith("SELECT")]
    assert world.read(lambda: db.session.query(TicketRead).count()) == 0


def test_a_reply_that_could_not_be_sent_says_so(world: Any, agent: FlaskClient, reply: Any) -> None:
    message = reply("On its way", actor=world.agent)
    assert "Being sent" in _page(agent, world)

    def fail() -> None:
        db.session.query(Delivery).filter_by(message_id=message).update({"state": FAILED})
        db.session.commit()

    world.read(fail)
    assert "Could not be sent" in _page(agent, world)


def test_a_reply_that_came_back_says_so_and_why(world: Any, agent: FlaskClient, reply: Any) -> None:
    message = reply("On its way", actor=world.agent)

    def come_back() -> None:
        delivery = db.session.query(Delivery).filter_by(message_id=message).one()
        assert bounced(delivery.identity, "550 <b>no</b> such mailbox")

    world.read(come_back)
    page = _page(agent, world)
    assert "Came back" in page and "Being sent" not in page
    assert "came back: " in page and "550 &lt;b&gt;no&lt;/b&gt; such mailbox" in page


def test_pictures_in_a_mail_come_from_its_attachments(world: Any, agent: FlaskClient) -> None:
    def store() -> Any:
        return files.store_bytes(b"\x89PNG\r\n\x1a\n0000", "logo.png", "image/png", content_id="logo@1")

    draft = MessageDraft(text="See", html='<p>See <img src="cid:logo@1" alt="Logo"></p>', files=[world.read(store)])
    world.do(workflow.reply, draft, actor=world.requester)
    number = world.read(lambda: db.session.query(Attachment.id).scalar())
    assert f'src="/desk/attachments/{number}?show=1"' in _page(agent, world)


def test_what_people_write_never_runs(world: Any, agent: FlaskClient) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    for verb in (workflow.reply, workflow.note):
        world.do(verb, MessageDraft(text=evil, quoted=evil), actor=world.agent)
    world.do(workflow.set_subject, evil)
    world.do(workflow.set_tags, [evil[:20]])
    for part in ("", "/side", "/conversation", "/edit"):
        page = _page(agent, world, part)
        assert "<script>alert" not in page and "<img src=x" not in page


def test_a_plugin_whose_panel_fails_gets_a_small_box(world: Any, agent: FlaskClient, htmx: dict[str, str]) -> None:
    from helpdesk.plugins.hookspecs import hookimpl

    class Broken:
        @staticmethod
        @hookimpl
        def ticket_panels(ticket: Any) -> list[Any]:
            raise RuntimeError("no")

    with world.app.app_context():
        from helpdesk.plugins import manager

        manager.current().add("broken_one", Broken())
    page = agent.get(f"/desk/tickets/{world.ticket}/side", headers=htmx)
    assert page.status_code == 200 and b"broken_one" in page.data and b"Rita Requester" in page.data


def test_a_message_of_a_deleted_person_is_still_shown(world: Any, agent: FlaskClient, reply: Any) -> None:
    message = reply("From somebody")

    def forget() -> None:
        db.session.get(Message, message).author_id = None
        db.session.commit()

    world.read(forget)
    assert "From somebody" in _page(agent, world)


@pytest.mark.parametrize(("verified", "marked"), [(True, False), (None, False), (False, True)])
def test_only_a_sender_who_was_disproved_is_marked(
    as_agent: Any, plug: Any, verified: bool | None, marked: bool
) -> None:
    """Nobody can tell of most mail: a mark on all of it would soon be read by nobody."""
    draft = IntakeDraft("post", "tom@post.example", text="It is stuck.", verified=verified)
    plug("post", register_channels=lambda: [Channel("post", "Post", parse=lambda _raw: draft)])
    ticket = receive("post", b"1").ticket_id
    page = as_agent.get(f"/desk/tickets/{ticket}").text
    assert ("Sender not verified" in page) == marked
    assert ("Nothing proves that this person wrote it" in page) == (verified is None)
