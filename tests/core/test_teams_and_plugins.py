"""Making teams, and switching plugins."""

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from helpdesk.core import fields, plugin_states, teams
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Job, PluginState
from helpdesk.core.models.team import COLORS
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.plugin_states import UnknownPlugin
from helpdesk.core.transaction import transaction
from helpdesk.core.workflow import Invalid
from helpdesk.plugins import manager


def test_teams_have_names_members_and_colours_of_their_own(make_user: Any) -> None:
    admin, jonas = make_user("admin"), make_user("agent")
    first = teams.make_team(" Work  shop ", admin, members=[jonas, jonas])
    second = teams.make_team("Sales", admin)
    assert (first.name, first.members) == ("Work shop", [jonas])
    assert (first.color, second.color) == COLORS[:2]
    teams.change_team(second, admin, name="Sales", color="green", private=True, active=False, members=[jonas])
    assert (second.color, second.private, second.active, second.members) == ("green", True, False, [jonas])
    actions = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.actor_id == admin.id).order_by(AuditEntry.id)
    ).all()
    assert actions == ["team.created", "team.created", "team.changed"]


@pytest.mark.parametrize("name", ["", " \n", "x" * 81, "WORKSHOP"])
def test_a_name_that_cannot_be_is_a_sentence(make_user: Any, name: str) -> None:
    teams.make_team("Workshop", None)
    with pytest.raises(Invalid) as problem:
        teams.make_team(name, None)
    assert problem.value.field == "name"


@pytest.mark.parametrize("name", ["Ärzte", "ПОЧТА"])
def test_a_name_of_other_letters_is_taken_as_well(app: Flask, name: str) -> None:
    teams.make_team(name, None)
    with pytest.raises(Invalid, match="already"):
        teams.make_team(name, None)
    fields.make_field(name, "text", None)
    with pytest.raises(Invalid, match="already"):
        fields.make_field(name, "text", None)


def test_only_staff_are_members_and_only_administrators_make_teams(make_user: Any) -> None:
    with pytest.raises(Invalid, match="not one of the staff"):
        teams.make_team("Workshop", None, members=[make_user()])
    with pytest.raises(NotAllowed):
        teams.make_team("Workshop", make_user("supervisor"))


# ---- plugins


@pytest.fixture
def seen(plug: Any) -> list[str]:
    calls: list[str] = []
    plug("probe", veto=lambda user, permission, obj: calls.append(permission))
    return calls


def test_a_plugin_that_is_off_is_not_asked(seen: list[str], make_user: Any) -> None:
    from helpdesk.core.permissions import allowed

    admin = make_user("admin")
    assert allowed(admin, "desk.use") and seen == ["desk.use"]
    assert plugin_states.switch("probe", False, None)
    assert not plugin_states.switch("probe", False, None), "it is off already"
    assert allowed(admin, "desk.use") and seen == ["desk.use"]
    assert not manager.current().is_on("probe")
    assert plugin_states.switch("probe", True, None)
    assert allowed(admin, "desk.use") and seen == ["desk.use", "desk.use"]
    actions = db.session.scalars(
        select(AuditEntry.action).where(AuditEntry.subject == "probe").order_by(AuditEntry.id)
    ).all()
    assert actions == ["plugin.switched_off", "plugin.switched_on"]


def test_its_pages_are_gone_while_it_is_off(make_app: Any) -> None:
    from flask import Blueprint

    from helpdesk.api import hookimpl, public_page

    class Probe:
        @staticmethod
        @hookimpl
        def register_blueprints() -> list[Blueprint]:
            pages = Blueprint("probe", "probe")
            pages.add_url_rule("/", "index", public_page(lambda: "a page"))
            return [pages]

    app = make_app({"probe": Probe})
    client = app.test_client()
    assert client.get("/p/probe/").data == b"a page"
    with app.app_context():
        plugin_states.switch("probe", False, None)
    missing = client.get("/p/nothing/")
    assert client.get("/p/probe/").status_code == missing.status_code == 404
    with app.app_context():
        plugin_states.switch("probe", True, None)
    assert client.get("/p/probe/").status_code == 200


def test_what_waited_for_it_is_tried_at_once(seen: list[str]) -> None:
    plugin_states.switch("probe", False, None)
    later = now() + timedelta(hours=5)
    with transaction():
        put_off = Job(name="core.intake", run_at=later, error="The channel is off.", attempts=3)
        planned = Job(name="probe.remind", run_at=later)
        db.session.add_all([put_off, planned])
    plugin_states.switch("probe", True, None)
    assert put_off.run_at <= now() and planned.run_at == later


def test_who_may_switch_and_what(seen: list[str], make_user: Any, plug: Any) -> None:
    with pytest.raises(NotAllowed):
        plugin_states.switch("probe", False, make_user("supervisor"))
    with pytest.raises(UnknownPlugin, match="no plugin “ghost”"):
        plugin_states.switch("ghost", True, None)
    plug("wrong", not_a_hook=lambda: None)
    with pytest.raises(UnknownPlugin, match="not_a_hook"):
        plugin_states.switch("wrong", True, None)
    assert plugin_states.switch("wrong", False, None), "what fails may be switched off"
    assert db.session.get(PluginState, "wrong") is not None
