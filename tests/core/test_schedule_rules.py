"""When schedules are due: every rule in every zone, held against a clock that is read minute by minute."""

import functools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from helpdesk.core.models import Schedule
from helpdesk.core.schedules import next_due, words
from helpdesk.core.schedules.rules import all_due, last_due
from helpdesk.plugins import crontab

ZONES = sorted(available_timezones())
# Half an hour of summer time, a day left out, summer time that rests in Ramadan, clocks put forward at midnight.
PECULIAR = ("Australia/Lord_Howe", "Pacific/Apia", "Africa/Casablanca", "America/Nuuk", "America/Santiago", "Asia/Gaza")
JANUARY = datetime(2026, 1, 14, 12, 0, tzinfo=UTC)  # a Wednesday
_MINUTE = timedelta(minutes=1)


def daily(at: str, *weekdays: int) -> dict[str, Any]:
    return {"daily_at": at, "weekdays": list(weekdays)}


def dues(rule: dict[str, Any], zone: str, after: datetime, count: int) -> list[datetime]:
    found: list[datetime] = []
    for _number in range(count):
        found.append(next_due(rule, zone, found[-1] if found else after))
    return found


def local(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


# ---- when


def test_a_time_that_the_clocks_leave_out_becomes_the_next_that_there_is() -> None:
    found = dues(daily("02:30"), "Europe/Berlin", datetime(2026, 3, 27, 12, tzinfo=UTC), 3)
    assert [local(moment, "Europe/Berlin") for moment in found] == [
        "2026-03-28 02:30",
        "2026-03-29 03:00",
        "2026-03-30 02:30",
    ]


def test_a_time_that_comes_twice_counts_the_first_time() -> None:
    found = dues(daily("02:30"), "Europe/Berlin", datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert found == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]
    between = datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    assert next_due(daily("02:30"), "Europe/Berlin", between) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_a_day_that_there_is_not_has_no_due_time() -> None:
    found = dues(daily("02:30"), "Pacific/Apia", datetime(2011, 12, 28, 22, tzinfo=UTC), 2)
    assert [local(moment, "Pacific/Apia") for moment in found] == ["2011-12-29 02:30", "2011-12-31 02:30"]


def test_only_on_some_weekdays() -> None:
    found = dues(daily("08:00", 0, 4), "UTC", JANUARY, 3)
    assert [moment.isoformat()[:16] for moment in found] == ["2026-01-16T08:00", "2026-01-19T08:00", "2026-01-23T08:00"]


def test_every_so_long_keeps_its_step_and_runs_what_was_missed_once() -> None:
    rule, start = {"every": 3600}, JANUARY
    assert next_due(rule, "UTC", start) == start + timedelta(hours=1)
    late = start + timedelta(hours=5, minutes=20)
    assert next_due(rule, "UTC", late, start) == start + timedelta(hours=6)
    assert next_due(rule, "UTC", start + timedelta(hours=6), start) == start + timedelta(hours=7)
    # A clock that was put back finds its place among the same steps.
    assert next_due(rule, "UTC", start - timedelta(days=1, minutes=20), start) == start - timedelta(days=1)


@settings(deadline=None)
@given(
    seconds=st.integers(60, 86_400 * 366),
    gone=st.integers(0, 86_400 * 800),
)
def test_every_is_the_first_step_after_now(seconds: int, gone: int) -> None:
    after, step = JANUARY + timedelta(seconds=gone), timedelta(seconds=seconds)
    due = next_due({"every": seconds}, "UTC", after, JANUARY)
    assert after < due <= after + step and (due - JANUARY) % step == timedelta(0)


# ---- against a clock that is read minute by minute


@functools.cache
def is_in(field: str, value: int, most: int) -> bool:
    """Whether a field of a crontab that has no names means ``value``; written apart from the reader that is tested."""
    for part in field.split(","):
        base, _slash, step = part.partition("/")
        low, high = (0, most) if base == "*" else ([int(one) for one in base.split("-")] * 2)[:2]
        # Days and months count from 1, and so do their steps.
        begin = 1 if base == "*" and most in (31, 12) else low
        if low <= value <= high and value >= begin and (value - begin) % int(step or 1) == 0:
            return True
    return False


def is_wanted(rule: dict[str, Any], wall: datetime) -> bool:
    """Whether a rule names a local time."""
    if "crontab" in rule:
        minute, hour, day, month, weekday = rule["crontab"].split()
        sunday_first = wall.isoweekday() % 7
        of_month = is_in(day, wall.day, 31)
        of_week = is_in(weekday, sunday_first, 7) or (sunday_first == 0 and is_in(weekday, 7, 7))
        either = "*" not in (day[0], weekday[0])
        on_day = (of_month or of_week) if either else (of_month and of_week)
        return on_day and is_in(month, wall.month, 12) and is_in(minute, wall.minute, 59) and is_in(hour, wall.hour, 23)
    if wall.strftime("%H:%M") != rule["daily_at"]:
        return False
    if days := rule.get("month_days"):
        return wall.day in days or (-1 in days and (wall + timedelta(days=1)).day == 1)
    return not rule.get("weekdays") or wall.weekday() in rule["weekdays"]


def read_clock(rule: dict[str, Any], zone: str, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Each moment at which a clock on the wall first shows, or first has passed, a time that the rule names."""
    place = ZoneInfo(zone)

    def wall(moment: datetime) -> datetime:
        return moment.astimezone(place).replace(tzinfo=None)

    days = {wall(begin + _MINUTE * number).date() for number in range(0, int((end - begin) / _MINUTE), 30)}
    # The latest time that it has shown; what it shows again, put back, counts no more.
    latest = max(wall(begin - _MINUTE * number) for number in range(1, 300))
    moment = begin
    while moment < end:
        shown = wall(moment)
        passed = latest + _MINUTE
        named = False
        while passed <= shown:
            named = named or (passed.date() in days and is_wanted(rule, passed))
            passed += _MINUTE
        latest = max(latest, shown)
        if named:
            yield moment
        moment += _MINUTE


def change_of(zone: str, year: int, which: int) -> date:
    """A day of the year on which the clocks of the zone are changed, or its first where they never are."""
    place, first = ZoneInfo(zone), datetime(year, 1, 1, tzinfo=UTC)
    moments = [first + timedelta(days=number) for number in range(366)]
    offsets = [moment.astimezone(place).utcoffset() for moment in moments]
    changes = [moments[number].date() for number in range(365) if offsets[number] != offsets[number + 1]]
    return changes[which % len(changes)] if changes else first.date()


def joined(*parts: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(parts), min_size=1, max_size=2, unique=True).map(",".join)


FIELDS = st.tuples(
    joined("0", "30", "*/15", "10-20/5", "59", "*/7"),
    joined("*", "2", "0-3", "23", "*/5", "0"),
    joined("*", "1", "*/2", "28-31", "15"),
    st.sampled_from(["*", "*", "3-4", "9-11", "12,1"]),
    joined("*", "1-5", "0", "7", "6", "*/3"),
).map(" ".join)
TIMES = st.times().map(lambda found: found.strftime("%H:%M")) | st.sampled_from(["00:00", "02:30", "23:30", "00:30"])
RULES = st.one_of(
    st.builds(lambda fields: {"crontab": fields}, FIELDS),
    st.builds(
        lambda at, days: {"daily_at": at, "month_days": days},
        TIMES,
        st.lists(st.integers(1, 31) | st.just(-1), min_size=1),
    ),
    st.builds(lambda at, days: {"daily_at": at, "weekdays": days}, TIMES, st.lists(st.integers(0, 6))),
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rule=RULES,
    zone=st.sampled_from(PECULIAR) | st.sampled_from(ZONES),
    year=st.integers(1980, 2036),
    which=st.integers(0, 5),
)
@example(rule={"daily_at": "12:00", "weekdays": []}, zone="Pacific/Apia", year=2011, which=2)
@example(rule={"daily_at": "23:30", "weekdays": []}, zone="America/Nuuk", year=2025, which=0)
@example(rule={"daily_at": "02:15", "weekdays": []}, zone="Australia/Lord_Howe", year=2026, which=1)
@example(rule={"crontab": "*/15 * * * *"}, zone="Africa/Casablanca", year=2026, which=0)
def test_every_rule_agrees_with_a_clock_on_the_wall(rule: dict[str, Any], zone: str, year: int, which: int) -> None:
    middle = datetime.combine(change_of(zone, year, which), time(12), UTC)
    begin, end = middle - timedelta(days=3), middle + timedelta(days=3)
    expected = list(read_clock(rule, zone, begin, end))
    found: list[datetime] = []
    moment = begin - _MINUTE / 2
    while (moment := next_due(rule, zone, moment)) < end:
        found.append(moment)
    assert found == expected
    if found:
        # The same, from the other side and all at once.
        assert all_due(rule, zone, end - _MINUTE, found[0], 10_000) == found
        assert last_due(rule, zone, end - _MINUTE, found[0]) == found[-1]
        assert last_due(rule, zone, found[-1], found[0]) == found[-1]
        assert last_due(rule, zone, found[-1] - _MINUTE / 2, found[0]) == found[max(len(found) - 2, 0)]


@pytest.mark.parametrize("zone", PECULIAR)
@pytest.mark.parametrize("at", ["00:00", "00:30", "02:15", "23:30"])
def test_once_for_each_day_of_thirty_years(zone: str, at: str) -> None:
    """Each local day has it once; what is left out at the end of a day comes at the first moment of the next."""
    place = ZoneInfo(zone)
    first, moment, days = date(2000, 1, 1), datetime(1999, 12, 30, 12, tzinfo=UTC), 365 * 30
    moment = next_due(daily(at), zone, datetime.combine(first, time(), place).astimezone(UTC) - timedelta(seconds=1))
    found = []
    for _number in range(days):
        found.append(moment)
        moment = next_due(daily(at), zone, moment)
    # The day that each stands for: its own, or the one that ended in the moment that was left out.
    meant = [(one.astimezone(place) - timedelta(hours=int(at[:2]), minutes=int(at[3:]))).date() for one in found]
    there = [first + timedelta(days=number) for number in range(days + 5)]
    if zone == "Pacific/Apia":
        there.remove(date(2011, 12, 30))
    assert meant == there[:days]


# ---- monthly, and crontabs


def test_on_days_of_the_month_and_those_that_a_month_lacks_are_left_out() -> None:
    found = dues({"daily_at": "06:00", "month_days": [30, -1]}, "Europe/Berlin", JANUARY, 6)
    assert [local(moment, "Europe/Berlin")[:10] for moment in found] == [
        "2026-01-30",
        "2026-01-31",
        "2026-02-28",
        "2026-03-30",
        "2026-03-31",
        "2026-04-30",
    ]


def test_a_crontab_that_is_rare_is_found() -> None:
    assert next_due({"crontab": "0 12 29 2 *"}, "UTC", JANUARY) == datetime(2028, 2, 29, 12, tzinfo=UTC)
    assert next_due({"crontab": "0 0 13 * fri"}, "UTC", JANUARY) == datetime(2026, 1, 16, tzinfo=UTC), "one is enough"
    assert next_due({"crontab": "30 9 * jan mon-fri"}, "Asia/Tokyo", JANUARY) == datetime(
        2026, 1, 15, 0, 30, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0 3 * *", "five fields"),
        ("0 3 * * * *", "five fields"),
        ("", "five fields"),
        ("@daily", "five fields"),
        ("60 3 * * *", "it takes 0 to 59"),
        ("0 24 * * *", "it takes 0 to 23"),
        ("0 3 0 * *", "it takes 1 to 31"),
        ("0 3 * 13 *", "it takes 1 to 12"),
        ("0 3 * * 8", "it takes 0 to 7"),
        ("5-1 3 * * *", "the smaller first"),
        ("*/0 3 * * *", "it takes 0 to 59"),
        ("5/10 3 * * *", "a step goes with"),
        ("x 3 * * *", "it takes 0 to 59"),
        ("0 3 * * mond", "it takes 0 to 7"),
        ("\u0663 3 * * *", "it takes 0 to 59"),
        ("-5 3 * * *", "no number, range or step"),
        ("1,,2 3 * * *", "no number, range or step"),
        ("0 3 30 2 *", "a day that never comes"),
        ("0 3 31 2,4,6 *", "a day that never comes"),
    ],
)
def test_a_crontab_that_is_none_says_what_to_change(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        crontab.parse(text)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=30) | st.from_regex(r"[0-9*,/\- a-z]{1,30}"))
def test_whatever_is_read_as_a_crontab_is_one_or_a_sentence(text: str) -> None:
    try:
        found = crontab.parse(text)
    except ValueError as error:
        assert str(error).endswith(".")
    else:
        assert found.times and next_due({"crontab": text}, "Europe/Berlin", JANUARY) > JANUARY


@pytest.mark.parametrize(
    ("rule", "plain", "shown"),
    [
        ({"every": 900}, "every 15 minutes", "Every 15 minutes"),
        ({"every": 86_400}, "every day", "Every 24 hours"),
        ({"daily_at": "03:00", "weekdays": []}, "daily at 03:00", "Every day at 3:00 AM (UTC)"),
        ({"daily_at": "15:30", "weekdays": [0, 4]}, "Mon, Fri at 15:30", "Mon and Fri at 3:30 PM (UTC)"),
        (
            {"daily_at": "03:00", "month_days": [-1, 1]},
            "day 1, last day of the month at 03:00",
            "Every month on day 1 and the last day at 3:00 AM (UTC)",
        ),
        ({"crontab": "0 3 * * mon"}, "crontab 0 3 * * mon", "By the rule 0 3 * * mon (UTC)"),
    ],
)
def test_each_rule_has_words_for_pages_and_for_the_command_line(
    app: Any, rule: dict[str, Any], plain: str, shown: str
) -> None:
    assert words.plain_rule(rule) == plain
    row = Schedule(key="probe.x", plugin="probe", rule=rule, zone="UTC")
    with app.test_request_context():
        assert " ".join(words.rule(row).split()) == shown
