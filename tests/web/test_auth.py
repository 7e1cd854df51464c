"""Ways in."""

import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.core import accounts, passwords
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Delivery, Token, User

PASSWORD = "a rather long pass phrase"


@pytest.fixture
def agent(make_user: Any) -> User:
    user: User = make_user("agent", email="mia@desk.example", password=PASSWORD)
    return user


def let_in_by() -> Any:
    """What proved who signed in, as the newest entry of the record has it."""
    newest = db.session.scalars(db.select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
    assert newest.action == "user.signed_in"
    return newest.data["by"]


def sign_in(client: FlaskClient, email: str = "mia@desk.example", password: str = PASSWORD, **more: str) -> Any:
    return client.post("/auth/sign-in", data={"email": email, "password": password, **more})


@pytest.mark.db
def test_the_right_password_lets_in_whatever_the_case_of_the_address(client: FlaskClient, agent: User) -> None:
    assert sign_in(client, "MIA@Desk.example").location == "/desk/"
    assert client.get("/desk/views/all").status_code == 200
    assert let_in_by() == ["password"]


def test_wrong_password_and_unknown_address_are_the_same_answer(client: FlaskClient, agent: User) -> None:
    wrong, unknown = sign_in(client, password="nope nope nope"), sign_in(client, "nobody@desk.example")
    assert wrong.status_code == unknown.status_code == 422
    strip = re.compile(r'value="[^"]*"')
    assert strip.sub("", wrong.text) == strip.sub("", unknown.text)


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_next_leads_only_into_the_desk(client: FlaskClient, agent: User, target: str) -> None:
    assert sign_in(client, next=target).location == "/desk/"
    client.post("/auth/sign-out")
    assert sign_in(client, next="/desk/me").location == "/desk/me"


@pytest.mark.db
def test_guessing_is_slowed_down_for_every_spelling(client: FlaskClient, agent: User, travel: Any) -> None:
    for number in range(accounts.FAILURES):
        spelling = "mia@desk.example" if number % 2 else "MIA@DESK.EXAMPLE "
        assert sign_in(client, spelling, "nope nope nope").status_code == 422
    stopped = sign_in(client)
    assert stopped.status_code == 429 and "minutes" in stopped.text
    assert sign_in(client, "nobody@desk.example").status_code == 422
    travel(minutes=16)
    assert sign_in(client).status_code == 303


def test_strangers_who_guess_do_not_keep_somebody_out_of_their_own_browser(app: Flask, agent: User) -> None:
    own, strange = app.test_client(), app.test_client()
    assert sign_in(own).status_code == 303
    own.post("/auth/sign-out")
    for number in range(accounts.ADDRESS_FAILURES):
        # From the same address: that of a proxy which the desk was not told of, say.
        sign_in(strange, "mia@desk.example" if number < accounts.FAILURES else f"x{number}@desk.example", "nope nope")
    assert sign_in(strange).status_code == 429
    assert sign_in(own).status_code == 303
    own.post("/auth/sign-out")
    for _turn in range(accounts.FAILURES):
        assert sign_in(own, password="nope nope nope").status_code == 422
    assert sign_in(own).status_code == 429, "it is no way to guess on"


def test_the_browser_that_knows_one_person_is_strange_to_others(app: Flask, agent: User, make_user: Any) -> None:
    make_user("agent", email="sam@desk.example", password=PASSWORD)
    own = app.test_client()
    assert sign_in(own).status_code == 303
    for _turn in range(accounts.FAILURES):
        sign_in(own, "sam@desk.example", "nope nope nope")
    assert sign_in(app.test_client(), "sam@desk.example").status_code == 429


def test_a_password_that_is_changed_while_it_is_compared_lets_nobody_in(
    client: FlaskClient, agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = passwords.matches

    def meanwhile(stored: str | None, password: str) -> bool:
        right = compare(stored, password)
        person = accounts.by_email("mia@desk.example")
        assert person is not None
        accounts.set_password(person, "another long pass phrase", None)
        return right

    with monkeypatch.context() as patch:
        patch.setattr(passwords, "matches", meanwhile)
        patch.setattr(passwords, "needs_rehash", lambda stored: True)
        assert sign_in(client).status_code == 422
    assert sign_in(client).status_code == 422, "and the one of before is not kept anew"
    assert sign_in(client, password="another long pass phrase").status_code == 303


def test_sign_out_ends_the_session(client: FlaskClient, agent: User) -> None:
    sign_in(client)
    answer = client.post("/auth/sign-out")
    assert answer.status_code == 303
    assert answer.headers["Clear-Site-Data"] == '"storage"', "with the drafts that lie in the browser"
    assert client.get("/desk/views/all").status_code == 303
    assert client.get("/auth/sign-out").status_code == 405


def test_a_new_password_ends_every_other_session_at_once(app: Flask, agent: User) -> None:
    other, third = app.test_client(), app.test_client()
    sign_in(other)
    sign_in(third)
    accounts.set_password(agent, "quite another long phrase", None)
    assert other.get("/desk/views/all").status_code == 303
    assert third.get("/desk/views/all").status_code == 303


def test_an_account_that_is_switched_off_is_out_at_once(client: FlaskClient, agent: User, make_user: Any) -> None:
    sign_in(client)
    accounts.set_active(agent, False, None)
    assert client.get("/desk/views/all").status_code == 303
    assert sign_in(client).status_code == 422


def said(page: str) -> str:
    """A page without the token of its form, which holds the second in which it was made."""
    return re.sub(r'name="csrf_token" value="[^"]+"', "", page)


@pytest.mark.plugins
@pytest.mark.parametrize("path", ["/auth/forgot", "/auth/register"])
def test_who_exists_costs_no_other_work(client: FlaskClient, agent: User, count_queries: Any, path: str) -> None:
    work = []
    for address in ("first@desk.example", "mia@desk.example", "nobody@desk.example"):
        with count_queries() as statements:
            client.post(path, data={"email": address, "name": "Mia"})
        work.append(statements)
    # The first of all begins the count of the address.
    assert work[1] == work[2]


def test_forgotten_says_the_same_for_everybody(client: FlaskClient, agent: User, run_jobs: Any, mailbox: Any) -> None:
    known = client.post("/auth/forgot", data={"email": "mia@desk.example"})
    unknown = client.post("/auth/forgot", data={"email": "nobody@desk.example"})
    run_jobs()
    assert known.status_code == unknown.status_code == 200
    assert said(known.text).replace("mia@", "") == said(unknown.text).replace("nobody@", "")
    assert [row.kind for row in db.session.scalars(db.select(Delivery))] == ["reset"]
    assert client.post("/auth/forgot", data={"email": "no address"}).status_code == 422


@pytest.mark.db
def test_a_reset_link_works_once(client: FlaskClient, agent: User) -> None:
    secret = accounts.issue_token(accounts.RESET, agent)
    url = f"/auth/password/reset/{secret}"
    assert client.get(url).status_code == client.get(url).status_code == 200, "opening it uses nothing up"
    assert client.post(url, data={"password": "short", "repeated": "short"}).status_code == 422
    assert client.post(url, data={"password": PASSWORD, "repeated": "other"}).status_code == 422
    new = "quite another long phrase"
    assert client.post(url, data={"password": new, "repeated": new}).location == "/desk/"
    assert let_in_by() == ["reset_link"]
    assert client.get("/desk/views/all").status_code == 200
    assert client.get(url).status_code == 404
    assert client.post(url, data={"password": new, "repeated": new}).status_code == 404


def test_links_expire_and_are_hashed_at_rest(client: FlaskClient, agent: User, travel: Any) -> None:
    secret = accounts.issue_token(accounts.RESET, agent)
    assert secret not in str([row.digest for row in db.session.scalars(db.select(Token))])
    travel(hours=3)
    assert client.get(f"/auth/password/reset/{secret}").status_code == 404
    assert client.get(f"/auth/password/invitation/{secret}").status_code == 404
    assert client.get(f"/auth/password/setup/{secret}").status_code == 404


@pytest.mark.plugins("email")
def test_an_invitation_is_mailed_and_taken(
    client: FlaskClient, make_user: Any, mailbox: Any, run_jobs: Any, app: Flask
) -> None:
    accounts.invite("jonas@desk.example", "Jonas", "agent", None)
    run_jobs()
    mail = mailbox.to("jonas@desk.example")[0]
    link = re.search(r"/auth/password/invitation/\S+", mail.get_body(("plain",)).get_content())
    assert link
    answer = client.post(link[0], data={"password": PASSWORD, "repeated": PASSWORD})
    assert answer.location == "/desk/" and let_in_by() == ["invitation"]


def test_registering_tells_nothing_about_who_exists(
    client: FlaskClient, agent: User, run_jobs: Any, mailbox: Any
) -> None:
    known = client.post("/auth/register", data={"email": "mia@desk.example", "name": ""})
    new = client.post("/auth/register", data={"email": "new@post.example", "name": "New"})
    # The form's token counts seconds: two pages of the same moment may lie on either side of one.
    known_page, new_page = (re.sub(r'name="csrf_token"[^>]*>', "", answer.text) for answer in (known, new))
    assert known_page.replace("mia@desk", "") == new_page.replace("new@post", "")
    run_jobs()
    assert [row.address for row in db.session.scalars(db.select(Delivery))] == ["new@post.example"]


def test_of_fifty_tries_at_the_setup_link_one_wins(app: Flask) -> None:
    secret = accounts.issue_token(accounts.SETUP)

    def attempt(number: int) -> int:
        data = {"name": f"Admin {number}", "email": f"admin{number}@desk.example", "password": PASSWORD}
        answer: int = app.test_client().post(f"/setup/{secret}/administrator", data=data).status_code
        return answer

    with ThreadPoolExecutor(10) as pool:
        codes = list(pool.map(attempt, range(50)))
    assert sorted(codes)[0] == 303 and codes.count(303) == 1, codes
    db.session.rollback()
    assert db.session.scalar(db.select(db.func.count(User.id)).where(User.role == "admin")) == 1
