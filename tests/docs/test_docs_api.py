"""The lines of docs/api.md, sent to a desk as they stand there."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from helpdesk.core import api_tokens, service_accounts

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
_SCOPES = ("ticket.read", "ticket.open", "ticket.reply", "ticket.note", "ticket.edit", "person.read")


@pytest.fixture
def desk_plugins() -> dict[str, Any]:
    """The desk alone."""
    return {}


def requests() -> list[tuple[str, str, dict[str, str], str | None]]:
    """Method, path, headers and body of each curl line."""
    found = []
    for block in re.findall(r"```sh\n(curl .*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        words = shlex.split(block)
        method, path, headers, body = "GET", "", {}, None
        while words:
            word = words.pop(0)
            if word == "-H":
                name, _colon, value = words.pop(0).replace("$AUTH", "Authorization: Bearer $TOKEN").partition(": ")
                headers[name] = value
            elif word == "-X":
                method = words.pop(0)
            elif word == "--json":
                body, headers["Content-Type"] = words.pop(0), "application/json"
                method = "POST" if method == "GET" else method
            elif word.startswith("$DESK"):
                path = word.removeprefix("$DESK")
        found.append((method, path, headers, body))
    return found


def test_the_lines_do_what_the_page_says(app: Any, make_ticket: Any) -> None:
    make_ticket()
    shop = service_accounts.create("Shop", "agent", [], None)
    secret = api_tokens.make(shop, "Docs", _SCOPES, None, None, never=True).secret
    answers = []
    for method, path, headers, body in requests():
        sent = {name: value.replace("$TOKEN", secret) for name, value in headers.items()}
        answer = app.test_client().open(f"/api/v1{path}", method=method, headers=sent, data=body)
        answers.append((method, path.partition("?")[0], answer.status_code))
    assert answers == [
        ("GET", "/me", 200),
        ("GET", "/tickets", 200),
        ("GET", "/tickets/1", 200),
        ("POST", "/tickets", 201),
        ("POST", "/tickets/1/messages", 201),
        ("PATCH", "/tickets/1", 200),
        ("POST", "/tickets/1/messages", 201),
    ]
