"""The people of an incoming item: their names, who in Cc follows, and what each of them gets to see."""

from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.core import accounts, links, settings, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Follower, Ticket, User
from helpdesk.core.settings import IntakeSettings
from tests.core.conftest import Post

pytestmark = pytest.mark.plugins("email")

MIA = ("mia@friends.example", "Mia Moss")


def followers(ticket: Ticket) -> set[str | None]:
    query = select(User.email).join(Follower, Follower.user_id == User.id).where(Follower.ticket_id == ticket.id)
    return set(db.session.scalars(query))


def ticket_of(outcome: Any) -> Ticket:
    return db.session.get_one(Ticket, outcome.ticket_id)


def token(ticket: Ticket, user: User) -> str:
    return links.token(links.REPLY, ticket, user)


@pytest.mark.db
def test_people_in_cc_of_a_new_ticket_follow_it_from_its_first_message(
    post: Post, client: Any, mailbox: Any, make_user: Any, run_jobs: Any
) -> None:
    ticket = ticket_of(post.receive(copies=[MIA]))
    mia = accounts.by_email(MIA[0])
    assert mia is not None and (mia.name, followers(ticket)) == ("Mia Moss", {MIA[0]})
    assert "It is stuck." in client.get(links.follow_url(ticket, mia)).text
    workflow.reply(ticket, MessageDraft("Bring it in."), make_user("agent"))
    run_jobs()
    assert len(mailbox.to(MIA[0])) == len(mailbox.to("tom@post.example")) == 1

    # What she answers joins; that she was copied alone does not prove it.
    joined = post.receive(sender_address=MIA[0], reply_tokens=[token(ticket, mia)], text="I can drive.")
    assert (joined.outcome, joined.ticket_id) == ("message", ticket.id)
    assert post.receive(sender_address=MIA[0], references=["x@post.example"], text="Hi").ticket_id != ticket.id


@pytest.mark.db
def test_who_is_added_later_gets_nothing_that_was_written_before(
    post: Post, client: Any, mailbox: Any, make_user: Any, run_jobs: Any, travel: Any
) -> None:
    ticket = ticket_of(post.receive(text="My secret is bluebird."))
    agent = make_user("agent")
    workflow.reply(ticket, MessageDraft("Then the code is jackdaw."), agent)
    run_jobs()
    travel(minutes=5)
    outcome = post.receive(reply_tokens=[token(ticket, ticket.requester)], text="Ask Mia.", copies=[MIA], verified=True)
    assert outcome.ticket_id == ticket.id and followers(ticket) == {MIA[0]}
    mia = accounts.by_email(MIA[0])
    assert mia is not None
    workflow.reply(ticket, MessageDraft("Hello Mia."), agent)
    run_jobs()
    page = client.get(links.follow_url(ticket, mia)).text
    assert "Ask Mia." in page and "Hello Mia." in page and "bluebird" not in page and "jackdaw" not in page
    (mail,) = mailbox.to(MIA[0])
    assert b"Hello Mia." in mail.as_bytes() and b"bluebird" not in mail.as_bytes() and b"jackdaw" not in mail.as_bytes()
    told = db.session.scalars(select(Event.data).where(Event.kind == "ticket_updated")).one()
    assert told == {"field": "followers", "from": None, "to": "Mia Moss"}
    # Once is enough.
    post.receive(reply_tokens=[token(ticket, ticket.requester)], text="And her again.", copies=[MIA])
    assert db.session.scalar(select(func.count(Event.id)).where(Event.kind == "ticket_updated")) == 1


def test_a_circle_is_small_and_of_people(post: Post, make_user: Any) -> None:
    agent, shut = make_user("agent"), make_user(email="shut@friends.example", active=False)
    others = ["noreply@shop.example", "mailer-daemon@friends.example", "list-request@friends.example", "no address"]
    copies = [*others, agent.email, shut.email, "TOM@post.example", "shop@desk.example", "MIA@friends.example"]
    copies += ["mia@friends.example", *(f"friend{number}@friends.example" for number in range(20))]
    ticket = ticket_of(post.receive(account="shop@desk.example", copies=[(address, "") for address in copies]))
    found = followers(ticket)
    # The account it came by is ours; so is every other that something came by.
    assert "mia@friends.example" in found and len(found) <= 10
    assert not found & {*others, agent.email, shut.email, "tom@post.example", "shop@desk.example"}
    other = ticket_of(post.receive(text="Again", copies=[("shop@desk.example", "")]))
    assert followers(other) == set()


def test_nobody_follows_whom_no_participant_with_a_say_has_copied(post: Post, make_user: Any) -> None:
    ticket = ticket_of(post.receive())
    otto = make_user(email="otto@post.example")
    workflow.follow(ticket, otto, None)
    post.receive(sender_address=otto.email, reply_tokens=[token(ticket, otto)], copies=[MIA], text="1")
    assert followers(ticket) == {otto.email}
    robot = {"machine": True, "machine_reason": "list"}
    post.receive(reply_tokens=[token(ticket, ticket.requester)], copies=[MIA], text="2", **robot)
    assert followers(ticket) == {otto.email}
    staff = make_user("agent")
    assert followers(ticket_of(post.receive(sender_address=staff.email, copies=[MIA]))) == set()
    proved = {"sender_address": staff.email, "reply_tokens": [token(ticket, staff)], "verified": True}
    post.receive(copies=[MIA], text="3", **proved)
    assert followers(ticket) == {otto.email, MIA[0]}


def test_the_owner_may_let_nobody_follow(post: Post) -> None:
    settings.save(IntakeSettings, {"copies_follow": False}, None)
    assert followers(ticket_of(post.receive(copies=[MIA]))) == set()


@pytest.mark.parametrize(
    ("given", "kept"),
    [("'Tom Ashby'", "Tom Ashby"), ("admin@desk.example", ""), ("\u202etfeL\u202c", "tfeL"), (" Li \n Na ", "Li Na")],
)
def test_a_name_is_a_name(app: Any, given: str, kept: str) -> None:
    assert accounts.requester_for("tom@post.example", given).name == kept


@pytest.mark.db
def test_many_who_make_the_same_people_at_once_make_them_once(app: Any, at_once: Any) -> None:
    people = [(f"p{number}@friends.example", "") for number in range(4)]
    found = at_once(4, lambda place: [user.email for user in accounts.requesters_for(people[place:] + people[:place])])
    assert all(sorted(emails) == [address for address, _name in people] for emails in found), found
    assert db.session.scalar(select(func.count(User.id))) == 4


@pytest.mark.db
def test_thousands_are_added_without_being_loaded(app: Any, make_user: Any, count_queries: Any) -> None:
    there = make_user(name="Anna", email="anna@customer.example")
    people = [(f"P{number}@customer.example", f"P {number}") for number in range(300)]
    known = {"p1@customer.example": {"phone": "+49 30 12345"}}
    with count_queries() as statements:
        made = accounts.add_requesters([*people, ("anna@customer.example", "Another")], known=known)
    assert len(made) == 300 and len(statements) <= 6, statements
    assert there.name == "Anna" and accounts.add_requesters(people) == set()
    found = accounts.having(["p1@customer.example"])["p1@customer.example"]
    assert (found.name, found.role, found.phone_key) == ("P 1", "requester", "543210394")
