"""The password once more before what is dangerous: nothing typed is lost, and it cannot be guessed."""

import html
import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from flask import Blueprint
from flask.testing import FlaskClient

from helpdesk.api import proof_required, sign_in_required
from helpdesk.core import accounts, guesses, second_factors, service_accounts, sign_in_sessions
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import User
from helpdesk.core.transaction import transaction
from helpdesk.plugins.hookspecs import hookimpl
from helpdesk.testing.browsers import browser_of

pytestmark = pytest.mark.plugins("email")

PASSWORD = "a rather long pass phrase"
HIDDEN = re.compile(r'<textarea name="([^"]+)" hidden[^>]*>\n(.*?)</textarea>', re.DOTALL)


@pytest.fixture
def admin(make_user: Any) -> User:
    user: User = make_user("admin", name="Ada", password=PASSWORD)
    return user


@pytest.fixture
def browser(sign_in: Any, admin: User, travel: Any) -> FlaskClient:
    """An administrator who signed in eleven minutes ago."""
    client: FlaskClient = sign_in(admin)
    travel(minutes=11)
    return client


def test_a_form_goes_on_after_the_proof_with_all_that_was_typed(browser: FlaskClient, make_user: Any) -> None:
    user = make_user("agent", name="Mia")
    form = {"name": "Mia <b>Sorel</b>\n&", "role": "supervisor", "active": "1", "organization": "", "phone": ""}
    question = browser.post(f"/admin/people/{user.id}", data=form)
    assert question.status_code == 403 and "Is it you?" in question.text
    assert question.headers["Cache-Control"] == "no-store"
    db.session.expire_all()
    assert user.role == "agent"
    carried = {key: html.unescape(value) for key, value in HIDDEN.findall(question.text)}
    assert carried == form
    action = re.search(r'<form method="post" action="([^"]+)"', question.text)
    assert action and action[1] == f"/admin/people/{user.id}"
    wrong = browser.post(action[1], data={**carried, "proof_password": "wrong"})
    assert wrong.status_code == 422 and dict(HIDDEN.findall(wrong.text)).keys() == form.keys()
    assert 'value="wrong"' not in wrong.text
    assert browser.post(action[1], data={**carried, "proof_password": PASSWORD}).status_code == 303
    db.session.expire_all()
    assert (user.role, user.name) == ("supervisor", "Mia <b>Sorel</b> &")
    form["role"] = "agent"
    assert browser.post(f"/admin/people/{user.id}", data=form).status_code == 303, "it suffices for ten minutes"


def test_what_is_not_dangerous_asks_for_nothing(browser: FlaskClient, make_user: Any) -> None:
    user = make_user("agent", name="Mia")
    form = {"name": "Mia Sorel", "role": "agent", "active": "1", "organization": "", "phone": ""}
    assert browser.post(f"/admin/people/{user.id}", data=form).status_code == 303


def test_who_signed_in_just_now_is_not_asked(sign_in: Any, admin: User, make_user: Any) -> None:
    user = make_user("agent", name="Mia")
    form = {"name": "Mia", "role": "supervisor", "active": "1", "organization": "", "phone": ""}
    assert sign_in(admin).post(f"/admin/people/{user.id}", data=form).status_code == 303


DANGEROUS = [
    "/admin/people/new",
    "/admin/people/{user}/link",
    "/admin/people/{user}/second-factor/reset",
    "/admin/people/{user}/sign-out",
    "/admin/plugins/email/off",
    "/admin/restart",
    "/admin/settings/security",
    "/admin/settings/requests",
    "/admin/settings/email",
    "/admin/backups",
    "/p/email/mailboxes/new",
    "/p/email/servers/new",
    "/auth/second-factor",
    "/auth/second-factor/confirm",
    "/auth/second-factor/off",
    "/auth/security/recovery-codes",
]


@pytest.mark.parametrize("path", DANGEROUS)
def test_what_is_dangerous_asks(browser: FlaskClient, make_user: Any, path: str) -> None:
    answer = browser.post(path.format(user=make_user("agent").id), data={"role": "agent"})
    assert answer.status_code == 403 and "Is it you?" in answer.text


def test_rights_of_a_program_are_changed_after_the_proof_alone(browser: FlaskClient, make_team: Any) -> None:
    team, shop = make_team("Board", private=True), service_accounts.create("Shop", "agent", [], None)
    form = {"name": "Till", "role": "agent", "active": "1"}
    assert browser.post(f"/admin/services/{shop.id}", data=form).status_code == 303, "a name gives no right"
    for rights in ({"teams": [team.id]}, {"role": "admin"}, {"active": []}):
        answer = browser.post(f"/admin/services/{shop.id}", data={**form, **rights})
        assert answer.status_code == 403 and "Is it you?" in answer.text, rights
    db.session.expire_all()
    assert (shop.name, shop.role, shop.active, shop.teams) == ("Till", "agent", True, [])


def test_guessing_is_slowed_down(browser: FlaskClient) -> None:
    codes = [
        browser.post("/admin/backups", data={"proof_password": "wrong"}).status_code
        for _turn in range(guesses.FAILURES)
    ]
    assert set(codes) == {422}
    assert browser.post("/admin/backups", data={"proof_password": PASSWORD}).status_code == 429


def test_who_has_a_second_step_gives_the_code_too(sign_in: Any, admin: User, travel: Any) -> None:
    travel(minutes=0)
    codes = pyotp.TOTP(second_factors.prepare(admin).secret)

    def code() -> str:
        return codes.generate_otp(int(now().timestamp()) // second_factors.STEP)

    second_factors.confirm(admin, code())
    browser = sign_in(admin)
    travel(minutes=11)
    assert 'name="proof_code"' in browser.post("/admin/backups").text
    assert browser.post("/admin/backups", data={"proof_password": PASSWORD}).status_code == 422
    answer = browser.post("/admin/backups", data={"proof_password": PASSWORD, "proof_code": code()})
    assert answer.status_code == 303


def test_strangers_are_sent_to_sign_in_and_who_may_not_is_refused_first(client: FlaskClient, as_agent: Any) -> None:
    assert client.post("/auth/second-factor").location.startswith("/auth/sign-in")
    assert "Is it you?" not in as_agent.post("/admin/backups").text


def test_a_page_of_a_plugin_can_ask(make_app: Any) -> None:
    pages = Blueprint("vault", __name__)

    @pages.get("/")
    @sign_in_required
    @proof_required
    def look() -> str:
        return "The gold is here."

    app = make_app({"vault": SimpleNamespace(register_blueprints=hookimpl(lambda: [pages]))})
    with app.app_context():
        admin = accounts.create_user("ada@desk.example", "Ada", "admin", None, password=PASSWORD)
        browser = browser_of(app, admin)
        (session,) = sign_in_sessions.of(admin)
        with transaction():
            session.proved_at -= timedelta(minutes=11)
    question = browser.get("/p/vault/?shelf=2")
    assert question.status_code == 403 and 'name="next" value="/p/vault/?shelf=2"' in question.text
    wrong = browser.post("/auth/prove", data={"next": "/p/vault/?shelf=2", "proof_password": "wrong"})
    assert wrong.status_code == 422 and 'value="/p/vault/?shelf=2"' in wrong.text
    right = browser.post("/auth/prove", data={"next": "/p/vault/?shelf=2", "proof_password": PASSWORD})
    assert right.location == "/p/vault/?shelf=2"
    assert "gold" in browser.get("/p/vault/?shelf=2").text
    away = browser.post("/auth/prove", data={"next": "//evil.example", "proof_password": PASSWORD})
    assert away.location == "/auth/security"
