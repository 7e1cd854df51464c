"""What the pytest plugin lends: each test has a desk of its own, and nothing leaks into the next."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from helpdesk.core import workflow
from helpdesk.core.clock import now
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Job, Ticket, User
from helpdesk.testing import network
from helpdesk.testing.plugins import modules


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_an_empty_desk(make_ticket: Any, turn: int) -> None:
    assert db.session.scalar(select(func.count(Ticket.id))) == 0
    assert make_ticket().number == 1


@pytest.mark.db
@pytest.mark.parametrize("turn", [1, 2])
def test_each_database_has_an_empty_desk(app: Any, make_ticket: Any, database_url: str, turn: int) -> None:
    assert db.engine.dialect.name == ("postgresql" if database_url else "sqlite")
    assert db.session.scalar(select(func.count(Ticket.id))) == 0
    assert make_ticket().requester.role == "requester"


def test_people_are_signed_in_each_in_a_browser_of_their_own(as_admin: Any, as_agent: Any, client: Any) -> None:
    assert as_admin.get("/desk/me").status_code == 200
    assert b"Ada Admin" in as_admin.get("/desk/me").data
    assert b"Abe Agent" in as_agent.get("/desk/me").data
    assert client.get("/desk/me").status_code == 303


def test_what_a_request_changed_is_seen_at_once(as_agent: Any, make_ticket: Any) -> None:
    ticket = make_ticket()
    assert ticket.priority == "normal"
    answer = as_agent.post(f"/desk/tickets/{ticket.id}/set/priority", data={"value": "high", "version": ticket.version})
    assert answer.status_code in (200, 303)
    assert ticket.priority == "high"


def test_time_moves_and_comes_back(travel: Any) -> None:
    before = datetime.now(UTC)
    travel(hours=3)
    assert timedelta(hours=2, minutes=59) < now() - before < timedelta(hours=3, minutes=10)
    travel(to=datetime(2031, 2, 3, tzinfo=UTC))
    assert now().year == 2031


def test_the_clock_is_right_again() -> None:
    assert now().year < 2031


def test_a_plugin_made_of_functions_hears_facts_when_jobs_run(plug: Any, make_ticket: Any, run_jobs: Any) -> None:
    heard: list[int] = []
    assert plug("probe", ticket_opened=lambda ticket: heard.append(ticket.id)).error == ""
    run_jobs()
    first = make_ticket()
    assert run_jobs() >= 1 and heard == []  # it hears of what happens after the worker has met it
    second = make_ticket()
    assert run_jobs() >= 1
    assert heard == [second.id] and first.id != second.id


def test_statements_are_counted(count_queries: Any, make_ticket: Any) -> None:
    make_ticket()
    with count_queries() as statements:
        db.session.scalars(select(Ticket)).all()
    assert len(statements) == 1
    db.session.scalars(select(Ticket)).all()
    assert len(statements) == 1


def test_no_test_reaches_another_machine() -> None:
    with socket.socket() as line, pytest.raises(RuntimeError, match="this machine only"):
        line.connect(("192.0.2.1", 80))
    with pytest.raises(RuntimeError, match="this machine only"):
        socket.create_connection(("203.0.113.5", 443), timeout=1)


def test_a_free_port_is_kept_for_who_has_asked_and_nobody_listens_there() -> None:
    port = network.free_port()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    # A program that asks for just this one without leave does not get it, a server does; again and again.
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    for _start in range(2):
        with socket.create_server(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)):
            pass


@pytest.fixture
def visits() -> Iterator[list[threading.Thread]]:
    """Requests that a test leaves behind; by now the server of the test has ended."""
    found: list[threading.Thread] = []
    yield found
    names = [visit.name for visit in found]
    for visit in found:
        visit.join()
    assert names == ["answered"]


def test_a_server_ends_when_all_that_it_works_on_is_done(
    visits: list[threading.Thread], listen: Callable[[Any], str]
) -> None:
    inside = threading.Event()

    def view() -> str:
        inside.set()
        # Longer than the server itself takes to stop.
        time.sleep(1.5)
        visits[0].name = "answered"
        return "Hello"

    app = Flask("slow")
    app.add_url_rule("/", view_func=view)
    address = listen(app)
    visits.append(threading.Thread(target=lambda: urllib.request.urlopen(address, timeout=60).close()))
    visits[0].start()
    assert inside.wait(60)


def test_mail_arrives_in_the_mailbox(mailbox: Any) -> None:
    import smtplib

    with smtplib.SMTP(mailbox.host, mailbox.port) as server:
        server.sendmail("a@desk.example", ["b@customer.example"], "Subject: Grüße\n\nHi\n".encode())
        mailbox.refuse = "550 no such person"
        with pytest.raises(smtplib.SMTPDataError):
            server.sendmail("a@desk.example", ["c@customer.example"], b"Subject: No\n\nHi\n")
    assert [message.get_content().strip() for message in mailbox.to("b@customer.example")] == ["Hi"]
    assert mailbox.envelopes == [("a@desk.example", ["b@customer.example"])]


def test_threads_have_sessions_of_their_own(app: Any, make_ticket: Any, make_user: Any) -> None:
    ticket, agents = make_ticket(), [make_user("agent") for _ in range(4)]
    ids = [(ticket.id, agent.id) for agent in agents]

    def write(ticket_id: int, agent_id: int) -> None:
        with app.app_context():
            workflow.reply(db.session.get(Ticket, ticket_id), MessageDraft("Hello"), db.session.get(User, agent_id))

    threads = [threading.Thread(target=write, args=pair) for pair in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    db.session.rollback()
    added = select(func.count(Event.id)).where(Event.kind == "message_added")
    assert db.session.scalar(added) == 5 and ticket.version == 5
    assert db.session.scalar(select(func.count(Job.id)))


# ---- for authors of plugins


def test_settings_are_saved_as_an_owner_does(configure: Any) -> None:
    from helpdesk.core.settings import DeskSettings, get

    configure(DeskSettings, name="Corner shop")
    assert get(DeskSettings).name == "Corner shop"


def test_a_place_shows_what_plugins_put_there_and_fails_with_them(
    app: Any, plug: Any, place: Any, make_user: Any, make_ticket: Any
) -> None:
    from helpdesk.plugins.contributions import Badge

    ticket, agent = make_ticket(), make_user("agent")
    plug("marks", ticket_badges=lambda tickets: {ticket.id: [Badge("Soon")] for ticket in tickets})
    assert [mark.text for mark in place("ticket_badges", [ticket], agent)[ticket.id]] == ["Soon"]
    plug("broken", ticket_badges=lambda tickets: 1 / 0)
    with pytest.raises(AssertionError, match="broken.ticket_badges"):
        place("ticket_badges", [ticket], agent)


def test_outside_of_a_plugin_the_installed_ones_are_loaded(plugin_name: str, desk_plugins: Any) -> None:
    assert plugin_name == "" and desk_plugins is None


PROJECT = """
[project]
name = "helpdesk-probe"
version = "1.0"
dependencies = ["helpdesk>=1,<2"{needs}]

[project.entry-points."helpdesk.plugins"]
probe = "helpdesk_probe"

[tool.pytest.ini_options]
addopts = ["-p", "helpdesk.testing", "-p", "no:cacheprovider"]
helpdesk_plugins = [{wanted}]
"""
LISTS = """
from helpdesk.plugins import manager

def test_which(app):
    print("loaded:", ",".join(manager.current().plugins))
"""


def write_probe(folder: Path, needs: str = "", wanted: str = "") -> Path:
    """The project of a plugin, with a test whose path is answered."""
    (folder / "helpdesk_probe").mkdir()
    (folder / "helpdesk_probe" / "__init__.py").write_text("")
    (folder / "tests").mkdir()
    (folder / "tests" / "test_which.py").write_text(LISTS)
    (folder / "pyproject.toml").write_text(PROJECT.format(needs=needs, wanted=wanted))
    return folder / "tests" / "test_which.py"


@pytest.mark.parametrize(
    ("needs", "loaded"), [("", ["probe"]), (', "helpdesk-email"', ["email", "probe"])], ids=["alone", "needs"]
)
def test_a_plugin_is_loaded_with_those_that_it_needs(tmp_path: Path, needs: str, loaded: list[str]) -> None:
    found = modules(["probe"], write_probe(tmp_path, needs))
    del sys.modules["helpdesk_probe"]
    assert list(found) == loaded


@pytest.mark.slow
def test_in_the_folder_of_a_plugin_the_desk_has_that_one(tmp_path: Path) -> None:
    write_probe(tmp_path, wanted='"email"')
    calls = tmp_path / "calls.jsonl"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-s", "tests"],
        cwd=tmp_path,
        env={**os.environ, "HELPDESK_TEST_CALLS": str(calls)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "loaded: email,probe\n" in done.stdout
    assert calls.exists()
