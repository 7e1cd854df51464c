"""The second step: set up, asked for, lost, wanted by the owner."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.core import accounts, guesses, second_factors, sign_in_sessions, trusted_devices
from helpdesk.core.account_errors import AccountError, TooManyTries
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, RecoveryCode, SecondFactor, User
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.settings import SecuritySettings

PASSWORD = "a rather long pass phrase"


class App:
    """The person's app for codes."""

    def __init__(self, secret: str) -> None:
        self._codes = pyotp.TOTP(secret.replace(" ", ""))

    def code(self, step: int = 0) -> str:
        return self._codes.generate_otp(int(now().timestamp()) // second_factors.STEP + step)

    def wrong(self) -> str:
        """A code that is right at no time near."""
        near = {self.code(step) for step in range(-5, 6)}
        return next(code for code in ("000000", "111111", *(f"{n:06}" for n in range(100))) if code not in near)


@pytest.fixture
def person(make_user: Any) -> User:
    user: User = make_user("agent", email="mia@desk.example", name="Mia", password=PASSWORD)
    return user


@pytest.fixture
def paper() -> list[str]:
    """The recovery codes."""
    return []


@pytest.fixture
def phone(person: User, paper: list[str], travel: Any) -> App:
    """The app of a person who has set up the second step a while ago."""
    travel(minutes=0)
    app = App(second_factors.prepare(person).secret)
    paper += second_factors.confirm(person, app.code())
    # To the beginning of a step, so that none ends while a test looks at its codes.
    later = int(now().timestamp()) // second_factors.STEP + 10
    travel(to=datetime.fromtimestamp(later * second_factors.STEP, UTC))
    return app


def give_password(client: FlaskClient, **more: str) -> Any:
    return client.post("/auth/sign-in", data={"email": "mia@desk.example", "password": PASSWORD, **more})


def give_code(client: FlaskClient, code: str, **more: str) -> Any:
    return client.post("/auth/second-step", data={"code": code, **more})


def is_in(client: FlaskClient) -> bool:
    return client.get("/desk/me").status_code == 200


def let_in_by() -> list[str]:
    """What proved who signed in last, as the record has it."""
    query = db.select(AuditEntry.data).where(AuditEntry.action == "user.signed_in").order_by(AuditEntry.id.desc())
    found: list[str] = db.session.scalars(query.limit(1)).one()["by"]
    return found


def acts() -> list[str]:
    return list(db.session.scalars(db.select(AuditEntry.action).order_by(AuditEntry.id)))


# ---- set up


@pytest.mark.plugins("email")
def test_it_is_set_up_by_a_code_and_not_before(sign_in: Any, person: User, mailbox: Any, run_jobs: Any) -> None:
    here, there = sign_in(person), sign_in(person)
    page = here.post("/auth/second-factor").text
    assert 'src="data:image/svg+xml' in page and "otpauth://totp/" in page
    found = re.search(r'<code class="said"[^>]*>([A-Z2-7 ]+)</code>', page)
    assert found
    assert second_factors.of(person) is None, "it does not count yet"
    again = here.post("/auth/second-factor").text
    assert found[1] not in again, "who has seen the key of one left half-way does not have the next"
    found = re.search(r'<code class="said"[^>]*>([A-Z2-7 ]+)</code>', again)
    assert found
    app = App(found[1])
    wrong = here.post("/auth/second-factor/confirm", data={"code": app.wrong()})
    assert wrong.status_code == 422 and found[1] in wrong.text, "the key stays the same"
    code = app.code()
    done = here.post("/auth/second-factor/confirm", data={"code": f"{code[:3]} {code[3:]}"})
    codes = re.findall(r"<code>([a-z0-9-]+)</code>", done.text)
    assert len(set(codes)) == 10 and done.headers["Cache-Control"] == "no-store"
    assert is_in(here) and not is_in(there), "every other browser is signed out"
    assert codes[0] not in here.get("/auth/security").text, "they are shown once"
    kept = str([row.digest for row in db.session.scalars(db.select(RecoveryCode))])
    assert not [code for code in codes if code in kept]
    run_jobs()
    assert [mail["Subject"] for mail in mailbox.to("mia@desk.example")] == ["Two-step sign-in is on"]
    assert "user.second_factor_on" in acts()


def test_guessing_the_first_code_is_slowed_down(person: User) -> None:
    app = App(second_factors.prepare(person).secret)
    for _turn in range(guesses.CODE_FAILURES):
        with pytest.raises(AccountError):
            second_factors.confirm(person, app.wrong())
    with pytest.raises(TooManyTries):
        second_factors.confirm(person, app.code())


def test_a_new_phone_takes_the_place_of_the_one_before(person: User, phone: App, sign_in: Any) -> None:
    here = sign_in(person)
    here.post("/auth/second-factor")
    new = App(second_factors.prepare(person).secret)
    assert here.post("/auth/second-factor/confirm", data={"code": new.code()}).status_code == 200
    assert db.session.scalar(db.select(db.func.count(SecondFactor.id))) == 1
    assert not second_factors.check(person, phone.code()) and second_factors.check(person, new.code(1))


# ---- asked for


def test_the_password_alone_lets_nobody_in(client: FlaskClient, person: User, phone: App) -> None:
    assert give_password(client, next="/desk/dashboard").location == "/auth/second-step"
    assert not is_in(client) and not sign_in_sessions.of(person)
    assert client.get("/auth/second-step").status_code == 200
    assert give_code(client, phone.wrong()).status_code == 422
    assert give_code(client, phone.code()).location == "/desk/dashboard"
    assert is_in(client)
    assert acts()[-2:] == ["user.code_wrong", "user.signed_in"] and let_in_by() == ["password", "code"]


def test_without_the_password_there_is_no_second_step(client: FlaskClient, person: User, phone: App) -> None:
    assert client.get("/auth/second-step").location == "/auth/sign-in"
    assert give_code(client, phone.code()).location == "/auth/sign-in"
    assert not is_in(client)


@pytest.mark.parametrize("change", ["time", "password", "switched off", "signed out by somebody"])
def test_what_is_half_in_ends(client: FlaskClient, person: User, phone: App, travel: Any, change: str) -> None:
    give_password(client)
    if change == "time":
        travel(minutes=11)
    elif change == "password":
        accounts.set_password(person, "quite another long phrase", None)
    elif change == "switched off":
        accounts.set_active(person, False, None)
    else:
        accounts.end_sessions(person, None)
    assert give_code(client, phone.code()).location == "/auth/sign-in"
    assert not is_in(client)


@pytest.mark.parametrize("step", range(-3, 4))
def test_a_clock_may_be_one_step_wrong(person: User, phone: App, step: int) -> None:
    assert second_factors.check(person, phone.code(step)) == (-1 <= step <= 1)


def test_no_code_counts_twice_and_none_from_before(person: User, phone: App) -> None:
    present = phone.code()
    assert second_factors.check(person, present) and not second_factors.check(person, present)
    assert not second_factors.check(person, phone.code(-1)), "older than one that was used"
    assert second_factors.check(person, phone.code(1))


@pytest.mark.plugins("email")
@pytest.mark.db
def test_guessing_codes_is_slowed_down_and_told(
    client: FlaskClient, person: User, phone: App, travel: Any, mailbox: Any, run_jobs: Any
) -> None:
    run_jobs()
    before = len(mailbox.messages)
    give_password(client)
    for _turn in range(guesses.CODE_FAILURES):
        assert give_code(client, phone.wrong()).status_code == 422
    assert give_code(client, phone.code()).status_code == 429
    other = client.application.test_client()
    give_password(other)
    assert give_code(other, phone.code()).status_code == 429, "from wherever it comes"
    run_jobs()
    assert [mail["Subject"] for mail in mailbox.messages[before:]] == ["Wrong codes were tried"]
    travel(minutes=16)
    give_password(client)
    assert give_code(client, phone.code()).status_code == 303


def test_whoever_is_between_the_two_steps_begins_anew_when_the_second_changes(
    client: FlaskClient, person: User, phone: App
) -> None:
    give_password(client)
    assert client.get("/auth/second-step").status_code == 200
    stamp = person.auth_stamp
    second_factors.switch_off(person)
    assert client.get("/auth/second-step").status_code == 303
    assert accounts.enter(person, stamp) is None, "as one whose password was checked before the step was set up"


def test_strangers_do_not_keep_the_second_step_from_a_browser_that_is_known(
    app: Flask, person: User, phone: App, paper: list[str]
) -> None:
    own, strange = app.test_client(), app.test_client()
    give_password(own)
    assert give_code(own, paper[0]).status_code == 303
    own.post("/auth/sign-out")
    for number in range(guesses.ADDRESS_FAILURES):
        strange.post("/auth/sign-in", data={"email": f"x{number}@desk.example", "password": "nope nope nope"})
    assert give_password(strange).status_code == 429
    give_password(own)
    assert give_code(own, paper[1]).status_code == 303


# ---- recovery codes


@pytest.mark.plugins("email")
def test_a_recovery_code_counts_once_and_is_told(
    client: FlaskClient, person: User, phone: App, paper: list[str], mailbox: Any, run_jobs: Any
) -> None:
    give_password(client)
    assert give_code(client, paper[2].upper().replace("-", " ")).status_code == 303
    assert is_in(client) and second_factors.recovery_codes_left(person) == 9
    assert let_in_by() == ["password", "recovery_code"]
    client.post("/auth/sign-out")
    give_password(client)
    assert give_code(client, paper[2]).status_code == 422
    run_jobs()
    text = mailbox.to("mia@desk.example")[-1].get_body(("plain",)).get_content()
    assert "9 recovery codes are left." in text


def test_few_codes_are_warned_of_and_new_ones_take_their_place(
    sign_in: Any, person: User, phone: App, paper: list[str], travel: Any
) -> None:
    here = sign_in(person)
    assert "Make new ones" not in here.get("/auth/security").text
    for code in paper[:7]:
        assert second_factors.check(person, code)
    assert "Make new ones" in here.get("/auth/security").text
    new = re.findall(r"<code>([a-z0-9-]+)</code>", here.post("/auth/security/recovery-codes").text)
    assert len(set(new)) == 10 and not second_factors.check(person, paper[8])
    assert second_factors.check(person, new[0])


def test_who_has_no_second_step_has_no_codes(sign_in: Any, person: User) -> None:
    assert sign_in(person).post("/auth/security/recovery-codes").status_code == 404


# ---- browsers that are remembered


def test_a_browser_is_remembered_for_a_month(client: FlaskClient, person: User, phone: App, travel: Any) -> None:
    give_password(client)
    answer = give_code(client, phone.code(), remember="1")
    (cookie,) = [text for text in answer.headers.getlist("Set-Cookie") if "-device=" in text]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie
    client.post("/auth/sign-out")
    assert give_password(client).location == "/desk/"
    assert let_in_by() == ["password", "remembered_browser"]
    assert give_password(client.application.test_client()).location == "/auth/second-step", "another browser"
    travel(days=31)
    assert give_password(client).location == "/auth/second-step"


def test_who_is_not_let_in_leaves_no_remembered_browser(
    client: FlaskClient, person: User, phone: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = second_factors.proof_of

    def proof_of(user: User, *rest: Any) -> Any:
        proof = real(user, *rest)
        accounts.set_password(user, PASSWORD, None)
        return proof

    give_password(client)
    monkeypatch.setattr(second_factors, "proof_of", proof_of)
    answer = give_code(client, phone.code(), remember="1")
    assert answer.location == "/auth/sign-in" and not is_in(client)
    assert not any("-device=" in text for text in answer.headers.getlist("Set-Cookie"))
    assert trusted_devices.of(person) == []


@pytest.mark.parametrize("has_phone", [True, False])
def test_a_password_that_was_changed_meanwhile_leads_nowhere(
    client: FlaskClient, person: User, request: Any, monkeypatch: pytest.MonkeyPatch, has_phone: bool
) -> None:
    app = request.getfixturevalue("phone") if has_phone else None
    real = accounts.sign_in

    def sign_in(*rest: Any, **more: Any) -> Any:
        found = real(*rest, **more)
        accounts.set_password(found[0], PASSWORD, None)
        return found

    monkeypatch.setattr(accounts, "sign_in", sign_in)
    give_password(client)
    if app is not None:
        give_code(client, app.code())
    assert not is_in(client)


def change_password(user: User) -> None:
    accounts.set_password(user, PASSWORD, None)


def change_factor(user: User) -> None:
    app = App(second_factors.prepare(user).secret)
    second_factors.confirm(user, app.code())


def forget(user: User) -> None:
    accounts.forget_device(user, trusted_devices.of(user)[0].id)


@pytest.mark.parametrize("change", [change_password, change_factor, forget])
def test_a_browser_is_forgotten(client: FlaskClient, person: User, phone: App, change: Callable[[User], None]) -> None:
    give_password(client)
    give_code(client, phone.code(), remember="1")
    client.post("/auth/sign-out")
    change(person)
    assert give_password(client).location == "/auth/second-step"


def test_the_cookie_of_one_person_is_nothing_to_another(
    client: FlaskClient, person: User, phone: App, make_user: Any
) -> None:
    other = make_user("agent", email="jonas@desk.example", password=PASSWORD)
    second_factors.confirm(other, App(second_factors.prepare(other).secret).code())
    give_password(client)
    give_code(client, phone.code(), remember="1")
    client.post("/auth/sign-out")
    answer = client.post("/auth/sign-in", data={"email": "jonas@desk.example", "password": PASSWORD})
    assert answer.location == "/auth/second-step"


def test_nobody_forgets_the_browser_of_somebody_else(person: User, as_agent: FlaskClient) -> None:
    trusted_devices.remember(person, "192.0.2.7", "Firefox")
    (row,) = trusted_devices.of(person)
    for number in (row.id, 999_999, 2**70):
        assert as_agent.post(f"/auth/security/devices/{number}/forget").status_code == 404
    assert len(trusted_devices.of(person)) == 1


# ---- links by mail


def test_a_link_for_a_new_password_does_not_lead_past_the_second_step(
    client: FlaskClient, person: User, phone: App
) -> None:
    secret = accounts.issue_token(accounts.RESET, person)
    new = "quite another long phrase"
    answer = client.post(f"/auth/password/reset/{secret}", data={"password": new, "repeated": new})
    assert answer.location == "/auth/second-step" and not is_in(client)
    assert give_code(client, phone.code()).status_code == 303 and is_in(client)


# ---- wanted by the owner


@pytest.mark.parametrize("role", ["agent", "supervisor", "admin", "requester"])
def test_an_owner_can_want_it_of_each_role(app: Flask, sign_in: Any, make_user: Any, configure: Any, role: str) -> None:
    user = make_user(role)
    client = sign_in(user)
    start = "/tickets" if role == "requester" else "/desk/me"
    configure(SecuritySettings, second_factor_agents=True, second_factor_supervisors=True, second_factor_admins=True)
    if role == "requester":
        assert client.get(start).status_code == 200
        return
    for path in (start, "/desk/", "/desk/views/all", "/", "/tickets", "/desk/counts"):
        assert client.get(path).location == "/auth/second-factor", path
    assert client.post("/desk/me", data={"name": "Mallory"}).location == "/auth/second-factor"
    fragment = client.get("/desk/counts", headers={"HX-Request": "true"})
    assert (fragment.status_code, fragment.headers["HX-Redirect"]) == (401, "/auth/second-factor")
    assert "Your role needs" in client.get("/auth/second-factor").text
    client.post("/auth/second-factor")
    code = App(second_factors.prepare(user).secret).code()
    assert client.post("/auth/second-factor/confirm", data={"code": code}).status_code == 200
    assert client.get(start).status_code == 200
    refused = client.post("/auth/second-factor/off")
    assert refused.status_code == 422 and second_factors.of(user) is not None


def test_a_role_that_needs_none_is_not_asked(sign_in: Any, make_user: Any, configure: Any) -> None:
    configure(SecuritySettings, second_factor_admins=True)
    assert sign_in(make_user("agent")).get("/desk/me").status_code == 200


def test_it_is_switched_off_by_who_has_it(sign_in: Any, person: User, phone: App, client: FlaskClient) -> None:
    here = sign_in(person)
    assert here.post("/auth/second-factor/off").status_code == 303
    assert second_factors.of(person) is None and second_factors.recovery_codes_left(person) == 0
    assert give_password(client).location == "/desk/"


# ---- lost


@pytest.mark.plugins("email")
def test_an_administrator_takes_a_lost_one_away(
    person: User,
    phone: App,
    as_admin: Any,
    as_agent: Any,
    sign_in: Any,
    mailbox: Any,
    run_jobs: Any,
    client: FlaskClient,
) -> None:
    inside = sign_in(person)
    assert "Take it away" in as_admin.get(f"/admin/people/{person.id}").text
    assert as_agent.post(f"/admin/people/{person.id}/second-factor/reset").status_code == 403
    with pytest.raises(NotAllowed):
        second_factors.reset(person, as_agent.user)
    assert as_admin.post(f"/admin/people/{person.id}/second-factor/reset").status_code == 303
    assert not is_in(inside) and give_password(client).location == "/desk/"
    run_jobs()
    assert mailbox.to("mia@desk.example")[-1]["Subject"] == "Two-step sign-in was taken away"
    entry = db.session.scalars(db.select(AuditEntry).where(AuditEntry.action == "user.second_factor_reset")).one()
    assert (entry.actor_id, entry.subject) == (as_admin.user.id, "mia@desk.example")
