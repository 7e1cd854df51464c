"""Where somebody is signed in, signing them out, and a second step that is lost."""

from collections.abc import Callable
from typing import Any

import pyotp
import pytest

from helpdesk.core import second_factors, sign_in_sessions
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, User
from tests.cli.conftest import Said

# Commands here work on the home, whatever database the desk of a test has.
pytestmark = pytest.mark.sqlite

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


def test_operators_see_and_end_sessions(helpdesk: Callable[..., Said], app: Any, make_user: Any) -> None:
    user: User = make_user("agent", email="mia@shop.example")
    nowhere = helpdesk("user", "sessions", "mia@shop.example")
    assert nowhere.status == 0 and "signed in nowhere" in nowhere.out + nowhere.err
    sign_in_sessions.begin(user, "192.0.2.7", FIREFOX)
    (row,) = helpdesk("user", "sessions", "mia@shop.example", "--json").json
    assert (row["browser"], row["address"]) == ("Firefox on Linux", "192.0.2.7")
    said = helpdesk("user", "sign-out", "mia@shop.example")
    assert said.out == "mia@shop.example is signed out of 1 browser.\n"
    db.session.rollback()
    assert not sign_in_sessions.of(user)
    assert db.session.scalars(db.select(AuditEntry.action)).all()[-1] == "user.sessions_ended"


def test_the_last_administrator_gets_in_again(helpdesk: Callable[..., Said], app: Any, make_user: Any) -> None:
    user: User = make_user("admin", email="sam@shop.example")
    none = helpdesk("user", "reset-second-factor", "sam@shop.example")
    assert (none.status, none.err) == (1, "sam@shop.example has no second step.\n")
    codes = pyotp.TOTP(second_factors.prepare(user).secret)
    second_factors.confirm(user, codes.generate_otp(int(now().timestamp()) // second_factors.STEP))
    said = helpdesk("user", "reset-second-factor", "sam@shop.example")
    assert said.out == "sam@shop.example signs in by the password alone now.\n"
    db.session.rollback()
    assert second_factors.of(user) is None and second_factors.recovery_codes_left(user) == 0
