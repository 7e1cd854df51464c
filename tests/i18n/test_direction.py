"""Right to left: every page says so, and no style sheet knows left from right."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale, gettext, ngettext, pgettext, refresh

from helpdesk.core import i18n, labels, workflow
from helpdesk.core.direction import unmarked
from helpdesk.core.extensions import db
from helpdesk.core.models import Ticket
from helpdesk.core.transaction import transaction

ROOT = Path(__file__).parents[2]
SHEETS = [*sorted((ROOT / "helpdesk/web/static/css").glob("*.css")), *sorted(ROOT.glob("themes/*/static/*.css"))]
PHYSICAL = re.compile(
    r"(?:margin|padding|border)-(?:left|right)\b|\b(?:left|right)\s*:|text-align\s*:\s*(?:left|right)|float\s*:\s*(?:left|right)"
)


@pytest.fixture
def home(home: Path) -> Path:
    """A home with a Hebrew catalog of one string: enough for the language to be offered, the rest is English."""
    target = home / "translations" / "he" / "LC_MESSAGES"
    target.mkdir(parents=True)
    head = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
    (target / "messages.po").write_text(f'{head}msgid "Save"\nmsgstr "שמירה"\n', encoding="utf-8")
    return home


@pytest.fixture
def locale() -> str:
    return "he"


@pytest.mark.parametrize("locale", ["ar"])
@pytest.mark.parametrize("reader", ["stranger", "customer", "admin"])
def test_every_page_turns_around(app: Flask, world: Any, sign_in: Any, reader: str, locale: str) -> None:
    """In the right-to-left language that is shipped."""
    client = app.test_client() if reader == "stranger" else sign_in(getattr(world, reader))
    client.set_cookie("locale", locale)
    seen, wrong = 0, []
    for _endpoint, address in [*sorted(set(world.pages(app))), ("", "/nowhere")]:
        answer = client.get(address)
        # Parts of a page and files have no head of their own; who is sent elsewhere sees no page.
        if answer.location or "<!doctype html>" not in answer.text[:40].lower():
            continue
        seen += 1
        turned = f'lang="{locale}" dir="rtl"' in answer.text and "tabler.rtl.min.css" in answer.text
        if not turned or "tabler.min.css" in answer.text:
            wrong.append(address)
    assert wrong == []
    assert seen >= {"stranger": 6, "customer": 10, "admin": 35}[reader]


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda path: path.name)
def test_style_sheets_use_logical_properties(sheet: Path) -> None:
    assert PHYSICAL.findall(re.sub(r"/\*.*?\*/", "", sheet.read_text("utf-8"), flags=re.DOTALL)) == []


def test_an_english_sentence_is_kept_together_on_a_page(app: Flask, world: Any, sign_in: Any) -> None:
    ticket = db.session.get(Ticket, world.values["number"])
    assert ticket is not None
    workflow.set_status(ticket, "pending", world.admin)
    client = sign_in(world.admin)
    page = client.get(f"/desk/tickets/{ticket.id}").text
    assert re.search(r"\u2066(?:<[^>]+>)*§Admin(?:<[^>]+>)* set the status to [^\u2069]*Pending", page)
    assert "\u2066שמירה" not in client.get("/desk/me").text, "what is translated needs no mark"


def test_what_leaves_the_page_has_no_mark(app: Flask) -> None:
    i18n.locales()
    with app.test_request_context("/", headers={"Accept-Language": "he"}):
        refresh()
        assert gettext("Send") == "\u200e\u2066Send\u2069\u200f" and gettext("Save") == "שמירה"
        assert pgettext("team", "Off") == "\u200e\u2066Off\u2069\u200f"
        assert ngettext("%(num)s text", "%(num)s texts", 2) == "\u200e\u20662 texts\u2069\u200f"
        assert unmarked(gettext("Send")) == "Send"
        with i18n.speaking("he"):
            assert gettext("Send") == "Send", "a mail"
        assert gettext("Send") != "Send"
    with app.app_context(), force_locale("he"):
        assert gettext("Send") == "Send", "a worker, the command line"
    with app.test_request_context("/", headers={"Accept-Language": "zh-CN"}):
        refresh()
        assert "\u2066" not in gettext("A text that nobody translates")


def test_a_name_in_another_language_is_used_wherever_the_thing_is_named(world: Any, sign_in: Any) -> None:
    with transaction():
        labels.keep(labels.TEAM, world.values["team_id"], {"he": "הסדנה"})
        labels.keep(labels.FIELD, world.values["field_id"], {"he": "המספר"})
    client, team = sign_in(world.admin), world.values["team_id"]
    for address in ("/desk/dashboard", f"/desk/teams/{team}", "/admin/people", "/admin/teams", f"/admin/teams/{team}"):
        assert "הסדנה" in client.get(address).text, address
    assert "המספר" in client.get("/admin/fields").text
