"""When a call can be promised, in any zone, also on the days on which the clocks change."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from helpdesk_callbacks.booking import cancel
from helpdesk_callbacks.models import Call, TeamCapacity
from helpdesk_callbacks.settings import CallbackSettings
from helpdesk_callbacks.slots import free_slots
from helpdesk_callbacks.zones import Twice, day_begins, quarter_up, read_local
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.api import Invalid, User, db, transaction

# Summer time of an hour north and south, of half an hour, at midnight, and none at all.
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Shanghai",
)
# Where the clocks change next after that day: forward, then back.
CHANGES = {
    "Europe/Berlin": (date(2027, 3, 28), date(2027, 10, 31)),
    "America/New_York": (date(2027, 3, 14), date(2027, 11, 7)),
    "Australia/Lord_Howe": (date(2027, 10, 3), date(2027, 4, 4)),
    "America/Santiago": (date(2027, 9, 5), date(2027, 4, 3)),
    "Africa/Cairo": (date(2027, 4, 30), date(2027, 10, 28)),
}


@given(st.sampled_from(ZONES), st.datetimes(datetime(2026, 1, 1), datetime(2032, 1, 1)), st.sampled_from([None, 0, 1]))
def test_a_time_that_is_read_is_the_one_that_was_written(zone: str, wall: datetime, fold: int | None) -> None:
    """It never comes, comes twice, or is the moment at which the clocks there show just that."""
    wall, place = wall.replace(second=0, microsecond=0), ZoneInfo(zone)
    both = {wall.replace(tzinfo=place, fold=number).astimezone(UTC) for number in (0, 1)}
    shown = {moment for moment in both if moment.astimezone(place).replace(tzinfo=None) == wall}
    try:
        moment = read_local(wall.isoformat(timespec="minutes"), zone, fold)
    except Twice as error:
        assert fold is None and shown == {error.earlier, error.later} and error.earlier < error.later
    except Invalid as error:
        assert not shown and "never comes" in str(error)
    else:
        assert moment in shown
        assert len(shown) == 1 or moment == sorted(shown)[fold or 0]


@pytest.mark.parametrize("zone", CHANGES)
def test_the_days_on_which_the_clocks_change(zone: str) -> None:
    """The hour that is left out never comes; the one that is repeated comes twice, and one says which."""
    forward, back = CHANGES[zone]
    place = ZoneInfo(zone)
    minutes = [
        datetime(day.year, day.month, day.day) + number * timedelta(minutes=5)
        for day in (forward, back)
        for number in range(288)
    ]
    never, twice = 0, 0
    for wall in minutes:
        text = wall.isoformat(timespec="minutes")
        try:
            read_local(text, zone)
        except Twice as error:
            twice += 1
            assert read_local(text, zone, 0) == error.earlier and read_local(text, zone, 1) == error.later
            assert "comes twice" in str(error)
        except Invalid as error:
            never += 1
            assert "never comes" in str(error)
    length = 6 if zone == "Australia/Lord_Howe" else 12
    assert (never, twice) == (length, length)
    day = day_begins(forward + timedelta(days=1), place) - day_begins(forward, place)
    assert day == timedelta(hours=24) - length * timedelta(minutes=5)


def test_what_is_no_time_is_said() -> None:
    for text in ("", "tomorrow", "2027-02-30T10:00", "2027-01-01", "2027-01-01T10:00+01:00", "0001-01-01T00:00"):
        with pytest.raises(Invalid) as error:
            read_local(text, "Asia/Shanghai")
        assert error.value.field == "start" and "2026-03-01 14:30" in str(error.value)
    for zone in ("Mars/Base", "", "../etc/passwd", "x" * 500):
        with pytest.raises(Invalid) as error:
            read_local("2027-01-01T10:00", zone)
        assert error.value.field == "zone"
    assert read_local(" 2027-01-01 10:00 ", "UTC") == datetime(2027, 1, 1, 10, tzinfo=UTC)
    assert quarter_up(datetime(2027, 1, 1, 10, 0, 1, tzinfo=UTC)) == datetime(2027, 1, 1, 10, 15, tzinfo=UTC)


@pytest.fixture
def march(travel: Any) -> datetime:
    """Thursday before the clocks are put forward in Berlin."""
    return travel(to=datetime(2027, 3, 25, 6, 0, tzinfo=UTC))


def test_slots_keep_the_hours_through_summer_time(march: datetime, app: Any, open_hours: Any) -> None:
    """Nine o'clock is nine o'clock before and after; whoever looks from elsewhere sees the same moments."""
    open_hours(time_zone="Europe/Berlin")
    berlin = free_slots(None, None, date(2027, 3, 26), 5, "Europe/Berlin")
    local = [slot.start.astimezone(ZoneInfo("Europe/Berlin")) for slot in berlin]
    assert {f"{at:%H:%M}" for at in local} == {
        f"{hour:02}:{minute}" for hour in range(9, 17) for minute in ("00", "30")
    }
    assert len(local) == 5 * 16
    assert {slot.start.hour for slot in berlin if slot.start.date() == date(2027, 3, 27)} == set(range(8, 16))
    assert {slot.start.hour for slot in berlin if slot.start.date() == date(2027, 3, 29)} == set(range(7, 15))
    for zone in ZONES:
        seen = free_slots(None, None, date(2027, 3, 27), 3, zone)
        begin, end = day_begins(date(2027, 3, 27), ZoneInfo(zone)), day_begins(date(2027, 3, 30), ZoneInfo(zone))
        assert [slot for slot in seen if slot in berlin] == [slot for slot in berlin if begin <= slot.start < end]


def test_slots_leave_out_who_is_away_and_what_is_taken(
    march: datetime,
    promise: Callable[..., Call],
    agent: User,
    make_user: Any,
    make_team: Any,
    insert: Any,
    open_hours: Any,
    count_queries: Any,
    configure: Any,
) -> None:
    """Holidays, shifts, absences, other calls, what a team takes; in a number of queries that does not grow."""
    hours = open_hours(country="DE")
    other = make_user("agent")
    team = make_team("Phones", members=[agent, other])
    friday, good_friday = date(2027, 4, 2), date(2027, 3, 26)

    def starts(day: date, agent_id: int | None = None, **wanted: Any) -> list[str]:
        return [f"{slot.start:%H:%M}" for slot in free_slots(team.id, agent_id, day, 1, "UTC", **wanted)]

    assert starts(good_friday) == []
    assert len(starts(friday)) == 16
    insert("special_day", business_hours_id=hours, day=good_friday, name="", times=[["10:00", "11:00"]])
    assert starts(good_friday) == ["10:00", "10:30"]
    at = datetime(2027, 4, 2, 9, tzinfo=UTC)
    away = {
        "user_id": agent.id,
        "kind": "sick",
        "note": "",
        "begins_at": at,
        "ends_at": at + timedelta(hours=5, minutes=10),
    }
    insert("absence", **away)
    assert starts(friday, agent.id) == ["14:30", "15:00", "15:30", "16:00", "16:30"]
    assert len(starts(friday)) == 16
    for begins, ends in (("10:00", "12:00"), ("15:00", "16:00")):
        insert("shift", user_id=other.id, weekday=4, begins=begins, ends=ends, first_day=date(2027, 1, 1))
    assert starts(friday) == ["10:00", "10:30", "11:00", "11:30", "14:30", "15:00", "15:30", "16:00", "16:30"]
    one = promise(at + timedelta(hours=6), team_id=team.id)
    assert "15:00" not in starts(friday, agent.id) and "15:00" in starts(friday)
    assert "15:00" in starts(friday, agent.id, but=one.id)
    # The team's second place is taken; with a third one there is still nobody who could call.
    two = promise(at + timedelta(hours=6, minutes=15), agent_id=other.id, team_id=team.id)
    assert "15:00" not in starts(friday)
    with transaction():
        db.session.add(TeamCapacity(team_id=team.id, most=3))
    assert "15:00" not in starts(friday)
    cancel(two, agent)
    assert "15:00" in starts(friday)
    cancel(one, agent)
    configure(CallbackSettings, slot_minutes="60")
    assert starts(friday) == ["10:00", "11:00", "15:00", "16:00"]
    configure(CallbackSettings, slot_minutes="15")
    free_slots(team.id, None, friday, 1, "UTC")
    with count_queries() as few:
        free_slots(team.id, None, friday, 1, "UTC")
    with count_queries() as many:
        free_slots(team.id, None, friday, 60, "UTC")
    assert len(many) == len(few) <= 7
    late = at + timedelta(hours=7, minutes=20)
    assert starts(friday, earliest=late) == ["16:30", "16:45"]


def test_an_agent_cannot_promise_what_nobody_keeps(
    march: datetime, promise: Callable[..., Call], agent: User, insert: Any, open_hours: Any
) -> None:
    """Outside the hours and while away; on purpose it can be had."""
    open_hours()
    evening = datetime(2027, 3, 30, 20, tzinfo=UTC)
    with pytest.raises(Invalid, match="Nobody works at that time"):
        promise(evening)
    assert promise(evening, anyway=True).anyway
    away = {"user_id": agent.id, "kind": "sick", "note": ""}
    insert("absence", begins_at=evening - timedelta(hours=12), ends_at=evening, **away)
    with pytest.raises(Invalid, match="is not there"):
        promise(evening - timedelta(hours=6))
    promise(evening - timedelta(hours=6), agent_id=None)
