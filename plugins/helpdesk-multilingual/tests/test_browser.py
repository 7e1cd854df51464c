"""In Chromium: a Spanish mail read and answered by somebody who reads English; a Chinese one without any engine."""

import email.message
import re
from pathlib import Path
from typing import Any

import pytest
from helpdesk_multilingual.models import Answer, Pair

from helpdesk.api import DeskSettings, User, db, receive, transaction
from helpdesk.testing.plugins import modules

pytestmark = [pytest.mark.browser, pytest.mark.slow]
DESK = {"width": 1440, "height": 900}


@pytest.fixture
def desk_plugins(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Mail comes in and goes out for real."""
    return modules(["email", "multilingual"], request.path)


@pytest.fixture
def home(home: Path) -> Path:
    """A home with the beginning of a language that is written from right to left."""
    folder = home / "translations" / "ar" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\nLanguage: ar\\n"\n\n'
    (folder / "messages.po").write_text(f'{head}msgid "Search"\nmsgstr "بحث"\n', "utf-8")
    return home


@pytest.fixture
def mia(make_user: Any, configure: Any, mailbox: Any) -> User:
    """An agent who reads English; what she sends leaves at once."""
    configure(DeskSettings, undo_seconds=0)
    return make_user("agent", name="Mia Sorel")


def mail(sender: str, subject: str, text: str) -> int:
    """A mail comes in; the number of its ticket."""
    message = email.message.EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "help@desk.example", subject
    message["Message-ID"] = f"<{abs(hash((sender, subject)))}@customer.example>"
    message.set_content(text)
    outcome = receive("email", message.as_bytes())
    assert outcome.ticket_id is not None
    return int(outcome.ticket_id)


def overflow(page: Any) -> int:
    """By how many pixels the page is wider than the screen."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def test_a_spanish_mail_is_read_and_answered_by_somebody_who_reads_english(
    visit: Any, sign_in: Any, as_admin: Any, mia: User, mailbox: Any, run_jobs: Any, libretranslate: Any
) -> None:
    """Both texts are kept, the customer gets Spanish, and the room of engines fits a phone from right to left."""
    from playwright.sync_api import expect

    asked = "El freno trasero roza desde la revisión, ¿pueden arreglarlo sin coste? Mi pedido es el 4471."
    # Numbers are protected: the engine gets a mark in their place.
    libretranslate.pairs |= {
        asked.replace("4471", "[#0#]"): "The rear brake has been rubbing since the service. My order is [#0#].",
        "We will fix it free of charge. Order [#0#] is noted.": "Lo arreglaremos. El pedido [#0#] está anotado.",
    }
    number = mail("Lucía Ferrer <lucia@customer.example>", "El freno trasero roza", asked)
    run_jobs()
    page = visit(sign_in(mia), viewport=DESK)
    page.goto(f"{visit.url}/desk/tickets/{number}")
    first = page.locator(".msg").first
    expect(first.locator(".msg-head")).to_contain_text("Spanish")
    first.get_by_role("button", name="Translate into English").click()
    translated = first.locator(".told")
    expect(translated).to_contain_text("The rear brake has been rubbing")
    assert translated.get_attribute("lang") == "en" and translated.get_attribute("dir") == "ltr"
    expect(first).to_contain_text("Translated from Spanish by a machine (LibreTranslate)")
    expect(first.locator(".msg-body")).to_contain_text("El freno trasero roza")

    page.locator("#composer-editor").click()
    page.keyboard.type("We will fix it free of charge. Order 4471 is noted.")
    # A draft that was kept has a form of its own, above the answer's.
    expect(page.locator("#draft-state")).to_contain_text("Draft saved")
    page.reload()
    page.get_by_role("link", name="Translate", exact=True).click()
    field = page.get_by_label("What the customer gets, in Spanish")
    expect(field).to_have_value("Lo arreglaremos. El pedido 4471 está anotado.")
    assert field.get_attribute("lang") == "es"
    # On a low screen the tool scrolls, and its end can be reached.
    page.set_viewport_size({"width": 1440, "height": 640})
    assert page.evaluate("ticket.scrollHeight - ticket.clientHeight") == 0
    page.set_viewport_size({"width": 1440, "height": 900})
    # The agent changes it, and it takes the place of what was written.
    field.fill("Lo arreglaremos gratis. El pedido 4471 está anotado.")
    page.get_by_role("button", name="Put it into the answer").click()
    expect(page.locator("#composer-editor")).to_have_text("Lo arreglaremos gratis. El pedido 4471 está anotado.")
    page.locator("[data-send]").click()
    sent = page.locator(".msg-agent").last
    expect(sent.locator(".msg-body")).to_contain_text("Lo arreglaremos gratis.")
    run_jobs()
    page.reload()
    expect(sent.locator(".told")).to_have_text("We will fix it free of charge. Order 4471 is noted.")
    expect(sent).to_contain_text("Written in English, sent in Spanish")
    [letter] = mailbox.to("lucia@customer.example")[-1:]
    words = letter.get_body(("plain",)).get_content()
    assert "Lo arreglaremos gratis." in words and "We will fix it" not in words
    db.session.rollback()
    kept = db.session.scalars(db.select(Answer).where(Answer.message_id.is_not(None))).one()
    assert (kept.original, kept.translated) == (
        "We will fix it free of charge. Order 4471 is noted.",
        "Lo arreglaremos gratis. El pedido 4471 está anotado.",
    )
    assert db.session.scalars(db.select(Pair.translation)).all() != [], "kept for the next time"
    assert visit.problems == []

    for locale in ("en", "ar"):
        # The desk of the open pages writes too: a session that has read before could not.
        db.session.rollback()
        with transaction():
            as_admin.user.locale = locale
        phone = visit(as_admin, viewport={"width": 360, "height": 740})
        for path in ("texts", "memory", "glossary", "people", "engines", "me", f"tickets/{number}/answer"):
            phone.goto(f"{visit.url}/p/multilingual/{path}")
            assert overflow(phone) == 0, (locale, path)
            assert phone.locator("html").get_attribute("dir") == ("rtl" if locale == "ar" else "ltr")
    assert visit.problems == []


def test_a_chinese_mail_is_answered_without_an_engine(
    visit: Any, sign_in: Any, as_admin: Any, mia: User, mailbox: Any, run_jobs: Any
) -> None:
    """By a canned response that is there in both languages; without a script in the browser as well."""
    from playwright.sync_api import expect

    token = re.search(r'csrf_token" value="([^"]+)', as_admin.get("/desk/canned/new").text)
    assert token is not None
    answer = as_admin.post("/desk/canned/new", data={
        "csrf_token": token[1], "name": "Refund", "folder": "", "shared_with": "everybody",
        "text_en": "Your refund arrives within 3 days.", "text_zh_Hans": "退款将在 3 天内到账。",
    })  # fmt: skip
    assert answer.status_code == 303
    number = mail("陈雨桐 <chen@customer.example>", "退款还没有到账", "您好，我的退款还没有收到，请帮忙看一下。")
    run_jobs()
    browser = sign_in(mia)
    page = visit(browser, viewport=DESK)
    page.goto(f"{visit.url}/desk/tickets/{number}")
    expect(page.locator(".msg").first.locator(".msg-head")).to_contain_text("Chinese")
    page.locator("#composer-editor").click()
    page.keyboard.type("It is on its way.")
    page.get_by_role("link", name="Translate", exact=True).click()
    # Nobody can translate it: that is said, the text is still there, and the canned response is offered.
    expect(page.locator("#composer-tool")).to_contain_text("Your own text can be sent as it is.")
    expect(page.locator("#composer-tool")).to_contain_text("退款将在 3 天内到账。")
    expect(page.locator("#ml-words")).to_have_value("It is on its way.")
    page.get_by_role("button", name="Take this one: Refund").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("What the customer gets")).to_have_value("退款将在 3 天内到账。")
    page.get_by_role("button", name="Put it into the answer").press("Enter")
    expect(page.locator("#composer-editor")).to_have_text("退款将在 3 天内到账。")
    page.locator("[data-send]").click()
    expect(page.locator(".msg-agent").last.locator(".msg-body")).to_contain_text("退款将在 3 天内到账。")
    run_jobs()
    page.reload()
    expect(page.locator(".msg-agent").last.locator(".told")).to_have_text("Your refund arrives within 3 days.")
    [letter] = mailbox.to("chen@customer.example")[-1:]
    assert "退款将在 3 天内到账。" in letter.get_body(("plain",)).get_content()

    plain = visit(browser, java_script_enabled=False, viewport={"width": 360, "height": 740})
    plain.goto(f"{visit.url}/p/multilingual/tickets/{number}/answer")
    plain.get_by_role("button", name="Take this one: Refund").click()
    plain.get_by_label("What the customer gets").fill("退款已到账。")
    plain.get_by_role("button", name="Send the translation").click()
    expect(plain.locator(".msg-agent").last).to_contain_text("退款已到账。")
    expect(plain.locator(".msg-agent").last.locator(".told")).to_contain_text("Your refund arrives within 3 days.")
    assert visit.problems == []
