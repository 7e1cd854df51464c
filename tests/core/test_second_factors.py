"""Codes of the second step: each counts once, also of many at once."""

from typing import Any

import pyotp
import pytest

from helpdesk.core import second_factors
from helpdesk.core.clock import now
from helpdesk.core.extensions import db
from helpdesk.core.models import User


@pytest.mark.db
@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_of_many_at_once_with_the_same_code_one_is_right(make_user: Any, at_once: Any, kind: str) -> None:
    user = make_user("agent")
    factor = second_factors.prepare(user)
    app, step = pyotp.TOTP(factor.secret), int(now().timestamp()) // second_factors.STEP
    paper = second_factors.confirm(user, app.generate_otp(step))
    code, number = (app.generate_otp(step + 1) if kind == "app" else paper[0]), user.id
    results = at_once(4, lambda _place: second_factors.check(db.session.get_one(User, number), code))
    assert sorted(results) == [False] * 3 + [True], results
    assert second_factors.recovery_codes_left(db.session.get_one(User, number)) == (10 if kind == "app" else 9)
