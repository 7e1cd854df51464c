"""A language in which every translated string is marked: what is shown without the mark escaped translation."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.core import accounts, links, settings, workflow
from helpdesk.core.drafts import MessageDraft, StoredFile, TicketDraft
from helpdesk.core.extensions import db
from helpdesk.core.files import store_bytes
from helpdesk.core.models import Attachment, Organization, TicketField, User
from helpdesk.core.settings import DeskSettings
from helpdesk.core.teams import make_team
from helpdesk.core.transaction import transaction
from helpdesk.core.views import TicketFilter, save_view
from helpdesk.plugins import manager

ROOT = Path(__file__).parents[2]
# A real language that nobody ships a catalog for; Babel knows how it writes dates.
LOCALE = "eo"
DATA = "§"
# Attributes that people read or hear.
SPOKEN = ("alt", "title", "aria-label", "placeholder")
# Code, what people typed, what Babel wrote, and names of languages and zones.
SILENT = ("script", "style", "code", "kbd", "pre", "time", "option", "textarea")
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Words that are the same in every language, or are put into words by Babel.
SAME = re.compile(
    r"\d{4}-\w{3}-\d\d|https?://\S*|\S+@\S+|[A-Za-z]+/[A-Za-z_/]+|#\w+|\b(?:UTC|EN|EO|KB|MB|GB|ms|SMTP|TLS|STARTTLS|Ctrl|None)\b"
    r"|English|Esperanto|中文.*|\d+ ?[a-zé.]{1,4}\b|\b(?:jan|feb|mar|apr|maj|jun|jul|aŭg|sep|okt|nov|dec)\w*"
)


class Words(HTMLParser):
    """What a page says, without scripts, code, and names of languages."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._quiet: list[str] = []
        # Inside ⟦…⟧, which may go through bold words and links.
        self._open = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if (
            tag in ("script", "style", "code", "kbd", "pre", "time", "option", "textarea")
            or "lang" in values
            and tag != "html"
        ):
            self._quiet.append(tag)
        self.found += [values[name] or "" for name in SPOKEN if values.get(name)]
        if tag == "input" and values.get("type") in ("submit", "button"):
            self.found.append(values.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if self._quiet and self._quiet[-1] == tag:
            self._quiet.pop()

    def handle_data(self, data: str) -> None:
        whole = f"⟦{data}" if self._open else data
        self._open = whole.rfind("⟦") > whole.rfind("⟧")
        bare = re.sub(r"⟦.*?(?:⟧|$)", "", whole, flags=re.DOTALL).strip()
        if bare and not self._quiet:
            self.found.append(bare)


def escaped(page: str) -> list[str]:
    """The texts of a page that no translator could reach."""
    words = Words()
    words.feed(page)
    return [
        text
        for text in words.found
        if "⟦" not in text and DATA not in text and LETTERS.search(SAME.sub("", text)) is not None
    ]


@pytest.fixture
def home(home: Path) -> Path:
    """A home with the pseudo language."""
    marked = Catalog(locale=LOCALE)
    for template in [ROOT / "translations/messages.pot", *ROOT.glob("plugins/*/*/translations/messages.pot")]:
        with template.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    forms = [message.id] if isinstance(message.id, str) else list(message.id)
                    strings = [f"⟦{form}⟧" for form in forms]
                    marked.add(message.id, strings[0] if len(forms) == 1 else strings, context=message.context)
    target = home / "translations" / LOCALE / "LC_MESSAGES"
    target.mkdir(parents=True)
    with (target / "messages.po").open("wb") as file:
        write_po(file, marked)
    return home


@pytest.fixture
def world(app: Flask, make_user: Any) -> dict[str, Any]:
    """A desk whose every text from people is marked as data; ids for the addresses of its pages."""
    admin = make_user("admin", name="§Admin", email="§admin@desk.example", locale=LOCALE)
    customer = make_user(name="§Customer", email="§customer@post.example", locale=LOCALE)
    with transaction():
        settings.save(DeskSettings, {"name": "§Desk", "set_up": True}, None)
        team = make_team("§Team", None, members=[admin])
        db.session.add(TicketField(key="serial", label="§Serial", public=True))
        db.session.add(Organization(name="§Firm", domain="firm.example", notes="§Notes"))
        view = save_view("§View", TicketFilter(tag=("§tag",)), "-updated", admin, "everybody")
    file: StoredFile = store_bytes(b"x", "§file.txt", "text/plain")
    draft = TicketDraft("§Subject", customer.id, "§Text", files=[file], tags=["§tag"], team_id=team.id, quoted="§Quote")
    ticket = workflow.open_ticket(draft, None)
    workflow.reply(ticket, MessageDraft(text="§Answer"), admin)
    workflow.note(ticket, MessageDraft(text="§Note"), admin)
    workflow.assign(ticket, admin, admin)
    workflow.set_priority(ticket, "high", admin)
    attachment = db.session.scalars(db.select(Attachment)).one()
    return {
        "admin": admin,
        "customer": customer,
        "values": {
            "number": ticket.id,
            "ticket_id": ticket.id,
            "attachment_id": attachment.id,
            "message_id": 1,
            "user_id": customer.id,
            "team_id": team.id,
            "view_id": view.id,
            "id": 1,
            "key": "all",
            "name": "desk",
            "token": links.token(links.FOLLOW, ticket, customer),
            "what": "team",
            "purpose": accounts.RESET,
            "secret": accounts.issue_token(accounts.RESET, admin),
        },
    }


def pages(app: Flask, values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Every GET address of the desk whose parameters the sample data can fill."""
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "static" or not rule.arguments <= set(values):
            continue
        yield rule.endpoint, adapter.build(rule.endpoint, {name: values[name] for name in rule.arguments})


def own_names(app: Flask) -> set[str]:
    """What plugins, themes and groups of settings are called: names that are the same in every language."""
    plugins = manager.current().plugins.values()
    names = {text for plugin in plugins for text in (plugin.name, plugin.version, plugin.summary)}
    names |= {
        text
        for theme in app.extensions["helpdesk.themes"].values()
        for text in (theme.name, theme.title, theme.version)
    }
    return names | {group.name for group in settings.groups()} | {"firm.example"}


@pytest.mark.parametrize("reader", ["stranger", "customer", "admin"])
def test_no_string_escapes_translation(app: Flask, world: dict[str, Any], sign_in: Any, reader: str) -> None:
    client: FlaskClient = app.test_client() if reader == "stranger" else sign_in(world[reader])
    client.set_cookie("locale", LOCALE)
    names = own_names(app)
    seen, problems = 0, {}
    for endpoint, address in sorted(set(pages(app, world["values"]))):
        answer = client.get(address)
        if answer.mimetype != "text/html" or answer.status_code in (301, 302, 303):
            continue
        seen += 1
        assert answer.status_code != 500, address
        if found := [text for text in escaped(answer.text) if text not in names]:
            problems[f"{endpoint} {address}"] = found
    assert problems == {}
    assert seen >= {"stranger": 8, "customer": 10, "admin": 20}[reader]


def test_the_finder_finds() -> None:
    page = '<p title="Hidden words">⟦Fine⟧</p><p>Not translated</p><p>§Data</p><code>code</code>'
    assert escaped(page) == ["Hidden words", "Not translated"]


def test_mails_speak_the_readers_language(
    app: Flask, world: dict[str, Any], mailbox: Any, run_jobs: Any, sign_in: Any, make_user: Any, make_ticket: Any
) -> None:
    agent = make_user("agent", name="§Agent", locale="en")
    reader: User = make_user(name="§Reader", email="reader@post.example", locale=LOCALE)
    ticket = make_ticket("§Brake", requester=reader, notice=True)
    workflow.reply(ticket, MessageDraft(text="§Answer"), agent)
    accounts.invite("colleague@desk.example", "§Colleague", "agent", None)
    run_jobs()
    for mail in mailbox.to("reader@post.example"):
        text = mail.get_body(("plain",)).get_content()
        lines = [line for line in text.splitlines() if LETTERS.search(SAME.sub("", line))]
        assert [line for line in lines if "⟦" not in line and DATA not in line and "⟧" not in line] == []
        assert "⟦" in text
    assert "⟦" not in sign_in(agent).get(f"/desk/tickets/{ticket.id}").text
