"""Column types: what cannot be stored everywhere is made storable, moments are aware, and nothing else changes."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from helpdesk.core.extensions import db
from helpdesk.core.models import Event, Organization, Team
from helpdesk.core.models.columns import storable
from helpdesk.core.transaction import transaction


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text())
def test_storable_text_can_be_encoded_and_is_otherwise_the_same(text: str) -> None:
    clean = storable(text)
    assert "\x00" not in clean and clean.encode("utf-8")[:0] == b"" and len(clean) == len(text)
    assert storable(clean) == clean
    assert all(new in (old, "\ufffd") for old, new in zip(text, clean, strict=True))


@pytest.mark.db
def test_whatever_people_send_is_stored(app: Any) -> None:
    hostile = "NUL \x00, lone \ud800 surrogate, 退款, 👩‍🔧, \u202e"
    with transaction():
        team = Team(name=hostile)
        event = Event(kind="probe", data={hostile: [hostile, {"deep": hostile}], "n": 1, "none": None})
        db.session.add_all([team, event])
    db.session.rollback()
    clean = storable(hostile)
    assert team.name == clean
    assert event.data == {clean: [clean, {"deep": clean}], "n": 1, "none": None}


@pytest.mark.db
def test_moments_come_back_as_they_went_in(app: Any) -> None:
    moment = datetime(2026, 3, 29, 2, 30, 15, 123456, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with transaction():
        organization = Organization(name="x", created_at=moment)
        db.session.add(organization)
    db.session.rollback()
    assert organization.created_at == moment and organization.created_at.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused(app: Any) -> None:
    with pytest.raises(StatementError, match="naive time"), transaction():
        db.session.add(Organization(name="x", created_at=datetime(2026, 1, 1)))
