"""When working minutes are over: against counting minute by minute, over zones and the changes of their clocks."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpdesk.core.working_time import Day, Hours, NoHours, holidays, round_the_clock, special_lines, week
from helpdesk.core.working_time.hours import DAY, Span

# Summer time by an hour and by half of one, at midnight, with a day left out, and none.
ZONES = [
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Shanghai",
]
_MINUTE = timedelta(minutes=1)


@st.composite
def spans_of_a_day(draw: st.DrawFn) -> tuple[Span, ...]:
    """Up to two spans that do not overlap; the last may end the next day."""
    ends = sorted(draw(st.lists(st.integers(0, 36), max_size=4, unique=True)))
    pairs = [(first * 60, last * 60) for first, last in zip(ends[::2], ends[1::2], strict=False)]
    return tuple((first, min(last, first + DAY)) for first, last in pairs if first < DAY)


@st.composite
def some_hours(draw: st.DrawFn) -> Hours:
    special = draw(st.dictionaries(st.dates(date(2010, 1, 1), date(2018, 12, 31)), spans_of_a_day(), max_size=3))
    days = draw(st.tuples(*[spans_of_a_day()] * 7).filter(any))
    return Hours(draw(st.sampled_from(ZONES)), days, {day: Day(spans) for day, spans in special.items()})


# Around the jumps of the zones above: Berlin, Lord Howe, Sao Paulo, Apia, and any other time.
moments = st.one_of(
    *(
        st.datetimes(middle - timedelta(days=2), middle + timedelta(days=2))
        for middle in map(
            datetime.fromisoformat, ["2018-03-25", "2018-10-28", "2011-12-30", "2016-10-16", "2017-04-02", "2017-10-01"]
        )
    ),
    st.datetimes(datetime(2010, 1, 1), datetime(2018, 12, 31)),
).map(lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC))
minutes = st.one_of(st.integers(0, 600), st.integers(0, 60_000))


@given(some_hours(), moments, minutes)
def test_the_minutes_between_are_those_that_were_added(hours: Hours, start: datetime, count: int) -> None:
    end = hours.add_minutes(start, count)
    assert end >= start + count * _MINUTE and end.tzinfo is UTC
    assert hours.minutes_between(start, end) == count


@given(some_hours(), moments, minutes, minutes)
def test_minutes_may_be_added_one_after_the_other(hours: Hours, start: datetime, first: int, second: int) -> None:
    assert hours.add_minutes(hours.add_minutes(start, first), second) == hours.add_minutes(start, first + second)


@given(some_hours(), moments, moments, minutes)
def test_who_begins_later_is_not_done_earlier(hours: Hours, one: datetime, other: datetime, count: int) -> None:
    early, late = sorted((one, other))
    assert hours.add_minutes(early, count) <= hours.add_minutes(late, count)
    middle = early + (late - early) / 2
    parts = hours.minutes_between(early, middle) + hours.minutes_between(middle, late)
    assert hours.minutes_between(early, late) - parts in (0, 1)


@given(some_hours(), moments, st.integers(0, 60 * 30))
def test_counted_minute_by_minute_it_is_the_same(hours: Hours, start: datetime, length: int) -> None:
    counted = sum(_open_by_the_clock(hours, start + number * _MINUTE) for number in range(length))
    assert hours.minutes_between(start, start + length * _MINUTE) == counted
    assert hours.is_open(start) == _open_by_the_clock(hours, start)
    opens = hours.next_open(start)
    assert hours.is_open(opens) and hours.minutes_between(start, opens) == 0


def _open_by_the_clock(hours: Hours, at: datetime) -> bool:
    """Whether a span that has begun has not ended, told by walking over the clock on the wall of two days."""
    zone = ZoneInfo(hours.zone)
    today = at.astimezone(zone).date()
    # Where the calendar leaves a day out, its spans are of no length; two days back are enough.
    for day in (today - timedelta(days=2), today - timedelta(days=1), today):
        for begin, end in hours.spans_on(day):
            if _has_come(day, begin, at, zone) and not _has_come(day, end, at, zone):
                return True
    return False


def _has_come(day: date, minute: int, at: datetime, zone: ZoneInfo) -> bool:
    """Whether the clock has shown that time, or a later one, at ``at`` or before: it may have been put back since."""
    wanted = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    shown = (at - back * timedelta(minutes=30) for back in range(4))
    return any(moment.astimezone(zone).replace(tzinfo=None) >= wanted for moment in shown) or _just_shown(
        at, wanted, zone
    )


def _just_shown(at: datetime, wanted: datetime, zone: ZoneInfo) -> bool:
    return any((at - back * _MINUTE).astimezone(zone).replace(tzinfo=None) >= wanted for back in range(121))


BERLIN = Hours("Europe/Berlin", (((540, 1020),),) * 5 + ((), ()), country="DE", subdivision="BY")


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        # Friday 16:30 and 60 minutes: Monday 9:30.
        ("2026-11-27T15:30", 60, "2026-11-30T08:30"),
        # What ends with the day ends then, and not the next morning.
        ("2026-11-27T15:30", 30, "2026-11-27T16:00"),
        # Over Christmas: Thursday the 24th, then Monday the 28th.
        ("2026-12-24T15:59", 2, "2026-12-28T08:01"),
        # Epiphany is a holiday in Bavaria.
        ("2026-01-05T16:00", 1, "2026-01-07T08:01"),
        # The clock is put back on Sunday: Monday begins an hour later by UTC.
        ("2026-10-23T15:00", 1, "2026-10-26T08:01"),
    ],
)
def test_an_office(start: str, count: int, end: str) -> None:
    begun = datetime.fromisoformat(start).replace(tzinfo=UTC)
    assert BERLIN.add_minutes(begun, count) == datetime.fromisoformat(end).replace(tzinfo=UTC)


def test_a_night_is_as_long_as_it_is() -> None:
    night = Hours("Europe/Berlin", (((22 * 60, 30 * 60),),) * 7)
    for evening, hours in (("2026-03-28", 7), ("2026-10-24", 9), ("2026-11-24", 8)):
        begin = datetime.fromisoformat(evening).replace(hour=12, tzinfo=UTC)
        assert night.minutes_between(begin, begin + timedelta(days=1)) == hours * 60, evening


def test_hours_that_never_open_and_moments_that_never_come() -> None:
    closed = Hours("UTC", ((),) * 7)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    for ask in (lambda: closed.next_open(start), lambda: closed.add_minutes(start, 1)):
        with pytest.raises(NoHours):
            ask()
    assert closed.minutes_between(start, start + timedelta(days=900)) == 0 and closed.add_minutes(start, 0) == start
    short = Hours("UTC", (((0, 1),),) + ((),) * 6)
    assert short.add_minutes(start, 200) > start
    for count in (400, 10**9):
        with pytest.raises(NoHours):
            short.add_minutes(start, count)
    with pytest.raises(ValueError, match="negative"):
        short.add_minutes(start, -1)
    for far in (datetime.max.replace(tzinfo=UTC), datetime(9999, 12, 31, tzinfo=ZoneInfo("Asia/Tokyo"))):
        with pytest.raises(NoHours):
            short.next_open(far)
    assert round_the_clock("Asia/Shanghai").minutes_between(start, start + timedelta(hours=30)) == 1800


def test_a_working_weekend_is_a_working_day_and_the_owner_has_the_last_word() -> None:
    shanghai = Hours("Asia/Shanghai", (((540, 1080),),) * 5 + ((), ()), country="CN")
    worked, off = date(2026, 2, 14), date(2026, 2, 16)
    assert shanghai.spans_on(worked) == ((540, 1080),) and shanghai.spans_on(off) == ()
    own = {worked: Day(()), off: Day(((600, 720),), "值班")}
    assert Hours("Asia/Shanghai", shanghai.week, own, "CN").spans_on(worked) == ()
    assert Hours("Asia/Shanghai", shanghai.week, own, "CN").spans_on(off) == ((600, 720),)
    assert holidays.public_days("CN", "", 2026, "zh_Hans")[date(2026, 1, 1)] == "元旦"
    assert holidays.is_announced("CN", "", 2026) and not holidays.is_announced("CN", "", 2090)
    assert holidays.is_announced("DE", "BY", 2090) and not holidays.is_announced("DE", "BY", 2101)


@given(st.text())
def test_any_text_is_times_or_is_not(text: str) -> None:
    try:
        spans = week.typed(text)
    except week.InvalidTimes:
        return
    assert week.typed(week.shown(spans)) == spans == week.read(week.kept(spans))


def test_lines_of_days_are_read_as_they_are_written(app: object) -> None:
    lines = [
        "2026-02-14 open 09:00-17:00 Working Saturday",
        "2026/2/28 9:00–12:00，13:00-17:00",
        "2026年1月1日 closed 元旦",
    ]
    text = "\n".join([*lines, "", "2026-10-10 open"])
    found = special_lines.parse(text, ((540, 1020),))
    assert found[date(2026, 2, 14)] == Day(((540, 1020),), "Working Saturday")
    assert found[date(2026, 2, 28)].spans == ((540, 720), (780, 1020)) and found[date(2026, 1, 1)] == Day((), "元旦")
    assert found[date(2026, 10, 10)].spans == ((540, 1020),)
    assert special_lines.parse(special_lines.write(found), ()) == found
    for line in ("2026-02-30 closed", "tomorrow closed", "2026-01-01", "2026-01-01 closed 9-17", "2026-01-01 9-8-7",
                 "2026-01-01 closed\n2026-01-01 closed", "9999-01-01 closed"):  # fmt: skip
        with pytest.raises(special_lines.InvalidLine, match="Line "):
            special_lines.parse(line, ())
