"""The search: what it finds, in which scripts, for whom; and that its index follows whatever is written."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select, update

from helpdesk.core import search, workflow
from helpdesk.core.drafts import MessageDraft, StoredFile
from helpdesk.core.extensions import db
from helpdesk.core.jobs import runner
from helpdesk.core.models import Message, SearchDue, SearchMessage, SearchTicket, Ticket, User
from helpdesk.core.permissions import visible_tickets
from helpdesk.core.search import index, query, rebuilding, words
from helpdesk.core.search.conditions import problems
from helpdesk.core.search.marking import around, marked
from helpdesk.core.transaction import transaction
from tests.core.conftest import Post


def found(text: str, user: User) -> set[str]:
    """The subjects of what is found."""
    while index.read_some():
        pass
    rows = db.session.scalars(visible_tickets(user).where(search.ticket_ids_criterion(text, user)))
    return {ticket.subject for ticket in rows}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Müller's ÉTÉ", ["muller", "s", "ete"]),
        ("order 4711-AB", ["order", "4711", "ab"]),
        ("anna@shop.example", ["anna", "shop", "example"]),
        ("退款申请", ["退款", "款申", "申请", "请"]),
        ("iPhone15手机壳", ["iphone15", "手机", "机壳", "壳"]),
        ("ＡＢＣ１２３", ["abc123"]),
        ("ｶﾒﾗ", ["カメ", "メラ", "ラ"]),
        ("환불은", ["환불", "불은", "은"]),
        ("हिन्दी", ["हिन्दी"]),
        ("под Ёлкой", ["под", "елкои"]),
        ("_a__b_", ["a", "b"]),
        ("", []),
        ("!?…", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words.words_of(text) == expected
    # What is marked on pages are the same words; half-width kana are only found.
    if text != "ｶﾒﾗ":
        assert [place.word for place in words.places_of(text)] == expected


@pytest.mark.db
def test_what_is_found(make_ticket: Any, make_user: Any, make_team: Any) -> None:
    agent, team = make_user("agent", name="Jonas Weber"), make_team("Workshop")
    anna = make_user(name="Anna Lindqvist", email="anna@post.example", phone="+49 30 1234567")
    make_ticket(
        "Brake squeals", text="The front brake of order 4711-AB squeals. Straße.", requester=anna, tags=["brakes"]
    )
    make_ticket("Refund", text="Please refund my invoices", team=team, assignee=agent, priority="urgent")
    make_ticket("退款申请", text="我的订单还没有退款，请尽快处理。", status="solved")
    make_ticket("返金", text="カメラの返金をお願いします")
    assert found("squeal", agent) == found("SQUEALS", agent) == {"Brake squeals"}
    assert found('"squeal"', agent) == set()
    assert found('"front brake"', agent) == {"Brake squeals"} and found('"brake front"', agent) == set()
    for text in ("4711-AB", "4711", "471*", "lindqvist front", "anna@post.example", "post.example", "STRASSE"):
        assert found(text, agent) == {"Brake squeals"}, text
    assert found("brake refund", agent) == set()
    # One word in the subject, one in the message, one in the name of who asks.
    assert found("退款", agent) == found("退", agent) == found("尽快处理", agent) == {"退款申请"}
    assert found("退款 订单", agent) == {"退款申请"} and found("款退", agent) == set()
    assert found("カメラ", agent) == found("ｶﾒﾗ", agent) == found("返金", agent) == {"返金"}
    assert found("please -refund", agent) == set() and found("-please -退款 -返金", agent) == {"Brake squeals"}
    assert found("from:anna", agent) == found("from:anna@post.example", agent) == {"Brake squeals"}
    assert found("from:anna -from:anna", agent) == set() and "Refund" in found("-from:anna", agent)
    assert found("status:solved", agent) == found("is:solved", agent) == {"退款申请"}
    assert found("tag:brakes", agent) == {"Brake squeals"}
    assert found("team:work", agent) == found("assignee:me", agent) == found("is:mine", agent) == {"Refund"}
    assert found("assignee:jonas", agent) == found("priority:urgent", agent) == {"Refund"}
    assert "Refund" not in found("is:unassigned", agent) | found("team:none", agent)
    assert found("before:today", agent) == set() and len(found("after:today is:open", agent)) == 3
    for text in ("", "  ", "!!", "before:soon", "is:wrong", "has:wings", "priority:most", "from:!!"):
        assert found(text, agent) == set(), text
    assert len(problems(query.parse("before:soon is:wrong has:wings priority:most from:!! word"), agent)) == 5
    # Customers have no search, and nothing is found for them.
    assert found("brake", anna) == set()


@pytest.mark.db
def test_a_status_is_found_by_its_name_in_any_letters(make_ticket: Any, make_user: Any) -> None:
    agent, ticket = make_user("agent"), make_ticket("Chain", status="solved")
    with transaction():
        ticket.status.name = "Überprüft"
    assert found("status:überprüft", agent) == found("status:ÜBERPRÜFT", agent) == {"Chain"}
    assert found("status:geprüft", agent) == set()


@pytest.mark.db
def test_only_what_the_reader_may_see(make_ticket: Any, make_user: Any, make_team: Any) -> None:
    agent, admin = make_user("agent"), make_user("admin")
    make_ticket("Secret wheel", text="hidden wheel", team=make_team(private=True))
    make_ticket("Open wheel", text="shown wheel")
    assert found("wheel", admin) == {"Secret wheel", "Open wheel"}
    assert found("wheel", agent) == {"Open wheel"}
    assert [ticket.subject for ticket in search.tickets_named("whe", agent)] == ["Open wheel"]
    assert len(search.tickets_named("whe", admin)) == 2


@pytest.mark.db
def test_the_index_follows_what_is_written(app: Any, make_ticket: Any, make_user: Any) -> None:
    agent, rita = make_user("agent"), make_user(name="Rita", email="rita@post.example")
    ticket = make_ticket("Pump", text="first words", requester=rita)
    other = make_ticket("Saddle", text="other words")
    files = [StoredFile("bill-2026.pdf", "application/pdf", 1, "0" * 64)]
    workflow.reply(ticket, MessageDraft(text="an answer", files=files), agent)
    workflow.note(ticket, MessageDraft(text="a remark", visibility="internal"), agent)
    assert found("answer", agent) == found("remark", agent) == found("bill-2026.pdf", agent) == {"Pump"}
    assert found("has:attachment", agent) == {"Pump"}
    workflow.set_subject(ticket, "Tyre", agent)
    assert found("pump", agent) == set() and found("tyre", agent) == {"Tyre"}
    with transaction():
        rita.name = "Margarita"
    assert found("margarita", agent) == {"Tyre"} and found("rita words", agent) == {"Tyre"}
    assert [person.id for person in search.people_found("marga", agent)] == [rita.id]
    # A message goes to another ticket by a statement.
    moved = db.session.scalar(select(Message.id).where(Message.text == "an answer"))
    with transaction():
        db.session.execute(update(Message).where(Message.id == moved).values(ticket_id=other.id))
        search.mark_messages(select(Message.id).where(Message.ticket_id == other.id))
    assert found("answer", agent) == {"Saddle"} == found("bill-2026.pdf saddle", agent)
    with transaction():
        workflow.erase_traces(db.session.get_one(User, rita.id), None, "(erased)")
    assert found("first", agent) == found("tyre", agent) == set()
    with transaction():
        db.session.execute(delete(Message).where(Message.id == moved))
    assert found("answer", agent) == set()
    assert rebuilding.problems() == []


@pytest.mark.db
def test_what_is_undone_is_not_found_and_a_worker_reads_the_rest(app: Any, make_ticket: Any, make_user: Any) -> None:
    agent = make_user("agent")
    with pytest.raises(RuntimeError), transaction():
        db.session.add(User(name="Nobody Atall", email="nobody@post.example"))
        db.session.flush()
        raise RuntimeError
    make_ticket("Chain", text="a chain")
    assert db.session.scalar(select(func.count(SearchDue.id))) > 0
    runner.run_due()
    assert db.session.scalar(select(func.count(SearchDue.id))) == 0
    assert search.people_found("nobody", agent) == []
    assert len(search.tickets_named("cha", agent)) == 1


@pytest.mark.db
def test_strangers_who_write_are_found(post: Post, make_user: Any) -> None:
    agent = make_user("agent")
    post.receive(sender_address="tom@post.example", sender_name="Tom Stranger")
    assert found("stuck stranger", agent) == {"Lock"}
    assert [person.email for person in search.people_found("stranger", agent)] == ["tom@post.example"]
    assert rebuilding.problems() == []


@pytest.mark.db
def test_made_anew(app: Any, make_ticket: Any, make_user: Any) -> None:
    agent = make_user("agent")
    make_ticket("Chain", text="a chain")
    assert found("chain", agent) == {"Chain"}
    with transaction():
        db.session.execute(SearchTicket.__table__.delete())
        db.session.execute(SearchMessage.__table__.delete())
    assert found("chain", agent) == set() and len(rebuilding.problems()) == 2
    rebuilding.ask()
    runner.run_due()
    assert found("chain", agent) == {"Chain"} and rebuilding.problems() == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    text=st.text(max_size=60)
    | st.lists(
        st.sampled_from([*'"*-:() 退a1', *(f"{name}:" for name in query.FIELDS), "AND", "NEAR("]), max_size=12
    ).map("".join)
)
def test_any_text_is_a_search(app: Any, make_user: Any, text: str) -> None:
    user = db.session.scalar(select(User).where(User.role == "agent")) or make_user("agent")
    read = search.parse(text)
    db.session.scalars(visible_tickets(user).where(search.ticket_ids_criterion(text, user)).limit(5)).all()
    search.people_found(text, user)
    search.tickets_named(text, user)
    search.excerpts_of(read, [1])
    problems(read, user)
    assert "".join(part.text for part in marked(text, read.terms)) == text
    around(text, read.terms)


def test_marks() -> None:
    def shown(text: str, asked: str) -> str:
        return "".join(
            f"[{part.text}]" if part.marked else part.text for part in around(text, query.parse(asked).terms)
        )

    assert shown("The Brakes squeal", "brake") == "The [Brakes] squeal"
    assert shown("Straße 5", "strasse") == "[Straße] 5"
    assert shown("请退款给我", "退款") == "请[退款]给我"
    assert shown("Order 4711-AB now", "4711-ab") == "Order [4711-AB] now"
    long = "word " * 400 + "needle " + "word " * 400
    assert "[needle]" in shown(long, "needle") and len(shown(long, "needle")) < 300
    assert shown("nothing", "else") == "nothing"
    assert Ticket.__tablename__ == "ticket"
