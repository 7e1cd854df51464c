"""The roster: supervisors plan shifts, everybody notes their own absence, and a hole is said."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from helpdesk.core import hours_editing, roster
from helpdesk.core.extensions import db
from helpdesk.core.hours_editing import HoursDraft
from helpdesk.core.models import Absence, AuditEntry, Shift
from helpdesk.core.working_time import available_users, is_available, on_shift

pytestmark = pytest.mark.db
ROOM = "/desk/roster"
# A Tuesday in Berlin, where it is UTC+1.
TUESDAY = datetime(2026, 11, 24, 11, 30, tzinfo=UTC)
OFFICE = ("09:00-17:00",) * 5 + ("", "")


@pytest.fixture
def office(travel: Any, app: Any) -> None:
    travel(datetime(2026, 11, 23, 8, tzinfo=UTC))
    hours_editing.make_hours(HoursDraft("Office", OFFICE, "Europe/Berlin"), None)


def test_a_supervisor_plans_a_week_and_sees_its_hole(
    office: None, make_user: Any, make_team: Any, sign_in: Any, count_queries: Any
) -> None:
    mia, jo = make_user("agent", name="Mia"), make_user("agent", name="Jo")
    team = make_team("Workshop", members=[mia, jo])
    boss = sign_in(make_user("supervisor", name="Sue"))
    # Nobody has a shift: everybody is there while it is open, and there is no hole.
    assert available_users([mia, jo], TUESDAY, team.id) == {mia.id, jo.id}
    assert "Nobody is on shift" not in boss.get(f"{ROOM}?team={team.id}").text
    form = {"user": mia.id, "weekday": "1", "first_day": "2026-11-24", "begins": "9:00", "ends": "12:00"}
    for field, value in (("ends", "noon"), ("first_day", "soon"), ("user", "0"), ("last_day", "2026-11-01")):
        page = boss.post(f"{ROOM}/shifts/new", data={**form, field: value})
        assert page.status_code == 422 and value in page.text, field
    assert db.session.query(Shift).count() == 0
    answer = boss.post(f"{ROOM}/shifts/new", data=form)
    assert answer.status_code == 303 and "day=2026-11-24" in answer.location
    boss.post(f"{ROOM}/shifts/new", data={**form, "user": jo.id, "begins": "14:00", "ends": "17:00"})
    with count_queries() as queries:
        page = boss.get(f"{ROOM}?team={team.id}&day=2026-11-26").text
    assert len(queries) <= 8, queries
    holes = re.findall(r'<li>(\w+, \w+ \d+) <span class="ltr num">([\d:-]+)', page)
    # Only Tuesday has shifts in this week; they speak for all of it.
    others = [(f"{day}, Nov {number}", "09:00-17:00") for day, number in (("Wed", 25), ("Thu", 26), ("Fri", 27))]
    assert holes == [("Mon, Nov 23", "09:00-17:00"), ("Tue, Nov 24", "12:00-14:00"), *others]
    assert on_shift([mia, jo], TUESDAY - timedelta(hours=1)) == {mia.id}
    assert available_users([mia, jo], TUESDAY, team.id) == set()
    assert not is_available(mia, TUESDAY + timedelta(days=1))
    # The next week the weekly shifts come again; the one before it nobody had any.
    assert is_available(mia, TUESDAY + timedelta(days=7, hours=-1)) and is_available(mia, TUESDAY - timedelta(days=7))

    shift = db.session.query(Shift).filter_by(user_id=jo.id).one()
    changed = {**form, "user": jo.id, "begins": "12:00", "ends": "17:00"}
    assert boss.post(f"{ROOM}/shifts/{shift.id}", data=changed).status_code == 303
    assert available_users([mia, jo], TUESDAY, team.id) == {jo.id}
    assert boss.post(f"{ROOM}/shifts/{shift.id}/remove").status_code == 303
    assert db.session.query(Shift).count() == 1
    acts = {row.action for row in db.session.query(AuditEntry).filter(AuditEntry.subject.in_(["Mia", "Jo"]))}
    assert {"roster.shift_added", "roster.shift_changed", "roster.shift_removed"} <= acts


def test_somebody_notes_their_own_absence_and_nobody_elses(
    office: None, make_user: Any, make_team: Any, sign_in: Any
) -> None:
    mia, jo = make_user("agent", name="Mia"), make_user("agent", name="Jo")
    team = make_team(members=[mia, jo])
    hers, his, boss = sign_in(mia), sign_in(jo), sign_in(make_user("supervisor"))
    assert hers.get(f"{ROOM}/shifts/new").status_code == 403
    # The form of an agent is about the agent, whatever it says.
    form = {"user": jo.id, "first": "2026-11-24", "last": "2026-11-25", "kind": "sick", "note": "Dentist"}
    assert hers.post(f"{ROOM}/absences/new", data={**form, "last": "2026-11-23"}).status_code == 422
    assert hers.post(f"{ROOM}/absences/new", data={**form, "from": "25:00"}).status_code == 422
    assert hers.post(f"{ROOM}/absences/new", data=form).status_code == 303
    absence = db.session.query(Absence).one()
    # Whole days of Berlin.
    assert (absence.user_id, absence.begins_at) == (mia.id, datetime(2026, 11, 23, 23, tzinfo=UTC))
    assert absence.ends_at == datetime(2026, 11, 25, 23, tzinfo=UTC)
    assert available_users([mia, jo], TUESDAY) == {jo.id}
    assert available_users([mia, jo], TUESDAY + timedelta(days=2)) == {mia.id, jo.id}
    # Why is seen by herself and by supervisors.
    for browser, sees in ((hers, True), (boss, True), (his, False)):
        page = browser.get(f"{ROOM}?day=2026-11-24").text
        assert ("Dentist" in page, "Sick" in page) == (sees, sees)
    assert his.post(f"{ROOM}/absences/{absence.id}/remove").status_code == 404
    timed = {"user": jo.id, "first": "2026-11-24", "last": "2026-11-24", "from": "12:00", "until": "13:00"}
    assert boss.post(f"{ROOM}/absences/new", data={**timed, "kind": "other"}).status_code == 303
    # Both away from 12 to 13 on Tuesday.
    hole = "Nobody is on shift: Tue, Nov 24, 12:00-13:00."
    assert hole in boss.get(f"{ROOM}?day=2026-11-24&team={team.id}").text
    assert available_users([mia, jo], TUESDAY) == set()
    assert hers.post(f"{ROOM}/absences/{absence.id}/remove").status_code == 303
    assert available_users([mia, jo], TUESDAY) == {mia.id}


def test_a_night_shift_runs_into_the_next_day_and_the_next_week(office: None, make_user: Any, make_team: Any) -> None:
    mia = make_user("agent", name="Mia")
    night, day = make_team("Night", members=[mia]), make_team("Day", members=[mia])
    draft = roster.ShiftDraft(mia, "22:00", "06:00", date(2026, 11, 22), weekday=6, team=night)
    roster.add_shift(draft, None)
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    assert is_available(mia, monday + timedelta(hours=4, minutes=59), night.id)
    assert not is_available(mia, monday + timedelta(hours=5), night.id)
    # On a shift for one team one is not there for another; in its week not by the hours of that one either.
    assert not is_available(mia, monday + timedelta(hours=4), day.id)
    assert not is_available(mia, monday + timedelta(hours=9), day.id)
