"""What is kept about a person: handed out whole, erased without a trace, and never by halves."""

import io
import json
from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk.api import Field, hookimpl
from helpdesk.core import (
    account_mail,
    accounts,
    files,
    personal_data,
    plugin_states,
    second_factors,
    trusted_devices,
    workflow,
)
from helpdesk.core.accounts import AccountError
from helpdesk.core.channels import intake
from helpdesk.core.config import Config
from helpdesk.core.drafts import MessageDraft, TicketDraft
from helpdesk.core.extensions import Base, db
from helpdesk.core.models import AuditEntry, Delivery, Event, Job, Message, Tag, Ticket, User, View
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager

pytestmark = pytest.mark.plugins

MAIL = b"""From: Tom Ashby <Tom@Post.example>
To: desk@desk.example
Subject: Zanzibar lock
Message-ID: <zanzibar-1@post.example>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=x

--x
Content-Type: text/plain; charset=utf-8

My Zanzibar lock is stuck. Tom Ashby
--x
Content-Type: text/plain; name="zanzibar.txt"
Content-Disposition: attachment; filename="zanzibar.txt"

A file about Zanzibar.
--x--
"""
SECRETS = ("tom@post.example", "tom ashby", "zanzibar", "+44 1632")


@pytest.fixture
def tom(app: Any, make_user: Any, make_ticket: Any, run_jobs: Any) -> User:
    """A customer who has left something in most places."""
    ticket_id = intake.receive("email", MAIL).ticket_id
    ticket = db.session.get_one(Ticket, ticket_id)
    tom, mia = ticket.requester, make_user("agent", name="Mia Sorel")
    accounts.set_password(tom, "correct horse battery", None)
    with transaction():
        tom.phone, tom.locale, tom.signature = "+44 1632 960001", "zh_Hans", "Tom Ashby"
    answer = "Dear Tom Ashby, please try oil. Or write to TOM@post.example."
    workflow.reply(ticket, MessageDraft(answer, html=f"<p>{answer}</p>", quoted="> My Zanzibar lock"), mia)
    with transaction():
        db.session.add(Job(name="core.deliver", state="failed", error="550 <tom@post.example>: no such user"))
    workflow.set_subject(ticket, "Zanzibar lock again", tom if tom.is_staff else mia)
    workflow.reply(ticket, MessageDraft("It is still stuck, says Zanzibar."), tom)
    other = make_ticket("A bell", "It does not ring.")
    workflow.follow(other, tom, mia)
    workflow.reply(other, MessageDraft("Zanzibar bells ring."), tom)
    third = make_ticket("A saddle", "It squeaks.")
    workflow.follow(third, tom, mia)
    workflow.unfollow(third, tom, mia)
    account_mail.send_reset("tom@post.example")
    accounts.sign_in("tom@post.example", "wrong", "192.0.2.7")
    accounts.sign_in("tom@post.example", "correct horse battery", "192.0.2.7")
    accounts.enter(tom, tom.auth_stamp, "192.0.2.7", "Mozilla/5.0 (X11; Linux) Firefox/140.0")
    second_factors.prepare(tom)
    trusted_devices.remember(tom, "192.0.2.7", "Firefox")
    accounts.sign_in("tom@post.example", "wrong again", "192.0.2.7")
    with transaction():
        tom.care_mail, tom.bounce_reason, tom.bounced_at = False, "No such mailbox", tom.created_at
    return tom


def everything() -> str:
    """All that stands in the database."""
    found: list[str] = []
    db.session.rollback()
    with db.engine.connect() as connection:
        there = set(db.inspect(connection).get_table_names())
        for table in (table for table in Base.metadata.sorted_tables if table.name in there):
            for row in connection.execute(table.select()):
                found.append(f"{table.name}: {json.dumps(list(row), default=str, ensure_ascii=False)}")
    return "\n".join(found).casefold()


def on_disk(app: Any) -> bytes:
    config: Config = app.config["HELPDESK"]
    return b"".join(path.read_bytes() for path in sorted(config.paths.files.rglob("*")) if path.is_file())


# ---- handing out


@pytest.mark.db
def test_all_that_is_kept_is_handed_out(app: Any, tom: User, make_user: Any) -> None:
    found = personal_data.export(tom, make_user("admin"))
    assert json.loads(json.dumps(found)) == found
    assert found["profile"]["email"] == "tom@post.example" and found["profile"]["phone"] == "+44 1632 960001"
    assert found["profile"]["has_password"] is True and "password_hash" not in json.dumps(found)
    assert (found["profile"]["bounce_reason"], found["profile"]["care_mail"]) == ("No such mailbox", False)
    assert found["profile"]["bounced_at"] == found["profile"]["created_at"]
    assert [ticket["subject"] for ticket in found["tickets"]] == ["Zanzibar lock again"]
    assert [message["text"].split(".")[0] for message in found["messages"]] == [
        "My Zanzibar lock is stuck",
        "It is still stuck, says Zanzibar",
        "Zanzibar bells ring",
    ]
    assert found["messages"][0]["attachments"][0]["name"] == "zanzibar.txt"
    assert len(found["follows"]) == 1 and {row["kind"] for row in found["deliveries"]} >= {"reply", "reset"}
    assert [row["subject"] for row in found["incoming"]] == ["Zanzibar lock"]
    assert {row["kind"] for row in found["events"]} >= {"message_added"}
    assert {row["action"] for row in found["audit"]} >= {"user.signed_in", "user.sign_in_failed"}
    assert (found["plugins"], found["failed"], found["not_asked"]) == ({}, [], {})
    assert db.session.scalar(db.select(AuditEntry.subject).where(AuditEntry.action == "user.exported")) == tom.email


def test_the_number_of_queries_does_not_grow(app: Any, tom: User, make_ticket: Any, count_queries: Any) -> None:
    with count_queries() as few:
        personal_data.export(tom, None)
    for number in range(5):
        workflow.reply(make_ticket(f"{number}", requester=tom), MessageDraft("More"), tom)
    with count_queries() as many:
        personal_data.export(tom, None)
    assert len(many) <= len(few) + 1


def test_plugins_are_asked_off_or_on_and_those_that_fail_are_named(app: Any, tom: User, plug: Any) -> None:
    def fail(user: User) -> Any:
        raise RuntimeError("no luck")

    plug("orders", export_personal_data=lambda user: {"orders": [user.email]})
    plug("resting", export_personal_data=lambda: {"notes": 1})
    plug("silent", export_personal_data=lambda: None)
    plug("broken", export_personal_data=fail)
    plug("odd", export_personal_data=lambda: {"what": object()})
    plug("list", export_personal_data=lambda: ["x"])
    plugin_states.switch("resting", False, None)
    found = personal_data.export(tom, None)
    assert found["plugins"] == {"orders": {"orders": ["tom@post.example"]}, "resting": {"notes": 1}}
    assert sorted(found["failed"]) == ["broken", "list", "odd"]


# ---- erasing


@pytest.mark.db
def test_nothing_is_left(app: Any, tom: User, make_user: Any, run_jobs: Any) -> None:
    assert all(word in everything() for word in SECRETS)
    assert b"Zanzibar" in on_disk(app)
    erased = personal_data.erase(tom, make_user("admin"))
    left = [line for line in everything().splitlines() if any(word in line for word in SECRETS)]
    assert left == []
    run_jobs()
    assert b"Zanzibar" not in on_disk(app), "the raw mail and its file"
    assert dict(erased.counts) == {"tickets": 1, "messages": 3, "attachments": 1, "incoming": 1, "deliveries": 3}
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "user.erased")).one()
    assert entry.subject == f"#{tom.id}" and entry.data.items() >= dict(erased.counts).items()
    # What others wrote is still there.
    texts = set(db.session.scalars(db.select(Message.text)))
    name = f"Erased person {tom.id}"
    assert texts == {
        f"Dear {name}, please try oil. Or write to {name}.",
        "It does not ring.",
        "It squeaks.",
        "(erased)",
    }
    assert set(db.session.scalars(db.select(Ticket.subject))) == {"(erased)", "A bell", "A saddle"}


@pytest.mark.db
def test_the_account_is_shut_and_anonymous(app: Any, client: Any, tom: User, sign_in: Any, make_user: Any) -> None:
    make_user("admin")
    inside = sign_in(tom)
    assert inside.get("/tickets").status_code == 200
    personal_data.erase(tom, None)
    assert inside.get("/tickets").status_code != 200, "its sessions have ended"
    assert (tom.email, tom.phone, tom.password_hash, tom.active) == (None, None, None, False)
    assert tom.name == f"Erased person {tom.id}" and tom.role == "requester"
    with pytest.raises(AccountError):
        raise_if_nobody(accounts.sign_in("tom@post.example", "correct horse battery", "192.0.2.8"))
    # The address is free: whoever writes from it is somebody new.
    assert accounts.requester_for("tom@post.example").id != tom.id


def raise_if_nobody(user: User | None) -> None:
    if user is None:
        raise AccountError("password", "nobody")


def test_pages_still_work(app: Any, tom: User, as_admin: Any, as_agent: Any, run_jobs: Any) -> None:
    ticket_id = db.session.scalar(db.select(Ticket.id).where(Ticket.requester_id == tom.id))
    personal_data.erase(tom, as_admin.user)
    run_jobs()
    page = as_agent.get(f"/desk/tickets/{ticket_id}").text
    assert "(erased)" in page and f"Erased person {tom.id}" in page
    assert "erased the personal data of the customer" in page
    for path in (
        "/admin/mail",
        "/admin/mail/1",
        "/admin/audit",
        "/admin/jobs",
        f"/admin/people/{tom.id}",
        "/desk/views/open",
    ):
        assert as_admin.get(path).status_code == 200, path
    assert "Person erased" in as_admin.get("/admin/audit").text


def test_other_mail_from_the_same_mailbox_is_not_taken_in_again(app: Any, tom: User) -> None:
    before = db.session.scalar(db.select(db.func.count(Ticket.id)))
    personal_data.erase(tom, None)
    intake.receive("email", MAIL)
    assert db.session.scalar(db.select(db.func.count(Ticket.id))) == before


def test_a_file_that_somebody_else_has_sent_too_stays(app: Any, tom: User, make_ticket: Any, run_jobs: Any) -> None:
    shared = files.store(io.BytesIO(b"A shared picture"), "bell.txt", "text/plain")
    make_ticket("One", requester=tom, files=[shared])
    make_ticket("Two", files=[shared])
    alone = files.store(io.BytesIO(b"Only of Tom"), "bell.txt", "text/plain")
    make_ticket("Three", requester=tom, files=[alone])
    personal_data.erase(tom, None)
    run_jobs()
    assert files.path_of(shared.sha256).exists() and not files.path_of(alone.sha256).exists()


def test_what_waits_for_sending_is_cancelled(app: Any, tom: User, run_jobs: Any) -> None:
    assert db.session.scalar(db.select(db.func.count(Delivery.id)).where(Delivery.state == "waiting"))
    personal_data.erase(tom, None)
    mine = set(db.session.execute(db.select(Delivery.state, Delivery.address).where(Delivery.user_id == tom.id)))
    assert [tuple(row) for row in mine] == [("cancelled", "")]


@pytest.mark.db
def test_texts_in_fields_go_and_their_history_too(make_app: Any) -> None:
    plugin = SimpleNamespace(
        register_ticket_fields=hookimpl(
            lambda: [Field("orders_note", "Note"), Field("orders_kind", "Kind", "choice", ["Bicycle", "Part"])]
        )
    )
    with make_app({"orders": plugin}).app_context():
        ann = accounts.requester_for("ann@post.example", "Ann")
        given = {"orders_note": "Zanzibar", "orders_kind": "Part"}
        ticket = workflow.open_ticket(TicketDraft("A bell", ann.id, "It rings.", fields=given), None)
        workflow.set_field(ticket, "orders_note", "Zanzibar road 5", None)
        personal_data.erase(ann, None)
        assert "zanzibar" not in everything() and '"part"' in everything()
        last = db.session.scalars(db.select(Event).order_by(Event.id.desc())).first()
        assert last is not None and (last.kind, last.data) == ("ticket_updated", {"field": "erased"})


def test_staff_keep_their_word_to_customers(app: Any, make_user: Any, make_ticket: Any) -> None:
    mia = make_user("agent", name="Mia Sorel")
    ticket = make_ticket("A bell", assignee=mia)
    workflow.reply(ticket, MessageDraft("Please try oil."), mia)
    own = make_ticket("My own chair", "It squeaks under me.", requester=mia)
    with transaction():
        shared = View(name="Everybody's", shared_with="everybody", owner_id=mia.id)
        db.session.add_all([View(name="For me", owner_id=mia.id), shared])
    with pytest.raises(AccountError, match="Mia Sorel works here; switch the account off first"):
        personal_data.erase(mia, None)
    accounts.set_active(mia, False, None)
    personal_data.erase(mia, None)
    assert "Please try oil." in set(db.session.scalars(db.select(Message.text)))
    assert own.subject == "(erased)" and ticket.subject == "A bell"
    assert db.session.scalars(db.select(View)).all() == [shared] and shared.owner_id is None
    assert "mia sorel" not in everything()


def test_who_may_not_be_erased(app: Any, make_user: Any) -> None:
    admin, agent = make_user("admin"), make_user("agent")
    with pytest.raises(AccountError, match="You cannot erase yourself"):
        personal_data.erase(admin, admin)
    with pytest.raises(AccountError, match="the last administrator"):
        personal_data.erase(admin, None)
    second = make_user("admin")
    with pytest.raises(AccountError, match="works here"):
        personal_data.erase(admin, second)
    for verb in (personal_data.erase, personal_data.export, personal_data.preview):
        with pytest.raises(NotAllowed):
            verb(make_user(), agent)


@pytest.mark.db
def test_one_plugin_that_fails_and_nothing_is_erased(app: Any, tom: User, plug: Any) -> None:
    def note(user: User) -> None:
        db.session.add(Tag(name=f"erased {user.email}"))

    def fail() -> None:
        raise RuntimeError("the shop is closed")

    plug("orders", erase_personal_data=note)
    plug("polls", erase_personal_data=fail)
    plugin_states.switch("polls", False, None)
    before = everything()
    with pytest.raises(
        personal_data.NotErased, match="Nothing was erased. The plugin polls failed .*the shop is closed"
    ):
        personal_data.erase(tom, None)
    assert everything() == before


@pytest.mark.db
def test_plugins_are_asked_first_off_or_on_and_gone_ones_are_named(app: Any, tom: User, plug: Any) -> None:
    heard: list[Any] = []
    plug("orders", erase_personal_data=lambda user: heard.append(user.email))
    plug("resting", erase_personal_data=lambda user: heard.append(user.name))
    plugin_states.switch("resting", False, None)
    with transaction():
        db.session.execute(db.text("CREATE TABLE polls_answer (id INTEGER PRIMARY KEY)"))
        db.session.execute(db.text("CREATE TABLE alembic_version_polls (version_num VARCHAR(32))"))
    found = personal_data.preview(tom, None)
    ours = ["callbacks", "career", "customers", "email", "multilingual", "surveys", "training", "upsell"]
    assert found.asked == sorted([*ours, "orders", "resting"])
    assert dict(found.left) == {"polls": ["polls_answer"]}
    erased = personal_data.erase(tom, None)
    assert sorted(heard) == ["Tom Ashby", "tom@post.example"] and dict(erased.left) == {"polls": ["polls_answer"]}
    assert personal_data.export(tom, None)["not_asked"] == {"polls": ["polls_answer"]}


def test_erasing_twice_does_no_harm(app: Any, tom: User) -> None:
    personal_data.erase(tom, None)
    name = tom.name
    personal_data.erase(tom, None)
    assert tom.name == name and manager.current().plugins
