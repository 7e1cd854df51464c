"""Hostile text in every column and through every door, then every page opened in Chromium by everybody who may."""

import io
import json
import zipfile
from collections.abc import Callable
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from helpdesk_callbacks.models import Call
from helpdesk_surveys import links as survey_links
from helpdesk_surveys.models import Invitation, Survey
from helpdesk_training.models import Assignment, Certificate
from helpdesk_upsell import offers
from helpdesk_upsell.models import Suggestion
from playwright.sync_api import expect
from sqlalchemy import Column, Integer, Table

from helpdesk.core import accounts, links, plugin_uploads, schedules, settings
from helpdesk.core.extensions import Base, db
from helpdesk.core.models import HeldFact, Ticket, User
from helpdesk.core.models.columns import CleanText
from tests.browser.settling import settle
from tests.security import hostile_doors, hostile_rows
from tests.security.crawler import PATIENCE, Oracle, Unknown, pages
from tests.security.hostile import HOST, representatives, strings

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sqlite]

Visit = Callable[..., Oracle]
# What stands for a part of an address: the table whose rows do.
_TABLES = {
    "absence_id": "absence",
    "act_id": "bulk_act",
    "answer_id": "training_answer",
    "attachment_id": "attachment",
    "call_id": "callbacks_call",
    "canned_id": "canned_response",
    "course_id": "training_course",
    "course_rule_id": "training_rule",
    "delivery_id": "delivery",
    "draft_id": "reply_draft",
    "duplicate_id": "customers_duplicate",
    "event_id": "event",
    "field_id": "ticket_field",
    "follow_up_id": "callbacks_rule",
    "hours_id": "business_hours",
    "import_id": "customers_import",
    "item_id": "intake",
    "job_id": "job",
    "level_id": "career_level",
    "macro_id": "macro",
    "mailbox_id": "email_mailbox",
    "merge_id": "ticket_merge",
    "message_id": "message",
    "organization_id": "organization",
    "order_id": "customers_order",
    "pair_id": "multilingual_pair",
    "path_id": "training_path",
    "reason_id": "callbacks_reason",
    "record_id": "training_outside",
    "product_id": "upsell_product",
    "proposal_id": "career_proposal",
    "promotion_id": "upsell_promotion",
    "record_field_id": "customers_field",
    "response_id": "surveys_response",
    "review_id": "career_review",
    "right_id": "career_rule",
    "rule_id": "email_rule",
    "segment_id": "customers_segment",
    "server_id": "email_server",
    "shift_id": "shift",
    "status_id": "status",
    "suggestion_id": "upsell_suggestion",
    "survey_id": "surveys_survey",
    "team_id": "team",
    "template_id": "career_template",
    "term_id": "multilingual_term",
    "token_id": "api_token",
    "topic_id": "topic",
    "track_id": "career_track",
    "type_id": "ticket_type",
    "upsell_rule_id": "upsell_rule",
    "user_id": "user",
    "work_id": "training_task_work",
}
# Pages of a record, which customers have and colleagues have not.
_OF_CUSTOMERS = ("person", "edit_person", "consents_of", "orders_of_person", "timeline_of_person", "merge_form")
# Answers that are no pages, each with the reason. An administrator is shown all others.
NO_PAGES = {
    "admin.begin_language": "asks for a language that has no catalog yet, and leads to its page",
    "admin.export_language": "a file",
    "admin.mail_source": "a file",
    "api.me": "JSON, for tokens",
    "api.ticket": "JSON, for tokens",
    "api.tickets": "JSON, for tokens",
    "callbacks.calendar": "a calendar, for programs",
    "callbacks.customer_calendar": "a file",
    "callbacks.static": "a file",
    "career.static": "a file",
    "customers.static": "a file",
    "desk.attachment": "a file",
    "desk.export_canned": "a file",
    "desk.original": "a file",
    "desk.report": "no plugin of the repository has a report",
    "look.theme_css": "a style sheet",
    "look.theme_file": "a file",
    "multilingual.export_glossary": "a file",
    "multilingual.export_memory": "a file",
    "multilingual.static": "a file",
    "portal.file": "a file",
    "setup.administrator": "open until there is an administrator",
    "setup.desk": "open until there is an administrator",
    "static": "a file",
    "surveys.answers_file": "a file",
    "surveys.static": "a file",
    "training.course_file": "a file",
    "training.lesson_link": "leads to a lesson, or to what its course is about",
    "training.outside_file": "a file",
    "training.static": "a file",
    "upsell.static": "a file",
    "well_known.security_txt": "plain text",
}


@pytest.fixture
def home(home: Path) -> Path:
    (home / "plugins").mkdir(exist_ok=True)
    (home / "plugins" / "letters.py").write_text(hostile_doors.IMPORTER)
    return home


@pytest.fixture
def desk(app: Flask) -> dict[str, Any]:
    """A desk with hostile text in every column; answers what stands for the parts of its addresses."""
    schedules.sync()
    hostile_rows.insert(representatives())
    return _values()


def test_every_column_that_holds_text_is_filled(desk: dict[str, Any]) -> None:
    assert hostile_rows.missing(representatives()) == []
    names = {str(column) for column in hostile_rows.text_columns()}
    assert set(hostile_rows.KEYS) - names == set(), "a key of a column that is gone"
    assert {"ticket.subject", "message.html", "email_mailbox.signature", "audit_entry.data"} <= names


def test_a_new_column_is_seen(app: Flask) -> None:
    """Added while the program runs: it is filled by itself, and named when something tame stands in it."""
    table = Table("oracle_probe", Base.metadata, Column("id", Integer, primary_key=True), Column("words", CleanText))
    try:
        table.create(db.engine)
        hostile_rows.insert(representatives())
        assert hostile_rows.missing(representatives()) == []
        with db.engine.begin() as connection:
            connection.execute(sa.update(table).values(words="tame"))
        assert hostile_rows.missing(representatives()) == ["oracle_probe.words"]
    finally:
        Base.metadata.remove(table)


def test_a_new_table_is_seen(app: Flask) -> None:
    """Added while the program runs: one whose rows cannot be made is named."""
    kinds = sa.CheckConstraint("kind IN ('a', 'b')", name="kinds")
    table = Table(
        "oracle_kind", Base.metadata, Column("id", Integer, primary_key=True), Column("kind", CleanText), kinds
    )
    try:
        table.create(db.engine)
        with pytest.raises(AssertionError, match="how a row of oracle_kind is made"):
            hostile_rows.insert(representatives())
    finally:
        Base.metadata.remove(table)


def test_no_page_of_the_desk_lets_anything_act(app: Flask, desk: dict[str, Any], sign_in: Any, oracle: Visit) -> None:
    """The administrator opens every page, with all its scripts. Others of the desk are shown the same, or less of it.

    What they are shown is parsed, over the same rows; with its scripts they open what the administrator is not shown.
    """
    paths = {path: endpoint for endpoint, path in pages(app, desk) if endpoint not in NO_PAGES}
    admin = oracle(sign_in(_person("admin")))
    answers = {path: admin.open(path) for path in paths}
    assert admin.found == []
    refused = [(paths[path], path, status) for path, status in answers.items() if status >= 400]
    assert refused == [], "a page that the crawl does not reach: say why in NO_PAGES"
    assert len({paths[path] for path, status in answers.items() if status == 200}) >= 60
    for actor, least in (("supervisor", 25), ("agent", 20)):
        other = oracle(sign_in(_person(actor)))
        assert other.open("/desk/me") == 200
        shown = [path for path, status in other.parse(list(paths)).items() if status == 200]
        for path in shown:
            assert answers[path] == 200 or other.open(path) == 200, path
        assert other.found == [] and len({paths[path] for path in shown}) >= least


@pytest.mark.parametrize("actor", ["requester", "stranger"])
def test_no_page_outside_the_desk_lets_anything_act(
    app: Flask, desk: dict[str, Any], sign_in: Any, oracle: Visit, actor: str
) -> None:
    """Whoever may open a page opens it, with all its scripts; the stranger comes by the signed links of mails."""
    client = app.test_client() if actor == "stranger" else sign_in(_person(actor))
    browser, shown = oracle(client), set()
    for endpoint, path in pages(app, desk):
        if endpoint in NO_PAGES:
            continue
        status = client.get(path).status_code
        assert status < 500, path
        if status == 200:
            assert browser.open(path) == 200, path
            shown.add(endpoint)
    assert browser.found == []
    assert len(shown) >= 6


def test_a_new_page_is_seen(app: Flask, desk: dict[str, Any], oracle: Visit) -> None:
    """Added while the program runs: one with an unknown part is named, one that lets text act is found out."""
    for place, one in enumerate(representatives()):
        page = f"<!doctype html><title>x</title><p>{one.text}</p>"
        app.add_url_rule(f"/probe/{place}", f"probe{place}", lambda page=page: page)
    app.add_url_rule("/parcels/<parcel>", "parcel", lambda parcel: parcel)
    with pytest.raises(Unknown, match="“parcel” of /parcels/<parcel>"):
        list(pages(app, desk))
    browser = oracle()
    added = [path for endpoint, path in pages(app, {**desk, "parcel": "7"}) if endpoint.startswith("probe")]
    assert len(added) == len(representatives())
    for path in added[:3]:
        browser.found.clear()
        browser.open(path)
        browser.hear(path)
    # The policy holds, and says so.
    browser.open("/probe/0")
    browser.hear("oracle: the policy stopped script-src")


def test_the_oracle_hears_what_runs(oracle: Visit) -> None:
    """Without a policy: a script that runs, a dialog, an error, a request to another host."""
    browser = oracle()
    page = "<!doctype html><title>x</title><script>oracle(7); fetch('/oracle-hit/7'); alert(8); missing.name</script>"
    browser.page.route("**/bare", lambda route: route.fulfill(body=page, content_type="text/html"))
    browser.page.route(
        "**/frame", lambda route: route.fulfill(body=f"<img src='//{HOST}/9'>", content_type="text/html")
    )
    browser.open("/bare")
    browser.open("/frame")
    for words in ("the script of 7 ran", "dialog: 8", "missing is not defined", "/oracle-hit/7", f"//{HOST}/9"):
        browser.hear(words)


def test_each_family_is_armed(oracle: Visit) -> None:
    """Put onto a page as it is, in the place that it is made for, each is more to Chromium than text."""
    browser = oracle()
    armed: set[str] = set()
    for one in strings():
        # Its first string that is armed is enough for a family.
        if one.family in armed or one.family in SERVERS:
            continue
        places = (
            f"<p>{one.text}",
            f'<input value="{one.text}"',
            f"<p title='{one.text}'>",
            f"<p title=`{one.text}`>",
            f"<p title={one.text}>",
            f'<a href="{one.text}">x</a>',
            f"<title>{one.text}",
            f"<textarea>{one.text}",
            f"<!--{one.text}",
            f"<script>x = '{one.text}'</script>",
            f"<style>p {{ color: {one.text} }}</style>",
        )
        if browser.judge([(str(one.number), place) for place in places]):
            armed.add(one.family)
    assert {one.family for one in strings()} - armed == SERVERS


# Families that act on servers, spreadsheets and eyes; in a browser nothing of them is armed.
SERVERS = {"engine", "format", "formula", "query", "entities", "charset"}


def test_the_page_of_a_ticket_with_all_that_opens(desk: dict[str, Any], sign_in: Any, oracle: Visit) -> None:
    """What loads by itself, menus, dialogs, and the rich editor over a draft that is hostile."""
    browser = oracle(sign_in(_person("agent")))
    page, number = browser.page, desk["number"]
    assert browser.open(f"/desk/tickets/{number}") == 200
    for waited in ("#views a", "#list .trow", "#side .fieldrow", "trix-editor"):
        page.locator(waited).first.wait_for(state="attached")
    draft = {"mode": "reply", "text": "x", "html": "<br>".join(one.text for one in representatives())}
    # By the next page itself, before its scripts: the editor of this one may still take away a draft that is empty.
    page.add_init_script(f"sessionStorage.setItem({json.dumps(f'draft:{number}')}, {json.dumps(json.dumps(draft))})")
    assert browser.open(f"/desk/tickets/{number}") == 200
    expect(page.locator("trix-editor")).to_contain_text("press", timeout=PATIENCE)
    for waited in ("#views a", "#list .trow", "#side .fieldrow"):
        page.locator(waited).first.wait_for(state="attached")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    page.evaluate("document.querySelectorAll('dialog:not([open])').forEach((one) => one.show())")
    settle(page)
    browser.look()
    assert [one for one in browser.found if not _only_parsed(one)] == []
    page.locator("trix-editor").evaluate(
        """(editor, html) => {
          const clipboard = new DataTransfer();
          clipboard.setData("text/html", html);
          clipboard.setData("text/plain", "x");
          editor.editor.loadHTML("");
          editor.focus();
          const init = { clipboardData: clipboard, dataTransfer: clipboard, bubbles: true, cancelable: true };
          editor.dispatchEvent(new ClipboardEvent("paste", init));
          editor.dispatchEvent(new InputEvent("beforeinput", { ...init, inputType: "insertFromPaste" }));
        }""",
        draft["html"],
    )
    expect(page.locator("trix-editor")).to_contain_text("press", timeout=PATIENCE)
    browser.look()
    assert [one for one in browser.found if not _only_parsed(one)] == []


def test_what_came_through_the_doors(
    app: Flask,
    client: FlaskClient,
    home: Path,
    make_user: Any,
    make_ticket: Any,
    sign_in: Any,
    run_jobs: Any,
    oracle: Visit,
) -> None:
    """Mail, posted mail, forms, the rich editor, the import of the command line, and settings."""
    admin, customer = make_user("admin"), make_user()
    as_admin, ticket = sign_in(admin), make_ticket(requester=customer)
    few = representatives()
    # The desk that Chromium asks wants tokens in its forms.
    app.config["WTF_CSRF_ENABLED"] = False
    assert hostile_doors.by_mail(few) == len(few)
    assert hostile_doors.by_post(client, few) == len(few)
    assert hostile_doors.by_form(client, as_admin, ticket.id, few) == 2 * len(few)
    assert hostile_doors.by_import(home, few)["counts"] == {"created": len(few)}
    assert hostile_doors.by_settings(as_admin, few) >= 3
    app.config["WTF_CSRF_ENABLED"] = True
    run_jobs()
    numbers = db.session.scalars(db.select(Ticket.id).order_by(Ticket.id)).all()
    assert len(numbers) >= 4 * len(few)
    browser, visitor, stranger = oracle(as_admin), oracle(sign_in(customer)), oracle()
    for path in (
        "/desk/views/all",
        "/admin/mail",
        "/admin/mail/out",
        "/desk/people",
        "/admin/audit",
        f"/desk/tickets/{ticket.id}",
    ):
        assert browser.open(path) == 200
    assert browser.open(f"/desk/tickets/{numbers[-1]}") == 200
    # What one page shows is much alike for all: the others are parsed, and nothing of them is run.
    assert set(browser.parse([f"/desk/tickets/{number}/conversation" for number in numbers]).values()) == {200}
    groups = [f"/admin/settings/{group.name}" for group in settings.groups()]
    assert set(browser.parse(groups).values()) == {200}
    for path in ("/", f"/tickets/{ticket.id}"):
        assert visitor.open(path) == 200
    assert stranger.open("/auth/sign-in") == 200
    assert browser.found == [] and visitor.found == [] and stranger.found == []


def _only_parsed(seen: str) -> bool:
    """Chromium reports handlers and styles of HTML that is parsed aside, in a document where nothing runs, as well."""
    return any(words in seen for words in ("inline event handler", "inline style", "-attr inline", "-elem inline"))


def _person(actor: str) -> User:
    return db.session.scalars(db.select(User).order_by(User.id)).all()[hostile_rows.ACTORS.index(actor)]


def _offer() -> dict[str, Any]:
    """What stands in the link of an offer that is open."""
    offer = db.session.scalars(db.select(Suggestion).order_by(Suggestion.id)).first()
    assert offer is not None
    return {"upsell.offer:suggestion_id": offer.id, "upsell.offer:token": offers.offer_url(offer).rpartition("/")[2]}


def _customers() -> Callable[[], Any]:
    """Customer after customer: colleagues have no record."""
    wanted = db.select(User.id).where(User.role == "requester").order_by(User.id.desc())
    rows = cycle(db.session.scalars(wanted).all())
    return lambda: next(rows)


def _survey_link() -> str:
    return survey_links.token(db.session.scalars(db.select(Invitation).order_by(Invitation.id)).first())


def _public_link() -> str:
    """Of a survey by link, whose questions are hostile as well."""
    return str(db.session.scalars(db.select(Survey.link_key).where(Survey.occasion == "link")).first())


def _values() -> dict[str, Any]:
    """What stands for each part of an address. An id is another row each time that it is asked for."""
    values: dict[str, Any] = {name: _turns(table) for name, table in _TABLES.items()}
    people = db.session.scalars(db.select(User).order_by(User.id)).all()
    customer = people[hostile_rows.CUSTOMER]
    program = User(name=representatives()[0].text, role="agent", is_service=True)
    db.session.add(program)
    db.session.commit()
    ticket = db.session.scalars(db.select(Ticket).order_by(Ticket.id)).first()
    assert ticket is not None
    held = next(one for one in db.session.scalars(db.select(HeldFact)) if "/" not in one.plugin)
    call = db.session.scalars(db.select(Call).order_by(Call.id)).first()
    assert call is not None
    by_link = links.link_token("callbacks:customer", call.ticket, call.person)
    return values | {
        **{f"callbacks.{page}:token": by_link for page in ("customer", "customer_call", "customer_calendar")},
        "callbacks.customer_call:call_id": call.id,
        "callbacks.customer_calendar:call_id": call.id,
        **_offer(),
        **{f"customers.{page}:user_id": _customers() for page in _OF_CUSTOMERS},
        "surveys.ask:token": _survey_link(),
        "surveys.ask_public:token": _public_link(),
        "number": ticket.id,
        # The administrator's, with whom every page is opened.
        "assignment_id": db.session.scalar(db.select(Assignment.id).where(Assignment.user_id == people[0].id)),
        **dict.fromkeys(("lesson_id", "task_id", "training.edit_part:key"), "x1"),
        "part": "questions",
        "act": "opens",
        "serial": db.session.scalar(db.select(Certificate.serial)),
        "training.person:user_id": people[0].id,
        "training.quiz_result:number": 1,
        "token": links.token(links.FOLLOW, ticket, customer),
        "portal.unsubscribe:token": links.unsubscribe_url(customer).rpartition("/")[2],
        "admin.confirm_discard:name": held.plugin,
        "admin.confirm_discard:event_id": held.event_id,
        "admin.service:user_id": program.id,
        "admin.settings_group:name": "desk",
        "desk.filter_page:key": _turns("view"),
        "desk.list_news:key": _turns("view"),
        "desk.view_form:key": _turns("view"),
        "desk.view_list:key": _turns("view"),
        "key": "core.backup",
        "name": "email",
        "code": "zh_Hans",
        "what": "team",
        "purpose": accounts.RESET,
        "secret": accounts.issue_token(accounts.RESET, customer),
        "upload": plugin_uploads.keep(_wheel(), _person("admin")),
        "filename": "mark.svg",
    }


def _turns(table: str) -> Callable[[], Any]:
    """Row after row of a table, newest first, and from the beginning when there is none left."""
    key = next(iter(db.metadata.tables[table].primary_key.columns))
    rows = cycle(db.session.scalars(sa.select(key).order_by(key.desc()).limit(len(representatives()))).all())
    return lambda: next(rows)


def _wheel() -> io.BytesIO:
    """A plugin that waits for a yes, and says of itself what is hostile."""
    words = [one.text for one in representatives() if one.text.isprintable()]
    info = "helpdesk_parcels-1.0.0.dist-info"
    metadata = (
        f"Metadata-Version: 2.1\nName: helpdesk-parcels\nVersion: 1.0.0\nSummary: {words[0]}\nAuthor: {words[1]}\n"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("helpdesk_parcels/__init__.py", "from helpdesk.api import hookimpl\n")
        archive.writestr(
            f"{info}/METADATA", f"{metadata}Home-page: javascript:oracle(1)\nRequires-Dist: helpdesk>=1,<2\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/entry_points.txt", "[helpdesk.plugins]\nparcels = helpdesk_parcels\n")
        archive.writestr(f"{info}/RECORD", "")
    file.seek(0)
    return file
