"""People, passwords and sign-in."""

from datetime import timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from helpdesk.core import account_mail, accounts, staff
from helpdesk.core.accounts import AccountError, TooManyTries
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, Delivery, Organization, SignInAttempt, User
from helpdesk.core.permissions import NotAllowed
from helpdesk.core.transaction import transaction

PASSWORD = "a rather long pass phrase"
HERE = "192.0.2.7"


@pytest.fixture
def jonas(make_user: Any) -> User:
    user: User = make_user("agent", email="jonas@desk.example", password=PASSWORD)
    return user


# ---- people


@pytest.mark.parametrize(
    "address", ["", "a", "a@", "@b", "a b@c.example", "a@b@c", "<a@b.example>", "a@b.example, c@d.example", "ä\n@b.c"]
)
def test_what_is_no_address_is_refused(app: Any, address: str) -> None:
    with pytest.raises(AccountError) as problem:
        accounts.clean_email(address)
    assert problem.value.field == "email"


@pytest.mark.db
def test_somebody_who_writes_becomes_one_customer(app: Any) -> None:
    with transaction():
        db.session.add(Organization(name="School", domain="school.example"))
    first = accounts.requester_for(" Tom@School.Example ")
    assert (first.email, first.role, first.organization.name) == ("tom@school.example", "requester", "School")
    assert accounts.requester_for("tom@school.example", "Tom\r\nAshby").name == "Tom Ashby"
    assert accounts.requester_for("tom@school.example", "Somebody Else").name == "Tom Ashby"
    assert accounts.by_email("TOM@school.example") is first
    assert db.session.scalar(select(func.count(User.id))) == 1


@pytest.mark.db
def test_many_first_mails_at_once_make_one_customer(app: Any, at_once: Any) -> None:
    results = at_once(6, lambda place: accounts.requester_for("new@post.example", f"Name {place}").id)
    assert len(set(results)) == 1 and isinstance(results[0], int), results


def test_a_customer_may_become_staff_and_staff_is_not_made_twice(app: Any, make_user: Any) -> None:
    customer = accounts.requester_for("mia@shop.example", "Mia")
    stamp = customer.auth_stamp
    user = accounts.create_user("mia@shop.example", "", "agent", None, password=PASSWORD)
    assert user is customer and (user.role, user.name) == ("agent", "Mia") and user.auth_stamp != stamp
    with pytest.raises(AccountError, match="in use already"):
        accounts.create_user("MIA@shop.example", "Another", "admin", None)
    with pytest.raises(NotAllowed):
        accounts.create_user("x@shop.example", "", "agent", make_user("supervisor"))
    with pytest.raises(AccountError, match="no role"):
        accounts.create_user("x@shop.example", "", "owner", None)


def test_the_last_administrator_stays(make_user: Any) -> None:
    first, second = make_user("admin"), make_user("admin")
    accounts.set_active(second, False, first)
    for change in (
        lambda: accounts.set_active(first, False, None),
        lambda: accounts.change_role(first, "agent", None),
    ):
        with pytest.raises(AccountError, match="last administrator"):
            change()
    assert first.active and first.role == "admin"
    accounts.set_active(second, True, first)
    accounts.change_role(first, "agent", second)
    assert accounts.has_admin()


def test_acts_of_administration_are_written_down(make_user: Any) -> None:
    admin = make_user("admin")
    user = accounts.create_user("x@shop.example", "X", "agent", admin)
    accounts.change_role(user, "supervisor", admin)
    accounts.set_active(user, False, admin)
    accounts.set_password(user, PASSWORD, admin)
    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.actor_id == admin.id).order_by(AuditEntry.id))
    assert [(entry.action, entry.subject) for entry in entries] == [
        (action, "x@shop.example")
        for action in ("user.created", "user.role_changed", "user.disabled", "user.password_changed")
    ]
    assert all(PASSWORD not in str(entry.data) for entry in db.session.scalars(select(AuditEntry)))


# ---- passwords


@pytest.mark.parametrize("password", ["", "short", "123456789", "aaaaaaaaaaaa", "x" * 1025])
def test_a_weak_password_is_refused(jonas: User, password: str) -> None:
    before = jonas.password_hash
    with pytest.raises(AccountError) as problem:
        accounts.set_password(jonas, password, None)
    assert problem.value.field == "password" and jonas.password_hash == before


def test_passwords_are_kept_as_argon2(jonas: User) -> None:
    assert jonas.password_hash is not None and jonas.password_hash.startswith("$argon2id$")
    assert PASSWORD not in jonas.password_hash


def test_outside_tests_hashing_is_as_strong_as_argon2_advises(make_app: Any) -> None:
    app = make_app(testing=False)
    with app.app_context():
        user = accounts.create_user("x@shop.example", "", "agent", None, password=PASSWORD)
        assert user.password_hash is not None and not PasswordHasher().check_needs_rehash(user.password_hash)


@pytest.mark.parametrize("change", ["password", "role", "switched off", "switched off and on"])
def test_sessions_die_with_what_let_them_in(jonas: User, sign_in: Any, make_user: Any, change: str) -> None:
    make_user("admin")
    browser = sign_in(jonas)
    assert browser.get("/desk/me").status_code == 200
    if change == "password":
        accounts.set_password(jonas, "another long pass phrase", None)
    elif change == "role":
        accounts.change_role(jonas, "supervisor", None)
    else:
        accounts.set_active(jonas, False, None)
        if change == "switched off and on":
            accounts.set_active(jonas, True, None)
    answer = browser.get("/desk/me")
    assert answer.status_code == 303 and "/auth/sign-in" in answer.location


# ---- sign-in


@pytest.mark.db
def test_the_right_words_let_in(jonas: User) -> None:
    assert accounts.sign_in("Jonas@Desk.Example ", PASSWORD, HERE) == (jonas, jonas.auth_stamp)
    assert jonas.last_sign_in_at is None, "a second step may follow"
    secret = accounts.enter(jonas, jonas.auth_stamp, HERE)
    assert secret is not None and jonas.last_sign_in_at is not None
    assert accounts.enter(jonas, "of before", HERE) is None
    for login, password in (("jonas@desk.example", "wrong"), ("ghost@desk.example", PASSWORD), ("", "")):
        assert accounts.sign_in(login, password, HERE) is None


def test_people_without_a_password_or_switched_off_are_not_let_in(jonas: User, make_user: Any) -> None:
    nobody = make_user(email="tom@post.example")
    assert accounts.sign_in("tom@post.example", "", HERE) is None
    assert nobody.password_hash is None
    make_user("admin")
    accounts.set_active(jonas, False, None)
    assert accounts.sign_in("jonas@desk.example", PASSWORD, HERE) is None


@pytest.mark.db
@pytest.mark.parametrize("login", ["jonas@desk.example", "ghost@desk.example"])
def test_guessing_is_slowed_down_the_same_for_all(jonas: User, travel: Any, login: str) -> None:
    spelled = [login, login.upper(), f" {login.title()} "]
    for turn in range(accounts.FAILURES):
        assert accounts.sign_in(spelled[turn % 3], "wrong", HERE) is None
    for spelling in spelled:
        with pytest.raises(TooManyTries) as pause:
            accounts.sign_in(spelling, PASSWORD, "198.51.100.1")
        assert 1 <= pause.value.minutes <= 15 and "Wait" in str(pause.value)
    travel(minutes=16)
    assert (accounts.sign_in(login, PASSWORD, HERE) == (jonas, jonas.auth_stamp)) == login.startswith("jonas")


@pytest.mark.parametrize(
    "spelling",
    [
        "JONAS@DESK.EXAMPLE",
        " jonas@desk.example\t",
        "jonas+1@desk.example",
        "\uff4a\uff4f\uff4e\uff41\uff53@desk.example",
        "jo\u200bnas@desk.example",
        "jonas@desk.example\u00a0",
    ],
)
def test_no_spelling_escapes_the_count(jonas: User, spelling: str) -> None:
    for _turn in range(accounts.FAILURES):
        accounts.sign_in(spelling, "wrong", HERE)
    with pytest.raises(TooManyTries):
        accounts.sign_in("jonas@desk.example", PASSWORD, "198.51.100.1")


def test_a_network_of_ipv6_is_one_address(jonas: User) -> None:
    for turn in range(accounts.ADDRESS_FAILURES):
        accounts.sign_in(f"guess{turn}@desk.example", "wrong", f"2001:db8:1:2::{turn:x}")
    with pytest.raises(TooManyTries):
        accounts.sign_in("jonas@desk.example", PASSWORD, "2001:db8:1:2:ffff::1")
    assert accounts.sign_in("jonas@desk.example", PASSWORD, "2001:db8:1:3::1") == (jonas, jonas.auth_stamp)


def test_a_right_password_does_not_clear_the_count_of_the_address(jonas: User) -> None:
    for turn in range(accounts.ADDRESS_FAILURES):
        assert accounts.sign_in("jonas@desk.example", PASSWORD, HERE) == (jonas, jonas.auth_stamp)
        accounts.sign_in(f"guess{turn}@desk.example", "wrong", HERE)
    with pytest.raises(TooManyTries):
        accounts.sign_in("jonas@desk.example", PASSWORD, HERE)


def test_one_address_that_tries_many_accounts_is_slowed_down(jonas: User) -> None:
    for turn in range(accounts.ADDRESS_FAILURES):
        accounts.sign_in(f"guess{turn}@desk.example", "wrong", HERE)
    with pytest.raises(TooManyTries):
        accounts.sign_in("jonas@desk.example", PASSWORD, HERE)
    assert accounts.sign_in("jonas@desk.example", PASSWORD, "198.51.100.1") == (jonas, jonas.auth_stamp)


def test_old_failures_are_forgotten_and_success_clears_them(jonas: User, travel: Any) -> None:
    for _turn in range(accounts.FAILURES - 1):
        accounts.sign_in("jonas@desk.example", "wrong", HERE)
    travel(minutes=16)
    for _turn in range(accounts.FAILURES - 1):
        assert accounts.sign_in("jonas@desk.example", "wrong", HERE) is None
    assert accounts.sign_in("jonas@desk.example", PASSWORD, HERE) == (jonas, jonas.auth_stamp)
    for _turn in range(accounts.FAILURES - 1):
        assert accounts.sign_in("jonas@desk.example", "wrong", HERE) is None


def test_the_counters_keep_no_addresses(jonas: User) -> None:
    accounts.sign_in("jonas@desk.example", "wrong", HERE)
    for row in db.session.scalars(select(SignInAttempt)):
        assert len(row.key) == 64 and "jonas" not in row.key and HERE not in row.key


@pytest.mark.db
def test_guesses_at_once_are_all_counted(jonas: User, at_once: Any) -> None:
    results = at_once(accounts.FAILURES, lambda _place: accounts.sign_in("jonas@desk.example", "wrong", HERE))
    assert {type(result) for result in results} <= {type(None), TooManyTries}, results
    with pytest.raises(TooManyTries):
        accounts.sign_in("jonas@desk.example", PASSWORD, "198.51.100.1")


# ---- invitations and resets


@pytest.mark.plugins("email")
def test_an_invitation_carries_its_secret_only_in_the_mail(app: Any, mailbox: Any, run_jobs: Any) -> None:
    user = accounts.invite("mia@shop.example", "Mia", "agent", None)
    assert db.session.scalars(select(Delivery.kind)).all() == ["invitation"]
    run_jobs()
    (mail,) = mailbox.to("mia@shop.example")
    text = mail.get_body(("plain",)).get_content()
    secret = text.split("/auth/password/invitation/")[1].split()[0]
    token = accounts.find_token(accounts.INVITATION, secret)
    assert token is not None and token.user is user and secret not in token.digest


def test_a_link_handed_over_outlives_an_invitation_that_waited(app: Any, mailbox: Any, run_jobs: Any) -> None:
    user = accounts.invite("mia@shop.example", "Mia", "agent", None)
    secret = staff.invitation_link(user, None).rsplit("/", 1)[1]
    run_jobs()
    assert accounts.find_token(accounts.INVITATION, secret) is not None
    assert mailbox.to("mia@shop.example") == []


def test_an_invitation_that_waited_is_not_sent_to_who_has_a_password(app: Any, mailbox: Any, run_jobs: Any) -> None:
    user = accounts.invite("mia@shop.example", "Mia", "agent", None)
    accounts.set_password(user, PASSWORD, None)
    run_jobs()
    assert mailbox.to("mia@shop.example") == []


@pytest.mark.plugins("email")
def test_a_reset_is_for_accounts_and_not_too_often(app: Any, jonas: User, make_user: Any, travel: Any, mailbox: Any,
                                                   run_jobs: Any) -> None:  # fmt: skip
    make_user(email="customer@post.example")
    make_user("agent", email="off@desk.example", active=False)
    for address in ("ghost@desk.example", "customer@post.example", "off@desk.example", "JONAS@desk.example"):
        account_mail.ask_reset(address)
    run_jobs()
    assert [people for _sender, people in mailbox.envelopes] == [["jonas@desk.example"]]
    account_mail.ask_reset("jonas@desk.example")
    run_jobs()
    assert len(mailbox.messages) == 1
    travel(minutes=6)
    account_mail.ask_reset("jonas@desk.example")
    run_jobs()
    assert len(mailbox.messages) == 2


def test_registering_tells_nothing_and_invites_customers_only(
    app: Any, jonas: User, run_jobs: Any, mailbox: Any
) -> None:
    account_mail.ask_account("new@post.example", "New")
    account_mail.ask_account("jonas@desk.example", "Jonas")
    run_jobs()
    assert [row.address for row in db.session.scalars(select(Delivery))] == ["new@post.example"]


@pytest.mark.plugins("email")
def test_asking_many_times_queues_one_link(app: Any, jonas: User, run_jobs: Any, mailbox: Any, travel: Any) -> None:
    def links() -> list[tuple[str, str]]:
        rows = db.session.scalars(select(Delivery).order_by(Delivery.id))
        return [(row.address, row.kind) for row in rows]

    for _turn in range(3):
        # No job that sends has run yet.
        account_mail.send_reset("jonas@desk.example")
        account_mail.send_registration("new@post.example", "New")
    once = [("jonas@desk.example", "reset"), ("new@post.example", "invitation")]
    assert links() == once
    run_jobs()
    account_mail.send_registration("new@post.example", "New")
    assert links() == once and len(mailbox.messages) == 2, "one was sent a moment ago"
    travel(minutes=6)
    account_mail.send_registration("new@post.example", "New")
    assert links() == [*once, once[1]]


# ---- single-use secrets


@pytest.mark.db
def test_of_fifty_who_use_a_secret_at_once_one_does(app: Any, at_once: Any) -> None:
    secret = accounts.issue_token(accounts.SETUP)
    results = at_once(50, lambda _place: accounts.use_token(accounts.SETUP, secret))
    assert sorted(results) == [False] * 49 + [True]
    assert accounts.find_token(accounts.SETUP, secret) is None


def test_a_secret_is_for_one_purpose_and_replaces_the_one_before(jonas: User) -> None:
    first, second = accounts.issue_token(accounts.RESET, jonas), accounts.issue_token(accounts.RESET, jonas)
    setup = accounts.issue_token(accounts.SETUP)
    assert len(second) >= 22 and first != second
    assert accounts.find_token(accounts.RESET, first) is None
    assert accounts.find_token(accounts.SETUP, second) is None and not accounts.use_token(accounts.SETUP, second)
    assert not accounts.use_token(accounts.RESET, "") and not accounts.use_token(accounts.RESET, setup)
    assert accounts.use_token(accounts.RESET, second)


@pytest.mark.parametrize("purpose", accounts.LIFETIMES)
def test_a_secret_expires(app: Any, travel: Any, purpose: str) -> None:
    secret = accounts.issue_token(purpose)
    travel(seconds=(accounts.LIFETIMES[purpose] - timedelta(minutes=1)).total_seconds())
    assert accounts.find_token(purpose, secret) is not None
    travel(minutes=2)
    assert accounts.find_token(purpose, secret) is None and not accounts.use_token(purpose, secret)


def test_a_new_password_ends_open_resets(jonas: User) -> None:
    secret = accounts.issue_token(accounts.RESET, jonas)
    accounts.set_password(jonas, "another long pass phrase", jonas)
    assert accounts.find_token(accounts.RESET, secret) is None
