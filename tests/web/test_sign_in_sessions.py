"""Sessions as rows: listed, ended one by one or all at once, over by themselves."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from helpdesk.core import accounts, sign_in_sessions
from helpdesk.core.extensions import db
from helpdesk.core.jobs import retention
from helpdesk.core.models import AuditEntry, SignInSession, User

PASSWORD = "a rather long pass phrase"
INSIDE = "/auth/security"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1"


@pytest.fixture(params=["agent", "requester"])
def person(make_user: Any, request: pytest.FixtureRequest) -> User:
    user: User = make_user(request.param, email="mia@desk.example", password=PASSWORD)
    return user


@pytest.fixture
def agent(make_user: Any) -> User:
    user: User = make_user("agent", email="mia@desk.example", password=PASSWORD)
    return user


def browser(app: Flask, agent: str = FIREFOX, password: str = PASSWORD) -> FlaskClient:
    """A browser that has signed in as people do."""
    client = app.test_client()
    data = {"email": "mia@desk.example", "password": password}
    assert client.post("/auth/sign-in", data=data, headers={"User-Agent": agent}).status_code == 303
    return client


def is_in(client: FlaskClient) -> bool:
    return client.get(INSIDE).status_code == 200


def test_one_browser_is_signed_out_from_another(app: Flask, person: User) -> None:
    here, phone, third = browser(app), browser(app, SAFARI), browser(app)
    page = here.get(INSIDE).text
    assert "Firefox on Linux" in page and "Safari on iPhone" in page and page.count("This browser") == 1
    (number,) = [row.id for row in sign_in_sessions.of(person) if "iPhone" in row.agent]
    assert here.post(f"/auth/security/sessions/{number}/end").status_code == 303
    assert (is_in(here), is_in(phone), is_in(third)) == (True, False, True)
    assert here.post(f"/auth/security/sessions/{number}/end").status_code == 404
    assert here.post("/auth/security/sessions/end-others").status_code == 303
    assert (is_in(here), is_in(third)) == (True, False)
    acts = db.session.scalars(db.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts[-2:] == ["user.session_ended", "user.sessions_ended"]


def test_nobody_ends_the_session_of_somebody_else(app: Flask, agent: User, as_agent: FlaskClient) -> None:
    mine = browser(app)
    (row,) = sign_in_sessions.of(agent)
    foreign = as_agent.post(f"/auth/security/sessions/{row.id}/end")
    never = as_agent.post("/auth/security/sessions/999999/end")
    assert foreign.status_code == never.status_code == 404
    assert as_agent.post(f"/auth/security/sessions/{2**70}/end").status_code == 404
    assert is_in(mine)


def test_signing_out_ends_the_row_and_not_only_the_cookie(app: Flask, agent: User) -> None:
    client = browser(app)
    with client.session_transaction() as session:
        cookie = dict(session)
    client.post("/auth/sign-out")
    with client.session_transaction() as session:
        session.update(cookie)
    assert not is_in(client)
    assert db.session.scalar(db.select(db.func.count(SignInSession.id))) == 0


def test_the_secret_is_nowhere_at_rest_and_changes_with_each_sign_in(app: Flask, agent: User) -> None:
    client = browser(app)
    with client.session_transaction() as session:
        first = session["_user_id"]
    client.post("/auth/sign-in", data={"email": "mia@desk.example", "password": PASSWORD})
    with client.session_transaction() as session:
        second = session["_user_id"]
    assert first != second and len(second) >= 43
    (row,) = sign_in_sessions.of(agent)
    assert second not in str([getattr(row, column.name) for column in SignInSession.__table__.columns])


def test_a_cookie_from_before_the_upgrade_signs_in_again(app: Flask, agent: User) -> None:
    client = app.test_client()
    with client.session_transaction() as session:
        session["_user_id"], session["_fresh"] = f"{agent.id}.{agent.auth_stamp}", True
    assert client.get(INSIDE).location.startswith("/auth/sign-in")


def test_a_session_ends_by_itself(app: Flask, agent: User, travel: Any) -> None:
    client = browser(app)
    travel(days=2, hours=23)
    assert is_in(client)
    sign_in_sessions.write_visits()
    travel(days=2, hours=23)
    assert is_in(client), "each visit keeps it"
    travel(days=3, minutes=1)
    assert not is_in(client), "nobody came for three days"
    client = browser(app)
    for _visit in range(6):
        travel(days=2, hours=8)
        client.get(INSIDE)
        sign_in_sessions.write_visits()
    assert not is_in(client), "fourteen days are the end, however often somebody comes"


def test_a_visit_writes_nothing_itself_and_is_noted_every_few_minutes(
    app: Flask, agent: User, travel: Any, count_queries: Any
) -> None:
    client = browser(app)
    seen = db.session.scalars(db.select(SignInSession.seen_at)).one()
    for minutes in (1, 10):
        travel(minutes=minutes)
        with count_queries() as statements:
            client.get(INSIDE)
        assert not [one for one in statements if not one.startswith("SELECT")]
        assert len([one for one in statements if "sign_in_session.digest =" in one]) == 1
        sign_in_sessions.write_visits()
        db.session.rollback()
        noted = db.session.scalars(db.select(SignInSession.seen_at)).one() - seen
        assert (noted > timedelta(minutes=5)) == (minutes == 10)


def test_what_is_over_is_taken_away(app: Flask, agent: User, travel: Any) -> None:
    browser(app)
    travel(days=15)
    sign_in_sessions.forget_old()
    assert db.session.scalar(db.select(db.func.count(SignInSession.id))) == 0
    assert "forget_old" in retention.purge_old.__code__.co_names


def test_who_changes_the_password_stays_and_everybody_else_goes(app: Flask, person: User) -> None:
    here, there = browser(app), browser(app)
    new = "quite another long phrase"
    form = {"password": PASSWORD, "new_password": new, "repeated": new}
    assert here.post("/auth/security/password", data={**form, "password": "wrong"}).status_code == 422
    assert here.post("/auth/security/password", data={**form, "repeated": "other"}).status_code == 422
    assert here.post("/auth/security/password", data=form).status_code == 303
    assert (is_in(here), is_in(there)) == (True, False)
    assert is_in(browser(app, password=new))


def test_a_sign_in_that_began_before_the_password_changed_does_not_come_in(app: Flask, agent: User) -> None:
    stamp = agent.auth_stamp
    accounts.set_password(agent, "quite another long phrase", None)
    assert accounts.enter(agent, stamp) is None
    assert not sign_in_sessions.of(agent)


def test_administrators_sign_people_out(app: Flask, agent: User, as_admin: Any, as_agent: FlaskClient) -> None:
    client = browser(app, SAFARI)
    assert "Safari on iPhone" in as_admin.get(f"/admin/people/{agent.id}").text
    assert as_agent.post(f"/admin/people/{agent.id}/sign-out").status_code == 403
    assert is_in(client)
    assert as_admin.post(f"/admin/people/{agent.id}/sign-out").status_code == 303
    assert not is_in(client)
    as_admin.post(f"/admin/people/{as_admin.user.id}/sign-out")
    assert is_in(as_admin), "one does not lock oneself out"


def test_an_account_of_a_program_is_not_let_in(app: Flask, make_user: Any) -> None:
    user = make_user("agent", email="mia@desk.example", password=PASSWORD)
    client = browser(app)
    user.is_service = True
    db.session.commit()
    assert not is_in(client)
    assert accounts.enter(user, user.auth_stamp) is None


@pytest.mark.plugins("email")
def test_a_new_browser_is_told_by_mail_and_a_known_one_is_not(
    app: Flask, agent: User, mailbox: Any, run_jobs: Any
) -> None:
    here = browser(app)
    run_jobs()
    assert mailbox.to("mia@desk.example") == [], "the first of all is no news"
    here.post("/auth/sign-out")
    here.post("/auth/sign-in", data={"email": "mia@desk.example", "password": PASSWORD})
    run_jobs()
    assert mailbox.to("mia@desk.example") == []
    browser(app, SAFARI)
    run_jobs()
    (mail,) = mailbox.to("mia@desk.example")
    text = mail.get_body(("plain",)).get_content()
    assert mail["Subject"] == "A new browser signed in" and "Safari on iPhone" in text and "127.0.0.1" in text
    assert not re.search(r"https?://", text), "no link, so that nobody learns to press one"
