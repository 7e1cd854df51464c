"""Two records of a customer made one, and that undone: what moves, who may write and see, who may sign in."""

from typing import Any

import pytest
from sqlalchemy import insert, select, update

from helpdesk.api import merges_of
from helpdesk.core import account_mail, accounts, callers, links, personal_data, workflow
from helpdesk.core.accounts import AccountError
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import Base, db
from helpdesk.core.models import AuditEntry, Delivery, Event, Follower, Message, PersonMerge, Ticket, User
from helpdesk.core.moved_rows import move_back, move_rows
from helpdesk.core.people_merging import merge_people, records_of, unmerge_people
from helpdesk.core.permissions import NotAllowed, find_ticket
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow.errors import Invalid
from tests.core.conftest import Post

OLD, NEW = "anna@old.example", "anna@new.example"


@pytest.fixture
def anna(make_user: Any) -> User:
    return make_user(name="Anna Berg", email=NEW)


@pytest.fixture
def other(make_user: Any) -> User:
    return make_user(name="A. Berg-Lund", email=OLD)


@pytest.fixture
def boss(make_user: Any) -> User:
    return make_user("supervisor", name="Bea Boss")


def whole() -> dict[str, list[Any]]:
    """What stands in the tables that a merge may touch, without what only counts or logs."""
    db.session.rollback()
    found = {}
    for model in (User, Ticket, Follower, Message):
        columns = [c for c in model.__table__.columns if c.name not in ("auth_stamp", "version", "updated_at")]
        rows = db.session.execute(select(*columns).order_by(*model.__table__.primary_key.columns)).all()
        found[model.__tablename__] = [tuple(row) for row in rows]
    return found


def requester(ticket: Ticket) -> str | None:
    return db.session.scalar(
        select(User.email).join(Ticket, Ticket.requester_id == User.id).where(Ticket.id == ticket.id)
    )


def follows(person: User) -> set[int]:
    return set(db.session.scalars(select(Follower.ticket_id).where(Follower.user_id == person.id)))


@pytest.mark.db
def test_everything_moves_and_comes_back(
    anna: User, other: User, boss: User, make_ticket: Any, make_user: Any, travel: Any
) -> None:
    lea = make_user(name="Lea Moor")
    mine, theirs = make_ticket(requester=anna), make_ticket(requester=other, text="It squeaks.")
    both, hers, watched = make_ticket(requester=lea), make_ticket(requester=lea), make_ticket(requester=other)
    workflow.follow(both, other, boss)
    travel(hours=1)
    workflow.follow(both, anna, boss)
    workflow.follow(hers, other, boss)
    workflow.follow(watched, anna, boss)
    workflow.follow(mine, other, boss)
    with transaction():
        other.phone, other.locale, anna.locale = "+49 176 12345", "es", "en"
    before = whole()
    first = db.session.get_one(Follower, (both.id, other.id)).since

    merge = merge_people(anna, other, boss, take=["name"])
    assert (requester(theirs), requester(watched), requester(mine)) == (NEW, NEW, NEW)
    assert follows(anna) == {both.id, hers.id} and follows(other) == set()
    assert db.session.get_one(Follower, (both.id, anna.id)).since == first, "she reads from where either did"
    assert set(db.session.scalars(select(Message.author_id).where(Message.ticket_id == theirs.id))) == {anna.id}
    assert (anna.name, anna.phone, anna.locale) == ("A. Berg-Lund", "+49 176 12345", "en")
    assert (other.active, other.merged_into_id, merge.data["tickets"]) == (False, anna.id, 2)
    assert [one.id for one in merges_of(anna)] == [merge.id] and records_of(anna) == [other]
    told = db.session.scalar(select(Event.data).where(Event.ticket_id == theirs.id).order_by(Event.id.desc()))
    assert told["field"] == "requester" and (told["from_id"], told["to_id"]) == (other.id, anna.id)

    unmerge_people(merge, boss)
    assert whole() == before
    assert merges_of(anna) == []
    version = theirs.version
    unmerge_people(merge, boss)
    db.session.refresh(theirs)
    assert theirs.version == version, "once is enough"
    acts = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id.desc()).limit(2)).all()
    assert acts == ["user.unmerged", "user.merged"]


@pytest.mark.db
def test_what_comes_later_stays_with_the_survivor(
    post: Post, anna: User, other: User, boss: User, make_ticket: Any, make_user: Any
) -> None:
    old, given = make_ticket(requester=other), make_ticket(requester=other)
    merge = merge_people(anna, other, boss)
    new = post.receive(sender_address=OLD, subject="A bell").ticket_id
    lea = make_user()
    with transaction():
        db.session.execute(update(Ticket).where(Ticket.id == given.id).values(requester_id=lea.id))
        anna.name = "Anna Berg-Lund"
    unmerge_people(merge, boss)
    asked = {row.id: row.requester_id for row in db.session.scalars(select(Ticket))}
    assert asked == {old.id: other.id, given.id: lea.id, new: anna.id}
    assert anna.name == "Anna Berg-Lund", "somebody changed it since"


@pytest.mark.parametrize("inner_first", [True, False])
def test_a_chain_is_undone_in_any_order(
    anna: User, other: User, boss: User, make_user: Any, make_ticket: Any, inner_first: bool
) -> None:
    third = make_user(name="Anna B.", email="anna@third.example")
    tickets = {person.email: make_ticket(requester=person) for person in (anna, other, third)}
    before = whole()
    inner = merge_people(other, third, boss)
    outer = merge_people(anna, other, boss)
    db.session.refresh(third)
    assert third.merged_into_id == anna.id, "the pointer never ends at a merged record"
    assert accounts.by_email("anna@third.example") is anna
    assert {requester(ticket) for ticket in tickets.values()} == {NEW}
    for merge in (inner, outer) if inner_first else (outer, inner):
        unmerge_people(merge, boss)
    assert whole() == before


@pytest.mark.db
def test_whoever_the_survivor_went_into_waits_as_well(anna: User, other: User, boss: User, make_user: Any) -> None:
    third, sister = make_user(email="anna@third.example"), make_user(email="anna@sister.example")
    inner = merge_people(other, third, boss)
    for one in (other, sister):
        merge_people(anna, one, boss)
    everybody = {one.id for one in (anna, other, third, sister)}
    free = select(User.id).where(User.id.in_(everybody)).with_for_update(skip_locked=True)
    with transaction(), db.engine.connect() as elsewhere:
        unmerge_people(inner, boss)
        # SQLite knows no locks of rows: there is one writer at a time.
        left = everybody if db.engine.dialect.name == "sqlite" else set()
        assert set(elsewhere.scalars(free)) == left


def test_what_was_given_back_is_not_given_back_again(
    anna: User, other: User, boss: User, make_user: Any, make_ticket: Any
) -> None:
    third = make_user(name="Anna B.", email="anna@third.example")
    ticket = make_ticket(requester=third)
    inner = merge_people(other, third, boss)
    outer = merge_people(anna, other, boss)
    unmerge_people(inner, boss)
    merge_people(anna, third, boss)
    unmerge_people(outer, boss)
    assert requester(ticket) == NEW, "it is not the one's that the outer merge was about"
    assert accounts.by_email("anna@third.example") is anna, "nor is the record itself"
    assert records_of(anna) == [third]


@pytest.mark.db
def test_many_tickets_take_no_more_statements_each(
    anna: User, other: User, boss: User, make_ticket: Any, count_queries: Any
) -> None:
    model = make_ticket(requester=other)
    db.session.rollback()
    columns = {c.name: getattr(model, c.name) for c in Ticket.__table__.columns if c.name not in ("id", "access_key")}
    db.session.rollback()
    with transaction():
        db.session.execute(insert(Ticket), [{**columns, "access_key": str(number)} for number in range(150)])
    with count_queries() as counted:
        merge = merge_people(anna, other, boss)
    assert merge.data["tickets"] == 151
    assert len(counted) < 60, f"{len(counted)} statements"
    unmerge_people(merge, boss)
    assert db.session.scalar(select(db.func.count(Ticket.id)).where(Ticket.requester_id == other.id)) == 151


# ---- who may


@pytest.mark.parametrize("role", ["agent", "requester"])
def test_agents_and_customers_merge_nobody(anna: User, other: User, boss: User, make_user: Any, role: str) -> None:
    person = make_user(role)
    with pytest.raises(NotAllowed):
        merge_people(anna, other, person)
    merge = merge_people(anna, other, boss)
    with pytest.raises(NotAllowed):
        unmerge_people(merge, person)
    assert merge.undone_at is None


def test_who_cannot_be_merged(anna: User, other: User, boss: User, make_user: Any) -> None:
    agent, off = make_user("agent", name="Abe"), make_user(name="Olga Off")
    accounts.set_active(off, False, None)
    for one, two, sentence in (
        (anna, agent, "works here"),
        (agent, anna, "works here"),
        (anna, anna, "two different"),
        (anna, off, "switched off"),
        (off, anna, "switched off"),
    ):
        with pytest.raises(Invalid, match=sentence):
            merge_people(one, two, boss)
    with pytest.raises(Invalid, match="cannot be taken"):
        merge_people(anna, other, boss, take=["password_hash"])
    assert not db.session.scalars(select(PersonMerge)).all()
    merge_people(anna, other, boss)
    for one, two in ((anna, other), (other, make_user())):
        with pytest.raises(Invalid, match="already"):
            merge_people(one, two, boss)


# ---- the way in


def test_a_merged_record_signs_in_nowhere_and_gives_nobody_a_way_in(
    anna: User, other: User, boss: User, make_user: Any, sign_in: Any, run_jobs: Any, mailbox: Any
) -> None:
    admin = make_user("admin")
    accounts.set_password(other, "correct horse battery", None)
    client = sign_in(other)
    assert client.get("/tickets").status_code == 200
    secret = accounts.issue_token(accounts.RESET, other)
    merge = merge_people(anna, other, boss)
    assert client.get("/tickets").status_code == 303, "the session is dead"
    assert accounts.sign_in(OLD, "correct horse battery", "192.0.2.7") is None
    assert accounts.find_token(accounts.RESET, secret) is None
    assert anna.password_hash is None and accounts.sign_in(NEW, "correct horse battery", "192.0.2.7") is None
    account_mail.send_reset(OLD)
    account_mail.send_registration(OLD, "Anna Berg")
    run_jobs()
    assert mailbox.to(OLD) == mailbox.to(NEW) == [], "no link to the survivor's account for who reads the old address"
    for act in (
        lambda: accounts.set_active(other, True, admin),
        lambda: accounts.change_role(other, "agent", admin),
        lambda: accounts.change_role(anna, "agent", admin),
        lambda: accounts.create_user(OLD, "", "agent", admin),
        lambda: accounts.create_user(OLD, "", "requester", admin),
        lambda: accounts.create_user(NEW, "", "agent", admin),
    ):
        with pytest.raises(AccountError, match="undo that first"):
            act()
    unmerge_people(merge, boss)
    assert accounts.sign_in(OLD, "correct horse battery", "192.0.2.7") is not None


@pytest.mark.plugins("email")
@pytest.mark.db
def test_mail_from_either_address_is_the_survivors(
    post: Post, anna: User, other: User, boss: User, run_jobs: Any, mailbox: Any
) -> None:
    ticket = db.session.get_one(Ticket, post.receive(sender_address=OLD, subject="Lock").ticket_id)
    workflow.reply(ticket, MessageDraft("Bring it in."), boss)
    run_jobs()
    identity = db.session.scalar(select(Delivery.identity).where(Delivery.kind == "reply"))
    token = links.token(links.REPLY, ticket, other)
    url = links.follow_url(ticket, other).removeprefix(links.address())
    merge_people(anna, other, boss)

    for sender in (OLD, NEW):
        for proof in ({"reply_tokens": [token]}, {"references": [identity]}):
            outcome = post.receive(sender_address=sender, subject="Re: Lock", text="Thank you.", **proof)
            assert (outcome.outcome, outcome.ticket_id) == ("message", ticket.id), (sender, proof)
    authors = db.session.scalars(select(Message.author_id).where(Message.ticket_id == ticket.id)).all()
    assert set(authors) == {anna.id, boss.id}
    assert post.receive(sender_address="eve@evil.example", reply_tokens=[token]).ticket_id != ticket.id
    assert accounts.requester_for(OLD.upper(), "Nobody") is anna and anna.name == "Anna Berg"
    workflow.reply(ticket, MessageDraft("Ready."), boss)
    run_jobs()
    assert len(mailbox.to(NEW)) == 1, "answers go to the survivor's address"
    redeemed = links.redeem(links.FOLLOW, url.rsplit("/", 1)[1])
    assert redeemed is not None and redeemed[1] is anna, "links in old mails stay worth something"


def test_an_old_link_unsubscribes_the_survivor(anna: User, other: User, boss: User, client: Any) -> None:
    url = links.unsubscribe_url(other).removeprefix(links.address())
    merge_people(anna, other, boss)
    client.post(url)
    db.session.refresh(anna)
    assert not anna.care_mail


def test_who_wanted_no_care_mail_wants_none(anna: User, other: User, boss: User) -> None:
    with transaction():
        other.care_mail = False
    merge = merge_people(anna, other, boss)
    assert not anna.care_mail
    unmerge_people(merge, boss)
    assert anna.care_mail and not other.care_mail


def test_a_caller_without_address_takes_the_other_ones(boss: User, other: User, make_user: Any) -> None:
    caller = callers.make_caller("Anna Berg", "+49 30 123456", boss)
    with transaction():
        other.phone = "+49 176 98765"
    merge = merge_people(caller, other, boss)
    assert (caller.email, other.email) == (OLD, None)
    assert accounts.by_email(OLD) is caller
    found = callers.find_callers("0176 98765", make_user("agent"))
    assert [one.user for one in found] == [caller], "the number of the merged record finds her"
    unmerge_people(merge, boss)
    assert (caller.email, other.email) == (None, OLD)


def test_she_sees_both_kinds_of_tickets_and_nobody_sees_more(
    anna: User, other: User, boss: User, make_user: Any, make_ticket: Any, sign_in: Any
) -> None:
    lea = make_user()
    theirs, foreign = make_ticket(requester=other), make_ticket(requester=lea)
    assert find_ticket(anna, theirs.id) is None
    merge = merge_people(anna, other, boss)
    assert find_ticket(anna, theirs.id) is theirs
    assert find_ticket(anna, foreign.id) is find_ticket(other, theirs.id) is find_ticket(lea, theirs.id) is None
    agent = sign_in(make_user("agent"))
    page = agent.get("/desk/people").text
    assert NEW in page and OLD not in page, "a merged record is in no list"
    history = agent.get(f"/desk/tickets/{theirs.id}").text
    assert "merged the customer" in history and "A. Berg-Lund" in history
    unmerge_people(merge, boss)
    assert find_ticket(anna, theirs.id) is None


# ---- personal data


def test_an_export_has_both(anna: User, other: User, boss: User, make_ticket: Any) -> None:
    make_ticket("A lock", requester=other)
    merge_people(anna, other, boss)
    found = personal_data.export(anna, None)
    assert [ticket["subject"] for ticket in found["tickets"]] == ["A lock"]
    assert [record["profile"]["email"] for record in found["merged"]] == [OLD]


def test_erasing_the_survivor_erases_both(anna: User, other: User, boss: User, make_ticket: Any, plug: Any) -> None:
    ticket = make_ticket("Zanzibar", "I am A. Berg-Lund.", requester=other)
    workflow.reply(ticket, MessageDraft(f"Dear A. Berg-Lund, dear Anna Berg, we wrote to {OLD} and {NEW}."), boss)
    merge_id = merge_people(anna, other, boss).id
    asked: list[int] = []
    plug("probe", erase_personal_data=lambda user: asked.append(user.id))
    with pytest.raises(AccountError, match="erase that person"):
        personal_data.erase(other, None)
    assert personal_data.preview(anna, None).counts["messages"] == 1
    personal_data.erase(anna, None)
    assert sorted(asked) == sorted([anna.id, other.id])
    db.session.rollback()
    with db.engine.connect() as connection:
        left = "\n".join(
            f"{table.name}: {row}"
            for table in Base.metadata.sorted_tables
            if table.name in set(db.inspect(connection).get_table_names())
            for row in connection.execute(table.select())
        ).casefold()
    for secret in (OLD, NEW, "anna berg", "a. berg-lund", "zanzibar"):
        lines = [line for line in left.splitlines() if secret in line]
        assert not lines, (secret, lines)
    assert db.session.get(PersonMerge, merge_id) is None
    assert accounts.by_email(OLD) is accounts.by_email(NEW) is None


# ---- plugins


@pytest.mark.db
def test_plugins_hear_of_it_and_move_their_rows(
    anna: User, other: User, boss: User, plug: Any, run_jobs: Any, make_ticket: Any
) -> None:
    told: list[tuple[str, int, int, int]] = []

    def people_merged(merge_id: int, survivor_id: int, merged_id: int) -> None:
        told.append(("merged", merge_id, survivor_id, merged_id))
        move_rows(merge_id, Delivery.user_id)

    def people_unmerged(merge_id: int, merged_id: int) -> None:
        told.append(("unmerged", merge_id, 0, merged_id))
        move_back(merge_id, Delivery.user_id)

    plug("probe", people_merged=people_merged, people_unmerged=people_unmerged)
    make_ticket()
    run_jobs()  # who has just come hears of what happens from then on
    with transaction():
        rows = [{"channel": "x", "user_id": other.id, "address": OLD, "identity": str(n)} for n in range(3)]
        db.session.execute(insert(Delivery), rows)
    merge = merge_people(anna, other, boss)
    run_jobs()
    owners = select(Delivery.user_id).where(Delivery.channel == "x").order_by(Delivery.id)
    assert db.session.scalars(owners).all() == [anna.id] * 3
    with transaction():
        db.session.add(Delivery(channel="x", user_id=anna.id, address=NEW, identity="later"))
    unmerge_people(merge, boss)
    run_jobs()
    assert db.session.scalars(owners).all() == [other.id] * 3 + [anna.id]
    assert told == [("merged", merge.id, anna.id, other.id), ("unmerged", merge.id, 0, other.id)]


def test_rows_without_one_number_are_refused(anna: User, other: User, boss: User) -> None:
    merge = merge_people(anna, other, boss)
    with pytest.raises(ValueError, match="follower.user_id"), transaction():
        move_rows(merge.id, Follower.user_id)
