"""Held replies: sent once whatever dies, kept where they cannot be sent, and their files and people."""

import threading
from typing import Any

import pytest

from helpdesk.core import personal_data, reply_drafts, settings, unused_files, workflow
from helpdesk.core.extensions import db
from helpdesk.core.files import path_of, store_bytes
from helpdesk.core.jobs import ledger, runner
from helpdesk.core.models import Attachment, Delivery, Message, ReplyDraft
from helpdesk.core.reply_drafts import TooMany, Written
from helpdesk.core.settings import DeskSettings
from helpdesk.plugins.contributions import Reject


@pytest.fixture
def agent(app: Any, make_user: Any) -> Any:
    settings.save(DeskSettings, {"undo_seconds": 10}, None)
    return make_user("agent", name="Anna Berg", signature="Anna")


def _messages() -> list[str]:
    return list(db.session.scalars(db.select(Message.text).where(Message.channel == "desk")))


@pytest.mark.db
def test_two_workers_send_a_reply_once(app: Any, agent: Any, make_ticket: Any, travel: Any) -> None:
    ticket = make_ticket()
    draft_id = reply_drafts.hold(ticket, Written("Once", data={"status": "pending"}), agent).id
    # Asked for twice, as after a worker whose end was not noted.
    ledger.schedule(reply_drafts.JOB, draft_id=draft_id, at=ledger.now())
    db.session.remove()
    travel(seconds=11)

    def work() -> None:
        with app.app_context():
            runner.run_due()
            db.session.remove()

    workers = [threading.Thread(target=work) for _number in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert _messages() == ["Once\n\nAnna"]
    assert db.session.scalar(db.select(db.func.count(Delivery.id)).where(Delivery.kind == "reply")) == 1
    assert db.session.scalar(db.select(db.func.count(ReplyDraft.id))) == 0


def test_a_worker_that_dies_in_the_middle_leaves_it_held(
    agent: Any, make_ticket: Any, travel: Any, run_jobs: Any, monkeypatch: Any
) -> None:
    reply_drafts.hold(make_ticket(), Written("Once"), agent)
    travel(seconds=11)
    reply, died = workflow.reply, []

    def die(*args: Any) -> Any:
        reply(*args)
        if not died:
            died.append(True)
            raise RuntimeError("killed after the message was written")

    monkeypatch.setattr(workflow, "reply", die)
    run_jobs()
    assert died and _messages() == [] and db.session.scalars(db.select(ReplyDraft)).one().send_at is not None
    travel(minutes=5)
    run_jobs()
    assert _messages() == ["Once\n\nAnna"]


def test_a_job_that_is_given_up_leaves_the_text_with_its_writer(agent: Any, make_ticket: Any) -> None:
    draft = reply_drafts.hold(make_ticket(), Written("Kept"), agent)
    reply_drafts.given_up(draft.id, "The disk is full.")
    assert draft.send_at is None and "The disk is full." in draft.problem and draft.text == "Kept"


def test_plugins_and_a_closed_ticket_refuse_it_at_sending(
    agent: Any, make_ticket: Any, travel: Any, run_jobs: Any, plug: Any
) -> None:
    def refuse(draft: Any) -> None:
        raise Reject("Say please.")

    first, second = make_ticket(), make_ticket()
    reply_drafts.hold(first, Written("Now!"), agent)
    closed = reply_drafts.hold(second, Written("Late"), agent)
    plug("polite", before_message_added=refuse)
    travel(seconds=11)
    run_jobs()
    rows = db.session.scalars(db.select(ReplyDraft).order_by(ReplyDraft.id)).all()
    assert _messages() == [] and rows[0].problem == "Say please." and rows[1].id == closed.id
    workflow.close(second, None)
    with pytest.raises(workflow.Invalid):
        reply_drafts.hold(second, Written("Late", number=closed.id), agent)


def test_files_of_a_draft_stay_and_go_along(agent: Any, make_ticket: Any, travel: Any, run_jobs: Any) -> None:
    file, ticket = store_bytes(b"bill", "bill.txt", "text/plain"), make_ticket()
    draft = reply_drafts.keep(ticket, Written("See the bill", files=[file]), agent)
    assert draft is not None
    travel(days=9)
    unused_files.remove([file.sha256], ledger.now().isoformat())
    assert path_of(file.sha256).is_file()
    reply_drafts.hold(ticket, Written("See the bill", files=reply_drafts.files_of(draft), number=draft.id), agent)
    travel(seconds=11)
    run_jobs()
    assert db.session.scalars(db.select(Attachment.name)).one() == "bill.txt"


def test_drafts_are_few_their_writers_and_theirs_to_take_along(agent: Any, make_ticket: Any, make_user: Any) -> None:
    ticket, other = make_ticket(), make_user("agent")
    for number in range(20):
        reply_drafts.keep(ticket, Written(f"Text {number}", key=str(number)), agent)
    with pytest.raises(TooMany):
        reply_drafts.keep(ticket, Written("One more", key="more"), agent)
    draft = reply_drafts.keep(ticket, Written("Changed", key="3"), agent)
    assert draft is not None and draft.text == "Changed"
    # A colleague can neither change nor discard nor take it back; nothing written takes it away.
    assert reply_drafts.keep(ticket, Written("Mine", number=draft.id), other).id != draft.id
    assert not reply_drafts.discard(ticket, other, draft.id)
    assert reply_drafts.take_back(ticket, draft.id, other) is None
    assert reply_drafts.keep(ticket, Written(" ", key="3"), agent) is None
    assert reply_drafts.count(agent) == 19 and len(reply_drafts.mine(agent)) == 19
    admin = make_user("admin")
    assert len(personal_data.export(agent, admin)["reply_drafts"]) == 19
    agent.active = False
    db.session.commit()
    personal_data.erase(agent, admin)
    assert db.session.scalars(db.select(ReplyDraft.text)).all() == ["Mine"]
    personal_data.erase(ticket.requester, admin)
    assert db.session.scalars(db.select(ReplyDraft.text)).all() == []
