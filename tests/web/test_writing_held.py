"""A reply can be taken back for some seconds; drafts are kept, shared, and never lost."""

import json
from typing import Any

import pytest

from helpdesk.core import settings, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Message, ReplyDraft, Ticket
from helpdesk.core.settings import DeskSettings

pytestmark = pytest.mark.db
JSON = {"Accept": "application/json"}


@pytest.fixture
def held(app: Any) -> None:
    settings.save(DeskSettings, {"undo_seconds": 10}, None)


def _send(client: Any, ticket: Ticket, text: str = "We will true it.", **form: Any) -> Any:
    data = {"mode": "reply", "text": text, "status": "pending", **form}
    return client.post(f"/desk/tickets/{ticket.id}/messages", data=data, headers=form.pop("headers", {}))


def _answers() -> list[str]:
    return list(db.session.scalars(db.select(Message.text).where(Message.channel == "desk").order_by(Message.id)))


def _draft() -> ReplyDraft | None:
    db.session.expire_all()
    return db.session.scalar(db.select(ReplyDraft))


def test_a_reply_is_held_then_sent_once(
    held: None, as_agent: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    ticket = make_ticket()
    once = {"once": "a" * 20}
    for _turn in range(2):
        answer = as_agent.post(
            f"/desk/tickets/{ticket.id}/messages",
            data={"mode": "reply", "text": "We will true it.", "status": "pending", **once},
            headers={"HX-Request": "true"},
        )
        assert answer.status_code == 200
        assert "toast-undo" in json.loads(answer.headers["HX-Trigger"])
    run_jobs()
    assert _answers() == []
    page = as_agent.get(f"/desk/tickets/{ticket.id}").get_data(as_text=True)
    assert "Sending …" in page and f"/drafts/{_draft().id}/undo" in page
    travel(seconds=11)
    run_jobs()
    assert _answers() == ["We will true it."] and _draft() is None
    db.session.refresh(ticket)
    assert ticket.category == "pending"
    run_jobs()
    assert len(_answers()) == 1


def test_a_reply_taken_back_is_in_the_composer(
    held: None, as_agent: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    ticket = make_ticket()
    _send(as_agent, ticket, "Too <early>")
    answer = as_agent.post(f"/desk/tickets/{ticket.id}/drafts/{_draft().id}/undo", follow_redirects=True)
    assert "Too &lt;early&gt;</textarea>" in answer.get_data(as_text=True)
    travel(minutes=1)
    run_jobs()
    assert _answers() == [] and _draft().send_at is None


def test_whose_reply_was_overtaken_keeps_it(
    held: None, as_agent: Any, make_user: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    ticket = make_ticket()
    _send(as_agent, ticket, version=ticket.version)
    workflow.reply(ticket, MessageDraft("The other was quicker", channel="web"), make_user("agent"))
    travel(seconds=11)
    run_jobs()
    assert _answers() == []
    page = as_agent.get(f"/desk/tickets/{ticket.id}").get_data(as_text=True)
    assert "Somebody else answered before it was sent." in page and "We will true it.</textarea>" in page
    # Read and sent again, it goes.
    again = {"draft": _draft().id, "version": ticket.version}
    assert _send(as_agent, ticket, "We will true it, too.", **again).status_code == 303
    travel(seconds=30)
    run_jobs()
    assert _answers() == ["We will true it, too."] and _draft() is None


def test_the_reply_of_an_account_that_was_shut_stays(
    held: None, as_agent: Any, make_ticket: Any, run_jobs: Any, travel: Any
) -> None:
    ticket = make_ticket()
    _send(as_agent, ticket)
    as_agent.user.active = False
    db.session.commit()
    travel(seconds=11)
    run_jobs()
    assert _answers() == [] and _draft().problem and _draft().text == "We will true it."


def test_what_is_typed_is_kept_and_shown_to_colleagues(
    as_agent: Any, sign_in: Any, make_user: Any, make_ticket: Any
) -> None:
    ticket, address = make_ticket(), ""
    address = f"/desk/tickets/{ticket.id}/draft"
    key = {"once": "k" * 20}
    first = as_agent.post(address, data={"mode": "reply", "text": "Dear", **key}, headers=JSON).get_json()
    second = as_agent.post(address, data={"mode": "reply", "text": "Dear Mia", **key}, headers=JSON).get_json()
    assert first == second == {"draft": _draft().id}
    note = {"mode": "note", "text": "Look into it", "once": "n" * 20}
    assert as_agent.post(address, data=note, headers=JSON).get_json()["draft"] != first["draft"]
    page = as_agent.get(f"/desk/tickets/{ticket.id}").get_data(as_text=True)
    assert "Look into it</textarea>" in page and "You have begun a reply" in page
    colleague = sign_in(make_user("agent", name="Cora"))
    page = colleague.get(f"/desk/tickets/{ticket.id}").get_data(as_text=True)
    assert "has been writing a reply" in page and "Dear Mia" in page
    copied = colleague.get(f"/desk/tickets/{ticket.id}?draft={first['draft']}").get_data(as_text=True)
    assert "Dear Mia</textarea>" in copied and 'name="draft" id="composer-draft" value=""' in copied
    assert "Dear Mia" in as_agent.get("/desk/drafts").get_data(as_text=True)
    # Sent by the form's key: the draft is gone, and what the page sends late does not bring it back.
    _send(as_agent, ticket, "Dear Mia, yes.", **key)
    late = as_agent.post(address, data={"mode": "reply", "text": "Dear Mia, yes", **key}, headers=JSON)
    assert late.get_json() == {"draft": None}
    assert [row.text for row in db.session.scalars(db.select(ReplyDraft))] == ["Look into it"]


def test_a_megabyte_is_kept(as_agent: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    data = {"mode": "reply", "text": "x" * 1_100_000}
    assert as_agent.post(f"/desk/tickets/{ticket.id}/draft", data=data, headers=JSON).status_code == 200
    assert len(_draft().text) == 1_000_000
