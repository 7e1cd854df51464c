"""A language in which every translated string is marked: what is shown without the mark escaped translation."""

import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyotp
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.core import accounts, i18n, languages, second_factors, settings, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.models import User
from helpdesk.plugins import manager

ROOT = Path(__file__).parents[2]
# A real language that nobody ships a catalog for; Babel knows how it writes dates.
LOCALE = "eo"
DATA = "§"
PASSWORD = "a rather long pass phrase"
# What an administrator opens and is told no, in words that are translated as well.
CLOSED = {
    "portal.file",
    "portal.ticket",
    "desk.report",
    "admin.begin_language",
    "auth.choose_password",
    "desk.original",
}
# Attributes that people read or hear.
SPOKEN = ("alt", "title", "aria-label", "placeholder")
# Code, what people typed, what Babel wrote, and names of languages and zones.
SILENT = ("script", "style", "code", "kbd", "pre", "time", "option", "textarea")
LETTERS = re.compile(r"[^\W\d_]{2,}")
# Words that are the same in every language, or are put into words by Babel.
SAME = re.compile(
    r"1h, 3h, tomorrow, workday, week|1h, 4h, 1d, write|\d{4}-\w{3}-\d\d|https?://\S*|\S+@\S+|[A-Za-z]+/[A-Za-z_/]+|#\w+|\b(?:UTC|EN|EO|KB|MB|GB|ms|SMTP|TLS|STARTTLS|Ctrl|None|CSV|JSON)\b"
    r"|English|Esperanto|\d+ ?[a-zé.]{1,4}\b|\bkaj\b|\b(?:jan|feb|mar|apr|maj|jun|jul|aŭg|sep|okt|nov|dec)\w*"
    # Days as Babel writes them, and what a setting takes as it is typed.
    r"|\b(?:lundo|mardo|merkredo|ĵaŭdo|vendredo|sabato|dimanĉo)\b|\b(?:lu|ma|me|ĵa|ve|sa|di), |\b\d+ [A-Z][a-z]{2}\b"
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
        # A field has no end that would make the page speak again.
        if tag in SILENT or "lang" in values and tag not in ("html", "input"):
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
        bare = whole
        # A translated text may have another one put into it.
        while (inner := re.sub(r"⟦[^⟦⟧]*⟧", "", bare)) != bare:
            bare = inner
        bare = re.sub(r"⟦.*", "", bare, flags=re.DOTALL).strip()
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
def locale() -> str:
    return LOCALE


@pytest.fixture(scope="session")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalog of the pseudo language, of all that the core and the plugins say."""
    catalog = Catalog(locale=LOCALE)
    for template in [ROOT / "translations/messages.pot", *ROOT.glob("plugins/*/*/translations/messages.pot")]:
        with template.open("rb") as file:
            for message in read_po(file):
                if message.id:
                    forms = [message.id] if isinstance(message.id, str) else list(message.id)
                    strings = [f"⟦{form}⟧" for form in forms]
                    catalog.add(message.id, strings[0] if len(forms) == 1 else strings, context=message.context)
    target = tmp_path_factory.mktemp("marked") / "messages.po"
    with target.open("wb") as file:
        write_po(file, catalog)
    return target


@pytest.fixture
def home(home: Path, marked: Path) -> Path:
    """A home with the pseudo language."""
    target = home / "translations" / LOCALE / "LC_MESSAGES"
    target.mkdir(parents=True)
    shutil.copy2(marked, target)
    return home


def own_names(app: Flask) -> set[str]:
    """What plugins, themes, languages and groups of settings are called: the same whatever language is read."""
    plugins = manager.current().plugins.values()
    names = {text for plugin in plugins for text in (plugin.name, plugin.version, plugin.summary, plugin.distribution)}
    names |= {
        text
        for theme in app.extensions["helpdesk.themes"].values()
        for text in (theme.name, theme.title, theme.version)
    }
    # Those of customers as Babel calls them in the language that is read.
    with i18n.speaking(LOCALE):
        spoken = {name for _code, name in languages.choices()}
    screens = {name for _code, name in i18n.locales()}
    engines = {"LibreTranslate", "Apertium", "EUR"}
    groups = {group.name for group in settings.groups()}
    # History keeps levels by the names that they had, in the language of the desk.
    levels = {"Junior agent (Customer service)", "Senior agent (Customer service)"}
    return names | spoken | screens | engines | groups | levels | {"firm.example", "complaint"}


@pytest.mark.parametrize("reader", ["stranger", "customer", "admin"])
def test_no_string_escapes_translation(app: Flask, world: Any, sign_in: Any, reader: str) -> None:
    """On every page that the desk and its plugins have: a new one is covered by itself."""
    client: FlaskClient = app.test_client() if reader == "stranger" else sign_in(getattr(world, reader))
    client.set_cookie("locale", LOCALE)
    names = own_names(app)
    seen, problems = 0, {}
    for endpoint, address in sorted(set(world.pages(app))):
        answer = client.get(address)
        assert answer.status_code < 500, address
        if answer.mimetype != "text/html" or answer.status_code in (301, 302, 303):
            continue
        assert reader != "admin" or answer.status_code == 200 or endpoint in CLOSED, (address, answer.status_code)
        seen += 1
        if found := [text for text in escaped(answer.text) if text not in names]:
            problems[f"{endpoint} {address}"] = found
    assert problems == {}
    assert seen >= {"stranger": 6, "customer": 10, "admin": 40}[reader]


@pytest.mark.parametrize("step", ["", "/administrator"])
def test_the_first_pages_of_a_new_desk(app: Flask, client: FlaskClient, step: str) -> None:
    settings.save(settings.DeskSettings, {"name": f"{DATA}Desk"}, None)
    client.set_cookie("locale", LOCALE)
    answer = client.get(f"/setup/{accounts.issue_token(accounts.SETUP)}{step}", follow_redirects=True)
    assert answer.status_code == 200 and f'lang="{LOCALE}"' in answer.text
    assert [text for text in escaped(answer.text) if text not in own_names(app)] == []


def test_what_forms_of_sign_in_and_tokens_answer(
    app: Flask, world: Any, sign_in: Any, make_user: Any, client: FlaskClient, travel: Any
) -> None:
    """Pages that no address alone shows: from the key of the second step to a token that is shown once."""
    person = make_user("agent", name=f"{DATA}Mia", email=f"{DATA}mia@desk.example", password=PASSWORD, locale=LOCALE)
    client.set_cookie("locale", LOCALE)
    here, _elsewhere, admin = sign_in(person), sign_in(person), sign_in(world.admin)
    token = {"name": f"{DATA}Till", "scopes": ["ticket.read"], "expires": "30"}
    service = world.special["admin.service"]["user_id"]
    shown = [
        here.get("/auth/security"),
        here.post("/auth/second-factor"),
        here.post("/auth/second-factor/confirm", data={"code": "no code"}),
        here.post("/desk/me/tokens", data={"name": ""}),
        here.post("/desk/me/tokens", data=token),
        admin.post(f"/admin/services/{service}/tokens", data=token),
        admin.post("/admin/services/new", data={"name": ""}),
    ]
    phone = pyotp.TOTP(second_factors.prepare(person).secret)
    shown += [
        here.post("/auth/second-factor/confirm", data={"code": phone.now()}),
        here.get("/auth/security"),
        admin.get(f"/admin/people/{person.id}"),
        client.post("/auth/sign-in", data={"email": person.email, "password": PASSWORD}, follow_redirects=True),
        client.post("/auth/second-step", data={"code": "no code"}),
    ]
    travel(minutes=11)
    shown.append(here.post("/auth/security/recovery-codes"))
    assert [answer.status_code for answer in shown] == [200, 200, 422, 422, 200, 200, 422, 200, 200, 200, 200, 422, 403]
    names = own_names(app)
    problems = {answer.request.path: [text for text in escaped(answer.text) if text not in names] for answer in shown}
    assert {path: found for path, found in problems.items() if found} == {}


def test_the_finder_finds() -> None:
    page = '<p title="Hidden words">⟦Fine⟧</p><p>Not translated</p><p>§Data</p><code>code</code>'
    assert escaped(page) == ["Hidden words", "Not translated"]


def test_mails_speak_the_readers_language(
    app: Flask, world: Any, mailbox: Any, run_jobs: Any, sign_in: Any, make_user: Any, make_ticket: Any
) -> None:
    agent = make_user("agent", name="§Agent", locale="en")
    reader: User = make_user(name="§Reader", email="reader@post.example", locale=LOCALE)
    ticket = make_ticket("§Brake", requester=reader, notice=True)
    workflow.reply(ticket, MessageDraft(text="§Answer"), agent)
    accounts.invite("colleague@desk.example", "§Colleague", "agent", None)
    run_jobs()
    mails = mailbox.to("reader@post.example")
    assert len(mails) == 2, "that it has arrived, and the answer"
    for mail in mails:
        text = mail.get_body(("plain",)).get_content()
        lines = [line for line in text.splitlines() if LETTERS.search(SAME.sub("", line))]
        assert [line for line in lines if "⟦" not in line and DATA not in line and "⟧" not in line] == []
        assert "⟦" in text
    assert "⟦" not in sign_in(agent).get(f"/desk/tickets/{ticket.id}").text
