"""The plugin that tests are about: which one, its places on pages, its settings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpdesk.testing.browsers import forget_what_was_read

if TYPE_CHECKING:
    from flask import Flask


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option of pyproject.toml that lets other plugins into the desk of the tests."""
    parser.addini("helpdesk_plugins", "Installed plugins that the tests of a plugin want beside it.", "args", [])


@pytest.fixture
def plugin_name(request: pytest.FixtureRequest) -> str:
    """The name of the plugin in whose folder the test stands; empty elsewhere. Override it to test another."""
    from helpdesk.cli.rules.project import around

    found = around(request.path)
    return found.name if found else ""


@pytest.fixture
def desk_plugins(request: pytest.FixtureRequest, plugin_name: str) -> dict[str, Any] | None:
    """Which plugins ``app`` loads, by name; None: those that are installed.

    In the tests of a plugin: that one, from its folder or as it is installed, with those that it needs and those
    that the option ``helpdesk_plugins`` names. Override it where others are wanted.
    """
    if not plugin_name:
        return None
    return modules([*request.config.getini("helpdesk_plugins"), plugin_name], request.path)


def modules(names: list[str], path: Path | None = None) -> dict[str, Any]:
    """The plugins of these names and those that they need, each after its needs; ``path`` lies in one of them."""
    from helpdesk.cli.rules.project import around
    from helpdesk.plugins.loading import find

    here = around(path) if path is not None else None
    installed = {one.plugin.name: one for one in find(None)}
    by_package = {(one.plugin.distribution or name).replace("-", "_"): name for name, one in installed.items()}
    loaded: dict[str, Any] = {}

    def load(name: str) -> None:
        if name in loaded:
            return
        if here is not None and here.name == name:
            for package in here.others:
                load(by_package.get(package, package))
            loaded[name] = here.load()
            return
        if name not in installed:
            pytest.fail(f"The plugin {name} is not installed; install it, or take it out of what the tests want.")
        for need in installed[name].plugin.needs:
            load(need)
        loaded[name] = installed[name].load()

    for name in names:
        load(name)
    return loaded


@pytest.fixture
def place(app: Flask) -> Callable[..., Any]:
    """What plugins put in a place of a page, as the desk shows it: ``place("ticket_panels", ticket, user)``.

    Named like the hook; the last argument is who looks. Boxes have ``title`` and ``html``, links and buttons ``label``
    and ``url``, suggestions ``title`` and ``text``, badges come by the id of their ticket. Fails when a plugin does.
    """

    def show(name: str, *arguments: Any) -> Any:
        from flask_login import login_user

        from helpdesk.web import places

        forget_what_was_read()
        with app.test_request_context("/"):
            if arguments and arguments[-1] is not None:
                login_user(arguments[-1])
            shown = getattr(places, name)(*arguments)
        assert not (wrong := failures(app)), wrong
        return shown

    return show


@pytest.fixture
def configure(app: Flask) -> Callable[..., Any]:
    """Save settings as an owner does: ``configure(OrdersSettings, greeting="Hello")``; answers them."""
    from helpdesk.core import settings

    def save(model: type, **values: Any) -> Any:
        return settings.save(model, values, None)

    return save


def failures(app: Flask) -> dict[str, str]:
    """The last error of each hook that has failed in this application, by plugin and hook."""
    from helpdesk.plugins.manager import EXTENSION

    return {
        f"{plugin.name}.{hook}": health.error
        for plugin in app.extensions[EXTENSION].plugins.values()
        for hook, health in plugin.health.items()
        if health.errors
    }
