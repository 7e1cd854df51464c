"""Plugins in a real desk: their pages, templates and failures, and what they may not do."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Blueprint, render_template

from helpdesk.api import NavItem, Panel, hookimpl, permission_required, public_page, sign_in_required
from helpdesk.core.extensions import db
from helpdesk.plugins import manager as machinery


def module(**hooks: Any) -> SimpleNamespace:
    return SimpleNamespace(**{name: hookimpl(function) for name, function in hooks.items()})


def pages(name: str = "probe") -> Blueprint:
    blueprint = Blueprint(name, "probe")
    blueprint.add_url_rule("/", "index", public_page(lambda: "its page"))
    return blueprint


def loaded(app: Any, name: str = "probe") -> Any:
    return app.extensions[machinery.EXTENSION].plugins[name]


def test_its_pages_are_below_its_name(make_app: Any) -> None:
    client = make_app({"probe": module(register_blueprints=lambda: [pages()])}).test_client()
    assert client.get("/p/probe/").data == b"its page"


def marked(where: str) -> Blueprint:
    """Pages with marks at the wrong place, none, and a style sheet."""
    blueprint = Blueprint("probe", "probe", static_folder=where, static_url_path="/static")

    @permission_required("desk.use")
    @blueprint.get("/above")
    @sign_in_required
    def above() -> str:
        return "above"

    @permission_required("desk.use")
    @blueprint.get("/alone")
    def alone() -> str:
        return "alone"

    @blueprint.get("/silent")
    def silent() -> str:
        return "silent"

    return blueprint


def test_a_page_without_a_mark_is_no_strangers_and_a_mark_counts_above_its_route(
    make_app: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "probe.css").write_text("p {}")
    app = make_app({"probe": module(register_blueprints=lambda: [marked(str(tmp_path))])})
    stranger = app.test_client()
    assert stranger.get("/p/probe/static/probe.css").status_code == 200
    for page in ("above", "alone", "silent", "silent"):
        assert stranger.get(f"/p/probe/{page}").status_code == 303, page
    said = [line for line in caplog.messages if "does not say who may open it" in line]
    assert len(said) == 1 and "Plugin probe: the page probe.silent" in said[0]


@pytest.fixture
def desk_plugins(tmp_path: Path) -> dict[str, Any]:
    return {"probe": module(register_blueprints=lambda: [marked(str(tmp_path))])}


def test_a_mark_above_the_route_asks_for_its_permission(as_agent: Any, as_requester: Any) -> None:
    for page in ("above", "alone"):
        assert as_agent.get(f"/p/probe/{page}").text == page
        assert as_requester.get(f"/p/probe/{page}").status_code == 403, page
    assert as_requester.get("/p/probe/silent").text == "silent"


def app_wide(kind: str) -> Blueprint:
    blueprint = pages()
    {
        "before": lambda: blueprint.before_app_request(lambda: "taken over"),
        "after": lambda: blueprint.after_app_request(lambda response: response),
        "teardown": lambda: blueprint.teardown_app_request(lambda error: None),
        "error": lambda: blueprint.app_errorhandler(404)(lambda error: "mine"),
        "name": lambda: setattr(blueprint, "name", "desk"),
    }[kind]()
    return blueprint


@pytest.mark.parametrize("kind", ["before", "after", "teardown", "error", "name"])
def test_it_cannot_take_over_the_rest(make_app: Any, kind: str) -> None:
    app = make_app({"probe": module(register_blueprints=lambda: [app_wide(kind)])})
    client = app.test_client()
    assert "no app-wide functions" in loaded(app).error
    assert client.get("/p/probe/").status_code == 404
    assert b"taken over" not in client.get("/").data and b"mine" not in client.get("/nowhere").data


def test_safe_mode_loads_none(make_app: Any) -> None:
    app = make_app(None, safe_mode=True)
    assert app.extensions[machinery.EXTENSION].plugins == {}
    assert app.test_client().get("/auth/sign-in").status_code == 200


def test_the_desk_starts_without_one_that_fails(make_app: Any, home: Path) -> None:
    (home / "plugins" / "broken.py").write_text("raise SystemError('no luck')\n")
    app = make_app(None)
    assert loaded(app, "broken").error == "SystemError: no luck"
    assert app.test_client().get("/auth/sign-in").status_code == 200


@pytest.fixture
def templated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A plugin package with templates: its own, and one where the core's would be."""
    import importlib
    import time

    name = f"probe_pages_{time.monotonic_ns()}"
    folder = tmp_path / "src" / name
    (folder / "templates" / "probe").mkdir(parents=True)
    (folder / "templates" / "desk").mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "templates" / "probe" / "panel.html").write_text("<p>{{ _('Parcels') }}: {{ parcels }}</p>")
    (folder / "templates" / "desk" / "list.html").write_text("taken over")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    return importlib.import_module(name)


def test_it_shows_its_own_templates_and_never_overrides_the_cores(make_app: Any, templated: Any) -> None:
    app = make_app({"probe": templated})
    with app.test_request_context():
        assert render_template("probe/panel.html", parcels=3) == "<p>Parcels: 3</p>"
        source, _file, _fresh = app.jinja_loader.get_source(app.jinja_env, "desk/list.html")
        assert "taken over" not in source


def test_a_failed_panel_is_a_box_and_the_page_stands(
    app: Any, plug: Any, as_agent: Any, make_ticket: Any, templated: Any
) -> None:
    ticket = make_ticket()
    plug("broken", ticket_panels=lambda ticket, user: 1 / 0, nav_items=lambda user: 1 / 0)
    plug("missing", ticket_panels=lambda ticket, user: [Panel("Orders", "missing/no_such_template.html")])
    plug("wrong", nav_items=lambda user: [NavItem("Nowhere", "wrong.index")])
    page = as_agent.get(f"/desk/tickets/{ticket.id}")
    assert page.status_code == 200 and b"Rear brake rubs" in page.data
    side = as_agent.get(f"/desk/tickets/{ticket.id}/side")
    assert side.status_code == 200
    text = (page.data + side.data).decode()
    assert "broken" in text, "the box names the plugin"


@pytest.mark.db
def test_a_failed_statement_of_a_plugin_does_not_break_the_page(
    app: Any, plug: Any, as_agent: Any, make_ticket: Any
) -> None:
    ticket = make_ticket()

    def poison(**_values: Any) -> Any:
        return db.session.execute(db.text("SELECT * FROM no_such_table")).all()

    plug("poison", nav_items=lambda user: poison(), ticket_panels=lambda ticket: poison())
    assert as_agent.get(f"/desk/tickets/{ticket.id}").status_code == 200
    assert as_agent.get("/desk/views/all").status_code == 200
