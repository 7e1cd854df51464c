"""What plugins say to staff in their own words, and whom they find there."""

from datetime import timedelta
from typing import Any

from helpdesk.api import (
    Delivery,
    attendance_between,
    available_users,
    db,
    lazy_gettext,
    now,
    tell,
    transaction,
)
from helpdesk.core import personal_data
from helpdesk.core.models import Absence, Notification, Shift
from helpdesk.core.notifications.words import sentence


def test_staff_are_told_in_their_language_and_only_of_what_they_see(
    make_user: Any, make_ticket: Any, make_team: Any, run_jobs: Any, sign_in: Any
) -> None:
    """On the page and by mail; not who did it, and not who may not see the ticket."""
    anna, bo, cleo = make_user("agent"), make_user("agent"), make_user("agent")
    with transaction():
        bo.locale = "zh_Hans"
    team = make_team("Private", members=[anna, bo])
    with transaction():
        team.private = True
    ticket = make_ticket(team=team)
    run_jobs()
    before = db.session.scalars(db.select(db.func.count(Delivery.id)).where(Delivery.kind == "notices")).one()
    with transaction():
        tell([anna, bo, cleo, anna], lazy_gettext("It is due soon."), ticket, None)
        assert tell([], lazy_gettext("It is due soon."), ticket) is None
        tell([anna], lazy_gettext("It is overdue."), ticket, anna)
    run_jobs()
    found = db.session.scalars(db.select(Notification).where(Notification.kind == "told")).all()
    assert sorted(row.user_id for row in found) == [anna.id, bo.id]
    assert sentence(found[0]) == "It is due soon."
    assert "It is due soon." not in sign_in(bo).get("/desk/notifications").text
    assert "It is due soon." in sign_in(anna).get("/desk/notifications").text
    mails = db.session.scalars(db.select(db.func.count(Delivery.id)).where(Delivery.kind == "notices")).one()
    assert mails == before + 2
    # Whom it names may be erased.
    personal_data.erase(ticket.requester, make_user("admin"))
    assert "It is due soon." not in sign_in(anna).get("/desk/notifications").text


def test_attendance_agrees_with_who_is_there_at_each_moment(make_user: Any, make_team: Any) -> None:
    """Shifts of one team and of all, absences, and those who have no shift in a week."""
    people = [make_user("agent") for _number in range(4)]
    team, other = make_team("One"), make_team("Other")
    at = now().replace(minute=0, second=0, microsecond=0)
    day = at.date()
    with transaction():
        db.session.add(Shift(user_id=people[0].id, weekday=day.weekday(), begins="08:00", ends="16:00", first_day=day))
        db.session.add(Shift(user_id=people[1].id, team_id=team.id, begins="20:00", ends="04:00", first_day=day))
        db.session.add(
            Absence(user_id=people[2].id, begins_at=at + timedelta(hours=5), ends_at=at + timedelta(hours=9))
        )
    end = at + timedelta(days=9)
    attendance = attendance_between(people, at, end)
    for hours in range(0, 9 * 24, 3):
        moment = at + timedelta(hours=hours)
        for number in (None, team.id, other.id):
            wanted = available_users(people, moment, number)
            assert {user.id for user in people if attendance.is_there(user.id, moment, number)} == wanted, (
                moment,
                number,
            )
    assert attendance_between([], at, end).openings()
