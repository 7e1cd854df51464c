"""Subject, priority, tags, fields, team, assignee, followers, status: each with its event, each checked alike."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.api import Reject
from helpdesk.core import workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Follower, Status, Tag, Ticket, TicketField, TicketFieldValue, User
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction

Verb = Callable[..., Any]


def events(ticket: Ticket) -> list[Event]:
    """What happened after it was opened."""
    query = select(Event).where(Event.ticket_id == ticket.id).order_by(Event.id)
    return list(db.session.scalars(query))[2:]


@pytest.fixture
def fields(app: Any) -> None:
    with transaction():
        db.session.add_all(
            [
                TicketField(key="serial", label="Serial", required=True),
                TicketField(key="price", label="Price", kind="number"),
                TicketField(key="bought", label="Bought", kind="date"),
                TicketField(key="model", label="Model", kind="choice", choices=["Alba", "Heron"]),
                TicketField(key="insured", label="Insured", kind="checkbox"),
                TicketField(key="old", label="Old", active=False),
            ]
        )


@pytest.fixture
def verbs(make_user: Any, make_team: Any, fields: None) -> dict[str, tuple[Verb, Any, Any]]:
    """Each verb with two values; ids where it takes objects, so that threads can use them."""
    jonas, mia, one, two = make_user("agent"), make_user("agent"), make_team("One"), make_team("Two")
    return {
        "subject": (workflow.set_subject, "First", "Second"),
        "priority": (workflow.set_priority, "high", "urgent"),
        "tags": (workflow.set_tags, ["a"], ["b"]),
        "field": (lambda ticket, value, *rest: workflow.set_field(ticket, "serial", value, *rest), "A1", "B2"),
        "assignee": (workflow.assign, jonas, mia),
        "team": (workflow.move, one, two),
        "status": (workflow.set_status, "open", "pending"),
    }


NAMES = ["subject", "priority", "tags", "field", "assignee", "team", "status"]


@pytest.mark.db
@pytest.mark.parametrize("name", NAMES)
def test_a_change_is_written_with_its_event_once(verbs: Any, make_ticket: Any, make_user: Any, name: str) -> None:
    verb, first, _second = verbs[name]
    ticket, actor = make_ticket(), make_user("agent")
    verb(ticket, first, actor)
    assert ticket.version == 2
    (event,) = events(ticket)
    assert (event.actor_id, event.version) == (actor.id, 2)
    verb(ticket, first, actor)
    assert ticket.version == 2 and len(events(ticket)) == 1, "the same value again is no change"


@pytest.mark.parametrize("name", NAMES)
def test_a_form_is_stale_when_somebody_else_changed_the_same(
    verbs: Any, make_ticket: Any, make_user: Any, name: str
) -> None:
    verb, first, second = verbs[name]
    ticket, actor, other = make_ticket(), make_user("agent"), make_user("agent")
    seen = ticket.version
    verb(ticket, first, other)
    with pytest.raises(workflow.Stale) as conflict:
        verb(ticket, second, actor, seen)
    assert [event.actor_id for event in conflict.value.events] == [other.id]
    assert len(events(ticket)) == 1
    verb(ticket, second, actor, ticket.version)
    assert len(events(ticket)) == 2


@pytest.mark.parametrize("name", NAMES)
def test_a_form_is_not_stale_for_what_it_does_not_touch(
    verbs: Any, make_ticket: Any, make_user: Any, name: str
) -> None:
    verb, first, second = verbs[name]
    ticket, actor, other = make_ticket(), make_user("agent"), make_user("agent")
    seen = ticket.version
    for other_name in NAMES:
        if other_name != name:
            verbs[other_name][0](ticket, verbs[other_name][1], other)
    verb(ticket, first, actor, seen)
    verb(ticket, second, actor, seen)  # nor for one's own change
    assert len([event for event in events(ticket) if event.actor_id == actor.id]) == 2


@pytest.mark.db
def test_of_many_who_change_one_thing_at_once_one_wins(
    verbs: Any, make_ticket: Any, make_user: Any, at_once: Any
) -> None:
    ticket, agents = make_ticket(), [make_user("agent").id for _ in range(6)]
    number, seen = ticket.id, ticket.version

    def change(place: int) -> Any:
        actor = db.session.get(User, agents[place])
        return workflow.set_subject(db.session.get(Ticket, number), f"Subject {place}", actor, seen).subject

    results = at_once(6, change)
    assert len([one for one in results if isinstance(one, str)]) == 1, results
    assert len([one for one in results if isinstance(one, workflow.Stale)]) == 5, results
    assert ticket.subject in results and ticket.version == 2


@pytest.mark.parametrize("name", NAMES)
def test_customers_and_people_who_are_off_change_nothing(
    verbs: Any, make_ticket: Any, make_user: Any, name: str
) -> None:
    verb, first, _second = verbs[name]
    ticket = make_ticket(status="pending" if name == "status" else None)
    value = "on_hold" if name == "status" else first
    for actor in (ticket.requester, make_user(), make_user("agent", active=False)):
        with pytest.raises(NotAllowed):
            verb(ticket, value, actor)
    assert events(ticket) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_ticket_that_is_gone_is_a_sentence(verbs: Any, make_ticket: Any, name: str) -> None:
    verb, first, _second = verbs[name]
    ticket = make_ticket()
    assert ticket.subject and ticket.status_id
    with db.engine.begin() as connection:
        connection.execute(db.delete(Ticket))
    with pytest.raises(workflow.Invalid, match="no longer there"):
        verb(ticket, first, None)


# ---- what each takes


@pytest.mark.parametrize("subject", ["", " \n ", "x" * 301])
def test_a_subject_has_bounds(make_ticket: Any, subject: str) -> None:
    with pytest.raises(workflow.Invalid) as problem:
        workflow.set_subject(make_ticket(), subject, None)
    assert problem.value.field == "subject"


def test_a_subject_is_one_line_that_can_be_stored(make_ticket: Any) -> None:
    ticket = make_ticket()
    workflow.set_subject(ticket, " Brake\r\nBcc: x\x00\ud800 ", None)
    assert ticket.subject == "Brake Bcc: x\ufffd\ufffd"
    (event,) = events(ticket)
    assert event.data == {"field": "subject", "from": "Rear brake rubs", "to": ticket.subject}


def test_tags_are_added_and_removed(make_ticket: Any) -> None:
    ticket = make_ticket(tags=["brakes"])
    workflow.tag(ticket, ["#Warranty", "brakes", "  two\nwords "], None)
    assert [tag.name for tag in ticket.tags] == ["brakes", "two words", "warranty"]
    workflow.untag(ticket, ["BRAKES", "unknown"], None)
    assert [tag.name for tag in ticket.tags] == ["two words", "warranty"]
    assert events(ticket)[-1].data["from"] == ["brakes", "two words", "warranty"]
    workflow.set_tags(ticket, [], None)
    assert ticket.tags == []


@pytest.mark.db
def test_the_same_new_tag_at_once_is_one_tag(make_ticket: Any, at_once: Any) -> None:
    numbers = [make_ticket().id for _ in range(5)]
    results = at_once(5, lambda place: workflow.tag(db.session.get(Ticket, numbers[place]), ["fresh"], None).id)
    assert results == numbers
    assert db.session.scalars(select(Tag.name)).all() == ["fresh"]


@pytest.mark.db
@pytest.mark.parametrize(
    ("key", "value", "stored"),
    [
        ("serial", " LW-7 ", ("LW-7", None, None)),
        ("price", "12.50", (None, Decimal("12.5"), None)),
        ("price", "-3", (None, Decimal("-3"), None)),
        ("bought", "2026-02-14", (None, None, date(2026, 2, 14))),
        ("model", "Heron", ("Heron", None, None)),
        ("insured", "on", ("yes", None, None)),
        ("insured", True, ("yes", None, None)),
    ],
)
def test_a_field_keeps_its_type(fields: None, make_ticket: Any, key: str, value: Any, stored: Any) -> None:
    ticket = make_ticket()
    workflow.set_field(ticket, key, value, None)
    db.session.rollback()
    row = db.session.scalars(select(TicketFieldValue)).one()
    assert (row.text, row.number, row.date) == stored
    assert events(ticket)[0].data["label"] == row.field.label


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("serial", ""),
        ("serial", "x" * 5001),
        ("price", "cheap"),
        ("price", "NaN"),
        ("price", "1e15"),
        ("bought", "14.02.2026"),
        ("bought", "2026-02-30"),
        ("model", "Other"),
        ("nothing", "x"),
        ("old", "x"),
    ],
)
def test_a_value_that_does_not_fit_is_named(fields: None, make_ticket: Any, key: str, value: str) -> None:
    ticket = make_ticket()
    with pytest.raises(workflow.Invalid) as problem:
        workflow.set_field(ticket, key, value, None)
    assert problem.value.field == f"field:{key}" and str(problem.value).endswith(".")
    assert events(ticket) == []


def test_an_empty_value_empties_a_field(fields: None, make_ticket: Any) -> None:
    ticket = make_ticket()
    workflow.set_field(ticket, "price", "5", None)
    workflow.set_field(ticket, "price", "", None)
    assert [event.data["to"] for event in events(ticket)] == ["5", None]


def test_only_active_staff_and_teams_take_tickets(make_user: Any, make_team: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    for somebody in (make_user(), make_user("agent", active=False)):
        with pytest.raises(workflow.Invalid):
            workflow.assign(ticket, somebody, None)
    with pytest.raises(workflow.Invalid, match="switched off"):
        workflow.move(ticket, make_team("Old", active=False), None)
    jonas = make_user("agent")
    workflow.assign(ticket, jonas, jonas)
    workflow.assign(ticket, None, jonas)
    names = [(event.data["from_name"], event.data["to_name"]) for event in events(ticket)]
    assert names == [(None, jonas.name), (jonas.name, None)]


def test_followers_come_and_go(make_user: Any, make_ticket: Any) -> None:
    ticket, jonas, otto = make_ticket(), make_user("agent"), make_user()
    workflow.follow(ticket, otto, jonas)
    workflow.follow(ticket, otto, jonas)
    workflow.follow(ticket, ticket.requester, jonas)
    assert db.session.scalars(select(Follower.user_id)).all() == [otto.id]
    assert len(events(ticket)) == 1
    workflow.unfollow(ticket, otto, otto)
    assert db.session.scalars(select(Follower)).all() == [] and len(events(ticket)) == 2
    with pytest.raises(NotAllowed):
        workflow.follow(ticket, otto, otto)
    with pytest.raises(NotAllowed):
        workflow.unfollow(ticket, jonas, otto)
    with pytest.raises(workflow.Invalid):
        workflow.follow(ticket, make_user(active=False), jonas)


# ---- status


def test_times_follow_the_status(make_ticket: Any, travel: Any) -> None:
    ticket = make_ticket()
    workflow.solve(ticket, None)
    solved = ticket.solved_at
    assert solved is not None and ticket.closed_at is None
    travel(hours=1)
    workflow.close(ticket, None)
    assert ticket.solved_at == solved and ticket.closed_at is not None
    assert [event.data["to_category"] for event in events(ticket)] == ["solved", "closed"]


def test_a_closed_ticket_stays_closed(make_user: Any, make_ticket: Any) -> None:
    ticket = make_ticket(status="closed")
    for actor in (None, make_user("admin")):
        with pytest.raises(workflow.Invalid, match="closed"):
            workflow.reopen(ticket, actor)
    with pytest.raises(workflow.Invalid, match="no status “finished”"):
        workflow.set_status(make_ticket(), "finished", None)


def test_customers_solve_and_reopen_their_own(make_ticket: Any, make_user: Any) -> None:
    ticket = make_ticket()
    rita = ticket.requester
    workflow.close(ticket, rita)
    assert ticket.category == "solved"  # not closed: it can be opened again
    workflow.reopen(ticket, rita)
    assert ticket.category == "open"
    for key in ("new", "pending", "on_hold", "closed"):
        with pytest.raises(NotAllowed):
            workflow.set_status(ticket, key, rita)
    with pytest.raises(NotAllowed):
        workflow.solve(ticket, make_user())


def test_a_status_of_the_owners_works_like_its_category(make_user: Any, make_ticket: Any) -> None:
    with transaction():
        db.session.add(Status(key="parts", name="Waiting for parts", category="on_hold"))
    ticket = make_ticket()
    workflow.set_status(ticket, "parts", make_user("agent"))
    assert (ticket.category, ticket.status.name) == ("on_hold", "Waiting for parts")


def test_a_plugin_may_refuse_a_status(plug: Any, make_ticket: Any) -> None:
    ticket = make_ticket()

    def before_status_changed(ticket: Ticket, status: Status) -> None:
        if status.category == "solved" and not ticket.tags:
            raise Reject("Tag the ticket before you solve it.")

    plug("probe", before_status_changed=before_status_changed)
    with pytest.raises(workflow.Refused, match="Tag the ticket"):
        workflow.solve(ticket, None)
    assert ticket.category == "new" and events(ticket) == []
    workflow.tag(ticket, ["brakes"], None)
    workflow.solve(ticket, None)
    assert ticket.category == "solved"


def test_a_returned_reject_counts_as_well(plug: Any, make_ticket: Any) -> None:
    plug("probe", before_status_changed=lambda ticket, status: Reject("Not today."))
    with pytest.raises(workflow.Refused, match="Not today"):
        workflow.solve(make_ticket(), None)
