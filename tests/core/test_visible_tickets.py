"""Who sees which ticket: every actor against every kind of ticket, by list, by number and by permission alike."""

from typing import Any

import pytest
from sqlalchemy import select

from helpdesk.core import workflow
from helpdesk.core.extensions import db
from helpdesk.core.models import Organization, Ticket, User
from helpdesk.core.permissions import ROLE_PERMISSIONS, NotAllowed, allowed, find_ticket, require, visible_tickets
from helpdesk.core.transaction import transaction

TICKETS = ["own", "colleague's", "stranger's", "no team", "open team", "private team", "followed", "assigned"]
SEEN: dict[str, set[str]] = {
    "requester": {"own", "followed"},
    "same organization": {"own", "colleague's"},
    "other organization": set(),
    "agent": set(TICKETS) - {"private team"},
    "agent of the private team": set(TICKETS),
    "agent who is off": set(),
    "supervisor": set(TICKETS),
    "admin": set(TICKETS),
}


@pytest.fixture
def world(app: Any, make_user: Any, make_team: Any, make_ticket: Any) -> tuple[dict[str, User], dict[str, Ticket]]:
    with transaction():
        school = Organization(name="School", domain="school.example", shares_tickets=True)
        club = Organization(name="Club", shares_tickets=False)
        db.session.add_all([school, club])
    people = {
        "requester": make_user(organization_id=club.id),
        "same organization": make_user(email="one@school.example"),
        "other organization": make_user(organization_id=club.id),
        "agent": make_user("agent"),
        "agent of the private team": make_user("agent"),
        "agent who is off": make_user("agent", active=False),
        "supervisor": make_user("supervisor"),
        "admin": make_user("admin"),
    }
    shop = make_team("Shop")
    board = make_team("Board", members=[people["agent of the private team"]], private=True)
    rita, colleague = people["requester"], make_user(email="two@school.example")
    tickets = {
        "own": make_ticket(requester=rita),
        "colleague's": make_ticket(requester=colleague),
        "stranger's": make_ticket(),
        "no team": make_ticket(),
        "open team": make_ticket(team=shop),
        "private team": make_ticket(team=board),
        "followed": make_ticket(team=board, follower_ids=[rita.id, people["agent"].id]),
        "assigned": make_ticket(team=board, assignee=people["agent"]),
    }
    people["same organization own"] = people["same organization"]
    return people, tickets


@pytest.mark.db
@pytest.mark.parametrize("actor", SEEN)
def test_the_matrix(world: Any, actor: str) -> None:
    people, tickets = world
    user = people[actor]
    expected = set(SEEN[actor])
    if actor == "same organization":
        expected = {"colleague's"}
    names = {ticket.id: name for name, ticket in tickets.items()}
    assert {names[ticket.id] for ticket in db.session.scalars(visible_tickets(user))} == expected
    assert {name for name, ticket in tickets.items() if find_ticket(user, ticket.id) is not None} == expected
    assert {name for name, ticket in tickets.items() if allowed(user, "ticket.read", ticket)} == expected


def test_what_is_not_there_and_what_is_not_yours_are_the_same(world: Any) -> None:
    people, tickets = world
    assert find_ticket(people["requester"], tickets["private team"].id) is None
    assert find_ticket(people["requester"], 99_999) is None


def test_a_follower_loses_sight_with_the_following(world: Any) -> None:
    people, tickets = world
    rita = people["requester"]
    workflow.unfollow(tickets["followed"], rita, rita)
    assert find_ticket(rita, tickets["followed"].id) is None


@pytest.mark.db
def test_a_plugin_may_take_tickets_out_of_sight_and_never_add_any(world: Any, plug: Any) -> None:
    people, tickets = world
    plug("probe", limit_tickets=lambda user: Ticket.id != tickets["own"].id if user.role == "admin" else None)
    plug("generous", limit_tickets=lambda user: db.true())
    admin, rita = people["admin"], people["requester"]
    assert find_ticket(admin, tickets["own"].id) is None and not allowed(admin, "ticket.read", tickets["own"])
    assert len(db.session.scalars(visible_tickets(admin)).all()) == len(tickets) - 1
    assert len(db.session.scalars(visible_tickets(rita)).all()) == len(SEEN["requester"])


def test_a_guard_that_fails_shows_nothing(world: Any, plug: Any) -> None:
    people, tickets = world
    probe = plug("probe", limit_tickets=lambda user: 1 / 0)
    assert db.session.scalars(visible_tickets(people["admin"])).all() == []
    assert not allowed(people["admin"], "ticket.read", tickets["own"])
    assert probe.health["limit_tickets"].errors == 2


def test_a_veto_denies_and_true_grants_nothing(world: Any, plug: Any) -> None:
    people, tickets = world
    plug("generous", veto=lambda user, permission, obj: True)
    assert not allowed(people["requester"], "admin.use")
    plug("strict", veto=lambda user, permission: False if permission == "ticket.note" else None)
    assert not allowed(people["admin"], "ticket.note", tickets["own"])
    assert allowed(people["admin"], "ticket.reply", tickets["own"])
    with pytest.raises(NotAllowed):
        require(people["admin"], "ticket.note", tickets["own"])


def test_each_role_can_do_what_the_one_below_can(world: Any) -> None:
    agent, supervisor, admin = (ROLE_PERMISSIONS[role] for role in ("agent", "supervisor", "admin"))
    assert agent < supervisor < admin
    people, _tickets = world
    for role, name in (("agent", "agent"), ("supervisor", "supervisor"), ("admin", "admin")):
        held = {permission for permission in admin if allowed(people[name], permission)}
        assert held == ROLE_PERMISSIONS[role]
    assert not any(allowed(people["requester"], permission) for permission in admin)
    assert not any(allowed(people["agent who is off"], permission) for permission in admin)
    assert all(allowed(None, permission) for permission in admin)


def test_a_plugins_permission_goes_to_the_roles_it_names(world: Any, plug: Any) -> None:
    from helpdesk.api import Permission

    plug("probe", register_permissions=lambda: [Permission("probe.read", "Read", roles=("supervisor",))])
    people, _tickets = world
    assert allowed(people["supervisor"], "probe.read")
    assert not allowed(people["agent"], "probe.read") and not allowed(people["requester"], "probe.read")
    assert not allowed(people["admin"], "probe.write")


def test_the_query_is_the_start_of_counts_as_well(world: Any, count_queries: Any) -> None:
    people, _tickets = world
    assert people["agent"].active
    with count_queries() as statements:
        query = visible_tickets(people["agent"]).with_only_columns(Ticket.id)
        assert len(db.session.scalars(query).all()) == len(SEEN["agent"])
    assert len(statements) == 1
    assert db.session.scalar(select(db.func.count()).select_from(query.subquery())) == len(SEEN["agent"])
