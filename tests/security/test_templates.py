"""Texts of owners and agents are text: what looks like a template in them is shown as it was typed, everywhere."""

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from helpdesk.core import settings, workflow
from helpdesk.core.drafts import MessageDraft
from helpdesk.core.settings import DeskSettings
from helpdesk.core.transaction import transaction

MARK = "1337"
EXPRESSIONS = [
    "7*191",
    "config",
    "self.__init__.__globals__",
    "request.environ",
    "''.__class__.__mro__[1].__subclasses__()",
    "cycler.__init__.__globals__.os.popen('id').read()",
    "secret_key",
    "url_for.__globals__['current_app'].secret_key",
    "'a'*999999999",
    "user.password_hash",
]
ENGINES = [
    "{{{{ {0} }}}}",
    "{{% print({0}) %}}",
    "{{%- for x in {0} -%}}{{{{x}}}}{{%- endfor -%}}",
    "{{# {0} #}}",
    "${{{0}}}",
    "#{{{0}}}",
    "<%= {0} %>",
    "{{{{#with {0}}}}}{{{{this}}}}{{{{/with}}}}",
    "{{{0}}}",
    "{{0.{0}}}",
    "[[${{{0}}}]]",
    "@({0})",
    "#set($x={0})$x",
    "{{php}}{0}{{/php}}",
    "%({0})s",
]
ODD = [
    "%s",
    "%n%n%n",
    "%(name)s",
    "%99999999d",
    "{:>999999999}",
    "{0!r}",
    "{0.__class__}",
    "{name}",
    "{}",
    "$name",
    "${name",
    "%%",
    "{{",
    "}}",
    "{%",
    "%}",
    "{{ '{{' }}",
    "\\{{ 7*191 }}",
    "{{ 7*191 }",
    "&#123;&#123; 7*191 &#125;&#125;",
]
PAYLOADS = [engine.format(expression) for engine in ENGINES for expression in EXPRESSIONS] + ODD


def test_there_are_enough() -> None:
    assert len(set(PAYLOADS)) >= 120


def shown(page: str) -> str:
    """What a page says, as a reader sees it."""
    return html.unescape(re.sub(r"<[^>]+>", "", page))


def chunks(size: int) -> list[list[str]]:
    return [PAYLOADS[place : place + size] for place in range(0, len(PAYLOADS), size)]


def test_what_an_owner_writes_on_customers_pages_is_text(client: FlaskClient, make_user: Any) -> None:
    make_user("admin")
    for payloads in chunks(60):
        text = " ¦ ".join(payloads)
        values = {"welcome": text, "contact": text, "name": payloads[0]}
        with transaction():
            settings.save(DeskSettings, values, None)
        page = client.get("/")
        assert page.status_code == 200 and MARK not in page.text
        seen = shown(page.text)
        for payload in payloads:
            # Once for each of the two places.
            assert seen.count(payload) >= 2, payload


@pytest.fixture
def plugin_name() -> str:
    """The plugin that sends mail is on."""
    return "email"


def test_what_people_write_into_mails_is_text(
    client: FlaskClient, mailbox: Any, make_user: Any, make_ticket: Any, run_jobs: Callable[[], Any]
) -> None:
    """Signature, subject, message, names of agent, customer and desk."""
    agent = make_user("agent", name="{{ 7*191 }} %(name)s", email="abe@desk.example")
    requester = make_user(name="${7*191} {0.__class__}", email="rita@customer.example")
    with transaction():
        settings.save(DeskSettings, {"name": "{{ config }} %s"}, None)
        agent.signature = "\n".join(PAYLOADS[:20])
    sent: list[Any] = []
    for number, payloads in enumerate(chunks(45)):
        ticket = make_ticket(" ".join(payloads[:2]), requester=requester)
        workflow.reply(ticket, MessageDraft("\n".join(payloads)), agent)
        run_jobs()
        sent = [mail for mail in mailbox.messages if mail.get_body(("plain",)) is not None]
        said = sent[-1].get_body(("plain",)).get_content()
        assert len(sent) > number and MARK not in said
        for payload in [*payloads, *PAYLOADS[:20]]:
            assert payload in said, payload
        assert MARK not in sent[-1].get_body(("html",)).get_content() and payloads[0] in str(sent[-1]["Subject"])
    assert "{{ config }} %s" in str(sent[-1]["From"]) or "{{ 7*191 }}" in str(sent[-1]["From"])


BREAKS = ["\r\nBcc: evil@evil.example", "\nX-Injected: yes", "\rX-Injected: yes", "\x0b\x0cX", "\u2028X-Injected: yes"]


@pytest.mark.parametrize("place", range(len(BREAKS)))
def test_no_text_becomes_a_header_of_a_mail(
    mailbox: Any, make_user: Any, make_ticket: Any, run_jobs: Callable[[], Any], place: int
) -> None:
    wish = BREAKS[place]
    agent = make_user("agent", name=f"Abe{wish}", email="abe@desk.example")
    requester = make_user(name=f"Rita{wish}", email="rita@customer.example")
    ticket = make_ticket(f"Kettle{wish}", requester=requester)
    workflow.reply(ticket, MessageDraft("It is repaired."), agent)
    run_jobs()
    assert mailbox.messages
    for mail in mailbox.messages:
        assert mail["Bcc"] is None and mail["X-Injected"] is None
    assert {person for _sender, people in mailbox.envelopes for person in people} == {requester.email}
