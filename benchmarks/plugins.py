"""What plugins cost: a call of a hook, and thirty plugins beside the desk's own at the start and on a page.

The thirty do little themselves (a settings class, a panel of one line), but that is counted too: it cannot be told
apart. A ticket comes in two answers: the page, with the entries of the menu, has the budget; the panels are asked for
by the page when it is shown, and stand in a row of their own. Both desks are as they are served, not as tests make
them: a test's desk looks at the folders of all themes for every template.
"""

import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask

from benchmarks.figures import Figure
from benchmarks.start import running_desk
from helpdesk.app import create_app
from helpdesk.core import accounts, generation, schema, sign_in_sessions
from helpdesk.core.config import Config
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import User
from helpdesk.core.workflow import open_ticket
from helpdesk.plugins import manager
from helpdesk.plugins.hookspecs import hookimpl

PLUGINS = 30
MOST_IDLE_CALL, MOST_TEN, MOST_START, MOST_PAGE = 2.0, 20.0, 15.0, 3.0
STARTS, VISITS, CALLS = 5, 120, 5_000

_MODULE = """
from dataclasses import dataclass

from flask import Blueprint, render_template
from helpdesk.api import (
    Badge, NavItem, Panel, Permission, SettingsGroup, hookimpl, lazy_gettext, require, setting, settings,
)
from flask_login import current_user

blueprint = Blueprint("{name}", __name__)


@dataclass(frozen=True)
class Settings:
    title: str = setting("Parcels", lazy_gettext("Title"))
    days: int = setting(3, lazy_gettext("Days"), minimum=1, maximum=30)
    loud: bool = setting(False, lazy_gettext("Loud"))


@blueprint.get("/")
def index():
    require(current_user, "{name}.see")
    return render_template("{name}/panel.html", title=settings(Settings).title)


@hookimpl
def register_settings():
    return [SettingsGroup("{name}", "{name}", Settings)]


@hookimpl
def register_permissions():
    return [Permission("{name}.see", lazy_gettext("See it"), ("agent", "supervisor", "admin"))]


@hookimpl
def register_blueprints():
    return [blueprint]


@hookimpl
def nav_items(user):
    return [NavItem(lazy_gettext("Parcels"), "{name}.index", permission="{name}.see")]


@hookimpl
def ticket_panels(ticket, user):
    return [Panel(settings(Settings).title, "{name}/panel.html", {{"title": ticket.subject}})]


@hookimpl
def ticket_badges(tickets):
    return {{ticket.id: [Badge("late", "red")] for ticket in tickets if ticket.priority == "urgent"}}


@hookimpl
def ticket_opened(ticket):
    pass
"""


def measure() -> list[Figure]:
    """Calls, the start and a page."""
    return [*_calls(), *_page(), *_start()]


# ---- calls


def _calls() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder:
        app = create_app(Config(home=Path(folder), testing=True), plugins={})
        with app.app_context():
            schema.upgrade()
            plugins = manager.current()
            calls: dict[str, Callable[[], Any]] = {
                "slot": lambda: plugins.slot("nav_items", user=None),
                "guard": lambda: plugins.denied("veto", user=None, permission="x", obj=None),
                "answer": lambda: plugins.answer("choose_team", draft=None),
            }
            idle = max(_microseconds(call) for call in calls.values())
            own = [lambda user: None] * 10
            for number, function in enumerate(own):
                hooks = {"nav_items": function, "veto": lambda user: None, "choose_team": lambda draft: None}
                plugins.add(f"plugin{number}", SimpleNamespace(**{n: hookimpl(f) for n, f in hooks.items()}))
            theirs = _microseconds(lambda: [function(None) for function in own])
            ten = max(_microseconds(call) for call in calls.values()) - theirs
            db.session.remove()
            db.engine.dispose()
    return [
        Figure("a hook without implementation", idle, "µs", MOST_IDLE_CALL),
        Figure("a hook with ten, beside their own time", ten, "µs", MOST_TEN),
    ]


def _microseconds(call: Callable[[], Any]) -> float:
    """Processor time of one call, the best of several rounds."""
    rounds = []
    for _round in range(5):
        begun = time.thread_time()
        for _call in range(CALLS):
            call()
        rounds.append((time.thread_time() - begun) / CALLS * 1_000_000)
    return min(rounds)


# ---- a page


def _page() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder, _site(Path(folder) / "site") as site:
        without = _Visitor(Path(folder) / "without")
        sys.path.insert(0, site)
        try:
            beside = _Visitor(Path(folder) / "with")
        finally:
            sys.path.remove(site)
        loaded = beside.app.extensions[manager.EXTENSION].plugins.values()
        assert sum(plugin.loaded and plugin.name.startswith("bench_") for plugin in loaded) == PLUGINS
        figures = []
        for what, path in (("a ticket's page", "/desk/tickets/1"), ("its side panels", "/desk/tickets/1/side")):
            pairs = [(without.milliseconds(path), beside.milliseconds(path)) for _visit in range(VISITS)]
            before, after = (min(times) for times in zip(*pairs, strict=True))
            most = MOST_PAGE if "page" in what else None
            figures.append(Figure(f"{PLUGINS} plugins add to {what} ({before:.1f} ms)", after - before, "ms", most))
        without.close()
        beside.close()
    return figures


class _Visitor:
    """An agent at a desk of its own with one ticket."""

    def __init__(self, home: Path) -> None:
        self.app: Flask = create_app(Config(home=home))
        with self.app.app_context():
            schema.upgrade()
            agent = accounts.create_user("sam@desk.example", "Sam", "agent", None)
            customer = accounts.create_user("ada@post.example", "Ada", "requester", None)
            draft = TicketDraft(subject="Rear brake rubs", requester_id=customer.id, text="On every turn.")
            open_ticket(draft, None)
            login = sign_in_sessions.begin(db.session.get_one(User, agent.id))
            db.session.remove()
        self._client = self.app.test_client()
        with self._client.session_transaction() as session:
            session["_user_id"], session["_fresh"] = login, True
        # The first visit compiles the templates.
        self._client.get("/desk/tickets/1")

    def milliseconds(self, path: str) -> float:
        """Processor time of one visit that asks whether what is cached is still good."""
        self.app.extensions[generation.EXTENSION].checked = float("-inf")
        begun = time.thread_time()
        # What is loaded into a page is asked for as its part.
        headers = {"HX-Request": "true"} if path.endswith("/side") else {}
        answer = self._client.get(path, buffered=True, headers=headers)
        spent = (time.thread_time() - begun) * 1000
        assert answer.status_code == 200, (path, answer.status_code)
        return spent

    def close(self) -> None:
        with self.app.app_context():
            db.engine.dispose()


# ---- the start


def _start() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="helpdesk-bench-") as folder, _site(Path(folder) / "site") as site:
        times: dict[str, list[float]] = {"": [], site: []}
        work: dict[str, list[float]] = {"": [], site: []}
        for turn in range(STARTS + 1):
            # Turn and turn about: what else the machine does befalls both.
            for path, seconds in times.items():
                begun = _children()
                with _environment("PYTHONPATH", path), running_desk(Path(folder) / f"home{bool(path)}") as desk:
                    pass
                # The first one migrates and compiles.
                if turn:
                    seconds.append(desk.seconds)
                    work[path].append(_children() - begun)
    return [
        _added("the start", times, MOST_START),
        _added("the processor time of starting and stopping", work, None),
    ]


def _children() -> float:
    """Processor time of all processes that have been started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _added(what: str, seconds: dict[str, list[float]], most: float | None) -> Figure:
    before, after = (statistics.median(rounds) for rounds in seconds.values())
    return Figure(f"{PLUGINS} plugins add to {what} ({before:.2f} s)", (after / before - 1) * 100, "%", most)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    yield
    if before is None:
        del os.environ[name]
    else:
        os.environ[name] = before


@contextmanager
def _site(folder: Path) -> Iterator[str]:
    """A folder with thirty installed distributions."""
    for number in range(PLUGINS):
        name = f"bench_{number:02}"
        package, info = folder / f"helpdesk_{name}", folder / f"helpdesk_{name}-1.0.dist-info"
        (package / "templates" / name).mkdir(parents=True)
        (package / "__init__.py").write_text(_MODULE.format(name=name))
        (package / "templates" / name / "panel.html").write_text("<p>{{ title }}</p>\n")
        info.mkdir()
        meta = f"Metadata-Version: 2.1\nName: helpdesk-{name}\nVersion: 1.0\nRequires-Dist: helpdesk>=1,<2\n"
        (info / "METADATA").write_text(meta)
        (info / "entry_points.txt").write_text(f"[helpdesk.plugins]\n{name} = helpdesk_{name}\n")
    yield str(folder)
