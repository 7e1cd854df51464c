"""The whole job, with real parts: a desk started from its command, set up in Chromium, a real mail from the
public corpora, an agent's reply over SMTP, the customer's answer, and the ticket solved."""

import email
import email.policy
import json
import re
from collections.abc import Callable
from email.message import EmailMessage
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from helpdesk.testing.mailbox import Mailbox
from helpdesk.testing.served import ServedDesk, wait_for
from tests.browser.owner import PATIENCE, new_page

PASSWORD = "a rather long pass phrase"

Picture = Callable[[Page, str], None]
Watch = Callable[[Page, str], list[str]]

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def desk(mailbox: Mailbox, serve_desk: Callable[..., ServedDesk]) -> ServedDesk:
    """Its worker may send to the last: it ends before the mail server does."""
    return serve_desk()


def test_a_mail_is_answered_and_solved(
    desk: ServedDesk, mailbox: Mailbox, browser: Browser, corpora: Path, picture: Picture, watch: Watch
) -> None:
    agent = new_page(browser, viewport={"width": 1440, "height": 900})
    problems = watch(agent, desk.url)

    set_up(agent, desk, mailbox, picture)
    picture(agent, "desk-empty")

    # A real message comes in by the command a mail server would call.
    raw = (corpora / "mail" / "flanker" / "iphone.eml").read_bytes()
    incoming = email.message_from_bytes(raw, policy=email.policy.default)
    customer = incoming["From"].addresses[0].addr_spec
    outcome = json.loads(desk.run("mail", "receive", "--json", feed=raw))
    assert outcome["outcome"] == "ticket"
    number = outcome["ticket"]

    # The agent finds it in the list, opens it and replies.
    agent.goto(f"{desk.url}/desk/views/unassigned")
    picture(agent, "desk-list")
    agent.locator(".trow a").first.click()
    expect(agent.locator("#ticket h1")).to_be_visible()
    picture(agent, "desk-ticket")
    write(agent, "Thank you for writing. We will look into it today.")
    picture(agent, "desk-reply")
    agent.locator("[data-send]").click()
    expect(agent.locator("#conv")).to_contain_text("We will look into it today.")

    # The reply leaves by SMTP in the same thread.
    wait_for(lambda: bool(mailbox.to(customer)), 120)
    reply = mailbox.to(customer)[-1]
    assert reply["In-Reply-To"] == incoming["Message-ID"]
    assert incoming["Message-ID"] in reply["References"]
    assert reply["Message-ID"]
    assert re.search(r"\+[0-9a-z]+-[0-9a-z]+-[0-9a-z]{26}@", reply["Reply-To"])
    assert "We will look into it today." in reply.get_body(("plain",)).get_content()

    # The customer's answer to that mail joins the ticket.
    answer = EmailMessage()
    answer["From"], answer["To"] = customer, reply["Reply-To"]
    answer["Subject"] = f"Re: {reply['Subject']}"
    answer["Message-ID"] = "<answer-1@customer.example>"
    answer["In-Reply-To"] = reply["Message-ID"]
    answer.set_content("That was quick. It works again.\n\nOn Monday you wrote:\n> We will look into it today.\n")
    joined = json.loads(desk.run("mail", "receive", "--json", feed=answer.as_bytes()))
    assert (joined["outcome"], joined["ticket"]) == ("message", number)

    # It is announced on the agent's open page without a reload; one click shows it.
    agent.locator("#news").get_by_text("1 new message").click(timeout=PATIENCE)
    expect(agent.locator("#conv")).to_contain_text("It works again.")
    agent.goto(f"{desk.url}/desk/tickets/{number}")
    expect(agent.locator("#conv")).to_contain_text("It works again.")
    picture(agent, "desk-answered")
    agent.locator("#edit-status").click()
    agent.locator("details[open] button[value=solved]").click()
    expect(agent.locator("#edit-status")).to_contain_text("Solved")
    picture(agent, "desk-solved")

    # The worker has read it for the search, and told the agent of it.
    for path, sign in (("/desk/search?q=quick", "mark"), ("/desk/notifications", ".notice")):
        wait_for(partial(is_shown, agent, desk.url + path, sign), 120)

    # The customer follows the link in the mail: no account, no script.
    link = re.search(r"https?://\S+/t/[0-9a-z-]+", reply.get_body(("plain",)).get_content())
    assert link
    portal = new_page(browser, java_script_enabled=False, viewport={"width": 390, "height": 844})
    watch(portal, desk.url)
    portal.goto(link[0])
    expect(portal.locator("body")).to_contain_text("It works again.")
    picture(portal, "portal-ticket-390")
    assert not problems, "\n".join(problems)


def is_shown(page: Page, address: str, sign: str) -> bool:
    page.goto(address)
    return page.locator(sign).count() > 0


def set_up(page: Page, desk: ServedDesk, mailbox: Mailbox, picture: Picture) -> None:
    """The first start, as the owner clicks through it."""
    page.goto(desk.setup_link)
    picture(page, "setup-1")
    page.get_by_label("Name of your desk").fill("Larkwheel Cycles")
    go_on(page)
    page.get_by_label("Your name").fill("Sam Idris")
    page.get_by_label("E-mail address").fill("sam@larkwheel.example")
    page.get_by_label("Password").fill(PASSWORD)
    picture(page, "setup-2")
    go_on(page)
    page.get_by_label("Mail address of the desk").fill("help@larkwheel.example")
    page.get_by_label("Outgoing server").fill(mailbox.host)
    page.get_by_label("Port").fill(str(mailbox.port))
    page.get_by_label("Security").select_option("tls")
    go_on(page)
    # The test says what fails; nothing that was typed is lost.
    expect(page.locator(".checks .bad")).to_be_visible()
    expect(page.get_by_label("Mail address of the desk")).to_have_value("help@larkwheel.example")
    picture(page, "setup-3-failed")
    page.get_by_label("Security").select_option("none")
    go_on(page)
    page.get_by_label("Name of the team").fill("Workshop")
    picture(page, "setup-4")
    go_on(page)
    picture(page, "setup-5")
    go_on(page)
    page.wait_for_url(re.compile("/desk"))
    assert mailbox.to("sam@larkwheel.example"), "the test mail of step 3"


def go_on(page: Page) -> None:
    page.locator(".setup-foot .btn-primary").click()
    page.wait_for_load_state()


def write(page: Page, text: str) -> None:
    """Type into the composer: the rich editor where it is, the plain field where it is not."""
    editor = page.locator("trix-editor")
    target = editor if editor.count() else page.locator("#composer-text")
    target.click()
    page.keyboard.type(text)
    if editor.count():
        expect(editor).to_have_text(text)
