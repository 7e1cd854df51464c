"""The owner says when teams work: a week, holidays, days that differ; what is typed wrongly is kept."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from helpdesk.core import generation
from helpdesk.core.extensions import db
from helpdesk.core.models import AuditEntry, BusinessHours
from helpdesk.core.working_time import holidays, hours_of, working_minutes_after

pytestmark = pytest.mark.db
ROOM = "/admin/hours"
WEEK = {f"day_{number}": "09:00-12:30, 13:30-17:00" for number in range(5)}


def test_hours_are_made_shown_changed_given_to_a_team_and_deleted(
    sign_in: Any, make_user: Any, make_team: Any, travel: Any
) -> None:
    travel(datetime(2026, 2, 9, 9, tzinfo=UTC))
    as_admin = sign_in(make_user("admin"))
    team, other = make_team("Workshop"), make_team("Sales")
    assert "round the clock" in as_admin.get(ROOM).text
    # A preview shows the days and saves nothing.
    form = {**WEEK, "name": "Shop", "time_zone": "Asia/Shanghai", "country": "CN"}
    looked = as_admin.post(f"{ROOM}/new", data={**form, "special": "2026-02-12 closed Stocktaking", "preview": "1"})
    assert "Stocktaking" in looked.text and "Working weekend" in looked.text and "Spring Festival" in looked.text
    assert db.session.query(BusinessHours).count() == 0
    # What cannot be understood is said beside its field, and stays.
    for field, text in (("special", "2026-02-30 closed"), ("day_0", "9 to 5"), ("name", " "), ("country", "ZZ")):
        page = as_admin.post(f"{ROOM}/new", data={**form, "special": "", field: text})
        assert page.status_code == 422 and f'id="f-{field}-error"' in page.text, field
        assert field == "country" or text.strip() in page.text
    special = "2026-02-12 closed Stocktaking\n2026-02-17 open 10-12"
    done = as_admin.post(f"{ROOM}/new", data={**form, "special": special})
    assert done.status_code == 303
    shop = db.session.query(BusinessHours).one()
    usual = shop.id
    assert shop.is_default and hours_of(None).id == hours_of(team.id).id == usual
    # Friday 17:00 in Shanghai: Saturday the 14th is worked in for the holidays, which the library knows.
    assert working_minutes_after(None, datetime(2026, 2, 13, 9, tzinfo=UTC), 60) == datetime(2026, 2, 14, 2, tzinfo=UTC)
    # The owner's own day goes before the holiday, and the closed one before the week.
    assert hours_of(None).is_open(datetime(2026, 2, 17, 3, tzinfo=UTC))
    assert not hours_of(None).is_open(datetime(2026, 2, 12, 3, tzinfo=UTC))

    night = {"name": "Night", "time_zone": "Europe/Berlin", "day_4": "22:00-06:00"}
    assert as_admin.post(f"{ROOM}/new", data=night).status_code == 303
    number = db.session.query(BusinessHours.id).filter_by(name="Night").scalar()
    page = as_admin.get(f"/admin/teams/{team.id}").text
    assert re.search(rf'<option value="{number}">Night', page)
    given = {"name": team.name, "active": "1", "color": "blue", "hours": str(number)}
    assert as_admin.post(f"/admin/teams/{team.id}", data=given).status_code == 303
    generation.forget()
    assert hours_of(team.id).name == "Night" and hours_of(other.id).name == "Shop"
    # Used, or the usual ones: not to be deleted.
    for kept in (number, usual):
        as_admin.post(f"{ROOM}/{kept}/delete")
        assert db.session.get(BusinessHours, kept) is not None
    assert as_admin.post(f"{ROOM}/{number}", data={**night, "name": "Late", "is_default": "1"}).status_code == 303
    assert hours_of(other.id).name == hours_of(None).name == "Late"
    assert as_admin.post(f"{ROOM}/{usual}/delete").status_code == 303
    db.session.expire_all()
    assert [row.name for row in db.session.query(BusinessHours)] == ["Late"]
    acts = [row.action for row in db.session.query(AuditEntry).filter(AuditEntry.action.like("hours.%"))]
    assert sorted(acts) == ["hours.changed", "hours.created", "hours.created", "hours.deleted"]
    assert as_admin.get(f"{ROOM}/{usual}").status_code == 404


def test_a_year_that_the_library_does_not_know_is_said_from_october_on(
    sign_in: Any, make_user: Any, travel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holidays, "is_announced", lambda country, part, year: year < 2027)
    travel(datetime(2026, 9, 30, 9, tzinfo=UTC))
    as_admin = sign_in(make_user("admin"))
    as_admin.post(f"{ROOM}/new", data={**WEEK, "name": "Shop", "country": "CN"})
    shop = db.session.query(BusinessHours).one()
    warning = "public holidays of 2027"
    assert warning not in as_admin.get(ROOM).text
    travel(datetime(2026, 10, 1, 9, tzinfo=UTC))
    assert warning in as_admin.get(ROOM).text and warning in as_admin.get(f"{ROOM}/{shop.id}").text
    days = {**WEEK, "name": "Shop", "country": "CN", "special": "2027-01-01 closed New Year"}
    assert as_admin.post(f"{ROOM}/{shop.id}", data=days).status_code == 303
    assert warning not in as_admin.get(ROOM).text
