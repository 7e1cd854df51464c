"""What a plugin does wrong with the database stays its own: in reads and in writes, on both databases."""

from typing import Any

import pytest
from sqlalchemy import func, select

from helpdesk.api import Panel, hookimpl
from helpdesk.core import schema
from helpdesk.core.extensions import db
from helpdesk.core.models import PluginState, Tag, Team, Ticket, User
from helpdesk.core.permissions import allowed, visible_tickets
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import tag
from helpdesk.plugins import manager

pytestmark = pytest.mark.db


def poison(*_arguments: Any) -> Any:
    return db.session.execute(db.text("SELECT * FROM no_such_table")).all()


def twice(*_arguments: Any) -> None:
    """A statement that the database takes, and one that it refuses when it is sent: nothing of both must stay."""
    db.session.add(Tag(name="left behind"))
    db.session.flush()
    db.session.add(Tag(name="left behind"))
    db.session.flush()


def test_in_a_write_a_failed_statement_undoes_that_hook_alone(
    app: Any, plug: Any, make_ticket: Any, make_user: Any, make_team: Any
) -> None:
    jonas = make_user("agent", name="Jonas")
    plug("good", choose_assignee=lambda ticket: jonas)
    plug("poison", choose_assignee=lambda ticket: poison())
    plug("twice", choose_assignee=lambda ticket: twice())
    ticket = make_ticket("Rear brake rubs")
    db.session.expire_all()
    assert ticket.assignee_id == jonas.id
    assert db.session.scalar(select(func.count()).select_from(Tag)) == 0
    assert db.session.scalar(select(func.count()).select_from(Ticket)) == 1


def test_in_a_read_a_failed_statement_ends_nothing(app: Any, plug: Any, as_agent: Any, make_ticket: Any) -> None:
    ticket = make_ticket("Rear brake rubs")
    plug("poison", nav_items=poison, ticket_panels=poison, ticket_badges=poison, ticket_actions=poison)
    plug("good", ticket_panels=lambda ticket: [Panel("Good", "desk/good.html")])
    for path in ("/desk/views/all", f"/desk/tickets/{ticket.id}", f"/desk/tickets/{ticket.id}/side", "/desk/"):
        assert as_agent.get(path).status_code in (200, 302), path


def test_a_fact_that_fails_takes_nothing_of_another_with_it(
    app: Any, plug: Any, make_ticket: Any, run_jobs: Any
) -> None:
    plug("good", ticket_opened=lambda ticket: tag(ticket, ["told"], None) and None)
    plug("poison", ticket_opened=lambda ticket: twice())
    # Both hear of what happens from now on.
    schema.upgrade()
    ticket = make_ticket()
    run_jobs()
    assert [one.name for one in db.session.get_one(Ticket, ticket.id).tags] == ["told"]
    assert db.session.scalar(select(func.count()).where(Tag.name == "left behind")) == 0
    state = db.session.get_one(PluginState, "poison")
    assert "left behind" in state.error or "IntegrityError" in state.error or "UNIQUE" in state.error


def test_a_guard_that_poisons_denies_and_the_transaction_goes_on(app: Any, plug: Any, make_user: Any) -> None:
    agent = make_user("agent")
    plug("poison", veto=lambda permission: poison() if permission == "person.edit" else None)
    with transaction():
        db.session.add(Team(name="Workshop"))
        assert not allowed(agent, "person.edit") and allowed(agent, "desk.use")
    assert db.session.scalar(select(Team.name)) == "Workshop"


def test_a_limit_that_fails_shows_no_ticket(app: Any, plug: Any, make_ticket: Any, make_user: Any) -> None:
    make_ticket()
    agent: User = make_user("agent")
    assert len(db.session.scalars(visible_tickets(agent)).all()) == 1
    plug("wrong", limit_tickets=lambda user: "everything")
    assert db.session.scalars(visible_tickets(agent)).all() == []


def test_answers_of_another_type_are_counted_and_the_next_is_asked(
    app: Any, plug: Any, make_ticket: Any, make_team: Any
) -> None:
    team = make_team("Workshop")
    plug("right", choose_team=lambda draft: team)
    wrong = plug("wrong", choose_team=lambda draft: "Workshop", choose_assignee=lambda ticket: team)
    ticket = make_ticket()
    assert ticket.team_id == team.id and ticket.assignee_id is None
    assert "must return Team or None, not str" in wrong.health["choose_team"].error
    assert "must return User or None, not Team" in wrong.health["choose_assignee"].error


def test_before_hooks_never_hold_the_writers_lock(app: Any, plug: Any, make_ticket: Any) -> None:
    from helpdesk.core.transaction import in_transaction

    seen: list[bool] = []
    plug(
        "probe",
        before_ticket_opened=lambda: seen.append(in_transaction()),
        choose_assignee=lambda: seen.append(in_transaction()),
    )
    make_ticket()
    assert seen == [False, True]


def test_pages_that_cannot_be_added_leave_the_plugin_out(make_app: Any) -> None:
    from types import SimpleNamespace

    from flask import Blueprint

    late = Blueprint("late", "late")
    late.record(lambda state: 1 / 0)
    modules = {
        "late": SimpleNamespace(register_blueprints=hookimpl(lambda: [late]), nav_items=hookimpl(lambda: 1 / 0)),
        "words": SimpleNamespace(register_blueprints=hookimpl(lambda: ["pages"])),
    }
    app = make_app(modules)
    plugins = app.extensions[manager.EXTENSION]
    assert "Its pages cannot be added: ZeroDivisionError" in plugins.plugins["late"].error
    assert "must return Blueprint" in plugins.plugins["words"].error
    with app.app_context():
        assert plugins.slot("nav_items", user=None) == [], "nothing of it is called"
    assert app.test_client().get("/auth/sign-in").status_code == 200
