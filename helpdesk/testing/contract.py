"""What every plugin keeps, whatever it does. One line in the tests of a plugin runs it::

class TestContract(PluginContract):
    \"\"\"What every plugin keeps.\"\"\"
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from helpdesk.testing.plugins import failures, modules

# Pages on which plugins have places; those that a desk does not have are passed over.
_PAGES = (
    "portal.home",
    "portal.tickets",
    "desk.home",
    "desk.dashboard",
    "desk.reports",
    "desk.people_list",
    "desk.new_ticket",
    "admin.home",
    "admin.plugins",
    "admin.settings",
)
# Far above the numbers of a desk that begins.
_NOBODYS = "950017"
_ROLES = ("stranger", "requester", "agent", "supervisor", "admin")
# Seconds: a slot stands in the way of every page. What is late is tried again: a busy machine may have kept it waiting.
_QUICK, _TRIES = 0.1, 20


class PluginContract:
    """Tests for one plugin: the one that the fixtures ``plugin_name`` and ``desk_plugins`` name."""

    @pytest.fixture
    def browsers(self, app: Any, sign_in: Any, make_user: Any) -> dict[str, Any]:
        """A browser for each role."""
        people = {role: sign_in(make_user(role)) for role in _ROLES[1:]}
        return {"stranger": app.test_client(), **people}

    def test_it_loads_alone(self, app: Any, plugin_name: str) -> None:
        """It needs nothing but the plugins that its requirements name."""
        assert _plugin(app, plugin_name).error == ""

    def test_it_loads_beside_all_others(self, make_app: Any, desk_plugins: dict[str, Any]) -> None:
        """It takes no name of theirs, and they load as well."""
        from helpdesk.plugins.loading import find

        others = modules([one.plugin.name for one in find(None)])
        app = make_app({**others, **desk_plugins})
        assert {name: _plugin(app, name).error for name in app.extensions["helpdesk.plugins"].plugins} == dict.fromkeys(
            {**others, **desk_plugins}, ""
        )

    def test_off_it_rests_and_on_it_is_back(self, app: Any, plugin_name: str, browsers: Any) -> None:
        """Its hooks are skipped, its pages answer 404, its schedules rest, its data stays."""
        from helpdesk.core import plugin_states
        from helpdesk.plugins import hookspecs, manager

        plugins, pages = manager.current(), _own_pages(app, plugin_name)
        heard = [hook for hook, kind in hookspecs.KINDS.items() if kind != "all"]
        before = _rows(plugin_name)
        plugin_states.switch(plugin_name, False, None)
        assert {page: browsers["admin"].get(page).status_code for page in pages} == dict.fromkeys(pages, 404)
        assert plugin_name not in plugins.listeners(heard)
        assert [found for hook in heard for found in plugins.contributions(hook) if found.plugin == plugin_name] == []
        assert _rows(plugin_name) == before
        plugin_states.switch(plugin_name, True, None)
        assert plugins.is_on(plugin_name)

    def test_pages_of_an_empty_desk_stand(self, app: Any, plugin_name: str, browsers: Any) -> None:
        """For everybody, its own and those on which it has places; strangers see what is marked as public."""
        from helpdesk.web.access import PUBLIC, access_of

        for page, endpoint in _own_pages(app, plugin_name).items():
            assert access_of(app.view_functions[endpoint]) is not None, f"{page} does not say who may open it"
        for role, browser in browsers.items():
            for page in _main_pages(app):
                assert browser.get(page, follow_redirects=True).status_code < 500, (role, page)
            for page, endpoint in _own_pages(app, plugin_name).items():
                status = browser.get(page).status_code
                assert status < 500, (role, page)
                if role == "stranger" and access_of(app.view_functions[endpoint]) != PUBLIC:
                    assert status in (302, 303, 401, 403, 404), f"a stranger opens {page}"
        assert failures(app) == {}

    def test_its_pages_answer_as_its_table_says(self, app: Any, plugin_name: str, browsers: Any) -> None:
        """Each page with a row in access.toml, for everybody; those with a number for a thing that is not there."""
        from importlib.resources import files

        from helpdesk.cli.rules import access_rows

        core = access_rows.read(access_rows.CORE)
        package = _plugin(app, plugin_name).module.__name__
        table = access_rows.read(Path(str(files(package) / access_rows.FILE)), core)
        columns = {**{role: role for role in _ROLES[:-1]}, "admin": "administrator"}
        for row, rule in access_rows.keys(app.url_map, plugin_name).items():
            lines = table.groups.get(table.rows.get(row, ""), {})
            expected = lines.get("missing" if rule.arguments else "page")
            path = re.sub("<int:[a-z_]+>", _NOBODYS, rule.rule)
            if expected is None or "<" in path or "GET" not in (rule.methods or ()):
                continue
            seen = {role: access_rows.word(browser.get(path)) for role, browser in browsers.items()}
            assert seen == {role: expected[column] for role, column in columns.items()}, row

    def test_a_ticket_goes_its_way(
        self, app: Any, plugin_name: str, browsers: Any, make_ticket: Any, run_jobs: Any
    ) -> None:
        """It is opened, answered, assigned, tagged and solved, and each page of it stands."""
        from helpdesk.core import workflow
        from helpdesk.core.drafts import MessageDraft

        agent, ticket = browsers["agent"].user, make_ticket()
        run_jobs()
        workflow.assign(ticket, agent, agent)
        workflow.reply(ticket, MessageDraft(text="We look into it."), agent)
        workflow.note(ticket, MessageDraft(text="A known fault."), agent)
        workflow.tag(ticket, ["brakes"], agent)
        workflow.set_priority(ticket, "urgent", agent)
        workflow.solve(ticket, agent)
        run_jobs()
        run_jobs()
        addresses = [f"/desk/tickets/{ticket.number}", f"/desk/tickets/{ticket.number}/side", "/desk/views/all"]
        for page in (*addresses, f"/desk/people/{ticket.requester_id}", *_main_pages(app)):
            assert browsers["agent"].get(page, follow_redirects=True).status_code < 500, page
        assert failures(app) == {}
        assert _failed_jobs(plugin_name) == []

    def test_lists_ask_the_database_as_often_for_many_as_for_few(
        self, app: Any, plugin_name: str, browsers: Any, make_ticket: Any, run_jobs: Any, count_queries: Any
    ) -> None:
        """On the list of tickets and on its own pages: no query in a loop."""
        pages = ["/desk/views/all", *_own_pages(app, plugin_name)]

        def statements(tickets: int) -> dict[str, int]:
            for _ in range(tickets):
                make_ticket()
            run_jobs()
            counted = {}
            for page in pages:
                # The first time fills what is kept between requests.
                browsers["admin"].get(page)
                with count_queries() as seen:
                    browsers["admin"].get(page)
                counted[page] = len(seen)
            return counted

        few, many = statements(3), statements(9)
        # Now and then a page reads anew what it keeps for two seconds; a loop would add one for each ticket.
        assert {page: count for page, count in many.items() if count > few[page] + 2} == {}, few

    def test_its_places_are_filled_quickly(self, app: Any, plugin_name: str, make_ticket: Any, make_user: Any) -> None:
        """Each slot in a tenth of a second at most, for ten tickets."""
        from helpdesk.plugins import hookspecs, manager

        plugins, agent = manager.current(), make_user("agent")
        tickets = [make_ticket() for _ in range(10)]
        known = {"ticket": tickets[0], "tickets": tickets, "user": agent, "person": tickets[0].requester, "team": None}
        for hook in [hook for hook, kind in hookspecs.KINDS.items() if kind == "slot"]:
            if plugin_name not in plugins.listeners([hook]) or hook == "team_panels" or hook.startswith(plugin_name):
                continue
            tries = (_seconds(plugins, hook, known) for _ in range(_TRIES))
            late = list(takewhile(lambda seconds: seconds >= _QUICK, tries))
            assert len(late) < _TRIES, f"{hook} takes {min(late):.2f} s"

    def test_it_exports_and_erases_what_it_knows_about_a_person(
        self, app: Any, plugin_name: str, make_ticket: Any, make_user: Any, run_jobs: Any
    ) -> None:
        """The export is JSON; after the erasing no row of its tables points to the person."""
        from helpdesk.core.transaction import transaction
        from helpdesk.plugins import manager

        person = make_user()
        make_ticket(requester=person)
        run_jobs()
        for found in manager.current().each("export_personal_data", include_off=True, user=person):
            assert found.item is not None, failures(app)
            json.dumps(found.item)
        with transaction():
            manager.current().require_each("erase_personal_data", user=person)
        assert list(_keys_to(plugin_name, person.id)) == []

    @pytest.mark.db
    def test_its_tables_come_go_and_come_again(self, app: Any, plugin_name: str, database_url: str) -> None:
        """Up, down and up; nothing is left below, and above the tables are those of the models."""
        from sqlalchemy import inspect

        from helpdesk.core import schema
        from helpdesk.core.extensions import db
        from helpdesk.plugins import migrations

        owned = frozenset(name for name in db.metadata.tables if name.startswith(f"{plugin_name}_"))
        history = next((found for found in schema.histories() if found.owner == plugin_name), None)
        if history is None:
            assert not owned, f"{', '.join(sorted(owned))}: write a revision into migrations/versions"
            return
        schema.downgrade("base", plugin_name)
        with db.engine.connect() as connection:
            left = [name for name in inspect(connection).get_table_names() if name.startswith(f"{plugin_name}_")]
        assert left == []
        schema.upgrade(plugin_name)
        with db.engine.connect() as connection:
            assert migrations.differences(connection, db.metadata, owned, history.version_table) == []

    def test_without_it_the_desk_is_whole(
        self, browsers: Any, make_app: Any, plugin_name: str, desk_plugins: dict[str, Any], make_ticket: Any
    ) -> None:
        """Its tables are gone and it is not loaded: nothing of the desk misses it."""
        from helpdesk.core import schema
        from helpdesk.core.extensions import db

        make_ticket()
        if plugin_name in [found.owner for found in schema.histories()]:
            schema.downgrade("base", plugin_name)
        db.session.remove()
        bare = make_app({name: module for name, module in desk_plugins.items() if name != plugin_name})
        for page in _main_pages(bare):
            assert bare.test_client().get(page, follow_redirects=True).status_code < 500, page


def _plugin(app: Any, name: str) -> Any:
    return app.extensions["helpdesk.plugins"].plugins[name]


def _main_pages(app: Any) -> list[str]:
    return [rule.rule for rule in app.url_map.iter_rules() if rule.endpoint in _PAGES and "GET" in rule.methods]


def _own_pages(app: Any, name: str) -> dict[str, str]:
    """The addresses of its pages that need no argument, and their endpoints."""
    return {
        rule.rule: rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith(f"{name}.") and "GET" in (rule.methods or ()) and not rule.arguments
    }


def _tables(name: str) -> Iterator[Any]:
    from helpdesk.core.extensions import db

    return (table for table in db.metadata.tables.values() if table.name.startswith(f"{name}_"))


def _rows(name: str) -> dict[str, int]:
    from sqlalchemy import func, select

    from helpdesk.core.extensions import db

    db.session.rollback()
    return {table.name: db.session.scalar(select(func.count()).select_from(table)) or 0 for table in _tables(name)}


def _keys_to(name: str, person: int) -> Iterator[str]:
    """Columns of its tables that still point to a person."""
    from sqlalchemy import func, select

    from helpdesk.core.extensions import db

    db.session.rollback()
    for table in _tables(name):
        for key in table.foreign_keys:
            if key.column.table.name != "user":
                continue
            query = select(func.count()).select_from(table).where(key.parent == person)
            if db.session.scalar(query):
                yield f"{table.name}.{key.parent.name}"


def _failed_jobs(name: str) -> list[tuple[str, str]]:
    from helpdesk.core.extensions import db
    from helpdesk.core.models import Job

    query = db.select(Job.name, Job.error).where(Job.name.startswith(f"{name}."), Job.error != "")
    return [(job, error) for job, error in db.session.execute(query)]


def _seconds(plugins: Any, hook: str, known: dict[str, Any]) -> float:
    start = time.perf_counter()
    plugins.each(hook, **known)
    return time.perf_counter() - start
