"""Permissions of plugins: the roles that have them, and nobody while the plugin is off; settings that outlive it."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import pytest

from helpdesk.api import Permission, SettingsGroup, allowed, hookimpl, require, setting
from helpdesk.core import accounts, plugin_states, settings
from helpdesk.core.extensions import db
from helpdesk.core.models import Setting
from helpdesk.core.permissions import NotAllowed

ROLES = ["requester", "agent", "supervisor", "admin"]


@dataclasses.dataclass(frozen=True)
class ShopSettings:
    shop: str = setting("Larkwheel", "Name of the shop")
    limit: int = setting(5, "Orders on a page", minimum=1)
    key: str = setting("", "Key", secret=True)


def plugin(*permissions: Permission) -> Any:
    return SimpleNamespace(
        register_permissions=hookimpl(lambda: list(permissions)),
        register_settings=hookimpl(lambda: [SettingsGroup("orders", "Orders", ShopSettings)]),
    )


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    return {
        "orders": plugin(
            Permission("orders.see", "See orders", ("agent", "supervisor", "admin")),
            Permission("orders.refund", "Refund orders"),
            Permission("orders.own", "See one's own orders", ("requester",)),
        )
    }


def who_may(permission: str, make_user: Any) -> list[str]:
    return [role for role in ROLES if allowed(make_user(role), permission)]


def test_the_roles_of_the_contribution_have_it_and_nobody_else(app: Any, make_user: Any, make_ticket: Any) -> None:
    assert who_may("orders.see", make_user) == ["agent", "supervisor", "admin"]
    assert who_may("orders.refund", make_user) == ["supervisor", "admin"]
    assert who_may("orders.own", make_user) == ["requester"]
    assert who_may("orders.sell", make_user) == []
    assert allowed(None, "orders.refund"), "the desk itself may do everything"
    mia = make_user("supervisor")
    accounts.set_active(mia, False, None)
    assert not allowed(mia, "orders.refund")
    with pytest.raises(NotAllowed):
        require(make_user("agent"), "orders.refund")
    # On a ticket that the person does not see there is none.
    tom, ticket = make_user(), make_ticket()
    assert allowed(ticket.requester, "orders.own", ticket) and not allowed(tom, "orders.own", ticket)


@pytest.mark.db
def test_nobody_has_it_while_the_plugin_is_off(app: Any, make_user: Any) -> None:
    admin = make_user("admin")
    assert allowed(admin, "orders.refund")
    plugin_states.switch("orders", False, None)
    assert not allowed(admin, "orders.refund") and who_may("orders.see", make_user) == []
    plugin_states.switch("orders", True, None)
    assert allowed(admin, "orders.refund")


def test_a_guard_denies_and_never_grants(app: Any, make_user: Any, plug: Any) -> None:
    denied = {"orders.refund"}
    plug("guard", veto=lambda user, permission: permission not in denied)
    assert who_may("orders.refund", make_user) == []
    assert who_may("orders.own", make_user) == ["requester"]


@pytest.mark.parametrize("roles", ["admin", ("agents",), ("admin", "owner")])
def test_a_role_that_there_is_not_leaves_the_plugin_out_with_a_sentence(plug: Any, roles: Any) -> None:
    found = plug("probe", register_permissions=lambda: [Permission("probe.see", "See", roles)])
    assert "probe.see takes a list of roles" in found.error


def test_a_name_that_is_not_its_own_leaves_the_plugin_out(plug: Any) -> None:
    assert "begin it with “probe.”" in plug("probe", register_permissions=lambda: [Permission("ticket.x", "X")]).error


# ---- settings


@pytest.mark.db
def test_settings_outlive_a_plugin_that_is_off_or_gone(app: Any, make_app: Any, as_admin: Any) -> None:
    settings.save(ShopSettings, {"shop": "Ember", "limit": "7", "key": "s3cret"}, as_admin.user)
    plugin_states.switch("orders", False, None)
    assert as_admin.get("/admin/settings/orders").status_code == 404
    assert settings.group("orders") is None
    assert settings.get(ShopSettings) == ShopSettings("Ember", 7, "s3cret"), "its jobs and hooks may still be read"
    with make_app({}).app_context():
        with pytest.raises(LookupError, match="register_settings"):
            settings.get(ShopSettings)
        settings.save(settings.DeskSettings, {"name": "Larkwheel"}, None)
        assert db.session.get_one(Setting, ("orders", "shop")).value == "Ember"
    with make_app({"orders": plugin()}).app_context():
        plugin_states.switch("orders", True, None)
        assert settings.get(ShopSettings) == ShopSettings("Ember", 7, "s3cret")
        assert settings.group("orders") is not None


def test_a_setting_that_became_another_type_has_its_default(app: Any, make_app: Any) -> None:
    settings.save(ShopSettings, {"limit": "7", "shop": "Ember"}, None)

    @dataclasses.dataclass(frozen=True)
    class Later:
        limit: str = setting("many", "Orders on a page")
        shop: str = setting("", "Name of the shop")

    later = SimpleNamespace(register_settings=hookimpl(lambda: [SettingsGroup("orders", "Orders", Later)]))
    with make_app({"orders": later}).app_context():
        assert settings.get(Later) == Later("many", "Ember")
