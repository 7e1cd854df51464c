"""The tutorials, followed word for word: what they print is written, changed and run as it stands there."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.pofile import read_po, write_po
from flask import Flask

from helpdesk.app import create_app
from helpdesk.core import accounts, schema, settings
from helpdesk.core.config import Config
from helpdesk.core.drafts import TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.jobs import runner
from helpdesk.core.models import Ticket
from helpdesk.core.workflow import open_ticket
from helpdesk.plugins import manager

DOCS = Path(__file__).parents[2] / "docs" / "plugins"

# ---- a distribution

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_PATH = re.compile(r"`((?:helpdesk-orders/)?(?:helpdesk_orders|tests)/[\w/.]+\.\w+|README\.md)`")
# What a reader types besides the commands of the desk; the environment of the test has it done.
_PREPARED = ("make setup-dev", "make run", ". .venv/bin/activate")


@dataclass(frozen=True)
class Step:
    """A block of the page, the file that it is about (the last one named before it), and its chapter."""

    language: str
    text: str
    file: str
    chapter: int


def steps() -> Iterator[Step]:
    page = (DOCS / "tutorial.md").read_text("utf-8")
    end = 0
    for block in _BLOCK.finditer(page):
        named = _PATH.findall(page[end : block.start()])
        chapter = len(re.findall(r"^## ", page[: block.start()], re.MULTILINE))
        end = block.end()
        yield Step(block[1], block[2], named[-1].removeprefix("helpdesk-orders/") if named else "", chapter)


def commands(step: Step) -> list[str]:
    lines = step.text.splitlines() if step.language == "sh" else []
    return [line for line in lines if line not in _PREPARED]


def take(step: Step, folder: Path) -> None:
    """Do in the folder of the plugin what a reader does with a block that is no command."""
    file = folder / step.file
    if step.language == "diff":
        text = file.read_text("utf-8")
        old, new = ("".join(f"{line[1:]}\n" for line in step.text.splitlines() if line[0] == mark) for mark in "-+")
        assert text.count(old) == 1, f"{step.file} has no {old}"
        file.write_text(text.replace(old, new), "utf-8")
    elif step.language in ("python", "html", "markdown", "toml"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(step.text, "utf-8")
    elif step.language == "po":
        with file.open("rb") as source:
            catalog = read_po(source, locale="de")
        for message, text in re.findall(r'msgid "(.*)"\nmsgstr "(.*)"', step.text):
            assert message in catalog, f"nothing says {message}"
            catalog[message].string = text
        with file.open("wb") as target:
            write_po(target, catalog)


@pytest.fixture
def environment(tmp_path: Path) -> Callable[[str], str]:
    """An environment of its own that sees ours; commands as the page prints them run in it, in one folder."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    packages = folder / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
    (packages / "ours.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    environ = {name: text for name, text in os.environ.items() if not name.startswith(("HELPDESK_", "PIP_", "PYTEST_"))}
    environ |= {"HELPDESK_HOME": str(tmp_path / "home"), "PIP_NO_INDEX": "1", "LANG": "C.UTF-8"}
    modules = {"helpdesk": "helpdesk.cli", "pytest": "pytest"}

    def run(command: str) -> str:
        program, *words = shlex.split(command)
        words = ["-c", *words] if program == "python" else ["-m", modules[program], *words]
        done = subprocess.run(
            [folder / "bin" / "python", *words],
            env=environ,
            cwd=tmp_path,
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


@pytest.mark.slow
def test_five_minutes(environment: Callable[[str], str], tmp_path: Path) -> None:
    """Write it, change three lines, test it, install it, see it."""
    environment("helpdesk init")
    ran = []
    for step in steps():
        if step.chapter > 4:
            break
        take(step, tmp_path / "helpdesk-orders")
        for command in commands(step):
            environment(command)
            ran.append(command.split()[:3])
    assert [words[-1] for words in ran] == ["new", "./helpdesk-orders", "install"]
    changed = [step.text for step in steps() if step.language == "diff"]
    assert len(changed) == 3 and all(len(text.splitlines()) == 2 for text in changed)
    seen = (
        "from helpdesk.app import create_app\nfrom helpdesk.core import accounts, schema, sign_in_sessions, workflow\n"
        "from helpdesk.core.drafts import TicketDraft\nfrom helpdesk.core.transaction import transaction\n"
        "app = create_app()\n"
        "with app.app_context():\n"
        "    schema.upgrade()\n"
        "    with transaction():\n"
        "        agent = accounts.create_user('a@desk.example', 'Abe', 'admin', None)\n"
        "    person = accounts.requester_for('rita@customer.example')\n"
        "    draft = TicketDraft('Order A-1234 is late', person.id, 'Where is it?')\n"
        "    number, known = workflow.open_ticket(draft, None).number, sign_in_sessions.begin(agent)\n"
        "client = app.test_client()\n"
        "with client.session_transaction() as session:\n"
        "    session['_user_id'], session['_fresh'] = known, True\n"
        "side = client.get(f'/desk/tickets/{number}/side').text\n"
        "print(side[side.index('data-plugin=\"orders\"'):][:300])\n"
    )
    assert "A-1234" in environment(shlex.join(["python", seen]))


@pytest.mark.slow
def test_half_an_hour(environment: Callable[[str], str], tmp_path: Path) -> None:
    """All blocks in their order make a plugin that is gold."""
    folder = tmp_path / "helpdesk-orders"
    said = {}
    for step in steps():
        # The page says to fill or remove what is no longer complete.
        if step.language == "po":
            shutil.rmtree(folder / "helpdesk_orders" / "translations" / "zh_Hans")
        take(step, folder)
        for command in commands(step):
            # Its tests are run by the check as well; installing is tried above.
            if command.startswith(("helpdesk plugin new", "helpdesk plugin strings", "helpdesk plugin check")):
                said[command] = environment(command)
    assert "orders 0.1.0: gold" in said["helpdesk plugin check ./helpdesk-orders --level gold"]


# ---- one file

FIRST, SECOND = (
    text for language, text in _BLOCK.findall((DOCS / "single-file.md").read_text("utf-8")) if language == "python"
)


def desk(home: Path, plugin: str) -> Flask:
    """A desk whose home has the tutorial's file, migrated and with its job of facts caught up."""
    (home / "plugins").mkdir(parents=True)
    (home / "plugins" / "hurry.py").write_text(plugin, "utf-8")
    return create_app(Config(home=home, testing=True))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"


def opened(subject: str) -> Ticket:
    requester = accounts.requester_for("rita@customer.example")
    ticket = open_ticket(TicketDraft(subject=subject, requester_id=requester.id, text="Please help"), None)
    runner.run_due()
    return db.session.get_one(Ticket, ticket.id, populate_existing=True)


def looks_hurried(ticket: Ticket) -> bool:
    return (ticket.priority, [tag.name for tag in ticket.tags]) == ("high", ["hurry"])


def notes(ticket: Ticket) -> list[str]:
    query = db.text("SELECT text FROM message WHERE ticket_id = :id AND visibility = 'internal'")
    return list(db.session.scalars(query, {"id": ticket.id}))


def test_the_first_file_marks_urgent_tickets(home: Path) -> None:
    app = desk(home, FIRST)
    with app.test_request_context():
        schema.upgrade()
        assert manager.current().plugins["hurry"].error == ""
        assert looks_hurried(opened("URGENT: my brake"))
        assert not looks_hurried(opened("A bell, please"))
        db.engine.dispose()


def test_the_second_file_listens_to_the_owner_and_writes_a_note(home: Path) -> None:
    app = desk(home, SECOND)
    with app.test_request_context():
        schema.upgrade()
        assert manager.current().plugins["hurry"].error == ""
        ticket = opened("Urgent: my brake")
        assert looks_hurried(ticket) and notes(ticket) == ["This customer is in a hurry."]
        group = settings.group("hurry")
        assert group is not None and str(group.title) == "Hurried tickets"
        settings.save(group.model, {"words": "at once,"}, None)
        assert looks_hurried(opened("Come at once"))
        calm = opened("Urgent: my brake")
        assert not looks_hurried(calm) and notes(calm) == []
        db.engine.dispose()
