"""Services of plugins: begun, ended and begun again; in one worker at a time; in real workers that are killed."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from helpdesk.api import Service
from helpdesk.core import holding, plugin_states, services
from helpdesk.core.extensions import db
from helpdesk.core.jobs import workers
from helpdesk.core.models import PluginHealth, ServiceLease, Worker
from helpdesk.core.services import Services
from helpdesk.core.transaction import transaction
from helpdesk.plugins import manager
from helpdesk.testing.served import wait_for


class Loop:
    """A service that counts what happens to it; ``error`` is raised by the next runs."""

    def __init__(self) -> None:
        self.began = self.ended = self.failed = 0
        self.at_once = 0
        self.error: Exception | None = None

    def __call__(self, stop: threading.Event) -> None:
        error = self.error
        self.began += 1
        self.at_once = max(self.at_once, self.began - self.ended - self.failed)
        if error is not None:
            self.failed += 1
            raise error
        stop.wait()
        self.ended += 1


@pytest.fixture
def loop(app: Flask, plug: Callable[..., Any]) -> Loop:
    """The one service of a plugin named “probe”."""
    found = Loop()
    plug("probe", register_services=lambda: [Service("probe.watch", "Watch", found)])
    return found


@pytest.fixture
def begin(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Services]]:
    """What a worker process does: sign on, and keep the services running. It looks oftener and rests less here."""
    monkeypatch.setattr(services, "_LOOK", 0.1)
    monkeypatch.setattr(services, "_FIRST_PAUSE", 0.1)
    # A machine that stands still for a while loses nothing.
    monkeypatch.setattr(services, "LEASE", timedelta(hours=1))
    monkeypatch.setattr(services, "_LOST", 3000.0)
    begun: list[Services] = []

    def go() -> Services:
        begun.append(Services(app, workers.sign_on(1, "sqlite")))
        begun[-1].start()
        return begun[-1]

    yield go
    for one in begun:
        one.stop()
        one.join()


def test_it_runs_in_one_worker_and_goes_on_in_another(
    loop: Loop, begin: Callable[[], Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused, take = threading.Event(), services.take

    def asked(name: str, worker_id: str) -> bool:
        taken = take(name, worker_id)
        if not taken:
            refused.set()
        return taken

    monkeypatch.setattr(services, "take", asked)
    first = begin()
    wait_for(lambda: loop.began >= 1)
    begin()
    assert refused.wait(60)
    first.stop()
    first.join()
    assert loop.ended >= 1
    wait_for(lambda: loop.began >= 2)
    assert loop.at_once == 1
    assert db.session.query(ServiceLease).count() == 1


def test_it_runs_in_each_worker_where_it_is_not_single(
    app: Flask, plug: Callable[..., Any], begin: Callable[[], Services]
) -> None:
    both = threading.Barrier(3)

    def meet(stop: threading.Event) -> None:
        both.wait(60)
        stop.wait()

    plug("probe", register_services=lambda: [Service("probe.meet", "Meet", meet, single=False)])
    begin(), begin()
    both.wait(60)
    assert db.session.query(ServiceLease).count() == 0


def test_it_ends_with_its_plugin_and_while_the_desk_is_held(loop: Loop, begin: Callable[[], Services]) -> None:
    begin()
    wait_for(lambda: loop.began >= 1)
    plugin_states.switch("probe", False, None)
    wait_for(lambda: loop.ended >= 1)
    plugin_states.switch("probe", True, None)
    wait_for(lambda: loop.began >= 2)
    holding.hold()
    wait_for(lambda: loop.ended >= 2 and loop.ended == loop.began)


def test_one_that_fails_is_begun_again_and_its_plugin_says_so(
    app: Flask, loop: Loop, begin: Callable[[], Services]
) -> None:
    loop.error = ValueError("no line")
    begin()
    wait_for(lambda: loop.failed >= 2)
    loop.error = None
    wait_for(lambda: loop.began > loop.failed)
    plugin_states.add_health(manager.current().counts())
    row = db.session.scalars(db.select(PluginHealth).where(PluginHealth.hook == "probe.watch")).one()
    assert (row.plugin, row.error) == ("probe", "ValueError: no line") and row.errors >= 2


def test_what_only_one_may_run_ends_while_the_database_does_not_answer(
    loop: Loop, begin: Callable[[], Services], monkeypatch: pytest.MonkeyPatch
) -> None:
    hangs, answers = threading.Event(), threading.Event()
    lengthen = services.lengthen

    def hang(names: Any, worker_id: str) -> Any:
        # Not before it runs: on a slow machine its lease may be lost before its first run.
        if loop.began:
            hangs.set()
            answers.wait()
        return lengthen(names, worker_id)

    monkeypatch.setattr(services, "lengthen", hang)
    monkeypatch.setattr(services, "_RENEW", 0.0)
    monkeypatch.setattr(services, "_LOST", 2.0)
    begin()
    try:
        assert hangs.wait(60)
        wait_for(lambda: 1 <= loop.began == loop.ended)
        before = loop.began
    finally:
        answers.set()
    wait_for(lambda: loop.began > before)


@pytest.mark.db
def test_a_lease_is_one_workers_until_it_runs_out_or_the_worker_is_gone(app: Flask, travel: Callable[..., Any]) -> None:
    one, other = (workers.sign_on(1, "sqlite").id for _number in range(2))
    assert services.take("probe.watch", one)
    assert services.take("probe.watch", one)
    assert not services.take("probe.watch", other)
    travel(seconds=services.LEASE.total_seconds() + 1)
    assert services.take("probe.watch", other)
    assert services.take("probe.more", one)
    assert services.lengthen(["probe.watch", "probe.more"], one) == {"probe.more"}
    services.give_back("probe.watch", one)
    assert services.lengthen(["probe.watch"], other) == {"probe.watch"}
    with transaction():
        # As it is done with a worker whose process is gone.
        db.session.delete(db.session.get(Worker, other))
    assert services.take("probe.watch", one)


def test_a_service_without_a_function_leaves_its_plugin_out(app: Flask) -> None:
    from helpdesk.api import hookimpl

    class Probe:
        register_services = staticmethod(hookimpl(lambda: [Service("probe.watch", "Watch", None)]))  # type: ignore

    assert "nothing to run" in manager.Manager().add("probe", Probe).error


# A plugin of one file: the service says in a file of its own that it runs.
SOURCE = '''
"""A service that says where it runs."""
import os
from pathlib import Path

from helpdesk.api import Service, hookimpl

PLACE = Path(__file__).parent.parent


def watch(stop):
    (PLACE / f"runs-{os.getpid()}").touch()
    stop.wait()
    (PLACE / f"ended-{os.getpid()}").touch()


@hookimpl
def register_services():
    return [Service("probe.watch", "Watch", watch)]
'''


@pytest.mark.slow
def test_a_killed_worker_is_followed_by_the_next_and_term_ends_it_in_peace(
    home: Path, make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "plugins").mkdir(exist_ok=True)
    (home / "plugins" / "probe.py").write_text(SOURCE)
    make_app(None)
    monkeypatch.setenv("HELPDESK_HOME", str(home))
    started = []

    def start() -> "subprocess.Popen[bytes]":
        with (home / "worker.log").open("ab") as log:
            started.append(subprocess.Popen([sys.executable, "-m", "helpdesk.cli", "worker"], stdout=log, stderr=log))
        wait_for((home / f"runs-{started[-1].pid}").exists, 60)
        return started[-1]

    try:
        first = start()
        first.kill()
        first.wait()
        second = start()
        second.terminate()
        assert second.wait(60) == 0, (home / "worker.log").read_text()
        assert (home / f"ended-{second.pid}").exists()
    finally:
        for process in started:
            process.kill()
            process.wait()
