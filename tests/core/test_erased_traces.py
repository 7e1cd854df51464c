"""Who was erased stays named nowhere, and what is others' stays as it was."""

from typing import Any

import pytest
from sqlalchemy.event import listen, remove

from helpdesk.core import accounts, personal_data, workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.events.record import record
from helpdesk.core.extensions import Base, db
from helpdesk.core.models import AuditEntry, Event, HeldFact, Job, Message, PluginHealth, PluginState, Ticket, User
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import erasing
from tests.core.test_erasing import everything


@pytest.fixture
def tom(make_user: Any, make_ticket: Any) -> User:
    tom: User = make_user(name="Tom Ashby", email="tom@post.example")
    make_ticket("A lock", requester=tom)
    return tom


def rows_of(*tables: str) -> list[Any]:
    db.session.rollback()
    return [
        tuple(row)
        for name in tables
        for row in db.session.execute(Base.metadata.tables[name].select().order_by(Base.metadata.tables[name].c.id))
    ]


COMMON = ["Pen", "Web", "Email", "Open", "Support", "Will", "from", "high", "public", "bell", "开放"]


@pytest.mark.db
def test_names_that_are_common_words_change_nothing_of_others(
    app: Any, make_user: Any, make_ticket: Any, make_team: Any
) -> None:
    bob, mia = make_user(name="Bob Open"), make_user("agent", name="Mia Support")
    ticket = make_ticket("Will the Web open", requester=bob)
    workflow.move(ticket, make_team("Support"), mia)
    workflow.assign(ticket, mia, mia)
    workflow.set_priority(ticket, "high", mia)
    workflow.set_tags(ticket, ["Email", "Open"], mia)
    workflow.follow(ticket, make_user(name="Web Will"), mia)
    answer = "Open it by Email or Web, Support will be public, 开放."
    workflow.reply(ticket, MessageDraft(answer, html=f'<p title="Open">{answer}</p>'), mia)
    workflow.set_status(ticket, "pending", mia)
    with transaction():
        db.session.add(Event(kind="surveys_answered", data={"channel": "web", "of": "joweb@post.example"}))
    people = [make_user(name=name, email=f"{name}@post.example".lower()) for name in COMMON]
    before = rows_of("event", "message", "ticket")
    for person in people:
        personal_data.erase(person, None)
        assert rows_of("event", "message", "ticket") == before, person.id


@pytest.mark.db
def test_the_events_of_the_own_tickets_keep_what_machines_read(app: Any, make_user: Any, make_ticket: Any) -> None:
    web, mia = make_user(name="Web", email="web@post.example"), make_user("agent", name="Web Mia")
    ticket = make_ticket("A bell", requester=web, tags=["web"])
    workflow.assign(ticket, mia, mia)
    workflow.set_tags(ticket, ["web", "open"], mia)
    workflow.set_status(ticket, "pending", mia)
    answer = "Dear Web, the web planning is at joweb@post.example, not web@post.example."
    workflow.reply(ticket, MessageDraft(answer, html=f'<p>{answer} <a href="https://web.example/web">Web</a></p>'), mia)
    html = ticket_messages(ticket)[-1].html
    before = rows_of("event")
    personal_data.erase(web, None)
    assert rows_of("event")[: len(before)] == before
    said = ticket_messages(ticket)[-1]
    assert said.text == answer.replace(" web@post.example", f" Erased person {web.id}")
    assert said.html == html.replace(" web@post.example", f" Erased person {web.id}")


def ticket_messages(ticket: Ticket) -> list[Message]:
    return list(db.session.scalars(db.select(Message).where(Message.ticket_id == ticket.id).order_by(Message.id)))


@pytest.mark.db
def test_who_was_responsible_is_known_by_number_and_who_followed_by_name(
    app: Any, make_user: Any, make_ticket: Any
) -> None:
    first, second = make_user("agent", name="Zoë Ashby"), make_user("agent", name="Zoë Ashby")
    ticket = make_ticket("A bell")
    for agent in (first, second, None):
        workflow.assign(ticket, agent, None)
    workflow.follow(ticket, first, None)
    with transaction():
        first.name = "Zoë Miller"
    for agent in (first, second):
        accounts.set_active(agent, False, None)
    personal_data.erase(first, None)
    gone = f"Erased person {first.id}"
    assigned = [(data["from_name"], data["to_name"]) for data in datas("ticket_assigned")]
    assert assigned == [(None, gone), (gone, "Zoë Ashby"), ("Zoë Ashby", None)]
    assert [data["to"] for data in datas("ticket_updated")] == ["Zoë Ashby"], "it may be the other one"
    personal_data.erase(second, None)
    assert "zoë ashby" not in everything() and "zo\\u00eb" not in everything()


def datas(kind: str) -> list[dict[str, Any]]:
    return list(db.session.scalars(db.select(Event.data).where(Event.kind == kind).order_by(Event.id)))


@pytest.mark.db
def test_no_address_is_left_with_jobs_and_plugins(app: Any, tom: User) -> None:
    tom_says, jotom_says = "550 <Tom@post.example>: no", "550 <jotom@post.example>: no"
    given = {"to": ["tom@post.example", "jotom@post.example"], "tom@post.example": 1, "name": "orders"}
    today = now().date()
    with transaction():
        for number, words in enumerate((tom_says, jotom_says)):
            db.session.add(PluginState(name=f"p{number}", error=words, paused_reason=words, migration_error=words))
            db.session.add(PluginHealth(plugin=f"p{number}", hook="ticket_opened", day=today, error=words))
            db.session.add(Job(name="p.send", args=given, checkpoint=given, result=given, error=words, key=words))
            event = record("orders.sent", None, None, {})
            db.session.flush()
            db.session.add(HeldFact(plugin="p", event_id=event.id, error=words))
    personal_data.erase(tom, None)
    assert "tom@post.example" not in everything().replace("jotom@post.example", "")
    first, second = (db.session.get_one(PluginState, f"p{number}") for number in range(2))
    assert (first.error, first.migration_error, first.paused_reason) == ("", "", f"550 <Erased person {tom.id}>: no")
    assert second.error == second.paused_reason == second.migration_error == jotom_says
    one, other = db.session.scalars(db.select(Job).where(Job.name == "p.send").order_by(Job.id))
    assert (one.error, one.key, other.error, other.key) == ("", None, jotom_says, jotom_says)
    gone = f"Erased person {tom.id}"
    kept = {"to": [gone, "jotom@post.example"], gone: 1, "name": "orders"}
    for job in (one, other):
        assert job.args == job.checkpoint == job.result == kept
    held = list(db.session.scalars(db.select(HeldFact.error).order_by(HeldFact.event_id)))
    assert held == [f"550 <{gone}>: no", jotom_says]
    healths = set(db.session.scalars(db.select(PluginHealth.error).where(PluginHealth.plugin.in_(["p0", "p1"]))))
    assert healths == {"", jotom_says}


@pytest.mark.db
def test_the_record_about_a_longer_address_is_somebody_elses(app: Any, make_user: Any) -> None:
    other = make_user("agent", email="jo@post.example.com")
    accounts.sign_in("ajo@post.example", "wrong", "192.0.2.7")
    accounts.set_active(other, False, None)
    person = make_user(email="jo@post.example")
    subjects = {"jo@post.example.com", "ajo@post.example"}
    assert not subjects & {row["subject"] for row in personal_data.export(person, None)["audit"]}
    personal_data.erase(person, None)
    assert subjects <= set(db.session.scalars(db.select(AuditEntry.subject)))


@pytest.mark.db
def test_only_the_events_that_may_name_somebody_are_read_a_few_at_a_time(
    app: Any, tom: User, make_ticket: Any, monkeypatch: pytest.MonkeyPatch, count_queries: Any
) -> None:
    monkeypatch.setattr(erasing, "_CHUNK", 7)
    other = make_ticket("A bell")
    rows = [{"kind": "ticket_updated", "ticket_id": other.id, "data": {"field": "priority"}} for _ in range(2000)]
    rows += [{"kind": "orders_sent", "data": {"to": "Tom@post.example"}} for _ in range(50)]
    with transaction():
        db.session.execute(db.insert(Event), rows)
    seen: set[int] = set()

    def see(event: Event, _context: Any) -> None:
        seen.add(event.id)

    listen(Event, "load", see)
    with count_queries() as statements:
        personal_data.erase(tom, None)
    remove(Event, "load", see)
    assert 50 <= len(seen) < 80
    assert len([text for text in statements if "FROM event" in text and text.startswith("SELECT")]) > 50 / 7
    assert "tom@post.example" not in everything()
