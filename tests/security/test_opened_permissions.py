"""What plugins open to agents: no more than supervisors have, and nothing that scopes, tickets or guards keep shut."""

from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from helpdesk.api import Permission, allowed, db, hookimpl, openable_permissions
from helpdesk.core import accounts, permissions, plugin_states
from helpdesk.core.models import TeamMember
from helpdesk.core.permissions import ROLE_PERMISSIONS, narrow
from helpdesk.core.transaction import transaction


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    own = [
        Permission("orders.refund", "Refund orders"),
        Permission("orders.prices", "Change prices", ("admin",)),
        Permission("orders.own", "See one's own orders", ("requester",)),
    ]
    return {"orders": SimpleNamespace(register_permissions=hookimpl(lambda: own))}


def everything() -> list[str]:
    """All there is, and what there is not."""
    return [*ROLE_PERMISSIONS["admin"], "orders.refund", "orders.prices", "orders.own", "orders.nonsense", ""]


def test_agents_get_what_supervisors_have_and_no_more(app: Any, make_user: Any, plug: Any) -> None:
    agent, supervisor, customer = make_user("agent"), make_user("supervisor"), make_user()
    before = {user.id: {name for name in everything() if allowed(user, name)} for user in (supervisor, customer)}
    plug("greedy", opened_permissions=lambda user: everything())
    has = {name for name in everything() if allowed(agent, name)}
    assert has == ROLE_PERMISSIONS["supervisor"] | {"orders.refund"}
    assert openable_permissions() == has - ROLE_PERMISSIONS["agent"]
    for user in (supervisor, customer):
        assert {name for name in everything() if allowed(user, name)} == before[user.id]


def test_it_asks_only_where_the_role_does_not_grant(app: Any, make_user: Any, plug: Any) -> None:
    asked = []
    plug("counting", opened_permissions=lambda user: asked.append(user.id))
    agent, supervisor = make_user("agent"), make_user("supervisor")
    assert allowed(agent, "ticket.reply") and allowed(supervisor, "ticket.export") and not allowed(agent, "admin.use")
    assert asked == []
    assert not allowed(agent, "ticket.export") and asked == [agent.id]


@pytest.mark.parametrize("answer", ["ticket.export", 7, [7], {"ticket.export": True}])
def test_an_answer_of_another_kind_and_an_error_open_nothing(app: Any, make_user: Any, plug: Any, answer: Any) -> None:
    def poison(user: Any) -> Any:
        raise RuntimeError("poison")

    agent = make_user("agent")
    wrong = plug("wrong", opened_permissions=lambda user: answer)
    plug("poison", opened_permissions=poison)
    assert not allowed(agent, "ticket.export")
    assert "opened_permissions returns" in wrong.health["opened_permissions"].error
    plug("good", opened_permissions=lambda user: {"ticket.export"})
    assert allowed(agent, "ticket.export"), "the others are asked all the same"


def test_a_veto_denies_what_was_opened(app: Any, make_user: Any, plug: Any) -> None:
    agent = make_user("agent")
    plug("opens", opened_permissions=lambda user: ["ticket.export"])
    assert allowed(agent, "ticket.export")
    plug("guard", veto=lambda permission: False if permission == "ticket.export" else None)
    assert not allowed(agent, "ticket.export")


@pytest.mark.db
def test_a_plugin_that_is_off_or_paused_opens_nothing(app: Any, make_user: Any, plug: Any) -> None:
    agent = make_user("agent")
    plug("opens", opened_permissions=lambda user: ["ticket.export"])
    plugin_states.switch("opens", False, None)
    assert not allowed(agent, "ticket.export")
    plugin_states.switch("opens", True, None)
    assert allowed(agent, "ticket.export")
    plugin_states.pause("opens", "It held up the desk.")
    assert not allowed(agent, "ticket.export")


def test_people_who_left_programs_and_tokens_stay_narrow(app: Flask, make_user: Any, plug: Any) -> None:
    plug("opens", opened_permissions=lambda user: ["ticket.export", "report.read"])
    agent, gone, program = make_user("agent"), make_user("agent"), make_user("agent")
    accounts.set_active(gone, False, None)
    with transaction():
        program.is_service = True
    assert not allowed(gone, "ticket.export") and not allowed(program, "ticket.export")
    with app.test_request_context():
        narrow(agent, {"ticket.read", "report.read"})
        assert not allowed(agent, "ticket.export") and allowed(agent, "report.read")


def test_a_ticket_that_is_not_seen_stays_shut(
    app: Any, make_user: Any, make_ticket: Any, make_team: Any, plug: Any
) -> None:
    plug("opens", opened_permissions=lambda user: ["ticket.export", "orders.refund"])
    agent, team = make_user("agent"), make_team("Board", private=True)
    secret, public = make_ticket(team=team), make_ticket()
    assert allowed(agent, "orders.refund", public) and not allowed(agent, "orders.refund", secret)
    assert permissions.find_ticket(agent, secret.id) is None
    with transaction():
        db.session.add(TeamMember(team_id=team.id, user_id=agent.id))
    assert allowed(agent, "orders.refund", secret)
