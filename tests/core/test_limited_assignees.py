"""Plugins narrow whom tickets go to by themselves: of the team's way, and of what other plugins choose."""

from datetime import timedelta
from typing import Any

import pytest

from helpdesk.api import TicketDraft, assign, db, free_to_take, now, transaction
from helpdesk.core import workflow
from helpdesk.core.models import Absence, Event, Ticket
from helpdesk.core.routing import able_to_take
from helpdesk.core.teams import make_team as team_of


@pytest.fixture
def people(app: Any, make_user: Any) -> list[Any]:
    return [make_user("agent", name=name) for name in ("Ann", "Ben", "Cid")]


def opened(team: Any, customer: Any, subject: str = "Bell") -> Ticket:
    return workflow.open_ticket(TicketDraft(subject, customer.id, "Mute.", team_id=team.id if team else None), None)


def taker(ticket: Ticket) -> str:
    return ticket.assignee.name if ticket.assignee else "-"


@pytest.mark.db
def test_the_teams_way_keeps_to_who_is_left(people: list[Any], make_user: Any, plug: Any) -> None:
    (_ann, ben, cid), customer = people, make_user()
    team = team_of("Shop", None, members=people, assignment="round_robin")
    plug(
        "levels",
        limit_assignees=lambda tickets, people: {
            one.id: [user.id for user in people if user.id != people[0].id] for one in tickets if one.subject == "Hard"
        },
    )
    assert [taker(opened(team, customer, "Hard")) for _turn in range(3)] == ["Ben", "Cid", "Ben"]
    assert taker(opened(team, customer)) == "Ann", "who was passed over has not lost a turn"
    # Of two plugins both must agree; one that says nothing of a ticket limits nothing.
    plug("other", limit_assignees=lambda tickets: {one.id: [cid.id] for one in tickets if one.subject == "Hard"})
    assert taker(opened(team, customer, "Hard")) == "Cid" and taker(opened(team, customer)) == "Ben"
    plug("nobody", limit_assignees=lambda tickets: {one.id: [] for one in tickets if one.subject == "Hard"})
    ticket = opened(team, customer, "Hard")
    said = db.session.scalars(db.select(Event).where(Event.ticket_id == ticket.id, Event.kind == "ticket_opened")).one()
    assert taker(ticket) == "-" and said.data["unassigned"] == "limited"
    # By hand everybody may still be chosen.
    assign(ticket, ben, None)
    assert taker(ticket) == "Ben"


def test_a_plugins_choice_counts_only_among_who_is_left(people: list[Any], make_user: Any, plug: Any) -> None:
    (ann, ben, _cid), customer = people, make_user()
    plug("chooses", choose_assignee=lambda ticket: ann)
    assert taker(opened(None, customer)) == "Ann"
    plug("levels", limit_assignees=lambda tickets: {one.id: [ben.id] for one in tickets})
    ticket = opened(None, customer)
    assert taker(ticket) == "-"
    assert able_to_take([ticket], people) == {ticket.id: {ben.id}}
    team = team_of("Shop", None, members=people, assignment="round_robin")
    assert taker(opened(team, customer)) == "Ben", "the team's way goes on"


@pytest.mark.db
def test_who_is_free_to_take_a_ticket(
    app: Any, people: list[Any], make_user: Any, plug: Any, make_ticket: Any, count_queries: Any
) -> None:
    """Who is there, has room and is let; whoever chooses people asks this, in as many queries for all of them."""
    (ann, ben, cid), ticket = people, make_ticket()
    assert free_to_take(ticket, []) == {} and free_to_take(ticket, people) == {ann.id: 0, ben.id: 0, cid.id: 0}
    make_ticket(assignee=ben)
    make_ticket(assignee=cid)
    with transaction():
        cid.capacity = 1
        db.session.add(Absence(user_id=ann.id, begins_at=now() - timedelta(days=1), ends_at=now() + timedelta(days=1)))
    assert free_to_take(ticket, people) == {ben.id: 1}
    more = [*people, *(make_user("agent") for _turn in range(5))]
    _loaded = [(user.id, user.capacity) for user in more], ticket.team_id, ticket.id
    with count_queries() as statements:
        assert len(free_to_take(ticket, more)) == 6
    assert len(statements) == 3
    plug("levels", limit_assignees=lambda tickets: {one.id: [ann.id, cid.id] for one in tickets})
    assert free_to_take(ticket, people) == {}


def test_one_that_fails_lets_nobody_take_it(people: list[Any], make_user: Any, plug: Any) -> None:
    def poison(tickets: Any) -> Any:
        raise RuntimeError("poison")

    team = team_of("Shop", None, members=people, assignment="round_robin")
    plug("poison", limit_assignees=poison)
    assert taker(opened(team, make_user())) == "-"


def test_an_answer_of_another_kind_lets_nobody_take_it(people: list[Any], make_user: Any, plug: Any) -> None:
    wrong = plug("wrong", limit_assignees=lambda tickets: [people[0].id])
    ticket = opened(team_of("Shop", None, members=people, assignment="round_robin"), make_user())
    assert taker(ticket) == "-" and "mapping" in wrong.health["limit_assignees"].error
