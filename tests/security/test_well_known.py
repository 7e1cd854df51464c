"""Pages at agreed places: security.txt, change-password, robots.txt."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.robotparser import RobotFileParser

import pytest
from flask import Flask

from helpdesk.core.clock import now
from helpdesk.core.settings import DeskSettings, InvalidSettings

ADDRESS = "https://help.shop.example"
SECURITY = "/.well-known/security.txt"
CHANGE = "/.well-known/change-password"
# Who may be led to these pages by a search engine: everybody.
OPEN = {"/", "/robots.txt", SECURITY, CHANGE, "/theme.css"}


@pytest.fixture
def behind_https(app: Flask) -> None:
    """The desk has a name of its own, as docs/install.md says."""
    app.config["HELPDESK"] = replace(app.config["HELPDESK"], public_url=ADDRESS)


def fields(page: Any) -> dict[str, str]:
    assert page.status_code == 200
    assert page.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = page.text.splitlines()
    found = dict(line.split(": ", 1) for line in lines)
    assert len(found) == len(lines), "each field stands there once"
    return found


@pytest.mark.usefixtures("behind_https")
def test_a_desk_behind_https_says_where_to_report_a_hole(client: Any) -> None:
    found = fields(client.get(SECURITY, headers={"Host": "evil.example"}))
    assert found["Contact"] == f"{ADDRESS}/"
    assert found["Canonical"] == f"{ADDRESS}{SECURITY}", "by the configured address, whatever the Host header says"
    assert found["Preferred-Languages"] == "en"
    expires = datetime.strptime(found["Expires"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(days=90) < expires - now() < timedelta(days=365), "RFC 9116, section 2.5.5"


@pytest.mark.parametrize(
    ("contact", "shown"),
    [("safe@shop.example", "mailto:safe@shop.example"), ("https://shop.example/holes", "https://shop.example/holes")],
)
def test_the_owner_names_somebody_else(client: Any, configure: Any, contact: str, shown: str) -> None:
    configure(DeskSettings, security_contact=contact)
    found = fields(client.get(SECURITY))
    assert found["Contact"] == shown
    assert "Canonical" not in found, "an http address is no place to be sure of"


def test_without_https_and_without_a_name_there_is_nothing_to_say(client: Any) -> None:
    assert client.get(SECURITY).status_code == 404


@pytest.mark.parametrize(
    "contact", ["nobody", "http://shop.example/", "javascript:alert(1)", "a@shop.example\nContact: b@evil.example", "@"]
)
def test_what_is_no_contact_is_refused(configure: Any, contact: str) -> None:
    with pytest.raises(InvalidSettings):
        configure(DeskSettings, security_contact=contact)


def test_a_password_manager_finds_the_form_for_a_new_password(client: Any, as_agent: Any, as_requester: Any) -> None:
    stranger = client.get(CHANGE)
    assert (stranger.status_code, stranger.location) == (303, f"/auth/sign-in?next={CHANGE}")
    for browser in (as_agent, as_requester):
        answer = browser.get(CHANGE)
        assert answer.status_code == 303
        form = browser.get(answer.location)
        assert form.status_code == 200 and "<form" in form.text


def test_there_is_nothing_else_at_agreed_places(client: Any) -> None:
    made_up = client.get("/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200")
    assert made_up.status_code == 404, "or password managers do not believe the other answers"


def test_search_engines_leave_out_what_is_somebodys_own(app: Flask, client: Any) -> None:
    rules = RobotFileParser()
    rules.parse(client.get("/robots.txt").text.splitlines())
    for rule in app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.rule.startswith(("/static/", "/theme/", "/p/")):
            continue
        path = rule.rule.replace("<", "").replace(">", "")
        assert rules.can_fetch("a search engine", path) == (rule.rule in OPEN), rule.rule
