"""Who calls: the address of the line, and what proxies say of it only as far as the owner trusts them."""

from typing import Any

import pytest
from flask import Flask

from helpdesk.core.extensions import db
from helpdesk.core.models import SignInSession, User

PASSWORD = "several words of my own"
LINE = "127.0.0.1"


def address_after_sign_in(desk: Flask, user: User, forwarded: str) -> str:
    """What is written down of where somebody signed in from."""
    headers = {"X-Forwarded-For": forwarded, "X-Real-IP": "8.8.8.8", "Forwarded": "for=8.8.8.8"}
    form = {"email": user.email, "password": PASSWORD}
    assert desk.test_client().post("/auth/sign-in", data=form, headers=headers).status_code == 303
    query = db.select(SignInSession.address).where(SignInSession.user_id == user.id)
    return str(db.session.scalars(query).one())


def test_a_stranger_cannot_say_who_he_is(app: Flask, make_user: Any) -> None:
    assert app.config["HELPDESK"].trusted_proxies == 0, "unless the owner says that there is a proxy"
    assert address_after_sign_in(app, make_user("agent", password=PASSWORD), "9.9.9.9") == LINE


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"), [(1, "6.6.6.6, 9.9.9.9", "9.9.9.9"), (2, "6.6.6.6, 9.9.9.9, 10.0.0.1", "9.9.9.9")]
)
def test_behind_a_proxy_the_last_address_counts(
    make_app: Any, make_user: Any, proxies: int, forwarded: str, seen: str
) -> None:
    behind = make_app({}, trusted_proxies=proxies)
    assert address_after_sign_in(behind, make_user("agent", password=PASSWORD), forwarded) == seen


def test_the_host_header_is_nobody(app: Flask, client: Any, make_user: Any, mailbox: Any, run_jobs: Any) -> None:
    user = make_user("agent", password=PASSWORD)
    headers = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert client.post("/auth/forgot", data={"email": user.email}, headers=headers).status_code == 200
    run_jobs()
    (mail,) = mailbox.to(user.email)
    assert app.config["HELPDESK"].address in mail.as_string() and "evil.example" not in mail.as_string()
