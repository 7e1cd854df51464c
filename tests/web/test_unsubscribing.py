"""Nobody who wants no more care mail needs an account for it, and no scanner of mails decides it for them."""

from typing import Any

import pytest

from helpdesk.core import links
from helpdesk.core.extensions import db
from helpdesk.core.models import User


@pytest.fixture
def anna(app: Any, make_user: Any) -> User:
    user: User = make_user(name="Anna")
    return user


def path(user: User) -> str:
    return links.unsubscribe_url(user).removeprefix("http://desk.example")


def wants(user: User) -> bool:
    db.session.expire_all()
    return user.care_mail


def test_opening_the_address_changes_nothing(client: Any, anna: User) -> None:
    page = client.get(path(anna))
    assert page.status_code == 200 and "Send me no more of them" in page.text
    assert client.head(path(anna)).status_code == 200
    assert wants(anna)


def test_one_click_of_a_mail_program_is_enough(client: Any, app: Any, anna: User) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    for _time in range(2):
        answer = client.post(path(anna), data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
        assert not wants(anna)
    assert "You get no more of these mails" in client.get(path(anna)).text


def test_the_button_of_the_page_wants_the_pages_own_token(client: Any, app: Any, anna: User) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert client.post(path(anna)).status_code == 422
    assert wants(anna)
    token = client.get(path(anna)).text.split('name="csrf_token" value="')[1].split('"')[0]
    assert client.post(path(anna), data={"csrf_token": token}).status_code == 200
    assert not wants(anna)


def test_a_forged_address_is_of_nobody(client: Any, anna: User, make_user: Any) -> None:
    ben = make_user()
    own, other = path(anna), path(ben)
    person, _hyphen, signature = own.rpartition("-")
    for forged in (f"{other.rpartition('-')[0]}-{signature}", f"{person}-{'0' * 26}", "/unsubscribe/x", f"{own}x"):
        assert client.get(forged).status_code == 404
        assert client.post(forged, data={"List-Unsubscribe": "One-Click"}).status_code == 404
    assert wants(anna) and wants(ben)
