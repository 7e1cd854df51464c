"""Tokens in place of passwords: asked for once an hour, and said in words when somebody has to sign in again."""

import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask, request
from helpdesk_email import fetching, oauth
from helpdesk_email.models import Mailbox, Server

from helpdesk.api import DeliveryFailed, RequestSettings, db, transaction


class Provider:
    """Who gives out tokens: what it was asked, and what it answers next."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answer: Any = {"access_token": "one", "expires_in": 3600}
        self.status = 200
        self.meanwhile: Callable[[], None] = lambda: None


@pytest.fixture
def provider(app: Flask, listen: Callable[[Any], str], configure: Callable[..., Any]) -> Provider:
    """One on loopback that may be asked; ``provider.url`` is its address."""
    found, pages = Provider(), Flask("provider")

    @pages.post("/token")
    def token() -> Any:
        found.asked.append(dict(request.form))
        answer = found.answer, found.status
        found.meanwhile()
        return answer

    found.url = listen(pages) + "/token"  # type: ignore[attr-defined]
    configure(RequestSettings, own_servers=f"{urlsplit(found.url).netloc}, 127.0.0.1:1")  # type: ignore[attr-defined]
    return found


@pytest.fixture
def make_box(app: Flask, provider: Any) -> Callable[..., Mailbox]:
    def make(**values: Any) -> Mailbox:
        known = {"oauth": "custom", "oauth_token_url": provider.url, "oauth_client_id": "desk"}
        with transaction():
            box = Mailbox(**{"address": "a@shop.example", **known, "oauth_refresh_token": "long", **values})
            db.session.add(box)
        return box

    return make


def test_a_token_is_asked_for_once_an_hour(make_box: Any, provider: Provider, travel: Callable[..., Any]) -> None:
    box = make_box(oauth_client_secret="s")
    assert (oauth.access_token(box), oauth.access_token(box)) == ("one", "one")
    wanted = {"grant_type": "refresh_token", "refresh_token": "long", "client_id": "desk", "client_secret": "s"}
    assert provider.asked == [wanted]
    provider.answer = {"access_token": "two", "refresh_token": "longer"}
    travel(minutes=59, seconds=30)
    assert oauth.access_token(box) == "two"
    assert db.session.get_one(Mailbox, box.id).oauth_refresh_token == "longer"


@pytest.mark.parametrize("ended", [False, True])
def test_of_two_who_renew_at_once_the_newer_one_stays(
    app: Flask, make_box: Any, provider: Provider, ended: bool
) -> None:
    box = make_box()

    def meanwhile() -> None:
        provider.status, provider.answer, provider.meanwhile = 200, {"access_token": "two"}, lambda: None
        with app.app_context(), transaction():
            db.session.get_one(Mailbox, 1).oauth_refresh_token = "newer"

    provider.meanwhile = meanwhile
    provider.answer = {"access_token": "one", "refresh_token": "older"}
    if ended:
        provider.status, provider.answer = 400, {"error": "invalid_grant"}
    assert oauth.access_token(box) == ("two" if ended else "one")
    assert [asked["refresh_token"] for asked in provider.asked] == (["long", "newer"] if ended else ["long"])
    db.session.rollback()
    assert db.session.get_one(Mailbox, 1).oauth_refresh_token == "newer"


def test_servers_that_mail_leaves_by_have_tokens_too(app: Flask, provider: Any) -> None:
    with transaction():
        server = Server(name="Provider", oauth="custom", oauth_token_url=provider.url, oauth_refresh_token="long")
        db.session.add(server)
    assert oauth.access_token(server) == "one"


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (400, {"error": "invalid_grant", "error_description": "Token has been revoked."}, "Sign in again at 127.0.0.1"),
        (401, {"error": "invalid_client"}, "check client ID and client secret"),
        (500, "Internal error", "gave no token: 500"),
        (200, {"token_type": "Bearer"}, "gave no token. Check the address"),
        (200, "nonsense", "gave no token. Check the address"),
        (302, "", "gave no token: 302"),
    ],
)
def test_what_goes_wrong_is_said(make_box: Any, provider: Provider, status: int, answer: Any, words: str) -> None:
    provider.status, provider.answer = status, answer
    with pytest.raises(DeliveryFailed) as found:
        oauth.access_token(make_box())
    assert words in found.value.sentence


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://93.184.215.14/token", "https://"),
        ("http://127.0.0.1:1/token", "No token could be"),
        *(
            (f"https://{host}/token", "in your own network")
            for host in ("10.0.0.1", "127.0.0.1", "[::1]", "169.254.1.1")
        ),
        ("https://[oops/token", "Check the address for tokens"),
    ],
)
def test_an_address_that_cannot_be_used_is_said(make_box: Any, url: str, words: str) -> None:
    with pytest.raises(DeliveryFailed) as found:
        oauth.access_token(make_box(oauth_token_url=url))
    assert words in found.value.sentence


def test_the_providers_are_known_by_their_names() -> None:
    for name in ("google", "microsoft"):
        assert oauth.PROVIDERS[name].token_url.startswith("https://") and oauth.PROVIDERS[name].scopes


def test_mail_is_fetched_with_a_token(make_box: Any, provider: Provider, mail_server: Any) -> None:
    user = f"user-{uuid.uuid4().hex[:12]}"
    mail_server.put(user, [b"From: anna@customer.example\r\nSubject: Hello\r\n\r\nHello\r\n"])
    provider.answer = {"access_token": mail_server.token(user), "expires_in": 3600}
    box = make_box(host=mail_server.host, port=mail_server.port, security="none", username=user)
    assert fetching.fetch(box.id) == fetching.Fetched(1)
    with transaction():
        db.session.get_one(Mailbox, box.id).oauth_access_token = "wrong"
    assert "did not accept the token" in fetching.fetch(box.id).error
